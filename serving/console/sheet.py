"""The lead sheet: what a lead's page says, as a PDF with its list of evidence.

Sensitive values are masked. Every page bears the reader's name, the time, and that a
score is no evidence.
"""

import io
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any
from xml.sax.saxutils import escape

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

from serving.console.bars import percent
from serving.console.graph import Picture
from serving.console.lead_view import LeadView
from serving.console.lead_words import FOUND_BY
from serving.console.review_words import CAUSE_TITLES, STATE_TITLES
from serving.leads.models import Disposition

FONT = "STSong-Light"  # every reader of PDF has a typeface for its characters
LATIN = "Helvetica"
EVIDENCE_EN, EVIDENCE_ZH = "A score is no evidence", "异常分不是证据"
MOST_CHARACTERS = 800  # of one text; the page itself shows the rest
MOST_TIES = 60
_INK, _SOFT, _LINE = (colors.HexColor(c) for c in ("#14212e", "#51606f", "#d5dde5"))
_GREY, _BRAND = colors.HexColor("#eaeff4"), colors.HexColor("#12395b")
_WIDTH = A4[0] - 36 * mm
# Runs of characters that the Latin typeface has, and of those that it has not.
_RUNS = re.compile("[\x20-\x7e\xa1-\xff–—]+|[^\x20-\x7e\xa1-\xff–—]+")
_QUOTES = str.maketrans("“”‘’", "\"\"''")  # as wide as Chinese characters there
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class Sheet:
    """Puts a sheet together; `pdf` is its bytes.

    Args:
        concluded: what was concluded of the unit, newest first.
        keys: by source and row key, the row keys as they may be shown.
        picture: of the lead's links; None where none are kept.
    """

    def __init__(
        self,
        view: LeadView,
        concluded: Sequence[Disposition],
        keys: dict[tuple[str, str], str],
        picture: Picture | None,
        now: datetime,
    ) -> None:
        self.view, self.concluded, self.keys = view, concluded, keys
        self.picture = picture
        self.now = timezone.localtime(now)

    def pdf(self) -> bytes:
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
        out = io.BytesIO()
        document = SimpleDocTemplate(
            out,
            pagesize=A4,
            leftMargin=18 * mm,
            rightMargin=18 * mm,
            topMargin=20 * mm,
            bottomMargin=22 * mm,
            title=f"Leadline {self.view.run.id} #{self.view.lead.rank_fused}",
            author=self.view.user.username,
            invariant=True,
        )
        document.build(self._story(), self._page, self._page)
        return out.getvalue()

    def _story(self) -> list[Flowable]:
        parts = (
            *(self._head, self._rules, self._why, self._carries, self._ties),
            *(self._ways, self._evidence, self._silent, self._conclusions),
        )
        return [flowable for part in parts for flowable in part()]

    # -- parts --------------------------------------------------------------------
    def _head(self) -> list[Flowable]:
        view, lead = self.view, self.view.lead
        state = view.state.state if view.state else "open"
        facts = [
            (_("Supervision model"), view.model_title),
            (_("List as of"), f"{view.as_of:%Y-%m-%d}  ({view.run.id})"),
            (view.unit or _("Unit"), lead.unit_id),
            (
                _("Rank"),
                _("%(rank)s of %(units)s; by score alone %(score)s, by rules %(rules)s")
                % {
                    "rank": _number(lead.rank_fused),
                    "units": _number(view.run.units),
                    "score": _number(lead.rank_score),
                    "rules": _number(lead.rank_rules),
                },
            ),
            (_("Score"), self._score()),
            (_("Found by"), str(FOUND_BY.get(lead.found_by, lead.found_by))),
            (_("At stake"), "—" if lead.money is None else f"¥{_number(lead.money)}"),
            (_("Office"), lead.office or "—"),
            (_("Group"), view.group.group_id if view.group else "—"),
            (_("State"), str(STATE_TITLES.get(state, state))),
        ]
        return [
            self._text(lead.title, self._styles["title"]),
            self._warning(),
            self._table([list(fact) for fact in facts], (0.26, 0.74), head=False),
        ]

    def _score(self) -> str:
        score = number_format(round(self.view.lead.score, 3), 3)
        if self.view.lead.peer_percentile is None:
            return score
        share = {"share": self.view.peer_percent}
        return f"{score}  ({_('above %(share)s%% of its peers') % share})"

    def _why(self) -> list[Flowable]:
        rows = [
            [why.text, why.value or "", why.median or "", f"{percent(why.percentile)}%"]
            if why.percentile is not None
            else [why.text, why.value or "", why.median or "", ""]
            for why in self.view.reasons
        ]
        head = [_("Reason"), _("Here"), _("Median"), _("Above units")]
        return self._section(_("What is unusual"), head, rows, (0.55, 0.15, 0.15, 0.15))

    def _rules(self) -> list[Flowable]:
        rows = [
            [
                f"{hit.code} ({hit.layer})",
                hit.reason,
                hit.lawful if hit in self.view.lawful else "—",
                hit.says or "—",
            ]
            for hit in self.view.hits
        ]
        head = [
            *(_("Rule (layer)"), _("What it found")),
            *(_("Lawful explanation to rule out"), _("The data say")),
        ]
        title = _("Screening rules that fired")
        return self._section(title, head, rows, (0.11, 0.29, 0.22, 0.38))

    def _carries(self) -> list[Flowable]:
        found = self.view.parts.bars if self.view.parts else ()
        rows = [[bar.text, bar.signed.replace("−", "-")] for bar in found]
        carries = self._section(
            *(_("What carries its place"), [_("What"), _("Contribution")]),
            *(rows, (0.8, 0.2)),
        )
        falls = [[text, _number(rank)] for text, rank in self.view.falls]
        head = [_("What"), _("Rank it would fall to")]
        lower = self._section(_("What would lower it"), head, falls, (0.8, 0.2))
        return carries + lower

    def _ties(self) -> list[Flowable]:
        lines = self.picture.lines if self.picture else ()
        rows = [
            [
                f"{line.left.kind} {line.left.node.label}",
                f"{line.right.kind} {line.right.node.label}",
                tie.role,
                f"{tie.department or tie.source}, {tie.row_key}",
                _day(tie.event_at or tie.known_at),
                f"{tie.percent}%",
            ]
            for line in lines
            for tie in line.ties
            if line.left.node.home or line.right.node.home
        ]
        head = [
            *(_("From"), _("To"), _("Role"), _("Department and row")),
            *(_("Happened"), _("Probability")),
        ]
        widths = (0.19, 0.19, 0.18, 0.2, 0.12, 0.12)
        return self._section(_("What ties it"), head, rows[:MOST_TIES], widths)

    def _ways(self) -> list[Flowable]:
        rows = [
            [
                f"#{way.other.rank_fused} {way.other.title}",
                f"{step.left_kind} {step.left} – {step.right_kind} {step.right}",
                step.role,
                f"{step.department or step.source}, {step.row_key}",
                _day(step.event_at),
                f"{step.percent}%",
            ]
            for way in self.view.ways
            for step in way.steps
        ]
        head = [
            *(_("Other lead"), _("Tie"), _("Role"), _("Department and row")),
            *(_("Happened"), _("Probability")),
        ]
        title = _("Ways to other leads")
        return self._section(title, head, rows, (0.2, 0.21, 0.17, 0.18, 0.12, 0.12))

    def _evidence(self) -> list[Flowable]:
        view = self.view
        rows = [
            [
                view.sources.title(row.source),
                view.words(row, "department"),
                row.batch,
                "—" if row.line is None else str(row.line),
                self.keys.get((row.source, row.row_key), row.row_key),
            ]
            for row in view.evidence
        ]
        head = [_("Source"), _("Department"), _("Batch"), _("Line"), _("Row")]
        return self._section(_("Evidence"), head, rows, (0.18, 0.18, 0.34, 0.09, 0.21))

    def _silent(self) -> list[Flowable]:
        rows = [[title, department] for title, department in self.view.silent]
        head = [_("Source"), _("Department")]
        return self._section(
            _("Departments that say nothing of it"), head, rows, (0.5, 0.5)
        )

    def _conclusions(self) -> list[Flowable]:
        rows = []
        for word in self.concluded:
            verdict = str(STATE_TITLES.get(word.verdict, word.verdict))
            cause = str(CAUSE_TITLES.get(word.cause, word.cause))
            at = timezone.localtime(word.at)
            who = ", ".join(filter(None, (word.user, word.seconded_by)))
            what = f"{verdict} ({cause})" if cause else verdict
            rows.append([f"{at:%Y-%m-%d %H:%M}", what, word.reason, who])
        head = [_("When"), _("Conclusion"), _("Note"), _("Who")]
        return self._section(_("Conclusions"), head, rows, (0.18, 0.22, 0.42, 0.18))

    # -- how it looks -------------------------------------------------------------
    @cached_property
    def _styles(self) -> dict[str, ParagraphStyle]:
        plain = ParagraphStyle(
            "plain",
            fontName=FONT,
            fontSize=9,
            leading=13,
            textColor=_INK,
        )
        return {
            "plain": plain,
            "soft": ParagraphStyle("soft", plain, textColor=_SOFT),
            "left": ParagraphStyle("left", plain, fontSize=8, textColor=_SOFT),
            "centre": ParagraphStyle("centre", plain, fontSize=8, alignment=TA_CENTER),
            "right": ParagraphStyle("right", plain, fontSize=8, alignment=TA_RIGHT),
            "mark": ParagraphStyle(
                "mark",
                plain,
                fontSize=30,
                leading=40,
                alignment=TA_CENTER,
                textColor=colors.Color(0.2, 0.25, 0.3, alpha=0.055),
            ),
            "title": ParagraphStyle(
                "title", plain, fontSize=15, leading=20, spaceAfter=4
            ),
            "part": ParagraphStyle(
                "part",
                plain,
                fontSize=11,
                leading=15,
                spaceBefore=11,
                spaceAfter=4,
                textColor=_BRAND,
            ),
        }

    def _text(self, text: str, style: ParagraphStyle | None = None) -> Paragraph:
        clean = " ".join(_UNSEEN.sub("", text[: MOST_CHARACTERS + 1]).split())
        if len(text) > MOST_CHARACTERS:
            clean = f"{clean[:MOST_CHARACTERS]}…"
        if self.view.lang == "en":
            clean = clean.translate(_QUOTES)
        style = style or self._styles["plain"]
        runs = _RUNS.findall(clean)
        if sum(len(run) for run in runs if not _is_latin(run)) > len(clean) / 3:
            style = ParagraphStyle(f"{style.name}-cjk", style, wordWrap="CJK")
        return Paragraph("".join(map(_marked_up, runs)), style)

    def _warning(self) -> Table:
        said = self._text(
            _("A score is no evidence: it says where to look first. A person decides.")
        )
        box = Table([[said]], colWidths=[_WIDTH], spaceAfter=8)
        box.setStyle([("BACKGROUND", (0, 0), (-1, -1), colors.HexColor("#fdf3dc"))])
        return box

    def _section(
        self,
        title: str,
        head: list[str],
        rows: list[list[str]],
        widths: tuple[float, ...],
    ) -> list[Flowable]:
        heading = self._text(title, self._styles["part"])
        room = CondPageBreak(30 * mm)
        if not rows:
            return [room, heading, self._text(_("None."), self._styles["soft"])]
        return [room, heading, self._table([head, *rows], widths), Spacer(1, 2)]

    def _table(
        self, rows: list[list[str]], widths: tuple[float, ...], head: bool = True
    ) -> Table:
        soft = self._styles["soft"]
        cells = [
            [
                self._text(
                    text, soft if (head and not line) or (not head and not n) else None
                )
                for n, text in enumerate(row)
            ]
            for line, row in enumerate(rows)
        ]
        table = Table(
            cells,
            colWidths=[width * _WIDTH for width in widths],
            repeatRows=1 if head else 0,
            splitInRow=1,  # a row may be longer than a page
        )
        looks: list[Any] = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
        ]
        if head:
            looks.append(("BACKGROUND", (0, 0), (-1, 0), _GREY))
        table.setStyle(looks)
        return table

    def _page(self, canvas: Any, document: Any) -> None:
        """The watermark, and who read it when, at the foot."""
        reader, when = self.view.user.username, f"{self.now:%Y-%m-%d %H:%M}"
        canvas.saveState()
        canvas.translate(A4[0] / 2, A4[1] / 2)
        canvas.rotate(38)
        for step in (-230, 0, 230):
            self._put(canvas, "mark", f"{reader}  {when}", -_WIDTH, step)
            self._put(
                canvas, "mark", f"{EVIDENCE_ZH} {EVIDENCE_EN}", -_WIDTH, step - 40
            )
        canvas.restoreState()
        foot = 10 * mm
        self._put(canvas, "left", f"Leadline · {reader} · {when}", 18 * mm, foot)
        said = f"{EVIDENCE_ZH} · {EVIDENCE_EN}"
        self._put(canvas, "centre", said, A4[0] / 2 - _WIDTH, foot)
        self._put(
            canvas, "right", str(document.page), A4[0] - 18 * mm - 2 * _WIDTH, foot
        )

    def _put(self, canvas: Any, style: str, text: str, x: float, y: float) -> None:
        """A line twice as wide as the page's text, so that it never wraps."""
        line = self._text(text, self._styles[style])
        line.wrapOn(canvas, 2 * _WIDTH, 60)
        line.drawOn(canvas, x, y)


def _is_latin(run: str) -> bool:
    return run[0] <= "\xff" or run[0] in "–—"


def _marked_up(run: str) -> str:
    # Paragraph reads XML: what stands in the store must stay text.
    text = escape(run)
    return f'<font name="{LATIN}">{text}</font>' if _is_latin(run) else text


def _day(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d}" if time else "—"


def _number(value: float) -> str:
    return number_format(value, 0, use_l10n=True, force_grouping=True)
