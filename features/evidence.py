"""The source rows that stand behind a unit: where each was delivered, by whom."""

from functools import reduce

import ibis
from ibis.expr.types import Table

from configs.schema import CoverageSpec, FeatureStep
from configs.tables import EVIDENCE
from features.contracts import conform
from features.known import Known
from features.links import Link
from features.sources import BATCH, EVENT, LINE, ROW_KEY, known_at

ROWS_PER_SOURCE = 10


def evidence(known: Known, units: Table) -> Table:
    """Own row first, then the newest rows of every linked source, at most ten each.

    Args:
        units: the enriched units to find evidence for (a published few, not all).
    """
    parts = [_own_rows(known, units)]
    parts += [_linked_rows(known, units, of, tie) for of, tie in _links(known).items()]
    return conform(reduce(lambda a, b: a.union(b), parts), EVIDENCE)


def _links(known: Known) -> dict[str, Link]:
    """One link per other source: the first that the declaration uses."""
    found: dict[str, Link] = {}
    for step in known.spec.features:
        for of, by, as_ in _ties(step):
            if of != known.spec.unit.source and of not in found:
                found[of] = known.link(of, by, as_)
    return found


def _ties(step: FeatureStep) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    if isinstance(step.coverage, CoverageSpec):
        by = (step.coverage.by,)
        return [(source, by, (role,)) for source, role in step.coverage.sources.items()]
    tie = step.lookup or step.history or step.text or step.concentration
    return [(tie.of, tie.by, tie.as_)] if tie else []


def _own_rows(known: Known, units: Table) -> Table:
    return _described(known, units, known.spec.unit.source)


def _linked_rows(known: Known, units: Table, of: str, tie: Link) -> Table:
    as_of = ibis.literal(known.as_of).cast("timestamp")
    rows = known_at(known.cores[of], as_of)
    taken = rows.select(BATCH, ROW_KEY, LINE, EVENT, **tie.source_keys(rows))
    keys = units.select("unit_id", **tie.unit_keys(units))
    keys = keys.filter(tie.complete(keys))
    joined = keys.inner_join(taken, tie.keys)
    newest = ibis.window(
        group_by="unit_id",
        order_by=[joined[EVENT].desc(nulls_first=False), BATCH, LINE],
    )
    ranked = joined.mutate(_nth=ibis.row_number().over(newest))
    return _described(known, ranked.filter(ranked["_nth"] < ROWS_PER_SOURCE), of)


def _described(known: Known, rows: Table, source: str) -> Table:
    department = known.spec.sources[source].department
    return rows.select(
        "unit_id",
        source=ibis.literal(source),
        department_en=ibis.literal(department.en),
        department_zh=ibis.literal(department.zh),
        batch=rows[BATCH],
        row_key=rows[ROW_KEY],
        line=rows[LINE],
    )
