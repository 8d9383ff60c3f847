"""Simulated deliveries: one simulator per supervision model, found by the model's name."""

from collections.abc import Callable
from importlib import import_module

# Each is a module of this package whose `simulate(units=, seed=, out=, people=)` writes
# one delivery per department and truth/units.csv, and returns rows per table.
SIMULATIONS = (
    "bankruptcy_wages",
    "benefit_crosscheck",
    "elder_care",
    "false_litigation",
    "fuel_oil_tax",
    "judicial_auction",
    "vehicle_insurance",
)


def simulator(model: str) -> Callable[..., dict[str, int]]:
    """The simulator of one of `SIMULATIONS`; only that one is imported."""
    found: Callable[..., dict[str, int]] = import_module(
        f"training.simulation.{model}"
    ).simulate
    return found
