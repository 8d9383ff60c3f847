"""Simulated deliveries: one simulator per supervision model, found by the model's name."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from configs.errors import LeadlineError, nearest
from training.simulation.delivery import Outbox
from training.simulation.province import Ask, Province

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
# Those that can be drawn for more than one prefecture, and the sums that a night corrects.
PROVINCIAL = {
    "benefit_crosscheck": {"benefits": "monthly_amount", "payments": "amount"},
    "vehicle_insurance": {"claims": "claimed_amount", "repair_bills": "price"},
}


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
    model: str,
    *,
    units: int,
    seed: int,
    out: Path,
    people: int | None = None,
    ask: Ask | None = None,
) -> dict[str, int]:
    """Write a delivery, as a person asked for it; returns rows per table.

    Raises:
        LeadlineError: the model has no simulation, cannot be spread or cut as asked, or
            too few units are asked for.
    """
    simulate = simulator(model)
    ask = ask or Ask()
    corrected = PROVINCIAL.get(model)
    if corrected is None and (ask.parts or ask.excerpt or ask.nights):
        raise LeadlineError(
            f"simulate: {model} is drawn for one prefecture in whole tables; parts, "
            f"excerpt and nights are for {' and '.join(PROVINCIAL)}"
        )
    try:
        if corrected is None:
            with Outbox(out, parquet=ask.parquet) as whole:
                return simulate(units=units, seed=seed, out=whole, people=people)
        return Province(simulate, corrected, units, seed, people, ask).deliver(out)
    except ValueError as error:
        raise LeadlineError(str(error)) from error
