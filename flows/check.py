"""What `leadline check` looks at: golden cases, and a delivery without scoring it."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from configs.cases import CASES, load_cases
from configs.loading import LoadedModel
from features.cases import case_failures
from flows.catalog import opened
from flows.engineer import coverage_shares
from flows.intake import SourceReport, intake
from flows.job import Job
from flows.steps import build_features


def check_cases(model: LoadedModel) -> list[str]:
    """Golden cases on which a rule decides otherwise than written."""
    if not has_cases(model):
        return []
    cases = load_cases(model)
    with TemporaryDirectory() as folder, opened(Path(folder)) as catalog:
        found = catalog.rows(case_failures(model, cases).order_by("code", "number"))
    return [_disagreement(model, row) for row in found]


def has_cases(model: LoadedModel) -> bool:
    """Were golden cases written for the rules of this model?"""
    return (model.folder / CASES).is_file()


def _disagreement(model: LoadedModel, row: dict[str, Any]) -> str:
    wanted = "fire" if row["expected"] else "not fire"
    return (
        f"{model.folder / CASES}: {row['code']}[{row['number'] - 1}]: {row['case']}: the rule "
        f"must {wanted}, but does {'not' if row['expected'] else 'so'}"
    )


def check_delivery(job: Job) -> tuple[list[SourceReport], dict[str, float]]:
    """Report of every source and, where all meet their contract, whom they cover."""
    reports = intake(job)
    if any(report.problems for report in reports):
        return reports, {}
    build_features(job)
    with job.opened() as catalog:
        return reports, coverage_shares(job, catalog)
