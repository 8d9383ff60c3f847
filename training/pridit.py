"""PRIDIT: weighs many weak red flags without labels.

Brockett, Derrig, Golden, Levine, Alpert (2002), 'Fraud classification using principal
component analysis of RIDITs', Journal of Risk and Insurance 69(3).
"""

from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from training.preprocess import Vector, check_columns
from training.sums import weighted_sums


class Pridit(BaseEstimator):  # type: ignore[misc]
    """First principal component of the RIDIT-scored flags; frozen at training.

    A flag that agrees with the others weighs more. A flag that never or always fires
    says nothing and weighs 0; so does one that runs against the consensus, because a
    fired flag must never lower a score.
    """

    def fit(self, H: pd.DataFrame, y: object = None) -> Self:
        """Learn rates and weights from H (units x flags, booleans)."""
        flags = _flags(H)
        self.codes_: list[str] = [str(c) for c in H.columns]
        self.rates_: Vector = flags.mean(axis=0) if len(H) else np.zeros(H.shape[1])
        norms = np.sqrt(self.rates_ * (1 - self.rates_) * len(H))
        self.scales_: Vector = np.where(norms > 0, norms, np.inf)
        self.weights_: Vector = _weights((flags - self.rates_) / self.scales_)
        return self

    def score(self, H: pd.DataFrame) -> Vector:
        """One score per unit, rising with every fired flag; 0 is the average unit."""
        check_columns("rule flag", self.codes_, H.columns)
        ridits = _flags(H[self.codes_]) - self.rates_
        return weighted_sums(ridits / self.scales_, self.weights_, order="C")

    @property
    def weight_by_code_(self) -> dict[str, float]:
        """Each flag's share of the evidence: weights >= 0 of unit length."""
        return dict(zip(self.codes_, self.weights_.tolist(), strict=True))


def _flags(H: pd.DataFrame) -> Vector:
    """0.0 and 1.0; an unknown flag did not fire."""
    columns = [H.iloc[:, i] for i in range(H.shape[1])]
    flags = [c.fillna(False).to_numpy(dtype=np.float64) for c in columns]
    return np.column_stack(flags) if flags else np.zeros((len(H), 0))


def _weights(ridits: Vector) -> Vector:
    """First eigenvector of the columns' correlations, its sign such that flags raise.

    For a 0/1 flag with rate q the RIDIT score is 1 - q when fired and -q when not: the
    centred flag. Columns come with unit length, so rare flags are heard.
    """
    correlations = ridits.T @ ridits
    known = np.diag(correlations) > 0
    if not known.any():
        return np.zeros(len(known))
    _, vectors = np.linalg.eigh(correlations[np.ix_(known, known)])
    first = vectors[:, -1] * (1.0 if vectors[:, -1].sum() >= 0 else -1.0)
    # Below 1e-12 it is the eigensolver's rounding, not evidence.
    raising = np.where(first > 1e-12, first, 0.0)
    weights = np.zeros(len(known))
    weights[known] = raising / np.linalg.norm(raising)
    return weights
