"""Stage 4: fit the detectors and rule evidence, record the run, register the model."""

from configs import common
from configs.loading import LoadedModel
from flows.catalog import Catalog
from flows.engineer import FUNNEL
from flows.frames import dictionary, flags_frame, matrix_frame, sampled
from flows.intake import fingerprints, load_reports
from flows.job import Job
from flows.judge import judging
from flows.link import learnt_in, link_metrics
from flows.releases import Registered, release_trained
from training.fusion import Rule
from training.model import LeadScorer
from training.records import TrainingRun
from training.tracking import Tracking


def train(job: Job, *, promote: bool = False) -> Registered:
    """Fit on a bounded sample of the feature matrix and register the result.

    The new version becomes the challenger; champion too when there is none yet. With
    `promote` it is proposed, or promoted where the model asks for one approval.
    """
    judging(job.settings)  # found out before the work: releases bear a name
    with job.opened() as catalog:
        job.progress("fitting the detectors")
        run = _training_run(job, catalog)
    job.progress("recording the run in MLflow")
    trained = Tracking(job.settings.mlruns).train_run(run)
    approvals = job.model.spec.review.approvals
    return release_trained(
        job.model_id, job.settings, trained, promote=promote, approvals=approvals
    )


def _training_run(job: Job, catalog: Catalog) -> TrainingRun:
    spec = job.model.spec
    features, flags = matrix_frame(catalog, job.model), flags_frame(catalog)
    chosen = sampled(len(features), spec.detectors.sample, spec.detectors.seed)
    features, flags = features.iloc[chosen], flags.iloc[chosen]
    rules = tuple(Rule(r.code, r.layer, r.precision) for r in job.model.rules)
    scorer = LeadScorer(rules=rules, seed=spec.detectors.seed).fit(features, flags)
    counts = catalog.load_json(FUNNEL)
    return TrainingRun(
        model=spec.id,
        scorer=scorer,
        features=features,
        scores=scorer.score(features, flags),
        config=spec.model_dump(mode="json", by_alias=True),
        config_hash=job.model.config_hash,
        fingerprints=fingerprints(load_reports(catalog)),
        dictionary=dictionary(job.model),
        rule_hits={code: int(flags[code].sum()) for code in flags.columns},
        funnel=funnel_steps(counts),
        metrics=link_metrics(catalog),
        linkage=learnt_in(catalog),
        tags={"as_of": counts["as_of"]},
        declaration=declaration(job.model),
    )


def declaration(model: LoadedModel) -> dict[str, str]:
    """The files that the configuration hash is taken of; past lists are rebuilt from it."""
    names = ("model.yaml", model.spec.rules_file)
    own = {name: (model.folder / name).read_text("utf-8") for name in names}
    return own | {common.NAME: common.common_file(model.folder).read_text("utf-8")}


def funnel_steps(counts: dict[str, int]) -> dict[str, int]:
    """Units in all, and units left after each layer."""
    left = {k: int(v) for k, v in counts.items() if k.startswith("left_")}
    return {"units": int(counts["units"]), **left}
