"""What a supervision model may declare: frozen pydantic models that forbid extra keys.

Reading files, cross-references between sections and error messages with line numbers
are in `configs.loading`; the columns that the features will have in `configs.vocabulary`.
"""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from configs.errors import nearest
from configs.network import (
    AssociationsSpec,
    ConcentrationSpec,
    FlowsSpec,
    GroupsSpec,
    LinkSpec,
    NetworkSpec,
    PathSpec,
    RotationSpec,
    TextSpec,
)
from configs.spec import (
    ExpressionText,
    Identifier,
    Spec,
    Text,
    Window,
    one_or_many,
)

ColumnType = Literal[
    "string",
    "category",
    "number",
    "integer",
    "money",
    "band",
    "boolean",
    "date",
    "timestamp",
    "id",
    "person_id",
    "company_id",
    "plate",
    "phone",
    "person_name",
    "company_name",
    "address",
    "account",
    "case_no",
    "vin",
]
NUMERIC_TYPES = frozenset({"number", "integer", "money", "band"})
TIME_TYPES = frozenset({"date", "timestamp"})
Aggregate = Literal[
    "count",
    "sum",
    "mean",
    "min",
    "max",
    "nunique",
    "share",
    "days_since_first",
    "days_since_last",
    "trend",
]


class ColumnSpec(Spec):
    """One declared column of a source."""

    type: ColumnType
    header: str | None = Field(None, description="its name in the delivery, if another")
    required: bool = False
    sensitive: bool = False
    unit: str | None = Field(None, description="money: yuan or wan (10,000 yuan)")
    order: Literal["ymd", "dmy", "mdy"] = "ymd"
    min: float | None = None
    max: float | None = None
    values: dict[str, tuple[str, ...]] | tuple[str, ...] = Field(
        (), description="categories: the allowed values, or value -> its spellings"
    )
    meaning: Text | None = None

    @property
    def levels(self) -> tuple[str, ...]:
        return tuple(self.values)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.values and self.type != "category":
            raise PydanticCustomError("values", "values go with type: category only")
        if self.type == "money" and self.unit not in (None, "yuan", "wan"):
            raise PydanticCustomError("unit", "the unit of money is yuan or wan")
        bounded = self.min is not None or self.max is not None
        if bounded and self.type not in NUMERIC_TYPES:
            raise PydanticCustomError("bounds", "min and max go with numbers only")
        return self


class LimitsSpec(Spec):
    """When a delivery is too bad to go on; shares are of the delivered rows."""

    min_rows: int = 1
    max_rows: int | None = None
    max_reject_share: float = Field(0.05, ge=0, le=1)
    max_unreadable_share: float = Field(0.2, ge=0, le=1, description="per column")


class SourceSpec(Spec):
    """One table that one department delivers."""

    table: tuple[str, ...] = Field(description="file stem, glob or database table(s)")
    title: Text
    department: Text
    key: str | None = None
    at: str | None = Field(None, description="date of the event; default: known_at")
    known_at: str | None = Field(None, description="date the department posted the row")
    lag_days: int = Field(0, ge=0, description="known this long after known_at")
    optional: bool = False
    columns: dict[Identifier, ColumnSpec]
    limits: LimitsSpec = LimitsSpec()

    _tables = field_validator("table", mode="before")(one_or_many)

    @property
    def event_column(self) -> str | None:
        return self.at or self.known_at


class UnitSpec(Spec):
    """What is scored: one row of `source`."""

    name: Identifier
    title: Text
    source: str
    key: str
    at: str | None = None
    show: tuple[str, ...] = Field((), description="columns that head a lead")
    money: str | None = Field(None, description="yuan at stake")
    office: str | None = Field(None, description="which office reviews a unit")
    spots: tuple[str, ...] = Field(
        (), max_length=4, description="columns that leads are counted by: region, trade"
    )
    peers: tuple[str, ...] | None = Field(
        None, max_length=2, description="what a unit's peers have in common with it"
    )

    _many = field_validator("spots", "peers", mode="before")(one_or_many)


class RoleSpec(Spec):
    """Where an entity appears: the columns of a source that tell who it is.

    `id` is its strong identifier; `match` names further columns that are compared where
    an identifier is missing, masked or mistyped (attribute -> column).
    """

    source: str
    role: Identifier
    id: str | None = None
    match: dict[Identifier, str] = Field({})
    unique: bool = Field(False, description="the source lists each of them once")
    title: Text | None = None

    @property
    def column(self) -> str:
        """The column beside which the entity is kept: `id`, else the first of `match`."""
        return self.id or next(iter(self.match.values()))

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if self.id is None and not self.match:
            raise PydanticCustomError(
                "role", "a role names an id, columns to match, or both"
            )
        return self


class EntitySpec(Spec):
    roles: tuple[RoleSpec, ...] = Field(alias="from", min_length=1)
    link: LinkSpec = LinkSpec()

    @property
    def is_linked(self) -> bool:
        """Whether more than valid identifiers ties its records."""
        return any(role.match for role in self.roles)


class MeasureSpec(Spec):
    """One aggregate over the rows of a history window.

    YAML may say `'*'` for a count and a plain expression for a sum.
    """

    aggregate: Aggregate
    of: ExpressionText = "true"
    unit: str | None = None
    meaning: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if value == "*":
            return {"aggregate": "count"}
        if isinstance(value, str):
            return {"aggregate": "sum", "of": value}
        if isinstance(value, dict) and "aggregate" not in value:
            return cls._from_short(value)
        return value

    @staticmethod
    def _from_short(value: dict[str, Any]) -> dict[str, Any]:
        known = set(Aggregate.__args__)  # type: ignore[attr-defined]
        rest = {k: v for k, v in value.items() if k in ("unit", "meaning")}
        found = [k for k in value if k not in rest]
        if len(found) != 1 or found[0] not in known:
            hint = nearest(found[0] if found else "", known)
            raise PydanticCustomError(
                "measure", "a measure names one aggregate{hint}", {"hint": hint}
            )
        of = value[found[0]]
        return {"aggregate": found[0], "of": "true" if of == "*" else of, **rest}


class HistorySpec(Spec):
    """Aggregates over earlier (or surrounding) rows of a source that share a key.

    anchor: `as_of` looks back from the run's date; `unit` looks back from the unit's own
    date; `around` takes the window on both sides of it. Only rows known at the run's
    date ever count. Several names in `by` must all agree.
    """

    of: str
    by: tuple[str, ...] = Field(min_length=1)
    as_: tuple[str, ...] = Field((), alias="as")
    windows: tuple[Window, ...] = Field(("all",), min_length=1)
    anchor: Literal["as_of", "unit", "around"] = "as_of"
    where: ExpressionText | None = None
    named: str | None = Field(None, description="replaces <subject>_<what> in the name")
    measures: dict[Identifier, MeasureSpec] = Field(min_length=1)

    _many = field_validator("by", "as_", "windows", mode="before")(one_or_many)

    @property
    def prefix(self) -> str:
        return self.named or "_".join((*self.by, self.of))

    def feature_name(self, measure: str, window: str) -> str:
        suffix = "" if window == "all" else f"_{window}"
        return f"{self.prefix}_{measure}{suffix}"


class LookupSpec(Spec):
    """Columns of the one row of another source that shares a key with the unit."""

    of: str
    by: tuple[str, ...] = Field(min_length=1)
    as_: tuple[str, ...] = Field((), alias="as")
    take: dict[Identifier, str] = Field(min_length=1)
    where: ExpressionText | None = None
    pick: Literal["latest", "earliest"] = "latest"

    _many = field_validator("by", "as_", mode="before")(one_or_many)


class DeriveSpec(Spec):
    """One derived column; the short form in YAML is the expression alone."""

    expression: ExpressionText
    unit: str | None = None
    meaning: Text | None = None
    feature: bool = Field(True, description="false: only a step for later features")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"expression": value} if isinstance(value, str) else value


class PeersSpec(Spec):
    """How far a number lies from those of its peer group.

    Groups under `min_size` are not used; larger ones are shrunk towards the whole
    population with the weight n / (n + shrink).
    """

    value: tuple[str, ...] = Field(min_length=1)
    within: tuple[str, ...] = Field(min_length=1)
    stat: tuple[Literal["robust_z", "percentile"], ...] = Field(
        ("robust_z",), min_length=1
    )
    named: str = "peers"
    min_size: int = Field(20, ge=2)
    shrink: float = Field(20, ge=0)

    _many = field_validator("value", "within", "stat", mode="before")(one_or_many)


class CoverageSpec(Spec):
    """One flag per source: does it hold a row about this unit?"""

    by: str
    sources: dict[str, str] = Field(description="source -> its role or column")


class FeatureStep(Spec):
    """One entry of `features`: exactly one family."""

    columns: tuple[str, ...] | None = None
    levels: tuple[str, ...] | None = None
    lookup: LookupSpec | None = None
    derive: dict[Identifier, DeriveSpec] | None = None
    history: HistorySpec | None = None
    peers: PeersSpec | None = None
    coverage: CoverageSpec | None = None
    network: NetworkSpec | None = None
    path: PathSpec | None = None
    concentration: ConcentrationSpec | None = None
    flows: FlowsSpec | None = None
    rotation: RotationSpec | None = None
    text: TextSpec | None = None

    @property
    def family(self) -> str:
        return next(iter(self.model_fields_set))

    @model_validator(mode="after")
    def _one_family(self) -> Self:
        if len(self.model_fields_set) != 1 or getattr(self, self.family) is None:
            families = ", ".join(type(self).model_fields)
            raise PydanticCustomError(
                "family", "an entry names one of {families}", {"families": families}
            )
        return self


class DetectorsSpec(Spec):
    preset: Literal["default"] = "default"
    seed: int = 7
    sample: int = Field(200_000, ge=50, description="training rows at most")
    exclude: tuple[str, ...] = Field((), description="features kept from the detectors")


LISTED = 100_000


class ReviewSpec(Spec):
    weekly_capacity: int = Field(40, ge=1)
    listed: int = Field(
        LISTED,
        ge=1,
        description="first units of each order that the store lists; all are scored",
    )
    explain: int = Field(300, ge=1, description="leads that get contributions")
    explore_share: float = Field(
        0.1, ge=0, le=0.5, description="of the capacity, drawn at random below the top"
    )
    approvals: Literal[1, 2] = Field(
        2, description="persons who must agree before another version scores"
    )
    second_review: tuple[Literal["confirmed", "excluded", "transferred"], ...] = Field(
        (), description="verdicts on which a second person must agree"
    )

    _many = field_validator("second_review", mode="before")(one_or_many)

    @model_validator(mode="after")
    def _lists_what_it_reviews(self) -> Self:
        for name in ("weekly_capacity", "explain"):
            asked = getattr(self, name)
            if asked > self.listed:
                raise PydanticCustomError(
                    "listed",
                    "listed: got {listed}, but {name} is {asked}; list at least as many",
                    {"listed": self.listed, "name": name, "asked": asked},
                )
        return self


class PrivacySpec(Spec):
    exclude: tuple[str, ...] = Field((), description="columns dropped on reading")


class LabelsSpec(Spec):
    """Known outcomes, read by `leadline evaluate` alone."""

    table: str
    key: str
    value: str
    positive: tuple[str, ...] = ("1",)
    negative: tuple[str, ...] = ("0",)
    breakdown: tuple[str, ...] = ()
    ring: str | None = Field(None, description="column that names a known ring")


# Stands in a draft rule until a person has written what must be ruled out first.
UNWRITTEN = Text(
    en="TO BE WRITTEN: which lawful explanation must be ruled out first?",
    zh="待填写：须先排除何种合法解释？",
)


class LawfulSpec(Text):
    """The lawful explanation of a rule, and which columns speak for or against it."""

    shows: tuple[Identifier, ...] | None = Field(
        None, max_length=4, description="columns; default: those of the condition"
    )


class RuleSpec(Spec):
    """A screening rule: hand-written, with the reason and its lawful explanation."""

    code: str = Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")
    layer: Literal[1, 2, 3, 4]
    when: ExpressionText
    params: dict[Identifier, float | str | bool] = Field({})
    reason: Text
    lawful: LawfulSpec
    precision: float | None = Field(
        None, gt=0, lt=1, description="share of hits expected to be confirmed"
    )

    @field_validator("lawful")
    @classmethod
    def _is_written(cls, lawful: LawfulSpec) -> LawfulSpec:
        begun = lawful.en.startswith("TO BE WRITTEN") or lawful.zh.startswith("待填写")
        if begun:
            raise PydanticCustomError(
                "unwritten",
                "a draft's lawful explanation is not written yet; say in both languages "
                "what must be ruled out before anybody is suspected",
            )
        return lawful


class RulesFile(Spec):
    rules: tuple[RuleSpec, ...]


class ModelSpec(Spec):
    """One supervision model: a folder under `configs/models/`."""

    id: Identifier
    title: Text
    unit: UnitSpec
    sources: dict[Identifier, SourceSpec]
    entities: dict[Identifier, EntitySpec] = Field({})
    associations: AssociationsSpec | None = None
    features: tuple[FeatureStep, ...]
    rules_file: str = Field("rules.yaml", alias="rules")
    detectors: DetectorsSpec = DetectorsSpec()
    groups: GroupsSpec | None = None
    review: ReviewSpec = ReviewSpec()
    privacy: PrivacySpec = PrivacySpec()
    labels: LabelsSpec | None = None

    @model_validator(mode="after")
    def _groups_are_tied(self) -> Self:
        if self.groups is None:
            return self
        kinds = self.associations.kinds if self.associations else {}
        unknown = next(
            (kind for kind in self.groups.through if kind not in kinds), None
        )
        if self.associations is None or unknown is not None:
            raise PydanticCustomError(
                "groups",
                "groups: needs associations whose kinds it goes through, got {kind}{hint}",
                {
                    "kind": repr(unknown) if unknown else "no associations",
                    "hint": nearest(unknown, kinds) if unknown else "",
                },
            )
        return self

    def roles_of(self, source: str) -> dict[str, str]:
        """role -> the column that its entity is kept beside, for one source."""
        roles = (role for entity in self.entities.values() for role in entity.roles)
        return {role.role: role.column for role in roles if role.source == source}
