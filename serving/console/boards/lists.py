"""What a list itself tells: its funnel, its hot spots, how fresh its data are."""

from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from typing import Any

import numpy as np

from serving.console.boards.board import Board
from serving.console.boards.intervals import wilson
from serving.leads.models import Run

STALE_DAYS = 31  # without a new row for so long a source is called stale
FEW_UNITS = 5  # fewer could be told apart by who sees only some offices


@dataclass(frozen=True, slots=True)
class Step:
    layer: int  # 0 = all units
    hit: int | None  # units with a hit in this layer; None where it was not kept
    left: int  # with one in this layer and all before it


@dataclass(frozen=True, slots=True)
class Funnel:
    steps: tuple[Step, ...]


def funnel(board: Board) -> Funnel:
    """Units of the whole list that are left after each layer of rules."""
    kept: Any = board.chosen.funnel
    if isinstance(kept, dict):
        layers = sorted(
            int(name.removeprefix("left_")) for name in kept if name.startswith("left_")
        )
        steps = [Step(n, kept.get(f"hit_{n}"), int(kept[f"left_{n}"])) for n in layers]
    else:
        steps = [Step(int(row["layer"]), None, int(row["units"])) for row in kept or ()]
    if not steps:
        return Funnel(())
    return Funnel((Step(0, None, board.run.units), *steps))


@dataclass(frozen=True, slots=True)
class Spot:
    value: str
    units: int
    top: int  # of them within the first tenth
    hits: int  # with a rule hit above the scope layer
    money: float | None
    excess: float  # share within the first tenth, less that of all units
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Spots:
    """The values of one column, the surest excess first."""

    column: str
    en: str
    zh: str
    average: float  # share of all units of the list within its first tenth
    rows: tuple[Spot, ...]


def spot_columns(run: Run) -> list[str]:
    """The columns by which a run counts its leads, in the order of their declaration."""
    return list(dict.fromkeys(spot["column"] for spot in run.about.get("spots", ())))


def spots(board: Board, column: str) -> Spots:
    """How often each value of a column stands within the first tenth of the list.

    A run keeps the values with most units there, so they are measured against all units
    of the list and not against each other. Ordered by the lower end of the excess, so
    that a place with three units of which one stands high does not come before one with
    three hundred. Who sees only some offices does not see other offices' rows, nor places
    of fewer than FEW_UNITS units.
    """
    about = board.chosen.about
    kept = [s for s in about.get("spots", ()) if s["column"] == column]
    units = np.array([s["units"] for s in kept], dtype=np.float64)
    top = np.array([s["top"] for s in kept], dtype=np.float64)
    everyone = board.run.units
    average = ceil(everyone / 10) / everyone if everyone else 0.0
    low, high = wilson(top, units)
    own = _own_offices(board, kept)
    rows = [
        Spot(
            *(str(s["value"]), s["units"], s["top"], s["hits"], s["money"]),
            *(s["top"] / s["units"] - average, float(low[n]) - average),
            high=float(high[n]) - average,
        )
        for n, s in enumerate(kept)
        if s["units"] and own(s)
    ]
    rows.sort(key=lambda spot: (-spot.low, -spot.units, spot.value))
    words = kept[0] if kept else {"en": column, "zh": column}
    return Spots(column, words["en"], words["zh"], average, tuple(rows))


def _own_offices(board: Board, kept: list[dict[str, Any]]) -> Any:
    """Which rows the user may see."""
    offices = board.offices
    if offices is None:
        return lambda spot: True
    by_office = kept and kept[0]["en"] == board.chosen.about.get("office", {}).get("en")
    if by_office:
        return lambda spot: spot["value"] in offices
    return lambda spot: spot["units"] >= FEW_UNITS


@dataclass(frozen=True, slots=True)
class Delivery:
    """One source of the list."""

    source: str
    en: str
    zh: str
    department_en: str
    department_zh: str
    rows: int
    rejects: int
    missing: bool  # not delivered
    first: date | None  # of the days on which a row became known
    last: date | None
    behind: int | None  # days from the last one to the as-of date of the list
    units: float | None  # share of the units that it says something about

    @property
    def stale(self) -> bool:
        return self.missing or self.behind is None or self.behind > STALE_DAYS


@dataclass(frozen=True, slots=True)
class Freshness:
    """The sources of a list; those furthest behind first, missing ones before all."""

    as_of: date
    sources: tuple[Delivery, ...]

    @property
    def missing(self) -> int:
        return sum(source.missing for source in self.sources)

    @property
    def stale(self) -> int:
        """Delivered, but without a row of the last STALE_DAYS days."""
        return sum(source.stale and not source.missing for source in self.sources)


def freshness(board: Board) -> Freshness:
    return freshness_of(board.chosen)


def freshness_of(run: Run) -> Freshness:
    """How old the data of each source were at the as-of date of a list."""
    as_of = run.as_of.replace(tzinfo=None).date()
    about = run.about.get("sources", {})
    found = [
        _delivery(name, kept, about.get(name, {}), as_of)
        for name, kept in (run.coverage or {}).items()
    ]
    found.sort(
        key=lambda d: (not d.missing, -(d.behind or 0), d.department_en, d.source)
    )
    return Freshness(as_of, tuple(found))


def _delivery(
    name: str, kept: dict[str, Any], words: dict[str, Any], as_of: date
) -> Delivery:
    last = _day(kept.get("last_known"))
    return Delivery(
        source=name,
        en=words.get("en") or name,
        zh=words.get("zh") or name,
        department_en=words.get("department_en", ""),
        department_zh=words.get("department_zh", ""),
        rows=int(kept.get("rows") or 0),
        rejects=int(kept.get("rejects") or 0),
        missing=bool(kept.get("missing")),
        first=_day(kept.get("first_known")),
        last=last,
        behind=(as_of - last).days if last else None,
        units=kept.get("units"),
    )


def _day(text: str | None) -> date | None:
    return datetime.fromisoformat(text).date() if text else None
