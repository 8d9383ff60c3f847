"""Attributes that never reach a score, whatever a supervision model declares.

The list follows the special categories of personal information (PIPL art. 28) and the
grounds on which earlier systems did harm: sex, ethnicity, religion, health, marital and
political status, education, and the place somebody is registered at as such.
"""

from collections.abc import Iterator

from configs.expressions import names, parse
from configs.schema import ModelSpec, SourceSpec

PROTECTED = frozenset(
    {
        *("sex", "gender", "性别", "ethnicity", "ethnic", "nation", "民族"),
        *("religion", "宗教", "disability", "残疾", "health_status", "健康状况"),
        *(
            "marital_status",
            "maritalstatus",
            "婚姻状况",
            "political_status",
            "政治面貌",
        ),
        *("education", "学历", "hukou_type", "户口性质", "native_place", "籍贯"),
        *("age", "年龄", "age_of_policy_holder", "ageofpolicyholder"),
    }
)


def excluded_columns(spec: ModelSpec, source: SourceSpec) -> frozenset[str]:
    """Declared columns of a source that are dropped as it is read."""
    return frozenset(
        name
        for name, column in source.columns.items()
        if name in spec.privacy.exclude
        or name.lower() in PROTECTED
        or (column.header or "").lower() in PROTECTED
    )


def sensitive_columns(spec: ModelSpec, source: str) -> frozenset[str]:
    """The sensitive columns of a source.

    Of the unit's own source, with those that features take or derive from such columns.
    """
    declared = spec.sources[source].columns
    found = {name for name, column in declared.items() if column.sensitive}
    if source == spec.unit.source:
        for step in spec.features:
            if step.lookup is not None:
                theirs = spec.sources[step.lookup.of].columns
                take = step.lookup.take.items()
                found |= {name for name, of in take if theirs[of].sensitive}
            for name, derived in (step.derive or {}).items():
                if found & set(names(parse(derived.expression))):
                    found.add(name)
    return frozenset(found)


def sensitive_kinds(spec: ModelSpec) -> frozenset[str]:
    """The kinds of nodes some of whose values come from a sensitive column."""
    return frozenset(
        kind
        for kind, source, column in _ends(spec)
        if column in sensitive_columns(spec, source)
    )


def _ends(spec: ModelSpec) -> Iterator[tuple[str, str, str]]:
    """Kind, source and column of every end of a declared tie."""
    for tie in spec.associations.ties if spec.associations else ():
        roles = spec.roles_of(tie.source)
        for kind, name in (tie.start, *tie.ends):
            yield kind, tie.source, roles.get(name, name)


MASK = "***"


def mask(value: str) -> str:
    """A sensitive value as it may be printed: its first three characters."""
    return value[:3] + MASK if value else value
