"""What carries a lead's place, and what would move it, in words of both languages."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from configs.tables import COUNTERFACTUALS, PARTS
from flows.reasons import DECIMALS, Texts, Wording
from training.parts import DETECTOR, NEIGHBOURS, REVIEWS, RULE

# What each member of the ensemble looks at.
DETECTOR_WORDS = {
    "forest": ("few cuts part it from the others", "少数几次切分即可与他者分开"),
    "density": ("few units have values like these", "取值相近的对象很少"),
    "neighbours": ("far from the units nearest to it", "与最接近的对象相距较远"),
    "ordinary": ("far from the ordinary units", "与常见对象相距较远"),
}
PART_WORDS = {
    NEIGHBOURS: ("what is known of the units most like it", "与其最相似对象的情况"),
    REVIEWS: ("what reviews have taught", "既往核查结论"),
}


def parts_in_words(
    parts: pd.DataFrame, taught: pd.DataFrame, words: Wording
) -> pd.DataFrame:
    """The PARTS table of what `training.parts` gives."""
    lessons = _lessons(taught, words)
    texts = [
        _with_lessons(_part(part), lessons.get(unit) if part == REVIEWS else None)
        for unit, part in zip(parts["unit_id"], parts["part"], strict=True)
    ]
    told: dict[str, Any] = {
        "text_en": [en for en, _ in texts],
        "text_zh": [zh for _, zh in texts],
    }
    told["contribution"] = parts["contribution"].round(DECIMALS)
    return parts.assign(**told)[list(PARTS)]


def _lessons(taught: pd.DataFrame, words: Wording) -> dict[str, Texts]:
    """Per unit, the inputs that reviews hold for it or against it."""
    named: dict[str, list[Texts]] = {}
    for row in taught.to_dict("records"):
        en, zh = _input(row["input"], words)
        size = f"{row['contribution']:+.2f}"
        named.setdefault(row["unit_id"], []).append((f"{en} {size}", f"{zh}{size}"))
    return {
        unit: ("; ".join(en for en, _ in own), "；".join(zh for _, zh in own))
        for unit, own in named.items()
    }


def _with_lessons(part: Texts, lessons: Texts | None) -> Texts:
    if lessons is None:
        return part
    return f"{part[0]}: {lessons[0]}", f"{part[1]}：{lessons[1]}"


def _input(name: str, words: Wording) -> Texts:
    """What the ranker looks at: a feature's value, a detector's score, a rule."""
    if name.startswith((DETECTOR, RULE)):
        return _part(name)
    en, zh = words.meaning(name)
    return f"“{en}”", f"“{zh}”"


def counterfactuals_in_words(changed: pd.DataFrame, words: Wording) -> pd.DataFrame:
    """The COUNTERFACTUALS table of what `training.counterfactual` gives."""
    texts = [_what_if(row, words) for row in changed.to_dict("records")]
    told = {"text_en": [en for en, _ in texts], "text_zh": [zh for _, zh in texts]}
    return changed.assign(**told)[list(COUNTERFACTUALS)]


def _part(part: str) -> Texts:
    if part.startswith(RULE):
        code = part.removeprefix(RULE)
        return f"rule {code} fired", f"触发规则{code}"
    if part.startswith(DETECTOR):
        name = part.removeprefix(DETECTOR)
        return DETECTOR_WORDS.get(name, (f"detector {name}", f"检测器{name}"))
    return PART_WORDS[part]


def _what_if(row: Mapping[Any, Any], words: Wording) -> Texts:
    """`would fall to rank 812 if “claimed amount” were 3,100 yuan (usual)`."""
    conditions = [*_without_rule(row), *_with_values(row, words)]
    english = " and ".join(en for en, _ in conditions)
    chinese = "，且".join(zh for _, zh in conditions)
    verb, verb_zh = _move(row["rank"], row["rank_now"])
    rank = f"{row['rank']:,}"
    return f"{verb} {rank} if {english}", f"若{chinese}，{verb_zh}第{rank}位"


def _move(rank: int, now: int) -> Texts:
    if rank == now:
        return "would still stand at rank", "仍居"
    if rank > now:
        return "would fall to rank", "将降至"
    return "would rise to rank", "将升至"


def _without_rule(row: Mapping[Any, Any]) -> list[Texts]:
    code = row["rule"]
    if not isinstance(code, str):
        return []
    return [(f"rule {code} had not fired", f"未触发规则{code}")]


def _with_values(row: Mapping[Any, Any], words: Wording) -> list[Texts]:
    texts = []
    for n in (1, 2):
        name = row[f"feature_{n}"]
        if isinstance(name, str):
            (en, zh), usual = words.meaning(name), row[f"usual_{n}"]
            value, value_zh = words.usual(name, row[f"value_{n}"])
            as_, as_zh = (
                ("usual", "通常值") if usual else ("expected", "按其他各项推断")
            )
            texts.append(
                (f"“{en}” were {value} ({as_})", f"“{zh}”为{value_zh}（{as_zh}）")
            )
    return texts
