"""One trained supervision model: from feature matrix and rule flags to ranked scores."""

import copy
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import skops.io
from sklearn.base import BaseEstimator
from skops.io.exceptions import UntrustedTypesFoundException

from configs.errors import LeadlineError, StoreError
from training.bands import ConfirmationBands
from training.ensemble import Ensemble, RankScale
from training.exploration import share_without_a_case
from training.fusion import Rule, RuleEvidence, own_evidence, ranks
from training.neighbours import NeighbourEvidence
from training.over_cores import over_cores
from training.preprocess import Matrix, Preprocessor, Vector, check_columns
from training.pridit import Pridit
from training.relations import Relations
from training.rule_weights import Reviews, evidence_moved
from training.taught import TaughtOrder

# What a stored model may contain, besides NumPy, sklearn's estimators and plain values.
# skops builds nothing else, so a file from elsewhere cannot run code.
TRUSTED_TYPES = [
    "sklearn.tree._tree.Tree",
    "training.bands.ConfirmationBands",
    "training.detectors.CutForest",
    "training.detectors.LeafDensity",
    "training.detectors.LocalRatio",
    "training.detectors.ReferenceDistance",
    "training.ensemble.Ensemble",
    "training.ensemble.LogScale",
    "training.ensemble.RankScale",
    "training.fusion.Rule",
    "training.fusion.RuleEvidence",
    "training.marginals.NormalScores",
    "training.learners.BoostedLearner",
    "training.learners.LinearLearner",
    "training.learners.TreesLearner",
    "training.model.LeadScorer",
    "training.nearest.NearestRows",
    "training.neighbours.NeighbourEvidence",
    "training.preprocess.Preprocessor",
    "training.preprocess.RobustScale",
    "training.preprocess.StandardScale",
    "training.pridit.Pridit",
    "training.review_shift.ReviewShift",
    "training.forest.IsolationTrees",
    "training.taught.TaughtOrder",
    "training.relation_trees.ResidualTrees",
    "training.relations.Relations",
]
# Raised whenever what is stored of a model changes, or what the code makes of it: an older
# file is then refused in words, before something that it lacks is asked of it.
LAYOUT = 2
MEMBER, EVIDENCE = "member_", "evidence"
PART_ROWS = 16_384  # scored at once on a core; 60 columns take some 50 MB
RANKED = {"score": "rank_score", "rules": "rank_rules", "fused": "rank_fused"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a ranker is told of units: its inputs, and the order without labels."""

    inputs: Matrix  # units x inputs
    base: Vector  # log-odds, as far as reviews have moved what rules are worth
    evidence: Vector  # log-odds before any review
    score: Vector  # detectors alone, on the rank scale


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
        self.layout_ = LAYOUT
        evidential = self._flags(H)
        self.preprocessor_ = Preprocessor().fit(X)
        matrix = self.preprocessor_.transform(X)
        self.relations_ = Relations(self.seed).fit(matrix, self.preprocessor_.known(X))
        self.ensemble_ = Ensemble(self.seed).fit(matrix)
        self.pridit_ = Pridit().fit(evidential)
        self.pridit_rank_ = RankScale().fit(self.pridit_.score(evidential))
        self.evidence_ = RuleEvidence(self.rules).fit(H, self.pridit_.weight_by_code_)
        members = self.ensemble_.member_scores(matrix)
        own = own_evidence(
            self.evidence_.damped(H), self.ensemble_.ranked(members)["score"]
        )
        self.neighbours_ = NeighbourEvidence(seed=self.seed).fit(matrix, own)
        self.fused_rank_ = RankScale().fit(self.neighbours_.transform(matrix, own))
        self.ranker_: TaughtOrder | None = None
        self.bands_: ConfirmationBands | None = None
        self.taught_: RuleEvidence | None = None
        self.explore_share_ = 0.0  # of a list, at least; raised while nothing is found
        return self

    def learn(
        self,
        X: pd.DataFrame,
        H: pd.DataFrame,
        y: Vector,
        groups: npt.NDArray[np.object_] | None = None,
        *,
        told: Told | None = None,
    ) -> "LeadScorer":
        """A copy whose fused order has learnt from dispositions; this one stays as it is.

        Detectors, rules and their scales are untouched, so that `score` and `rules`
        mean the same before and after. In the fused order reviews first move what each
        rule is worth, then lift or lower their likes; with enough cases a ranker is mixed
        in as far as it proves itself.

        Args:
            X: units x features, H: units x flags, as in `fit`.
            y: 1 confirmed, 0 excluded, NaN not known. Where nothing was confirmed yet,
                what is like the excluded falls, and `explore_share_` may rise.
            groups: units of one ring share a value and count as one.
            told: what `tell` gave for the same units, where it is known already.
        """
        _check_units(X, H)
        learnt = copy.copy(self)
        learnt.ranker_, learnt.bands_, learnt.taught_ = None, None, None
        learnt.explore_share_ = 0.0
        _check_reviewed(y)
        if not (y == 1).any():
            learnt.explore_share_ = share_without_a_case(int((y == 0).sum()))
        told = self.tell(X, H) if told is None else told
        learnt.taught_ = evidence_moved(
            self.evidence_, _reviews(H, told.score, y, groups)
        )
        told = replace(told, base=told.evidence + learnt.shift(H))
        learnt.ranker_ = ranker = TaughtOrder(self.seed).fit(
            told.inputs, told.base, y, groups
        )
        learnt.fused_rank_ = RankScale().fit(ranker.score(told.inputs, told.base))
        reviewed = ranker.reviewed_rows_
        learnt.bands_ = ConfirmationBands().fit(
            ranker.held_out_scores(told.base[reviewed]),
            y[reviewed],
            ranker.reviewed_rings_,
        )
        return learnt

    def next_reviews(self, told: Told, y: Vector, number: int) -> npt.NDArray[np.intp]:
        """Positions of the units to review next, spread over neighbourhoods.

        Args:
            told: what `tell` gives for all units of a list.
            y: what is known of them: of a unit with NaN nothing.
        """
        taught = self.ranker_ or TaughtOrder(self.seed).fit(told.inputs, told.base, y)
        return taught.next_reviews(told.inputs, told.base, y, number)

    def tell(
        self, X: pd.DataFrame, H: pd.DataFrame, scores: pd.DataFrame | None = None
    ) -> Told:
        """What a ranker is told of units: features, detector scores, rule flags.

        Args:
            scores: the SCORES of the same units, where they were scored before: their
                distances are then not measured again.
        """
        matrix = self.preprocessor_.transform(X)
        if scores is None:
            return self._told(matrix, H, self._seen(matrix, H))
        wanted = scores.set_index("unit_id").loc[X.index.astype(str)]
        columns = {name: wanted[name].to_numpy() for name in self._seen_names()}
        return self._told(matrix, H, columns)

    def _told(self, matrix: Matrix, H: pd.DataFrame, seen: dict[str, Vector]) -> Told:
        columns = dict(seen)
        evidence = columns.pop(EVIDENCE)
        score = self._score_of(columns)
        flags = H[list(self.evidence_.evidence_)].fillna(False)
        inputs = np.column_stack(
            [matrix, *columns.values(), flags.to_numpy(dtype=np.float32)]
        )
        return Told(
            inputs.astype(np.float32), evidence + self.shift(H), evidence, score
        )

    def shift(self, H: pd.DataFrame) -> Vector:
        """Log-odds by which reviews have moved what the fired rules are worth."""
        if self.taught_ is None:
            return np.zeros(len(H))
        return self.taught_.damped(H) - self.evidence_.damped(H)

    def _score_of(self, columns: dict[str, Vector]) -> Vector:
        members = {n: columns[f"{MEMBER}{n}"] for n in self.ensemble_.detectors_}
        return self.ensemble_.ranked(members)["score"]

    def input_names(self) -> list[str]:
        """The inputs of the ranker, in their order: features, detectors, rules."""
        members = [n.removeprefix(MEMBER) for n in self._seen_names()[:-1]]
        rules = list(self.evidence_.evidence_)
        return [
            *self.preprocessor_.kept_,
            *(f"detector:{name}" for name in members),
            *(f"rule:{code}" for code in rules),
        ]

    def score(
        self,
        X: pd.DataFrame,
        H: pd.DataFrame,
        *,
        as_of: datetime | None = None,
        threads: int = 1,
    ) -> pd.DataFrame:
        """The SCORES table of the units in X, best fused rank first.

        Besides the contract's columns those of `columns`. `threads`: 0 for one a core.
        """
        _check_units(X, H)
        starts = range(0, max(len(X), 1), PART_ROWS)
        rows = (slice(start, start + PART_ROWS) for start in starts)
        parts = ((X.iloc[part], H.iloc[part]) for part in rows)
        scored = list(over_cores(lambda part: self.columns(*part), parts, threads))
        table = {n: np.concatenate([part[n] for part in scored]) for n in scored[0]}
        return _scores_table(pd.DataFrame(table), X.index.astype(str), as_of)

    def columns(self, X: pd.DataFrame, H: pd.DataFrame) -> dict[str, Vector]:
        """All scores of some units, in the order of X; each unit's hang by its row alone.

        `score`, `rules` and `fused`; `score_<member>` and `score_pridit`, in [0, 1];
        `member_<name>` in sd and `evidence` in log-odds, from which a ranker learns; and,
        once enough was reviewed, `band_low` and `band_high`. A million rows x 30 columns
        take 75 seconds of one core, 90 where reviews have taught the order.

        Args:
            X: units x features, H: units x flags, in the same order; not checked.
        """
        evidential = self._flags(H)
        matrix = self.preprocessor_.transform(X)
        seen = self._seen(matrix, H)
        members = {n: seen[f"{MEMBER}{n}"] for n in self.ensemble_.detectors_}
        columns = self.ensemble_.ranked(members)
        columns["rules"] = self.evidence_.score(H)
        order = self._order(matrix, H, seen)
        columns["fused"] = self.fused_rank_.transform(order)
        pridit = self.pridit_.score(evidential)
        columns["score_pridit"] = self.pridit_rank_.transform(pridit)
        if self.bands_ is not None and len(self.bands_.edges_):
            low, high = self.bands_.transform(order)
            columns |= {"band_low": low, "band_high": high}
        return columns | seen

    def _seen(self, matrix: Matrix, H: pd.DataFrame) -> dict[str, Vector]:
        """Member scores in sd, those told aside, and the evidence before any review."""
        members = self.ensemble_.member_scores(matrix)
        score = self.ensemble_.ranked(members)["score"]
        own = own_evidence(self.evidence_.damped(H), score)
        aside = self.ensemble_.aside_scores(matrix)
        named = {f"{MEMBER}{name}": v for name, v in (members | aside).items()}
        return named | {EVIDENCE: self.neighbours_.transform(matrix, own)}

    def _seen_names(self) -> list[str]:
        names = (*self.ensemble_.detectors_, *self.ensemble_.aside_)
        return [*(f"{MEMBER}{name}" for name in names), EVIDENCE]

    def _order(
        self, matrix: Matrix, H: pd.DataFrame, seen: dict[str, Vector]
    ) -> Vector:
        """What the fused order goes by: the evidence, or what reviews made of it."""
        if self.ranker_ is None:
            return seen[EVIDENCE]
        told = self._told(matrix, H, seen)
        return self.ranker_.score(told.inputs, told.base)

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
        if (layout := getattr(loaded, "layout_", None)) != LAYOUT:
            raise StoreError(
                f"{path}: was trained by another Leadline (layout {layout}, this one "
                f"reads {LAYOUT}); train again, or use the Leadline of its time"
            )
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
    return table[in_order(table.columns)].sort_values("rank_fused", ignore_index=True)


def in_order(columns: Iterable[str]) -> list[str]:
    """The columns of a SCORES table as they stand in it: the contract's first."""
    first = ["unit_id", "as_of", *RANKED, *RANKED.values()]
    return first + [column for column in columns if column not in first]


def _reviews(
    H: pd.DataFrame,
    score: Vector,
    y: Vector,
    groups: npt.NDArray[np.object_] | None,
) -> Reviews:
    """The reviewed units as the weighing of rules takes them; a ring is one example."""
    known = ~np.isnan(y)
    units = H.index[known]
    labels = pd.DataFrame({"unit_id": units, "label": y[known], "run_id": ""})
    labels["group_id"] = None if groups is None else groups[known]
    return Reviews(H[known], pd.Series(score[known], units), labels)


def _check_reviewed(y: Vector) -> None:
    if np.isnan(y).all():
        raise LeadlineError(
            "nobody has confirmed or excluded a unit yet, so there is nothing to learn "
            "from; record what was concluded with: leadline dispose MODEL UNIT VERDICT"
        )


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
