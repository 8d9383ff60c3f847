"""What figures of reviews say in words and as tables."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from serving.console.boards.intervals import Share
from serving.console.boards.precision import Lift, Precision, RuleTable
from serving.console.boards.wording import (
    NONE,
    Table,
    Told,
    count,
    day,
    decimal,
    interval,
    month,
    percent,
    sentence_of,
)
from serving.console.boards.words import ORDER_WORDS, STEP_WORDS, layer_words
from serving.console.boards.work import Backlog, Conversions, Waits

_RULES_SAID = 3  # named in a sentence


def _share_cells(one: Share) -> tuple[str, str, str, str]:
    return count(one.of), count(one.hits), percent(one.value, 1), interval(one)


def _share_columns() -> tuple[tuple[str, bool], ...]:
    return (
        (_("Reviewed"), True),
        (_("Confirmed"), True),
        (_("Share confirmed"), True),
        (_("Interval, 95%"), True),
    )


def tell_precision(data: Precision) -> Told:
    if not data.points and not data.drawn.of:
        return Told("", empty=_("No lead of these lists has been decided on yet."))
    top = _(
        "%(share)s of the %(reviewed)s reviewed leads within the weekly capacity were "
        "confirmed (%(interval)s)"
    ) % {
        "share": percent(data.all.value),
        "reviewed": count(data.all.of),
        "interval": interval(data.all),
    }
    below = _(
        "below it an estimated %(share)s (%(interval)s), from %(drawn)s draws"
    ) % {
        "share": percent(data.drawn.value),
        "interval": interval(data.drawn),
        "drawn": count(data.drawn.of),
    }
    first = _("Week from") if data.weekly else _("List of")
    rows = [
        (day(point.at), count(point.lists), *_share_cells(point.share))
        for point in data.points
    ]
    rows.append((_("All"), NONE, *_share_cells(data.all)))
    drawn = data.drawn
    ends = (percent(drawn.value, 1), interval(drawn))
    rows.append((_("Drawn below, weighted"), NONE, count(drawn.of), NONE, *ends))
    columns = ((first, False), (_("Lists"), True), *_share_columns())
    parts = [top] if data.all.of else []
    sentence = sentence_of([*parts, *([below] if drawn.of else [])])
    return Told(sentence, Table(columns, tuple(rows)))


def tell_lift(data: Lift) -> Told:
    if not any(order.share.of for order in data.orders):
        return Told("", empty=_("No lead of these lists has been decided on yet."))
    said = [
        _(
            "%(order)s: %(confirmed)s confirmed of %(reviewed)s reviewed and %(units)s units"
        )
        % {
            "order": ORDER_WORDS[order.order],
            "confirmed": count(order.confirmed),
            "reviewed": count(order.share.of),
            "units": count(order.units),
        }
        for order in data.orders
    ]
    for other, words in (
        (
            "rules",
            _("the fused order found %(times)s times as many as the rules alone"),
        ),
        (
            "score",
            _("the fused order found %(times)s times as many as the score alone"),
        ),
    ):
        times = data.over(other)
        if times is not None:
            said.append(words % {"times": decimal(times, 2)})
    rows = tuple(
        (
            str(ORDER_WORDS[order.order]),
            count(order.units),
            count(order.unreviewed),
            *_share_cells(order.share),
        )
        for order in data.orders
    )
    columns = (
        (_("Order"), False),
        (_("Units within the capacity"), True),
        (_("Not reviewed"), True),
        *_share_columns(),
    )
    note = _(
        "Mostly the fused order was reviewed: what another order would have shown and "
        "nobody looked at is unknown, so the true lift is likely smaller."
    )
    return Told(sentence_of(said), Table(columns, rows, note))


def tell_rules(data: RuleTable) -> Told:
    if not data.rows:
        return Told("", empty=_("No rule fired on a lead decided on in this period."))
    most = sorted(data.rows, key=lambda row: (-row.all.of, row.code))[:_RULES_SAID]
    said = [
        _("rule %(code)s: %(share)s of %(reviewed)s confirmed")
        % {
            "code": row.code,
            "share": percent(row.all.value),
            "reviewed": count(row.all.of),
        }
        for row in most
    ]
    rows = tuple(
        (
            row.code,
            layer_words(row.layer),
            *_share_cells(row.all),
            *(_of_month(cell) for cell in row.months),
        )
        for row in data.rows
    )
    months = tuple((month(at), True) for at in data.months)
    columns = ((_("Rule"), False), (_("Layer"), False), *_share_columns(), *months)
    note = _("In the columns of the months: confirmed of reviewed.")
    return Told(sentence_of(said), Table(columns, rows, note))


def _of_month(cell: Share) -> str:
    return f"{count(cell.hits)}/{count(cell.of)}" if cell.of else NONE


def tell_waits(data: Waits) -> Told:
    if data.all is None:
        return Told("", empty=_("Nothing was decided in this period."))
    last = data.weeks[-1]
    sentence = _(
        "Half of the %(units)s dispositions came within %(median)s days of the list, nine "
        "of ten within %(late)s; in the week from %(week)s it was %(last)s and "
        "%(last_late)s days."
    ) % {
        "units": count(data.all.units),
        "median": decimal(data.all.median),
        "late": decimal(data.all.late),
        "week": day(last.week),
        "last": decimal(last.median),
        "last_late": decimal(last.late),
    }
    rows = [
        (day(w.week), count(w.units), decimal(w.median), decimal(w.late))
        for w in data.weeks
    ]
    whole = data.all
    ends = (decimal(whole.median), decimal(whole.late))
    rows.append((_("All"), count(whole.units), *ends))
    columns = (
        (_("Week from"), False),
        (_("Dispositions"), True),
        (_("Median, days"), True),
        (_("90th percentile, days"), True),
    )
    return Told(sentence, Table(columns, tuple(rows)))


def tell_backlog(data: Backlog) -> Told:
    if not data.ever:
        return Told("", empty=_("Nothing was assigned in this period."))
    sentence = _(
        "Now %(assigned)s assigned units are open, %(overdue)s of them overdue; "
        "%(awaiting)s proposals wait for a second person."
    ) % {
        "assigned": count(data.now.assigned),
        "overdue": count(data.now.overdue),
        "awaiting": count(data.now.awaiting),
    }
    rows = tuple(
        (day(w.week), count(w.assigned), count(w.overdue), count(w.awaiting))
        for w in data.weeks
    )
    columns = (
        (_("Week from"), False),
        (_("Assigned and open"), True),
        (_("Overdue"), True),
        (_("Awaiting second review"), True),
    )
    return Told(sentence, Table(columns, rows))


def tell_conversions(data: Conversions) -> Told:
    if not data.listed:
        return Told("", empty=_("No list was published in this period."))
    said = [f"{STEP_WORDS[name]} {count(units)}" for name, units in data.steps]
    rows = tuple(
        (str(STEP_WORDS[name]), count(units), percent(units / data.listed, 1))
        for name, units in data.steps
    )
    columns = ((_("Step"), False), (_("Units"), True), (_("Share of the listed"), True))
    note = ngettext(
        "%(units)s listed unit.",
        "%(units)s listed units, each counted once.",
        data.listed,
    ) % {"units": count(data.listed)}
    return Told(sentence_of(said), Table(columns, rows, note))
