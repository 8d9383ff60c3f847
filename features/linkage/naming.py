"""What an entity is called: a valid identifier of its own, else its first record."""

import numpy as np

from features.linkage.clusters import Bools, Ints, Records, contested

UNKNOWN = "~"  # in front of the first record of an entity without a valid identifier


def bearers(known: Records, rows: Ints, labels: Ints) -> tuple[Ints, Bools]:
    """Of each record the number of the one that names its entity, and whether by its key.

    The identifier that most rows of an entity bear; where two entities bear the same
    one, the other is called by its first record, or the two would be joined by name.

    Args:
        rows: how many rows each record stands for.
        labels: the entity of each record.
    """
    entities = labels.max(initial=-1) + 1
    named = np.flatnonzero(known.keys >= 0)
    # One key an entity, then one entity a key; ties go to the first record.
    own = np.full(entities, -1, np.int64)
    owner = _first_by(labels[named], known.keys[named], rows[named], named)
    own[labels[owner]] = known.keys[owner]
    named = named[known.keys[named] == own[labels[named]]]
    taken = _first_by(known.keys[named], labels[named], rows[named], named)
    first = np.full(entities, len(labels), np.int64)
    np.minimum.at(first, labels, np.arange(len(labels)))
    borne = np.zeros(entities, np.bool_)
    first[labels[taken]], borne[labels[taken]] = taken, True
    return first[labels], borne[labels]


def _first_by(group: Ints, value: Ints, rows: Ints, places: Ints) -> Ints:
    """The first place of the value with most rows in each group, of the earliest if equal.

    Args:
        places: ascending.
    """
    many = contested(group, value)
    alone = np.full(group.max(initial=-1) + 1, -1, np.int64)
    # The last one written stays.
    alone[group[~many][::-1]] = places[~many][::-1]
    chosen = _most(group[many], value[many], rows[many], places[many])
    return np.append(alone[alone >= 0], chosen)


def _most(group: Ints, value: Ints, rows: Ints, places: Ints) -> Ints:
    """The same where groups have several values."""
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
