"""The questions that are asked of the store."""

from typing import get_args

import pytest

from configs.errors import StoreError
from configs.settings import Settings
from serving import queries
from serving.publication import Publication
from tests.serving.publications import AS_OF


@pytest.mark.parametrize("order", get_args(queries.Order))
def test_leads_come_in_the_order_asked_for(
    order: queries.Order, published: Publication
) -> None:
    leads = queries.leads(published.run_id, 5, order)

    assert [getattr(lead, f"rank_{order}") for lead in leads] == [1, 2, 3, 4, 5]


def test_leads_carry_the_age_of_their_list_and_the_rules_that_fired(
    published: Publication,
) -> None:
    run = queries.latest_run("vehicle_insurance")
    leads = {lead.unit_id: lead for lead in queries.leads(published.run_id, 12)}

    assert {(lead.as_of, lead.published_at) for lead in leads.values()} == {
        (AS_OF, run.published_at)
    }
    assert leads["CLM-000001"].codes == ("V1", "V6")
    assert leads["CLM-000004"].codes == ("V6",)
    assert leads["CLM-000002"].codes == ()


def test_lead_explains_itself(published: Publication) -> None:
    detail = queries.lead(published.run_id, "CLM-000004")

    (hit,) = detail.hits
    assert (hit.code, hit.layer, hit.reason_en, hit.lawful_zh) == (
        "V6",
        3,
        "Filed 3 such suits in 24 months",
        "V6的合理解释",
    )
    assert [reason.position for reason in detail.reasons] == [1, 2]
    assert [reason.peer_median for reason in detail.reasons] == ["1", None]
    assert [(row.source, row.line) for row in detail.evidence] == [
        ("source_1", 5),
        ("source_2", None),
    ]


def test_rules_come_layer_by_layer_with_their_hits(published: Publication) -> None:
    rules = queries.rules(published.run_id)

    assert [(rule.code, rule.hits) for rule in rules] == [
        ("V1", 2),
        ("V6", 4),
        ("V9", 0),
    ]


@pytest.mark.parametrize(
    "typed", ["CLM-00001", "clm-000010", "CLM-O00010", "CLN-000010", "CLM-000O10"]
)
def test_unit_ids_like_finds_a_slip_of_the_pen(
    typed: str, published: Publication
) -> None:
    assert "CLM-000010" in queries.unit_ids_like(published.run_id, typed)


def test_unknown_unit_is_answered_with_those_like_it(published: Publication) -> None:
    with pytest.raises(
        StoreError, match=r"'CLM-00O010' is not among the 12 .*'CLM-0000"
    ):
        queries.lead(published.run_id, "CLM-00O010")


@pytest.mark.usefixtures("published")
def test_unknown_model_is_answered_with_what_is_there_and_what_to_do() -> None:
    with pytest.raises(
        StoreError,
        match=r"no run of model 'vehicle_insurence' is published; did you mean "
        r"'vehicle_insurance'\?; publish one with `leadline score vehicle_insurence",
    ):
        queries.latest_run("vehicle_insurence")


@pytest.mark.usefixtures("published")
def test_unknown_run_is_answered_with_what_is_there() -> None:
    with pytest.raises(
        StoreError, match=r"no run 'x' .*; known: vehicle_insurance-2025"
    ):
        queries.leads("x", 5)


@pytest.mark.usefixtures("store")
def test_empty_store_says_so() -> None:
    assert queries.models() == []
    assert queries.runs() == []
    with pytest.raises(
        StoreError, match="no model has published yet; publish one with"
    ):
        queries.latest_run("vehicle_insurance")


def test_bad_order_and_top_are_refused(published: Publication) -> None:
    with pytest.raises(StoreError, match="order: got 'rule'; did you mean 'rules'"):
        queries.leads(published.run_id, 5, "rule")  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="top: got 0"):
        queries.leads(published.run_id, 0)


def test_top_of_a_run_is_read_from_the_index(
    sqlite_store: Settings, publication: Publication
) -> None:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM leads_lead WHERE run_id = 'x'"
            " AND rank_score <= 50 ORDER BY rank_score"
        )
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "USING INDEX" in plan
    assert "TEMP B-TREE" not in plan
