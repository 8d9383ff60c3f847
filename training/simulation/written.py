"""Dates, times and numbers the way departments write them."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from training.simulation.sampling import Floats, Ints, Texts, Times

PART_ROWS = 200_000  # rows turned into text at a time: bounds memory, not the result


def iso_dates(moments: Times) -> Texts:
    """2023-05-06; empty where unknown."""
    written = np.datetime_as_string(moments.astype("datetime64[D]")).astype(object)
    return np.where(np.isnat(moments), "", written)


def iso_times(moments: Times) -> Texts:
    """2023-05-06 14:03:22."""
    written = np.datetime_as_string(moments.astype("datetime64[s]"))
    characters = np.ascontiguousarray(written).view("U1").reshape(len(written), -1)
    characters[:, 10] = " "
    return written.astype(object)


def date_parts(moments: Times) -> tuple[Texts, Texts, Texts]:
    """Year, month and day without leading zeros."""
    months = moments.astype("datetime64[M]")
    year = months.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    first = months.astype("datetime64[D]")
    day = (moments.astype("datetime64[D]") - first).astype(np.int64) + 1
    return plain(year), plain(month), plain(day)


def slashed_dates(moments: Times) -> Texts:
    """2023/5/6."""
    year, month, day = date_parts(moments)
    return np.asarray(year + "/" + month + "/" + day, dtype=object)


def chinese_dates(moments: Times) -> Texts:
    """2023年5月6日."""
    year, month, day = date_parts(moments)
    return np.asarray(year + "年" + month + "月" + day + "日", dtype=object)


def plain(numbers: Ints) -> Texts:
    """Whole numbers as texts."""
    return numbers.astype(str).astype(object)


def arrow_dates(moments: Times) -> "pd.api.extensions.ExtensionArray":
    """Dates for Parquet, without a time of day."""
    held = pa.array(moments.astype("datetime64[D]"))
    return pd.array(held.to_numpy(zero_copy_only=False), dtype=DATE)


DATE = pd.ArrowDtype(pa.date32())


def yes_no(truth: np.ndarray) -> Texts:
    """是 or 否."""
    return np.where(truth, "是", "否").astype(object)


def money(amounts: Floats) -> Floats:
    """Yuan with two decimals."""
    return np.round(amounts, 2)


def in_parts(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Cut a long table into parts that are written one after the other."""
    for start in range(0, max(len(rows), 1), PART_ROWS):
        yield rows.iloc[start : start + PART_ROWS].reset_index(drop=True)
