"""Doubtful links of the newest runs, as a person judges them: two records side by side."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from configs.privacy import MASK
from serving.access.rights import Action, AnyUser, may, offices_for
from serving.console.entity import kind_of, seen_keys
from serving.dossier import Rows, dossier
from serving.judgements import JudgementRecord, last_words
from serving.leads.models import Run

_CLOSE = 2  # so many characters may differ by a slip of the pen
_LONGEST = 2_000  # characters of a value on the page


@dataclass(frozen=True, slots=True)
class Attribute:
    """What both records say of one thing; None where one says nothing."""

    name: str
    left: str | None
    right: str | None
    how: str  # same, close, differs or missing
    sensitive: bool


@dataclass(frozen=True, slots=True)
class Doubt:
    """A link that may or may not be true, and the last word on it."""

    model: str
    entity: str
    kind: dict[str, str]
    left: str
    right: str
    probability: float
    found_by: str
    attributes: tuple[Attribute, ...]
    left_key: str | None
    right_key: str | None
    said: JudgementRecord | None

    @property
    def named(self) -> tuple[str, str, str]:
        """What tells it apart within its run."""
        return self.entity, self.left, self.right


def doubts_in_sight(user: AnyUser, run: Run) -> list[Doubt]:
    """The doubtful links of a run that the user may judge, the most doubtful first.

    Who works for some offices only judges records of their leads.
    """
    rows = _in_sight(user, "judge", run, dossier(run).doubts())
    said = {
        (word.entity, word.left, word.right): word for word in last_words(run.model_id)
    }
    return [_doubt(run, row, said) for row in rows]


def may_open(user: AnyUser, run: Run, doubt: Doubt) -> bool:
    """May the user see the sensitive values of the two records?

    Both are shown then, so neither may belong to leads of other offices alone.
    """
    if not may(user, "disclose", run.model_id):
        return False
    ends = {key for key in (doubt.left_key, doubt.right_key) if key is not None}
    if offices_for(user, "disclose", run.model_id) is None:
        return True
    return bool(ends) and seen_keys(user, "disclose", run, ends) >= ends


def opened(run: Run, doubt: Doubt) -> Doubt:
    """The doubt with its sensitive values as they are."""
    for row in dossier(run).doubts():
        if (row["entity"], row["left"], row["right"]) == doubt.named:
            return _doubt(run, row, {_pair(row): doubt.said}, is_open=True)
    return doubt


def _in_sight(user: AnyUser, action: Action, run: Run, rows: Rows) -> Rows:
    if not may(user, action, run.model_id):
        return []
    if offices_for(user, action, run.model_id) is None:
        return rows
    ends = {row[side] for row in rows for side in ("left_key", "right_key")} - {None}
    seen = seen_keys(user, action, run, ends)
    return [row for row in rows if {row["left_key"], row["right_key"]} & seen]


def _doubt(
    run: Run,
    row: dict[str, Any],
    said: dict[tuple[str, str, str], Any],
    *,
    is_open: bool = False,
) -> Doubt:
    sensitive = {name for name in (row["sensitive"] or "").split(",") if name}
    kept = ("entity", "left", "right", "probability", "found_by")
    return Doubt(
        model=run.model_id,
        kind=kind_of(run, row["entity"]),
        attributes=tuple(_attributes(row, sensitive, is_open)),
        left_key=row["left_key"],
        right_key=row["right_key"],
        said=said.get(_pair(row)),
        **{name: row[name] for name in kept},
    )


def _pair(row: dict[str, Any]) -> tuple[str, str, str]:
    """As a judgement is kept: the lesser record on the left."""
    left, right = sorted((row["left"], row["right"]))
    return row["entity"], left, right


def _attributes(
    row: dict[str, Any], sensitive: set[str], is_open: bool
) -> Iterator[Attribute]:
    left, right = _told(row["left_says"]), _told(row["right_says"])
    for name in dict.fromkeys((*left, *right)):
        ours, theirs = left.get(name), right.get(name)
        hidden = name in sensitive and not is_open
        yield Attribute(
            name=name,
            left=_shown(ours, hidden),
            right=_shown(theirs, hidden),
            how=_compared(ours, theirs),
            sensitive=name in sensitive,
        )


def _told(text: str) -> dict[str, str]:
    said = json.loads(text or "{}")
    return {
        name: str(value)
        for name, value in said.items()
        if value is not None and str(value) != ""
    }


def _shown(value: str | None, hidden: bool) -> str | None:
    """The value, or as much of a hidden one as tells records apart by eye."""
    if value is None:
        return None
    if not hidden:
        return value[:_LONGEST]
    return value[: min(3, len(value) // 4)] + MASK


def _compared(left: str | None, right: str | None) -> str:
    if left is None or right is None:
        return "missing"
    if left == right:
        return "same"
    slips = sum(a != b for a, b in zip(left, right, strict=False))
    slips += abs(len(left) - len(right))
    return (
        "close" if slips <= _CLOSE and slips < max(len(left), len(right)) else "differs"
    )
