"""Stage 4: fit the detectors and rule evidence, record the run, register the model."""

from collections.abc import Iterator

import pandas as pd
import pyarrow.parquet as pq

from configs import common
from configs.loading import LoadedModel
from flows.catalog import Catalog
from flows.engineer import FLAGS, FUNNEL, MATRIX
from flows.frames import dictionary
from flows.inputs import Inputs, Rows
from flows.intake import fingerprints, load_reports
from flows.job import Job
from flows.judge import judging
from flows.link import learnt_in, link_metrics
from flows.releases import Registered, release_trained
from training.fusion import SCOPE_LAYER, Rule
from training.model import LeadScorer
from training.records import TrainingRun
from training.sampling import Mask, sampled
from training.tracking import Tracking


def train(job: Job, *, promote: bool = False) -> Registered:
    """Fit on a bounded sample of the feature matrix and register the result.

    The new version becomes the challenger; champion too when there is none yet. With
    `promote` it is proposed, or promoted where the model asks for one approval.
    """
    judging(job.settings)  # found out before the work: releases bear a name
    job.progress("fitting the detectors")
    quiet = job.quiet()
    with job.opened() as catalog:
        run = catalog.apart(lambda own: _training_run(quiet, own))
    job.progress("recording the run in MLflow")
    trained = Tracking(job.settings.mlruns).train_run(run)
    approvals = job.model.spec.review.approvals
    return release_trained(
        job.model_id, job.settings, trained, promote=promote, approvals=approvals
    )


def _training_run(job: Job, catalog: Catalog) -> TrainingRun:
    spec = job.model.spec
    features, flags = _sample(catalog, job.model)
    rules = tuple(Rule(r.code, r.layer, r.precision) for r in job.model.rules)
    scorer = LeadScorer(rules=rules, seed=spec.detectors.seed).fit(features, flags)
    counts = catalog.load_json(FUNNEL)
    return TrainingRun(
        model=spec.id,
        scorer=scorer,
        features=features,
        scores=scorer.score(features, flags, threads=job.settings.threads),
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


def _sample(catalog: Catalog, model: LoadedModel) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features and flags that train."""
    detectors = model.spec.detectors
    names = [c.name for c in model.known.features if c.name not in detectors.exclude]
    codes = [rule.code for rule in model.rules]
    inputs = Inputs(catalog.path(MATRIX), catalog.path(FLAGS), names, codes)
    return inputs.rows(training_places(inputs, model))


def training_places(inputs: Inputs, model: LoadedModel) -> Rows:
    """Which units train: a bounded number, rare hits among them (`training.sampling`)."""
    detectors = model.spec.detectors
    evident = {rule.code for rule in model.rules if rule.layer > SCOPE_LAYER}
    hits = _fired(inputs, [code for code in inputs.codes if code in evident])
    return sampled(len(inputs), hits, detectors.sample, detectors.seed)


def _fired(inputs: Inputs, codes: list[str]) -> Iterator[Mask]:
    for code in codes:
        column = pq.read_table(inputs.flags, columns=[code])[code]
        yield column.fill_null(False).to_numpy()


def declaration(model: LoadedModel) -> dict[str, str]:
    """The files that the configuration hash is taken of; past lists are rebuilt from it."""
    names = ("model.yaml", model.spec.rules_file)
    own = {name: (model.folder / name).read_text("utf-8") for name in names}
    return own | {common.NAME: common.common_file(model.folder).read_text("utf-8")}


def funnel_steps(counts: dict[str, int]) -> dict[str, int]:
    """Units in all, and units left after each layer."""
    left = {k: int(v) for k, v in counts.items() if k.startswith("left_")}
    return {"units": int(counts["units"]), **left}
