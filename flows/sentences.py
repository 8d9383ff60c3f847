"""What ties leads to each other, as sentences in both languages."""

from collections.abc import Mapping
from typing import Literal

from serving.records import PathRecord, TieRecord

Language = Literal["en", "zh"]
Kinds = Mapping[str, Mapping[str, str]]  # kind of node -> its titles, en and zh

_COMMA = {"en": ", ", "zh": "，"}
_POSTED = {"en": "posted {:%Y-%m-%d}", "zh": "{:%Y-%m-%d}入库"}
_RANK = {"en": "rank {:,}", "zh": "第{:,}位"}


def path_sentence(path: PathRecord, kinds: Kinds, language: Language) -> str:
    """`claim A — [claimant, claims (court), 2022-05-01, 0.99] → person 330*** ...`.

    The last node is followed by the unit that it stands for, and its rank.
    """
    first, last = path.steps[0], path.steps[-1]
    text = node(first.left_kind, first.left, kinds, language)
    for step in path.steps:
        end = node(step.right_kind, step.right, kinds, language)
        text += f" — [{tie_words(step, language)}] → {end}"
    if last.right != path.other:  # masked
        text += f" ({path.other})"
    return text + _COMMA[language] + _RANK[language].format(path.other_rank)


def node(kind: str, label: str, kinds: Kinds, language: Language) -> str:
    """A node with the title of its kind."""
    return f"{kinds[kind][language]} {label}"


def tie_words(tie: TieRecord, language: Language) -> str:
    """Role, source with its department, date and probability, as far as known."""
    said = (role(tie, language), source(tie, language), dated(tie, language))
    return _COMMA[language].join([*filter(None, said), probability(tie)])


def role(tie: TieRecord, language: Language) -> str:
    return tie.role_en if language == "en" else tie.role_zh


def source(tie: TieRecord, language: Language) -> str:
    department = tie.department_en if language == "en" else tie.department_zh
    return f"{tie.source} ({department})" if department else tie.source


def dated(tie: TieRecord, language: Language = "en") -> str:
    """The day of the event; where it has none, the day it was posted."""
    if tie.event_at:
        return f"{tie.event_at:%Y-%m-%d}"
    return _POSTED[language].format(tie.known_at) if tie.known_at else ""


def probability(tie: TieRecord) -> str:
    """Two decimals, and never 1.00 for what is not certain."""
    shown = 1.0 if tie.probability == 1 else min(tie.probability, 0.99)
    return f"{shown:.2f}"
