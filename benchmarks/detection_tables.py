"""Stored detection results, and the published ones, as tables of comparison."""

from typing import Any

import pandas as pd

from benchmarks.detection_harness import DATA, SHARES
from benchmarks.detection_methods import METHODS

NAMED = {
    "LGB": "LightGBM",
    "XGBOD": "XGBOD",
    "CatB": "CatBoost",
    "PReNet": "PReNet",
    "DevNet": "DevNet",
}
FIGURES = ["auc", "ap", "pk"]
HARNESS_ROWS = 300
TIE = 1e-9


def by_set(results: pd.DataFrame, mode: str) -> pd.DataFrame:
    """Method, set, share and the figures averaged over the seeds; measured sets only."""
    chosen = results[(results["mode"] == mode) & (results["status"] != "ineligible")]
    keys = ["method", "dataset", "share"]
    numbers = [*FIGURES, "found60", "cpu", "wall", "first_seconds", "round_seconds"]
    numbers += ["n", "labelled", "anomalies"]
    return chosen.groupby(keys, as_index=False)[numbers].mean()


def published(metric: str, share: float = 0.0) -> pd.DataFrame:
    """Published figures in [0, 1], sets x algorithms; share 0: without labels."""
    table = pd.read_csv(DATA / "adbench" / "published.csv")
    name = {"auc": "AUCROC", "ap": "AUCPR"}[metric]
    wanted = table[table["metric"] == name]
    if share:
        wanted = wanted[(wanted["labeled_anomaly_pct"] - 100 * share).abs() < TIE]
    else:
        wanted = wanted[wanted["supervision"] == "unsup"]
    wide = wanted.pivot(index="dataset", columns="algorithm", values="value_pct")
    return wide.rename(columns=NAMED) / 100


def unsupervised(results: pd.DataFrame, mode: str) -> pd.DataFrame:
    """One row a method: means over its sets, mean ranks, wins over the isolation forest."""
    table = by_set(results, mode)
    ranks = {m: _mean_ranks(_wide(table, m)) for m in ("auc", "ap")}
    rows: list[dict[str, Any]] = []
    for method, own in table.groupby("method"):
        row: dict[str, Any] = {"method": METHODS[str(method)].title, "sets": len(own)}
        row |= {f"{f} %": 100 * own[f].mean() for f in FIGURES}
        row |= {f"mean rank {m}": r.get(method, float("nan")) for m, r in ranks.items()}
        for metric in ("auc", "ap"):
            row[f"wins/losses {metric}"] = _shown(
                wins(table, str(method), "iforest", metric)
            )
        row["cpu s a set"] = own["cpu"].mean()
        rows.append(row)
    return _sorted(rows, "ap %")


def beside_published(results: pd.DataFrame) -> pd.DataFrame:
    """Measured and published methods without labels: means and ranks on the same sets."""
    table = by_set(results, "split")
    columns: dict[str, pd.Series] = {}
    for metric in ("auc", "ap"):
        wide = _wide(table, metric).rename(columns=lambda m: METHODS[m].title)
        given = published(metric).rename(columns=lambda a: f"published {a}")
        both = wide.join(given, how="inner")
        columns[f"{metric} %"] = 100 * both.mean()
        columns[f"mean rank {metric}"] = _mean_ranks(both)
        columns[f"sets {metric}"] = both.notna().sum()
    joined = pd.DataFrame(columns).drop(columns="sets ap")
    named = joined.rename(columns={"sets auc": "sets"}).rename_axis("method")
    return named.reset_index().sort_values("ap %", ascending=False)


def few_labels(results: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Methods x shares in per cent: ours, the five named ones, the best of all others."""
    own = by_set(results, "semi")
    rows: dict[str, dict[str, float]] = {}
    for share in SHARES:
        column = f"{100 * share:g} %"
        given = published(metric, share)
        for method, part in own[_is(own, share)].groupby("method"):
            rows.setdefault(METHODS[str(method)].title, {})[column] = 100 * float(
                part[metric].mean()
            )
        means = 100 * given.loc[given.index.isin(_sets_of(own, results))].mean()
        for name in NAMED.values():
            rows.setdefault(f"published {name}", {})[column] = float(means[name])
        rows.setdefault("other published, best of 11", {})[column] = float(
            means.drop(list(NAMED.values())).max()
        )
    return pd.DataFrame(rows).T.rename_axis("method").reset_index()


def few_label_wins(results: pd.DataFrame) -> pd.DataFrame:
    """Wins and losses of our ranker per set against each named published method."""
    own = by_set(results, "semi")
    rows = []
    for share in SHARES:
        part = own[_is(own, share) & (own["method"] == "leadline_ranker")]
        for metric in ("auc", "ap"):
            mine = part.set_index("dataset")[metric]
            row: dict[str, Any] = {"share": f"{100 * share:g} %", "figure": metric}
            for name in NAMED.values():
                gain = (mine - published(metric, share)[name]).dropna()
                row[name] = f"{(gain > TIE).sum()}/{(gain < -TIE).sum()}"
            rows.append(row)
    return pd.DataFrame(rows)


def falls(results: pd.DataFrame, points: float, labelled: int) -> pd.DataFrame:
    """Sets and shares where the ranker's AP is `points` below the unsupervised score's.

    Only shares with more than `labelled` labelled anomalies; AP averaged over the seeds.
    """
    base = by_set(results, "split").query("method == 'leadline'")
    own = by_set(results, "semi").query("method == 'leadline_ranker'")
    both = own.merge(base[["dataset", "ap"]], on="dataset", suffixes=("", "_base"))
    below = both["ap_base"] - both["ap"]
    found = both.assign(below=100 * below)[
        (below > points / 100) & (both["labelled"] > labelled)
    ]
    return found[["dataset", "share", "labelled", "ap_base", "ap", "below"]]


def feedback(results: pd.DataFrame, *, harness_sets: bool) -> pd.DataFrame:
    """One row a method: area under the discovery curve, found, seconds a round."""
    table = by_set(results, "active")
    if harness_sets:
        table = table[table["n"] >= HARNESS_ROWS]
    rows: list[dict[str, Any]] = []
    for method, own in table.groupby("method"):
        large = own[own["n"] >= 10_000]
        rows.append(
            {
                "method": METHODS[str(method)].title,
                "sets": len(own),
                "AUDC": own["auc"].mean(),
                "to fixed Leadline": _ratio(table, str(method), "leadline_static"),
                "to fixed forest": _ratio(table, str(method), "static_iforest"),
                "found in 60": own["found60"].mean(),
                "found in 100": own["ap"].mean(),
                "wins/losses": _shown(
                    wins(table, str(method), "aadforest_each", "auc")
                ),
                "s first round": large["first_seconds"].mean(),
                "s a later round": large["round_seconds"].mean(),
                "slowest set": large["round_seconds"].max(),
            }
        )
    return _sorted(rows, "AUDC")


def troubles(results: pd.DataFrame) -> pd.DataFrame:
    """What failed, was cut off or left out, and how often."""
    bad = results[~results["status"].isin(["done", "ineligible"])]
    keys = ["method", "mode", "dataset", "status", "note"]
    counted = bad.fillna({"note": ""}).groupby(keys, as_index=False).size()
    return counted.rename(columns={"size": "times"})


def per_set(results: pd.DataFrame, mode: str, metric: str) -> pd.DataFrame:
    """Sets x methods (and shares) in per cent, as measured."""
    table = by_set(results, mode)
    if table.empty:
        return pd.DataFrame()
    scale = 1 if mode == "active" and metric != "auc" else 100
    columns = ["share"] if mode == "semi" else ["method"]
    wide = table.pivot_table(index="dataset", columns=columns, values=metric) * scale
    if mode == "semi":
        wide = wide.rename(columns=lambda s: f"{100 * s:g} %")
    shape = table.groupby("dataset")[["n", "anomalies"]].first().astype(int)
    return shape.join(wide).reset_index()


def wins(table: pd.DataFrame, method: str, other: str, metric: str) -> tuple[int, int]:
    """Sets on which the method is above and below the other; ties count for neither."""
    wide = _wide(table, metric)
    if method not in wide or other not in wide:
        return 0, 0
    gain = (wide[method] - wide[other]).dropna()
    return int((gain > TIE).sum()), int((gain < -TIE).sum())


def mean_of(results: pd.DataFrame, mode: str, method: str, figure: str) -> float:
    """Mean over sets of a figure; NaN where nothing was measured."""
    table = by_set(results, mode)
    return float(table.loc[table["method"] == method, figure].mean())


def _wide(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    return table.pivot_table(index="dataset", columns="method", values=metric)


def _mean_ranks(wide: pd.DataFrame) -> "pd.Series[float]":
    """Mean rank (1 = best) among the methods that have every set; none for others."""
    complete = wide.columns[wide.notna().all()]
    return wide[complete].rank(axis=1, ascending=False).mean()


def _ratio(table: pd.DataFrame, method: str, base: str) -> float:
    """Mean area of a method over that of another, on the sets both have."""
    wide = _wide(table, "auc")
    if base not in wide:
        return float("nan")
    both = pd.DataFrame({"own": wide[method], "base": wide[base]}).dropna()
    return float(both["own"].mean() / both["base"].mean())


def _sets_of(own: pd.DataFrame, results: pd.DataFrame) -> list[str]:
    """The sets of our semi-supervised runs; before there are any, all that were met."""
    return sorted(set(own["dataset"]) or set(results["dataset"]))


def _is(table: pd.DataFrame, share: float) -> "pd.Series[bool]":
    return (table["share"] - share).abs() < TIE


def _shown(pair: tuple[int, int]) -> str:
    return f"{pair[0]}/{pair[1]}"


def _sorted(rows: list[dict[str, Any]], column: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    return frame.sort_values(column, ascending=False) if len(frame) else frame
