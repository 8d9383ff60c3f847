"""Reasons in words: a value beside what was to be expected of it, in both languages.

Four kinds: one value is odd among all units, it breaks a relation with the unit's other
values, it is odd among the unit's peers, or it is a place in a network.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from configs.column import Column
from configs.privacy import mask
from configs.tables import REASONS

NETWORK_FAMILIES = frozenset({"network", "path", "flows", "rotation", "concentration"})
Texts = tuple[str, str]
# Beyond these, sums differ from one machine to the next; a list must not.
DECIMALS = 6
YES, NO = ("yes", "是"), ("no", "否")
SUFFIX = {"yuan": (" yuan", "元"), "days": (" days", "天"), "count": ("", "")}


@dataclass(frozen=True, slots=True)
class Wording:
    """What the texts need to know of a supervision model.

    Attributes:
        columns: by name, with unit, meaning and family.
        within: peer feature -> the columns that make its groups.
        hidden: columns whose values are masked.
    """

    columns: Mapping[str, Column]
    within: Mapping[str, tuple[str, ...]]
    hidden: Collection[str] = ()

    def number(self, name: str, value: float) -> Texts:
        """A unit's own value, masked where the column is sensitive."""
        texts = self.usual(name, value)
        return (mask(texts[0]), mask(texts[1])) if name in self.hidden else texts

    def usual(self, name: str, value: float) -> Texts:
        """A value that is nobody's own, such as a median."""
        column = self.columns[name]
        return shown(column, value), shown(column, value, 1)

    def meaning(self, name: str) -> Texts:
        meaning = self.columns[name].meaning
        return meaning.en, meaning.zh


def in_words(
    reasons: pd.DataFrame, words: Wording, groups: pd.DataFrame
) -> pd.DataFrame:
    """The REASONS table: kinds and texts added, numbers formatted by the feature's unit.

    Args:
        reasons: as `training.explain.explain` gives them.
        groups: the peers of each peer feature, as `flows.peer_groups` finds them.
    """
    keys = ["unit_id", "feature"]
    joined = reasons.merge(groups, on=keys, how="left", suffixes=("", "_plain"))
    told = [_told(row, words) for row in joined.to_dict("records")]
    table = reasons.assign(**{name: [t[name] for t in told] for name in _TOLD})
    table["contribution"] = table["contribution"].round(DECIMALS)
    return table[list(REASONS)]


_TOLD = ("kind", "value", "peer_median", "text_en", "text_zh")


def _told(row: Mapping[Any, Any], words: Wording) -> dict[str, str]:
    kind = _kind(row, words)
    name, value, median = row["feature"], row["value"], row["peer_median"]
    if kind == "peers":
        name, value, median = row["plain"], row["value_plain"], row["median"]
        texts = _among_peers(row, words)
    elif kind == "relation":
        texts = _beside_partners(row, words)
    else:
        texts = _among_all(row, words)
    return {
        "kind": kind,
        "value": words.number(name, value)[0],
        "peer_median": words.usual(name, median)[0],
        "text_en": texts[0],
        "text_zh": texts[1],
    }


def _kind(row: Mapping[Any, Any], words: Wording) -> str:
    family = words.columns[row["feature"]].family
    if row["kind"] == "relation":
        return "relation"
    if family == "peers" and not pd.isna(row["peers"]):
        return "peers"
    return "network" if family in NETWORK_FAMILIES else "value"


def _among_all(row: Mapping[Any, Any], words: Wording) -> Texts:
    """`claimed amount: 90,000 yuan; median of all 3,100 yuan, higher than 99.5% ...`."""
    name, share = row["feature"], row["percentile"]
    (en, zh), (own, own_zh) = words.meaning(name), words.number(name, row["value"])
    usual, usual_zh = words.usual(name, row["peer_median"])
    english, chinese = f"{en}: {own}", f"{zh}：{own_zh}"
    if words.columns[name].kind == "boolean":
        return f"{english} (usual: {usual})", f"{chinese}（通常为{usual_zh}）"
    high = share >= 0.5
    part = f"{share:.1%}" if high else f"{1 - share:.1%}"
    place = "higher" if high else "lower"
    return (
        f"{english}; median of all {usual}, {place} than {part} of the units",
        f"{chinese}；总体中位数{usual_zh}，{'高' if high else '低'}于{part}的对象",
    )


def _beside_partners(row: Mapping[Any, Any], words: Wording) -> Texts:
    """`claimed amount: 3,200 yuan, where “days in hospital” of 2 let expect about 800 yuan`."""
    name = row["feature"]
    (en, zh), (own, own_zh) = words.meaning(name), words.number(name, row["value"])
    expected, expected_zh = words.usual(name, row["expected"])
    partners = [
        (*words.meaning(partner), *words.number(partner, row[f"partner_{n}_value"]))
        for n in (1, 2)
        if isinstance(partner := row[f"partner_{n}"], str)
    ]
    given = " and ".join(f"“{pen}” of {own}" for pen, _, own, _ in partners)
    given_zh = "、".join(f"“{pzh}”为{own}" for _, pzh, _, own in partners)
    return (
        f"{en}: {own}, where {given or 'its other values'} let expect about {expected}",
        f"{zh}：{own_zh}；由{given_zh or '其他各项'}推断，应约为{expected_zh}",
    )


def _among_peers(row: Mapping[Any, Any], words: Wording) -> Texts:
    """`share of the shop's suits with this appraiser: 62%; median of its 311 peers 9%`."""
    plain, peers = row["plain"], int(row["peers"])
    (en, zh), (own, own_zh) = (
        words.meaning(plain),
        words.number(plain, row["value_plain"]),
    )
    usual, usual_zh = words.usual(plain, row["median"])
    if peers == 0:
        return (
            f"{en}: {own}; too few peers, median of all {usual}",
            f"{zh}：{own_zh}；同类过少，总体中位数{usual_zh}",
        )
    groups = [words.meaning(name) for name in words.within[row["feature"]]]
    same = " and ".join(g for g, _ in groups)
    same_zh = "、".join(g for _, g in groups)
    return (
        f"{en}: {own}; median of the {peers:,} peers (same {same}) {usual}",
        f"{zh}：{own_zh}；同类（同{same_zh}）{peers:,}个对象的中位数{usual_zh}",
    )


def shown(column: Column, value: float, language: int = 0) -> str:
    """A number as a person reads it, by the column's unit.

    `language` is 0 for English, 1 for Chinese; thousands have a separator.
    """
    if pd.isna(value):
        return ""
    if column.kind == "boolean":
        return (YES if value >= 0.5 else NO)[language]
    if column.unit == "share":
        return f"{value:.0%}"
    if column.unit in SUFFIX:
        whole = value == round(value) or abs(value) >= 100
        number = f"{value:,.0f}" if whole else f"{value:,.1f}"
        return number + SUFFIX[column.unit][language]
    return f"{value:,.2f}".rstrip("0").rstrip(".")
