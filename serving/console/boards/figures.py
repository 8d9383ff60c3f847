"""The figures of a board: what each is called, means, counts, says and looks like."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from serving.console.boards import (
    drift,
    lists,
    precision,
    telling_lists,
    telling_reviews,
    work,
)
from serving.console.boards.board import Board, kept
from serving.console.boards.wording import Told
from serving.console.language import language

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of figure; `part` is which of several, such as a column."""

    name: str
    title: Text
    meaning: Text
    terms: tuple[str, ...]  # of the glossary
    measure: Callable[[Board, str], Any]
    tell: Callable[[Any], Told]
    draw: str  # function of its module of charts
    of_list: bool  # of the chosen list; otherwise of the reviews of the period


KINDS = (
    Kind(
        "precision",
        gettext_lazy("Precision at capacity"),
        gettext_lazy(
            "How many of the reviewed leads at the head of each list were confirmed, and "
            "what may be expected of those below."
        ),
        ("precision", "interval", "drawn"),
        lambda board, part: precision.precision(board),
        telling_reviews.tell_precision,
        "charts_reviews.draw_precision",
        of_list=False,
    ),
    Kind(
        "lift",
        gettext_lazy("Lift over rules"),
        gettext_lazy(
            "What each order alone would have shown within the weekly capacity, and how "
            "much of it was confirmed."
        ),
        ("lift", "capacity"),
        lambda board, part: precision.lift(board),
        telling_reviews.tell_lift,
        "charts_reviews.draw_lift",
        of_list=False,
    ),
    Kind(
        "rules",
        gettext_lazy("Precision of each rule by month"),
        gettext_lazy(
            "How many of the decided leads that a rule fired on were confirmed; the darker, "
            "the more. Cells of fewer than five reviews stay white."
        ),
        ("precision", "rule"),
        lambda board, part: precision.rule_precision(board),
        telling_reviews.tell_rules,
        "charts_reviews.draw_rules",
        of_list=False,
    ),
    Kind(
        "waits",
        gettext_lazy("Time to disposition"),
        gettext_lazy(
            "How long it takes from the publication of a list to the disposition of its "
            "leads, by week of the disposition."
        ),
        ("waits",),
        lambda board, part: work.waits(board),
        telling_reviews.tell_waits,
        "charts_reviews.draw_waits",
        of_list=False,
    ),
    Kind(
        "backlog",
        gettext_lazy("Backlog"),
        gettext_lazy(
            "How many assigned units are open, overdue or wait for a second person."
        ),
        ("backlog",),
        lambda board, part: work.backlog(board),
        telling_reviews.tell_backlog,
        "charts_reviews.draw_backlog",
        of_list=False,
    ),
    Kind(
        "conversions",
        gettext_lazy("What becomes of listed units"),
        gettext_lazy(
            "How many of the units at the head of the lists were taken up, decided, "
            "confirmed and transferred."
        ),
        ("conversions", "capacity"),
        lambda board, part: work.conversions(board),
        telling_reviews.tell_conversions,
        "charts_reviews.draw_conversions",
        of_list=False,
    ),
    Kind(
        "funnel",
        gettext_lazy("Funnel by layer"),
        gettext_lazy("How many units are left after each layer of screening rules."),
        ("funnel",),
        lambda board, part: lists.funnel(board),
        telling_lists.tell_funnel,
        "charts_lists.draw_funnel",
        of_list=True,
    ),
    Kind(
        "spots",
        gettext_lazy("Hot spots"),
        gettext_lazy(
            "Where more units than usual stand in the first tenth of the list; red where "
            "the whole interval lies above that of all units."
        ),
        ("spots", "interval"),
        lists.spots,
        telling_lists.tell_spots,
        "charts_lists.draw_spots",
        of_list=True,
    ),
    Kind(
        "scores",
        gettext_lazy("Drift of the scores"),
        gettext_lazy(
            "How the scores are spread over the units, beside the list before."
        ),
        ("psi",),
        lambda board, part: drift.score_drift(board),
        telling_lists.tell_scores,
        "charts_lists.draw_scores",
        of_list=True,
    ),
    Kind(
        "features",
        gettext_lazy("Drift of the features"),
        gettext_lazy(
            "Which features are spread otherwise than in the list before or in the first "
            "list of this model version."
        ),
        ("psi",),
        lambda board, part: drift.feature_drift(board),
        telling_lists.tell_features,
        "charts_lists.draw_features",
        of_list=True,
    ),
    Kind(
        "freshness",
        gettext_lazy("Freshness of the data"),
        gettext_lazy(
            "How many days lie between the last row that each department had posted and "
            "the date of the list."
        ),
        ("freshness",),
        lambda board, part: lists.freshness(board),
        telling_lists.tell_freshness,
        "charts_lists.draw_freshness",
        of_list=True,
    ),
)
_NAMED = {kind.name: kind for kind in KINDS}
_PART = "-"  # between a kind and its part


@dataclass(frozen=True, slots=True)
class Figure:
    """A kind of figure, and its part, on one board."""

    kind: Kind
    board: Board
    part: str = ""

    @property
    def name(self) -> str:
        return f"{self.kind.name}{_PART}{self.part}" if self.part else self.kind.name

    @property
    def title(self) -> str:
        if not self.part:
            return str(self.kind.title)
        words = {"title": self.kind.title, "column": self._column()}
        return _("%(title)s: %(column)s") % words

    def _column(self) -> str:
        kept = self.board.chosen.about.get("spots", ())
        found = [spot[language()] for spot in kept if spot["column"] == self.part]
        return str(found[0]) if found else self.part

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.board.key} {self.name}".encode()).hexdigest()

    def data(self) -> Any:
        """The numbers, counted once while nothing changes."""
        return kept(self.key, lambda: self.kind.measure(self.board, self.part))

    def told(self) -> Told:
        return self.kind.tell(self.data())

    def picture(self) -> str:
        """The chart as SVG, drawn once in each language."""
        key = f"{self.key}-{translation.get_language()}"
        return kept(key, self._drawn)

    def _drawn(self) -> str:
        # Drawing needs a heavy package, which pages without pictures do not.
        drawing = import_module("serving.console.boards.drawing")
        data, told = self.data(), self.told()
        if told.empty:
            return str(drawing.svg(lambda: drawing.said(told.empty), told.empty))
        module, _dot, name = self.kind.draw.partition(".")
        draw = getattr(import_module(f"serving.console.boards.{module}"), name)
        return str(drawing.svg(lambda: draw(data), told.sentence))


def figures(board: Board) -> Iterator[Figure]:
    """All figures of a board; of hot spots one for each column that was kept."""
    for kind in KINDS:
        if kind.name != "spots":
            yield Figure(kind, board)
        else:
            for column in lists.spot_columns(board.chosen):
                yield Figure(kind, board, column)


def figure(board: Board, name: str) -> Figure | None:
    """A figure by its name; None where the board has no such figure."""
    kind, _dash, part = name.partition(_PART)
    if kind not in _NAMED or bool(part) != (kind == "spots"):
        return None
    if part and part not in lists.spot_columns(board.chosen):
        return None
    return Figure(_NAMED[kind], board, part)
