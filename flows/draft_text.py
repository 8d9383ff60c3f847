"""Traits and draft rules in words, and a draft as a block for rules.yaml."""

from collections.abc import Mapping, Sequence

import yaml

from configs.column import Column
from configs.schema import UNWRITTEN
from configs.spec import Text
from flows.reasons import shown
from training.conditions import Condition

AGGREGATES = frozenset(
    {
        "history",
        "peers",
        "concentration",
        "flows",
        "rotation",
        "text",
        "network",
        "path",
    }
)
TRAIT_LAYER, AGGREGATE_LAYER = 2, 3
_SIGNS = {">=": "≥", "<=": "≤"}
_WIDE = 10_000  # a line is not broken


def in_words(condition: Condition, columns: Mapping[str, Column]) -> Text:
    """A condition as a person says it."""
    if condition.op == "fires":
        return Text(en=f"rule {condition.name} fires", zh=f"触发规则{condition.name}")
    column = columns[condition.name]
    en, zh = column.meaning.en, column.meaning.zh
    if condition.op == "is":
        return Text(en=en, zh=zh)
    if condition.op == "is not":
        return Text(en=f"not: {en}", zh=f"非：{zh}")
    if isinstance(condition.value, str):
        return Text(en=f"{en}: {condition.value}", zh=f"{zh}：{condition.value}")
    sign = _SIGNS[condition.op]
    return Text(
        en=f"{en} {sign} {shown(column, condition.value)}",
        zh=f"{zh}{sign}{shown(column, condition.value, 1)}",
    )


def joined(texts: Sequence[Text]) -> Text:
    """Several of them as one."""
    return Text(en="; ".join(t.en for t in texts), zh="；".join(t.zh for t in texts))


def expression(conditions: Sequence[Condition]) -> str:
    """The conjunction in the expression language."""
    return " and ".join(condition.expression for condition in conditions)


def layer_of(conditions: Sequence[Condition], columns: Mapping[str, Column]) -> int:
    """3 as soon as a condition is about other rows than the unit's own, else 2."""
    families = {columns[condition.name].family for condition in conditions}
    return AGGREGATE_LAYER if families & AGGREGATES else TRAIT_LAYER


def block(
    code: str,
    conditions: Sequence[Condition],
    columns: Mapping[str, Column],
    notes: Sequence[str],
) -> str:
    """One rule of rules.yaml below its notes, without a lawful explanation as yet."""
    reason = joined([_reason(condition, columns) for condition in conditions])
    rule = {
        "code": code,
        "layer": layer_of(conditions, columns),
        "when": expression(conditions),
        "reason": reason.model_dump(),
        "lawful": UNWRITTEN.model_dump(),
    }
    text = yaml.safe_dump([rule], allow_unicode=True, sort_keys=False, width=_WIDE)
    lines = (" ".join(note.split()) for note in notes)  # a comment ends with its line
    return "".join(f"# {line}\n" for line in lines) + text


def _reason(condition: Condition, columns: Mapping[str, Column]) -> Text:
    """What a lead is told: the meaning and, filled in for each lead, the value."""
    if condition.op in ("is", "is not"):
        return in_words(condition, columns)
    column = columns[condition.name]
    slot = f"{{{condition.name}{':.0%' if column.unit == 'share' else ''}}}"
    return Text(en=f"{column.meaning.en}: {slot}", zh=f"{column.meaning.zh}：{slot}")
