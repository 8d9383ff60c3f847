"""What the records of an entity tell: attributes, their parts, and what is wrong there."""

from collections.abc import Iterator, Mapping

from configs.errors import Problem, nearest
from configs.schema import ColumnType, EntitySpec, ModelSpec, RoleSpec

ID = "id"  # the attribute that a role's identifier is
GIVEN, FAMILY = "given_name", "family_name"
NAMES = "names"  # given and family name in alphabetical order: the same when swapped
NUMBERED = "birth_numbered"  # the birth date that a resident identity number holds
# Parts that may agree where the whole does not; columns `<attribute>_<part>`.
PARTS: Mapping[str, tuple[str, ...]] = {
    "person_id": ("masked", "head", "tail"),
    "person_name": ("first", "sound"),
    "company_name": ("core",),
    "address": ("building", "street"),
    "string": ("start",),
    "date": ("day", "month"),
}
DAYS = "days"  # since 1970, of a date: `<attribute>_days` is compared, never a block
RESERVED = frozenset(
    {"record", "rows", NAMES, NUMBERED}
)  # columns of every table of records


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
            yield from _name_problems(where, entity, fields_of(spec, entity))
            yield from _type_problems(where, spec, entity)
            yield from _block_problems(where, entity, fields_of(spec, entity))


def _name_problems(
    where: str, entity: EntitySpec, fields: Mapping[str, ColumnType]
) -> Iterator[Problem]:
    """Names that mean something else already."""
    parts = {part: name for name in fields for part in parts_of(name, fields)[1:]}
    parts |= {f"{n}_{DAYS}": n for n, k in fields.items() if k in ("date", "timestamp")}
    for number, role in enumerate(entity.roles):
        for name in role.match:
            place = f"{where}.from[{number}].match.{name}"
            if name == ID and role.id:
                yield Problem(place, "the role's id is the attribute 'id' already")
            if name in RESERVED:
                yield Problem(
                    place, f"{name!r} is a word of the records' own: rename it"
                )
            if name in parts:
                message = f"{name!r} is made of {parts[name]!r} already: rename it"
                yield Problem(place, message)


def _type_problems(
    where: str, spec: ModelSpec, entity: EntitySpec
) -> Iterator[Problem]:
    """Columns of one attribute whose values could never be equal."""
    first: dict[str, tuple[ColumnType, str]] = {}
    for number, role in enumerate(entity.roles):
        for name, column in role_columns(role).items():
            kind = spec.sources[role.source].columns[column].type
            known, source = first.setdefault(name, (kind, role.source))
            if kind != known:
                key = ID if name == ID and role.id else f"match.{name}"
                yield Problem(
                    f"{where}.from[{number}].{key}",
                    f"{role.source}.{column} is of type {kind}, but {name!r} of {source} "
                    f"is of type {known}: declare one type for both",
                )


def _block_problems(
    where: str, entity: EntitySpec, fields: Mapping[str, ColumnType]
) -> Iterator[Problem]:
    known = [part for name in fields for part in parts_of(name, fields)]
    known += [NAMES] if {GIVEN, FAMILY} <= set(fields) else []
    for number, rule in enumerate(entity.link.block):
        for place, part in enumerate(rule):
            if part not in known:
                message = f"no attribute or part {part!r}{nearest(part, known)}"
                yield Problem(f"{where}.link.block[{number}][{place}]", message)
