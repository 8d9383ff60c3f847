"""The four published tables of a run that come from its associations."""

import pyarrow as pa

from configs.network import GroupsSpec
from configs.tables import PUBLISHED
from features.adjacency import Numbers
from features.group_tables import Hits, Opened, group_rows, leading_nodes, member_rows
from features.group_ties import tie_rows
from features.groups import find_groups
from features.paths import path_rows
from features.ties import Tied, masked

MEMBERS = "group_members"
TABLES = ("groups", MEMBERS, "group_ties", "paths")


def association_tables(
    tied: Tied,
    units: pa.Table,
    hits: Hits,
    explained: Numbers,
    spec: GroupsSpec | None,
) -> dict[str, pa.Table]:
    """groups, group_members, group_ties and paths, ready to be published.

    Values of sensitive kinds are masked alike in all of them. Without a declaration of
    groups there are none, but there are paths.

    Args:
        units: `unit_id`, `node`, `rank_fused` and `money` of every scored unit.
        hits: of the units that it is called with.
        explained: nodes of the leads that get paths.
    """
    paths = path_rows(tied, explained)
    if spec is None:
        none = {name: _no_rows(name) for name in TABLES}
        return none | masked({"paths": paths}, tied.wording.sensitive)
    return _grouped(tied.among(spec.through), paths, units, hits, spec)


def _grouped(
    tied: Tied, paths: pa.Table, units: pa.Table, hits: Hits, spec: GroupsSpec
) -> dict[str, pa.Table]:
    groups = find_groups(tied.graph, tied.unit, units, spec)
    opened = Opened(tied, groups, units, hits, spec.hub)
    unmasked = {
        "leading": leading_nodes(opened),
        "group_ties": tie_rows(tied, groups, spec.hub),
        "paths": paths,
    }
    shown = masked(unmasked, tied.wording.sensitive)
    leading = shown.pop("leading")
    return {
        "groups": group_rows(opened, leading, tied.wording.kinds),
        MEMBERS: member_rows(opened),
        **shown,
    }


def _no_rows(name: str) -> pa.Table:
    contract = PUBLISHED[name].items()
    return pa.schema(
        {column: pa.type_for_alias(kind) for column, kind in contract}
    ).empty_table()
