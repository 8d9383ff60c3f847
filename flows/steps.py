"""The stages as a run does them: each once for the same inputs, see `flows.kept`."""

from collections.abc import Callable
from typing import Any

from flows import engineer, group, score
from flows.intake import run_date
from flows.job import Job
from flows.kept import kept, made_by
from flows.link import Learnt, judged, link
from flows.pace import AGAIN
from flows.served import scoring_model

# Words are shown, they change no feature.
_WORDS = frozenset({"title", "meaning", "department", "description", "limits"})
LINK, FEATURES, RULES, SCORE, GROUP = "link", "features", "rules", "score", "groups"


def link_records(job: Job, learnt: Learnt | None = None) -> None:
    """`flows.link.link`, of the delivery, the declared entities and the judgements."""
    made_of = [_delivery(job), _declared(job, "entities", "unit"), judged(job), learnt]
    _step(job, LINK, made_of, lambda: link(job, learnt))


def build_features(job: Job) -> None:
    """`flows.engineer.engineer`, of the linked records and the declared features."""
    declared = _declared(job, "unit", "sources", "entities", "associations", "features")
    made_of = [_delivery(job), made_by(job, LINK), declared]
    _step(job, FEATURES, made_of, lambda: engineer.engineer(job))


def apply_rules(job: Job) -> None:
    """`flows.engineer.apply_rules`, of the features and the rules."""
    rules = [rule.model_dump(mode="json") for rule in job.model.rules]
    made_of = [made_by(job, FEATURES), rules]
    _step(job, RULES, made_of, lambda: engineer.apply_rules(job))


def score_units(job: Job) -> None:
    """`flows.score.score`, of features, flags and the version that scores."""
    champion = scoring_model(job)
    version = [champion.version, champion.run_id, champion.digest]
    made_of = [made_by(job, FEATURES, RULES), _whole(job), judged(job), version]
    _step(job, SCORE, made_of, lambda: score.score(job))


def find_groups(job: Job) -> None:
    """`flows.group.group`, of the scores and all that they were made of."""
    made_of = [made_by(job, SCORE), _whole(job)]
    _step(job, GROUP, made_of, lambda: group.group(job))


def _step(job: Job, stage: str, made_of: Any, work: Callable[[], Any]) -> None:
    if kept(job, stage, made_of, work):
        job.progress(f"{stage}{AGAIN}")


def _delivery(job: Job) -> list[Any]:
    """What was read of every source, and the date of the run."""
    with job.here() as catalog:
        as_of = run_date(job, catalog)
    return [made_by(job, *(f"source-{name}" for name in job.model.spec.sources)), as_of]


def _whole(job: Job) -> str:
    return job.model.config_hash


def _declared(job: Job, *parts: str) -> dict[str, Any]:
    spec = job.model.spec.model_dump(mode="json", by_alias=True)
    return {part: _without_words(spec[part]) for part in parts}


def _without_words(declared: Any) -> Any:
    if isinstance(declared, dict):
        kept_parts = ((k, v) for k, v in declared.items() if k not in _WORDS)
        return {name: _without_words(part) for name, part in kept_parts}
    if isinstance(declared, list):
        return [_without_words(part) for part in declared]
    return declared
