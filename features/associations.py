"""What ties people, companies, phones and the rest: one row per pair and source.

The engine numbers the nodes, by kind and value; from there on a tie is two numbers. A
million rows of the vehicle model take about 5 CPU-seconds, of which 3 go to the join of
values to numbers, and 18 MB of files; memory is the engine's, which spills.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from typing import Any

import ibis
import numpy as np
from ibis.expr.types import Table, Value

from configs.network import TieSpec
from configs.tables import ASSOCIATIONS, COUNT, GRAPH_NODES, HUBS, NUMBERED
from features.adjacency import index_type
from features.contracts import conform
from features.engine import Engine
from features.expressions import compile_text
from features.graph import span
from features.known import Known
from features.links import SURE, strong
from features.sources import EVENT, KNOWN, ROW_KEY

PAIR = ("left_kind", "left", "right_kind", "right")
ENDS = ("left", "right")
# What is kept for later stages; HUBS are listed beside them.
ROWS, PAIRS, NODES = "associations", "graph_pairs", "graph_nodes"
ORDER = ("left_node", "right_node", "source")


@dataclass(frozen=True)
class Said:
    """What the rows of one source say of nodes of two kinds."""

    kinds: tuple[str, str]
    rows: Table


@dataclass(frozen=True)
class Associations:
    """The associations known at `as_of`, between numbered nodes.

    Attributes:
        nodes: as the contract GRAPH_NODES says.
        rows: as the contract NUMBERED says.
        pairs: as the contract GRAPH_PAIRS says.
        hubs: `node`, `degree` and `limit` of the nodes with more neighbours than their
            kind's limit.
        sizes: how many nodes each declared kind has; kinds in ascending order.
    """

    nodes: Table
    rows: Table
    pairs: Table
    hubs: Table
    sizes: Mapping[str, int]

    def pairs_among(self, kinds: Collection[str]) -> Table:
        """The pairs with both ends of these kinds."""
        found = self.pairs
        if not set(self.sizes) <= set(kinds):
            inside = (self._is_of(found[end], kinds) for end in ENDS)
            found = found.filter(*inside)
        return found

    def of_kind(self, kind: str) -> Table:
        """`node` and `value` of the nodes of one kind."""
        return self.nodes.filter(self.nodes["kind"] == kind).select("node", "value")

    def named(self, rows: Table, *further: str) -> Table:
        """Some of the rows with kind and value of each end, as ASSOCIATIONS says.

        Args:
            further: columns to keep beside these, and beside the numbers of both ends.
        """
        for end in ENDS:
            names = {f"{end}_kind": "kind", end: "value", f"{end}_node": "node"}
            nodes = self.nodes.select(**{n: self.nodes[of] for n, of in names.items()})
            rows = rows.inner_join(nodes, f"{end}_node")
        numbers = dict.fromkeys(("left_node", "right_node", *further), COUNT)
        return conform(rows, {**ASSOCIATIONS, **numbers})

    def with_kinds(self, rows: Table) -> Table:
        """Rows of numbers with the kinds of both ends, which their numbers tell."""
        kinds = {}
        for end in ENDS:
            node = rows[f"{end}_node"]
            said = ((self._is_of(node, {kind}), kind) for kind in self.sizes)
            kinds[f"{end}_kind"] = ibis.cases(*said)
        return rows.mutate(**kinds)

    def listed_hubs(self) -> Table:
        """As the contract HUBS says, the largest first."""
        found = self.hubs.inner_join(self.nodes.drop("degree"), "node")
        return conform(found, HUBS).order_by(ibis.desc("degree"), "kind", "value")

    def _is_of(self, node: Value, kinds: Collection[str]) -> Value:
        spans = (span(self.sizes, kind) for kind in self.sizes if kind in kinds)
        inside = ((node >= own.start) & (node < own.stop) for own in spans)
        return reduce(lambda a, b: a | b, inside)


class Associated:
    """The associations of a run, made once when first asked for.

    Every caller has to pass units with the columns that ties name; it does not matter
    which further columns they have by then.

    Args:
        keep: computes a table once; default: inside the engine.
    """

    def __init__(
        self,
        known: Known,
        engine: Engine,
        keep: Callable[[Table, str], Table] | None = None,
    ) -> None:
        self.known = known
        self.engine = engine
        self._keep = keep or engine.keep
        self._made: Associations | None = None

    def made(self, units: Table) -> Associations:
        if self._made is None:
            self._made = self._numbered(said(self.known, units))
        return self._made

    def _numbered(self, parts: Sequence[Said]) -> Associations:
        """Nodes first: then every further step is on numbers."""
        declared = self.known.spec.associations
        limits = declared.limits if declared else {}
        found = self._nodes(parts)
        every = _union(found.values())
        sizes = sizes_of(every, limits, self.engine)
        nodes = self.engine.keep(_with_numbers(every, sizes), "graph_numbers")
        for name in found:
            self.engine.drop(name)
        ordered = self._ordered(parts, nodes)
        rows = self.engine.following(list(ordered.values()), ORDER)
        tied = self._keep(rows, ROWS)
        for name in ordered:
            self.engine.drop(name)
        pairs = tied.group_by(**{end: tied[f"{end}_node"] for end in ENDS})
        pairs = pairs.aggregate(probability=tied["probability"].max())
        pairs = self._keep(pairs.order_by(*ENDS), PAIRS)
        nodes = self._keep(_with_degree(nodes, pairs).order_by("node"), NODES)
        limit = ibis.cases(*((nodes["kind"] == k, n) for k, n in limits.items()))
        over = nodes.mutate(limit=limit).filter(lambda t: t["degree"] > t["limit"])
        hubs = self.engine.keep(over.select("node", "degree", "limit"), "graph_hubs")
        return Associations(nodes, tied, pairs, hubs, sizes)

    def _nodes(self, parts: Sequence[Said]) -> dict[str, Table]:
        """`kind` and `value` of each node, a table for each kind: that needs least memory."""
        found = {}
        for kind in sorted({kind for part in parts for kind in part.kinds}):
            ends = (
                part.rows.select(value=part.rows[end])
                for part in parts
                for end, own in zip(ENDS, part.kinds, strict=True)
                if own == kind
            )
            name = f"nodes_{kind}"
            nodes = self.engine.keep(_union(ends).distinct(), name)
            found[name] = nodes.mutate(kind=ibis.literal(kind))
        return found

    def _ordered(self, parts: Sequence[Said], nodes: Table) -> dict[str, Table]:
        """NUMBERED, a table for each left kind, in ORDER.

        The numbers of nodes go by kind, so these tables follow each other; all ties at
        once would be the largest sort of a run.
        """
        ordered = {}
        for left in sorted({part.kinds[0] for part in parts}):
            ends = self._ends([p for p in parts if p.kinds[0] == left], nodes)
            name = f"ordered_{left}"
            rows = _union(ends.values()).order_by(*ORDER)
            ordered[name] = self.engine.keep(rows, name)
            for own in ends:
                self.engine.drop(own)
        return ordered

    def _ends(self, parts: Sequence[Said], nodes: Table) -> dict[str, Table]:
        """NUMBERED, a table for each two kinds.

        A join of strings holds the nodes of one kind, a grouping the pairs of two; over
        all kinds both would be the first steps to outgrow the memory.
        """
        found = {}
        for kinds in sorted({part.kinds for part in parts}):
            rows = _union(part.rows for part in parts if part.kinds == kinds)
            for end, kind in zip(ENDS, kinds, strict=True):
                own = nodes.filter(nodes["kind"] == kind)
                own = own.select(**{end: own["value"], f"{end}_node": own["node"]})
                rows = rows.inner_join(own, end).drop(end, f"{end}_kind")
            name = "ties_" + "_".join(kinds)
            found[name] = self.engine.keep(_tied_numbers(rows), name)
        return found


def sizes_of(nodes: Table, kinds: Collection[str], engine: Engine) -> dict[str, int]:
    """How many nodes each kind has; kinds in ascending order."""
    counted = engine.arrow(nodes.group_by("kind").aggregate(size=nodes.count()))
    found = {row["kind"]: row["size"] for row in counted.to_pylist()}
    return {kind: found.get(kind, 0) for kind in sorted(kinds)}


def associations(known: Known, units: Table, engine: Engine) -> Associations:
    """One row per pair of nodes and source, from the rows known at `as_of`.

    A pair stands once, its ends in the order of kind and value. Rows with an unknown
    or invalid end tie nothing.

    Args:
        units: the rows of the unit's own source, with every column that ties name.
    """
    return Associated(known, engine).made(units)


def said(known: Known, units: Table) -> list[Said]:
    """Each row that ties two nodes, as often as it says so."""
    declared = known.spec.associations
    ties = declared.ties if declared else ()
    return [part for tie in ties for part in _said(known, units, tie)]


def _union(tables: Iterable[Table]) -> Table:
    return reduce(lambda a, b: a.union(b), tables)


def _with_numbers(nodes: Table, sizes: Mapping[str, int]) -> Table:
    """The nodes of a kind in a row, in the order of their values' bytes."""
    first = accumulate(sizes.values(), initial=0)
    starts = zip(sizes, first, strict=False)
    start = ibis.cases(*((nodes["kind"] == kind, at) for kind, at in starts), else_=0)
    window = ibis.window(group_by=nodes["kind"], order_by=nodes["value"])
    within = ibis.row_number().over(window)
    number = (start + within).cast(np.dtype(index_type(sum(sizes.values()))).name)
    return nodes.select("kind", "value", node=number)


def _tied_numbers(rows: Table) -> Table:
    """NUMBERED: a row per pair and source."""
    ends = {f"{end}_node": rows[f"{end}_node"] for end in ENDS}
    grouped = rows.group_by(**ends, source=rows["source"]).aggregate(
        rows=rows.count(),
        event_at=rows["_event"].max(),
        _first=rows["_first"].min(),
        probability=rows["_sure"].max(),
    )
    first = grouped["_first"]
    found = grouped.mutate(row_key=first["row_key"], known_at=first["known_at"])
    types = {end: found[end].type() for end in ends}
    return conform(found, NUMBERED).cast(types)


def _with_degree(nodes: Table, pairs: Table) -> Table:
    ends = [pairs.select(node=pairs[end]) for end in ENDS]
    both = ends[0].union(ends[1])
    degree = both.group_by("node").aggregate(degree=both.count().cast("int32"))
    return nodes.inner_join(degree, "node").select(*GRAPH_NODES)


def _said(known: Known, units: Table, tie: TieSpec) -> Iterator[Said]:
    """For each declared pair of ends, the rows of the source that know both."""
    rows = known.rows(tie.source, units)
    if tie.where is not None:
        rows = rows.filter(compile_text(tie.where, rows))
    for end in tie.ends:
        (first, left), (second, right) = sorted([tie.start, end])
        columns = [known.column(tie.source, name) for name in (left, right)]
        pair = _pair(rows, columns, [first, second])
        yield Said((first, second), _tied(rows, columns, pair, tie.source))


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
        return ibis.literal(1).cast("float64")  # 1.0 is a decimal to some engines
    return rows[name].cast("float64").fill_null(1.0)
