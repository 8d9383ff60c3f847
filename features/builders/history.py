"""History windows over the rows of a linked source.

Cost: anchored at `as_of`, one grouping of the source (linear in its rows); anchored at
the unit's date, one sort of units and rows together by key and time.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import ibis
from ibis.expr.types import Table, Value

from configs.schema import HistorySpec
from features.builders.aggregates import (
    Measure,
    days,
    measured,
    measures,
    number,
    ratio,
    trend,
)
from features.expressions import SECONDS_PER_DAY, compile_text
from features.links import Link, null_if_unknown
from features.sources import EVENT

_SECONDS = "_seconds"


def history_features(
    units: Table, rows: Table, step: HistorySpec, link: Link, as_of: datetime
) -> Table:
    """The units with one more column per measure and window.

    Args:
        units: with `unit_id`, `_at` and the link's columns.
        rows: of the source, already limited to what was known at `as_of`.
    """
    if step.where is not None:
        rows = rows.filter(compile_text(step.where, rows))
    taken = rows.select(
        **link.source_keys(rows),
        **{_SECONDS: rows[EVENT].epoch_seconds()},
        **measured(rows, step),
    )
    taken = taken.filter(link.complete(taken))
    build = _as_of_history if step.anchor == "as_of" else _moving_history
    return build(units, taken, step, link, as_of)


def _as_of_history(
    units: Table, rows: Table, step: HistorySpec, link: Link, as_of: datetime
) -> Table:
    end = ibis.literal(as_of).cast("timestamp").epoch_seconds()
    grouped = rows.group_by(link.keys).aggregate(
        **{m.feature: _grouped(rows, m, end) for m in measures(step)}
    )
    keyed = units.mutate(**link.unit_keys(units))
    joined = keyed.left_join(grouped, link.keys)
    known = {
        m.feature: null_if_unknown(link, joined, joined[m.feature], m.default)
        for m in measures(step)
    }
    return joined.select(*units.columns, **known)


def _grouped(rows: Table, measure: Measure, end: Any) -> Value:
    inside = _inside(rows, measure.days, end)
    value = rows[measure.column]
    match measure.aggregate:
        case "count":
            return value.count(where=inside)
        case "nunique":
            return value.nunique(where=inside)
        case "share" | "mean":
            return ratio(value.sum(where=inside), value.count(where=inside))
        case "days_since_first" | "days_since_last":
            newest = measure.aggregate == "days_since_last"
            return days(end - _extreme(rows, value, inside, newest))
        case "trend":
            return _grouped_trend(rows, measure, end)
    return number(getattr(value, measure.aggregate)(where=inside))


def _extreme(rows: Table, value: Any, inside: Any, newest: bool) -> Value:
    seconds = ibis.ifelse(value.notnull() & inside, rows[_SECONDS], ibis.null())
    return seconds.max() if newest else seconds.min()


def _grouped_trend(rows: Table, measure: Measure, end: Any) -> Value:
    inside = _inside(rows, measure.days, end)
    late = _inside(rows, (measure.days or 0) // 2, end)
    value = rows[measure.column]
    return trend(value.sum(where=late), value.sum(where=inside & ~late))


def _inside(rows: Table, length: int | None, end: Any) -> Value:
    if length is None:
        return ibis.literal(True)
    seconds = rows[_SECONDS]
    inside = (seconds > end - length * SECONDS_PER_DAY) & (seconds <= end)
    return inside.fill_null(False)


def _moving_history(
    units: Table, rows: Table, step: HistorySpec, link: Link, as_of: datetime
) -> Table:
    """Windows that move with the unit's date, by one range window over both tables.

    Units are put among the rows as markers without values; a range over seconds is
    the same on DuckDB and Spark and needs no join of each unit with each row.
    """
    markers = units.select(
        "unit_id", **link.unit_keys(units), **{_SECONDS: units["_at"].epoch_seconds()}
    )
    columns = [name for name in rows.columns if name.startswith("_value_")]
    empty = {c: ibis.null().cast(rows[c].type()) for c in columns}
    both = markers.mutate(**empty).union(
        rows.mutate(unit_id=ibis.null("string")).select(
            "unit_id", *link.keys, _SECONDS, *columns
        )
    )
    moved = both.mutate(**dict(_moving(both, step, link)))
    found = moved.filter(moved["unit_id"].notnull())
    joined = units.left_join(found, "unit_id")
    dated = joined[_SECONDS].notnull()
    known = {
        m.feature: ibis.ifelse(
            dated,
            null_if_unknown(link, joined, joined[m.feature], m.default),
            ibis.null(),
        )
        for m in measures(step)
    }
    return joined.select(*units.columns, **known)


def _moving(both: Table, step: HistorySpec, link: Link) -> Iterator[tuple[str, Value]]:
    for measure in measures(step):
        yield measure.feature, _moving_value(both, measure, link, step.anchor)


def _moving_value(both: Table, measure: Measure, link: Link, anchor: str) -> Value:
    frame = _frame(link, measure.days, anchor)
    value = both[measure.column]
    match measure.aggregate:
        case "count":
            return value.count().over(frame)
        case "share" | "mean":
            return ratio(value.sum().over(frame), value.count().over(frame))
        case "days_since_first" | "days_since_last":
            return _moving_days(both, measure, link, value)
        case "trend":
            late = _frame(link, (measure.days or 0) // 2, anchor)
            sums = value.sum().over(late), value.sum().over(frame)
            return trend(sums[0], number(sums[1]) - number(sums[0]).fill_null(0.0))
    return number(getattr(value, measure.aggregate)().over(frame))


def _moving_days(both: Table, measure: Measure, link: Link, value: Any) -> Value:
    """Days since another row before the unit's date; the unit's own row is not one."""
    before = ibis.range_window(
        preceding=(_seconds(measure.days) - 1, 1),
        group_by=link.keys,
        order_by=_SECONDS,
    )
    seconds = ibis.ifelse(value.notnull(), both[_SECONDS], ibis.null())
    newest = measure.aggregate == "days_since_last"
    extreme = seconds.max() if newest else seconds.min()
    return days(both[_SECONDS] - extreme.over(before))


def _frame(link: Link, length: int | None, anchor: str) -> Any:
    """`length` days that end with the unit's date, or as many on each side of it.

    Backward windows begin after their first second, as those anchored at `as_of` do: a
    window of 7 days over daily rows holds 7 of them.
    """
    seconds = _seconds(length)
    preceding, following = (seconds - 1, 0) if anchor == "unit" else (seconds, seconds)
    return ibis.range_window(
        preceding=preceding,
        following=following,
        group_by=link.keys,
        order_by=_SECONDS,
    )


def _seconds(length: int | None) -> int:
    """Window length; `all` is longer than any record (300 years)."""
    return (110_000 if length is None else length) * SECONDS_PER_DAY
