"""What a run says of its supervision model, so that a console needs no declaration.

It is kept as JSON in `Run.about`. A run published before there was a console has none:
every key may be missing, and what is missing is not shown.
"""

from typing import TypedDict


class Words(TypedDict):
    """The same in both languages."""

    en: str
    zh: str


class ColumnAbout(Words):
    type: str  # as in configs.vocabulary
    sensitive: bool


class SourceAbout(Words):
    department_en: str
    department_zh: str
    columns: dict[str, ColumnAbout]


class FeatureAbout(Words):
    """A feature, and how it was distributed over the units of the run."""

    unit: str
    family: str
    missing: float  # share of the units, in [0, 1]
    deciles: list[float] | None  # 11 values, least to greatest; None when not numeric


class SpotAbout(Words):
    """One value of a column that leads are counted by, such as a region or a trade."""

    column: str  # `en` and `zh` are the column's meaning
    value: str
    units: int
    top: int  # of them within the first tenth of rank_fused
    hits: int  # units on which a rule above the scope layer fired
    money: float | None


class ReviewAbout(TypedDict, total=False):
    weekly_capacity: int
    explore_share: float
    second_review: list[str]  # verdicts that need a second person


class About(TypedDict, total=False):
    """All of it."""

    unit: Words  # what a unit is called
    office: Words  # the column that says which office reviews a unit
    peers: Words  # what the peers of `peer_percentile` have in common
    review: ReviewAbout
    sources: dict[str, SourceAbout]
    features: dict[str, FeatureAbout]
    scores: dict[
        str, list[int]
    ]  # score, rules, fused -> units in 20 equal bins of [0, 1]
    spots: list[SpotAbout]
