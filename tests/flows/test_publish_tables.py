"""What stages hand to the published list when they have something to hand over."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from configs.settings import Settings
from flows.group import group
from flows.job import Job, new_job
from flows.pipeline import prepare
from flows.publish import publish_list
from flows.score import SCORES, champion_linkage, score
from serving import queries
from serving.connect import close_store
from serving.verify import verify
from tests.flows.homes import Home

pytestmark = pytest.mark.slow


@pytest.fixture
def scored(unpublished: Home, delivered: Path) -> Iterator[Job]:
    """A job of which only the publishing is left."""
    settings = Settings(home=unpublished.path, models=unpublished.models, store_url="")
    job = new_job("tiny", str(delivered), settings)
    prepare(job, champion_linkage(job))
    score(job)
    group(job)
    yield job
    close_store()


def test_parts_and_counterfactuals_of_a_stage_are_published(scored: Job) -> None:
    with scored.opened() as catalog:
        first = catalog.rows(catalog.read(SCORES).order_by("rank_fused").limit(1))[0]
        texts = {"text_en": ["so"], "text_zh": ["因此"]}
        about = {"unit_id": [first["unit_id"]], "position": [1], **texts}
        parts = pa.table({**about, "part": ["rule:T2"], "contribution": [0.7]})
        falls = pa.table({**about, "rank": [17]})
        catalog.write(catalog.register("_p", parts.select(PARTS)), "parts")
        catalog.write(catalog.register("_c", falls.select(FALLS)), "counterfactuals")

    run = publish_list(scored).run_id

    detail = queries.lead(run, first["unit_id"])
    assert [(p.part, p.contribution) for p in detail.parts] == [("rule:T2", 0.7)]
    assert [(c.rank, c.text_zh) for c in detail.counterfactuals] == [(17, "因此")]
    assert {"peers", "value"} <= {reason.kind for reason in detail.reasons}
    assert (detail.lead.band_low, detail.lead.band_high) == (None, None)
    slots = queries.slots(run)
    assert {slot.kind for slot in slots} == {"top", "explore"}
    assert slots[0].unit_id == first["unit_id"]
    assert verify(scored.settings) == []


PARTS = ["unit_id", "position", "part", "contribution", "text_en", "text_zh"]
FALLS = ["unit_id", "position", "rank", "text_en", "text_zh"]


def test_scoring_says_what_carries_each_lead_and_what_would_move_it(
    scored: Job,
) -> None:
    run = publish_list(scored).run_id

    with scored.opened() as catalog:
        head = catalog.read(SCORES).order_by("rank_fused").limit(3)
        units = [row["unit_id"] for row in catalog.rows(head)]
    for unit in units:
        detail = queries.lead(run, unit)
        assert {"neighbours", "detector:forest"} <= {p.part for p in detail.parts}
        fired = {hit.code for hit in detail.hits if hit.layer > 1}
        assert {p.part for p in detail.parts if p.part.startswith("rule:")} == {
            f"rule:{code}" for code in fired
        }
        assert detail.counterfactuals
        for changed in detail.counterfactuals:
            assert changed.text_en.startswith("would ")
            assert f"第{changed.rank:,}位" in changed.text_zh
