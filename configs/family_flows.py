"""Columns of the families concentration, flows and rotation: their names and words."""

from collections.abc import Iterator

from configs.column import Column
from configs.network import ConcentrationSpec, FlowsSpec, RotationSpec
from configs.spec import Text

CONCENTRATION_WORDS = {
    "top_share": ("largest share of one {over}", "同一{over}的最大占比"),
    "hhi": (
        "concentration by {over} (Herfindahl-Hirschman index, 1 = one alone)",
        "{over}的集中度（赫芬达尔-赫希曼指数，1为仅一种）",
    ),
    "entropy": (
        "evenness by {over} (normalised entropy, 0 = one alone)",
        "{over}分布的均匀度（归一化熵，0为仅一种）",
    ),
    "own_share": ("share with the same {over} as here", "与该对象{over}相同的占比"),
}
FLOW_WORDS = {
    "reciprocity": (
        "share of what it pays that the receivers pay back",
        "所付金额中由收款方付回的占比",
    ),
    "circle_size": (
        "parties in its circle of payments (1 = no circle)",
        "所在资金回路的成员数（1为无回路）",
    ),
    "circle_share": (
        "share of what it pays that stays in its circle of payments",
        "所付金额中留在资金回路内的占比",
    ),
    "round_trip_share": (
        "share of what it pays that can come back in two or three payments",
        "所付金额中经两至三笔付款可回流的占比",
    ),
    "hub_share": (
        "share of what it pays from or to parties with very many partners",
        "所付金额中涉及往来对象极多的主体的占比",
    ),
}
ROTATION_WORDS = {
    "rivals": ("others met in at least two contests", "至少两次同场竞争的对手数"),
    "win_share": ("share of its contests that it won", "参与竞争的胜出占比"),
    "rotation": (
        "how often the winner switches between it and the same rival",
        "与同一对手轮流胜出的占比",
    ),
    "turns": (
        "most times that the winner switched between it and one rival",
        "与单一对手轮流胜出的最多次数",
    ),
}
_UNITS = {
    "hhi": "index",
    "entropy": "index",
    "circle_size": "count",
    "rivals": "count",
    "turns": "count",
}


def concentration_columns(
    step: ConcentrationSpec, source: Text, by: Text, over: Text
) -> Iterator[Column]:
    """Columns of one step; the texts name the source, the key and the value."""
    base = Text(en=f"{source.en}, same {by.en}", zh=f"{source.zh}，同一{by.zh}")
    for stat in step.stats:
        en, zh = CONCENTRATION_WORDS[stat]
        words = en.format(over=over.en), zh.format(over=over.zh)
        yield _column("concentration", step, stat, base, words)


def flow_columns(step: FlowsSpec, source: Text, by: Text) -> Iterator[Column]:
    """Columns of one step; the texts name the source and the party."""
    base = Text(en=f"{source.en}, {by.en}", zh=f"{source.zh}，{by.zh}")
    for stat in step.stats:
        yield _column("flows", step, stat, base, FLOW_WORDS[stat])


def rotation_columns(step: RotationSpec, source: Text, by: Text) -> Iterator[Column]:
    """Columns of one step; the texts name the source and the party."""
    base = Text(en=f"{source.en}, {by.en}", zh=f"{source.zh}，{by.zh}")
    for stat in step.stats:
        yield _column("rotation", step, stat, base, ROTATION_WORDS[stat])


def _column(
    family: str,
    step: ConcentrationSpec | FlowsSpec | RotationSpec,
    stat: str,
    base: Text,
    words: tuple[str, str],
) -> Column:
    en, zh = words
    meaning = Text(en=f"{base.en}: {en}", zh=f"{base.zh}：{zh}")
    unit = _UNITS.get(stat, "share")
    name = f"{step.named}_{stat}"
    return Column(name, "number", meaning, step.of, family, unit, True)
