"""Clusters of records as the tables `entity_links` and `entities`.

What is computed goes by the records' numbers; the engine puts their names to it, as
texts of all records would take several times the memory of numbers.
"""

from collections.abc import Sequence
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.expr.types import IntegerValue, StringValue, Table

from configs.tables import ENTITIES, ENTITY_LINKS
from features.contracts import conform
from features.linkage.clusters import (
    DIFFERENT,
    SAME,
    UNJUDGED,
    Clusters,
    Floats,
    Ints,
    Pairs,
    Records,
)
from features.linkage.names import KEY, NUMBER, OWN, RECORD, ROWS
from features.linkage.naming import UNKNOWN, bearers

_ACCEPTED, _REVIEW, _REJECTED = range(3)
_DECISIONS = ("accepted", "review", "rejected")
_BY_KEY, _BY_MATCH, _BY_JUDGEMENT = range(3)
_HOW = ("key", "match", "judged")


def numbered_links(pairs: Pairs, found: Clusters, review: float) -> pa.Table:
    """The links that are used, and those that a person should see, by numbers.

    Args:
        review: the probability from which a link that is not used is shown.
    """
    shown = (pairs.probability >= review) | pairs.by_key | (pairs.judged != 0)
    decision = np.where(found.used, _ACCEPTED, _REVIEW).astype(np.int8)
    decision[pairs.judged == DIFFERENT] = _REJECTED
    how = np.where(pairs.by_key, _BY_KEY, _BY_MATCH).astype(np.int8)
    how[pairs.judged != UNJUDGED] = _BY_JUDGEMENT
    columns: dict[str, npt.NDArray[Any]] = {
        "_left": pairs.left,
        "_right": pairs.right,
        "probability": pairs.probability,
        "_how": how,
        "_rule": pairs.rule,
        "_decision": decision,
    }
    return pa.table({name: values[shown] for name, values in columns.items()})


def numbered_entities(
    known: Records, rows: Ints, pairs: Pairs, found: Clusters
) -> pa.Table:
    """Each record's entity, and by which link it hangs there, by numbers.

    Args:
        rows: how many rows each record stands for.
    """
    bearer, borne = bearers(known, rows, found.labels)
    own = borne & (known.keys == known.keys[bearer])
    reasons = np.full(found.found.max(initial=-1) + 1, "", object)
    reasons[list(found.flags)] = list(found.flags.values())
    return pa.table(
        {
            NUMBER: np.arange(len(known)),
            # Few records are called by another one's name: these alone are looked up.
            "_bearer": pa.array(bearer, mask=own),
            "_borne": borne,
            "probability": _hold(len(known), pairs.where(found.used)),
            "flag": pa.array(reasons, pa.string()).take(pa.array(found.found)),
        }
    )


def links(name: str, numbered: Table, records: Table, blocks: Sequence[str]) -> Table:
    """Contract ENTITY_LINKS.

    Args:
        numbered: what `numbered_links` made.
        records: `_number` and `record` of each.
        blocks: names of the blocking rules, which the links number.
    """
    both = numbered
    for side in ("left", "right"):
        told = records.select(**{f"_{side}": NUMBER, side: RECORD})
        both = both.inner_join(told, f"_{side}")
    return conform(
        both.mutate(
            entity=ibis.literal(name),
            how=_named(both["_how"], _HOW),
            found_by=_named(both["_rule"], blocks),
            decision=_named(both["_decision"], _DECISIONS),
        ),
        ENTITY_LINKS,
    )


def entities(name: str, numbered: Table, records: Table) -> Table:
    """Contract ENTITIES, `_number` and `_own`.

    Args:
        numbered: what `numbered_entities` made.
        records: `_number`, `record`, `_key` and `rows` of each.
    """
    others = numbered.filter(numbered["_bearer"].notnull())
    bearer = records.select(_bearer=NUMBER, _first=RECORD, _named=KEY)
    bearer = bearer.semi_join(others, "_bearer")
    records = records.select(NUMBER, RECORD, ROWS, KEY)
    both = records.inner_join(numbered, NUMBER).left_join(bearer, "_bearer")
    other = ibis.ifelse(
        both["_borne"], both["_named"], ibis.literal(UNKNOWN) + both["_first"]
    )
    own = both["_bearer"].isnull()
    made = both.mutate(
        **{OWN: own},
        entity=ibis.literal(name),
        entity_id=ibis.ifelse(own, both[KEY], other),
    )
    return conform(made, ENTITIES, NUMBER, OWN)


def _named(code: IntegerValue, names: Sequence[str]) -> StringValue:
    """The name of each number; none of a number that has no name."""
    found = [(code == place, name) for place, name in enumerate(names)]
    return ibis.cases(*found, else_="") if found else ibis.literal("")


def _hold(size: int, used: Pairs) -> Floats:
    """The surest link of each record, 1 for one that stands alone."""
    hold = np.zeros(size)
    probability = np.where(used.judged == SAME, 1.0, used.probability)
    np.maximum.at(hold, used.left, probability)
    np.maximum.at(hold, used.right, probability)
    alone = np.ones(size, np.bool_)
    alone[used.left] = alone[used.right] = False
    return np.where(alone, 1.0, hold)
