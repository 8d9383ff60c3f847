"""Columns of the family text: their names and words, and what may be wrong."""

from collections.abc import Iterator, Mapping

from configs.column import Column
from configs.errors import nearest
from configs.expressions import Kind
from configs.network import TextSpec
from configs.spec import Text

TEXT_WORDS = {
    "near_duplicates": (
        "other texts that say nearly the same",
        "内容几乎相同的其他文本数",
    ),
    "within": (
        "other texts that say nearly the same, same {within}",
        "同一{within}的内容几乎相同的其他文本数",
    ),
    "across": (
        "other texts that say nearly the same, another {within}",
        "不同{within}的内容几乎相同的其他文本数",
    ),
    "similarity": (
        "highest similarity with another near-duplicate (0 = none)",
        "与其他近似文本的最高相似度（0为无近似文本）",
    ),
}


def text_problem(step: TextSpec, kinds: Mapping[str, Kind]) -> str | None:
    """What is wrong with the compared column, given the source's columns."""
    kind = kinds.get(step.column)
    if kind is None:
        return f"{step.of} has no {step.column!r}{nearest(step.column, kinds)}"
    return None if kind == "text" else f"texts are compared; {step.column!r} is {kind}"


def text_columns(
    step: TextSpec, source: Text, column: Text, within: Text
) -> Iterator[Column]:
    """Columns of one step; the texts name the source and its two columns."""
    for stat in step.stats:
        en, zh = TEXT_WORDS[stat]
        meaning = Text(
            en=f"{source.en}, {column.en}: {en.format(within=within.en)}",
            zh=f"{source.zh}的{column.zh}：{zh.format(within=within.zh)}",
        )
        unit = "share" if stat == "similarity" else "count"
        name = f"{step.named}_{stat}"
        yield Column(name, "number", meaning, step.of, "text", unit, True)
