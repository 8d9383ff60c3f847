"""The short families: categorical levels, derived columns, lookups, coverage flags."""

from collections.abc import Mapping

import ibis
from ibis.expr.types import Table, Value

from configs.expressions import names, parse
from configs.schema import DeriveSpec, LookupSpec, SourceSpec
from features.expressions import compile_text
from features.found import Found
from features.links import STRONG, Link
from features.sources import EVENT, FILE, KNOWN, LINE


def levels_features(units: Table, wanted: tuple[str, ...], source: SourceSpec) -> Table:
    """One flag per declared level; null where the category is unknown."""
    flags = {
        f"{name}_is_{level}": units[name] == level
        for name in wanted
        for level in source.columns[name].levels
    }
    return units.mutate(**flags)


def derive_features(units: Table, wanted: Mapping[str, DeriveSpec]) -> Table:
    """One column per expression; a later one may use an earlier one."""
    together: dict[str, Value] = {}
    for name, step in wanted.items():
        if not together.keys().isdisjoint(names(parse(step.expression))):
            units, together = units.mutate(**together), {}
        together[name] = compile_text(step.expression, units)
    return units.mutate(**together)


def lookup_found(rows: Table, step: LookupSpec, link: Link) -> Found:
    """Columns of the latest (or earliest) known row that shares the key."""
    if step.where is not None:
        rows = rows.filter(compile_text(step.where, rows))
    taken = _taken(rows, step)
    first = first_rows(rows, taken, link, latest=step.pick == "latest")
    return Found.by_link(
        first, link, lambda units: {n.removeprefix("_take"): units[n] for n in taken}
    )


def first_rows(
    rows: Table, columns: Mapping[str, Value], link: Link, *, latest: bool
) -> Table:
    """The link's keys and these columns of each key's latest (or earliest) row."""
    keyed = rows.select(
        **link.source_keys(rows),
        **columns,
        _order=ibis.coalesce(rows[KNOWN], rows[EVENT]),
        _file=rows[FILE],
        _line=rows[LINE],
    )
    keyed = keyed.filter(link.complete(keyed))
    order = keyed["_order"].desc() if latest else keyed["_order"].asc()
    # File and line make the order total, so that a rerun picks the same row.
    window = ibis.window(group_by=link.keys, order_by=[order, "_file", "_line"])
    first = keyed.mutate(_nth=ibis.row_number().over(window))
    return first.filter(first["_nth"] == 0).drop("_nth", "_order", "_file", "_line")


def _taken(rows: Table, step: LookupSpec) -> dict[str, Value]:
    """The wanted columns, and beside an identifier its valid values."""
    taken = {f"_take{name}": rows[column] for name, column in step.take.items()}
    for name, column in step.take.items():
        if STRONG + column in rows.columns:
            taken[f"_take{STRONG}{name}"] = rows[STRONG + column]
    return taken


def covered(units: Table, rows: Table, link: Link) -> Value:
    """Whether the source holds a known row about the unit, by a link of one key.

    Asked as "is it one of these": a join that finds a part of the units splits each batch
    of rows in two, and the joins after it work on ever smaller batches.
    """
    (key,) = link.keys
    keys = rows.select(**link.source_keys(rows))
    known = keys.filter(link.complete(keys))[key]
    return link.unit_keys(units)[key].isin(known).fill_null(False)
