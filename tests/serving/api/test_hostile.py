"""Whatever is asked, the answer is an answer."""

import json

from serving.api.auth import PerUser
from tests.serving.api.asking import read

SENSELESS = (
    ("/leads/abc", 422),
    ("/leads/-1", 422),
    ("/leads/0", 422),
    ("/leads/99999999999999999999999", 422),
    (f"/leads/{'9' * 5000}", 422),
    ("/leads/9223372036854775807", 404),
    ("/leads/1%00", 422),
    ("/groups/1e9", 422),
    ("/runs/%00", 422),
    ("/runs/%ff%fe", 404),
    ("/runs/' OR 1=1 --", 404),
    (f"/runs/{'x' * 5000}", 422),
    ("/runs?model=%00", 422),
    ("/runs?model=", 422),
    ("/runs?limit=0", 422),
    ("/runs?limit=1e3", 422),
    ("/runs?after=-1", 422),
    ("/runs?colour=red", 422),
    ("/models?limit=1", 200),
    (f"/dispositions?model={'x' * 3000}", 422),
    ("/dispositions", 422),
    ("/dispositions?model=vehicle_insurance&since=yesterday", 422),
    ("/dispositions?model=vehicle_insurance&since=0001-01-01T00:00:00%2B14:00", 422),
    ("/dispositions?model=vehicle_insurance&since=9999-12-31T23:59:59-12:00", 422),
    ("/dispositions?model=vehicle_insurance&since=0001-01-01T00:00:00", 200),
    ("/dispositions?model=vehicle_insurance&after=9223372036854775808", 422),
)


def test_a_question_that_makes_no_sense_is_refused(analyst):
    for path, status in SENSELESS:
        problem = read(analyst, path, status)
        if status == 422:
            assert problem["where"], path
            assert problem["detail"], path
            assert len(json.dumps(problem)) < 5_000


def test_filters_refuse_what_does_not_exist(analyst, run):
    for query in (
        *("order=best", "found_by=all", "state=done", "limit=501", "after=x"),
        *("code=%00", "office=", "unknown=1", "after=9223372036854775808"),
    ):
        problem = read(analyst, f"/runs/{run.id}/leads?{query}", 422)
        assert problem["where"][0].startswith("query")
    read(analyst, f"/runs/{run.id}/leads?after=9223372036854775807")


def test_an_address_that_is_none_is_answered_in_the_same_form(anyone):
    for path in ("/", "/nothing", "/leads/", "/runs/a/b/c"):
        assert read(anyone, path, 404)["where"] == ["path"]
    assert anyone.post("/api/nothing").status_code == 404


def test_methods_that_are_not_offered_are_refused(analyst, lead):
    for method in ("post", "put", "patch", "delete"):
        answer = getattr(analyst, method)(f"/api/leads/{lead.id}")
        assert answer.status_code == 405
        assert answer["Allow"] == "GET"


def test_the_description_names_every_operation_and_its_answers(analyst):
    described = read(analyst, "/openapi.json")
    operations = [
        operation for path in described["paths"].values() for operation in path.values()
    ]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids) >= 8
    for operation in operations:
        assert operation["summary"]
        assert operation["tags"]
        assert {"401", "403", "422", "429"} <= set(operation["responses"])


def test_who_asks_too_often_is_told_when_to_go_on(analyst, monkeypatch):
    throttle = PerUser("3/m")
    allowed = [throttle.allow_request]
    monkeypatch.setattr(PerUser, "allow_request", lambda _, asked: allowed[0](asked))
    for _ in range(3):
        read(analyst, "/models")
    answer = analyst.get("/api/models")
    assert answer.status_code == 429
    assert answer.json()["detail"]
