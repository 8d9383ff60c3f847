"""One trained supervision model: from feature matrix and rule flags to ranked scores."""

import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Self

import pandas as pd
import skops.io
from sklearn.base import BaseEstimator
from skops.io.exceptions import UntrustedTypesFoundException

from configs.errors import LeadlineError, StoreError
from training.ensemble import Ensemble, RankScale
from training.fusion import Rule, RuleEvidence, own_evidence, ranks
from training.neighbours import NeighbourEvidence
from training.preprocess import Preprocessor, check_columns
from training.pridit import Pridit

# What a stored model may contain, besides NumPy, sklearn's estimators and plain values.
# skops builds nothing else, so a file from elsewhere cannot run code.
TRUSTED_TYPES = [
    "training.detectors.CutForest",
    "training.detectors.LeafDensity",
    "training.detectors.ReferenceDistance",
    "training.ensemble.Ensemble",
    "training.ensemble.LogScale",
    "training.ensemble.RankScale",
    "training.fusion.Rule",
    "training.fusion.RuleEvidence",
    "training.marginals.NormalScores",
    "training.model.LeadScorer",
    "training.nearest.NearestRows",
    "training.neighbours.NeighbourEvidence",
    "training.preprocess.Preprocessor",
    "training.preprocess.RobustScale",
    "training.preprocess.StandardScale",
    "training.pridit.Pridit",
    "training.relation_trees.ResidualTrees",
    "training.relations.Relations",
]
RANKED = {"score": "rank_score", "rules": "rank_rules", "fused": "rank_fused"}


class LeadScorer(BaseEstimator):  # type: ignore[misc]
    """Scores units by detectors, by rules and by both; a row's scores need no batch."""

    def __init__(
        self,
        rules: tuple[Rule, ...] = (),
        seed: int = 0,
    ) -> None:
        self.rules = rules
        self.seed = seed

    def fit(self, X: pd.DataFrame, H: pd.DataFrame) -> Self:
        """Learn from X (units x features, NaN = unknown) and H (units x rule flags).

        Both are indexed by unit_id in the same order. Raises LeadlineError when they
        disagree, when a rule has no flag or when no feature varies.
        """
        _check_units(X, H)
        evidential = self._flags(H)
        self.preprocessor_ = Preprocessor().fit(X)
        matrix = self.preprocessor_.transform(X)
        self.ensemble_ = Ensemble(self.seed).fit(matrix)
        self.pridit_ = Pridit().fit(evidential)
        self.pridit_rank_ = RankScale().fit(self.pridit_.score(evidential))
        self.evidence_ = RuleEvidence(self.rules).fit(H, self.pridit_.weight_by_code_)
        own = own_evidence(
            self.evidence_.damped(H), self.ensemble_.rank_scores(matrix)["score"]
        )
        self.neighbours_ = NeighbourEvidence(seed=self.seed).fit(matrix, own)
        self.fused_rank_ = RankScale().fit(self.neighbours_.transform(matrix, own))
        return self

    def score(
        self, X: pd.DataFrame, H: pd.DataFrame, *, as_of: datetime | None = None
    ) -> pd.DataFrame:
        """The SCORES table of the units in X, best fused rank first.

        Besides the contract's columns: `score_<member>` and `score_pridit`, in [0, 1].
        """
        _check_units(X, H)
        evidential = self._flags(H)
        matrix = self.preprocessor_.transform(X)
        columns = self.ensemble_.rank_scores(matrix)
        columns["rules"] = self.evidence_.score(H)
        own = own_evidence(self.evidence_.damped(H), columns["score"])
        columns["fused"] = self.fused_rank_.transform(
            self.neighbours_.transform(matrix, own)
        )
        pridit = self.pridit_.score(evidential)
        columns["score_pridit"] = self.pridit_rank_.transform(pridit)
        return _scores_table(pd.DataFrame(columns), X.index.astype(str), as_of)

    @property
    def features(self) -> list[str]:
        """The feature columns that `score` asks for, in the order of training."""
        return self.preprocessor_.features_

    @property
    def rule_codes(self) -> list[str]:
        """The flag columns that `score` asks for."""
        return [rule.code for rule in self.rules]

    def save(self, path: Path) -> None:
        """Write the model to one compressed file that contains no pickle."""
        skops.io.dump(self, path, compression=zipfile.ZIP_DEFLATED)

    @classmethod
    def load(cls, path: Path) -> "LeadScorer":
        """Read a model; StoreError when the file is no model or holds unknown types."""
        try:
            loaded = skops.io.load(path, trusted=TRUSTED_TYPES)
        except UntrustedTypesFoundException as error:
            raise StoreError(f"{path}: refused, {error}") from error
        except (zipfile.BadZipFile, KeyError, OSError) as error:
            raise StoreError(f"{path}: not a stored model ({error})") from error
        if not isinstance(loaded, cls):
            raise StoreError(f"{path}: holds a {type(loaded).__name__}, not a model")
        return loaded

    def _flags(self, H: pd.DataFrame) -> pd.DataFrame:
        """The flags that are evidence, after checking that none is missing."""
        check_columns("rule flag", self.rule_codes, H.columns)
        return H[[rule.code for rule in self.rules if rule.layer > 1]]


def _scores_table(
    scores: pd.DataFrame, unit_ids: Iterable[str], as_of: datetime | None
) -> pd.DataFrame:
    table = scores.copy()
    table.insert(0, "unit_id", list(unit_ids))
    table.insert(1, "as_of", pd.Series(as_of, table.index, dtype="datetime64[us]"))
    for column, rank in RANKED.items():
        table[rank] = ranks(table[column].to_numpy(), table["unit_id"].tolist())
    first = ["unit_id", "as_of", *RANKED, *RANKED.values()]
    rest = [c for c in table.columns if c not in first]
    return table[first + rest].sort_values("rank_fused", ignore_index=True)


def _check_units(X: pd.DataFrame, H: pd.DataFrame) -> None:
    """Features and flags must speak of the same units, each once."""
    if not X.index.equals(H.index):
        raise LeadlineError(
            f"features cover {len(X)} units and rule flags {len(H)}; "
            "both must be indexed by unit_id in the same order"
        )
    if X.index.has_duplicates:
        twice = X.index[X.index.duplicated()][0]
        raise LeadlineError(f"unit {twice!r} occurs more than once in the features")
