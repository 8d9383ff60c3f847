"""What the store's queries answer: plain frozen records, no database objects."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A supervision model that has published at least one run."""

    id: str
    title_en: str
    title_zh: str
    runs: int
    newest_as_of: datetime


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """A screening rule as it stood in a run."""

    code: str
    layer: int
    lawful_en: str
    lawful_zh: str
    hits: int


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A published run. `as_of` has no zone, as in the tables; `published_at` is UTC."""

    id: str
    model_id: str
    title_en: str
    title_zh: str
    as_of: datetime
    published_at: datetime
    inputs: str
    config_hash: str
    mlflow_run: str
    model_version: str
    model_digest: str  # SHA-256 over the model's files; empty in runs of earlier times
    units: int  # scored, listed or not
    counts: dict[str, int]
    funnel: Any
    coverage: Any
    fingerprints: Any
    files: dict[str, dict[str, str]]  # frozen input -> its path, as below, and sha256
    form: int  # see serving.digest
    kinds: dict[str, dict[str, str]]  # kind of node -> its titles, en and zh
    links: dict[str, Any]  # summary of the resolution of entities
    about: dict[str, Any]  # see serving.about
    scores_path: str  # below Settings.published
    scores_sha256: str
    digest: str

    @property
    def listed(self) -> int:
        """How many of the scored units are leads."""
        return self.counts["leads"]


@dataclass(frozen=True, slots=True)
class ScoredRecord:
    """A unit of a run that was scored but is not listed: its places are all there is."""

    run_id: str
    unit_id: str
    score: float
    rules: float
    fused: float
    rank_score: int
    rank_rules: int
    rank_fused: int


@dataclass(frozen=True, slots=True)
class LeadRecord:
    """A ranked unit, with the age of the list it stands in."""

    run_id: str
    model_id: str
    as_of: datetime
    published_at: datetime
    unit_id: str
    title: str
    money: float | None
    score: float
    rules: float
    fused: float
    rank_score: int
    rank_rules: int
    rank_fused: int
    found_by: str
    group_id: str | None  # the group that it is opened with
    band_low: float | None  # confirmed among the reviewed of its band; None = unknown
    band_high: float | None
    office: str | None  # which office reviews it; None = the model declares none
    peer_percentile: float | None  # share of its peers with a smaller score
    silent: tuple[str, ...]  # sources with no row about this unit
    codes: tuple[str, ...]  # rules that fired


@dataclass(frozen=True, slots=True)
class HitRecord:
    """A rule that fired on a lead, and the lawful explanation to rule out first."""

    code: str
    layer: int
    reason_en: str
    reason_zh: str
    says_en: str  # what the data say of the lawful explanation
    says_zh: str
    lawful_en: str
    lawful_zh: str


@dataclass(frozen=True, slots=True)
class ReasonRecord:
    """A feature that moved the score, beside its peers."""

    position: int
    kind: str  # value, relation, peers or network
    feature: str
    value: str | None
    peer_median: str | None
    percentile: float | None
    contribution: float | None
    text_en: str
    text_zh: str


@dataclass(frozen=True, slots=True)
class PartRecord:
    """What carries a lead's place, by who says it: a detector, a rule, reviews."""

    position: int
    part: str
    contribution: float
    text_en: str
    text_zh: str


@dataclass(frozen=True, slots=True)
class CounterfactualRecord:
    """The rank that a lead would fall to, and under what condition."""

    position: int
    rank: int
    text_en: str
    text_zh: str


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """A unit that is to be reviewed in a run: of its top, or drawn from the rest."""

    unit_id: str
    position: int
    kind: str  # top or explore
    stratum: str
    propensity: float  # share of the stratum that was drawn; 1 for the top


@dataclass(frozen=True, slots=True)
class DispositionRecord:
    """What an analyst concluded of a unit."""

    model: str
    run_id: str  # the list that it was reviewed in
    unit_id: str
    verdict: str  # see serving.dispositions.Verdict
    reason: str
    user: str
    at: datetime  # UTC
    cause: str = ""  # of an exclusion, see serving.dispositions.CAUSES
    seconded_by: str = ""  # who agreed, where the model asks for a second person


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """A source row about a lead: which department delivered it, and where it stands."""

    source: str
    department_en: str
    department_zh: str
    batch: str
    row_key: str
    line: int | None


@dataclass(frozen=True, slots=True)
class TieRecord:
    """How two nodes are tied, which source says so, and how surely."""

    left_kind: str  # its titles stand in RunRecord.kinds
    left: str
    right_kind: str
    right: str
    role_en: str  # what one is to the other there; empty when not said
    role_zh: str
    source: str
    department_en: str
    department_zh: str
    row_key: str  # the earliest of the rows that say so
    rows: int
    event_at: datetime | None  # without a zone
    known_at: datetime | None
    probability: float


@dataclass(frozen=True, slots=True)
class PathRecord:
    """A way from a lead to another one; each step begins where the last one ended."""

    path: int  # 1 = the most telling
    other: str
    other_rank: int  # rank_fused
    steps: tuple[TieRecord, ...]


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A ring of associated units, with the age of the list it stands in."""

    run_id: str
    model_id: str
    as_of: datetime
    published_at: datetime
    group_id: str
    rank: int
    score: float
    title: str  # the node that ties most of them
    units: int
    money: float | None
    density: float  # share of the pairs of members that share a point
    codes: tuple[str, ...]  # rules that fired on at least half of them
    reason_en: str
    reason_zh: str


@dataclass(frozen=True, slots=True)
class GroupDetail:
    """A group with its members, best rank first, and its ties, strongest first."""

    group: GroupRecord
    members: tuple[LeadRecord, ...]
    ties: tuple[TieRecord, ...]


@dataclass(frozen=True, slots=True)
class WorkRecord:
    """One thing to open: a group, or a lead that stands in none."""

    position: int
    rank_fused: int  # of the lead, or of the group's best member
    group: GroupRecord | None
    lead: LeadRecord | None
    drawn: tuple[SlotRecord, ...] = ()  # its units that were drawn from below the top


@dataclass(frozen=True, slots=True)
class LeadDetail:
    """A lead with all that explains it."""

    lead: LeadRecord
    hits: tuple[HitRecord, ...]
    reasons: tuple[ReasonRecord, ...]
    evidence: tuple[EvidenceRecord, ...]
    group: GroupRecord | None
    paths: tuple[PathRecord, ...]
    parts: tuple[PartRecord, ...] = ()
    counterfactuals: tuple[CounterfactualRecord, ...] = ()
    disposition: DispositionRecord | None = None  # the one that stands, of any run
