"""A decision is taken once, on what was seen, and by who may take it."""

import json
from concurrent.futures import ThreadPoolExecutor

from serving.api.models import KeptAnswer
from serving.audit import chain
from serving.audit.models import Entry
from serving.connect import close_store
from serving.leads.models import Disposition, Lead
from serving.review.models import Proposal
from tests.serving.api.asking import pages, read
from tests.serving.api.conftest import service

EXCLUDED = {
    "verdict": "excluded",
    "cause": "lawful",
    "reason": "a rental firm, 租赁公司 <script>",
    "seen": 0,
}
CONFIRMED = {"verdict": "confirmed", "reason": "the bills are forged", "seen": 0}


def decide(client, lead, body, status, key="key-0001"):
    answer = client.post(
        f"/api/leads/{lead.id}/dispositions",
        data=body if isinstance(body, str | bytes) else json.dumps(body),
        content_type="application/json",
        HTTP_IDEMPOTENCY_KEY=key,
    )
    assert answer.status_code == status, answer.content[:500]
    return answer.json()


def test_a_decision_stands_in_the_store_and_in_the_log(analyst, lead):
    said = decide(analyst, lead, EXCLUDED, 201)
    assert said["review"] == {
        "state": "excluded",
        "version": 1,
        "assignee": "",
        "due": None,
    }
    (kept,) = Disposition.objects.all()
    assert (kept.unit_id, kept.verdict, kept.cause) == (
        lead.unit_id,
        "excluded",
        "lawful",
    )
    assert (kept.user, kept.reason) == ("feeder", EXCLUDED["reason"])
    entry = Entry.objects.get(action="decided")
    assert (entry.user, entry.unit) == ("feeder", lead.unit_id)
    assert chain.findings() == []
    (item,) = pages(analyst, "/dispositions", model=lead.run.model_id)
    assert item["lead"] == lead.id
    assert item["reason"] == EXCLUDED["reason"]
    detail = read(analyst, f"/leads/{lead.id}")
    assert [d["verdict"] for d in detail["dispositions"]] == ["excluded"]
    assert detail["review"]["state"] == "excluded"
    excluded = pages(analyst, f"/runs/{lead.run_id}/leads", state="excluded")
    assert [found["id"] for found in excluded] == [lead.id]
    still_open = pages(analyst, f"/runs/{lead.run_id}/leads", state="open")
    assert len(still_open) == lead.run.units - 1


def test_sent_again_with_its_key_it_is_answered_alike_and_done_once(analyst, lead):
    first = decide(analyst, lead, EXCLUDED, 201)
    assert decide(analyst, lead, EXCLUDED, 200) == first
    assert decide(analyst, lead, dict(reversed(EXCLUDED.items())), 200) == first
    assert Disposition.objects.count() == 1
    assert Entry.objects.filter(action="decided").count() == 1


def test_the_answer_is_the_same_when_others_decided_since(analyst, lead):
    first = decide(analyst, lead, EXCLUDED, 201)
    other = service("other", ("analyst",))
    decide(other, lead, {"verdict": "transferred", "reason": "x", "seen": 1}, 201)
    assert decide(analyst, lead, EXCLUDED, 200) == first


def test_a_key_stands_for_one_decision_of_one_user(analyst, run, lead):
    decide(analyst, lead, EXCLUDED, 201)
    for body in (EXCLUDED | {"reason": "another"}, EXCLUDED | {"seen": 1}):
        problem = decide(analyst, lead, body, 422)
        assert problem["where"] == ["header.Idempotency-Key"]
    second = Lead.objects.get(run=run, rank_fused=2)
    decide(analyst, second, EXCLUDED, 422)
    decide(service("other", ("analyst",)), second, EXCLUDED, 201)
    assert Disposition.objects.count() == 2


def test_a_key_whose_decision_failed_can_be_used_again(analyst, lead):
    decide(analyst, lead, EXCLUDED | {"seen": 7}, 409)
    decide(analyst, lead, EXCLUDED | {"cause": None}, 422)
    assert not KeptAnswer.objects.exists()
    decide(analyst, lead, EXCLUDED, 201)


def test_who_saw_an_older_state_overwrites_nobody(analyst, lead):
    decide(service("other", ("analyst",)), lead, EXCLUDED, 201)
    problem = decide(
        analyst, lead, {"verdict": "transferred", "reason": "x", "seen": 0}, 409
    )
    assert problem["review"]["state"] == "excluded"
    assert problem["review"]["version"] == 1
    assert problem["said"]["user"] == "other"
    assert Disposition.objects.count() == 1


def test_a_verdict_that_needs_a_second_person_is_proposed(analyst, lead):
    said = decide(analyst, lead, CONFIRMED, 202)
    assert said["said"]["kind"] == "proposal"
    assert said["review"]["state"] == "awaiting"
    assert decide(analyst, lead, CONFIRMED, 202) == said
    assert Proposal.objects.count() == 1
    assert not Disposition.objects.exists()
    problem = decide(analyst, lead, EXCLUDED | {"seen": 1}, 409, key="key-0002")
    assert problem["review"]["state"] == "awaiting"


def test_how_a_unit_was_drawn_is_told_once_it_is_decided(analyst, run):
    drawn = Lead.objects.get(run=run, slot__kind="explore", slot__position=9)
    asked = {"model": run.model_id}
    body = {"verdict": "needs_information", "reason": "x", "seen": 0}
    decide(analyst, drawn, body, 201)
    (item,) = pages(analyst, "/dispositions", **asked)
    assert (item["kind"], item["propensity"]) == (None, None)
    decide(analyst, drawn, EXCLUDED | {"seen": 1}, 201, key="key-0002")
    item = pages(analyst, "/dispositions", **asked)[-1]
    assert item["kind"] == "explore"
    assert 0 < item["propensity"] < 1


INCOMPLETE = (
    ({"verdict": "guilty"}, "body.verdict"),
    ({"verdict": None}, "body.verdict"),
    ({"cause": "boredom"}, "body.cause"),
    ({"cause": ""}, "body.cause"),
    ({"cause": None}, "body.cause"),
    ({"verdict": "transferred"}, "body.cause"),
    ({"reason": ""}, "body.reason"),
    ({"reason": " \n"}, "body.reason"),
    ({"reason": "a\x00b"}, "body.reason"),
    ({"reason": "\ud800"}, "body.reason"),
    ({"reason": "x" * 10_001}, "body.reason"),
    ({"reason": ["x"]}, "body.reason"),
    ({"seen": -1}, "body.seen"),
    ({"seen": 2**63}, "body.seen"),
    ({"seen": "x"}, "body.seen"),
    ({"user": "somebody else"}, "body.user"),
)


def test_a_decision_that_is_not_complete_is_refused(analyst, lead):
    for change, where in INCOMPLETE:
        problem = decide(analyst, lead, EXCLUDED | change, 422)
        assert where in problem["where"], change
    assert not Disposition.objects.exists()


def test_a_body_that_is_none_is_refused(analyst, lead):
    for body in ("", "{", "[]", "null", '"x"', b"\xff\xfe", "[" * 100_000):
        answer = analyst.post(
            f"/api/leads/{lead.id}/dispositions",
            data=body,
            content_type="application/json",
            HTTP_IDEMPOTENCY_KEY="key-0001",
        )
        assert answer.status_code in (400, 422), body[:10]
        assert answer.json()["detail"]
    decide(analyst, lead, EXCLUDED | {"reason": "x" * 3_000_000}, 413)


def test_without_a_key_nothing_is_decided(analyst, lead):
    for key in (None, "short", "with space", "x" * 201, "schlüssel"):
        named = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
        answer = analyst.post(
            f"/api/leads/{lead.id}/dispositions",
            data=json.dumps(EXCLUDED),
            content_type="application/json",
            **named,
        )
        assert answer.status_code == 422
        assert answer.json()["where"] == ["header.Idempotency-Key"]


def test_only_who_may_decide_decides(run, lead, anyone):
    decide(anyone, lead, EXCLUDED, 401)
    for role in ("data_scientist", "auditor"):
        decide(service(role, (role,)), lead, EXCLUDED, 403)
    decide(service("admin", ("administrator",)), lead, EXCLUDED, 404)
    county = service("county", ("analyst", run.model_id, "office 0"))
    other = Lead.objects.filter(run=run, office="office 1").first()
    decide(county, other, EXCLUDED, 404)
    both = service(
        "both",
        ("analyst", run.model_id, "office 0"),
        ("auditor", run.model_id, "office 1"),
    )
    decide(both, other, EXCLUDED, 403)
    assert not Disposition.objects.exists()


def test_a_page_of_another_site_cannot_decide_for_a_signed_in_analyst(as_role, lead):
    browser = as_role("analyst")
    browser.handler.enforce_csrf_checks = True
    assert decide(browser, lead, EXCLUDED, 403)["detail"]
    assert not Disposition.objects.exists()


def at_once(client, lead, keys):
    """The answers to one decision that is sent under these keys at one moment."""

    def send(key):
        try:
            return client.post(
                f"/api/leads/{lead.id}/dispositions",
                data=json.dumps(EXCLUDED),
                content_type="application/json",
                HTTP_IDEMPOTENCY_KEY=key,
            )
        finally:
            close_store()

    with ThreadPoolExecutor(len(keys)) as threads:
        return list(threads.map(send, keys))


def test_sent_many_times_at_one_moment_it_is_done_once(published):
    client, lead = service("feeder", ("analyst",)), Lead.objects.get(rank_fused=1)
    answers = at_once(client, lead, ["one-key-for-all"] * 6)
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert Disposition.objects.count() == 1
    assert chain.findings() == []


def test_of_many_at_one_moment_one_decides(published):
    clients = [service(f"feeder{n}", ("analyst",)) for n in range(4)]
    lead = Lead.objects.get(rank_fused=1)
    with ThreadPoolExecutor(len(clients)) as threads:
        answers = list(
            threads.map(lambda one: at_once(one, lead, ["a-key-of-mine"]), clients)
        )
    statuses = sorted(answer.status_code for (answer,) in answers)
    assert statuses == [201, 409, 409, 409]
    assert Disposition.objects.count() == 1
    assert chain.findings() == []
