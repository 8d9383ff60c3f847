"""What the records of an entity tell: attributes, their parts, and what is wrong there."""

from collections.abc import Iterator, Mapping

from configs.errors import Problem, nearest
from configs.schema import ColumnType, EntitySpec, ModelSpec, RoleSpec

ID = "id"  # the attribute that a role's identifier is
GIVEN, FAMILY = "given_name", "family_name"
NAMES = "names"  # given and family name in alphabetical order: the same when swapped
# Parts that may agree where the whole does not; columns `<attribute>_<part>`.
PARTS: Mapping[str, tuple[str, ...]] = {
    "person_id": ("masked", "head", "tail"),
    "person_name": ("first", "sound"),
    "company_name": ("core",),
    "address": ("building", "street"),
    "string": ("start",),
    "date": ("day", "month"),
}
_TAKEN = ("record", "rows")  # columns of every table of records


def role_columns(role: RoleSpec) -> dict[str, str]:
    """attribute -> column; the identifier itself is the attribute `id`."""
    return ({ID: role.id} if role.id else {}) | dict(role.match)


def fields_of(spec: ModelSpec, entity: EntitySpec) -> dict[str, ColumnType]:
    """attribute -> type, over all roles."""
    found: dict[str, ColumnType] = {}
    for role in entity.roles:
        for name, column in role_columns(role).items():
            found.setdefault(name, spec.sources[role.source].columns[column].type)
    return found


def parts_of(name: str, fields: Mapping[str, ColumnType]) -> list[str]:
    """The attribute itself and its parts."""
    return [name, *(f"{name}_{part}" for part in PARTS.get(fields[name], ()))]


def link_problems(spec: ModelSpec) -> Iterator[Problem]:
    """Attributes that cannot be compared, and blocks of attributes that there are not.

    Sources and columns of all roles must have been found to exist.
    """
    for name, entity in spec.entities.items():
        if entity.is_linked:
            where = f"entities.{name}"
            yield from _attribute_problems(where, spec, entity)
            yield from _block_problems(where, entity, fields_of(spec, entity))


def _attribute_problems(
    where: str, spec: ModelSpec, entity: EntitySpec
) -> Iterator[Problem]:
    fields = fields_of(spec, entity)
    made = {part: name for name in fields for part in parts_of(name, fields)[1:]}
    for number, role in enumerate(entity.roles):
        for name, column in role_columns(role).items():
            place = f"{where}.from[{number}].{'id' if name == ID else f'match.{name}'}"
            kind = spec.sources[role.source].columns[column].type
            if kind != fields[name]:
                message = (
                    f"{name!r} is of type {kind} in {role.source}, but of type "
                    f"{fields[name]} in {entity.roles[0].source}: give both columns one type"
                )
                yield Problem(place, message)
            if name in _TAKEN:
                yield Problem(place, f"{name!r} is a name of Leadline's own: take another")
            if name in made:
                message = f"{name!r} is a part of {made[name]!r} already: take another name"
                yield Problem(place, message)
