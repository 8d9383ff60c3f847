"""How the unit and a source are tied: roles and columns resolved to column pairs."""

from collections.abc import Container

from configs.errors import nearest
from configs.privacy import excluded_columns
from configs.schema import ModelSpec


class KeyProblem(ValueError):
    """A `by` or `as` that does not lead from the unit to the source."""


def key_pairs(
    spec: ModelSpec,
    of: str,
    by: tuple[str, ...],
    as_: tuple[str, ...],
    unit_columns: Container[str],
) -> list[tuple[str, str]]:
    """(unit column, source column) for each name in `by`.

    A name is a role of the unit's source or one of the unit's columns. In the other
    source it is what `as` says, or the role of the same name, or the only role of the
    same entity there.

    Raises:
        KeyProblem: a name leads nowhere, or `as` has another length than `by`.
    """
    if as_ and len(as_) != len(by):
        raise KeyProblem(f"'as' names {len(as_)} keys, 'by' names {len(by)}")
    theirs = as_ or (None,) * len(by)
    return [
        (
            _unit_column(spec, b, unit_columns),
            source_column(spec, of, a or _counterpart(spec, of, b), unit_columns),
        )
        for b, a in zip(by, theirs, strict=True)
    ]


def source_column(
    spec: ModelSpec, of: str, name: str, unit_columns: Container[str]
) -> str:
    """The column that a role or column name of source `of` means.

    Of the unit's own source, the units' columns made so far count too.

    Raises:
        KeyProblem: the name leads nowhere.
    """
    if of == spec.unit.source:
        return _unit_column(spec, name, unit_columns)
    dropped = excluded_columns(spec, spec.sources[of])
    columns = [column for column in spec.sources[of].columns if column not in dropped]
    roles = {r: c for r, c in spec.roles_of(of).items() if c not in dropped}
    if name in roles:
        return roles[name]
    if name in columns:
        return name
    hint = nearest(name, [*roles, *columns])
    raise KeyProblem(f"{name!r} is no role or column of {of}{hint}")


def _unit_column(spec: ModelSpec, name: str, unit_columns: Container[str]) -> str:
    roles = spec.roles_of(spec.unit.source)
    if name in roles and roles[name] in unit_columns:
        return roles[name]
    if name in unit_columns:
        return name
    known = [*roles, *(c for c in unit_columns)]  # type: ignore[attr-defined]
    raise KeyProblem(f"{name!r} is no role or column of the unit{nearest(name, known)}")


def _counterpart(spec: ModelSpec, of: str, by: str) -> str:
    if of == spec.unit.source or by in spec.roles_of(of):
        return by
    same_entity = [
        role.role
        for entity in spec.entities.values()
        if by in {r.role for r in entity.roles if r.source == spec.unit.source}
        for role in entity.roles
        if role.source == of
    ]
    if len(same_entity) == 1:
        return same_entity[0]
    ways = f"it has {', '.join(same_entity)}" if same_entity else "it has none"
    raise KeyProblem(f"no single role of {of} matches {by!r} ({ways}): say 'as: ...'")
