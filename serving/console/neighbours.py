"""What a lead is tied to: its node, and around it those that the user opened.

A node is opened only when it can be reached from the lead through opened ones, and never
through a unit that the user may not see: an address names no way into other leads.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Row = dict[str, Any]
Seen = Callable[[Collection[str]], Collection[str]]
MOST_NODES, MOST_TIES = 60, 200
_AT_FIRST = 24  # nodes that may join before the user opens any
_FEW = 8  # neighbours of a node that is opened at first


class Kept(Protocol):
    """Of `serving.dossier.Dossier`, what is read here."""

    def nodes(self, keys: Collection[str]) -> dict[str, Row]: ...
    def ties(self, keys: Collection[str]) -> list[Row]: ...


@dataclass(slots=True)
class Around:
    """Nodes by key, nearest first, and the ties between them, each once.

    Attributes:
        opened: keys whose neighbours are shown.
        hidden: neighbours by key that are not shown.
        unseen: keys of units that the user may not see.
        left_out: neighbours of opened nodes that had no room.
        ties_left_out: ties between shown nodes that had none.
    """

    nodes: dict[str, Row] = field(default_factory=dict)
    ties: list[Row] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)
    hidden: dict[str, int] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    left_out: int = 0
    ties_left_out: int = 0


def around(kept: Kept, home: Row, asked: Collection[str] | None, seen: Seen) -> Around:
    """The picture around a unit's node.

    Args:
        asked: keys to open; None opens the unit and its neighbours with few ties.
        seen: of these units, those that the user may see.
    """
    found = Around(nodes={home["key"]: home})
    ties = _by_node(kept.ties([home["key"]]))
    level = [home["key"]]
    # No more than there can be nodes, however many keys an address names.
    wanted = {home["key"], *list(asked or ())[:MOST_NODES]}
    while level:
        to_open = [key for key in level if key in wanted and key not in found.unseen]
        level = _open(found, to_open, ties, kept, seen)
        ties.update(_by_node(kept.ties(level)))
        if asked is None and len(found.opened) == 1:
            wanted |= _at_first(found, level, ties)
    _tie(found, ties)
    return found


def _open(
    found: Around,
    keys: Iterable[str],
    ties: Mapping[str, list[Row]],
    kept: Kept,
    seen: Seen,
) -> list[str]:
    """Let the neighbours of these nodes join; the keys of those that did."""
    joining: dict[str, None] = {}
    for key in keys:
        found.opened.add(key)
        joining.update(dict.fromkeys(tie["other"] for tie in ties.get(key, ())))
    fresh = [key for key in joining if key not in found.nodes]
    room = MOST_NODES - len(found.nodes)
    found.left_out += len(fresh[room:])
    known = kept.nodes(fresh[:room])
    rows = [known[key] for key in fresh[:room] if key in known]
    units = {row["unit_id"] for row in rows if row["unit_id"] is not None}
    visible = set(seen(units)) if units else set()
    for row in rows:
        found.nodes[row["key"]] = row
        if row["unit_id"] is not None and row["unit_id"] not in visible:
            found.unseen.add(row["key"])
    return [row["key"] for row in rows]


def _at_first(
    found: Around, level: Iterable[str], ties: Mapping[str, list[Row]]
) -> set[str]:
    """Neighbours of the lead that are opened unasked: those with the fewest ties."""
    sizes = {key: len({tie["other"] for tie in ties.get(key, ())}) for key in level}
    chosen, room = set(), _AT_FIRST - len(found.nodes)
    for key in sorted(sizes, key=lambda key: (sizes[key], key)):
        if 1 < sizes[key] <= _FEW and sizes[key] - 1 <= room:
            chosen.add(key)
            room -= sizes[key] - 1
    return chosen - found.unseen


def _tie(found: Around, ties: Mapping[str, list[Row]]) -> None:
    met: set[tuple[Any, ...]] = set()
    for key in found.nodes:
        others = {tie["other"] for tie in ties.get(key, ())}
        found.hidden[key] = len(others - set(found.nodes))
        for tie in ties.get(key, ()):
            ends = tuple(sorted((key, tie["other"])))
            said = (*ends, tie["source"], tie["row_key"], tie["role_en"])
            if tie["other"] not in found.nodes or said in met:
                continue
            met.add(said)
            if len(found.ties) < MOST_TIES:
                found.ties.append(tie)
            else:
                found.ties_left_out += 1


def _by_node(ties: Iterable[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for tie in ties:
        grouped[tie["node"]].append(tie)
    return dict(grouped)
