"""Clusters of records as the tables `entity_links` and `entities`."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from features.linkage.clusters import (
    DIFFERENT,
    SAME,
    UNJUDGED,
    Clusters,
    Floats,
    Pairs,
    Records,
)
from features.linkage.names import RECORD, ROWS
from features.linkage.naming import entity_names


def links_table(
    name: str,
    numbered: pa.Table,
    pairs: Pairs,
    found: Clusters,
    blocks: Sequence[str],
    review: float,
) -> pa.Table:
    """The links that are used, and those that a person should see.

    Args:
        blocks: names of the blocking rules, which the pairs number.
        review: the probability from which a link that is not used is shown.
    """
    shown = (pairs.probability >= review) | pairs.by_key | (pairs.judged != 0)
    decision = np.where(found.used, "accepted", "review").astype(object)
    decision[pairs.judged == DIFFERENT] = "rejected"
    how = np.where(pairs.by_key, "key", "match").astype(object)
    how[pairs.judged != UNJUDGED] = "judged"
    names = np.array([*blocks, ""], object)
    record = numbered[RECORD].combine_chunks()
    return pa.table(
        {
            "entity": pa.repeat(name, int(shown.sum())),
            "left": record.take(pa.array(pairs.left[shown])),
            "right": record.take(pa.array(pairs.right[shown])),
            "probability": pairs.probability[shown],
            "how": pa.array(how[shown], pa.string()),
            "found_by": pa.array(names[pairs.rule[shown]], pa.string()),
            "decision": pa.array(decision[shown], pa.string()),
        }
    )


def entities_table(
    name: str, numbered: pa.Table, known: Records, pairs: Pairs, found: Clusters
) -> pa.Table:
    """Each record's entity, and by which link it hangs there."""
    names = entity_names(numbered, known, found.labels)
    reasons = np.full(found.found.max(initial=-1) + 1, "", object)
    reasons[list(found.flags)] = list(found.flags.values())
    flag = pa.array(reasons, pa.string()).take(pa.array(found.found))
    return pa.table(
        {
            "entity": pa.repeat(name, len(numbered)),
            "record": numbered[RECORD],
            "entity_id": names,
            "rows": numbered[ROWS],
            "probability": _hold(len(numbered), pairs.where(found.used)),
            "flag": flag,
        }
    )


def _hold(size: int, used: Pairs) -> Floats:
    """The surest link of each record, 1 for one that stands alone."""
    hold = np.zeros(size)
    probability = np.where(used.judged == SAME, 1.0, used.probability)
    np.maximum.at(hold, used.left, probability)
    np.maximum.at(hold, used.right, probability)
    alone = np.ones(size, np.bool_)
    alone[used.left] = alone[used.right] = False
    return np.where(alone, 1.0, hold)
