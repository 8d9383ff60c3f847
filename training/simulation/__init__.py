"""Simulated deliveries: one simulator per supervision model, listed by name."""

from training.simulation.vehicle_insurance import simulate

SIMULATIONS = {"vehicle_insurance": simulate}
