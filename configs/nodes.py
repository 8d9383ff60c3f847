"""What kind of node a column holds, as ties and entities call it."""

from collections.abc import Container, Iterator

from configs.errors import nearest
from configs.keys import KeyProblem, source_column
from configs.network import MarkedSpec, TieSpec
from configs.schema import ModelSpec


def adjacent_kinds(spec: ModelSpec, kind: str) -> tuple[str, ...]:
    """The kinds that some tie ties to this one, in the order of their declaration."""
    declared = spec.associations
    if declared is None:
        return ()
    found = set()
    for tie in declared.ties:
        others = {end for end, _ in tie.ends}
        if tie.start[0] == kind:
            found |= others
        if kind in others:
            found.add(tie.start[0])
    return tuple(name for name in declared.kinds if name in found)


def node_kinds(
    spec: ModelSpec, source: str, column: str, unit_columns: Container[str]
) -> tuple[str, ...]:
    """What a source's ties call the nodes of a column, else what its entity is called.

    Several where ties differ; none where neither says.
    """
    if spec.associations is None:
        return ()
    tied = {
        kind
        for tie in spec.associations.ties
        if tie.source == source
        for kind, name in (tie.start, *tie.ends)
        if _means(spec, tie, name, unit_columns) == column
    }
    return tuple(sorted(tied or set(_entities(spec, source, column))))


def marked_kind(
    spec: ModelSpec, marked: MarkedSpec, unit_columns: Container[str]
) -> str:
    """The kind of the nodes that a source marks.

    Raises:
        KeyProblem: `by` leads nowhere, or neither ties nor entities tell one kind.
    """
    column = source_column(spec, marked.source, marked.by, unit_columns)
    found = node_kinds(spec, marked.source, column, unit_columns)
    if marked.kind is not None:
        return marked.kind
    if len(found) != 1:
        ways = f"ties call it {' and '.join(found)}" if found else "no tie names it"
        kinds = spec.associations.kinds if spec.associations else ()
        raise KeyProblem(
            f"{marked.by!r} of {marked.source} is of no single kind ({ways}):"
            f" say 'kind: ...'{nearest('', kinds)}"
        )
    return found[0]


def entity_kind(
    spec: ModelSpec, entity: str, unit_columns: Container[str]
) -> str | None:
    """The kind of node that an entity is; None where no tie names it, or under several."""
    found = {
        kind
        for role in spec.entities[entity].roles
        for kind in node_kinds(spec, role.source, role.column, unit_columns)
    }
    if entity in found:
        return entity
    return found.pop() if len(found) == 1 else None


def _means(
    spec: ModelSpec, tie: TieSpec, name: str, unit_columns: Container[str]
) -> str | None:
    try:
        return source_column(spec, tie.source, name, unit_columns)
    except KeyProblem:
        return None


def _entities(spec: ModelSpec, source: str, column: str) -> Iterator[str]:
    """Entities that are declared as a kind of node and kept beside this column."""
    kinds = spec.associations.kinds if spec.associations else {}
    for name, entity in spec.entities.items():
        for role in entity.roles:
            if name in kinds and (role.source, role.column) == (source, column):
                yield name
