"""What the API answers. Texts end in `_en` and `_zh`; a list's times carry no zone."""

from datetime import date, datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import BeforeValidator, Field

Local = Annotated[
    str,
    BeforeValidator(lambda at: at if isinstance(at, str) else at.isoformat()),
    Field(description="a date and time as in the records, without a zone"),
]
_RUN = "a published run of a supervision model"
_SHARE = "a share, from 0 to 1"
_SCALE = "from 0 to 1; a place among the units of the run, no probability"


class ModelOut(Schema):
    """A supervision model that has published."""

    id: str
    title_en: str
    title_zh: str
    runs: int
    newest_as_of: Local


class RuleOut(Schema):
    """A screening rule as it stood in a run."""

    code: str
    layer: int
    lawful_en: str = Field(description="the lawful explanation to rule out first")
    lawful_zh: str
    hits: int


class RunOut(Schema):
    """A published run; it never changes."""

    id: str
    model_id: str
    title_en: str
    title_zh: str
    as_of: Local
    published_at: datetime
    units: int = Field(description="scored, listed or not")
    listed: int = Field(description="how many of them are leads")
    model_version: str


class RunDetailOut(RunOut):
    """A run with what it was made from."""

    inputs: str
    config_hash: str
    mlflow_run: str
    model_digest: str
    digest: str = Field(description="SHA-256 over all that was published")
    counts: dict[str, int]
    funnel: Any = Field(description="units layer by layer")
    coverage: Any = Field(description="what each source delivered")
    rules: list[RuleOut]


class RunPage(Schema):
    """Runs, the newest first."""

    items: list[RunOut]
    next: int | None = Field(description="`after` of the next page; null on the last")


class StateOut(Schema):
    """Where the review of a unit stands."""

    state: str
    version: int = Field(description="grows with every change; to be sent as `seen`")
    assignee: str = ""
    due: date | None = None


class LeadOut(Schema):
    """A ranked unit of a run."""

    id: int
    run_id: str
    model_id: str
    unit_id: str
    title: str
    money: float | None
    score: float = Field(description=_SCALE)
    rules: float = Field(description=_SCALE)
    fused: float = Field(description=_SCALE)
    rank_score: int
    rank_rules: int
    rank_fused: int
    found_by: str = Field(description="both, rules, score or neither")
    codes: list[str] = Field(description="rules that fired, layer by layer")
    group: int | None = Field(description="the group that it is opened with")
    office: str | None
    peer_percentile: float | None = Field(description=_SHARE)
    band_low: float | None = Field(
        description="least share confirmed among the reviewed of its band"
    )
    band_high: float | None
    silent: list[str] = Field(description="sources with no row about this unit")
    review: StateOut


class PlaceOut(Schema):
    """Where a unit stands among all that a run scored."""

    run_id: str
    unit_id: str
    units: int = Field(description="that were scored")
    score: float = Field(description=_SCALE)
    rules: float = Field(description=_SCALE)
    fused: float = Field(description=_SCALE)
    rank_score: int
    rank_rules: int
    rank_fused: int
    lead: int | None = Field(description="its lead; null when it is not listed")


class LeadPage(Schema):
    """Leads in the order asked for."""

    items: list[LeadOut]
    next: int | None = Field(description="`after` of the next page; null on the last")


class HitOut(Schema):
    """A rule that fired."""

    code: str
    layer: int
    reason_en: str
    reason_zh: str
    lawful_en: str = Field(description="the lawful explanation to rule out first")
    lawful_zh: str
    says_en: str = Field(description="what the data say of that explanation")
    says_zh: str


class ReasonOut(Schema):
    """A feature that moved the score, beside its peers."""

    position: int
    kind: str
    feature: str
    value: str | None
    peer_median: str | None
    percentile: float | None
    contribution: float | None
    text_en: str
    text_zh: str


class PartOut(Schema):
    """What carries the place: a detector, a rule, or reviews."""

    position: int
    part: str
    contribution: float
    text_en: str
    text_zh: str


class CounterfactualOut(Schema):
    """The rank that the lead would fall to, and under what condition."""

    position: int
    rank: int
    text_en: str
    text_zh: str


class EvidenceOut(Schema):
    """A source row: where it stands, not what it holds."""

    source: str
    department_en: str
    department_zh: str
    batch: str
    row_key: str
    line: int | None


class TieOut(Schema):
    """How two nodes are tied; sensitive values are masked."""

    left_kind: str
    left: str
    right_kind: str
    right: str
    role_en: str
    role_zh: str
    source: str
    department_en: str
    department_zh: str
    row_key: str
    rows: int
    event_at: Local | None
    known_at: Local | None
    probability: float


class PathOut(Schema):
    """A way to another lead of the run."""

    path: int
    other: str
    other_rank: int
    steps: list[TieOut]


class GroupOut(Schema):
    """A group: units that associations tie."""

    id: int
    run_id: str
    model_id: str
    group_id: str
    rank: int
    score: float
    title: str
    units: int
    money: float | None
    density: float = Field(description="share of the pairs that share a point")
    codes: list[str]
    reason_en: str
    reason_zh: str


class GroupPage(Schema):
    """Groups by rank."""

    items: list[GroupOut]
    next: int | None = Field(description="`after` of the next page; null on the last")


class GroupDetailOut(GroupOut):
    """A group with those of its members that the user may see."""

    members: list[LeadOut] = Field(description="the best rank first, at most 500")
    hidden: int = Field(description="members that are not shown")
    ties: list[TieOut] = Field(description="the strongest first, at most 500")


class DispositionOut(Schema):
    """What an analyst concluded of a unit; of several the last one stands."""

    id: int
    model: str
    run_id: str = Field(description=_RUN)
    lead: int | None
    unit_id: str
    verdict: str
    cause: str
    reason: str
    user: str
    at: datetime
    seconded_by: str
    kind: str | None = Field(
        description="how the unit came to be reviewed in that run: top, explore, or null"
    )
    propensity: float | None = Field(description="how likely it was to be drawn")


class SaidOut(Schema):
    """One thing that was said of a unit."""

    kind: str = Field(description="disposition, proposal, or answer to a proposal")
    run_id: str
    verdict: str
    cause: str
    reason: str
    user: str
    at: datetime
    agreed: bool | None = Field(description="of an answer")
    seconded_by: str


class DispositionPage(Schema):
    """Dispositions in the order in which they were added."""

    items: list[DispositionOut]
    next: int | None = Field(description="`after` of the next page; null on the last")


class LeadDetailOut(LeadOut):
    """A lead with all that explains it."""

    as_of: Local
    hits: list[HitOut]
    reasons: list[ReasonOut]
    parts: list[PartOut]
    counterfactuals: list[CounterfactualOut]
    evidence: list[EvidenceOut]
    paths: list[PathOut]
    dispositions: list[DispositionOut] = Field(description="the last one stands")
