"""The look of all charts: thin axes, direct labels, colours that all eyes tell apart.

Charts are SVG with texts as texts, so that the browser's own fonts write Chinese. They
hold no style sheet and no style attribute: a strict content policy would drop these.
"""

import io
import re
import threading
import warnings
from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from serving.console.boards.wording import count, cut, ems

WIDTH = 560  # user units; a picture is scaled to the place it is given
SIZE = 11  # of texts, user units
ROW = 26  # height of a bar with its space
INK, SOFT, LINE, PAPER = "#14212e", "#51606f", "#c3ced9", "#ffffff"
# Okabe and Ito (2008), Color Universal Design; each at least 3 to 1 on white.
BLUE, RED, GREEN = "#0072b2", "#d55e00", "#00795a"
PALE = "#b9cfdf"
FONTS = (
    "system-ui, -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', "
    "'Noto Sans CJK SC', 'Noto Sans SC', sans-serif"
)

_INCH = 72  # user units
_STYLE = re.compile(r' style="([^"]*)"')
_SHEET = re.compile(r"<style[^>]*>.*?</style>", re.DOTALL)
_HEAD = re.compile(r"^.*?<svg[^>]*>", re.DOTALL)
# matplotlib's settings and its cache of glyphs are the process's own.
_drawing = threading.Lock()

mpl.rcParams.update(
    {
        "svg.fonttype": "none",
        "svg.hashsalt": "leadline",
        "text.parse_math": False,  # a name may hold dollar signs
        "font.size": SIZE,
        "axes.edgecolor": LINE,
        "axes.linewidth": 0.8,
        "axes.labelcolor": SOFT,
        "text.color": INK,
        "xtick.color": LINE,
        "ytick.color": LINE,
        "xtick.labelcolor": SOFT,
        "ytick.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "hatch.linewidth": 0.6,
    }
)


class Canvas:
    """A figure of WIDTH x `height` user units with one or several plots."""

    def __init__(self, height: float) -> None:
        self.height = height
        self.figure = Figure(figsize=(WIDTH / _INCH, height / _INCH), dpi=_INCH)
        FigureCanvasSVG(self.figure)

    def plot(self, left: float, right: float, top: float, bottom: float) -> Axes:
        """Axes with these margins, in user units."""
        wide, high = WIDTH - left - right, self.height - top - bottom
        place = (left / WIDTH, bottom / self.height, wide / WIDTH, high / self.height)
        axes = self.figure.add_axes(place)
        axes.tick_params(length=0, pad=5)
        return axes


def svg(draw: Callable[[], Canvas], title: str) -> str:
    """The picture; the same figures give the same text.

    Args:
        draw: makes the canvas; one at a time in a process.
        title: what the picture says, for who opens it by itself.
    """
    with _drawing, warnings.catch_warnings():
        # Measured in a font without Chinese, written by the browser in one that has it.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        canvas = draw()
        written = io.StringIO()
        none = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        canvas.figure.savefig(written, format="svg", metadata=none)
    body = _SHEET.sub("", _HEAD.sub("", written.getvalue()))
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{WIDTH}" height="{canvas.height:g}" '
        f'viewBox="0 0 {WIDTH} {canvas.height:g}" role="img" '
        f'stroke-linejoin="round" stroke-linecap="butt" font-family="{FONTS}">'
        f"<title>{escape(title)}</title>"
    )
    return head + _STYLE.sub(_attributes, body)


def _attributes(style: "re.Match[str]") -> str:
    """A style attribute as attributes of their own; fonts are those of the picture."""
    pairs = [part.partition(":") for part in style[1].split(";") if part.strip()]
    kept = [(n.strip(), v.strip()) for n, _, v in pairs if n.strip() != "font-family"]
    return "".join(f' {name}="{value}"' for name, value in kept)


def left_for(labels: Sequence[str], most: float = 210) -> tuple[float, list[str]]:
    """Room for labels at the left of a plot, and the labels, cut to fit in it."""
    short = [cut(label, (most - 14) / SIZE) for label in labels]
    return max([40.0, *(ems(label) * SIZE + 14 for label in short)]), short


def rows_of(axes: Axes, labels: Sequence[str]) -> None:
    """Labels of horizontal bars, the first one on top, without an axis."""
    axes.set_yticks(range(len(labels)), labels=list(labels))
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.spines["bottom"].set_visible(False)


def no_values(axes: Axes) -> None:
    """Bars that say their numbers need no scale."""
    axes.set_xticks([])


def counted(axes: Axes, *, most: int = 5) -> None:
    """The value axis in whole numbers, with faint lines."""
    axes.yaxis.set_major_locator(MaxNLocator(most, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
    faint(axes)


def faint(axes: Axes, along: str = "y") -> None:
    """Lines to read values by."""
    axes.grid(axis="x" if along == "x" else "y", color="#e6ebf0", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines["left" if along == "y" else "bottom"].set_visible(False)


def every(labels: Sequence[str], room: float) -> list[int]:
    """Which labels of an axis `room` units long can be shown side by side."""
    if not labels:
        return []
    wide = max(ems(label) for label in labels) * SIZE + 10
    step = max(1, -int(-len(labels) * wide // room))
    return list(range(len(labels) - 1, -1, -step))[::-1]


def spread(ends: Sequence[float], least: float) -> list[float]:
    """Places near `ends`, at least `least` apart, so that labels do not lie on another."""
    order = sorted(range(len(ends)), key=lambda n: ends[n])
    placed = list(ends)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + least)
    return placed


def said(text: str) -> Canvas:
    """A sentence in place of a picture."""
    canvas = Canvas(60)
    axes = canvas.plot(0, 0, 0, 0)
    axes.set_axis_off()
    axes.text(0.5, 0.5, cut(text, 46), ha="center", va="center", color=SOFT)
    return canvas
