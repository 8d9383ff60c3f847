"""From dispositions in the store to the labels that training learns from."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import nan
from pathlib import Path

import pytest

from configs.settings import Settings
from configs.tables import LABELS
from flows.labels import labels
from serving import queries
from serving.connect import close_store, open_store
from serving.dispositions import add_dispositions
from serving.publish import publish
from serving.records import DispositionRecord
from tests.serving.publications import make_publication

MODEL, RUN = "vehicle_insurance", "vehicle_insurance-20250630-1"
AT = datetime(2025, 7, 1, 8, 30, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path / "home", store_url="")
    publish(make_publication(tmp_path), settings)
    yield settings
    close_store()


def review(unit: str, verdict: str, days: int = 0) -> DispositionRecord:
    at = AT + timedelta(days=days)
    return DispositionRecord(MODEL, RUN, unit, verdict, "so", "li", at)


def test_without_reviews_there_are_no_labels(settings: Settings) -> None:
    found = labels(MODEL, settings)

    assert list(found) == list(LABELS)
    assert found.empty


def test_labels_know_the_slot_and_the_ring_of_their_run(settings: Settings) -> None:
    slots = {slot.unit_id: slot for slot in queries.slots(RUN)}
    leads = {lead.unit_id: lead for lead in queries.leads(RUN, 12)}
    verdicts = ("confirmed", "excluded", "needs_information")
    add_dispositions(
        [review(unit, verdicts[n % 3]) for n, unit in enumerate(sorted(leads))]
    )
    add_dispositions([review("CLM-000001", "withdrawn", days=90)])
    open_store(settings)

    found = labels(MODEL, settings).set_index("unit_id")

    assert set(found.index) == {u for n, u in enumerate(sorted(leads)) if n % 3 < 2}
    assert found.loc["CLM-000001", "label"] == 0
    assert found.loc["CLM-000001", "decided_at"] == datetime(2025, 9, 29, 8, 30)
    assert str(found["decided_at"].dtype) == "datetime64[us]"
    for unit, row in found.iterrows():
        slot, lead = slots.get(str(unit)), leads[str(unit)]
        assert row["kind"] == (slot.kind if slot else "other")
        chance = slot.propensity if slot else nan
        assert row["propensity"] == pytest.approx(chance, nan_ok=True)
        assert row["group_id"] == lead.group_id or lead.group_id is None
    assert set(found["kind"]) == {"top", "explore", "other"}
