"""What analysts concluded is kept as they said it, and never changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection

from configs.errors import StoreError
from configs.settings import Settings
from serving import queries
from serving.audit.chain import findings
from serving.audit.models import Entry
from serving.dispositions import (
    add_dispositions,
    dispose,
    dispositions,
    dispositions_of,
    units_among,
)
from serving.publication import Publication
from serving.publish import publish
from serving.records import DispositionRecord
from serving.review.models import UnitState
from serving.review.states import state_after
from serving.verify import verify

MODEL = "vehicle_insurance"
UNIT = "CLM-000003"
AT = datetime(2025, 7, 1, 8, 30, tzinfo=UTC)


def record(publication: Publication, **changes: object) -> DispositionRecord:
    plain = DispositionRecord(
        MODEL, publication.run_id, UNIT, "confirmed", "same garage, file 12", "li", AT
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_disposition_is_kept_as_it_was_said(
    store: Settings, published: Publication
) -> None:
    said = dispose(MODEL, published.run_id, UNIT, "excluded", user="li", reason="fleet")

    (kept,) = dispositions(MODEL)

    assert kept == said
    assert (kept.unit_id, kept.verdict, kept.user) == (UNIT, "excluded", "li")
    assert datetime.now(UTC) - kept.at < timedelta(minutes=1)
    assert queries.lead(published.run_id, UNIT).disposition == kept
    assert queries.lead(published.run_id, "CLM-000004").disposition is None
    assert verify(store) == []


def test_dispositions_come_in_the_order_of_time_whenever_they_were_added(
    published: Publication,
) -> None:
    late = record(published, verdict="withdrawn", at=AT + timedelta(days=9))
    add_dispositions([late, record(published)])
    add_dispositions([record(published, verdict="excluded", unit_id="CLM-000001")])

    assert [r.verdict for r in dispositions(MODEL)] == [
        *("confirmed", "excluded", "withdrawn")
    ]
    assert [r.verdict for r in dispositions_of(MODEL, UNIT)] == [
        "confirmed",
        "withdrawn",
    ]
    assert queries.lead(published.run_id, UNIT).disposition == late
    assert dispositions("another_model") == []


def test_of_two_at_the_same_moment_the_later_added_holds(
    published: Publication,
) -> None:
    for verdict in ("confirmed", "transferred"):
        add_dispositions([record(published, verdict=verdict)])

    assert dispositions_of(MODEL, UNIT)[-1].verdict == "transferred"


def test_a_disposition_holds_in_later_lists(
    store: Settings, published: Publication
) -> None:
    add_dispositions([record(published)])
    publish(replace(published, run_id="later", inputs="6" * 64), store)

    found = queries.lead("later", UNIT).disposition

    assert found
    assert found.run_id == published.run_id


BAD: dict[str, tuple[dict[str, object], str]] = {
    "verdict": ({"verdict": "confirm"}, "verdict is 'confirm'; did you mean 'confirmed'"),
    "reason": ({"reason": "  "}, "disposition of 'CLM-000003': reason is '  '; give"),
    "user": ({"user": ""}, "user is ''; give the model"),
    "run": ({"run_id": "vehicle-1"}, "no run 'vehicle-1' is published; known: vehicle"),
    "model": ({"model": "claims"}, "claims: no run 'vehicle_insurance-20250630-1'"),
    "unit": ({"unit_id": "CLM-000099"}, "1 units are not listed in run .*, such as 'CLM-000099'"),
    "zone": ({"at": datetime(2025, 7, 1)}, "at is 2025-07-01T00:00:00; give a time that"),
    "cause": ({"verdict": "excluded", "cause": "lawfull"}, "did you mean 'lawful'"),
    "cause of another": ({"cause": "lawful"}, "give a cause with 'excluded' alone"),
    "surrogate": ({"reason": "\ud800"}, "reason is"),
    "future": ({"at": datetime(2999, 1, 1, tzinfo=UTC)}, "at is 2999.* has passed"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_of_many_with_a_bad_one_none_is_kept(name: str, published: Publication) -> None:
    changes, message = BAD[name]

    with pytest.raises(StoreError, match=message):
        add_dispositions([record(published), record(published, **changes)])

    assert dispositions(MODEL) == []
    assert not UnitState.objects.exists()
    assert not Entry.objects.exists()


def test_each_is_logged_and_sets_the_state_that_the_last_in_time_says(
    published: Publication,
) -> None:
    late = record(
        published, verdict="excluded", cause="other", at=AT + timedelta(days=9)
    )

    add_dispositions([late, record(published)])

    state = UnitState.objects.get(model=MODEL, unit_id=UNIT)
    assert (state.state, state.version) == ("excluded", 1)
    entries = list(Entry.objects.order_by("id"))
    assert [(e.action, e.user, e.unit) for e in entries] == [
        ("decided", "li", UNIT)
    ] * 2
    assert entries[0].detail["cause"] == "other"
    assert findings() == []

    add_dispositions([record(published, at=AT + timedelta(days=1))])

    state.refresh_from_db()
    assert (state.state, state.version) == ("excluded", 2)


def test_an_assignment_outlives_a_disposition(published: Publication) -> None:
    UnitState.objects.create(
        model=MODEL, unit_id=UNIT, assignee="wang", version=3, changed_at=AT
    )

    add_dispositions([record(published, verdict="needs_information")])

    state = UnitState.objects.get(model=MODEL, unit_id=UNIT)
    assert (state.assignee, state.version) == ("wang", 4)


WITHDRAWN = {
    "of a confirmation": (["confirmed", "withdrawn"], "withdrawn"),
    "of a confirmation with a question after": (
        ["confirmed", "needs_information", "withdrawn"],
        "withdrawn",
    ),
    "of an exclusion": (["excluded", "withdrawn"], "open"),
    "of a question": (["needs_information", "withdrawn"], "open"),
    "of nothing": (["withdrawn"], "withdrawn"),
    "and said anew": (["confirmed", "withdrawn", "transferred"], "transferred"),
}


@pytest.mark.parametrize("name", WITHDRAWN)
def test_what_is_withdrawn_leaves_the_unit_open_unless_a_suspicion_fell(
    name: str,
) -> None:
    verdicts, state = WITHDRAWN[name]

    assert state_after(verdicts) == state


def test_older_dispositions_that_are_brought_in_end_no_second_review(
    published: Publication,
) -> None:
    UnitState.objects.create(
        model=MODEL, unit_id=UNIT, state="awaiting", changed_at=datetime.now(UTC)
    )

    add_dispositions([record(published)])
    assert UnitState.objects.get(unit_id=UNIT).state == "awaiting"

    add_dispositions([record(published, at=datetime.now(UTC))])
    assert UnitState.objects.get(unit_id=UNIT).state == "confirmed"


def test_a_disposition_cannot_be_changed(published: Publication) -> None:
    add_dispositions([record(published)])
    for sql in (
        "UPDATE leads_disposition SET verdict = 'excluded'",
        "DELETE FROM leads_disposition",
    ):
        with (
            connection.cursor() as cursor,
            pytest.raises(IntegrityError, match="add another one, which holds"),
        ):
            cursor.execute(sql)
    assert [r.verdict for r in dispositions(MODEL)] == ["confirmed"]


def test_more_units_than_a_query_can_name_are_looked_up(
    published: Publication,
) -> None:
    asked = [f"CLM-{number:06}" for number in range(40_000)]

    assert len(units_among(published.run_id, asked)) == 12
