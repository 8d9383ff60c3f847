"""What analysts conclude reorders the next list, and a withdrawal takes it back."""

from pathlib import Path
from typing import Any

import pytest

from tests.flows.homes import Home

pytestmark = pytest.mark.slow


def ranked(home: Home) -> list[dict[str, Any]]:
    return home.json("leads", "tiny", "--top", 100_000)["leads"]  # type: ignore[no-any-return]


def concluded(home: Home, units: list[str], verdict: str) -> None:
    for unit in units:
        home.ok("dispose", "tiny", unit, verdict, "--reason", "查过")


def test_confirmed_units_teach_the_next_list(home: Home, delivered: Path) -> None:
    before = ranked(home)
    assert (
        home.json("next-leads", "tiny")["leads"][0]["unit_id"] == before[0]["unit_id"]
    )
    refused = home.inside("learn", "tiny")
    assert refused.returncode != 0
    assert "nobody has confirmed or excluded a unit yet" in refused.stderr

    # Confirmed at the foot of the list, cleared at its head: the order must turn.
    foot = [lead["unit_id"] for lead in before[-6:]]
    head = [lead["unit_id"] for lead in before[:6]]
    concluded(home, foot, "confirmed")
    concluded(home, head, "excluded")
    asked = home.json("next-leads", "tiny", "--top", 20)
    assert (asked["confirmed"], asked["excluded"]) == (6, 6)
    opened = [lead["unit_id"] for lead in asked["leads"]]
    assert len(set(opened)) == 20
    assert not set(opened) & {*foot, *head}
    assert ranked(home) == before  # asking changes no list

    learnt = home.json("learn", "tiny", "--promote")
    assert (learnt["confirmed"], learnt["excluded"], learnt["left_out"]) == (6, 6, 0)
    assert learnt["registered"]["role"] == "champion"
    assert learnt["weight"] == 0  # too few cases for a ranker
    assert learnt["bands"] == []

    home.ok("score", "tiny", "--data", delivered)
    after = {lead["unit_id"]: lead for lead in ranked(home)}
    old = {lead["unit_id"]: lead for lead in before}
    for unit in foot:
        assert after[unit]["rank_fused"] < old[unit]["rank_fused"]
    # Reviews teach the fused order alone.
    for unit, lead in after.items():
        for column in ("score", "rules", "rank_score", "rank_rules"):
            assert lead[column] == old[unit][column]
    assert home.is_sound()
    assert "learnt from 6 confirmed and 6 excluded units" in home.ok("learn", "tiny")


def test_withdrawn_confirmations_count_against(home: Home) -> None:
    units = [lead["unit_id"] for lead in ranked(home)[:4]]
    concluded(home, units, "confirmed")
    concluded(home, units[:3], "withdrawn")
    learnt = home.json("learn", "tiny")
    assert (learnt["confirmed"], learnt["excluded"]) == (1, 3)


def test_while_nothing_is_found_more_is_drawn_at_random(
    home: Home, delivered: Path
) -> None:
    units = [lead["unit_id"] for lead in ranked(home)[:12]]
    concluded(home, units, "excluded")
    said = home.ok("learn", "tiny", "--promote")
    assert "nothing was confirmed yet: what is like the excluded falls, and 50%" in said
    home.ok("score", "tiny", "--data", delivered, "--as-of", "2031-01-01")
    drawn = [w for w in home.json("worklist", "tiny")["worklist"] if w["drawn"]]
    assert drawn
