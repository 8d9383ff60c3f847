"""Every column a supervision model's units will have, derived from its declaration.

The same walk answers typos, types the expressions and yields the data dictionary, so
that none of the three can disagree with what `features` builds.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from configs.column import Column, source_kinds
from configs.common_words import MEASURE_WORDS, STAT_WORDS, common_words
from configs.errors import Problem, nearest
from configs.expressions import ExpressionError, Kind, kind_of, names, parse
from configs.family_flows import (
    concentration_columns,
    flow_columns,
    rotation_columns,
)
from configs.family_network import (
    Scope,
    check_associations,
    network_columns,
    path_columns,
)
from configs.family_text import text_columns, text_problem
from configs.keys import KeyProblem, key_pairs
from configs.network import (
    ConcentrationSpec,
    FlowsSpec,
    NetworkSpec,
    PathSpec,
    RotationSpec,
    TextSpec,
)
from configs.privacy import excluded_columns
from configs.schema import (
    CoverageSpec,
    DeriveSpec,
    HistorySpec,
    LookupSpec,
    MeasureSpec,
    ModelSpec,
    PeersSpec,
)
from configs.spec import Text

RESERVED = ("unit_id", "as_of")
COVERAGE = "coverage_"  # and the source: the flag's name
MEASURE_UNITS = {
    "count": "count",
    "nunique": "count",
    "share": "share",
    "days_since_first": "days",
    "days_since_last": "days",
    "trend": "ratio",
}


@dataclass(slots=True)
class Vocabulary:
    """Columns in the order in which they come to exist, and what was wrong.

    `made` has the number of the step that makes each column, -1 of the source's own.
    """

    columns: dict[str, Column] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    excluded: frozenset[str] = frozenset()

    @property
    def features(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns.values() if column.is_feature)

    @property
    def kinds(self) -> dict[str, Kind]:
        return {name: column.kind for name, column in self.columns.items()}

    def unknown(self, name: str) -> str:
        """What to say about a name that is not a column."""
        if name in self.excluded:
            return f"{name!r} is protected or excluded by privacy and never scored"
        return f"unknown name {name!r}{nearest(name, self.columns)}"


def vocabulary(spec: ModelSpec) -> Vocabulary:
    """Walk the declaration in order; problems are collected, never raised."""
    walk = _Walk(spec)
    walk.add(_unit_source_columns(spec), "unit")
    for number, step in enumerate(spec.features):
        family = step.family
        where = f"features[{number}].{family}"
        walk.add(getattr(walk, family)(where, getattr(step, family)), where, number)
    walk.associations()
    return walk.known


def _unit_source_columns(spec: ModelSpec) -> Iterator[Column]:
    source = spec.sources[spec.unit.source]
    for name, kind in source_kinds(spec, spec.unit.source).items():
        column = source.columns[name]
        said = column.meaning or common_words(name)
        unit = "yuan" if column.type == "money" else column.unit or ""
        yield Column(name, kind, said, spec.unit.source, "source", unit)


def _feature(base: Column, family: str) -> Column:
    return replace(base, family=family, is_feature=True)


class _Walk:
    """One method per feature family; each yields the columns that it adds."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.known = Vocabulary()
        self.lowered: dict[str, Column] = {}
        self.ties_checked = False
        self.known.excluded = excluded_columns(spec, spec.sources[spec.unit.source])

    def add(self, columns: Iterable[Column], where: str, number: int = -1) -> None:
        for column in columns:
            # Engines do not tell small from capital letters in a column's name.
            earlier = self.lowered.get(column.name.lower())
            promoted = column.family == "columns" and not (
                earlier and earlier.is_feature
            )
            if column.name in RESERVED:
                self._problem(where, f"{column.name!r} is Leadline's own column")
            elif earlier and not promoted:
                self._problem(
                    where, f"{column.name!r} exists already ({earlier.family})"
                )
            self.known.columns[column.name] = column
            self.known.made.setdefault(column.name, number)
            self.lowered[column.name.lower()] = column

    def columns(self, where: str, wanted: tuple[str, ...]) -> Iterator[Column]:
        for name in wanted:
            column = self._column(where, name)
            if column and column.kind in ("number", "boolean"):
                yield _feature(column, "columns")
            elif column:
                self._problem(where, f"{name!r} is {column.kind}; use levels or derive")

    def levels(self, where: str, wanted: tuple[str, ...]) -> Iterator[Column]:
        source = self.spec.sources[self.spec.unit.source]
        for name in wanted:
            column = self._column(where, name)
            declared = source.columns.get(name)
            if column and (declared is None or not declared.levels):
                self._problem(where, f"{name!r} declares no values to make levels of")
            elif column and declared:
                yield from (_level(column, level) for level in declared.levels)

    def derive(self, where: str, wanted: Mapping[str, DeriveSpec]) -> Iterator[Column]:
        for name, step in wanted.items():
            kind = self._kind(f"{where}.{name}", step.expression, self.known.kinds)
            if kind is None:
                continue
            if step.feature and kind not in ("number", "boolean"):
                self._problem(f"{where}.{name}", f"a feature is a number, got a {kind}")
                continue
            text = step.expression
            meaning = step.meaning or Text(en=text, zh=text)
            unit = step.unit or ""
            yield Column(name, kind, meaning, "", "derive", unit, step.feature)

    def lookup(self, where: str, step: LookupSpec) -> Iterator[Column]:
        if not self._keys(where, step.of, step.by, step.as_):
            return
        kinds = source_kinds(self.spec, step.of)
        self._condition(where, step.where, kinds)
        title = self.spec.sources[step.of].title
        for name, wanted in step.take.items():
            if wanted not in kinds:
                hint = nearest(wanted, kinds)
                self._problem(
                    f"{where}.take.{name}", f"{step.of} has no {wanted!r}{hint}"
                )
                continue
            declared = self.spec.sources[step.of].columns[wanted]
            own = declared.meaning or common_words(wanted)
            meaning = Text(en=f"{own.en} ({title.en})", zh=f"{title.zh}的{own.zh}")
            unit = "yuan" if declared.type == "money" else declared.unit or ""
            kind = kinds[wanted]
            yield Column(name, kind, meaning, step.of, "lookup", unit)

    def history(self, where: str, step: HistorySpec) -> Iterator[Column]:
        if not self._keys(where, step.of, step.by, step.as_):
            return
        kinds = self._row_kinds(step.of)
        self._condition(where, step.where, kinds)
        self._check_windows(where, step)
        for name, measure in step.measures.items():
            if self._measure_fits(f"{where}.measures.{name}", measure, kinds):
                for window in step.windows:
                    yield self._history_column(step, name, measure, window)

    def peers(self, where: str, step: PeersSpec) -> Iterator[Column]:
        groups = [
            column for name in step.within if (column := self._column(where, name))
        ]
        for name in step.value:
            column = self._column(where, name)
            if column is None:
                continue
            if column.kind != "number":
                self._problem(
                    where, f"peers compare numbers; {name!r} is {column.kind}"
                )
                continue
            for stat in step.stat:
                yield _peer_column(column, stat, groups, step)

    def coverage(self, where: str, step: CoverageSpec) -> Iterator[Column]:
        for source, role in step.sources.items():
            if self._keys(where, source, (step.by,), (role,)):
                title = self.spec.sources[source].title
                meaning = Text(
                    en=f"{title.en}: a row about this unit exists",
                    zh=f"{title.zh}中有该对象的记录",
                )
                name = COVERAGE + source
                yield Column(name, "boolean", meaning, source, "coverage", "", True)

    def concentration(self, where: str, step: ConcentrationSpec) -> Iterator[Column]:
        if not self._keys(where, step.of, step.by, step.as_):
            return
        kinds = self._row_kinds(step.of)
        self._condition(where, step.where, kinds)
        self._kind(f"{where}.weight", step.weight, kinds, wanted="number")
        self._check_own(where, step, self._kind(f"{where}.over", step.over, kinds))
        over, by = self._words_of(step.of, step.over), self._by_words(step.by)
        title = self.spec.sources[step.of].title
        yield from concentration_columns(step, title, _text(by), _text(over))

    def flows(self, where: str, step: FlowsSpec) -> Iterator[Column]:
        # The unit's party may stand at either end of a payment.
        ends = (step.from_, step.to)
        if not self._keys(where, step.of, (step.by, step.by), ends):
            return
        kinds = self._row_kinds(step.of)
        self._condition(where, step.where, kinds)
        self._kind(f"{where}.amount", step.amount, kinds, wanted="number")
        by = _text(self._by_words((step.by,)))
        yield from flow_columns(step, self.spec.sources[step.of].title, by)

    def rotation(self, where: str, step: RotationSpec) -> Iterator[Column]:
        named = (step.party, step.contest)
        if not self._keys(where, step.of, (step.by, step.by), named):
            return
        kinds = self._row_kinds(step.of)
        self._condition(where, step.where, kinds)
        self._kind(f"{where}.won", step.won, kinds, wanted="boolean")
        source = self.spec.sources[step.of]
        if "rotation" in step.stats and source.event_column is None:
            self._problem(
                where, f"{step.of} declares neither at nor known_at: no turns in time"
            )
        by = _text(self._by_words((step.by,)))
        yield from rotation_columns(step, source.title, by)

    def text(self, where: str, step: TextSpec) -> Iterator[Column]:
        if not self._keys(where, step.of, step.by, step.as_):
            return
        kinds = self._row_kinds(step.of)
        self._condition(where, step.where, kinds)
        problem = text_problem(step, kinds)
        if problem:
            self._problem(where, problem)
            return
        within = step.within or step.column
        if self._keys(where, step.of, step.by[:1], (within,)):
            words = [_text(self._words_of(step.of, n)) for n in (step.column, within)]
            yield from text_columns(step, self.spec.sources[step.of].title, *words)

    def associations(self) -> None:
        """Check the ties once, with the columns that the first step to use them has."""
        if not self.ties_checked:
            self.ties_checked = True
            check_associations(self._scope())

    def network(self, where: str, step: NetworkSpec) -> Iterator[Column]:
        self.associations()
        yield from network_columns(self._scope(), where, step)

    def path(self, where: str, step: PathSpec) -> Iterator[Column]:
        self.associations()
        yield from path_columns(self._scope(), where, step)

    def _scope(self) -> Scope:
        return Scope(
            self.spec,
            self.known.columns,
            lambda name: _text(self._by_words((name,))),
            lambda where, text, of: self._condition(where, text, self._row_kinds(of)),
            self._problem,
        )

    def _check_own(
        self, where: str, step: ConcentrationSpec, over: Kind | None
    ) -> None:
        if "own_share" not in step.stats:
            return
        if step.own is None and step.of != self.spec.unit.source:
            self._problem(
                where, f"own_share of {step.of} needs own:, the unit's value of over"
            )
        elif step.own is not None:
            self._kind(f"{where}.own", step.own, self.known.kinds, wanted=over)

    def _check_windows(self, where: str, step: HistorySpec) -> None:
        aggregates = {measure.aggregate for measure in step.measures.values()}
        if step.anchor != "as_of" and "nunique" in aggregates:
            self._problem(
                where, "nunique needs anchor: as_of (no distinct in a moving window)"
            )
        if step.anchor != "as_of" and self.spec.unit.at is None:
            self._problem(
                where, f"anchor: {step.anchor} needs unit.at, the unit's own date"
            )
        dated = self.spec.sources[step.of].event_column
        timed = {"days_since_first", "days_since_last", "trend"} & aggregates
        moving = step.anchor != "as_of"
        if dated is None and (timed or moving or step.windows != ("all",)):
            self._problem(
                where, f"{step.of} declares neither at nor known_at: no windows"
            )
        if "trend" in aggregates and "all" in step.windows:
            self._problem(where, "trend needs windows with a number of days")
        if "trend" in aggregates and step.anchor == "around":
            self._problem(where, "trend looks back: it needs anchor: as_of or unit")

    def _measure_fits(
        self, where: str, measure: MeasureSpec, kinds: Mapping[str, Kind]
    ) -> bool:
        kind = self._kind(where, measure.of, kinds)
        counts = ("count", "share", "days_since_first", "days_since_last")
        need = "boolean" if measure.aggregate in counts else "number"
        untouched = measure.of == "true" or measure.aggregate == "nunique"
        if not untouched and kind is not None and kind != need:
            self._problem(where, f"{measure.aggregate} needs a {need}, got a {kind}")
        return kind is not None and (untouched or kind == need)

    def _history_column(
        self, step: HistorySpec, name: str, measure: MeasureSpec, window: str
    ) -> Column:
        title = self.spec.sources[step.of].title
        words_en, words_zh = MEASURE_WORDS[measure.aggregate]
        inner_en, inner_zh = self._words_of(step.of, measure.of)
        en = measure.meaning.en if measure.meaning else words_en.format(of=inner_en)
        zh = measure.meaning.zh if measure.meaning else words_zh.format(of=inner_zh)
        by_en, by_zh = self._by_words(step.by)
        meaning = Text(
            en=f"{title.en}, same {by_en}: {en}{_window_en(step, window)}",
            zh=f"{title.zh}，同一{by_zh}：{zh}{_window_zh(step, window)}",
        )
        unit = measure.unit or MEASURE_UNITS.get(measure.aggregate, "")
        full = step.feature_name(name, window)
        return Column(full, "number", meaning, step.of, "history", unit, True)

    def _words_of(self, source: str, text: str) -> tuple[str, str]:
        """The measured expression in words: a column's meaning where it is one."""
        declared = self.spec.sources[source].columns.get(text)
        if declared is not None and declared.meaning is not None:
            return declared.meaning.en, declared.meaning.zh
        known = self.known.columns.get(text)
        return (known.meaning.en, known.meaning.zh) if known else (text, text)

    def _by_words(self, by: tuple[str, ...]) -> tuple[str, str]:
        titles = {
            role.role: role.title
            for entity in self.spec.entities.values()
            for role in entity.roles
            if role.title and role.source == self.spec.unit.source
        }
        known = self.known.columns
        texts = [
            titles.get(b) or (known[b].meaning if b in known else None) for b in by
        ]
        en = " and ".join(t.en if t else b for t, b in zip(texts, by, strict=True))
        return en, "和".join(t.zh if t else b for t, b in zip(texts, by, strict=True))

    def _keys(
        self, where: str, of: str, by: tuple[str, ...], as_: tuple[str, ...]
    ) -> bool:
        if of not in self.spec.sources:
            hint = nearest(of, self.spec.sources)
            self._problem(where, f"unknown source {of!r}{hint}")
            return False
        try:
            key_pairs(self.spec, of, by, as_, self.known.columns)
        except KeyProblem as problem:
            self._problem(where, str(problem))
            return False
        return True

    def _row_kinds(self, of: str) -> Mapping[str, Kind]:
        """Kinds of the columns of a source's rows, of its own the unit's so far."""
        own = of == self.spec.unit.source
        return self.known.kinds if own else source_kinds(self.spec, of)

    def _condition(
        self, where: str, text: str | None, kinds: Mapping[str, Kind]
    ) -> None:
        if text is not None:
            self._kind(f"{where}.where", text, kinds, wanted="boolean")

    def _column(self, where: str, name: str) -> Column | None:
        column = self.known.columns.get(name)
        if column is None:
            self._problem(where, self.known.unknown(name))
        return column

    def _kind(
        self,
        where: str,
        text: str,
        kinds: Mapping[str, Kind],
        wanted: str | None = None,
    ) -> Kind | None:
        node = parse(text)
        try:
            kind = kind_of(node, kinds)
        except ExpressionError as error:
            hidden = next((n for n in names(node) if n in self.known.excluded), None)
            self._problem(where, self.known.unknown(hidden) if hidden else str(error))
            return None
        if wanted and kind != wanted:
            self._problem(where, f"must be {wanted}, got a {kind}")
        return kind

    def _problem(self, where: str, message: str) -> None:
        self.known.problems.append(Problem(where, message))


def _text(words: tuple[str, str]) -> Text:
    return Text(en=words[0], zh=words[1])


def _level(column: Column, level: str) -> Column:
    meaning = Text(
        en=f"{column.meaning.en} is {level}", zh=f"{column.meaning.zh}为{level}"
    )
    name = f"{column.name}_is_{level}"
    return Column(name, "boolean", meaning, column.source, "levels", "", True)


def _peer_column(
    column: Column, stat: str, groups: list[Column], step: PeersSpec
) -> Column:
    en, zh = STAT_WORDS[stat]
    by_en = " and ".join(g.meaning.en for g in groups)
    by_zh = "、".join(g.meaning.zh for g in groups)
    meaning = Text(
        en=f"{column.meaning.en}: {en} (same {by_en})",
        zh=f"{column.meaning.zh}：{zh}（同{by_zh}）",
    )
    unit = "share" if stat == "percentile" else "z"
    name = f"{column.name}_{stat}_{step.named}"
    return Column(name, "number", meaning, column.source, "peers", unit, True)


def _window_en(step: HistorySpec, window: str) -> str:
    if window == "all":
        return ""
    days = window.removesuffix("d")
    return {
        "as_of": f", last {days} days",
        "unit": f", {days} days up to the unit's date",
        "around": f", within {days} days of the unit's date",
    }[step.anchor]


def _window_zh(step: HistorySpec, window: str) -> str:
    if window == "all":
        return ""
    days = window.removesuffix("d")
    return {
        "as_of": f"（近{days}天）",
        "unit": f"（该对象日期前{days}天）",
        "around": f"（该对象日期前后{days}天）",
    }[step.anchor]
