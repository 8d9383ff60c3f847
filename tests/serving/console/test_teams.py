"""Teams are set up by who leads the office, and nobody else."""

from typing import Any

from serving.access.models import User
from serving.audit.models import Entry
from serving.leads.models import Run
from serving.review.models import Team
from tests.serving.console.conftest import Make, make_user

MODEL = "vehicle_insurance"


def form(*members: User, **changes: Any) -> dict[str, Any]:
    said = {
        "name": "North",
        "model": MODEL,
        "office": "office 0",
        "weekly_capacity": 30,
    }
    return {**said, "members": [str(member.pk) for member in members], **changes}


def test_an_office_lead_sets_up_a_team_and_it_is_logged(
    as_role: Make, run: Run
) -> None:
    li = make_user("li", ("analyst", MODEL, "office 0"))
    client = as_role("office_lead", MODEL, "office 0")

    assert client.post("/teams/", form(li)).status_code == 302

    team = Team.objects.get()
    assert (team.name, team.office, team.weekly_capacity) == ("North", "office 0", 30)
    assert [member.username for member in team.members.all()] == ["li"]
    entry = Entry.objects.get(action="changed team")
    assert entry.detail["members"] == ["li"]

    client.post(f"/teams/?team={team.pk}", form(weekly_capacity=12))
    team.refresh_from_db()
    assert (team.weekly_capacity, team.members.count()) == (12, 0)

    client.post(f"/teams/?team={team.pk}", {"delete": "1"})
    assert not Team.objects.exists()
    assert Entry.objects.filter(action="deleted team").exists()


def test_nobody_sets_up_a_team_beyond_their_own_office(as_role: Make, run: Run) -> None:
    client = as_role("office_lead", MODEL, "office 0")
    for office in ("office 1", ""):
        assert client.post("/teams/", form(office=office)).status_code == 422
    assert client.post("/teams/", form(model="another_model")).status_code == 422
    for role in ("analyst", "auditor", "data_scientist"):
        assert as_role(role).get("/teams/").status_code == 403
        assert as_role(role).post("/teams/", form()).status_code == 403
    assert not Team.objects.exists()


def test_anothers_team_is_neither_seen_nor_changed(as_role: Make, run: Run) -> None:
    team = Team.objects.create(
        name="Secret", model=MODEL, office="office 1", weekly_capacity=1
    )
    client = as_role("office_lead", MODEL, "office 0")

    assert "Secret" not in client.get("/teams/").content.decode()
    assert client.get(f"/teams/?team={team.pk}").status_code == 404
    assert client.post(f"/teams/?team={team.pk}", {"delete": "1"}).status_code == 404
    assert as_role("administrator").get(f"/teams/?team={team.pk}").status_code == 200
    assert Team.objects.exists()


def test_who_may_not_decide_there_is_no_member(as_role: Make, run: Run) -> None:
    elsewhere = make_user("wang", ("analyst", MODEL, "office 1"))
    auditor = make_user("zhao", ("auditor",))
    client = as_role("office_lead", MODEL)

    answer = client.post("/teams/", form(elsewhere))

    assert "These may not decide" in answer.content.decode()
    assert client.post("/teams/", form(auditor)).status_code == 422
    assert not Team.objects.exists()
