"""Which units of a list are to be reviewed: drawn once, as the list is published."""

import numpy as np
import pyarrow as pa

from flows.catalog import Catalog
from flows.job import Job
from flows.score import SCORED_BY, SCORES
from training.exploration import draw_slots


def slots_of(job: Job, catalog: Catalog) -> pa.Table:
    """The SLOTS of the scored units; the same inputs draw the same units."""
    scores = catalog.read(SCORES)
    # Ranks are drawn, and only those drawn are named: ids of all units take 100 bytes each.
    ranks = np.arange(1, catalog.rows(scores.aggregate(n=scores.count()))[0]["n"] + 1)
    review = job.model.spec.review
    scored = catalog.load_json(SCORED_BY)
    slots = draw_slots(
        ranks,
        ranks,
        capacity=review.weekly_capacity,
        explore_share=max(review.explore_share, scored["explore_share"]),
        seed=int(scored["inputs"], 16),
    )
    drawn = scores.filter(scores["rank_fused"].isin(slots["unit_id"].tolist()))
    named = {row["rank_fused"]: row["unit_id"] for row in catalog.rows(drawn)}
    slots["unit_id"] = slots["unit_id"].map(named)
    return pa.Table.from_pandas(slots, preserve_index=False)
