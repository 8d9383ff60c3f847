"""Contributions in words: a feature's value beside its peers, in both languages."""

from collections.abc import Mapping

import pandas as pd

from configs.column import Column

YES, NO = ("yes", "是"), ("no", "否")


def in_words(
    contributions: pd.DataFrame, columns: Mapping[str, Column]
) -> pd.DataFrame:
    """The REASONS table: texts added, numbers formatted by the feature's unit.

    Args:
        contributions: unit_id, position, feature, value, peer_median, percentile,
            contribution, as `training.explain` gives them.
    """
    table = contributions.copy()
    described = [columns[name] for name in table["feature"]]
    values = list(zip(described, table["value"], table["peer_median"], strict=True))
    table["text_en"] = [
        _english(column, value, median, share)
        for (column, value, median), share in zip(
            values, table["percentile"], strict=True
        )
    ]
    table["text_zh"] = [
        _chinese(column, value, median, share)
        for (column, value, median), share in zip(
            values, table["percentile"], strict=True
        )
    ]
    table["peer_median"] = [shown(column, median) for column, _, median in values]
    table["value"] = [shown(column, value) for column, value, _ in values]
    return table


def shown(column: Column, value: float, language: int = 0) -> str:
    """A number as a person reads it: by unit, with a thousands separator."""
    if pd.isna(value):
        return ""
    if column.kind == "boolean":
        return (YES if value >= 0.5 else NO)[language]
    if column.unit == "share":
        return f"{value:.0%}"
    if column.unit in ("yuan", "days", "count"):
        suffix = {"yuan": (" yuan", "元"), "days": (" days", "天"), "count": ("", "")}
        number = (
            f"{value:,.0f}"
            if value == round(value) or abs(value) >= 100
            else f"{value:,.1f}"
        )
        return number + suffix[column.unit][language]
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _english(column: Column, value: float, median: float, share: float) -> str:
    text = f"{column.meaning.en}: {shown(column, value)}"
    if column.kind == "boolean":
        return f"{text} (usual: {shown(column, median)})"
    place = (
        f"higher than {share:.1%}" if share >= 0.5 else f"lower than {1 - share:.1%}"
    )
    return f"{text}; median of all {shown(column, median)}, {place} of the units"


def _chinese(column: Column, value: float, median: float, share: float) -> str:
    text = f"{column.meaning.zh}：{shown(column, value, 1)}"
    if column.kind == "boolean":
        return f"{text}（通常为{shown(column, median, 1)}）"
    place = f"高于{share:.1%}" if share >= 0.5 else f"低于{1 - share:.1%}"
    return f"{text}；总体中位数{shown(column, median, 1)}，{place}的对象"
