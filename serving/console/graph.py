"""A picture of nodes and what ties them, laid out for an inline SVG.

    nodes, ties = of_store(group.ties.all(), lang)     # rows of GroupTie or PathStep
    picture = drawn(nodes, ties, run.kinds, lang)      # or Nodes and Ties of one's own
    {% include "console/graph.html" with picture=picture graph_id="graph" %}

The template draws the picture, its legend, the buttons to move and enlarge it, and below
it a table of the ties. The page links `console/leads.css` and `console/graph.js`. The
same nodes and ties give the same picture every time.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from serving.console.bars import percent
from serving.console.source_rows import tie_key
from serving.leads.models import Tie as StoredTie

WIDTH = 880  # of the picture, in units of its viewBox
MARGIN_X, MARGIN_Y = 84, 46
LABEL = 20  # half-widths of characters; a Chinese character takes two
_ROOM = (104.0, 46.0)  # that a node with its label takes
_PLAIN_EDGES = 14  # up to so many ties are labelled in the picture
_RADIUS = 11.0
_RECORD = re.compile(r"~[0-9a-f]{2,}(\*{3}.*)?")  # linking's name of what has no number
_SURE = 0.8  # from here on a tie is drawn as a whole line
# Shape, as corners (0 = circle) and turn in degrees, and colour: told apart without
# seeing colours.
_LOOKS = (
    (0, 0, "#1d5f8a"),
    (4, 45, "#8a5a00"),
    (3, -90, "#1c6b3c"),
    (4, 0, "#7a3e9d"),
    (6, 0, "#a61b29"),
    (5, -90, "#3f5a2a"),
    (3, 90, "#51606f"),
    (8, 22.5, "#0f6d6d"),
)


@dataclass(frozen=True, slots=True)
class Node:
    """What is drawn as a point. `key` names it, and stands in no text."""

    key: str
    kind: str  # of the run's kinds
    label: str  # masked by the caller when sensitive
    home: bool = False  # what the picture is about
    lead_id: int | None = None  # the node is this lead: its rank links to it
    rank: int | None = None
    href: str = ""  # where its label leads, such as an entity's page
    toggle: str = ""  # address of the picture with this node opened or closed
    is_open: bool = False
    hidden: int = 0  # its neighbours that are not in the picture
    note: str = ""  # said of it on pointing


@dataclass(frozen=True, slots=True)
class Tie:
    """What ties two nodes, as one source says."""

    left: str  # keys of nodes
    right: str
    role: str = ""
    source: str = ""
    department: str = ""
    row_key: str = ""
    rows: int = 1
    event_at: datetime | None = None  # without a zone
    known_at: datetime | None = None
    probability: float = 1.0

    @property
    def percent(self) -> str:
        return percent(self.probability)

    @property
    def said(self) -> str:
        """All of it on one line."""
        at = self.event_at or self.known_at
        day = f"{at:%Y-%m-%d}" if at else ""
        if at and not self.event_at:
            day = _("known since %(day)s") % {"day": day}
        said = (self.role, self.department or self.source, day, f"{self.percent}%")
        return " · ".join(filter(None, said))


@dataclass(frozen=True, slots=True)
class Dot:
    """A node with its place and looks."""

    node: Node
    x: float
    y: float
    text: str  # its label, shortened
    kind: str  # title of its kind
    colour: str
    corners: str  # points of a polygon around 0,0; empty for a circle
    radius: float

    @property
    def name(self) -> str:
        """As a table names it."""
        rank = self.node.rank if not self.node.home else None
        label = short(spoken(self.node.label), 80)
        return f"{label} #{rank}" if rank else label

    @property
    def link(self) -> str:
        """Where its name leads: to its lead, or to what else is known of it."""
        node = self.node
        if node.lead_id is not None and not node.home:
            return reverse("lead", args=[node.lead_id])
        return node.href


@dataclass(frozen=True, slots=True)
class Line:
    """All ties of two nodes, drawn as one line."""

    left: Dot
    right: Dot
    ties: tuple[Tie, ...]
    width: float
    text: str  # empty in a picture with many ties

    @property
    def doubtful(self) -> bool:
        return all(tie.probability < _SURE for tie in self.ties)

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left.x + self.right.x) / 2, (self.left.y + self.right.y) / 2


@dataclass(frozen=True, slots=True)
class Picture:
    """What `console/graph.html` draws."""

    width: int
    height: int
    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]
    left_out: int  # nodes that had no room
    ties_left_out: int
    legend: tuple[Dot, ...] = field(default=())


def drawn(
    nodes: Sequence[Node],
    ties: Iterable[Tie],
    kinds: Mapping[str, Mapping[str, str]],
    lang: str,
    left_out: tuple[int, int] = (0, 0),
) -> Picture:
    """Lay nodes and ties out.

    Args:
        ties: those with an end that is not among the nodes are left out.
        kinds: `Run.kinds`, whose order gives each kind its shape.
        left_out: nodes and ties that the caller had no room for, to be told.
    """
    between = _between(ties, {node.key for node in nodes})
    height = 360 if len(nodes) <= 8 else 520 if len(nodes) <= 30 else 680
    places = _places([n.key for n in nodes], list(between), height)
    looks = {kind: number for number, kind in enumerate(kinds)}
    titles = {kind: words.get(lang, kind) for kind, words in kinds.items()}
    dots = {
        node.key: _dot(node, places[node.key], looks, titles.get(node.kind, node.kind))
        for node in nodes
    }
    few = len(between) <= _PLAIN_EDGES
    lines = tuple(
        _line(dots[left], dots[right], tuple(found), few)
        for (left, right), found in between.items()
    )
    shown = tuple(dots.values())
    return Picture(WIDTH, height, shown, lines, *left_out, _legend(shown))


def of_store(rows: Iterable[StoredTie], lang: str) -> tuple[list[Node], list[Tie]]:
    """Nodes and ties of rows of the store; a node is its kind and its label."""
    nodes: dict[str, Node] = {}
    ties = []
    for row in rows:
        ends = []
        for kind, label in ((row.left_kind, row.left), (row.right_kind, row.right)):
            key = f"{kind}:{label}"
            nodes.setdefault(key, Node(key, kind, label))
            ends.append(key)
        ties.append(
            Tie(
                left=ends[0],
                right=ends[1],
                role=_in(row, "role", lang),
                source=row.source,
                department=_in(row, "department", lang),
                row_key=tie_key(row.row_key, row.left, row.right),
                rows=row.rows,
                event_at=bare(row.event_at),
                known_at=bare(row.known_at),
                probability=row.probability,
            )
        )
    return list(nodes.values()), ties


def bare(time: datetime | None) -> datetime | None:
    """A time of the store without its zone, as the tables have it."""
    return time.replace(tzinfo=None) if time else None


def spoken(label: str) -> str:
    """A label as a person reads it: who has no valid number is named by a record."""
    return _("no valid number") if _RECORD.fullmatch(label) else label


def short(text: str, room: int = LABEL) -> str:
    """A label cut to `room` half-widths, on one line."""
    line = " ".join(text[: 4 * room].split())
    taken = 0
    for place, char in enumerate(line):
        taken += 2 if ord(char) > 0x2E7F else 1
        if taken > room:
            return f"{line[: max(place - 1, 1)]}…"
    return line


def _in(row: Any, name: str, lang: str) -> str:
    return getattr(row, f"{name}_{lang}") or ""


def _between(
    ties: Iterable[Tie], keys: set[str]
) -> dict[tuple[str, str], dict[Tie, None]]:
    """Ties by the two nodes that they tie, each once, in their order."""
    between: dict[tuple[str, str], dict[Tie, None]] = defaultdict(dict)
    for tie in ties:
        if tie.left == tie.right or not {tie.left, tie.right} <= keys:
            continue
        if (tie.right, tie.left) in between:
            tie = replace(tie, left=tie.right, right=tie.left)  # noqa: PLW2901
        between[tie.left, tie.right][tie] = None
    return between


def _places(
    keys: list[str], edges: list[tuple[str, str]], height: int
) -> dict[str, tuple[float, float]]:
    numbers = {key: number for number, key in enumerate(keys)}
    pairs = tuple((numbers[left], numbers[right]) for left, right in edges)
    return dict(zip(keys, _layout(len(keys), pairs, height), strict=True))


@lru_cache(maxsize=256)
def _layout(
    count: int, pairs: tuple[tuple[int, int], ...], height: int
) -> tuple[tuple[float, float], ...]:
    """Kamada and Kawai's layout from a circle: nothing in it is left to chance."""
    import igraph  # noqa: PLC0415  takes a while
    import numpy as np  # noqa: PLC0415

    box = np.array([WIDTH, height], float)
    if count < 2:
        return ((WIDTH / 2, height / 2),) * count
    graph = igraph.Graph(count, pairs)
    start = graph.layout_circle()
    places = np.array(graph.layout_kamada_kawai(seed=start, maxiter=20 * count).coords)
    places = _turned(places)
    margin = np.array([MARGIN_X, MARGIN_Y], float)
    for _round in range(2):
        low, high = places.min(axis=0), places.max(axis=0)
        size = np.where(high - low < 1e-6, 1.0, high - low)
        places = np.where(
            high - low < 1e-6,
            box / 2,
            margin + (places - low) / size * (box - 2 * margin),
        )
        places = _apart(places)
    places = places.clip(margin, box - margin)
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in places)


def _turned(places: Any) -> Any:
    """Turned so that its longer axis lies across, where the picture is wider."""
    import numpy as np  # noqa: PLC0415

    centred = places - places.mean(axis=0)
    _values, axes = np.linalg.eigh(centred.T @ centred)
    turned = centred @ axes[:, ::-1]
    # The axes come with either sign: the first node stands left, and above.
    signs = np.where(turned[0] > 1e-9, -1.0, 1.0)
    return turned * signs


def _apart(places: Any, rounds: int = 40) -> Any:
    """Nodes whose labels would cover each other, moved apart."""
    import numpy as np  # noqa: PLC0415

    room = np.array(_ROOM)
    places = places + np.linspace(0, 0.5, len(places))[:, None]  # none on another
    for _round in range(rounds):
        apart = places[:, None, :] - places[None, :, :]
        over = room - np.abs(apart)
        close = (over > 0).all(axis=2)
        np.fill_diagonal(close, False)
        if not close.any():
            break
        # Along the side that needs the lesser move.
        along = over.argmin(axis=2)
        push = np.zeros_like(apart)
        for axis in (0, 1):
            chosen = close & (along == axis)
            sign = np.where(apart[..., axis] >= 0, 1.0, -1.0)
            push[..., axis] = np.where(chosen, sign * over[..., axis] / 4, 0)
        places = places + push.sum(axis=1)
    return places


def _dot(
    node: Node, place: tuple[float, float], looks: dict[str, int], kind: str
) -> Dot:
    sides, turn, colour = _LOOKS[looks.get(node.kind, len(looks)) % len(_LOOKS)]
    radius = _RADIUS * 1.45 if node.home else _RADIUS
    return Dot(
        node=node,
        x=place[0],
        y=place[1],
        text=short(spoken(node.label)),
        kind=kind,
        colour=colour,
        corners=_corners(sides, turn, radius * 1.15),
        radius=radius,
    )


def _corners(sides: int, turn: float, radius: float) -> str:
    angles = [math.radians(turn + 360 * n / sides) for n in range(sides)]
    return " ".join(
        f"{radius * math.cos(a):.1f},{radius * math.sin(a):.1f}" for a in angles
    )


def _line(left: Dot, right: Dot, ties: tuple[Tie, ...], few: bool) -> Line:
    roles = dict.fromkeys(tie.role for tie in ties if tie.role)
    return Line(
        left=left,
        right=right,
        ties=ties,
        width=min(1.2 + 0.8 * len(ties), 4.5),
        text=short(", ".join(roles), 24) if few else "",
    )


def _legend(dots: Sequence[Dot]) -> tuple[Dot, ...]:
    first: dict[str, Dot] = {}
    for dot in dots:
        first.setdefault(dot.kind, dot)
    return tuple(
        replace(d, radius=7.0, corners=_scaled(d.corners, 7.0 / d.radius))
        for d in first.values()
    )


def _scaled(corners: str, by: float) -> str:
    points = (map(float, point.split(",")) for point in corners.split())
    return " ".join(f"{x * by:.1f},{y * by:.1f}" for x, y in points)
