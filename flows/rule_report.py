"""What each screening rule brings to a published list, and what it costs."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from configs.loading import load_model
from configs.settings import Settings
from flows.frames import as_rows
from flows.job import Progress, silent
from flows.labels import labels_of
from flows.past_run import PastRun, past_run
from serving import queries
from serving.records import RunRecord
from training.reorder import evidence_of, pridit_weights
from training.rule_evidence import precision_from_reviews
from training.rule_weights import Reviews, evidence_after
from training.yields import reviewed_units, rule_yields


@dataclass(frozen=True, slots=True)
class RuleReport:
    """One row per rule above the scope layer, of one published list."""

    run: RunRecord
    capacity: int
    judged: int  # units of the list that people confirmed or cleared
    shared: int  # of the first `capacity` published, how many the recomputed order has
    rules: list[dict[str, Any]]


def rule_report(
    name: str, settings: Settings, run_id: str = "", progress: Progress = silent
) -> RuleReport:
    """Yield of every rule in a run, by default the newest, and what reviews say of it.

    Raises:
        StoreError: nothing is published, or the run froze no files.
    """
    capacity = load_model(name, settings.models).spec.review.weekly_capacity
    found = queries.run(run_id) if run_id else queries.latest_run(name)
    progress(f"reading {found.id}")
    past = past_run(found, settings)
    labels = labels_of(name, settings)
    progress("leaving out each rule in turn")
    return report_of(past, labels, capacity)


def report_of(past: PastRun, labels: pd.DataFrame, capacity: int) -> RuleReport:
    """The report of an opened run; `labels` are LABELS."""
    evidence, flags = past.scorer.evidence_, past.flags
    damped = evidence.damped(flags)
    population = past.population(damped)
    yields = rule_yields(population, flags, evidence, labels, capacity)
    table = (
        _trust(past).merge(yields, on="code").merge(_learnt(past, labels), on="code")
    )
    judged = reviewed_units(population.unit_ids, labels).judged
    return RuleReport(
        past.run,
        capacity,
        int(judged.sum()),
        past.shared(
            population.first(population.fused(damped, flags), capacity), capacity
        ),
        [_plain(row) for row in as_rows(table)],
    )


def _trust(past: PastRun) -> pd.DataFrame:
    """What the rule claims, and how far it agrees with the others."""
    pridit = past.scorer.pridit_.weight_by_code_
    rows = [
        {
            "code": rule.code,
            "layer": rule.layer,
            "stated": rule.precision,
            "pridit": pridit[rule.code],
        }
        for rule in past.scorer.rules
        if rule.code in past.scorer.evidence_.evidence_
    ]
    return pd.DataFrame(rows, columns=["code", "layer", "stated", "pridit"])


def _learnt(past: PastRun, labels: pd.DataFrame) -> pd.DataFrame:
    """What reviews teach: precision with interval, and evidence were it trained anew."""
    rules, flags = past.scorer.rules, past.flags
    taught = precision_from_reviews(evidence_of(rules, flags), flags, labels)
    names = {"precision": "learnt", "low": "learnt_low", "high": "learnt_high"}
    table = taught[["code", "prior", *names]].rename(columns=names)
    reviews = Reviews(flags, past.scores["score"], labels)
    after = evidence_after(rules, flags, pridit_weights(rules, flags), reviews)
    return table.assign(evidence_learnt=table["code"].map(after.evidence_))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Unknown numbers as None: for JSON and for empty cells."""
    return {name: None if pd.isna(value) else value for name, value in row.items()}
