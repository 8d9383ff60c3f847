"""What stages hand to the published list when they have something to hand over."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from configs.schema import ReviewSpec
from configs.settings import Settings
from flows.group import group
from flows.job import Job, new_job
from flows.lead_table import listed_units
from flows.pipeline import prepare
from flows.publish import publication_of, publish_list
from flows.score import SCORES, champion_linkage, score
from serving import queries
from serving.connect import close_store
from serving.rebuilt import differences
from serving.verify import verify
from tests.factories import model
from tests.flows.homes import Home

pytestmark = pytest.mark.slow
LISTED = 30  # as many as the model explains; fewer are refused
RANKS = ("rank_fused", "rank_score", "rank_rules")


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


def asking(job: Job, **review: Any) -> Job:
    """The job as if its model said this of reviews; what no model may say is refused."""
    spec = job.model.spec
    said = ReviewSpec(**spec.review.model_dump() | review)
    model = replace(job.model, spec=spec.model_copy(update={"review": said}))
    return replace(job, model=model)


def of_units(table: pa.Table, units: set[str]) -> list[dict[str, Any]]:
    """The rows about these units, in a fixed order."""
    rows = [row for row in table.to_pylist() if row["unit_id"] in units]
    return sorted(rows, key=repr)


def test_a_short_list_says_of_its_leads_what_the_whole_one_says(scored: Job) -> None:
    # So many are drawn that one is below the first ones whatever the draw.
    job = asking(scored, weekly_capacity=LISTED, explore_share=0.5)
    whole, short = publication_of(job), publication_of(asking(job, listed=LISTED))

    units = set(short.tables["leads"]["unit_id"].to_pylist())
    leads = whole.tables["leads"].to_pylist()
    first = {r["unit_id"] for r in leads if min(r[name] for name in RANKS) <= LISTED}
    drawn = set(whole.tables["slots"]["unit_id"].to_pylist())
    assert units == first | drawn
    assert drawn - first
    assert len(units) < len(leads)
    for name, table in short.tables.items():
        assert of_units(table, units) == of_units(whole.tables[name], units)
        assert table.num_rows == len(of_units(table, units))
    assert short.rules == whole.rules
    assert short.files.keys() == whole.files.keys()


def test_a_short_list_is_published_verified_and_made_again(
    scored: Job, unpublished: Home
) -> None:
    job = asking(scored, listed=LISTED)

    run = queries.run(publish_list(job).run_id)

    assert run.listed < run.units
    assert verify(job.settings) == []
    assert differences(publication_of(job), job.settings) == []
    with job.opened() as catalog:
        scores = catalog.arrow(catalog.read(SCORES)).to_pylist()
    listed = queries.listed_units(run.id)
    last = next(row for row in reversed(scores) if row["unit_id"] not in listed)
    said = unpublished.ok("show", "tiny", last["unit_id"])
    assert "was scored but is not on the list" in said
    assert f"rank {last['rank_fused']:,} of {run.units:,}" in said
    told = unpublished.json("show", "tiny", last["unit_id"])
    assert told["rank_score"] == last["rank_score"]
    assert f"{run.listed:,} listed" in unpublished.ok("leads", "tiny")
    assert next(iter(unpublished.json("runs", "tiny")))["listed"] == run.listed


def test_all_members_of_a_group_are_listed() -> None:
    scores = pd.DataFrame({"unit_id": [f"u{n}" for n in range(9)]})
    scores["rank_fused"] = range(1, 10)
    scores["rank_score"] = [9, *range(1, 9)]
    scores["rank_rules"] = range(1, 10)
    members = ibis.memtable({"unit_id": ["u0", "u8"]})

    found = listed_units(_listing(2), ibis.memtable(scores), members)

    assert set(found.to_pyarrow()["unit_id"].to_pylist()) == {"u0", "u1", "u2", "u8"}


def _listing(listed: int) -> Any:
    review = {"listed": listed, "explain": 1, "weekly_capacity": 1}
    return model(review=review)
