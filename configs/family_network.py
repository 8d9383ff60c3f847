"""Columns of the families network and path, and what is wrong with their ties."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from configs.column import Column
from configs.errors import nearest
from configs.keys import KeyProblem, source_column
from configs.network import (
    AssociationsSpec,
    KindSpec,
    MarkedSpec,
    NetworkSpec,
    PathSpec,
    TieSpec,
)
from configs.nodes import adjacent_kinds, marked_kind, node_kinds
from configs.schema import ModelSpec
from configs.spec import Text

DEGREE_WORDS = ("different {kind} tied to it", "关联的不同{kind}数")
NETWORK_WORDS = {
    "counterparties": (
        "others of its kind within two ties",
        "两步关联内的同类主体数",
    ),
    "component_size": (
        "nodes of its connected network, itself included; hubs tie nobody",
        "所在连通网络的节点数（含自身，枢纽不计关联）",
    ),
    "community_size": (
        "nodes of its close community, itself included; hubs tie nobody",
        "所在紧密社群的节点数（含自身，枢纽不计关联）",
    ),
    "core_number": (
        "largest k of a part of the network where each has k ties (k-core)",
        "所在网络核心的层级（k核：核心内每个节点至少有k个关联）",
    ),
    "confirmed_share": (
        "share of others of its kind within two ties that {source} marks",
        "两步关联内的同类主体中见于{source}的占比",
    ),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What the walk over the declaration knows when it comes to a step.

    Attributes:
        columns: the unit's, made so far.
        words: what a role or column of the unit is called.
        condition: checks an expression over the rows of a source (where, text, source).
        problem: notes a mistake (where, message).
    """

    spec: ModelSpec
    columns: Mapping[str, Column]
    words: Callable[[str], Text]
    condition: Callable[[str, str | None, str], None]
    problem: Callable[[str, str], None]

    @property
    def declared(self) -> AssociationsSpec | None:
        return self.spec.associations

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return self.declared.kinds if self.declared else {}

    @property
    def own(self) -> str:
        return self.spec.unit.source

    def is_source(self, where: str, name: str) -> bool:
        if name not in self.spec.sources:
            hint = nearest(name, self.spec.sources)
            self.problem(where, f"unknown source {name!r}{hint}")
        return name in self.spec.sources

    def column(self, where: str, source: str, name: str) -> str | None:
        try:
            return source_column(self.spec, source, name, self.columns)
        except KeyProblem as problem:
            self.problem(where, str(problem))
            return None

    def are_kinds(self, where: str, names: tuple[str, ...]) -> bool:
        unknown = [name for name in names if name not in self.kinds]
        for name in unknown:
            self.problem(where, f"unknown kind {name!r}{nearest(name, self.kinds)}")
        return not unknown

    def is_node(self, where: str, source: str, name: str, kind: str) -> bool:
        """Whether a role or column of a source can be a node of this kind."""
        column = self.column(where, source, name)
        if not self.are_kinds(where, (kind,)) or column is None:
            return False
        found = node_kinds(self.spec, source, column, self.columns)
        if found and kind not in found:
            self.problem(where, f"{name!r} is a {' or '.join(found)}, not a {kind}")
        return not found or kind in found

    def titles(self, kinds: tuple[str, ...]) -> Text:
        found = [self.kinds[kind].title for kind in kinds]
        en, zh = ", ".join(t.en for t in found), "、".join(t.zh for t in found)
        return Text(en=en, zh=zh)


def check_associations(scope: Scope) -> None:
    """Note what is wrong with the kinds and ties of the section `associations`."""
    if scope.declared is None:
        return
    for number, tie in enumerate(scope.declared.ties):
        _check_tie(scope, f"associations.ties[{number}]", tie)
    ties = scope.declared.ties
    used = {kind for tie in ties for kind, _ in (tie.start, *tie.ends)}
    for kind in scope.kinds:
        if kind not in used:
            message = f"no tie has this kind{nearest(kind, used)}"
            scope.problem(f"associations.kinds.{kind}", message)


def network_columns(scope: Scope, where: str, step: NetworkSpec) -> Iterator[Column]:
    """The columns of one step of the family network."""
    if _are_declared(scope, where):
        fits = [
            scope.is_node(f"{where}.of", scope.own, step.of, step.kind),
            scope.are_kinds(f"{where}.through", step.through),
            step.confirmed is None
            or _is_marked(scope, f"{where}.confirmed", step.confirmed, step.kind),
        ]
        if all(fits):
            yield from _network_features(scope, where, step)


def path_columns(scope: Scope, where: str, step: PathSpec) -> Iterator[Column]:
    """The columns of one step of the family path."""
    if not _are_declared(scope, where):
        return
    [(kind, name)] = step.from_.items()
    fits = [
        scope.is_node(f"{where}.from", scope.own, name, kind),
        _is_target(scope, f"{where}.to", step),
        scope.are_kinds(f"{where}.through", step.through),
    ]
    if all(fits) and not _ties_itself(scope, where, step):
        yield from _path_features(scope, step)


def network_kinds(spec: ModelSpec, step: NetworkSpec) -> tuple[str, ...]:
    """The neighbours' kinds that a step counts, in the order of their declaration."""
    kinds = adjacent_kinds(spec, step.kind)
    return tuple(k for k in kinds if not step.through or k in step.through)


def _are_declared(scope: Scope, where: str) -> bool:
    if scope.declared is None:
        scope.problem(where, "needs a section associations: it says what ties whom")
    return scope.declared is not None


def _check_tie(scope: Scope, where: str, tie: TieSpec) -> None:
    if not scope.is_source(f"{where}.source", tie.source):
        return
    scope.condition(where, tie.where, tie.source)
    ends = [("of", *tie.start), *(("with", kind, name) for kind, name in tie.ends)]
    columns = [
        _tie_column(scope, f"{where}.{side}.{kind}", tie.source, name)
        for side, kind, name in ends
        if scope.are_kinds(f"{where}.{side}", (kind,))
    ]
    if None not in columns and columns[1:].count(columns[0]):
        scope.problem(where, f"ties {tie.start[1]!r} to itself; name another column")


def _tie_column(scope: Scope, where: str, source: str, name: str) -> str | None:
    """The column of one end; of the unit's source, one that exists by then."""
    try:
        return source_column(scope.spec, source, name, scope.columns)
    except KeyProblem as problem:
        own = " (ties use columns made before the first network or path step)"
        scope.problem(where, f"{problem}{own if source == scope.own else ''}")
        return None


def _is_marked(scope: Scope, where: str, marked: MarkedSpec, kind: str) -> bool:
    """Whether a source marks nodes of this kind."""
    if not scope.is_source(f"{where}.source", marked.source):
        return False
    scope.condition(where, marked.where, marked.source)
    return scope.is_node(f"{where}.by", marked.source, marked.by, marked.kind or kind)


def _is_target(scope: Scope, where: str, step: PathSpec) -> bool:
    if not isinstance(step.to, MarkedSpec):
        [(kind, name)] = step.to.items()
        return scope.is_node(where, scope.own, name, kind)
    if not scope.is_source(f"{where}.source", step.to.source):
        return False
    try:
        kind = marked_kind(scope.spec, step.to, scope.columns)
    except KeyProblem as problem:
        scope.problem(f"{where}.by", str(problem))
        return False
    return _is_marked(scope, where, step.to, kind)


def _ties_itself(scope: Scope, where: str, step: PathSpec) -> bool:
    """Whether every unit's own row would tie its two ends."""
    if isinstance(step.to, MarkedSpec):
        return False
    start, end = (
        _own_node(scope, *next(iter(side.items()))) for side in (step.from_, step.to)
    )
    reached = {start}
    for _ in range(step.longest):
        passed = {n for n in reached if n == start or n[0] in step.through}
        reached |= {b for pair in _own_ties(scope) for a, b in pair if a in passed}
    if end in reached:
        message = "the unit's own row ties both ends"
        advice = "leave the unit's kind out of 'through', or take another end"
        scope.problem(where, f"{message}, so the way says nothing: {advice}")
    return end in reached


Node = tuple[str, str]


def _own_node(scope: Scope, kind: str, name: str) -> Node:
    return kind, source_column(scope.spec, scope.own, name, scope.columns)


def _own_ties(scope: Scope) -> Iterator[tuple[tuple[Node, Node], tuple[Node, Node]]]:
    """Kind and column of both ends of what a unit's row ties, in both directions."""
    for tie in scope.declared.ties if scope.declared else ():
        for end in tie.ends if tie.source == scope.own else ():
            try:
                a, b = _own_node(scope, *tie.start), _own_node(scope, *end)
            except KeyProblem:
                continue
            yield (a, b), (b, a)


def _network_features(scope: Scope, where: str, step: NetworkSpec) -> Iterator[Column]:
    by = scope.words(step.of)
    kinds = network_kinds(scope.spec, step)
    for stat in step.stats:
        if stat != "degree":
            yield _stat_column(scope, step, stat, by)
        elif not kinds:
            scope.problem(f"{where}.through", f"no tie ties a {step.kind} to any of it")
        else:
            yield from (_degree_column(scope, step, kind, by) for kind in kinds)


def _degree_column(scope: Scope, step: NetworkSpec, kind: str, by: Text) -> Column:
    title, (en, zh) = scope.kinds[kind].title, DEGREE_WORDS
    meaning = Text(
        en=f"{by.en}: {en.format(kind=title.en)}",
        zh=f"{by.zh}：{zh.format(kind=title.zh)}",
    )
    name = f"{step.prefix}_degree_{kind}"
    return Column(name, "number", meaning, "", "network", "count", True)


def _stat_column(scope: Scope, step: NetworkSpec, stat: str, by: Text) -> Column:
    source = step.confirmed.source if step.confirmed else ""
    title = scope.spec.sources[source].title if source else Text(en="", zh="")
    ways, (en, zh) = scope.titles(step.through), NETWORK_WORDS[stat]
    meaning = Text(
        en=f"{by.en}{f', through {ways.en}' if step.through else ''}: "
        f"{en.format(source=title.en)}",
        zh=f"{by.zh}{f'（经{ways.zh}）' if step.through else ''}："
        f"{zh.format(source=title.zh)}",
    )
    name = f"{step.prefix}_{stat}"
    if stat == "confirmed_share":
        return Column(name, "number", meaning, source, "network", "share", True)
    return Column(name, "number", meaning, "", "network", "count", True)


def _path_features(scope: Scope, step: PathSpec) -> Iterator[Column]:
    ends, source = _path_words(scope, step)
    ways = scope.titles(step.through)
    ties = Text(
        en=f"{ends.en}: fewest ties, through {ways.en} (none beyond {step.longest})",
        zh=f"{ends.zh}：经{ways.zh}的最少关联步数（超过{step.longest}步不计）",
    )
    closeness = Text(
        en=f"{ends.en}: 1 over the fewest ties, through {ways.en}; 0 without a way",
        zh=f"{ends.zh}：经{ways.zh}的最少关联步数的倒数（无关联为0）",
    )
    name = step.named
    yield Column(f"{name}_ties", "number", ties, source, "path", "count")
    yield Column(
        f"{name}_closeness", "number", closeness, source, "path", "index", True
    )


def _path_words(scope: Scope, step: PathSpec) -> tuple[Text, str]:
    """The two ends in words, and the source that marks the second."""
    [start] = step.from_.values()
    one = scope.words(start)
    if not isinstance(step.to, MarkedSpec):
        [end] = step.to.values()
        two = scope.words(end)
        return Text(en=f"{one.en} and {two.en}", zh=f"{one.zh}与{two.zh}"), ""
    kind = scope.kinds[marked_kind(scope.spec, step.to, scope.columns)].title
    title = scope.spec.sources[step.to.source].title
    en = f"{one.en} and the nearest {kind.en} that {title.en} marks"
    zh = f"{one.zh}与最近的见于{title.zh}的{kind.zh}"
    return Text(en=en, zh=zh), step.to.source
