"""What ties people, companies, phones and the rest: one row per pair and source."""

from collections.abc import Collection, Iterator, Mapping
from functools import reduce
from typing import Any

import ibis
from ibis.expr.types import Table, Value

from configs.keys import source_column
from configs.network import AssociationsSpec, TieSpec
from configs.tables import ASSOCIATIONS, HUBS
from features.contracts import conform
from features.engine import Engine
from features.expressions import compile_text
from features.graph import Graph, graph
from features.known import Known
from features.links import SURE, strong
from features.sources import EVENT, KNOWN, ROW_KEY

PAIR = ("left_kind", "left", "right_kind", "right")
ORDER = (*PAIR, "source")


def associations(known: Known, units: Table) -> Table:
    """One row per pair of nodes and source, from the rows known at `as_of`.

    A pair stands once, its ends in the order of kind and value. Rows with an unknown
    or invalid end tie nothing.

    Args:
        units: the rows of the unit's own source, with every column that ties name.
    """
    declared = known.spec.associations
    ties = declared.ties if declared else ()
    said = [part for tie in ties for part in _said(known, units, tie)]
    rows = reduce(lambda a, b: a.union(b), said)
    grouped = rows.group_by(list(ORDER)).aggregate(
        rows=rows.count(),
        event_at=rows["_event"].max(),
        _first=rows["_first"].min(),
        probability=rows["_sure"].max(),
    )
    first = grouped["_first"]
    found = grouped.mutate(row_key=first["row_key"], known_at=first["known_at"])
    return conform(found, ASSOCIATIONS)


def hubs(associations: Table, declared: AssociationsSpec) -> Table:
    """The nodes with more neighbours than their kind allows, the largest first."""
    one_way = associations.select(*PAIR)
    other = one_way.select(**dict(zip(PAIR, _other_way(one_way), strict=True)))
    ends = one_way.union(other).distinct()
    nodes = ends.group_by(kind=ends["left_kind"], value=ends["left"])
    counted = nodes.aggregate(degree=ends.count())
    limits = ((counted["kind"] == k, n) for k, n in declared.limits.items())
    counted = counted.mutate(limit=ibis.cases(*limits))
    found = counted.filter(counted["degree"] > counted["limit"])
    return conform(found, HUBS).order_by(ibis.desc("degree"), "kind", "value")


class Associated:
    """The associations of a run and their graphs, each made once when first asked for.

    Every caller has to pass units with the columns that ties name; it does not matter
    which further columns they have by then.
    """

    def __init__(self, known: Known, engine: Engine) -> None:
        self.known = known
        self.engine = engine
        self._table: Table | None = None
        self._graphs: dict[frozenset[str], Graph] = {}

    def table(self, units: Table) -> Table:
        if self._table is None:
            found = associations(self.known, units)
            self._table = self.engine.keep(found, "associations")
        return self._table

    def graph(self, units: Table, kinds: Collection[str] = ()) -> Graph:
        """The graph of all ties, or of those between some kinds alone."""
        declared = self.known.spec.associations
        limits = declared.limits if declared else {}
        wanted, every = frozenset(kinds) or frozenset(limits), frozenset(limits)
        if every not in self._graphs:
            columns = self.table(units).select(*PAIR, "probability")
            self._graphs[every] = graph(self.engine.arrow(columns), limits)
        if wanted not in self._graphs:
            self._graphs[wanted] = self._graphs[every].among(wanted)
        return self._graphs[wanted]


def _said(known: Known, units: Table, tie: TieSpec) -> Iterator[Table]:
    """For each declared pair of ends, the rows of the source that know both."""
    rows = known.rows(tie.source, units)
    if tie.where is not None:
        rows = rows.filter(compile_text(tie.where, rows))
    for end in tie.ends:
        (first, left), (second, right) = sorted([tie.start, end])
        columns = [_column(known, tie.source, name) for name in (left, right)]
        yield _tied(rows, columns, _pair(rows, columns, [first, second]), tie.source)


def _column(known: Known, source: str, name: str) -> str:
    return source_column(known.spec, source, name, known.model.known.columns)


def _pair(rows: Table, columns: list[str], kinds: list[str]) -> Mapping[str, Value]:
    left, right = (strong(rows, column).cast("string") for column in columns)
    values: tuple[Any, Any] = (left, right)
    if kinds[0] == kinds[1]:
        values = (ibis.least(left, right), ibis.greatest(left, right))
        # Engines differ on the least of a null.
        values = tuple(
            ibis.ifelse(left.notnull() & right.notnull(), value, ibis.null())
            for value in values
        )
    ends = (ibis.literal(kinds[0]), values[0], ibis.literal(kinds[1]), values[1])
    return dict(zip(PAIR, ends, strict=True))


def _tied(
    rows: Table, columns: list[str], pair: Mapping[str, Value], source: str
) -> Table:
    tied = rows.select(
        **pair,
        source=ibis.literal(source),
        _event=rows[EVENT],
        _first=ibis.struct({"known_at": rows[KNOWN], "row_key": rows[ROW_KEY]}),
        _sure=_sure(rows, columns[0]) * _sure(rows, columns[1]),
    )
    both = tied["left"].notnull() & tied["right"].notnull()
    same = (tied["left_kind"] == tied["right_kind"]) & (tied["left"] == tied["right"])
    return tied.filter(both & ~same)


def _sure(rows: Table, column: str) -> Any:
    name = SURE + column
    if name not in rows.columns:
        return ibis.literal(1.0)
    return rows[name].cast("float64").fill_null(1.0)


def _other_way(pairs: Table) -> tuple[Value, ...]:
    left_kind, left, right_kind, right = (pairs[name] for name in PAIR)
    return right_kind, right, left_kind, left
