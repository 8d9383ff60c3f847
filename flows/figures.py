"""How the units of a run are distributed: features, scores, and where leads gather."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from math import ceil
from operator import or_
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
from ibis.expr.types import Table

from configs.column import Column
from configs.loading import LoadedModel
from features.rules import SCOPE_LAYER
from flows.catalog import Catalog
from flows.engineer import FLAGS, MATRIX, UNITS
from flows.score import SCORES
from serving.about import SpotAbout

COLUMNS_AT_ONCE = 4  # whose values are all in memory
BINS = 20
SPOTS_KEPT = 50  # of each column
_TENTHS = [n / 10 for n in range(11)]
_SPOTS, _ALL = "_spots", "_all"


@dataclass(frozen=True, slots=True)
class Distribution:
    """`missing` is a share of the units; `deciles` 11 values, None if not numeric."""

    missing: float
    deciles: list[float] | None


def distributions(model: LoadedModel, catalog: Catalog) -> dict[str, Distribution]:
    """Of every feature, over all units of the run.

    Takes 4 seconds of the processor per million units and 80 numbers, and memory for
    `COLUMNS_AT_ONCE` columns.
    """
    matrix, features = catalog.read(MATRIX), model.known.features
    counted = {column.name: matrix[column.name].count() for column in features}
    counts = catalog.rows(matrix.aggregate(**{_ALL: matrix.count()}, **counted))[0]
    units = max(counts.pop(_ALL), 1)
    found = {n: Distribution(rounded(1 - k / units), None) for n, k in counts.items()}
    for some in _portions([c.name for c in features if c.kind == "number"]):
        table = matrix.select(**{name: matrix[name].cast("float64") for name in some})
        values = catalog.arrow(table)
        for name in some:
            known = _finite(values[name].to_numpy())
            missing = rounded(1 - len(known) / units)
            found[name] = Distribution(missing, _deciles(known))
    return {column.name: found[column.name] for column in features}


def _finite(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The known values, ascending: ten times as fast as quantiles in the engine."""
    known: npt.NDArray[np.float64] = values[np.isfinite(values)]
    known.sort()
    return known


def _deciles(values: npt.NDArray[np.float64]) -> list[float] | None:
    """Between two values linear, as the engine's `quantile_cont`."""
    if not len(values):
        return None
    place = (len(values) - 1) * np.array(_TENTHS)
    low, high = np.floor(place).astype(np.intp), np.ceil(place).astype(np.intp)
    share = place - low
    found = values[low] * (1 - share) + values[high] * share
    return [rounded(value) for value in found.tolist()]


def medians(catalog: Catalog, units: Table, names: Sequence[str]) -> dict[str, Any]:
    """Of each number over the units where it is known; None where it is nowhere."""
    found: dict[str, Any] = {}
    for some in _portions(names):
        asked = {name: units[name].cast("float64").median() for name in some}
        found |= catalog.rows(units.aggregate(**asked))[0]
    return found


def _portions(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), COLUMNS_AT_ONCE):
        yield names[start : start + COLUMNS_AT_ONCE]


def rounded(value: float) -> float:
    """Six digits: the next ones differ from machine to machine, a list must not."""
    return float(f"{value:.6g}")


def histograms(catalog: Catalog) -> dict[str, list[int]]:
    """Units by score, rules and fused, in 20 equal bins of [0, 1]."""
    scores = catalog.read(SCORES)
    return {
        name: _histogram(catalog, scores, name) for name in ("score", "rules", "fused")
    }


def _histogram(catalog: Catalog, scores: Table, name: str) -> list[int]:
    place = (scores[name] * BINS).floor().cast("int64").clip(0, BINS - 1)
    counted = scores.group_by(bin=place).aggregate(units=scores.count())
    units = {row["bin"]: row["units"] for row in catalog.rows(counted)}
    return [units.get(number, 0) for number in range(BINS)]


def hot_spots(model: LoadedModel, catalog: Catalog) -> list[SpotAbout]:
    """The first values of each column that the model counts leads by.

    Those with the most units in the first tenth of the list come first, then those with
    the most hits; units that say nothing there are not counted.
    """
    if not model.spec.unit.spots:
        return []
    columns = [model.known.columns[name] for name in model.spec.unit.spots]
    counted = catalog.keep(_counted(model, catalog), _SPOTS)
    found = [
        spot
        for number, column in enumerate(columns)
        for spot in _spots(catalog, counted, f"spot_{number}", column)
    ]
    catalog.drop(_SPOTS)
    return found


def _counted(model: LoadedModel, catalog: Catalog) -> Table:
    """Per unit: its value in each column, money, and whether it counts as top or hit."""
    units, scores, flags = (catalog.read(n) for n in (UNITS, SCORES, FLAGS))
    above = [flags[r.code] for r in model.rules if r.layer > SCOPE_LAYER]
    hit = reduce(or_, above) if above else ibis.literal(False)
    tenth = ceil(catalog.rows(scores.aggregate(n=scores.count()))[0]["n"] / 10)
    ranked = scores.select("unit_id", top=scores["rank_fused"] <= tenth)
    fired = flags.select("unit_id", hit=hit.fill_null(False))
    money = model.spec.unit.money
    said = units.select(
        "unit_id",
        # Exact: a sum of binary fractions depends on the order of its parts.
        money=(units[money] if money else ibis.null("float64")).try_cast(
            "decimal(18,2)"
        ),
        **{
            f"spot_{number}": units[name].cast("string").strip().nullif("")
            for number, name in enumerate(model.spec.unit.spots)
        },
    )
    return said.inner_join(ranked, "unit_id").inner_join(fired, "unit_id")


def _spots(
    catalog: Catalog, counted: Table, name: str, column: Column
) -> list[SpotAbout]:
    rows = counted.filter(counted[name].notnull())
    by_value = rows.group_by(value=rows[name]).aggregate(
        units=rows.count(),
        top=rows["top"].sum(),
        hits=rows["hit"].sum(),
        money=rows["money"].sum().cast("float64"),
    )
    order = [ibis.desc(key) for key in ("top", "hits", "units")]
    first = by_value.order_by(*order, "value").limit(SPOTS_KEPT)
    return [
        SpotAbout(
            en=column.meaning.en,
            zh=column.meaning.zh,
            column=column.name,
            value=row["value"],
            units=row["units"],
            top=row["top"],
            hits=row["hits"],
            money=row["money"],
        )
        for row in catalog.rows(first)
    ]
