"""Attributes that never reach a score, whatever a supervision model declares.

The list follows the special categories of personal information (PIPL art. 28) and the
grounds on which earlier systems did harm: sex, ethnicity, religion, health, marital and
political status, education, and the place somebody is registered at as such.
"""

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


MASK = "***"


def mask(value: str) -> str:
    """A sensitive value as it may be printed: its first three characters."""
    return value[:3] + MASK if value else value
