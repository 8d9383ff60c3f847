"""What must hold of groups, of the nodes that ties name, and of the ways between leads."""

from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from configs.errors import StoreError, nearest
from serving.checks import (
    check_known,
    check_numbered,
    check_ranks,
    check_scale,
    check_unique,
    places,
)

TIED = ("group_ties", "paths")


def check_groups(tables: Mapping[str, pa.Table], rules: Iterable[str]) -> None:
    """Groups, their members and ties agree with each other and with the leads."""
    groups, members = tables["groups"], tables["group_members"]
    check_unique("groups", groups, ("group_id",))
    check_ranks("groups.rank", groups["rank"])
    check_scale("groups.score", groups["score"])
    check_scale("groups.density", groups["density"], "every share lies")
    check_known("groups.codes", _listed(groups["codes"]), rules)
    check_unique("group_members", members, ("unit_id",))  # a ring is opened once
    for name in ("group_members", "group_ties"):
        check_numbered(name, tables[name], "position", ("group_id",))
    _check_sizes(groups, members)
    _check_order(members, tables["leads"])
    _check_membership(members, tables["leads"])


def _listed(codes: pa.ChunkedArray) -> set[str]:
    lists = codes.unique().to_pylist()
    return {code.strip() for listed in lists for code in listed.split(",") if code}


def _check_sizes(groups: pa.Table, members: pa.Table) -> None:
    counted = members.group_by("group_id").aggregate([([], "count_all")])
    found = counted["count_all"].take(
        pc.index_in(groups["group_id"], value_set=counted["group_id"])
    )
    number = pc.fill_null(found, 0)
    wrong = groups.append_column("members", number).filter(
        pc.or_(pc.not_equal(number, groups["units"]), pc.equal(number, 0))
    )
    if wrong.num_rows:
        first = wrong.slice(0, 1).to_pylist()[0]
        raise StoreError(
            f"column groups.units: group {first['group_id']!r} says {first['units']}; "
            f"table 'group_members' has {first['members']}; publish every member"
        )


def _check_order(members: pa.Table, leads: pa.Table) -> None:
    """The best ranked member stands first: the worklist opens a group where it stands."""
    place = places(
        "group_members", members["unit_id"], leads["unit_id"], "units that are no leads"
    )
    ranked = members.append_column(
        "rank", leads["rank_fused"].take(pc.subtract(place, 1))
    )
    rows = ranked.sort_by([("group_id", "ascending"), ("position", "ascending")])
    falls = pc.greater(rows["rank"][:-1], rows["rank"][1:])
    wrong = rows[1:].filter(_and_same(rows, ("group_id",), falls))
    if wrong.num_rows:
        first = wrong.slice(0, 1).to_pylist()[0]
        raise StoreError(
            f"column group_members.position: unit {first['unit_id']!r} of group "
            f"{first['group_id']!r} stands after a member of lower rank_fused; number "
            "the members in the order of rank_fused"
        )


def _check_membership(members: pa.Table, leads: pa.Table) -> None:
    place = pc.index_in(leads["unit_id"], value_set=members["unit_id"])
    listed = members["group_id"].take(place)
    # NUL stands in no published text.
    differ = pc.not_equal(
        pc.fill_null(listed, "\x00"), pc.fill_null(leads["group_id"], "\x00")
    )
    wrong = leads.append_column("listed", listed).filter(differ)
    if wrong.num_rows:
        first = wrong.slice(0, 1).to_pylist()[0]
        raise StoreError(
            f"column leads.group_id: {wrong.num_rows} leads disagree with table "
            f"'group_members', such as {first['unit_id']!r} with {first['group_id']!r} "
            f"against {first['listed']!r}; both must name the same group, or none"
        )


def check_kinds(
    kinds: Mapping[str, Mapping[str, str]], tables: Mapping[str, pa.Table]
) -> None:
    """Every kind that a tie or path names has titles; probabilities lie in [0, 1]."""
    for kind, titles in kinds.items():
        if not (titles.get("en") and titles.get("zh")):
            raise StoreError(
                f"publication.kinds: {kind!r} has the titles {dict(titles)!r}; give one "
                "in en and one in zh"
            )
    for name in TIED:
        check_scale(f"{name}.probability", tables[name]["probability"], "it must lie")
        for side in ("left_kind", "right_kind"):
            _check_titled(f"{name}.{side}", tables[name][side], kinds)


def _check_titled(where: str, column: pa.ChunkedArray, kinds: Iterable[str]) -> None:
    untitled = sorted(set(column.unique().to_pylist()) - set(kinds))
    if untitled:
        raise StoreError(
            f"column {where}: kind {untitled[0]!r} has no title in publication.kinds"
            f"{nearest(untitled[0], kinds)}"
        )


def check_paths(paths: pa.Table, unit_ids: pa.ChunkedArray) -> None:
    """Each way is unbroken and leads to one other lead.

    Args:
        paths: in the exact form, ordered by lead, path and step.
        unit_ids: of the leads, in the order of their ranks.
    """
    place = places("paths", paths["other"], unit_ids, "units that are no leads")
    own = unit_ids.take(pc.subtract(paths["lead"], 1))
    paths = paths.append_column("unit_id", own)
    check_numbered("paths", paths, "path", ("unit_id",))
    check_numbered("paths", paths, "step", ("unit_id", "path"))
    _refuse("leads back to its own unit", paths, pc.equal(place, paths["lead"]))
    following = paths[1:]
    elsewhere = pc.not_equal(paths["other"][:-1], following["other"])
    broken = pc.or_(
        pc.not_equal(paths["right_kind"][:-1], following["left_kind"]),
        pc.not_equal(paths["right"][:-1], following["left"]),
    )
    for cause, wrong in (
        ("ends at different units", elsewhere),
        ("has a step that does not begin where the one before it ended", broken),
    ):
        _refuse(cause, following, _and_same(paths, ("lead", "path"), wrong))


def _refuse(cause: str, rows: pa.Table, wrong: pa.ChunkedArray) -> None:
    found = rows.filter(wrong)
    if found.num_rows:
        first = (
            found.select(["unit_id", "path", "step", "other"]).slice(0, 1).to_pylist()
        )
        raise StoreError(f"table 'paths': a path {cause}: {first[0]}; mend the steps")


def _and_same(
    rows: pa.Table, key: tuple[str, ...], wrong: pa.ChunkedArray
) -> pa.ChunkedArray:
    """Where `wrong` holds of a row and the one before it, and both share the key."""
    for column in key:
        wrong = pc.and_(wrong, pc.equal(rows[column][:-1], rows[column][1:]))
    return wrong
