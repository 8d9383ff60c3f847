"""Pictures of reviews: precision, lift, rules, waiting times, backlog, conversions."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from serving.console.boards.drawing import (
    BLUE,
    GREEN,
    INK,
    PALE,
    PAPER,
    RED,
    ROW,
    SIZE,
    SOFT,
    WIDTH,
    Canvas,
    counted,
    every,
    faint,
    left_for,
    no_values,
    rows_of,
    spread,
)
from serving.console.boards.intervals import Share
from serving.console.boards.precision import Lift, Precision, RuleTable
from serving.console.boards.wording import (
    count,
    decimal,
    ems,
    month,
    percent,
    short_day,
)
from serving.console.boards.words import ORDER_WORDS, STEP_WORDS
from serving.console.boards.work import Backlog, Conversions, Waits

MOST_RULES, MOST_MONTHS = 20, 12  # in a picture; the table has them all
FEW = 5  # a share of fewer is drawn hollow
_DRAWN = 128  # width of the panel of drawn units


def draw_precision(data: Precision) -> Canvas:
    """Each list's share with its interval; what was drawn below the top at the right."""
    canvas = Canvas(260)
    axes = canvas.plot(44, _DRAWN + 40, 30, 52)
    beside = canvas.plot(WIDTH - _DRAWN - 10, 12, 30, 52)
    for one in (axes, beside):
        _percent_axis(one)
    beside.set_yticklabels([])
    shares = [point.share for point in data.points]
    _intervals(axes, shares, BLUE)
    axes.set_xlim(-0.6, max(len(shares) - 0.4, 0.6))
    labels = [short_day(point.at) for point in data.points]
    shown = every(labels, WIDTH - _DRAWN - 84)
    named = [f"{labels[n]}\nn={count(shares[n].of)}" for n in shown]
    axes.set_xticks(shown, labels=named)
    if data.all.value is not None:
        axes.axhline(data.all.value, color=BLUE, linewidth=0.9, linestyle=(0, (4, 3)))
    heading = _("Within the weekly capacity: %(share)s")
    _headed(axes, heading % {"share": percent(data.all.value)})
    _headed(beside, _("Drawn below it"))
    _intervals(beside, [data.drawn], GREEN)
    beside.set_xlim(-1, 1)
    word = _("estimate")
    beside.set_xticks([0], labels=[f"{word}\nn={count(data.drawn.of)}"])
    return canvas


def _headed(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=SIZE, color=INK, pad=10)


def _percent_axis(axes: Axes) -> None:
    axes.set_ylim(0, 1.04)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, at: percent(value)))
    faint(axes)


def _intervals(axes: Axes, shares: Sequence[Share], colour: str) -> None:
    labelled = set(every(["100%"] * len(shares), WIDTH - _DRAWN - 84))
    for n, one in enumerate(shares):
        if one.value is None or one.low is None or one.high is None:
            continue
        axes.plot([n, n], [one.low, one.high], color=colour, linewidth=1.4)
        face = colour if one.of >= FEW else PAPER
        axes.plot([n], [one.value], "o", color=colour, markersize=6, mfc=face)
        if n in labelled:
            at = (n, one.value)
            axes.annotate(percent(one.value), at, (7, 3), textcoords="offset points")


def draw_lift(data: Lift) -> Canvas:
    """Per order a bar: confirmed, not confirmed, not reviewed."""
    names = [str(ORDER_WORDS[order.order]) for order in data.orders]
    left, names = left_for(names)
    canvas = Canvas(62 + 38 * len(names))
    axes = canvas.plot(left, 16, 44, 10)
    parts = (
        (_("Confirmed"), BLUE, PAPER, [order.confirmed for order in data.orders]),
        (_("Not confirmed"), PALE, INK, [order.cleared for order in data.orders]),
        (_("Not reviewed"), PAPER, SOFT, [order.unreviewed for order in data.orders]),
    )
    widest = max([order.units for order in data.orders] + [1])
    begin = [0] * len(names)
    for word, colour, ink, values in parts:
        bars = axes.barh(
            range(len(names)), values, 0.62, begin, color=colour, edgecolor=SOFT, lw=0.7
        )
        for bar, value, at in zip(bars, values, begin, strict=True):
            text = count(value)
            if value and value / widest * (WIDTH - left - 16) > ems(text) * SIZE + 4:
                middle = at + value / 2
                axes.text(
                    middle,
                    bar.get_y() + 0.31,
                    text,
                    color=ink,
                    ha="center",
                    va="center",
                )
        begin = [a + b for a, b in zip(begin, values, strict=True)]
        bars.set_label(word)
    axes.set_xlim(0, widest)
    no_values(axes)
    rows_of(axes, names)
    _legend(canvas, left)
    return canvas


def _legend(canvas: Canvas, left: float) -> None:
    """A key above the plot, its entries placed by their own width."""
    axes = canvas.plot(0, 0, 0, 0)
    axes.set_axis_off()
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(canvas.height, 0)
    x = left
    for word, colour in (
        (_("Confirmed"), BLUE),
        (_("Not confirmed"), PALE),
        (_("Not reviewed"), PAPER),
    ):
        axes.add_patch(Rectangle((x, 12), 12, 12, fc=colour, ec=SOFT, lw=0.7))
        axes.text(x + 17, 18, word, va="center_baseline")
        x += 17 + ems(word) * SIZE + 18


def draw_rules(data: RuleTable) -> Canvas:
    """A table of shares, darker where more was confirmed; pale outlines for few."""
    most = sorted(row.all.of for row in data.rows)[-MOST_RULES:]
    rows = [row for row in data.rows if row.all.of >= most[0]][:MOST_RULES]
    left, labels = left_for([row.code for row in rows], 120)
    canvas = Canvas(46 + ROW * len(rows))
    axes = canvas.plot(left, 10, 30, 10)
    columns = [*(month(at) for at in data.months[-MOST_MONTHS:]), _("all")]
    wide = (WIDTH - left - 10) / len(columns)
    for y, row in enumerate(rows):
        for x, cell in enumerate([*row.months[-MOST_MONTHS:], row.all]):
            _cell(axes, x, y, cell, wide)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    shown = every(columns, WIDTH - left - 10)
    axes.set_xticks(shown, labels=[columns[n] for n in shown])
    axes.xaxis.tick_top()
    rows_of(axes, labels)
    axes.spines["left"].set_visible(False)
    axes.spines["top"].set_visible(False)
    return canvas


def _cell(axes: Axes, x: int, y: int, cell: Share, wide: float) -> None:
    # Not darker than so that dark text can be read on it.
    deep = 0.0 if cell.value is None or cell.of < FEW else 0.66 * cell.value
    ground = [1 - deep * (1 - part) for part in (0.0, 0.353, 0.584)]
    box = Rectangle((x - 0.47, y - 0.44), 0.94, 0.88, fc=ground, ec="#d5dde5", lw=0.8)
    axes.add_patch(box)
    if cell.value is None:
        return
    text = percent(cell.value)
    if wide >= 64:
        text = f"{text} · {count(cell.of)}"
    size = SIZE if wide >= 40 else 9
    axes.text(x, y, text, ha="center", va="center", color=INK, fontsize=size)


def draw_waits(data: Waits) -> Canvas:
    labels = [short_day(week.week) for week in data.weeks]
    lines = (
        (_("nine of ten"), RED, [week.late for week in data.weeks]),
        (_("half"), BLUE, [week.median for week in data.weeks]),
    )
    return _lines(labels, lines, _("Days from the list to the disposition"), 1)


def draw_backlog(data: Backlog) -> Canvas:
    labels = [short_day(week.week) for week in data.weeks]
    lines = (
        (_("assigned"), BLUE, [float(week.assigned) for week in data.weeks]),
        (_("overdue"), RED, [float(week.overdue) for week in data.weeks]),
        (_("second review"), GREEN, [float(week.awaiting) for week in data.weeks]),
    )
    return _lines(labels, lines, _("Units at the end of each week"), 0)


_Line = tuple[str, str, list[float]]
_MARKS = ("o", "s", "^")


def _lines(
    labels: Sequence[str], lines: Sequence[_Line], heading: str, places: int
) -> Canvas:
    """Lines over weeks, each named at its end."""
    canvas = Canvas(240)
    ends = [line[2][-1] if line[2] else 0.0 for line in lines]
    names = [
        f"{word} {decimal(end, places)}"
        for (word, *_rest), end in zip(lines, ends, strict=True)
    ]
    right = max(ems(name) * SIZE for name in names) + 24
    axes = canvas.plot(44, right, 30, 34)
    for mark, (_word, colour, values) in zip(_MARKS, lines, strict=False):
        axes.plot(values, color=colour, linewidth=1.6, marker=mark, markersize=4)
    top = max([max(values, default=0.0) for *_rest, values in lines] + [1.0]) * 1.12
    axes.set_ylim(0, top)
    axes.set_xlim(-0.4, max(len(labels) - 0.6, 0.6))
    for name, line, place in zip(names, lines, spread(ends, top * 0.085), strict=True):
        at = (max(len(labels) - 0.6, 0.6), place)
        axes.annotate(
            name, at, (6, 0), textcoords="offset points", color=line[1], va="center"
        )
    shown = every(labels, WIDTH - 44 - right)
    axes.set_xticks(shown, labels=[labels[n] for n in shown])
    if places:
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter(
            FuncFormatter(lambda value, at: decimal(value, 0))
        )
        faint(axes)
    else:
        counted(axes)
    _headed(axes, heading)
    return canvas


def draw_conversions(data: Conversions) -> Canvas:
    """A bar per step; the share of the listed ones beside it."""
    left, names = left_for([str(STEP_WORDS[name]) for name, _units in data.steps])
    canvas = Canvas(20 + ROW * 1.25 * len(names))
    axes = canvas.plot(left, 110, 8, 8)
    values = [units for _name, units in data.steps]
    axes.barh(range(len(values)), values, 0.6, color=BLUE)
    for n, value in enumerate(values):
        rate = f" · {percent(value / data.listed)}" if data.listed and n else ""
        at = (value, n)
        axes.annotate(
            f"{count(value)}{rate}", at, (6, 0), textcoords="offset points", va="center"
        )
    axes.set_xlim(0, max(data.listed, 1))
    no_values(axes)
    rows_of(axes, names)
    return canvas
