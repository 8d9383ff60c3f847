"""The numbers that detection is to reach, each beside what was measured."""

from collections.abc import Iterator
from math import isnan
from typing import Any

import pandas as pd

from benchmarks import detection_tables as tables
from benchmarks.detection_harness import SHARES
from benchmarks.detection_methods import METHODS

Line = tuple[str, bool | None, str]


def targets(results: pd.DataFrame, running: set[str]) -> pd.DataFrame:
    """Target, reached (yes, no, not measured) and the figure.

    Args:
        running: modes of which results are missing; what is said of them is so far.
    """
    parts = {"semi": _few_labels(results), "active": _feedback(results)}
    lines = [(t.partition(":")[0], (t, r, f)) for t, r, f in _no_labels(results)]
    lines += [(mode, line) for mode, part in parts.items() for line in part]
    said = {True: "yes", False: "no", None: "not measured"}
    rows = []
    for mode, (target, reached, figure) in lines:
        so_far = " (so far)" if mode in running and reached is not None else ""
        rows.append((target, said[reached] + so_far, figure))
    return pd.DataFrame(rows, columns=["target", "reached", "figure"])


def ours(mode: str, results: pd.DataFrame) -> str:
    """The method that stands for Leadline: with the population refinement if it may."""
    measured = set(results.loc[results["mode"] == mode, "method"])
    refined = mode == "trans" and "leadline_population" in measured
    return "leadline_population" if refined else "leadline"


def _no_labels(results: pd.DataFrame) -> Iterator[Line]:
    for mode, least in (("split", (2.5, 4.0)), ("trans", (2.5, 4.0))):
        name, table = ours(mode, results), tables.by_set(results, mode)
        for metric, wanted in zip(("auc", "ap"), least, strict=True):
            mine, forest = (
                100 * tables.mean_of(results, mode, m, metric)
                for m in (name, "iforest")
            )
            yield (
                f"{mode}: mean {metric.upper()} at least {wanted} points above PyOD's forest",
                _reached(mine - forest, wanted),
                _difference(mine, forest),
            )
        for metric in ("auc", "ap"):
            won, lost = tables.wins(table, name, "iforest", metric)
            total = table.loc[table["method"] == name, "dataset"].nunique()
            yield (
                f"{mode}: {metric.upper()} better on at least 60 % of sets",
                _reached(won / total, 0.6) if total else None,
                f"{won} of {total} ({lost} worse)" if total else "",
            )
        yield from _ranks(results, mode, name)


def _ranks(results: pd.DataFrame, mode: str, name: str) -> Iterator[Line]:
    """Best mean rank of all compared: measured, and on split also published ones.

    Of the two forms of Leadline only the one that is judged takes part.
    """
    other = {"leadline", "leadline_population"} - {name}
    compared = results[~results["method"].isin(other)]
    measured = tables.unsupervised(compared, mode)
    kinds = {"measured": measured}
    if mode == "split" and len(measured):
        kinds["measured and published"] = tables.beside_published(compared)
    for kind, table in kinds.items():
        for metric in ("auc", "ap"):
            yield _rank_line(table, f"{mode}: best mean rank {metric.upper()}, {kind}")


def _rank_line(table: pd.DataFrame, target: str) -> Line:
    metric = "auc" if "AUC" in target else "ap"
    title = METHODS["leadline_population" if "trans" in target else "leadline"].title
    ours_too = {title, METHODS["leadline"].title}
    if table.empty or not set(table["method"]) & ours_too:
        return target, None, ""
    order = table.sort_values(f"mean rank {metric}")[["method", f"mean rank {metric}"]]
    (first, best), *_ = order.itertuples(index=False)
    mine = order.loc[order["method"].isin(ours_too), f"mean rank {metric}"].min()
    return target, first in ours_too, f"{mine:.2f}; best {first} {best:.2f}"


def _few_labels(results: pd.DataFrame) -> Iterator[Line]:
    mine = METHODS["leadline_ranker"].title
    for metric in ("auc", "ap"):
        table = tables.few_labels(results, metric).set_index("method")
        for share in SHARES:
            column = f"{100 * share:g} %"
            given = table[column].drop(mine, errors="ignore")
            target = f"{column} labelled: {metric.upper()} above every published mean"
            best = f"best {given.idxmax()} {given.max():.2f}"
            if mine in table.index:
                figure = table.loc[mine, column]
                yield target, bool(figure > given.max()), f"{figure:.2f}; {best}"
            else:
                yield target, None, best
    measured = "leadline_ranker" in set(results["method"])
    fallen = tables.falls(results, 2.0, 5)
    yield (
        "no set more than 2 AP points below the unsupervised score with more than 5 labelled",
        len(fallen) == 0 if measured else None,
        f"{len(fallen)} sets and shares" if measured else "",
    )


def _feedback(results: pd.DataFrame) -> Iterator[Line]:
    table = tables.feedback(results, harness_sets=False).set_index("method")
    rows = {
        name: table.loc[METHODS[name].title]
        for name in METHODS
        if METHODS[name].title in table.index
    }
    own = rows.get("leadline_feedback")
    pairs = {
        "in rounds of ten": ("leadline_feedback", "aadforest"),
        "asked after every answer": ("leadline_feedback_each", "aadforest_each"),
    }
    for way, (mine, _) in pairs.items():
        target = f"feedback, {way}: area under the discovery curve at least 0.76"
        yield _at_least(target, rows.get(mine), "AUDC", 0.76)
    target = "feedback, in rounds of ten: at least 1.35 times the fixed ranking"
    yield _at_least(target, own, "to fixed Leadline", 1.35)
    for way, (mine, aad) in pairs.items():
        target = f"feedback, {way}: more found than AADForest in 60 reviews"
        yield _more_found(target, rows.get(mine), rows.get(aad))
    target = "feedback: at most 0.3 s a round at 10,000 rows"
    seconds = float("nan") if own is None else float(own["s a later round"])
    shown = f"{seconds:.2f} s" if own is not None else ""
    yield target, None if isnan(seconds) else seconds <= 0.3, shown


def _at_least(target: str, row: Any, column: str, least: float) -> Line:
    if row is None:
        return target, None, ""
    value = float(row[column])
    return target, _reached(value, least), f"{value:.3f}"


def _more_found(target: str, mine: Any, other: Any) -> Line:
    """Against a rival that was asked in the same way."""
    if mine is None or other is None:
        return target, None, ""
    found, theirs = float(mine["found in 60"]), float(other["found in 60"])
    return target, found > theirs, f"{found:.1f}; AADForest {theirs:.1f}"


def _difference(mine: float, forest: float) -> str:
    if isnan(mine):
        return f"forest {forest:.2f}"
    return f"{mine:.2f} - {forest:.2f} = {mine - forest:+.2f}"


def _reached(value: float, least: float) -> bool | None:
    return None if isnan(value) else bool(value >= least)
