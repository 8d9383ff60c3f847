"""Registry tables of firms (`illegal_fundraising`): the product's own feature matrix.

The folder's supervision model is read, checked and engineered as a run does it. One kind of
column is added: the hashed id of a firm has 48 characters, of which the first 16 are the
same for many firms (56 values), so that they stand for what an id begins with: the
registering authority. They are known of every firm, with and without records elsewhere.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from configs.loading import load_model
from configs.settings import Settings, silence_telemetry
from training.fusion import Rule
from training.model import LeadScorer, Told

MODEL = "illegal_fundraising"
AUTHORITY_CHARACTERS = 16
# An authority with fewer firms is one of the others.
LARGE_AUTHORITY = 50


def product_matrix(data: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Feature matrix and rule flags of every firm, by unit id, as the model declares them."""
    from flows.frames import flags_frame, matrix_frame
    from flows.job import new_job
    from flows.pipeline import prepare

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        silence_telemetry(settings)
        job = new_job(MODEL, str(data / MODEL), settings)
        prepare(job)
        with job.opened() as catalog:
            matrix, flags = matrix_frame(catalog, job.model), flags_frame(catalog)
    return matrix.astype(float), flags


def told(matrix: pd.DataFrame, flags: pd.DataFrame) -> Told:
    """What the product's scorer, fitted without labels, tells a ranker of every firm."""
    model = load_model(MODEL, Settings().models)
    rules = tuple(Rule(r.code, r.layer, r.precision) for r in model.rules)
    scorer = LeadScorer(rules=rules, seed=model.spec.detectors.seed)
    return scorer.fit(matrix, flags).tell(matrix, flags)


def authorities(units: pd.Index) -> pd.DataFrame:
    """Share of the firms at the same authority, and one flag per large authority."""
    authority = pd.Series(units.str[:AUTHORITY_CHARACTERS], index=units)
    count = authority.map(authority.value_counts())
    named = authority.where(count >= LARGE_AUTHORITY, "other")
    order = {name: i for i, name in enumerate(sorted(named.unique()))}
    flags = pd.get_dummies(named.map(order), prefix="authority", dtype=float)
    return flags.assign(authority_share=np.log(count / len(units)))


def firm_labels(data: Path) -> pd.Series:
    """Label of each firm of both deliveries: 1, 0, NaN = not given."""
    folder = data / MODEL
    known = pd.read_csv(folder / "entprise_info.csv", index_col="id")["label"]
    further = pd.read_csv(folder / "entprise_evaluate.csv", index_col="id")
    return pd.concat([known, pd.Series(np.nan, index=further.index)]).astype(float)
