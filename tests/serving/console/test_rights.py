"""What a user may not see is not found, whoever asks and however."""

import pytest

from serving.access.rights import (
    ROLES,
    groups_in_sight,
    lead_in_sight,
    leads_in_sight,
    may,
    models_in_sight,
)
from serving.leads.models import Lead
from tests.serving.console.conftest import make_user

MODEL = "vehicle_insurance"


def test_an_office_sees_its_own_leads_and_those_of_no_office(run):
    user = make_user("ann", ("analyst", MODEL, "office 0"))
    offices = set(leads_in_sight(user, "see", MODEL, run.id).values_list("office"))
    assert offices == {("office 0",), (None,)}
    other = Lead.objects.filter(run=run, office="office 1").first()
    assert lead_in_sight(user, "see", other.id) is None


@pytest.mark.parametrize("role", ROLES)
def test_a_role_for_another_model_shows_nothing(run, role):
    user = make_user("ben", (role, "elder_care"))
    assert not models_in_sight(user)
    assert not leads_in_sight(user, "see", MODEL, run.id)
    assert not groups_in_sight(user, MODEL, run.id)
    assert all(lead_in_sight(user, "see", lead.id) is None for lead in run.leads.all())


def test_grants_of_two_offices_add_up_and_one_for_all_needs_no_other(run):
    user = make_user("eve", ("analyst", MODEL, "office 0"), ("analyst", "", "office 1"))
    assert leads_in_sight(user, "see", MODEL, run.id).count() == run.units
    lead = make_user("lea", ("office_lead",))
    assert leads_in_sight(lead, "assign", MODEL, run.id).count() == run.units


def test_only_the_roles_that_may_decide_and_nobody_who_left(run):
    deciding = {
        role for role in ROLES if may(make_user(role, (role,)), "decide", MODEL, None)
    }
    assert deciding == {"analyst", "office_lead"}
    gone = make_user("gone", ("analyst",))
    gone.is_active = False
    assert not may(gone, "see", MODEL)
