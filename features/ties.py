"""The associations between given nodes of the graph, and how they are shown.

Kinds of nodes with sensitive values are masked as any sensitive value is. Different nodes
whose masked forms agree are numbered, or a picture would show them as one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from configs.loading import LoadedModel
from configs.privacy import MASK, sensitive_kinds
from configs.schema import ModelSpec
from configs.spec import Text
from configs.tables import GROUP_TIES
from features.adjacency import Numbers
from features.graph import UNKNOWN, Graph
from features.tied_tables import TiedTables

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
    """The graph of a run beside its associations.

    Attributes:
        tables: of the same associations.
    """

    graph: Graph
    tables: TiedTables
    wording: Wording

    @property
    def unit(self) -> str:
        return self.wording.unit

    def among(self, kinds: Collection[str]) -> "Tied":
        """The ties between these kinds and the units' alone; all, where none is named."""
        if not kinds:
            return self
        return replace(self, graph=self.graph.among({*kinds, self.unit}))

    def named(self, nodes: Numbers) -> tuple[pa.Array, pa.Array]:
        """Kind and value of each node; null where it is UNKNOWN."""
        unknown = nodes == UNKNOWN
        kind = np.where(unknown, UNKNOWN, self.graph.kind[nodes])
        kinds = pa.array(self.graph.kinds, pa.string())
        return kinds.take(pa.array(kind, mask=unknown)), self.tables.values(nodes)

    def shown(self, rows: pa.Table, first: Numbers) -> pa.Table:
        """Named rows in the columns of a tie, each read from the node `first` onwards."""
        flipped = pa.array(rows["left_node"].to_numpy() != first)
        columns = {name: rows[name] for name in SHOWN if name in rows.column_names}
        for name in ("kind", ""):
            left, right = (f"{side}_{name}".rstrip("_") for side in SIDES)
            columns[left] = pc.if_else(flipped, rows[right], rows[left])
            columns[right] = pc.if_else(flipped, rows[left], rows[right])
        columns |= self._in_words(rows)
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
