"""Simple orders that a list is compared with: what chance, single rules and parts can do.

Columns `arm_<name>` beside SCORES. `best_rule` and `oracle` see the labels and are no
methods: the one says how far any single rule could get, the other how far any order could.
"""

import numpy as np
import pandas as pd

from training.ensemble import Ensemble
from training.evaluation import precision_at
from training.fusion import ranks
from training.preprocess import Preprocessor

RANDOM, BEST_RULE, RULE_SUM = "arm_random", "arm_best_rule", "arm_rule_sum"
NETWORK, ORACLE = "arm_network", "arm_oracle"


def screening_arms(
    flags: pd.DataFrame, labels: pd.DataFrame, capacity: int, seed: int = 0
) -> pd.DataFrame:
    """unit_id and the arms that need rules or chance alone.

    Args:
        flags: units x rules above the scope layer, indexed by unit_id.
        labels: unit_id, label.
        capacity: units that are reviewed; by it the best rule is chosen.
    """
    fired = flags.fillna(False).to_numpy(dtype=np.float64)
    units = flags.index.astype(str)
    # A rule says no more than yes or no: ties are broken by chance, the same for all.
    chance = np.random.default_rng(seed).random(len(units))
    table = pd.DataFrame({"unit_id": units, RANDOM: chance})
    table[RULE_SUM] = fired.sum(axis=1) + chance / 2
    table[BEST_RULE] = _best_rule(fired, chance, table[["unit_id"]], labels, capacity)
    known = labels.set_index("unit_id")["label"].reindex(units).to_numpy(np.float64)
    table[ORACLE] = np.nan_to_num(known)
    return table


def network_arm(X: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """unit_id and the detectors' score of the network features alone.

    Args:
        X: units x network features, indexed by unit_id; NaN unknown.
    """
    preprocessor = Preprocessor().fit(X)
    matrix = preprocessor.transform(X)
    members = Ensemble(seed).fit(matrix).member_scores(matrix)
    score = np.mean(list(members.values()), axis=0)
    return pd.DataFrame({"unit_id": X.index.astype(str), NETWORK: score})


def ring_coverage(
    scores: pd.DataFrame, labels: pd.DataFrame, arms: list[str], budget: int
) -> pd.DataFrame:
    """Per arm: rings with a unit among the first `budget`, and the mean share of one.

    Args:
        labels: unit_id and ring, empty where there is none.
    """
    rows = []
    for arm, first in _firsts(scores, labels, arms, budget):
        known = first[first["ring"].fillna("") != ""]
        sizes = labels.loc[labels["ring"].fillna("") != "", "ring"].value_counts()
        shares = known["ring"].value_counts().reindex(sizes.index, fill_value=0) / sizes
        rows.append(
            {
                "arm": arm,
                "k": budget,
                "rings": len(sizes),
                "found": int((shares > 0).sum()),
                "mean_share": float(shares.mean()) if len(sizes) else np.nan,
            }
        )
    return pd.DataFrame(rows)


def money_found(
    scores: pd.DataFrame,
    labels: pd.DataFrame,
    money: pd.Series,
    arms: list[str],
    budget: int,
) -> pd.DataFrame:
    """Per arm: yuan at stake in the confirmed units among the first `budget`.

    Args:
        money: yuan, indexed by unit_id; unknown counts nothing.
    """
    total = float(money.reindex(labels.loc[labels["label"] == 1, "unit_id"]).sum())
    rows = []
    for arm, first in _firsts(scores, labels, arms, budget):
        found = float(money.reindex(first.loc[first["label"] == 1, "unit_id"]).sum())
        share = found / total if total else np.nan
        rows.append({"arm": arm, "k": budget, "yuan": found, "share": share})
    return pd.DataFrame(rows)


def _firsts(
    scores: pd.DataFrame, labels: pd.DataFrame, arms: list[str], budget: int
) -> list[tuple[str, pd.DataFrame]]:
    joined = scores.merge(labels, on="unit_id", how="left", validate="one_to_one")
    ids = joined["unit_id"].tolist()
    order = {arm: np.argsort(ranks(joined[arm].to_numpy(), ids)) for arm in arms}
    return [(arm, joined.iloc[order[arm][:budget]]) for arm in arms]


def _best_rule(
    fired: "np.ndarray[tuple[int, int], np.dtype[np.float64]]",
    chance: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    units: pd.DataFrame,
    labels: pd.DataFrame,
    capacity: int,
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """The order of the single rule with the most confirmed at the capacity."""
    if not fired.shape[1]:
        return chance
    orders = {f"arm_{n}": fired[:, n] + chance / 2 for n in range(fired.shape[1])}
    found = precision_at(units.assign(**orders), labels, (capacity,))
    best = found.set_index("arm")["hits"].idxmax()
    return orders[str(best)]
