"""Which units of a list are to be reviewed: drawn once, as the list is published."""

import pyarrow as pa

from flows.catalog import Catalog
from flows.job import Job
from flows.score import SCORED_BY, SCORES
from training.exploration import draw_slots


def slots_of(job: Job, catalog: Catalog) -> pa.Table:
    """The SLOTS of the scored units; the same inputs draw the same units."""
    ranked = catalog.arrow(catalog.read(SCORES).select("unit_id", "rank_fused"))
    review = job.model.spec.review
    scored = catalog.load_json(SCORED_BY)
    slots = draw_slots(
        ranked["unit_id"].to_numpy(),
        ranked["rank_fused"].to_numpy(),
        capacity=review.weekly_capacity,
        explore_share=max(review.explore_share, scored["explore_share"]),
        seed=int(scored["inputs"], 16),
    )
    return pa.Table.from_pandas(slots, preserve_index=False)
