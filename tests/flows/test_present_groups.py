"""Groups, ways to other leads and the worklist in a terminal; judgements from there."""

from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from configs.settings import Settings
from flows.present import print_lead
from flows.present_groups import print_group, print_groups
from flows.sentences import dated, path_sentence, probability
from serving import queries
from serving.connect import close_store, open_store
from serving.judgements import judgements
from serving.publish import publish
from serving.records import PathRecord, TieRecord
from tests.flows.homes import Home
from tests.serving.publications import make_publication, without_groups
from tests.serving.rings import KINDS, tie

MODEL = "vehicle_insurance"


@pytest.fixture
def rings(tmp_path: Path) -> Iterator[Home]:
    """An installation whose newest list has two groups."""
    home = Home(tmp_path / "home")
    publish(make_publication(tmp_path), Settings(home=home.path, store_url=""))
    yield home
    close_store()


def step(*ends: str, **changes: object) -> TieRecord:
    found = {**tie(*ends), "role_en": "claimant", "role_zh": "原告", **changes}
    return TieRecord(**found)


def test_path_is_a_sentence_with_source_date_and_probability_of_each_step() -> None:
    steps = (
        step("claim", "LP1", "person"),
        step("person", "330***", "company", role_en="", role_zh="", right="91***"),
        step("company", "91***", "claim", right="***", role_en="insured", role_zh=""),
    )
    path = PathRecord(1, "LP9", 12345, steps)

    assert path_sentence(path, KINDS, "en") == (
        "claim LP1 — [claimant, claims (court), 2025-05-01, 1.00] → person 330*** — "
        "[social_insurance (social insurance), posted 2025-05-02, 0.99] → "
        "company 91*** — [insured, social_insurance (social insurance), "
        "posted 2025-05-02, 0.99] → claim *** (LP9), rank 12,345"
    )
    assert path_sentence(path, KINDS, "zh") == (
        "案件 LP1 — [原告，claims (法院)，2025-05-01，1.00] → 自然人 330*** — "
        "[social_insurance (社保局)，2025-05-02入库，0.99] → 企业 91*** — "
        "[social_insurance (社保局)，2025-05-02入库，0.99] → 案件 *** (LP9)，第12,345位"
    )


@pytest.mark.parametrize(
    ("given", "shown"),
    [(1.0, "1.00"), (0.9999, "0.99"), (0.954, "0.95"), (0.0, "0.00")],
)
def test_what_is_not_certain_is_never_shown_as_certain(
    given: float, shown: str
) -> None:
    assert probability(step("claim", "A", "person", probability=given)) == shown


def test_a_tie_without_any_date_says_none() -> None:
    assert dated(step("claim", "A", "person", event_at=None, known_at=None)) == ""


def test_worklist_opens_a_ring_once(rings: Home) -> None:
    leads = rings.json("leads", MODEL, "--top", 12)["leads"]
    work = rings.json("worklist", MODEL, "--top", 12)["worklist"]

    assert len(leads) == 12
    assert {lead["group_id"] for lead in leads} == {"G0001", "G0002", None}
    ids = [w["group"]["group_id"] if w["group"] else w["lead"]["unit_id"] for w in work]
    assert sorted(ids) == [f"CLM-{n:06}" for n in range(7, 13)] + ["G0001", "G0002"]
    said = rings.ok("worklist", MODEL).splitlines()
    rows = [line.split()[:4] for line in said if line.strip()[:1].isdigit()]
    assert [row[3] for row in rows] == ids
    assert {row[2] for row in rows} == {"unit", "group"}


def test_list_of_leads_names_the_group_of_each(rings: Home) -> None:
    said = rings.ok("leads", MODEL, "--top", 12)

    assert said.count("G0001") == 4
    assert said.count("G0002") == 2


def test_groups_are_listed_with_what_ties_them(rings: Home) -> None:
    said = rings.ok("groups", MODEL)

    (first,) = [line for line in said.splitlines() if "G0001" in line]
    assert first.split() == [
        *("1", "G0001", "person", "330***", "4", "4,002", "0.25", "1.0000"),
        *("V1", "V6"),
    ]
    assert "no evidence" in said
    assert rings.json("groups", MODEL, "--top", 1)["groups"][0]["group_id"] == "G0001"


def test_group_shows_reason_units_and_ties(rings: Home) -> None:
    said = rings.ok("group", MODEL, "G0002")

    assert "2 claims share one claimant" in said
    assert "2件案件共用同一原告" in said
    assert "CLM-000005  李某 v 王某 第5号" in said
    (tied,) = [line for line in said.splitlines() if "CLM-000006/1" in line]
    for part in ("claim CLM-000006", "person 330***", "claimant 原告", "court 法院"):
        assert part in tied
    assert tied.split()[-2:] == ["2025-05-01", "1.00"]
    detail = rings.json("group", MODEL, "G0002")
    assert [lead["unit_id"] for lead in detail["members"]] == [
        "CLM-000005",
        "CLM-000006",
    ]


def test_unknown_group_is_answered_with_the_nearest(rings: Home) -> None:
    done = rings.inside("group", MODEL, "G002")

    assert done.returncode == 4
    assert "did you mean 'G0002'?" in done.stderr


def test_lead_shows_its_group_and_one_way_a_line(rings: Home) -> None:
    said = rings.ok("show", MODEL, "CLM-000004").splitlines()

    assert any(line.strip().startswith("G0001  person 330***") for line in said)
    ways = [line for line in said if " → claim " in line]
    assert len(ways) == 2
    assert ways[0].startswith("  1. claim CLM-000004 — [claimant, claims (court), ")
    assert len([line for line in said if " → 案件 " in line]) == 2
    ranks = {
        lead["unit_id"]: lead["rank_fused"]
        for lead in rings.json("leads", MODEL, "--top", 12)["leads"]
    }
    assert ways[1].endswith(f"→ claim CLM-000002, rank {ranks['CLM-000002']}")


def test_a_list_without_groups_says_so(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    bare = without_groups(make_publication(tmp_path))
    publish(bare, Settings(home=home.path, store_url=""))

    assert "every unit is opened alone" in home.ok("groups", MODEL)
    assert "this unit is opened alone" in home.ok("show", MODEL, "CLM-000001")
    assert len(home.json("worklist", MODEL)["worklist"]) == 12


def test_brackets_in_the_records_are_shown_and_are_no_markup(rings: Home) -> None:
    """Rich takes [...] for a style, and [/...] for its end."""
    open_store(Settings(home=rings.path, store_url=""))
    run = queries.latest_run(MODEL)
    found = queries.group(run.id, "G0001")
    odd = "[/red] [x]"
    lead = queries.lead(run.id, "CLM-000004")
    ties = tuple(replace(tied, left=odd) for tied in found.ties)
    group = replace(found.group, title=odd, reason_en=odd)
    path = replace(lead.paths[0], steps=(replace(lead.paths[0].steps[0], left=odd),))
    out = Console(file=StringIO(), width=300)

    print_groups(out, run, [group])
    print_group(out, run, replace(found, group=group, ties=ties))
    print_lead(
        out, run, replace(lead, lead=replace(lead.lead, title=odd), paths=(path,))
    )

    assert out.file.getvalue().count(odd) == 1 + 2 + len(ties) + 1 + 2


FIRST, SECOND = "a" * 20, "b" * 20  # digests of records


def judged(home: Home, *arguments: str, **environment: str) -> str:
    done = home.run("judge", *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_judge_keeps_who_said_what_before_anything_is_published(empty: Home) -> None:
    note = ("--note", "同一手机")
    said = judged(
        empty, "tiny", "person", SECOND, FIRST, "same", *note, LEADLINE_USER="li"
    )
    by_login = {"LEADLINE_USER": "", "LOGNAME": "wang"}
    judged(empty, "tiny", "person", FIRST, SECOND, "different", *note, **by_login)

    open_store(Settings(home=empty.path, store_url=""))
    (kept,) = judgements("tiny")
    assert f"li judged {FIRST} and {SECOND}: same" in said
    assert (kept.left, kept.right, kept.verdict) == (FIRST, SECOND, "different")
    assert (kept.user, kept.note) == ("wang", "同一手机")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("person", FIRST, FIRST, "same"), 4, f"got record '{FIRST}' twice"),
        (
            ("prson", FIRST, SECOND, "same"),
            1,
            "no entity 'prson'; did you mean 'person'?",
        ),
        (("person", FIRST, SECOND, "maybe"), 2, "maybe"),
    ],
)
def test_judge_refuses_what_cannot_be_meant(
    arguments: tuple[str, ...], code: int, message: str, empty: Home
) -> None:
    done = empty.inside("judge", "tiny", *arguments, "--note", "x")

    assert done.returncode == code
    assert message in done.stderr
