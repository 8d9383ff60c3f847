"""How records are linked and what ties them: entities, associations, groups, features."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator
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
ConcentrationStat = Literal["top_share", "hhi", "entropy", "own_share"]
FlowStat = Literal[
    "reciprocity", "circle_size", "circle_share", "round_trip_share", "hub_share"
]
RotationStat = Literal["rivals", "win_share", "rotation", "turns"]
TextStat = Literal["near_duplicates", "within", "across", "similarity"]


class LinkSpec(Spec):
    """How records without a shared valid identifier are found to be one entity."""

    block: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] = Field(
        (),
        description="attributes or parts of them (birth_month) that must agree for two "
        "records to be compared; default: chosen by what they bring",
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
        1e6, gt=0, description="random pairs that u is estimated on"
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

    @property
    def start(self) -> tuple[str, str]:
        """Kind and name of what the others are tied to."""
        return next(iter(self.of.items()))

    @property
    def ends(self) -> tuple[tuple[str, str], ...]:
        """Kind and name of each of the others."""
        return tuple(
            (kind, name) for kind, names in self.with_.items() for name in names
        )


class AssociationsSpec(Spec):
    """The graph: which kinds of nodes there are, and which rows tie them."""

    kinds: dict[Identifier, KindSpec]
    ties: tuple[TieSpec, ...] = Field(min_length=1)

    @property
    def limits(self) -> dict[str, int]:
        """kind -> neighbours beyond which its nodes tie nobody."""
        return {kind: declared.hub for kind, declared in self.kinds.items()}


class GroupsSpec(Spec):
    """Which associated units become one lead.

    `through` leaves a kind out whose nodes each stand for a set of nodes of another one
    (an agency and its experts), or what ties by the one would count twice.
    """

    through: tuple[Identifier, ...] = Field((), description="kinds; default: all")
    suspects: float = Field(
        0.1, gt=0, le=1, description="groups are made of this share of the units"
    )
    hub: int = Field(500, ge=2, description="a point of more units ties nobody")
    min_size: int = Field(3, ge=2)
    max_size: int = Field(100, ge=3, description="a larger community is split")
    top: int = Field(300, ge=1, description="groups published")

    _many = field_validator("through", mode="before")(one_or_many)

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        if self.min_size > self.max_size:
            raise PydanticCustomError(
                "sizes",
                "min_size must not lie above max_size, got {low} and {high}",
                {"low": self.min_size, "high": self.max_size},
            )
        return self


class MarkedSpec(Spec):
    """Nodes that another source names: confirmed parties, owners of garages."""

    source: str
    by: str = Field(description="role or column of that source")
    kind: Identifier | None = Field(
        None, description="of those nodes; default: what ties or entities call `by`"
    )
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


def _end_tag(value: object) -> str:
    marked = isinstance(value, MarkedSpec)
    return "marked" if marked or (isinstance(value, dict) and "by" in value) else "node"


OneNode = Annotated[dict[Identifier, str], Field(min_length=1, max_length=1)]
PathEnd = Annotated[
    Annotated[OneNode, Tag("node")] | Annotated[MarkedSpec, Tag("marked")],
    Discriminator(_end_tag),
]


class PathSpec(Spec):
    """The fewest ties between two nodes of the unit.

    `through` leaves the unit's own kind out, or every pair would be tied by its unit.
    """

    from_: OneNode = Field(alias="from")
    to: PathEnd = Field(
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
    own: ExpressionText | None = Field(
        None, description="the unit's own value, for own_share; default: over"
    )
    weight: ExpressionText = "1"
    where: ExpressionText | None = None
    min_rows: int = Field(3, ge=1, description="fewer rows show no concentration")
    stats: tuple[ConcentrationStat, ...] = Field(min_length=1)
    named: str

    _many = field_validator("by", "as_", "stats", mode="before")(one_or_many)

    @model_validator(mode="after")
    def _own(self) -> Self:
        if self.own is not None and "own_share" not in self.stats:
            raise PydanticCustomError("own", "own: goes with the stat own_share")
        return self


class FlowsSpec(Spec):
    """Money between parties: what comes back, and what goes round in a circle."""

    of: str
    from_: str = Field(alias="from", description="role or column of the source")
    to: str
    by: str = Field(description="the unit's role or column that is such a party")
    amount: ExpressionText = "1"
    where: ExpressionText | None = None
    hub: int = Field(
        1000, ge=2, description="a party with more partners is part of no circle"
    )
    stats: tuple[FlowStat, ...] = Field(min_length=1)
    named: str

    _many = field_validator("stats", mode="before")(one_or_many)

    @model_validator(mode="after")
    def _two_ends(self) -> Self:
        if self.from_ == self.to:
            raise PydanticCustomError(
                "ends", "from and to must differ, got {end} twice", {"end": self.to}
            )
        return self


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
    """How many texts of others say nearly the same as the unit's.

    The unit's text is that of the latest row that shares the key.
    """

    of: str
    by: tuple[str, ...] = Field(min_length=1)
    as_: tuple[str, ...] = Field((), alias="as")
    column: str
    within: str | None = Field(
        None, description="role or column of the source, such as the agent"
    )
    where: ExpressionText | None = None
    similar: float = Field(
        0.8, ge=0.3, le=1, description="Jaccard index of n-grams; lower finds chance"
    )
    ngram: int = Field(
        4, ge=1, le=10, description="characters; 2 or 3 for names and addresses"
    )
    numbers: bool = Field(
        False, description="whether numbers tell texts apart, as in addresses"
    )
    min_length: int = Field(
        1, ge=1, description="characters; a shorter text, 'see above', is none"
    )
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
