"""How records are linked and what ties them: entities, associations, groups, features."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from configs.spec import ExpressionText, Identifier, Spec, Text, one_or_many

NetworkStat = Literal[
    "degree",
    "counterparties",
    "component_size",
    "community_size",
    "core_number",
    "confirmed_share",
]
ConcentrationStat = Literal["top_share", "hhi", "entropy"]
FlowStat = Literal["reciprocity", "circle_size", "circle_share"]
RotationStat = Literal["rivals", "win_share", "rotation"]
TextStat = Literal["near_duplicates", "within", "across", "similarity"]


class LinkSpec(Spec):
    """How records without a shared valid identifier are found to be one entity."""

    block: tuple[tuple[str, ...], ...] = Field(
        (),
        description="sets of attributes that must agree for two records to be compared",
    )
    accept: float = Field(0.95, gt=0, le=1, description="linked from this probability")
    review: float = Field(
        0.5, gt=0, le=1, description="shown to a person from this one"
    )
    max_block: int = Field(
        200, ge=2, description="a value that more records share compares none of them"
    )
    max_records: int = Field(
        50, ge=2, description="different records of one entity; more look over-merged"
    )
    max_pairs: float = Field(
        2e6, gt=0, description="random pairs that u is estimated on"
    )
    seed: int = 7

    @model_validator(mode="after")
    def _band(self) -> Self:
        if self.review > self.accept:
            raise PydanticCustomError(
                "band", "review must not lie above accept, got a band upside down"
            )
        return self


class KindSpec(Spec):
    """A kind of node: an entity, or a point that two may share."""

    title: Text
    hub: int = Field(
        50, ge=2, description="a node with more neighbours ties nobody together"
    )


class TieSpec(Spec):
    """What one row of a source ties: `of` to each of `with` (kind -> role or column)."""

    source: str
    of: dict[Identifier, str] = Field(min_length=1, max_length=1)
    with_: dict[Identifier, tuple[str, ...]] = Field(alias="with", min_length=1)
    where: ExpressionText | None = None

    @field_validator("with_", mode="before")
    @classmethod
    def _many(cls, value: object) -> object:
        if isinstance(value, dict):
            return {kind: one_or_many(columns) for kind, columns in value.items()}
        return value


class AssociationsSpec(Spec):
    """The graph: which kinds of nodes there are, and which rows tie them."""

    kinds: dict[Identifier, KindSpec]
    ties: tuple[TieSpec, ...] = Field(min_length=1)


class GroupsSpec(Spec):
    """Which associated units become one lead."""

    through: tuple[Identifier, ...] = Field((), description="kinds; default: all")
    min_size: int = Field(3, ge=2)
    max_size: int = Field(100, ge=3, description="a larger community is split")
    top: int = Field(300, ge=1, description="groups published")


class MarkedSpec(Spec):
    """Nodes that another source names: confirmed parties, owners of garages."""

    source: str
    by: str = Field(description="role or column of that source")
    where: ExpressionText | None = None


class NetworkSpec(Spec):
    """The place of one of the unit's nodes in the graph of associations."""

    of: str = Field(description="role or column of the unit")
    kind: Identifier = Field(description="the kind of node that it is")
    through: tuple[Identifier, ...] = Field((), description="kinds; default: all")
    stats: tuple[NetworkStat, ...] = Field(min_length=1)
    confirmed: MarkedSpec | None = None
    named: str | None = None

    _many = field_validator("through", "stats", mode="before")(one_or_many)

    @property
    def prefix(self) -> str:
        return self.named or self.of

    @model_validator(mode="after")
    def _marked(self) -> Self:
        if ("confirmed_share" in self.stats) != (self.confirmed is not None):
            raise PydanticCustomError(
                "confirmed", "confirmed_share and confirmed: {source, by} go together"
            )
        return self


class PathSpec(Spec):
    """The fewest ties between two nodes of the unit.

    `through` leaves the unit's own kind out, or every pair would be tied by its unit.
    """

    from_: dict[Identifier, str] = Field(alias="from", min_length=1, max_length=1)
    to: dict[Identifier, str] | MarkedSpec = Field(
        description="kind -> role or column of the unit, or nodes that a source marks"
    )
    through: tuple[Identifier, ...] = Field(min_length=1)
    longest: int = Field(4, ge=1, le=6)
    named: str

    _many = field_validator("through", mode="before")(one_or_many)


class ConcentrationSpec(Spec):
    """How much of a history lies with few values of `over`."""

    of: str
    by: tuple[str, ...] = Field(min_length=1)
    as_: tuple[str, ...] = Field((), alias="as")
    over: ExpressionText
    weight: ExpressionText = "1"
    where: ExpressionText | None = None
    min_rows: int = Field(3, ge=1, description="fewer rows show no concentration")
    stats: tuple[ConcentrationStat, ...] = Field(min_length=1)
    named: str

    _many = field_validator("by", "as_", "stats", mode="before")(one_or_many)


class FlowsSpec(Spec):
    """Money between parties: what comes back, and what goes round in a circle."""

    of: str
    from_: str = Field(alias="from", description="role or column of the source")
    to: str
    by: str = Field(description="the unit's role or column that is such a party")
    amount: ExpressionText = "1"
    where: ExpressionText | None = None
    stats: tuple[FlowStat, ...] = Field(min_length=1)
    named: str

    _many = field_validator("stats", mode="before")(one_or_many)


class RotationSpec(Spec):
    """How the rivals of repeated contests take turns at winning."""

    of: str
    party: str = Field(description="role or column of the source: who takes part")
    contest: str
    won: ExpressionText
    by: str = Field(description="the unit's role or column that is such a party")
    where: ExpressionText | None = None
    max_parties: int = Field(200, ge=2, description="larger contests pair nobody")
    stats: tuple[RotationStat, ...] = Field(min_length=1)
    named: str

    _many = field_validator("stats", mode="before")(one_or_many)


class TextSpec(Spec):
    """How many texts of others say nearly the same as the unit's."""

    of: str
    by: tuple[str, ...] = Field(min_length=1)
    as_: tuple[str, ...] = Field((), alias="as")
    column: str
    within: str | None = Field(None, description="role or column, such as the agent")
    similar: float = Field(0.8, gt=0, le=1, description="Jaccard index of n-grams")
    ngram: int = Field(4, ge=1, le=10, description="characters")
    stats: tuple[TextStat, ...] = Field(min_length=1)
    named: str

    _many = field_validator("by", "as_", "stats", mode="before")(one_or_many)

    @model_validator(mode="after")
    def _has_within(self) -> Self:
        if self.within is None and {"within", "across"} & set(self.stats):
            raise PydanticCustomError(
                "within", "the stats within and across need within:"
            )
        return self
