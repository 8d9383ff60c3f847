"""What figures of a list say in words and as tables."""

from django.utils.translation import gettext as _

from serving.console.boards.drift import (
    SHIFTED,
    STABLE,
    FeatureDrift,
    FeatureDrifts,
    ScoreDrift,
)
from serving.console.boards.lists import STALE_DAYS, Delivery, Freshness, Funnel, Spots
from serving.console.boards.wording import (
    NONE,
    Table,
    Told,
    chosen,
    count,
    cut,
    day,
    decimal,
    listed,
    percent,
    points,
    sentence_of,
)
from serving.console.boards.words import ORDER_WORDS, layer_words

_CELL = 60  # ems of a text of the store in a table
_SAID = 3  # things named in a sentence


def tell_funnel(data: Funnel) -> Told:
    if not data.steps:
        return Told("", empty=_("Not kept with this run."))
    whole = data.steps[0].left
    said = [
        _("%(layer)s: %(units)s left")
        % {"layer": layer_words(step.layer), "units": count(step.left)}
        for step in data.steps[1:]
    ]
    begin = _("Of %(units)s units") % {"units": count(whole)}
    rows = tuple(
        (
            layer_words(step.layer),
            NONE if step.hit is None else count(step.hit),
            count(step.left),
            percent(step.left / whole if whole else None, 1),
        )
        for step in data.steps
    )
    columns = (
        (_("Layer"), False),
        (_("Units with a hit in it"), True),
        (_("Units left after it"), True),
        (_("Share of all"), True),
    )
    return Told(sentence_of([begin, *said]), Table(columns, rows))


def tell_spots(data: Spots) -> Told:
    if not data.rows:
        return Told("", empty=_("No value of this column may be shown."))
    sure = [row for row in data.rows if row.low > 0]
    said = [
        _("%(value)s: %(excess)s points (%(top)s of %(units)s units)")
        % {
            "value": cut(row.value, 20),
            "excess": points(row.excess),
            "top": count(row.top),
            "units": count(row.units),
        }
        for row in (sure or data.rows)[:_SAID]
    ]
    begin = _(
        "Of all units %(share)s stand in the first tenth of the list; %(sure)s of %(values)s "
        "values lie surely above that"
    ) % {
        "share": percent(data.average, 1),
        "sure": count(len(sure)),
        "values": count(len(data.rows)),
    }
    rows = tuple(
        (
            cut(row.value, _CELL),
            *(count(n) for n in (row.units, row.top, row.hits)),
            NONE if row.money is None else count(row.money),
            percent(row.top / row.units, 1),
            points(row.excess),
            _("%(low)s to %(high)s")
            % {"low": points(row.low), "high": points(row.high)},
        )
        for row in data.rows
    )
    columns = (
        (chosen(data), False),
        (_("Units"), True),
        (_("In the first tenth"), True),
        (_("With a rule hit"), True),
        (_("Money, yuan"), True),
        (_("Share in the first tenth"), True),
        (_("Excess, points"), True),
        (_("Interval, 95%"), True),
    )
    return Told(sentence_of([begin, *said]), Table(columns, rows))


def tell_scores(data: ScoreDrift) -> Told:
    if not data.histograms:
        return Told("", empty=_("Not kept with this run."))
    said = [
        _("%(order)s: PSI %(index)s against the list before (%(verdict)s)")
        % {
            "order": ORDER_WORDS[one.order],
            "index": decimal(one.index, 2),
            "verdict": verdict(one.index),
        }
        for one in data.histograms
        if one.index is not None
    ]
    said = said or [_("There is no earlier list with which to compare the scores")]
    rows = []
    for one in data.histograms:
        for n, units in enumerate(one.now):
            ends = (decimal(at / len(one.now), 2) for at in (n, n + 1))
            before = count(one.then[n]) if one.then else NONE
            rows.append(
                (str(ORDER_WORDS[one.order]), "–".join(ends), count(units), before)
            )
    columns = (
        (_("Order"), False),
        (_("Score"), False),
        (_("Units, this list"), True),
        (_("Units, the list before"), True),
    )
    return Told(sentence_of(said), Table(columns, tuple(rows)))


def verdict(index: float | None) -> str:
    """How an index is read, by the usual thresholds."""
    if index is None:
        return NONE
    if index > SHIFTED:
        return _("shifted")
    return _("moving") if index > STABLE else _("stable")


def tell_features(data: FeatureDrifts) -> Told:
    if not data.rows:
        return Told("", empty=_("Not kept with this run."))
    known = [row for row in data.rows if row.index is not None]
    if not known:
        return Told(
            "", empty=_("There is no earlier list with which to compare the features.")
        )
    shifted = sum((row.index or 0) > SHIFTED for row in known)
    moving = sum(STABLE < (row.index or 0) <= SHIFTED for row in known)
    sentence = _(
        "Of %(features)s features %(shifted)s have shifted (PSI above 0.25) and %(moving)s "
        "are moving (above 0.1); the most: %(names)s."
    ) % {
        "features": count(len(known)),
        "shifted": count(shifted),
        "moving": count(moving),
        "names": listed(
            f"{cut(chosen(row), 24)} {decimal(row.index, 2)}" for row in known[:_SAID]
        ),
    }
    columns = (
        (_("Feature"), False),
        (_("Name"), False),
        (_("PSI against the list before"), True),
        (_("PSI against the first list of this version"), True),
        (_("Reading"), False),
        (_("Missing"), True),
        (_("Compared by"), False),
    )
    return Told(sentence, Table(columns, tuple(map(_feature, data.rows))))


def _feature(row: FeatureDrift) -> tuple[str, ...]:
    return (
        cut(chosen(row), _CELL),
        row.feature,
        decimal(row.before, 3),
        decimal(row.first, 3),
        verdict(row.index),
        percent(row.missing, 1),
        _("deciles") if row.by_deciles else _("share missing alone"),
    )


def tell_freshness(data: Freshness) -> Told:
    if not data.sources:
        return Told("", empty=_("Not kept with this run."))
    oldest = [one for one in data.sources if one.behind is not None and not one.missing]
    sentence = _(
        "On %(day)s %(missing)s of %(sources)s sources were missing and %(stale)s had no "
        "row of the last %(days)s days"
    ) % {
        "day": day(data.as_of),
        "missing": count(data.missing),
        "sources": count(len(data.sources)),
        "stale": count(data.stale),
        "days": str(STALE_DAYS),
    }
    said = [
        _("%(source)s is %(days)s days behind")
        % {"source": cut(chosen(one), 24), "days": count(one.behind or 0)}
        for one in oldest[:_SAID]
    ]
    columns = (
        (_("Source"), False),
        (_("Department"), False),
        (_("Rows"), True),
        (_("Rejected"), True),
        (_("First known"), False),
        (_("Last known"), False),
        (_("Days behind"), True),
        (_("Share of units"), True),
        (_("State"), False),
    )
    rows = tuple(map(_delivery, data.sources))
    return Told(sentence_of([sentence, *said]), Table(columns, rows))


def _delivery(one: Delivery) -> tuple[str, ...]:
    state = _("missing") if one.missing else _("stale") if one.stale else _("fresh")
    return (
        cut(chosen(one), _CELL),
        cut(chosen(one, "department"), _CELL) or NONE,
        count(one.rows),
        count(one.rejects),
        day(one.first),
        day(one.last),
        NONE if one.behind is None else count(one.behind),
        percent(one.units, 1),
        state,
    )
