"""Stage 6: associated suspects become groups, and leads are shown the ways to others."""

import pyarrow as pa

from configs.network import GroupsSpec
from features.graph import graph
from features.group_tables import Opened, group_rows, leading_nodes, member_rows
from features.group_ties import tie_rows
from features.groups import find_groups
from features.paths import path_rows
from features.ties import Tied, masked, wording
from flows.catalog import Catalog, opened
from flows.engineer import ASSOCIATIONS, HITS, UNITS
from flows.job import Job
from flows.score import REASONS, SCORES

GROUPS, MEMBERS, TIES, PATHS = "groups", "group_members", "group_ties", "paths"
GROUP_TABLES = (GROUPS, MEMBERS, TIES, PATHS)


def group(job: Job) -> None:
    """Write `groups`, `group_members`, `group_ties` and `paths`.

    Nothing, where the model declares no groups. Values of sensitive kinds are masked.
    """
    declared = job.model.spec.groups
    if declared is None or job.model.spec.associations is None:
        return
    job.progress("looking for groups")
    with opened(job.folder) as catalog:
        tables = _tables(job, catalog, declared)
        for name, rows in tables.items():
            catalog.write(catalog.register(f"_{name}", rows), name)


def _tables(job: Job, catalog: Catalog, declared: GroupsSpec) -> dict[str, pa.Table]:
    tied = _tied(job, catalog).among(declared.through)
    units = _units(job, catalog)
    found = find_groups(tied.graph, tied.unit, units, declared)
    hits = catalog.arrow(catalog.read(HITS))
    open_ = Opened(tied.graph, tied.unit, found, units, hits, declared.hub)
    shown = catalog.arrow(catalog.read(REASONS).select("unit_id").distinct())
    leads = shown["unit_id"].combine_chunks().sort()
    words = tied.wording
    raw = {
        "leading": leading_nodes(open_),
        TIES: tie_rows(tied, found, declared.hub),
        PATHS: path_rows(tied, leads),
    }
    clear = masked(raw, words.sensitive)
    return {
        GROUPS: group_rows(open_, clear.pop("leading"), words.kinds),
        MEMBERS: member_rows(open_),
        **clear,
    }


def _tied(job: Job, catalog: Catalog) -> Tied:
    rows = catalog.arrow(catalog.read(ASSOCIATIONS))
    declared = job.model.spec.associations
    limits = {kind: k.hub for kind, k in declared.kinds.items()} if declared else {}
    return Tied(graph(rows, limits), rows, wording(job.model))


def _units(job: Job, catalog: Catalog) -> pa.Table:
    """`unit_id`, `rank_fused` and `money` of every scored unit."""
    money = job.model.spec.unit.money
    units = catalog.read(UNITS)
    about = units.select(
        "unit_id", money=units[money].cast("float64") if money else None
    )
    scores = catalog.read(SCORES).select("unit_id", "rank_fused")
    return catalog.arrow(scores.inner_join(about, "unit_id").order_by("unit_id"))
