"""The queue: what a user should open now, and how a team shares its week."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from configs.settings import Settings
from serving.access.models import User
from serving.audit.models import Entry
from serving.dispositions import add_dispositions
from serving.leads.models import Group, Lead, Run, Slot
from serving.publication import Publication
from serving.publish import publish
from serving.records import DispositionRecord
from serving.review import queue
from serving.review.models import Proposal, Team, UnitState
from tests.serving.console.conftest import Make

MODEL = "vehicle_insurance"


def team(*members: str, capacity: int = 50, office: str = "") -> Team:
    made = Team.objects.create(
        name=f"team {office}", model=MODEL, office=office, weekly_capacity=capacity
    )
    made.members.set(User.objects.filter(username__in=members))
    return made


def leads_shown(client: Client) -> list[int]:
    """The leads to open next, in their order; a group is not among them."""
    page = client.get("/queue/").content.decode()
    shared = page[page.index('id="shared"') :]
    return [
        int(n) for n in re.findall(r'<td class="wide"><a href="/leads/(\d+)/"', shared)
    ]


def groups_shown(client: Client) -> list[int]:
    page = client.get("/queue/").content.decode()
    return [int(n) for n in re.findall(r'<a href="/groups/(\d+)/"', page)]


def assign(lead: Lead, to: str, days: int | None = None) -> None:
    due = None if days is None else timezone.localdate() + timedelta(days=days)
    UnitState.objects.create(
        model=MODEL,
        unit_id=lead.unit_id,
        assignee=to,
        due=due,
        changed_at=timezone.now(),
    )


def decide(run: Run, leads: list[Lead], user: str, at: datetime | None = None) -> None:
    now = at or datetime.now(UTC)
    add_dispositions(
        [
            DispositionRecord(MODEL, run.id, lead.unit_id, "excluded", "so", user, now)
            for lead in leads
        ]
    )


def test_a_group_is_opened_once_and_leads_come_in_the_order_of_the_list(
    as_role: Make, run: Run
) -> None:
    client = as_role("analyst")
    team("analyst")

    shown = leads_shown(client)

    drawn = set(Slot.objects.filter(kind="explore").values_list("lead_id", flat=True))
    ranked = [lead for lead in shown if lead not in drawn]
    assert ranked == sorted(ranked)
    alone = Lead.objects.filter(run=run, group_id=None).values_list("id", flat=True)
    assert set(alone) <= set(shown)
    groups = groups_shown(client)
    assert sorted(groups) == sorted(
        Group.objects.filter(run=run).values_list("id", flat=True)
    )


def test_a_team_is_shown_no_more_than_is_left_of_its_week(
    as_role: Make, run: Run
) -> None:
    client, mate = as_role("analyst"), as_role("office_lead")
    assert mate
    team("analyst", "office_lead", capacity=6)
    leads = list(Lead.objects.filter(run=run, group_id=None).order_by("rank_fused"))
    monday = timezone.localtime() - timedelta(days=timezone.localdate().weekday())
    decide(run, leads[-2:], "office_lead")
    decide(
        run,
        leads[-3:-2],
        "analyst",
        monday.astimezone(UTC) - timedelta(days=1, hours=12),
    )
    decide(run, leads[-4:-3], "stranger")

    page = client.get("/queue/").content.decode()

    assert "2 of 6 done this week, 4 left" in page
    shown = page[page.index('id="shared"') :].count('<td class="wide">')
    assert shown == 4


def test_nothing_more_is_shown_once_the_week_is_used_up(
    as_role: Make, run: Run
) -> None:
    client = as_role("analyst")
    team("analyst", capacity=0)

    page = client.get("/queue/").content.decode()

    assert "capacity of this week is used up" in page
    assert leads_shown(client) == []


def test_who_is_in_no_team_sees_the_lists_of_their_models(
    as_role: Make, run: Run
) -> None:
    page = as_role("analyst").get("/queue/").content.decode()

    assert "0 of 4 done this week, 4 left" in page


@pytest.mark.parametrize("office", ["", "office 0"])
def test_only_leads_of_the_teams_office_in_sight_are_shown(
    office: str, as_role: Make, run: Run
) -> None:
    client = as_role("analyst", MODEL, "" if office else "office 0")
    team(f"analyst-{MODEL}" + ("" if office else "-office_0"), office=office)

    offices = set(
        Lead.objects.filter(id__in=leads_shown(client)).values_list("office", flat=True)
    )

    assert offices == {"office 0", None}


def test_what_is_decided_or_anothers_is_not_shown(as_role: Make, run: Run) -> None:
    client = as_role("analyst")
    team("analyst")
    first, second, third, fourth = Lead.objects.filter(run=run, group_id=None)[:4]
    decide(run, [first], "wang")
    assign(second, "wang")
    assign(third, "analyst")

    shown = leads_shown(client)

    assert not {first.id, second.id, third.id} & set(shown)
    assert fourth.id in shown


def test_a_group_stays_until_its_last_lead_is_decided(as_role: Make, run: Run) -> None:
    client = as_role("analyst")
    team("analyst")
    group = Group.objects.get(run=run, rank=1)
    members = list(Lead.objects.filter(membership__group=group))

    decide(run, members[:-1], "wang")
    assert group.id in groups_shown(client)

    decide(run, members[-1:], "wang")
    assert group.id not in groups_shown(client)


def test_nothing_tells_an_analyst_which_leads_were_drawn(
    as_role: Make, run: Run
) -> None:
    client = as_role("analyst")
    team("analyst", capacity=16)
    drawn = list(
        Lead.objects.filter(run=run, slot__kind="explore", group_id=None).order_by("id")
    )
    assert drawn

    page = client.get("/queue/").content.decode()
    shown = leads_shown(client)

    assert set(shown) & {lead.id for lead in drawn}
    for word in ("explor", "propensity", "stratum", "drawn", "slot", "rank", "score"):
        main = page[page.index("<main") : page.index("<footer")].lower()
        assert word not in main, word
    lead = next(lead for lead in drawn if lead.id in shown)
    other = next(number for number in shown if number != lead.id)
    assert _tags(page, lead.id) == _tags(page, other)
    for address in (f"/leads/{lead.id}/", f"/leads/{lead.id}/decide/"):
        found = client.get(address, HTTP_HX_REQUEST="true").content.decode().lower()
        for word in ("explor", "propensity", "stratum"):
            assert word not in found


def _tags(page: str, lead_id: int) -> list[str]:
    """The tags of a lead's row without what differs from lead to lead."""
    row = next(r for r in page.split("<tr>") if f'href="/leads/{lead_id}/"' in r)
    return re.findall(r"<[a-z]+(?: class=\"[^\"]*\")?", row.split("</tr>")[0])


def test_a_drawn_lead_stands_at_the_same_place_every_time(
    as_role: Make, run: Run
) -> None:
    client = as_role("analyst")
    team("analyst", capacity=6)

    assert leads_shown(client) == leads_shown(client)
    places = {queue._place(lead) for lead in Lead.objects.filter(run=run)}
    assert len(places) == 24
    assert min(places) < 0.2
    assert max(places) > 0.8


def test_what_is_assigned_comes_by_its_day_and_says_when_it_is_late(
    as_role: Make, run: Run
) -> None:
    client = as_role("analyst")
    leads = list(Lead.objects.filter(run=run).order_by("rank_fused")[:4])
    for lead, days in zip(leads, (5, None, -1, 0), strict=True):
        assign(lead, "analyst", days)

    page = client.get("/queue/").content.decode()

    own = page[page.index('id="mine"') : page.index('id="shared"')]
    order = [int(n) for n in re.findall(r'<a href="/leads/(\d+)/"', own)]
    assert order == [leads[2].id, leads[3].id, leads[0].id, leads[1].id]
    assert own.count("overdue") == 2  # the sign's class and its word


def test_what_is_assigned_out_of_sight_is_not_shown(as_role: Make, run: Run) -> None:
    client = as_role("analyst", MODEL, "office 0")
    theirs = Lead.objects.filter(run=run, office="office 1").first()
    assert theirs
    assign(theirs, f"analyst-{MODEL}-office_0", -1)

    for address in ("/queue/", "/queue/overdue/"):
        assert theirs.unit_id not in client.get(address).content.decode()


def test_an_assigned_lead_of_an_older_list_is_still_found(
    listed: Publication, as_role: Make, run: Run
) -> None:
    lead = Lead.objects.get(run=run, rank_fused=3)
    assign(lead, "analyst", 3)
    newer = replace(listed, run_id="newer", inputs="6" * 64)
    publish(newer, Settings())

    page = as_role("analyst").get("/queue/").content.decode()

    in_newer = Lead.objects.get(run_id="newer", unit_id=lead.unit_id)
    assert f'href="/leads/{in_newer.id}/"' in page


def test_overdue_leads_of_all_are_shown_to_who_assigns_them(
    as_role: Make, run: Run
) -> None:
    mine, other = Lead.objects.filter(run=run).order_by("rank_fused")[:2]
    assign(mine, "analyst", -2)
    assign(other, "wang", -1)

    own = as_role("analyst").get("/queue/overdue/").content.decode()
    all_of_them = as_role("office_lead").get("/queue/overdue/").content.decode()

    assert mine.unit_id in own
    assert other.unit_id not in own
    assert mine.unit_id in all_of_them
    assert other.unit_id in all_of_them


def test_a_lead_is_taken_once_and_can_be_given_back(as_role: Make, run: Run) -> None:
    client, other = as_role("analyst"), as_role("office_lead")
    lead = Lead.objects.get(run=run, rank_fused=1)

    client.post("/queue/take/", {"lead": lead.id})
    other.post("/queue/take/", {"lead": lead.id})

    state = UnitState.objects.get(unit_id=lead.unit_id)
    assert (state.assignee, state.version) == ("analyst", 1)
    assert state.due == timezone.localdate() + timedelta(days=14)
    assert "Somebody else has it already." in other.get("/queue/").content.decode()

    other.post("/queue/take/", {"lead": lead.id, "release": "1"})
    assert UnitState.objects.get(unit_id=lead.unit_id).assignee == "analyst"
    client.post("/queue/take/", {"lead": lead.id, "release": "1"})
    assert UnitState.objects.get(unit_id=lead.unit_id).assignee == ""
    acts = Entry.objects.filter(unit=lead.unit_id).order_by("id")
    assert list(acts.values_list("action", flat=True)) == ["took", "gave back"]


def test_nobody_takes_what_they_may_not_decide(as_role: Make, run: Run) -> None:
    theirs = Lead.objects.filter(run=run, office="office 1").first()
    assert theirs
    blind = as_role("analyst", MODEL, "office 0")

    for number in (str(theirs.id), "999999", "x", "9" * 40):
        assert blind.post("/queue/take/", {"lead": number}).status_code == 302
    for role in ("auditor", "data_scientist", "administrator"):
        client = as_role(role)
        assert client.post("/queue/take/", {"lead": theirs.id}).status_code == 403
        assert client.get("/queue/").status_code == 403
        assert client.get("/queue/overdue/").status_code == 403
    assert not UnitState.objects.exists()


def test_proposals_wait_in_the_queue_of_who_may_second_them(
    as_role: Make, run: Run
) -> None:
    lead = Lead.objects.filter(run=run, office="office 1").first()
    assert lead
    client = as_role("analyst")
    said = {"verdict": "confirmed", "reason": "ring", "seen": "0"}
    client.post(f"/leads/{lead.id}/decide/", said)
    assert Proposal.objects.exists()

    own = client.get("/queue/").content.decode()
    other = as_role("office_lead").get("/queue/").content.decode()
    blind = as_role("analyst", MODEL, "office 0").get("/queue/").content.decode()

    assert "1 proposal of yours waits for somebody else." in own
    assert f'href="/leads/{lead.id}/#decide"' not in own
    assert f'href="/leads/{lead.id}/#decide"' in other
    assert lead.unit_id not in blind


def test_the_queue_asks_few_questions_however_much_there_is(
    as_role: Make, run: Run
) -> None:
    client, mate = as_role("analyst"), as_role("office_lead")
    team("analyst")
    alone = list(Lead.objects.filter(run=run, group_id=None).order_by("-rank_fused"))
    for lead in alone[:3]:
        assign(lead, "analyst", -1)
    said = {"verdict": "confirmed", "reason": "ring", "seen": "0"}
    mate.post(f"/leads/{alone[4].id}/decide/", said)

    client.get("/queue/")  # what never changes is read once
    with CaptureQueriesContext(connection) as asked:
        page = client.get("/queue/")

    assert page.status_code == 200
    assert len(asked) < 15, [q["sql"][:80] for q in asked]
