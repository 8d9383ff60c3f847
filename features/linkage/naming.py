"""What an entity is called: a valid identifier of its own, else its first record."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.linkage.clusters import Ints, Records
from features.linkage.names import KEY, RECORD, ROWS

UNKNOWN = "~"  # in front of the first record of an entity without a valid identifier


def entity_names(numbered: pa.Table, known: Records, labels: Ints) -> pa.Array:
    """The entity_id of each record.

    The identifier that most rows of an entity bear; where two entities bear the same
    one, the other is called by its first record, or the two would be joined by name.
    """
    rows = numbered[ROWS].to_numpy().astype(np.int64)
    entities = labels.max(initial=-1) + 1
    named = np.flatnonzero(known.keys >= 0)
    # One key an entity, then one entity a key; ties go to the first record.
    own = np.full(entities, -1, np.int64)
    owner = _first_by(labels[named], known.keys[named], rows[named], named)
    own[labels[owner]] = known.keys[owner]
    named = named[known.keys[named] == own[labels[named]]]
    taken = _first_by(known.keys[named], labels[named], rows[named], named)
    bearer = np.full(entities, -1, np.int64)
    bearer[labels[taken]] = taken
    first = np.full(entities, len(labels), np.int64)
    np.minimum.at(first, labels, np.arange(len(labels)))
    record, key = (numbered[name].combine_chunks() for name in (RECORD, KEY))
    unknown = pc.binary_join_element_wise(UNKNOWN, record.take(pa.array(first)), "")
    borne = key.take(pa.array(bearer, mask=bearer < 0))
    return pc.coalesce(borne, unknown).take(pa.array(labels))


def _first_by(group: Ints, value: Ints, rows: Ints, places: Ints) -> Ints:
    """The place of the value with most rows in each group, the earliest among equals."""
    if not len(group):
        return places
    base = int(value.max()) + 1
    pairs, code = np.unique(group * base + value, return_inverse=True)
    total = np.bincount(code, rows)
    earliest = np.full(len(pairs), places.max() + 1, np.int64)
    np.minimum.at(earliest, code, places)
    owner = pairs // base
    order = np.lexsort((earliest, -total, owner))
    first = np.ones(len(order), np.bool_)
    first[1:] = owner[order][1:] != owner[order][:-1]
    return np.asarray(earliest[order[first]])
