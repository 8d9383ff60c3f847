"""Simulated deliveries: one simulator per supervision model, found by the model's name."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from configs.errors import LeadlineError, nearest

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
    """The simulator of one of `SIMULATIONS`; only that one is imported.

    Raises:
        LeadlineError: the model has none.
    """
    if model not in SIMULATIONS:
        raise LeadlineError(f"no simulation of {model!r}{nearest(model, SIMULATIONS)}")
    found: Callable[..., dict[str, int]] = import_module(
        f"training.simulation.{model}"
    ).simulate
    return found


def simulated(
    model: str, *, units: int, seed: int, out: Path, people: int | None = None
) -> dict[str, int]:
    """Write a delivery, as a person asked for it; returns rows per table.

    Raises:
        LeadlineError: the model has no simulation, or too few units are asked for.
    """
    simulate = simulator(model)
    try:
        return simulate(units=units, seed=seed, out=out, people=people)
    except ValueError as error:
        raise LeadlineError(str(error)) from error
