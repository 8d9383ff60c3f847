"""The link graph of a lead, from the files that are kept with its run."""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from serving.console.graph import Node, Picture, Tie, drawn
from serving.console.lead_others import Others
from serving.console.neighbours import Around, around
from serving.console.source_rows import Sources, shown_key
from serving.dossier import Dossier


def lead_graph(
    kept: Dossier, others: Others, asked: Collection[str] | None, lang: str
) -> Picture | None:
    """The picture around the lead; None where nothing is kept of it.

    Args:
        asked: keys of the nodes to open; None opens what fits at first.
    """
    lead = others.lead
    home = kept.node_of_unit(lead.unit_id)
    if home is None:
        return None
    found = around(kept, home, asked, others.seen)
    nodes = [_node(key, found, others) for key in found.nodes]
    sources = Sources(lead.run.about.get("sources", {}), list, lang)
    ties = [_tie(row, found, sources) for row in found.ties]
    left_out = found.left_out, found.ties_left_out
    return drawn(nodes, ties, lead.run.kinds, lang, left_out)


def _node(key: str, found: Around, others: Others) -> Node:
    row = found.nodes[key]
    lead = others.lead
    home = row["unit_id"] == lead.unit_id
    if key in found.unseen:
        return Node(key, row["kind"], _("not in your sight"))
    unit = row["unit_id"]
    other = others.seen([unit]).get(unit) if unit is not None else None
    return Node(
        key=key,
        kind=row["kind"],
        label=row["label"],
        home=home,
        lead_id=other.id if other else None,
        rank=other.rank_fused if other else None,
        href=_entity(key) if unit is None else "",
        toggle="" if home else _toggle(key, found, lead.id),
        is_open=key in found.opened,
        hidden=found.hidden.get(key, 0),
        note=other.title if other else "",
    )


def _toggle(key: str, found: Around, lead_id: int) -> str:
    """The address with the node opened, or closed; empty where it would show nothing."""
    if key not in found.opened and not found.hidden.get(key):
        return ""
    opened = sorted(found.opened ^ {key})
    query = urlencode([("open", name) for name in opened])
    return f"{reverse('lead-graph', args=[lead_id])}?{query}"


def _entity(key: str) -> str:
    try:
        return reverse("entity", args=[key])
    except NoReverseMatch:
        return ""


def _tie(row: dict[str, Any], found: Around, sources: Sources) -> Tie:
    lang = sources.lang
    ends = {row["node"], row["other"]}
    sensitive = [found.nodes[key] for key in ends if found.nodes[key]["sensitive"]]
    hidden = bool(ends & found.unseen)  # then that there is a tie is all that is told
    # A row's key may be made of what it is about.
    key = shown_key(row["row_key"], (end["value"] for end in sensitive))
    return Tie(
        left=row["node"],
        right=row["other"],
        role=row[f"role_{lang}"] or "",
        source=sources.title(row["source"]),
        department=row[f"department_{lang}"] or "",
        row_key="" if hidden else key,
        rows=1 if hidden else row["rows"],
        event_at=None if hidden else row["event_at"],
        known_at=None if hidden else row["known_at"],
        probability=row["probability"],
    )
