"""Money between parties: what comes back, and what goes round in a circle.

Payments are summed in the engine, the graph is walked on arrays (`circles`). The order
in time is not looked at: what came back may have come before it went out.

Cost: 1.8 CPU seconds for a million rows (250 000 parties, 0.8 GB in all), 13 for five
times that (2.4 GB); a quarter of it is `round_trip_share`.
"""

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import Table, Value

from configs.network import FlowsSpec
from features.builders.aggregates import exact, number
from features.builders.circles import Payments, flow_stats
from features.engine import Engine
from features.expressions import compile_text
from features.links import Link

_PAYER, _PAYEE, _AMOUNT, _PARTY = "_payer", "_payee", "_amount", "_party"


def flows_features(
    units: Table, rows: Table, step: FlowsSpec, link: Link, engine: Engine
) -> Table:
    """The units with one more column `<named>_<stat>` per statistic.

    Null where the unit's party is unknown, where a share has no outgoing payment to be
    a share of, and, of circles, where the party is a hub. A party without any payment
    has a circle of 1: itself.

    Args:
        rows: of the source, already limited to what was known at `as_of`.
        link: from the unit's party to the payer, and from the same to the payee.
    """
    name = f"flows_{step.named}"
    made = engine.computed(
        lambda summed: {name: _stats(summed, step)}, _summed(rows, step, link)
    )
    found = made[name]
    party = link.unit_keys(units)[link.keys[0]]
    joined = units.mutate(**{_PARTY: party}).left_join(found, _PARTY)
    features = {f"{step.named}_{stat}": _feature(joined, stat) for stat in step.stats}
    return joined.select(*units.columns, **features)


def _summed(rows: Table, step: FlowsSpec, link: Link) -> Table:
    """What each paid each, refunds (amounts below 0) taken off; nobody pays himself."""
    if step.where is not None:
        rows = rows.filter(compile_text(step.where, rows))
    ends = link.source_keys(rows)
    taken = rows.select(
        **dict(zip((_PAYER, _PAYEE), ends.values(), strict=True)),
        **{_AMOUNT: exact(compile_text(step.amount, rows))},
    )
    # A comparison with null is not true: it leaves unknown parties out, too.
    taken = taken.filter(taken[_PAYER] != taken[_PAYEE])
    summed = taken.group_by(_PAYER, _PAYEE).aggregate(**{_AMOUNT: taken[_AMOUNT].sum()})
    summed = summed.mutate(**{_AMOUNT: number(summed[_AMOUNT])})
    return summed.filter(summed[_AMOUNT] > 0)


def _stats(summed: pa.Table, step: FlowsSpec) -> pa.Table:
    """One row per party: `_party` and its statistics."""
    names, payments = _numbered(summed)
    stats = flow_stats(payments, step.stats, step.hub)
    columns = {f"_{n}": pa.array(x, from_pandas=True) for n, x in stats.items()}
    return pa.table({_PARTY: names, **columns})


def _numbered(summed: pa.Table) -> tuple[pa.Array, Payments]:
    """The parties in order of their names, and the payments between their positions.

    The engine gives rows in any order, and sums of floats depend on it.
    """
    ends = pa.chunked_array(
        [*summed[_PAYER].chunks, *summed[_PAYEE].chunks], summed[_PAYER].type
    )
    coded = pc.dictionary_encode(ends).combine_chunks()
    ordered = pc.sort_indices(coded.dictionary).to_numpy()
    position = np.empty(len(ordered), np.int64)
    position[ordered] = np.arange(len(ordered))
    payer, payee = np.split(position[coded.indices.to_numpy()], 2)
    row = np.argsort(payer * len(ordered) + payee)
    amount = summed[_AMOUNT].to_numpy()[row]
    payments = Payments(payer[row], payee[row], amount, parties=len(ordered))
    return coded.dictionary.take(pa.array(ordered)), payments


def _feature(joined: Table, stat: str) -> Value:
    value = joined[f"_{stat}"]
    if stat != "circle_size":
        return value
    alone = joined[_PARTY].notnull() & joined[f"{_PARTY}_right"].isnull()
    return ibis.ifelse(alone, 1.0, value)
