"""Tables of two engines side by side, cell by cell."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

# Texts, dates, flags and counts are equal. Numbers may differ by what the engines' own
# arithmetic does in another order: sums of logarithms, the middle of two values.
ABSOLUTE, RELATIVE = 1e-8, 1e-9
# What two publications of one list do not share: Parquet's bytes tell of the engine.
OWN = {"published_at", "digest", "sha256"}


def differences(one: Path, other: Path, key: list[str] | None = None) -> list[str]:
    """What differs between two Parquet files, each with its first three cells.

    Args:
        key: rows are brought into its order first; None: they have an order.
    """
    ours, theirs = pd.read_parquet(one), pd.read_parquet(other)
    if list(ours.columns) != list(theirs.columns):
        return [f"{one.name}: columns {set(ours.columns) ^ set(theirs.columns)}"]
    if len(ours) != len(theirs):
        return [f"{one.name}: {len(ours)} and {len(theirs)} rows"]
    if key is not None:
        ours = ours.sort_values(key, ignore_index=True)
        theirs = theirs.sort_values(key, ignore_index=True)
    return [
        f"{one.name}: {name}: {shown}"
        for name in ours.columns
        if (shown := _cells(ours[name], theirs[name]))
    ]


def _cells(ours: pd.Series, theirs: pd.Series) -> str:
    same = _same(ours, theirs)
    if same.all():
        return ""
    rows = np.flatnonzero(~same)
    shown = [(ours.iloc[row], theirs.iloc[row]) for row in rows[:3]]
    return f"{len(rows)} of {len(ours)} differ, such as {shown}"


def _same(ours: pd.Series, theirs: pd.Series) -> np.ndarray:
    if ours.dtype.kind in "fiu" and theirs.dtype.kind in "fiu":
        a, b = ours.to_numpy(float), theirs.to_numpy(float)
        near = np.abs(a - b) <= ABSOLUTE + RELATIVE * np.abs(a)
        return near | (np.isnan(a) & np.isnan(b))
    if any(isinstance(value, np.ndarray) for value in ours):
        return (ours.astype("str") == theirs.astype("str")).to_numpy(bool)
    if ours.dtype != theirs.dtype:
        return np.zeros(len(ours), bool)
    return ((ours == theirs) | (ours.isna() & theirs.isna())).to_numpy(bool)


def unlike(ours: Any, theirs: Any, place: str = "") -> Iterator[str]:
    """Where two answers differ, numbers by more than the engines' arithmetic does."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and set(ours) == set(theirs):
        for name in set(ours) - OWN:
            yield from unlike(ours[name], theirs[name], f"{place}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            yield f"{place}: {len(ours)} and {len(theirs)}"
        for number, both in enumerate(zip(ours, theirs, strict=False)):
            yield from unlike(*both, f"{place}[{number}]")
    elif isinstance(ours, float) and isinstance(theirs, float):
        if abs(ours - theirs) > ABSOLUTE + RELATIVE * abs(ours):
            yield f"{place}: {ours} and {theirs}"
    elif ours != theirs:
        yield f"{place}: {ours!r} and {theirs!r}"
