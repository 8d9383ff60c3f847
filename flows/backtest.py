"""What changed rules would have done to past lists and to what people said of them.

Nothing is published and nothing of the declaration is touched: published runs are read,
and compared in memory.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from configs.errors import StoreError
from configs.loading import LoadedModel, load_model
from configs.settings import Settings
from flows.archive import frozen_units
from flows.changed_rules import Rules, changed_set, differences, read_changed
from flows.job import Progress, silent
from flows.labels import labels_of
from flows.past_run import PastRun, money_of, past_run
from serving import queries
from serving.records import RunRecord
from training.reorder import evidence_of
from training.rule_changes import Past, RuleSet, compared

RUNS = 4  # lists that are looked at unless more are asked for: a month of weekly lists
BASIS = {
    "en": "The detectors' score, who is like whom and what reviews have taught the model stay as "
    "the run had them. Old and new rules are weighed anew on the run's flags, from stated "
    "precision, layer and agreement, so that the difference is the rules' alone. Nothing is "
    "published or changed.",
    "zh": "异常分、相似对象及模型从核查结论学到的内容均沿用该批次；新旧规则都按该批次的命中情况，"
    "依声明的准确率、层级和一致性重新计权，差异只来自规则。本命令不发布、不修改任何内容。",
}


@dataclass(frozen=True, slots=True)
class PastList:
    """What the changed rules would have done to one published list."""

    run: RunRecord
    same_declaration: bool  # was the list made by the declaration as it is today?
    shared: int  # of the first published, how many the order recomputed as it was has
    judged: int  # of its units, how many people confirmed or cleared
    differences: dict[str, str]  # code -> changed, added, removed
    changes: list[dict[str, Any]]  # one per code, then `all`


@dataclass(frozen=True, slots=True)
class Backtest:
    """Changed rules against past lists, newest first."""

    model: str
    capacity: int
    basis: dict[str, str]
    lists: list[PastList]
    left_out: dict[str, str]  # run -> why


def backtest(
    name: str,
    changed: Path,
    settings: Settings,
    runs: int = RUNS,
    progress: Progress = silent,
) -> Backtest:
    """Compare the rules in `changed` with those of the last published runs.

    Raises:
        DeclarationError: the file is not valid for the model, or needs what past runs
            do not keep.
        StoreError: no published run can be looked at.
    """
    model = load_model(name, settings.models)
    rules = read_changed(changed, model)
    labels = labels_of(name, settings)
    lists, left_out = [], {}
    for run in queries.runs(name)[:runs]:
        progress(f"looking at {run.id}")
        try:
            lists.append(
                _one_list(model, rules, past_run(run, settings), settings, labels)
            )
        except StoreError as error:
            left_out[run.id] = str(error)
    if not lists:
        raise StoreError(
            "no past list can be looked at:\n" + "\n".join(left_out.values())
        )
    return Backtest(name, model.spec.review.weekly_capacity, BASIS, lists, left_out)


def _one_list(
    model: LoadedModel,
    rules: Rules,
    past: PastRun,
    settings: Settings,
    labels: pd.DataFrame,
) -> PastList:
    before = RuleSet(past.scorer.rules, past.flags)
    units = frozen_units(past.run, settings)
    after = changed_set(model, rules, before, units)
    money = money_of(past.run, settings, model.spec.unit.money, past.flags.index)
    capacity = model.spec.review.weekly_capacity
    # Whoever either set of rules marks is in the reference that units are set beside.
    marked = [evidence_of(r.rules, r.flags).damped(r.flags) for r in (before, after)]
    crowd = past.population(np.maximum(*marked))
    known = Past(crowd, money, labels, capacity)
    found = differences(model, rules, past.flags.columns)
    return PastList(
        run=past.run,
        same_declaration=past.run.config_hash == model.config_hash,
        shared=past.shared(known.firsts(before)["fused"], capacity),
        judged=int(known.reviewed.judged.sum()),
        differences=found,
        changes=compared(known, before, after, list(found)),
    )
