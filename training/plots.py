"""Pictures of a run: scores, funnel, drift. English labels only, so any font will do."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

SHOWN_FEATURES = 20
STABLE, SHIFTED = 0.1, 0.25  # the usual bounds of the population stability index
COLOUR = "#2b5d8a"


def plot_scores(scores: pd.DataFrame, path: Path) -> Path:
    """Histogram of the fused score (log counts), written to `path` as PNG."""
    figure, axes = _canvas("Fused score", "score", "units")
    axes.hist(scores["fused"], bins=50, range=(0, 1), color=COLOUR, log=True)
    return _saved(figure, path)


def plot_funnel(funnel: Mapping[str, int], path: Path) -> Path:
    """Units left after each layer, top to bottom."""
    figure, axes = _canvas("Funnel", "units (log scale)", "")
    steps = [_ascii(step) for step in funnel]
    bars = axes.barh(steps, list(funnel.values()), color=COLOUR)
    axes.bar_label(bars, padding=3)
    axes.set_xscale("symlog")
    axes.invert_yaxis()
    return _saved(figure, path)


def plot_drift(index: pd.Series, path: Path) -> Path:
    """Stability index of the features that moved most since the champion."""
    figure, axes = _canvas("Feature drift since the champion", "PSI", "")
    largest = index.head(SHOWN_FEATURES)
    axes.barh([_ascii(str(name)) for name in largest.index], largest, color=COLOUR)
    for bound in (STABLE, SHIFTED):
        axes.axvline(bound, color="grey", linestyle="--", linewidth=0.8)
    axes.invert_yaxis()
    return _saved(figure, path)


def plot_arms(found: pd.DataFrame, path: Path) -> Path:
    """Precision of each arm at one budget, with its interval, best on top.

    Args:
        found: arm, k, precision, precision_low, precision_high; one budget.
    """
    ordered = found.sort_values("precision", ignore_index=True)
    figure, axes = _canvas(f"Precision at {int(ordered['k'].iloc[0])}", "precision", "")
    below = ordered["precision"] - ordered["precision_low"]
    above = ordered["precision_high"] - ordered["precision"]
    axes.barh(
        [_ascii(str(arm)) for arm in ordered["arm"]],
        ordered["precision"],
        xerr=[below.clip(lower=0), above.clip(lower=0)],
        color=[COLOUR if arm == "fused" else "#9db7cc" for arm in ordered["arm"]],
        error_kw={"linewidth": 0.8},
    )
    axes.set_xlim(0, 1)
    axes.tick_params(axis="y", labelsize=7)
    return _saved(figure, path)


def _canvas(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)  # no window system, no global pyplot state
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _saved(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=110)
    return path


def _ascii(label: str) -> str:
    """A label that every font can draw; what it cannot becomes a question mark."""
    return label.encode("ascii", "replace").decode()
