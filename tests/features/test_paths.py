"""Ways between leads hold, step by step, whatever the graph."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from features.paths import LONGEST, PATHS_OF_A_LEAD, path_rows
from tests.features.tied import KINDS, nodes_of, tied

LEADS = ["a", "b", "c"]
NODES = st.tuples(st.sampled_from(KINDS), st.sampled_from("abcde"))
PAIRS = st.lists(st.tuples(NODES, NODES).filter(lambda e: e[0] != e[1]), max_size=30)


def ways(pairs, leads=LEADS, limit=50) -> dict[tuple[str, int], list[dict]]:
    """The steps of each way."""
    found: dict[tuple[str, int], list[dict]] = {}
    of = tied(pairs, limit)
    for row in path_rows(of, nodes_of(of, leads)).to_pylist():
        found.setdefault((row["unit_id"], row["path"]), []).append(row)
    return found


def nodes(steps: list[dict]) -> list[tuple[str, str]]:
    start = (steps[0]["left_kind"], steps[0]["left"])
    return [start, *((row["right_kind"], row["right"]) for row in steps)]


def neighbours(pairs) -> dict[tuple[str, str], set]:
    found: dict[tuple[str, str], set] = {}
    for left, right in pairs:
        found.setdefault(left, set()).add(right)
        found.setdefault(right, set()).add(left)
    return found


@settings(max_examples=50, deadline=None)
@given(PAIRS, st.integers(2, 6))
def test_every_way_is_made_of_associations_and_ends_at_another_lead(pairs, limit):
    tied_to = neighbours(pairs)
    for (unit_id, _), steps in ways(pairs, limit=limit).items():
        passed = nodes(steps)
        assert [row["step"] for row in steps] == list(range(1, len(steps) + 1))
        assert len(steps) <= LONGEST
        assert passed[0] == ("claim", unit_id)
        assert passed[-1] == ("claim", steps[0]["other"])
        assert steps[0]["other"] in set(LEADS) - {unit_id}
        assert all(b in tied_to[a] for a, b in pairwise(passed))
        assert len(set(passed)) == len(passed)
        assert all(len(tied_to[node]) <= limit for node in passed[1:-1])


@settings(max_examples=50, deadline=None)
@given(PAIRS)
def test_no_two_ways_of_a_lead_share_a_node(pairs):
    found = ways(pairs)
    for lead in LEADS:
        own = [nodes(steps)[1:] for (unit, _), steps in found.items() if unit == lead]
        passed = [node for way in own for node in way]
        assert len(passed) == len(set(passed))
        assert [p for u, p in found if u == lead] == list(range(1, len(own) + 1))
        assert len(own) <= PATHS_OF_A_LEAD


@settings(max_examples=30, deadline=None)
@given(PAIRS)
def test_a_lead_that_shares_a_point_with_another_has_a_way(pairs):
    tied_to = neighbours(pairs)
    found = ways(pairs)
    for lead in LEADS:
        own = tied_to.get(("claim", lead), set())
        others = [
            tied_to.get(("claim", other), set()) for other in LEADS if other != lead
        ]
        if any(own & theirs for theirs in others):
            assert (lead, 1) in found


def test_the_rarest_point_comes_first():
    crowd = [(("claim", f"x{number}"), ("company", "k")) for number in range(9)]
    common = [(("claim", name), ("company", "k")) for name in "ab"]
    rare = [(("claim", name), ("person", "p")) for name in "ac"]
    found = ways([*crowd, *common, *rare])
    assert nodes(found["a", 1])[1] == ("person", "p")
    assert nodes(found["a", 2])[1] == ("company", "k")


def test_a_way_goes_round_a_hub():
    crowd = [(("claim", f"x{number}"), ("company", "k")) for number in range(9)]
    hub = [(("claim", name), ("company", "k")) for name in "ab"]
    round_it = [
        (("claim", "a"), ("person", "p")),
        (("person", "p"), ("household", "h")),
        (("household", "h"), ("person", "q")),
        (("person", "q"), ("claim", "b")),
    ]
    assert ways([*crowd, *hub], limit=5) == {}
    found = ways([*crowd, *hub, *round_it], limit=5)
    assert [kind for kind, _ in nodes(found["a", 1])] == [
        "claim",
        "person",
        "household",
        "person",
        "claim",
    ]


def test_a_longer_way_is_none():
    chain = [
        "claim",
        "person",
        "phone",
        "company",
        "household",
        "person",
        "phone",
        "claim",
    ]
    names = [(kind, f"{number}") for number, kind in enumerate(chain)]
    pairs = list(pairwise(names))
    assert ways(pairs, ["0", "7"]) == {}
    assert len(ways([*pairs[:4], (names[4], ("claim", "7"))], ["0", "7"])) == 2


def test_unknown_leads_have_no_ways():
    assert ways([(("claim", "a"), ("person", "p"))], ["nobody", "a"]) == {}
