"""Pictures of a list: funnel, hot spots, drift, freshness of its data."""

from django.utils.translation import gettext as _
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from serving.console.boards.drawing import (
    BLUE,
    GREEN,
    INK,
    LINE,
    PALE,
    PAPER,
    RED,
    ROW,
    SIZE,
    SOFT,
    WIDTH,
    Canvas,
    faint,
    left_for,
    no_values,
    rows_of,
)
from serving.console.boards.drift import (
    SHIFTED,
    STABLE,
    FeatureDrifts,
    Histogram,
    ScoreDrift,
)
from serving.console.boards.lists import STALE_DAYS, Delivery, Freshness, Funnel, Spots
from serving.console.boards.wording import (
    chosen,
    count,
    decimal,
    ems,
    percent,
    points,
)
from serving.console.boards.words import ORDER_WORDS, layer_words

MOST_SPOTS, MOST_FEATURES, MOST_SOURCES = 15, 15, 30


def draw_funnel(data: Funnel) -> Canvas:
    """Per layer the units left, and behind it those with a hit in the layer alone."""
    left, names = left_for([layer_words(step.layer) for step in data.steps])
    canvas = Canvas(20 + ROW * 1.3 * len(names))
    axes = canvas.plot(left, 200, 8, 8)
    here = range(len(names))
    hits = [step.hit or 0 for step in data.steps]
    axes.barh(here, hits, 0.66, color="none", edgecolor=SOFT, linewidth=0.9)
    axes.barh(here, [step.left for step in data.steps], 0.66, color=BLUE)
    whole = max([step.left for step in data.steps] + hits + [1])
    for n, step in enumerate(data.steps):
        text = count(step.left)
        if n:
            text = f"{text} · {percent(step.left / whole, 1)}"
        if step.hit is not None:
            hit = _("hit %(units)s") % {"units": count(step.hit)}
            text = f"{text} · {hit}"
        at = (max(step.left, step.hit or 0), n)
        axes.annotate(text, at, (6, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, whole)
    no_values(axes)
    rows_of(axes, names)
    return canvas


def draw_spots(data: Spots) -> Canvas:
    """Per value the excess over the average as a bar, its interval as a line."""
    rows = data.rows[:MOST_SPOTS]
    left, names = left_for([row.value for row in rows], 190)
    canvas = Canvas(58 + ROW * max(len(rows), 1))
    axes = canvas.plot(left, 84, 26, 32)
    here = range(len(rows))
    colours = [RED if row.low > 0 else PALE for row in rows]
    axes.barh(here, [row.excess for row in rows], 0.6, color=colours)
    for n, row in enumerate(rows):
        axes.plot([row.low, row.high], [n, n], color=INK, linewidth=1.1)
        text = f"{points(row.excess)} · n={count(row.units)}"
        axes.annotate(
            text,
            (1, n),
            (4, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=10,
        )
    axes.axvline(0, color=SOFT, linewidth=1)
    ends = [end for row in rows for end in (row.low, row.high)] or [-0.1, 0.1]
    room = (max(ends) - min(ends)) * 0.04
    axes.set_xlim(min(*ends, 0) - room, max(*ends, 0) + room)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, at: points(value)))
    rows_of(axes, names)
    faint(axes, "x")
    axes.set_title(
        _("Percentage points above or below the %(share)s of all units")
        % {"share": percent(data.average, 1)},
        loc="left",
        fontsize=SIZE,
        color=SOFT,
        x=-left / (WIDTH - left - 84) + 0.03,
    )
    return canvas


def draw_scores(data: ScoreDrift) -> Canvas:
    """Per score two outlines: of this list and of the one before."""
    canvas = Canvas(48 + 142 * max(len(data.histograms), 1))
    for n, one in enumerate(data.histograms):
        below = canvas.height - 40 - 142 * (n + 1)
        _histogram(canvas, one, 64 + 142 * n, below + 24)
    key = canvas.plot(0, 0, 0, 0)
    key.set_axis_off()
    key.set_xlim(0, WIDTH)
    key.set_ylim(canvas.height, 0)
    words = [(_("this list"), BLUE)]
    if data.before:
        words.append((_("the list before"), RED))
    x = 48.0
    for word, colour in words:
        key.add_patch(Rectangle((x, 13), 14, 4, color=colour))
        key.text(x + 20, 15, word, va="center_baseline")
        x += 20 + ems(word) * SIZE + 22
    return canvas


def _histogram(canvas: Canvas, one: Histogram, top: float, bottom: float) -> None:
    axes = canvas.plot(48, 16, top, bottom)
    bins = len(one.now)
    edges = [n / bins for n in range(bins + 1)]
    for counts, colour, style in ((one.then, RED, (0, (4, 2))), (one.now, BLUE, "-")):
        total = sum(counts or ())
        if counts and total:
            shares = [n / total for n in counts]
            axes.stairs(shares, edges, color=colour, linewidth=1.5, linestyle=style)
    axes.set_xlim(0, 1)
    axes.set_ylim(0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, at: percent(value)))
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.set_xticks([0, 0.5, 1], labels=[decimal(x, 1) for x in (0, 0.5, 1)])
    faint(axes)
    name = str(ORDER_WORDS[one.order])
    if one.index is not None:
        name = f"{name} · PSI {decimal(one.index, 2)}"
    axes.set_title(name, loc="left", fontsize=SIZE, color=INK, pad=7)


def draw_features(data: FeatureDrifts) -> Canvas:
    """The features that moved most; both thresholds as lines."""
    rows = [row for row in data.rows if row.index is not None][:MOST_FEATURES]
    left, names = left_for([chosen(row) for row in rows], 230)
    canvas = Canvas(54 + ROW * max(len(rows), 1))
    axes = canvas.plot(left, 50, 34, 8)
    found = [row.index or 0.0 for row in rows]
    colours = [RED if i > SHIFTED else BLUE if i > STABLE else PALE for i in found]
    axes.barh(range(len(rows)), found, 0.6, color=colours)
    for n, index in enumerate(found):
        at = (index, n)
        axes.annotate(
            decimal(index, 2), at, (5, 0), textcoords="offset points", va="center"
        )
    rows_of(axes, names)
    axes.set_xlim(0, max([*found, SHIFTED * 1.3]))
    for bound in (STABLE, SHIFTED):
        axes.axvline(bound, color=SOFT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    axes.set_xticks([STABLE, SHIFTED], labels=[decimal(STABLE, 2), decimal(SHIFTED, 2)])
    axes.xaxis.tick_top()
    axes.spines["top"].set_visible(False)
    return canvas


def draw_freshness(data: Freshness) -> Canvas:
    """Per source the days from its last row to the date of the list."""
    sources = data.sources[:MOST_SOURCES]
    left, names = left_for([_source(one) for one in sources], 240)
    canvas = Canvas(36 + ROW * max(len(sources), 1))
    axes = canvas.plot(left, 112, 26, 6)
    longest = max([one.behind or 0 for one in sources] + [STALE_DAYS])
    for n, one in enumerate(sources):
        colour = RED if one.stale else GREEN
        behind = 0 if one.missing or one.behind is None else max(one.behind, 0)
        axes.barh([n], [behind], 0.6, color=colour)
        axes.annotate(
            _behind(one),
            (behind, n),
            (5, 0),
            textcoords="offset points",
            va="center",
            color=RED if one.missing else INK,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},
        )
    axes.axvline(STALE_DAYS, color=SOFT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    limit = _("%(days)s days") % {"days": str(STALE_DAYS)}
    axes.set_xticks([STALE_DAYS], labels=[limit])
    axes.xaxis.tick_top()
    axes.spines["top"].set_visible(False)
    axes.set_xlim(0, longest)
    axes.spines["left"].set_color(LINE)
    rows_of(axes, names)
    return canvas


def _source(one: Delivery) -> str:
    department = chosen(one, "department")
    return f"{chosen(one)} · {department}" if department else chosen(one)


def _behind(one: Delivery) -> str:
    if one.missing:
        return _("not delivered")
    if one.behind is None:
        return _("date unknown")
    return _("%(days)s days") % {"days": count(one.behind)}
