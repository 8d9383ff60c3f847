"""The associations between given nodes of the graph, and how they are shown.

Kinds of nodes with sensitive values are masked as any sensitive value is. Different nodes
whose masked forms agree are numbered, or a picture would show them as one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from configs.loading import LoadedModel
from configs.privacy import MASK, sensitive_kinds
from configs.schema import ModelSpec
from configs.spec import Text
from configs.tables import GROUP_TIES
from features.graph import UNKNOWN, Graph, Numbers

SIDES = ("left", "right")
SHOWN = tuple(name for name in GROUP_TIES if name not in ("group_id", "position"))


@dataclass(frozen=True)
class Wording:
    """What a declaration says about nodes and ties, in both languages.

    Attributes:
        unit: the kind of node that the scored units are.
        kinds: title by kind.
        departments: by source.
        roles: by source and the two kinds in ascending order. Where several roles tie
            the same kinds, all of them, for a tie does not tell which it comes from;
            none, where one of them has no title.
        sensitive: kinds whose values are masked; never the units'.
    """

    unit: str
    kinds: Mapping[str, Text]
    departments: Mapping[str, Text]
    roles: Mapping[tuple[str, str, str], Text]
    sensitive: frozenset[str]


def wording(model: LoadedModel) -> Wording:
    """The words of a model that declares associations."""
    spec = model.spec
    declared = spec.associations.kinds if spec.associations else {}
    unit = unit_kind(spec)
    return Wording(
        unit=unit,
        kinds={kind: known.title for kind, known in declared.items()},
        departments={name: s.department for name, s in spec.sources.items()},
        roles=_roles(model),
        sensitive=sensitive_kinds(spec) - {unit},
    )


def unit_kind(spec: ModelSpec) -> str:
    """The kind of node that the unit's key stands for; the unit's name, if none."""
    roles = spec.roles_of(spec.unit.source)
    for tie in spec.associations.ties if spec.associations else ():
        if tie.source == spec.unit.source:
            for kind, name in (tie.start, *tie.ends):
                if roles.get(name, name) == spec.unit.key:
                    return kind
    return spec.unit.name


def _roles(model: LoadedModel) -> dict[tuple[str, str, str], Text]:
    found: dict[tuple[str, str, str], dict[str, Text | None]] = {}
    for tie in model.spec.associations.ties if model.spec.associations else ():
        for kind, name in tie.ends:
            first, second = sorted((tie.start[0], kind))
            titles = found.setdefault((tie.source, first, second), {})
            titles[name] = _title(model, tie.source, name)
    return {
        key: _all_of(titles) for key, titles in found.items() if all(titles.values())
    }


def _all_of(titles: Mapping[str, Text | None]) -> Text:
    known = [title for title in titles.values() if title is not None]
    return Text(
        en=" / ".join(title.en for title in known),
        zh="、".join(title.zh for title in known),
    )


def _title(model: LoadedModel, source: str, name: str) -> Text | None:
    """What a role or column of a source is called."""
    spec = model.spec
    for entity in spec.entities.values():
        for role in entity.roles:
            if (role.source, role.role) == (source, name) and role.title is not None:
                return role.title
    own = spec.roles_of(source).get(name, name)
    column = spec.sources[source].columns.get(own)
    if column is not None:
        return column.meaning
    known = model.known.columns.get(own)
    return known.meaning if known and source == spec.unit.source else None


@dataclass(frozen=True)
class Tied:
    """A run's associations beside their graph.

    Attributes:
        rows: as the contract ASSOCIATIONS says.
        graph: of the same rows.
    """

    graph: Graph
    rows: pa.Table
    wording: Wording

    @property
    def unit(self) -> str:
        return self.wording.unit

    def among(self, kinds: Collection[str]) -> "Tied":
        """The ties between these kinds and the units' alone; all, where none is named."""
        if not kinds:
            return self
        wanted = pa.array(sorted({*kinds, self.unit}))
        kept = [pc.is_in(self.rows[f"{s}_kind"], value_set=wanted) for s in SIDES]
        rows = self.rows.filter(pc.and_(*kept))
        return replace(self, graph=self.graph.among(set(wanted.to_pylist())), rows=rows)

    @cached_property
    def left(self) -> Numbers:
        return self._numbers("left")

    @cached_property
    def right(self) -> Numbers:
        return self._numbers("right")

    def _numbers(self, side: str) -> Numbers:
        kinds, values = self.rows[f"{side}_kind"], self.rows[side]
        numbers = np.full(self.rows.num_rows, UNKNOWN, dtype=np.int64)
        for kind in self.graph.kinds:
            own = pc.equal(kinds, kind)
            mask = own.to_numpy()
            numbers[mask] = self.graph.nodes(kind, values.filter(own).combine_chunks())
        return numbers

    def between(self, first: Numbers, second: Numbers) -> Numbers:
        """For each pair of tied nodes the row that says so most surely."""
        pairs, rows = self._surest
        wanted = np.minimum(first, second) * self.graph.size + np.maximum(first, second)
        return rows[np.searchsorted(pairs, wanted)]

    @cached_property
    def _surest(self) -> tuple[Numbers, Numbers]:
        """Every pair of nodes, ascending, and its row: the surest, then the fullest."""
        pair = np.minimum(self.left, self.right) * self.graph.size
        pair = pair + np.maximum(self.left, self.right)
        sources = pc.rank(self.rows["source"], tiebreaker="dense").to_numpy()
        said, sure = self.rows["rows"].to_numpy(), self.rows["probability"].to_numpy()
        order = np.lexsort((sources, -said, -sure, pair))
        starts = np.diff(pair[order], prepend=-1) != 0
        return pair[order][starts], order[starts]

    def shown(self, rows: Numbers, first: Numbers) -> pa.Table:
        """These rows in the columns of a tie, each read from the node `first` onwards."""
        found = self.rows.take(pa.array(rows))
        flipped = pa.array(self.left[rows] != first)
        columns = {name: found[name] for name in SHOWN if name in found.column_names}
        for name in ("kind", ""):
            left, right = (f"{side}_{name}".rstrip("_") for side in SIDES)
            columns[left] = pc.if_else(flipped, found[right], found[left])
            columns[right] = pc.if_else(flipped, found[left], found[right])
        columns |= self._in_words(found)
        types = pa.schema({n: pa.type_for_alias(GROUP_TIES[n]) for n in SHOWN})
        return pa.table({name: columns[name] for name in SHOWN}).cast(types)

    def _in_words(self, rows: pa.Table) -> dict[str, pa.Array]:
        key = _joined([rows["source"], rows["left_kind"], rows["right_kind"]])
        roles = {"\0".join(key): role for key, role in self.wording.roles.items()}
        departments = self.wording.departments
        return {
            **_both("role", key, roles),
            **_both("department", rows["source"], departments),
        }


def named(graph: Graph, nodes: Numbers) -> tuple[pa.Array, pa.Array]:
    """Kind and value of each node; null where it is UNKNOWN."""
    unknown = nodes == UNKNOWN
    kind = np.where(unknown, UNKNOWN, graph.kind[nodes])
    values = np.empty(len(nodes), dtype=object)
    for number, name in enumerate(graph.kinds):
        own = kind == number
        places = pa.array(nodes[own] - graph.span(name).start)
        values[own] = graph.values[number].take(places).to_pylist()
    kinds = pa.array(graph.kinds, pa.string()).take(pa.array(kind, mask=unknown))
    return kinds, pa.array(values, pa.string())


def masked(
    tables: Mapping[str, pa.Table], sensitive: Collection[str]
) -> dict[str, pa.Table]:
    """Tables of ties with the values of sensitive kinds masked, alike in all of them."""
    ends = [(table, side) for table in tables.values() for side in SIDES]
    kinds = _joined_chunks([table[f"{side}_kind"] for table, side in ends])
    values = _joined_chunks([table[side] for table, side in ends])
    labels = labelled(kinds, values, sensitive)
    start = 0
    found = dict(tables)
    for name, table in tables.items():
        for side in SIDES:
            own = labels.slice(start, table.num_rows)
            at = found[name].column_names.index(side)
            found[name] = found[name].set_column(at, side, own)
            start += table.num_rows
    return found


def labelled(kinds: pa.Array, values: pa.Array, sensitive: Collection[str]) -> pa.Array:
    """The values as they may be shown.

    A masked one is followed by its number among the nodes of one masked form, in the
    order in which they come, where there are several.
    """
    kinds, values = kinds.fill_null(""), values.fill_null("")
    hidden = pc.is_in(kinds, value_set=pa.array(sorted(sensitive), pa.string()))
    short = pc.utf8_slice_codeunits(values, 0, 3)
    form = pc.binary_join_element_wise(short, MASK, "")
    node = _codes(_joined([kinds, values]))
    number, several = _numbered(node, _codes(_joined([kinds, form])))
    suffix = pc.binary_join_element_wise("·", pa.array(number).cast(pa.string()), "")
    full = pc.if_else(
        pa.array(several), pc.binary_join_element_wise(form, suffix, ""), form
    )
    return pc.if_else(hidden, full, values)


def _numbered(node: Numbers, form: Numbers) -> tuple[Numbers, np.ndarray]:
    """Of each row its node's place among the nodes of its form, and if it has others."""
    _, first, back = np.unique(node, return_index=True, return_inverse=True)
    order = np.lexsort((first, form[first]))
    forms = form[first][order]
    starts = np.flatnonzero(np.diff(forms, prepend=-1))
    sizes = np.diff(np.append(starts, len(forms)))
    place = np.empty(len(first), dtype=np.int64)
    place[order] = np.arange(len(first)) - np.repeat(starts, sizes) + 1
    several = np.empty(len(first), dtype=bool)
    several[order] = np.repeat(sizes > 1, sizes)
    return place[back], several[back]


def _codes(texts: pa.Array) -> Numbers:
    return texts.dictionary_encode().indices.to_numpy().astype(np.int64)  # type: ignore[no-any-return]


def _joined(columns: list[pa.Array]) -> pa.Array:
    texts = [column.cast(pa.string()) for column in columns]
    found = pc.binary_join_element_wise(*texts, "\0")
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _joined_chunks(columns: list[pa.ChunkedArray]) -> pa.Array:
    chunks = [chunk for column in columns for chunk in column.chunks]
    return pa.chunked_array(chunks, pa.string()).combine_chunks()


def _both(name: str, keys: pa.Array, texts: Mapping[str, Text]) -> dict[str, pa.Array]:
    """Columns <name>_en and <name>_zh; null where nothing is known of a key."""
    known = pa.array(list(texts), pa.string())
    place = pc.index_in(keys, value_set=known)
    found = {"en": [t.en for t in texts.values()], "zh": [t.zh for t in texts.values()]}
    return {
        f"{name}_{language}": pa.array(words, pa.string()).take(place)
        for language, words in found.items()
    }
