"""What reviews say of each screening rule: which share of its hits was confirmed.

The prior is what the rule is trusted with before any review (its stated precision, else
that of its layer), worth a fixed number of reviews; counted hits move it from there.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import beta

from training.fusion import RuleEvidence
from training.preprocess import Vector

# How many reviewed cases a prior is worth. By the method of moments stated precisions lie
# from what labels say as far as if they were worth 0.5 cases (11 rules on real firms) to
# 2 (17 rules on simulated claims). More is assumed, because reviews begin at the head of
# the list, where every rule looks right.
STATED_STRENGTH = 5.0
DEFAULT_STRENGTH = 2.0
LEVEL = 0.95

Shares = float | Vector


def precision_from_reviews(
    evidence: RuleEvidence, H: pd.DataFrame, labels: pd.DataFrame
) -> pd.DataFrame:
    """Per rule of layers 2-4, its precision after the reviews, with a 95 % interval.

    Columns: `code`, `prior`, `strength` (reviews that the prior is worth), `judged` and
    `confirmed` (reviewed cases among the hits; a ring is one case), `precision` (mean
    of the Beta posterior), `low`, `high`. A rule without reviewed hits keeps its prior.

    Reviews start at the head of a list, where other evidence stands beside the rule:
    the precision is that of the hits that were reviewed, not of all hits.

    Args:
        evidence: fitted without reviews.
        H: flags under which the units were reviewed, one row per unit_id.
        labels: LABELS; of it `unit_id`, `label` (1 confirmed, 0 cleared), `run_id` and
            `group_id` (null: alone). Units without flags or label are left out.
    """
    codes = list(evidence.priors_)
    table = reviewed_hits(codes, H, labels)
    stated = {rule.code for rule in evidence.rules if rule.precision is not None}
    table.insert(1, "prior", [evidence.priors_[code] for code in codes])
    strength = [STATED_STRENGTH if c in stated else DEFAULT_STRENGTH for c in codes]
    table.insert(2, "strength", np.array(strength, dtype=np.float64))
    return pd.concat([table, _posterior(table)], axis=1)


def reviewed_hits(
    codes: Sequence[str], H: pd.DataFrame, labels: pd.DataFrame
) -> pd.DataFrame:
    """`code`, `judged`, `confirmed`: reviewed cases among each rule's hits.

    The members of one ring that a rule hit are one case together: each counts
    1 / members, so a ring judged in two ways counts in parts.
    """
    known = labels.dropna(subset="label")
    known = known[known["unit_id"].isin(H.index)]
    fired = flags_of(H.loc[known["unit_id"], list(codes)])
    truth = known["label"].to_numpy(dtype=np.float64)
    weights = fired / np.maximum(_hit_in_ring(fired, known), 1.0)
    counts = {"judged": weights.sum(axis=0), "confirmed": truth @ weights}
    return pd.DataFrame({"code": list(codes), **counts})


def share_interval(
    confirmed: Shares, judged: Shares, level: float = LEVEL
) -> tuple[Vector, Vector]:
    """Jeffreys interval of confirmed / judged, for counts in parts too.

    (0, 1) where nothing was judged (Brown, Cai, DasGupta 2001).
    """
    hits, trials = np.asarray(confirmed, float), np.asarray(judged, float)
    low, high = _bounds(hits + 0.5, trials - hits + 0.5, level)
    low = np.where((trials == 0) | (hits <= 0), 0.0, low)
    return low, np.where((trials == 0) | (hits >= trials), 1.0, high)


def flags_of(H: pd.DataFrame) -> Vector:
    """1.0 where a rule fired; an unknown flag did not."""
    return np.asarray(H.fillna(False).to_numpy(dtype=np.float64))


def _posterior(table: pd.DataFrame) -> pd.DataFrame:
    """Beta-binomial: prior share and strength, plus what was counted."""
    counted = table[["prior", "strength", "judged", "confirmed"]].to_numpy(float).T
    prior, strength, judged, confirmed = counted
    a = prior * strength + confirmed
    b = (1.0 - prior) * strength + judged - confirmed
    low, high = _bounds(a, b, LEVEL)
    return pd.DataFrame({"precision": a / (a + b), "low": low, "high": high})


def _bounds(a: Vector, b: Vector, level: float) -> tuple[Vector, Vector]:
    tail = (1.0 - level) / 2.0
    return beta.ppf(tail, a, b), beta.ppf(1.0 - tail, a, b)


def _hit_in_ring(fired: Vector, reviewed: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Reviewed units x rules: how many of the unit's ring the rule hit."""
    # A ring's number is that of its run.
    rings = reviewed.groupby(["run_id", "group_id"], dropna=False).ngroup().to_numpy()
    alone = reviewed["group_id"].isna().to_numpy()
    rings = np.where(alone, -1 - np.arange(len(rings)), rings)
    sizes = pd.DataFrame(fired).groupby(rings).transform("sum")
    return np.asarray(sizes.to_numpy(dtype=np.float64))
