"""Classes of confirmed leads, what each has in common, and a draft rule for each.

Nothing is activated: a person who accepts a draft copies it into rules.yaml.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from configs.column import Column
from configs.settings import Settings
from configs.spec import Text
from flows.archive import FrozenUnits, frozen_units
from flows.draft_columns import draft_columns
from flows.draft_text import block, expression, in_words, joined, layer_of
from flows.frozen import FrozenRun, frozen_run, likeness_of
from flows.job import Progress, silent
from flows.labels import labels_of
from serving.dispositions import groups_among
from serving.records import RunRecord
from training.classes import case_numbers, find_classes
from training.conditions import Condition, Facts, Mask
from training.draft_figures import Dates, Figures, figures
from training.draft_rules import FEWEST_CASES, FEWEST_LEADS, Class, Judged, draft_rule
from training.traits import Members, Trait, naming, over_represented, usual_traits

TRAITS_SHOWN = 8
NO_NAME = Text(en="no trait stands out", zh="无突出特征")
TOO_FEW = Text(
    en=f"no draft: it takes {FEWEST_LEADS} confirmed leads from {FEWEST_CASES} cases; with "
    "fewer a rule may fit them and nobody else",
    zh=f"不提出草案：至少需要{FEWEST_CASES}个案件中的{FEWEST_LEADS}条已查实线索，"
    "数量过少时规则可能只适用于这些线索本身",
)
NONE_STANDS_OUT = Text(
    en="no draft: no conjunction of conditions holds on half of the cases and on few others",
    zh="不提出草案：没有条件组合既覆盖半数案件又很少命中其他对象",
)


@dataclass(frozen=True, slots=True)
class SharedTrait:
    """A trait that the cases of a class have more often than all units."""

    text_en: str
    text_zh: str
    cases: int
    share: float
    population: float
    ratio: float
    p: float


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule that nobody has accepted; `block` is ready for rules.yaml."""

    code: str
    layer: int
    when: str
    block: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class LeadClass:
    """Confirmed leads that are alike.

    Attributes:
        centre: the lead that is most like the others.
        no_draft_en, no_draft_zh: why there is no draft; empty where there is one.
    """

    number: int
    name_en: str
    name_zh: str
    leads: int
    cases: int
    centre: str
    units: list[str]
    traits: list[SharedTrait]
    draft: Draft | None
    no_draft_en: str
    no_draft_zh: str


@dataclass(frozen=True, slots=True)
class ClassReport:
    """The classes of a model's confirmed leads, as a run knows them.

    Attributes:
        elsewhere: confirmed leads that the run does not hold.
        single: confirmed leads whose case is like no other.
    """

    run: RunRecord
    confirmed: int
    excluded: int
    elsewhere: int
    classes: list[LeadClass]
    single: list[str]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What is judged of a run's units, and the run's units as facts."""

    judged: Judged
    facts: Facts
    columns: dict[str, Column]
    inside: Mask
    dates: Dates | None

    @property
    def confirmed(self) -> Judged:
        return self.judged.where(self.judged.labels == 1)


def classes(
    name: str, settings: Settings, run_id: str = "", progress: Progress = silent
) -> ClassReport:
    """Group the confirmed leads that a run holds, and draft a rule for each class.

    Raises:
        StoreError: nothing is published, or the run froze no features.
    """
    frozen = frozen_run(name, settings, run_id)
    labels = labels_of(name, settings)
    progress(f"reading {frozen.run.id}")
    reviewed = reviewed_of(frozen, labels)
    confirmed = reviewed.confirmed
    progress(f"comparing {len(confirmed.rows):,} confirmed leads")
    likeness = likeness_of(frozen)
    ids = frozen.flags.index[confirmed.rows].tolist()
    X = frozen.rows(likeness.features_, ids)
    found = find_classes(likeness.traits(X, frozen.flags.loc[ids]), confirmed.cases)
    members = [Members(confirmed.rows[m.rows], m.cases) for m in found.classes]
    progress("looking for what they have in common")
    traits = over_represented(
        members, reviewed.facts, usual_traits(reviewed.facts, reviewed.columns)
    )
    centres = [ids[found.centre(m)] for m in found.classes]
    described = []
    for number, (some, own) in enumerate(zip(members, traits, strict=True), 1):
        progress(f"drafting a rule for class {number}")
        described.append(
            _described(number, centres[number - 1], some, own, frozen, reviewed)
        )
    confirmed_in_all = int((labels["label"] == 1).sum())
    return ClassReport(
        run=frozen.run,
        confirmed=len(confirmed.rows),
        excluded=int((reviewed.judged.labels == 0).sum()),
        elsewhere=confirmed_in_all - len(confirmed.rows),
        classes=described,
        single=[ids[row] for row in found.single],
    )


def reviewed_of(frozen: FrozenRun, labels: pd.DataFrame) -> Reviewed:
    """The judged units of a run, a ring being one case, and all units as facts.

    Args:
        labels: LABELS, of any run; a unit is taken as the asked run knows it.
    """
    units = frozen_units(frozen.run, frozen.settings)
    columns = draft_columns(frozen.model, list(frozen.features), units.columns)
    here = labels[labels["unit_id"].isin(frozen.flags.index)].dropna(subset="label")
    return Reviewed(
        judged=_judged(frozen, here),
        facts=Facts(_facts(frozen, units, columns), frozen.flags[frozen.evident]),
        columns=columns,
        inside=frozen.inside,
        dates=_dates(frozen, units),
    )


def _judged(frozen: FrozenRun, labels: pd.DataFrame) -> Judged:
    """Rows, labels and cases: who stands in one group now or did when reviewed."""
    now = groups_among(frozen.run.id, labels["unit_id"])
    today = labels["unit_id"].map(now)
    then = labels["run_id"].str.cat(labels["group_id"], sep="\0")  # null where alone
    rows = frozen.flags.index.get_indexer(pd.Index(labels["unit_id"]))
    return Judged(
        np.asarray(rows, dtype=np.intp),
        labels["label"].to_numpy(dtype=np.float64),
        case_numbers([today.reset_index(drop=True), then.reset_index(drop=True)]),
    )


def _facts(
    frozen: FrozenRun, units: FrozenUnits, columns: dict[str, Column]
) -> pd.DataFrame:
    """Features and categories of all units, in the order of the flags."""
    features = [name for name, column in columns.items() if column.kind != "text"]
    categories = [name for name, column in columns.items() if column.kind == "text"]
    table = frozen.whole(features).loc[frozen.flags.index]
    texts = units.read(categories).to_pandas()
    texts = texts.set_index("unit_id").loc[frozen.flags.index]
    return table.assign(**{name: texts[name] for name in categories})


def _dates(frozen: FrozenRun, units: FrozenUnits) -> Dates | None:
    at = frozen.model.spec.unit.at
    if at is None or at not in units.columns:
        return None
    table = units.read([at]).to_pandas()
    dates = table.set_index("unit_id")[at].loc[frozen.flags.index]
    return np.asarray(pd.to_datetime(dates).to_numpy(dtype="datetime64[us]"))


def _described(
    number: int,
    centre: str,
    members: Members,
    traits: Sequence[Trait],
    frozen: FrozenRun,
    reviewed: Reviewed,
) -> LeadClass:
    of = Class(
        reviewed.facts, reviewed.columns, members, reviewed.judged, reviewed.inside
    )
    named = naming(traits, reviewed.facts)
    texts = [in_words(trait.condition, reviewed.columns) for trait in named]
    name = joined(texts) if texts else NO_NAME
    conditions = draft_rule(of)
    draft = None
    missing = NONE_STANDS_OUT if of.is_enough else TOO_FEW
    if conditions is not None:
        measured = figures(conditions, of, reviewed.dates)
        draft = _draft(number, conditions, reviewed.columns, name, measured)
    return LeadClass(
        number=number,
        name_en=name.en,
        name_zh=name.zh,
        leads=len(members.rows),
        cases=members.case_count,
        centre=centre,
        units=frozen.flags.index[members.rows].tolist(),
        traits=[_shared(t, reviewed.columns) for t in traits[:TRAITS_SHOWN]],
        draft=draft,
        no_draft_en="" if draft else missing.en,
        no_draft_zh="" if draft else missing.zh,
    )


def _shared(trait: Trait, columns: dict[str, Column]) -> SharedTrait:
    text = in_words(trait.condition, columns)
    return SharedTrait(
        text.en,
        text.zh,
        trait.cases,
        trait.share,
        trait.population,
        trait.ratio,
        trait.p,
    )


def _draft(
    number: int,
    conditions: Sequence[Condition],
    columns: dict[str, Column],
    name: Text,
    measured: Figures,
) -> Draft:
    code = f"DRAFT{number}"
    return Draft(
        code=code,
        layer=layer_of(conditions, columns),
        when=expression(conditions),
        block=block(code, conditions, columns, list(_notes(number, name, measured))),
        figures=measured,
    )


def _notes(number: int, name: Text, measured: Figures) -> Iterator[str]:
    """What stands above a draft in a file, so that it is not forgotten."""
    yield f"DRAFT from class {number}, accepted by nobody yet · 草案，尚未采纳"
    yield f"{name.en} · {name.zh}"
    right = measured.precision
    yield (
        f"found in {measured.support:.1f} of {measured.cases} cases; {measured.confirmed} "
        f"of its reviewed hits confirmed, {measured.excluded} excluded (by cases "
        f"{right.low:.0%} to {right.high:.0%}); {measured.hits:,} hits in all, "
        f"{measured.new:,} of which no rule hits today"
    )
    kept = measured.held_out
    found = f"{kept.support:.0%} of the cases found"
    share = kept.precision.share
    judged = f"{share:.0%} of its reviewed hits confirmed" if share is not None else ""
    yield f"drafted without them: {', '.join(filter(None, (found, judged)))}"
