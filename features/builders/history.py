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
from features.found import Found
from features.links import Link
from features.sources import EVENT

_SECONDS = "_seconds"


def history_found(rows: Table, step: HistorySpec, link: Link, as_of: datetime) -> Found:
    """One column per measure and window that ends at `as_of`.

    Args:
        rows: of the source, already limited to what was known at `as_of`.
    """
    rows = _taken(rows, step, link)
    end = ibis.literal(as_of).cast("timestamp").epoch_seconds()
    grouped = rows.group_by(link.keys).aggregate(
        **{m.feature: _grouped(rows, m, end) for m in measures(step)}
    )
    return Found.by_link(
        grouped,
        link,
        lambda units: {m.feature: _or_default(units, m, link) for m in measures(step)},
    )


def _or_default(units: Table, measure: Measure, link: Link) -> Value:
    """The default where the key is known but has no rows; null where it is not known."""
    value = units[measure.feature]
    if measure.default is None:
        return value
    filled = ibis.coalesce(value, measure.default)
    return ibis.ifelse(link.known_to(units), filled, ibis.null())


def moving_found(
    rows: Table, step: HistorySpec, link: Link, markers: Table | None
) -> Found:
    """One column per measure and window that moves with the units' date.

    One range window over the rows and the units together: a range over seconds is the
    same on DuckDB and Spark and needs no join of each unit with each row.

    Args:
        rows: as for `history_found`.
        markers: units to be put among the rows, with `unit_id`, `_at` and the link's
            columns; None where the rows are the units, with `unit_id`.
    """
    if markers is None:
        both = _taken(rows, step, link, "unit_id")
    else:
        both = _marked(_taken(rows, step, link), markers, link)
    moved = both.mutate(**dict(_moving(both, step, link)))
    found = moved.filter(moved["unit_id"].notnull() & moved[_SECONDS].notnull())
    names = [m.feature for m in measures(step)]
    return Found.by_unit(
        _without_gaps(found, step), lambda units: {name: units[name] for name in names}
    )


def _without_gaps(found: Table, step: HistorySpec) -> Table:
    """The features of the units that have a key and a date; no rows count as none."""
    filled = {
        m.feature: found[m.feature]
        if m.default is None
        else ibis.coalesce(found[m.feature], m.default)
        for m in measures(step)
    }
    return found.select("unit_id", **filled)


def _taken(rows: Table, step: HistorySpec, link: Link, *names: str) -> Table:
    """The rows with a complete key: it, their time, and what each measure takes."""
    if step.where is not None:
        rows = rows.filter(compile_text(step.where, rows))
    taken = rows.select(
        *names,
        **link.source_keys(rows),
        **{_SECONDS: rows[EVENT].epoch_seconds()},
        **measured(rows, step),
    )
    return taken.filter(link.complete(taken))


def _grouped(rows: Table, measure: Measure, end: Any) -> Value:
    inside = None if measure.days is None else _inside(rows, measure.days, end)
    value = rows[measure.column]
    match measure.aggregate:
        case "count":
            return value.count(where=inside)
        case "nunique":
            return value.nunique(where=inside)
        case "share" | "mean":
            return ratio(_part(value, measure, inside), value.count(where=inside))
        case "days_since_first" | "days_since_last":
            newest = measure.aggregate == "days_since_last"
            return days(end - _extreme(rows, value, inside, newest))
        case "trend":
            return _grouped_trend(rows, measure, end)
    return number(getattr(value, measure.aggregate)(where=inside))


def _part(value: Any, measure: Measure, inside: Value | None = None) -> Any:
    """What stands above the number of rows: of a share those that say yes.

    They are counted, since sums over moving windows take half as long again.
    """
    if measure.aggregate == "mean":
        return value.sum(where=inside)
    return value.count(where=value if inside is None else value & inside)


def _extreme(rows: Table, value: Any, inside: Value | None, newest: bool) -> Value:
    counts = value.notnull() if inside is None else value.notnull() & inside
    seconds = ibis.ifelse(counts, rows[_SECONDS], ibis.null())
    return seconds.max() if newest else seconds.min()


def _grouped_trend(rows: Table, measure: Measure, end: Any) -> Value:
    value, length = rows[measure.column], measure.days or 0
    inside, late = _inside(rows, length, end), _inside(rows, length // 2, end)
    return trend(value.sum(where=late), value.sum(where=inside & ~late))


def _inside(rows: Table, length: int, end: Any) -> Value:
    seconds = rows[_SECONDS]
    inside = (seconds > end - length * SECONDS_PER_DAY) & (seconds <= end)
    return inside.fill_null(False)


def _marked(rows: Table, markers: Table, link: Link) -> Table:
    """The rows and, without values, the units that have a key and a date."""
    units = markers.select(
        "unit_id",
        **link.unit_keys(markers),
        **{_SECONDS: markers["_at"].epoch_seconds()},
    )
    units = units.filter(link.complete(units) & units[_SECONDS].notnull())
    columns = [name for name in rows.columns if name.startswith("_value_")]
    empty = {c: ibis.null().cast(rows[c].type()) for c in columns}
    return units.mutate(**empty).union(
        rows.mutate(unit_id=ibis.null("string")).select(
            "unit_id", *link.keys, _SECONDS, *columns
        )
    )


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
            whole = value.count().over(frame)
            return ratio(_part(value, measure).over(frame), whole)
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
