"""The API answers nobody more than the console shows them."""

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from serving.access.models import ServiceToken, User
from serving.access.rights import ACTIONS, ROLES
from serving.access.tokens import revoke_token
from serving.leads.models import Group, Lead
from tests.serving.api.asking import pages, read
from tests.serving.api.conftest import service

MODEL = "vehicle_insurance"
PATHS = (
    *("/models", "/runs", "/runs/{run}", "/runs/{run}/leads", "/leads/{lead}"),
    *("/runs/{run}/groups", "/groups/{group}", "/dispositions?model=vehicle_insurance"),
    *("/runs/{run}/place?unit=CLM-000001", "/openapi.json"),
)
FOR_ALL = ("/models", "/runs", "/openapi.json")


@pytest.fixture
def paths(run):
    """Every address that can be read."""
    named = {
        "run": run.id,
        "lead": Lead.objects.filter(run=run).order_by("id")[0].id,
        "group": Group.objects.filter(run=run)[0].id,
    }
    return [path.format(**named) for path in PATHS]


def test_nobody_is_answered_without_a_token_or_a_session(anyone, paths):
    for path in paths:
        problem = read(anyone, path, 401)
        assert problem["where"] == ["header.Authorization"]
        wrong = {"HTTP_AUTHORIZATION": "Bearer leadline_guessed"}
        assert anyone.get(f"/api{path}", **wrong).status_code == 401


def test_a_revoked_token_and_one_who_left_open_nothing(run):
    client = service("feeder", ("analyst",))
    read(client, "/models")
    revoke_token(ServiceToken.objects.get(user__username="feeder"), by="admin")
    read(client, "/models", 401)
    other = service("other", ("analyst",))
    User.objects.filter(username="other").update(is_active=False)
    read(other, "/models", 401)


def test_a_signed_in_analyst_reads_as_a_service_does(as_role, analyst, paths):
    person = as_role("analyst")
    for path in paths:
        assert read(person, path) == read(analyst, path)


def test_each_role_reads_what_it_may_see_and_else_finds_nothing(paths, run):
    for role in ROLES:
        client = service(role, (role,))
        sees = "see" in ACTIONS[role]
        read(client, f"/runs/{run.id}", 200 if sees else 404)
        assert bool(read(client, "/models")) == sees
        for path in paths:
            read(client, path, 200 if sees or path in FOR_ALL else 404)


def test_a_grant_for_another_model_shows_nothing(paths):
    client = service("stranger", ("analyst", "elder_care"))
    assert read(client, "/models") == []
    assert read(client, "/runs")["items"] == []
    for path in paths:
        if path not in FOR_ALL:
            read(client, path, 404)


def test_an_office_finds_its_own_leads_and_those_of_no_office(run):
    client = service("county", ("analyst", MODEL, "office 0"))
    items = pages(client, f"/runs/{run.id}/leads", limit=5)
    seen = Lead.objects.filter(run=run).exclude(office="office 1")
    assert [item["id"] for item in items] == list(
        seen.order_by("rank_fused").values_list("id", flat=True)
    )
    assert pages(client, f"/runs/{run.id}/leads", office="office 1") == []
    for other in Lead.objects.filter(run=run, office="office 1"):
        read(client, f"/leads/{other.id}", 404)


def test_no_path_tie_or_member_names_a_unit_of_another_office(run):
    client = service("county", ("analyst", MODEL, "office 0"))
    hidden = Lead.objects.filter(run=run, office="office 1")
    theirs = set(hidden.values_list("unit_id", flat=True))
    for lead in Lead.objects.filter(run=run).exclude(office="office 1"):
        said = read(client, f"/leads/{lead.id}")
        assert not {path["other"] for path in said["paths"]} & theirs
    for item in pages(client, f"/runs/{run.id}/groups"):
        group = read(client, f"/groups/{item['id']}")
        assert len(group["members"]) + group["hidden"] == group["units"]
        assert not {member["unit_id"] for member in group["members"]} & theirs
        assert (
            not {tie[end] for tie in group["ties"] for end in ("left", "right")}
            & theirs
        )


def test_who_set_up_a_second_factor_is_not_answered_before_giving_it(run, as_role):
    client = as_role("analyst")
    TOTPDevice.objects.create(
        user=User.objects.get(username="analyst"), name="phone", confirmed=True
    )
    assert client.get("/api/models").status_code in (302, 401)
