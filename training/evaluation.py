"""How good a ranking is, once labels are known: pure functions from tables to tables."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import beta
from sklearn.metrics import average_precision_score, roc_auc_score

from configs.errors import LeadlineError
from training.fusion import ranks
from training.preprocess import Vector

BUDGETS = (20, 40, 100)  # weekly review capacities that offices asked about
LEVEL = 0.95
RESAMPLES = 1_000


def arms(scores: pd.DataFrame) -> list[str]:
    """The orders a table holds: rules, score, fused, each detector, then simple arms."""
    members = sorted(c for c in scores.columns if c.startswith("score_"))
    simple = sorted(c for c in scores.columns if c.startswith("arm_"))
    named = ["rules", "score", "fused", *members, *simple]
    return [a for a in named if a in scores.columns]


def ranking_quality(scores: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Per arm AUC-ROC and average precision over judged units.

    `labels` has unit_id and label (1 confirmed, 0 cleared, NaN not judged). A measure
    is NaN when only one of the two classes was judged.
    """
    judged = _joined(scores, labels).dropna(subset="label")
    truth = judged["label"].to_numpy(dtype=np.int64)
    both = len(np.unique(truth)) == 2
    rows = [
        {
            "arm": arm,
            "auc": roc_auc_score(truth, judged[arm]) if both else np.nan,
            "average_precision": (
                average_precision_score(truth, judged[arm]) if both else np.nan
            ),
            "judged": len(truth),
            "positives": int(truth.sum()),
        }
        for arm in arms(scores)
    ]
    return pd.DataFrame(rows)


def precision_at(
    scores: pd.DataFrame, labels: pd.DataFrame, budgets: Sequence[int] = BUDGETS
) -> pd.DataFrame:
    """Per arm and budget k: precision and recall with intervals, lift over the rules.

    Precision counts the judged units among the first k; recall counts all positives.
    Intervals are Jeffreys' at 95 % (Brown, Cai, DasGupta 2001).
    """
    joined = _joined(scores, labels)
    rows = [_at(joined, arm, k) for k in budgets for arm in arms(scores)]
    table = pd.DataFrame(rows)
    rules = table[table["arm"] == "rules"].set_index("k")["precision"]
    base = table["k"].map(rules).astype("float64")
    table["lift_over_rules"] = table["precision"] / base.where(base > 0)
    return table


def jeffreys(hits: float, trials: float, level: float = LEVEL) -> tuple[float, float]:
    """Jeffreys interval of a share; (0, 1) when nothing was tried.

    Bounds are 0 at no hit and 1 at all hits, as Brown, Cai, DasGupta (2001) advise.
    """
    if trials == 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low, high = beta.ppf([tail, 1 - tail], hits + 0.5, trials - hits + 0.5)
    return (0.0 if hits == 0 else float(low)), (1.0 if hits == trials else float(high))


def breakdown(
    scores: pd.DataFrame,
    labels: pd.DataFrame,
    category: str,
    budgets: Sequence[int] = BUDGETS,
) -> pd.DataFrame:
    """Per arm, budget and value of a label column (typology, kind of hard negative).

    Columns: arm, k, the category, `found` in the first k and `total` in all.
    """
    joined = _joined(scores, labels)
    totals = joined[category].value_counts().sort_index()
    rows = []
    for arm in arms(scores):
        order = joined.iloc[_order(joined, arm)]
        for k in budgets:
            found = order.head(k)[category].value_counts()
            rows += [
                {"arm": arm, "k": k, category: v, "found": int(found.get(v, 0))}
                | {"total": int(total)}
                for v, total in totals.items()
            ]
    return pd.DataFrame(rows, columns=["arm", "k", category, "found", "total"])


def paired_bootstrap(
    scores: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    k: int,
    arm: str = "fused",
    base: str = "rules",
    seed: int = 0,
) -> dict[str, float]:
    """Precision at k of `arm` minus that of `base`, with a 95 % bootstrap interval.

    Units are resampled with replacement, the same for both arms (1,000 times); their
    order is kept and the first k copies count. Unjudged units take no part.
    """
    judged = _joined(scores, labels).dropna(subset="label")
    truth = judged["label"].to_numpy(dtype=np.float64)
    orders = [_order(judged, name) for name in (arm, base)]
    rng = np.random.default_rng(seed)
    copies = rng.multinomial(len(truth), np.full(len(truth), 1 / len(truth)), RESAMPLES)
    differences = np.array([_difference(c, truth, orders, k) for c in copies])
    low, high = np.percentile(differences, [2.5, 97.5])
    observed = _difference(np.ones(len(truth), dtype=int), truth, orders, k)
    return {"difference": observed, "low": float(low), "high": float(high)}


def summary_metrics(tables: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """Flat metrics of `quality` and `precision` tables, named for a run tracker."""
    metrics: dict[str, float] = {}
    for row in tables["quality"].to_dict("records"):
        metrics[f"{row['arm']}_auc"] = row["auc"]
        metrics[f"{row['arm']}_average_precision"] = row["average_precision"]
    for row in tables["precision"].to_dict("records"):
        metrics[f"{row['arm']}_precision_at_{row['k']}"] = row["precision"]
        metrics[f"{row['arm']}_lift_at_{row['k']}"] = row["lift_over_rules"]
    return {name: float(v) for name, v in metrics.items() if np.isfinite(v)}


def _at(joined: pd.DataFrame, arm: str, k: int) -> dict[str, object]:
    first = joined["label"].to_numpy(dtype=np.float64)[_order(joined, arm)[:k]]
    judged, hits = int((~np.isnan(first)).sum()), int(np.nansum(first))
    positives = int(joined["label"].sum())
    p_low, p_high = jeffreys(hits, judged)
    r_low, r_high = jeffreys(hits, positives)
    return {
        "arm": arm,
        "k": k,
        "judged": judged,
        "hits": hits,
        "precision": hits / judged if judged else np.nan,
        "precision_low": p_low,
        "precision_high": p_high,
        "recall": hits / positives if positives else np.nan,
        "recall_low": r_low,
        "recall_high": r_high,
    }


def _joined(scores: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Every scored unit once, with its label; a label of an unscored unit is refused."""
    strange = set(labels["unit_id"]) - set(scores["unit_id"])
    if strange:
        raise LeadlineError(
            f"label of unit {min(strange)!r} ({len(strange)} in all): "
            "the run did not score it"
        )
    columns = labels.astype({"label": "float64"})
    return scores.merge(columns, on="unit_id", how="left", validate="one_to_one")


def _order(table: pd.DataFrame, arm: str) -> npt.NDArray[np.int64]:
    """Row positions, best first, ties by unit_id."""
    return np.argsort(ranks(table[arm].to_numpy(), table["unit_id"].tolist()))


def _difference(
    copies: npt.NDArray[np.int64],
    truth: Vector,
    orders: Sequence[npt.NDArray[np.int64]],
    k: int,
) -> float:
    """Precision at k of the first order minus the second, on a resampled table."""
    shares = []
    for order in orders:
        taken = np.minimum(np.cumsum(copies[order]), k)
        weights = np.diff(taken, prepend=0)
        shares.append(float(weights @ truth[order]) / max(int(taken[-1]), 1))
    return shares[0] - shares[1]
