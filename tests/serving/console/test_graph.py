"""The link graph: the same each time, capped, and no way into what is not in sight."""

from itertools import combinations
from typing import Any
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from django.utils import translation

from serving.console.graph import Node, Tie, drawn, of_store, short, spoken
from serving.console.group_view import GroupView
from serving.console.neighbours import MOST_NODES, MOST_TIES, Around, around
from serving.leads.models import Group, GroupTie, Lead, Run
from tests.serving.console.conftest import Make, make_user
from tests.serving.dossiers import key, person

KINDS = {
    "claim": {"en": "claim", "zh": "案件"},
    "person": {"en": "person", "zh": "自然人"},
}
MODEL = "vehicle_insurance"
HTMX = {"HTTP_HX_REQUEST": "true"}


def star(leaves: int) -> tuple[list[Node], list[Tie]]:
    nodes = [Node("home", "claim", "home", home=True)]
    nodes += [Node(f"n{n}", "person", f"person {n}") for n in range(leaves)]
    return nodes, [Tie("home", f"n{n}", "claimant") for n in range(leaves)]


class Kept:
    """Nodes and ties of a small dossier: pairs of keys; units are named U..."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self.pairs = pairs

    def nodes(self, keys: Any) -> dict[str, dict[str, Any]]:
        return {name: node(name) for name in keys}

    def ties(self, keys: Any) -> list[dict[str, Any]]:
        both = [*self.pairs, *((b, a) for a, b in self.pairs)]
        return [tie(a, b) for a, b in both if a in keys]


def node(name: str) -> dict[str, Any]:
    unit = name if name.startswith("U") else None
    return {"key": name, "kind": "claim", "label": name, "unit_id": unit}


def tie(left: str, right: str) -> dict[str, Any]:
    return {
        "node": left,
        "other": right,
        "source": "claims",
        "row_key": "-".join(sorted((left, right))),
        "role_en": "claimant",
    }


def look(kept: Kept, asked: Any = None, seen: Any = set) -> Around:
    return around(kept, node("U0"), asked, seen)


def test_same_nodes_and_ties_give_the_same_picture() -> None:
    assert drawn(*star(12), KINDS, "en") == drawn(*star(12), KINDS, "en")


@pytest.mark.parametrize("count", [1, 2, 8, 30, 59])
def test_nodes_stand_apart_and_within_the_picture(count: int) -> None:
    picture = drawn(*star(count), KINDS, "en")
    for one, two in combinations(picture.dots, 2):
        assert abs(one.x - two.x) > 20 or abs(one.y - two.y) > 12
    for dot in picture.dots:
        assert 0 < dot.x < picture.width
        assert 0 < dot.y < picture.height


def test_picture_of_nothing_and_of_one_node() -> None:
    assert drawn([], [], KINDS, "en").dots == ()
    alone = drawn([Node("a", "claim", "a")], [], KINDS, "en")
    assert (alone.dots[0].x, alone.dots[0].y) == (alone.width / 2, alone.height / 2)


def test_ties_of_two_nodes_are_one_line_and_strange_ends_are_left_out() -> None:
    nodes, ties = star(1)
    ties += [Tie("n0", "home", "driver"), Tie("home", "nobody"), Tie("n0", "n0")]
    (line,) = drawn(nodes, ties, KINDS, "en").lines
    assert [tie.role for tie in line.ties] == ["claimant", "driver"]


def test_kinds_are_told_apart_by_shape() -> None:
    legend = drawn(*star(2), KINDS, "zh").legend
    assert [dot.kind for dot in legend] == ["案件", "自然人"]
    assert len({dot.corners for dot in legend}) == 2


def test_doubtful_ties_are_dashed_only_where_no_source_is_sure() -> None:
    nodes, _ties = star(1)
    unsure = Tie("home", "n0", probability=0.6)
    assert drawn(nodes, [unsure], KINDS, "en").lines[0].doubtful
    surer = [unsure, Tie("home", "n0", "owner", probability=0.9)]
    assert not drawn(nodes, surer, KINDS, "en").lines[0].doubtful


def test_labels_are_cut_to_their_room() -> None:
    assert short("short") == "short"
    assert short("诚信汽车修理厂有限责任公司") == "诚信汽车修理厂有限…"
    assert short("a\nb  c") == "a b c"
    assert len(short("x" * 10_000)) <= 21


def test_rows_of_the_store_are_drawn(run: Run) -> None:
    rows = GroupTie.objects.filter(group__run=run, group__rank=1).order_by("position")
    nodes, ties = of_store(rows, "zh")
    picture = drawn(nodes, ties, run.kinds, "zh")
    assert len(picture.dots) == len({dot.node.label for dot in picture.dots})
    assert {tie.role for line in picture.lines for tie in line.ties} == {"原告"}


def test_at_first_the_nearest_are_open() -> None:
    found = look(Kept(("U0", "p"), ("p", "U1"), ("U1", "q"), ("q", "U2")))
    assert set(found.nodes) == {"U0", "p", "U1"}
    assert found.opened == {"U0", "p"}
    assert found.hidden["U1"] == 1


def test_hubs_stay_closed_until_they_are_opened() -> None:
    hub = Kept(("U0", "p"), *(("p", f"U{n}") for n in range(1, 30)))
    assert set(look(hub).nodes) == {"U0", "p"}
    assert len(look(hub, ["U0", "p"]).nodes) == 31


def test_nodes_open_one_hop_and_close_again() -> None:
    chain = Kept(("U0", "p"), ("p", "U1"), ("U1", "q"), ("q", "U2"))
    assert set(look(chain, ["U0"], lambda units: units).nodes) == {"U0", "p"}
    opened = look(chain, ["U0", "p", "U1"], lambda units: units)
    assert set(opened.nodes) == {"U0", "p", "U1", "q"}


def test_addresses_open_nothing_that_cannot_be_reached() -> None:
    chain = Kept(("U0", "p"), ("p", "U1"), ("far", "U9"))
    found = look(chain, ["far", "U9"], lambda units: units)
    assert set(found.nodes) == {"U0", "p"}


def test_units_out_of_sight_are_never_opened() -> None:
    chain = Kept(("U0", "p"), ("p", "U1"), ("U1", "q"))
    found = look(chain, ["U0", "p", "U1"], lambda units: [])
    assert "q" not in found.nodes
    assert found.unseen == {"U1"}


def test_what_has_no_room_is_counted() -> None:
    wide = Kept(*(("U0", f"p{n}") for n in range(MOST_NODES + 9)))
    found = look(wide)
    assert len(found.nodes) == MOST_NODES
    assert found.left_out == 10
    names = [f"p{n}" for n in range(30)]
    dense = Kept(*(("U0", n) for n in names), *combinations(names, 2))
    many = look(dense)
    assert len(many.ties) == MOST_TIES
    assert many.ties_left_out == 30 + 30 * 29 // 2 - MOST_TIES


def graph_of(browser: Any, lead: Lead, *opened: str) -> str:
    query = urlencode([("open", name) for name in opened])
    address = f"{reverse('lead-graph', args=[lead.id])}?{query}"
    answer = browser.get(address, **HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def test_graph_links_to_the_other_leads(as_role: Make, run: Run) -> None:
    lead, other = (
        Lead.objects.get(run=run, unit_id=unit) for unit in ("CLM-000001", "CLM-000002")
    )
    said = graph_of(as_role("analyst"), lead)
    assert "<html" not in said
    assert f'href="/leads/{other.id}/"' in said
    assert f"#{other.rank_fused}<" in said
    for tie_says in ("claimant", "Insurers", "2025-05-02", "97%"):
        assert tie_says in said, tie_says


def test_graph_closes_a_node_and_says_how_to_open_it(as_role: Make, run: Run) -> None:
    lead = Lead.objects.get(run=run, unit_id="CLM-000001")
    home, theirs = key("claim", "CLM-000001"), key("person", person(0))
    closed = graph_of(as_role("analyst"), lead, home)
    assert "CLM-000002" not in closed
    assert "1 neighbour is not shown" in closed
    assert f"open={theirs}" in closed


def test_graph_does_not_name_units_of_another_office(as_role: Make, run: Run) -> None:
    lead = Lead.objects.get(run=run, unit_id="CLM-000001")  # of office 0
    browser = as_role("analyst", MODEL, "office 0")
    for said in (graph_of(browser, lead), graph_of(browser, lead, "x" * 500)):
        assert "CLM-000002" not in said  # of office 1
    assert "not in your sight" in graph_of(browser, lead)


def test_without_scripts_a_node_opens_on_the_page(as_role: Make, run: Run) -> None:
    lead = Lead.objects.get(run=run, unit_id="CLM-000001")
    address = reverse("lead-graph", args=[lead.id])
    answer = as_role("analyst").get(f"{address}?open={key('claim', 'CLM-000001')}")
    page = answer.content.decode()
    assert "<html" in page
    assert "1 neighbour is not shown" in page


def test_who_has_no_valid_number_is_not_named_by_a_record() -> None:
    with translation.override("en"):
        assert spoken("~5f06db838e06920f78") == spoken("~5f***") == "no valid number"
    assert spoken("~ a unit") == "~ a unit"


def test_ties_name_their_source_by_its_title(run: Run) -> None:
    group = Group.objects.get(run=run, rank=1)
    group.run.about["sources"]["claims"] = {"zh": "理赔案件"}
    picture = GroupView(make_user("ann", ("analyst",)), group, "zh").picture()
    assert picture is not None
    shown = {tie.source for line in picture.lines for tie in line.ties}
    assert shown == {"理赔案件"}
