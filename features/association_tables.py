"""The four published tables of a run that come from its associations."""

import pyarrow as pa

from configs.network import GroupsSpec
from configs.tables import PUBLISHED
from features.group_tables import Opened, group_rows, leading_nodes, member_rows
from features.group_ties import tie_rows
from features.groups import find_groups
from features.paths import path_rows
from features.ties import Tied, masked

TABLES = ("groups", "group_members", "group_ties", "paths")


def association_tables(
    tied: Tied,
    units: pa.Table,
    hits: pa.Table,
    explained: pa.Array,
    spec: GroupsSpec | None,
) -> dict[str, pa.Table]:
    """groups, group_members, group_ties and paths, ready to be published.

    Values of sensitive kinds are masked alike in all of them. Without a declaration of
    groups there are none, but there are paths.

    Args:
        units: `unit_id`, `rank_fused` and `money` of every scored unit.
        hits: as the contract RULE_HITS says.
        explained: ids of the leads that get paths.
    """
    sensitive = tied.wording.sensitive
    paths = path_rows(tied, explained)
    if spec is None:
        shown = masked({"paths": paths}, sensitive)
        return {name: shown.get(name, _no_rows(name)) for name in TABLES}
    near = tied.among(spec.through)
    groups = find_groups(near.graph, near.unit, units, spec)
    opened = Opened(near.graph, near.unit, groups, units, hits, spec.hub)
    named = {
        "leading": leading_nodes(opened),
        "group_ties": tie_rows(near, groups, spec.hub),
        "paths": paths,
    }
    shown = masked(named, sensitive)
    return {
        "groups": group_rows(opened, shown["leading"], tied.wording.kinds),
        "group_members": member_rows(opened),
        "group_ties": shown["group_ties"],
        "paths": shown["paths"],
    }


def _no_rows(name: str) -> pa.Table:
    contract = PUBLISHED[name].items()
    return pa.schema(
        {column: pa.type_for_alias(kind) for column, kind in contract}
    ).empty_table()
