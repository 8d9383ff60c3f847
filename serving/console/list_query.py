"""Pages of a list, whatever its length: by keys, never by counting rows from the top.

Where few leads are left (`list_few`) they are all fetched, sorted and counted. Otherwise
the list is read along the index of its order, a bounded stretch at a time: a page that is
not full after `STRETCH` leads says how far it looked.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from django.db.models import F, Q, QuerySet

from serving.access.models import User
from serving.access.rights import Action, may, offices_for
from serving.console.list_few import TOGETHER, few
from serving.console.list_filter import LeadFilter, plain
from serving.leads.models import Lead, Run

Order = Literal["fused", "score", "rules", "money"]
ORDERS: tuple[Order, ...] = ("fused", "score", "rules", "money")
SIZES = (25, 50, 100)
STRETCH = 30_000  # leads that one page looks through at most
RICHEST = 10_000  # the same in the order of money, where they lie scattered

# The place of a lead in an order: its rank, or its amount negated and its fused rank.
Key = tuple[float, ...]
Found = tuple[Key, Lead]
_TOGETHER = 2_000  # leads read at once where all are


@dataclass(frozen=True, slots=True)
class Page:
    """Some leads of a list in its order, and where the ones around them begin.

    Each has `in_group`, the Group.id of the group that it is opened with, or None.
    """

    leads: list[Lead]
    before: str | None = None  # place that the page before this one ends at
    after: str | None = None
    looked_to: int | None = None  # rank, when the page is not full and leads follow
    total: int | None = None  # leads that fit, where they are counted


@dataclass(frozen=True)
class Listing:
    """The leads of a run that a user may do something to and that fit the filters."""

    run: Run
    user: User
    filter: LeadFilter
    order: Order = "fused"
    action: Action = field(default="see")

    @cached_property
    def offices(self) -> set[str] | None:
        return offices_for(self.user, self.action, self.run.model_id)

    @cached_property
    def narrow(self) -> bool:
        """Does any filter say something?"""
        return bool(self.filter.asked)

    @cached_property
    def few(self) -> list[tuple[Key, int]] | None:
        """Key and id of all that fit, in order, when an index tells that they are few."""
        ids = few(self.filter, self.offices)
        if ids is None:
            return None
        found: list[tuple[Key, int]] = []
        wanted = sorted(ids)
        for start in range(0, len(wanted), TOGETHER):
            # Without the run, which these ids are of: its indexes would mislead.
            some = Lead.objects.filter(id__in=wanted[start : start + TOGETHER])
            rows = self._fitting(some).values_list("id", *self._columns)
            found += [(_key(row[1:]), row[0]) for row in rows]
        return sorted(found)

    @property
    def rank(self) -> str:
        return "rank_fused" if self.order == "money" else f"rank_{self.order}"

    @property
    def _columns(self) -> tuple[str, ...]:
        return ("money", "rank_fused") if self.order == "money" else (self.rank,)

    def _fitting(self, leads: QuerySet[Lead]) -> QuerySet[Lead]:
        if not may(self.user, self.action, self.run.model_id):
            return leads.none()
        if self.offices is not None:
            named = [*sorted(self.offices), ""]
            leads = leads.alias(seen_by=plain("office"))
            leads = leads.filter(seen_by__in=named)
        if self.order == "money":
            leads = leads.filter(money__isnull=False)
        return self.filter.narrowed(leads)

    def ahead(self, place: str, size: int) -> Page:
        """The page after a place; an empty place is the beginning."""
        after = _place(place, len(self._columns))
        if self.few is not None:
            start = bisect_right(self.few, (after or (-math.inf,), math.inf))
            return self._cut(self.few, start, start + size)
        rows, end = self._stretch(after, size + 1)
        full = len(rows) > size
        shown = rows[:size]
        last = shown[-1][0] if full else end
        begin = after is not None and not self._is_start(after)
        return Page(
            [lead for _, lead in shown],
            before=_text(shown[0][0] if shown else _behind(after)) if begin else None,
            after=_text(last) if last else None,
            looked_to=self._looked(end) if not full else None,
            total=self._total(),
        )

    def back(self, place: str, size: int) -> Page:
        """The page before a place."""
        before = _place(place, len(self._columns))
        if before is None:
            return self.ahead("", size)
        if self.few is not None:
            end = bisect_left(self.few, (before, -math.inf))
            return self._cut(self.few, max(end - size, 0), end)
        rows, begin = self._stretch_back(before, size + 1)
        full = len(rows) > size
        shown = rows[-size:]
        first = shown[0][0] if full else begin
        return Page(
            [lead for _, lead in shown],
            before=_text(first) if first else None,
            after=_text(shown[-1][0]) if shown else _text(begin or (0.0,)),
            total=self._total(),
        )

    def all(self, limit: int) -> Iterator[list[Lead]]:
        """All that fit, in order and in parts, at most `limit` of them."""
        place, left = "", limit
        while left > 0:
            page = self.ahead(place, min(_TOGETHER, left))
            if page.leads:
                yield page.leads
            left -= len(page.leads)
            if page.after is None:
                return
            place = page.after

    def _cut(self, found: Sequence[tuple[Key, int]], start: int, end: int) -> Page:
        some = found[start:end]
        leads = _grouped(Lead.objects.filter(id__in=[number for _, number in some]))
        by_id = {lead.id: lead for lead in leads}
        ends = (some[0][0], some[-1][0]) if some else (None, None)
        return Page(
            [by_id[number] for _, number in some],
            before=_text(ends[0]) if start > 0 else None,
            after=_text(ends[1]) if end < len(found) else None,
            total=len(found),
        )

    def _total(self) -> int | None:
        known = not self.narrow and self.offices is None and self.order != "money"
        return self.run.listed if known else None

    def _looked(self, end: Key | None) -> int | None:
        return int(end[-1]) if end and self.order != "money" else None

    def _is_start(self, after: Key) -> bool:
        return self.order != "money" and after[0] <= 0

    def _stretch(self, after: Key | None, size: int) -> tuple[list[Found], Key | None]:
        """Up to `size` that fit, and the place that was looked to, None at the end."""
        if self.order == "money":
            return self._richest(after, size)
        low, high = self._bounds()
        start = max(int(after[0]) if after else 0, low)
        end = min(self._along(start), high)
        walk = self._of_run().filter(
            **{f"{self.rank}__gt": start, f"{self.rank}__lte": end}
        )
        rows = self._fitting(walk).order_by(self.rank)
        return self._found(rows[:size]), (end,) if end < high else None

    def _stretch_back(self, before: Key, size: int) -> tuple[list[Found], Key | None]:
        if self.order == "money":
            return self._poorer(before, size), None
        low, high = self._bounds()
        end = min(int(before[0]), high + 1)
        start = max(self._along(end, back=True), low + 1)
        walk = self._of_run().filter(
            **{f"{self.rank}__lt": end, f"{self.rank}__gte": start}
        )
        rows = self._fitting(walk).order_by(f"-{self.rank}")
        found = self._found(rows[:size])[::-1]
        return found, (start,) if start > low + 1 else None

    def _richest(self, after: Key | None, size: int) -> tuple[list[Found], Key | None]:
        leads = self._of_run().filter(money__isnull=False)
        if after:
            money, rank = -after[0], int(after[-1])
            beyond = Q(money__lt=money) | Q(rank_fused__gt=rank)
            leads = leads.filter(beyond, money__lte=money)
        walk = leads.order_by("-money", "rank_fused")
        end = None
        if self.narrow or self.offices is not None:
            last = walk.values_list("money", "rank_fused")[RICHEST : RICHEST + 1]
            end = next((_key(row) for row in last), None)
        if end:
            within = Q(money__gt=-end[0]) | Q(rank_fused__lte=end[1])
            walk = walk.filter(within, money__gte=-end[0])
        return self._found(self._fitting(walk)[:size]), end

    def _poorer(self, before: Key, size: int) -> list[Found]:
        """Those before a place in the order of money, nearest last."""
        money, rank = -before[0], int(before[-1])
        nearer = Q(money__gt=money) | Q(rank_fused__lt=rank)
        leads = self._of_run().filter(nearer, money__gte=money)
        nearest = self._fitting(leads).order_by("money", "-rank_fused")
        return self._found(nearest[:size])[::-1]

    def _along(self, rank: int, *, back: bool = False) -> int:
        """The rank of the lead that stands STRETCH leads behind a rank, or before it."""
        if self.run.listed == self.run.units:
            return rank - STRETCH if back else rank + STRETCH
        side, order = ("lt", f"-{self.rank}") if back else ("gt", self.rank)
        walk = self._of_run().filter(**{f"{self.rank}__{side}": rank}).order_by(order)
        last = walk.values_list(self.rank, flat=True)[STRETCH - 1 : STRETCH].first()
        return last or (0 if back else self.run.units)

    def _found(self, leads: QuerySet[Lead]) -> list[Found]:
        return [
            (_key([getattr(lead, column) for column in self._columns]), lead)
            for lead in _grouped(leads)
        ]

    def _of_run(self) -> QuerySet[Lead]:
        return Lead.objects.filter(run=self.run)

    def _bounds(self) -> tuple[int, int]:
        """The ranks between which all lie that fit: above the first, up to the second."""
        asked = self.filter.asked if self.order == "fused" else {}
        low, high = 0, self.run.units
        if "high" in asked:
            low = ranks_above(self.run, float(asked["high"]), strictly=True)
        if "low" in asked:
            high = ranks_above(self.run, float(asked["low"]), strictly=False)
        return low, max(low, high)


def ranks_above(run: Run, score: float, *, strictly: bool) -> int:
    """The last rank of a run with a greater fused score, or the same one; 0 for none."""
    low, high = 0, run.units  # none behind `high` is above
    while low < high:
        leads = Lead.objects.filter(run=run, rank_fused__gt=(low + high) // 2)
        found = leads.order_by("rank_fused").values_list("rank_fused", "fused").first()
        # The first one behind the middle, for between listed ranks others are missing.
        if found and (found[1] > score if strictly else found[1] >= score):
            low = found[0]
        else:
            high = (low + high) // 2
    return low


def _grouped(leads: QuerySet[Lead]) -> QuerySet[Lead]:
    return leads.annotate(in_group=F("membership__group_id"))


def _key(row: Sequence[Any]) -> Key:
    """The key from the columns of an order."""
    return (-row[0], row[1]) if len(row) == 2 else (row[0],)


def _behind(key: Key | None) -> Key | None:
    """The place just behind one, so that a page back from there ends with it."""
    return (*key[:-1], key[-1] + 1) if key else None


def _text(key: Key | None) -> str:
    return "~".join(f"{part:.17g}" for part in key or ())


def _place(text: str, parts: int) -> Key | None:
    """The key that a place in an address means; None when it means none."""
    try:
        key = tuple(float(part) for part in text.split("~"))
    except ValueError:
        return None
    sound = len(key) == parts and all(math.isfinite(part) for part in key)
    return key if sound else None
