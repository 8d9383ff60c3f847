"""A published run as it stood: frozen flags, score and features, and its own model."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from configs.settings import Settings
from flows.archive import archived, frozen_units
from flows.inputs import Inputs
from serving.records import RunRecord
from training.model import LeadScorer
from training.preprocess import Vector
from training.reorder import Mask, Population, population
from training.tracking import Tracking


@dataclass(frozen=True, slots=True)
class PastRun:
    """What rules can be weighed on anew; rows of all parts in the order of unit_id."""

    run: RunRecord
    scorer: LeadScorer
    scores: pd.DataFrame  # SCORES, indexed by unit_id
    flags: pd.DataFrame  # units x codes, indexed by unit_id
    features: pd.DataFrame  # units x features, indexed by unit_id

    def population(self, damped: Vector) -> Population:
        """The units with who is like whom; `damped` as `training.reorder.population`."""
        return population(
            self.scorer, self.features, self.flags, self.scores.reset_index(), damped
        )

    def shared(self, first: Mask, capacity: int) -> int:
        """How many of the first `capacity` that were published are among these."""
        published = self.scores["rank_fused"].to_numpy() <= capacity
        return int((published & first).sum())


def past_run(run: RunRecord, settings: Settings) -> PastRun:
    """Open a run's frozen files and the model version that scored it.

    Raises:
        StoreError: the run froze no files, or one of them or of the model was changed.
    """
    flags = pd.read_parquet(archived(run, settings, "rule_flags"))
    flags = flags.drop(columns="as_of").set_index("unit_id")
    scores = pd.read_parquet(archived(run, settings, "scores")).set_index("unit_id")
    scores = scores.loc[flags.index]
    tracking = Tracking(settings.mlruns)
    version = tracking.version(run.model_id, int(run.model_version))
    scorer = tracking.open(version).scorer
    features = _features(run, settings, scorer, flags.index)
    return PastRun(run, scorer, scores, flags, features)


def frozen_inputs(
    run: RunRecord, settings: Settings, features: Sequence[str], codes: Sequence[str]
) -> Inputs:
    """Features and flags as they were frozen with a published run.

    Raises:
        StoreError: the run froze no files, or they were changed.
    """
    matrix, flags = (
        archived(run, settings, "feature_matrix"),
        archived(run, settings, "rule_flags"),
    )
    return Inputs(matrix, flags, features, codes)


def money_of(
    run: RunRecord, settings: Settings, column: str | None, units: pd.Index
) -> Vector | None:
    """Yuan at stake of each unit; None where the model declares none or hides it."""
    if column is None:
        return None
    kept = frozen_units(run, settings)
    if column not in kept.columns:
        return None
    table = kept.read([column]).to_pandas().set_index("unit_id")
    money: Vector = (
        table[column].loc[units].to_numpy(dtype="float64", na_value=float("nan"))
    )
    return money


def _features(
    run: RunRecord, settings: Settings, scorer: LeadScorer, units: pd.Index
) -> pd.DataFrame:
    """The run's features that its model asks for, in the order of `units`."""
    path = archived(run, settings, "feature_matrix")
    table = pd.read_parquet(path, columns=["unit_id", *scorer.features])
    return table.set_index("unit_id").loc[units].astype("float64")
