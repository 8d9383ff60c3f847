"""Groups and paths that break the contract are refused, with words that help."""

from dataclasses import replace

import pyarrow as pa
import pytest

from configs.errors import StoreError
from serving.contract import exact_tables
from serving.publication import Publication
from tests.serving.changes import Change, column, fields, rows, table
from tests.serving.publications import with_table, without_groups

# Row 0 of `paths` is the first step to the lead of row 1; rows 6 to 8 lead by a company.
BROKEN_GROUPS: dict[str, tuple[Change, str]] = {
    "group twice": (
        column("groups", "group_id", ["G0001"] * 2),
        "table 'groups': 1 values of group_id stand there more than once",
    ),
    "group without id": (
        column("groups", "group_id", ["G0001", None]),
        "groups.group_id: 1 of 2 rows are null",
    ),
    "group rank with a gap": (
        column("groups", "rank", [1, 3]),
        r"groups.rank: got 2 rows ranked from 1 to 3.*expected each of 1\.\.2 once",
    ),
    "group score out of range": (
        column("groups", "score", [1.0, -0.5]),
        "groups.score: got values from -0.5 to 1.0; every score lies",
    ),
    "group density out of range": (
        column("groups", "density", [0.5, 2.0]),
        "groups.density: got values from 0.5 to 2.0; every share lies",
    ),
    "group of an unknown rule": (
        column("groups", "codes", ["V1,V7", ""]),
        "groups.codes: got 'V7'; known: V1, V6, V9",
    ),
    "group miscounted": (
        column("groups", "units", [4, 3]),
        "groups.units: group 'G000[12]' says [34]; table 'group_members' has [24]",
    ),
    "group without members": (
        table("group_members", lambda t: t.slice(0, 0)),
        "groups.units: .* table 'group_members' has 0",
    ),
    "member no lead": (
        rows("group_members", 0, unit_id="CLM-X"),
        "'group_members': 1 rows are about units that are no leads, such as 'CLM-X'",
    ),
    "member of two groups": (
        lambda p: rows(
            "group_members", 0, unit_id=p.tables["group_members"]["unit_id"][5].as_py()
        )(p),
        "table 'group_members': 1 values of unit_id stand there more than once",
    ),
    "members with a hole": (
        rows("group_members", 3, position=9),
        "group_members.position: does not count from 1 without a hole in 1 cases, such",
    ),
    "members in no order": (
        column("group_members", "position", [2, 1, 3, 4, 1, 2]),
        "group_members.position: unit 'CLM-.*' stands after a member of lower rank_",
    ),
    "lead that knows no group": (
        column("leads", "group_id", pa.nulls(12, pa.string())),
        r"leads.group_id: 6 leads disagree with table 'group_members', such as "
        r"'CLM-000001' with None against 'G0001'",
    ),
    "lead of another group": (
        column(
            "leads", "group_id", ["G0002", *["G0001"] * 3, *["G0002"] * 2, *[None] * 6]
        ),
        "leads.group_id: 1 leads disagree .* 'CLM-000001' with 'G0002' against 'G0001'",
    ),
    "lead of an empty group": (
        column("leads", "group_id", [*["G0001"] * 4, *["G0002"] * 2, "", *[None] * 5]),
        "leads.group_id: 1 leads disagree .* 'CLM-000007' with '' against None",
    ),
    "tie of an unknown group": (
        column("group_ties", "group_id", ["G0001"] * 4 + ["G9"] * 2),
        "'group_ties': 2 rows are about groups that are not in table 'groups', such as "
        "'G9'",
    ),
    "tie twice": (
        rows("group_ties", 1, position=1),
        "(group_ties.position: does not count|'group_ties': 1 values of group, position)",
    ),
    "tie more than certain": (
        rows("group_ties", 1, probability=1.5),
        r"group_ties.probability: got values from 1.0 to 1.5; it must lie in \[0, 1\]",
    ),
    "kind without title": (
        fields(kinds={"claim": {"en": "claim", "zh": "案件"}}),
        "group_ties.right_kind: kind 'person' has no title in publication.kinds",
    ),
    "kind with half a title": (
        fields(kinds={"claim": {"en": "claim"}}),
        r"publication.kinds: 'claim' has the titles \{'en': 'claim'\}; give one in en",
    ),
    "path of no lead": (
        rows("paths", 0, unit_id="CLM-X"),
        "'paths': 1 rows are about units that are no leads, such as 'CLM-X'",
    ),
    "path to no lead": (
        rows("paths", 1, other="CLM-X"),
        "'paths': 1 rows are about units that are no leads, such as 'CLM-X'",
    ),
    "path to itself": (
        lambda p: rows("paths", 0, other=p.tables["paths"]["unit_id"][0].as_py())(p),
        "a path leads back to its own unit: {'unit_id': 'CLM-.*', 'path': 1, 'step': 1",
    ),
    "path to two leads": (rows("paths", 1, other="CLM-000012"), "ends at different un"),
    "path with a hole": (
        rows("paths", 1, step=3),
        r"paths.step: does not count from 1 without a hole in 1 cases, such as "
        r"\{'unit_id': 'CLM-.*', 'path': 1\}; number the rows of each unit_id, path",
    ),
    "paths with a hole": (
        rows("paths", 6, path=3),
        "paths.(path|step): does not count",
    ),
    "path without its first step": (
        table("paths", lambda t: t.slice(1)),
        "paths.step: does not count from 1",
    ),
    "path that breaks off": (
        rows("paths", 1, left="331***"),
        "a path has a step that does not begin where the one before it ended",
    ),
    "path that changes its kind": (
        rows("paths", 1, left_kind="company"),
        "a path has a step that does not begin where the one before it ended",
    ),
    "path through nothing": (rows("paths", 1, left=None), "paths.left: 1 of"),
}


@pytest.mark.parametrize("name", BROKEN_GROUPS)
def test_groups_and_paths_that_break_the_contract_are_refused(
    name: str, publication: Publication
) -> None:
    change, message = BROKEN_GROUPS[name]

    with pytest.raises(StoreError, match=message):
        exact_tables(change(publication))


def test_a_run_without_groups_is_sound(publication: Publication) -> None:
    exact = exact_tables(without_groups(replace(publication, kinds={})))

    assert exact["groups"].num_rows == exact["paths"].num_rows == 0
    assert exact["leads"]["group_id"].null_count == 12


def test_exact_rows_stand_in_the_order_of_what_they_hang_on(
    publication: Publication,
) -> None:
    mixed = publication
    for name in ("leads", "groups", "group_members", "group_ties", "paths"):
        mixed = with_table(mixed, name, lambda found: found[::-1])

    exact, again = exact_tables(publication), exact_tables(mixed)

    for name in ("leads", "groups", "group_members", "group_ties", "paths"):
        assert exact[name].equals(again[name]), name
    members = exact["group_members"]
    assert members.column_names == ["group", "lead", "position"]
    assert (
        members["group"].to_pylist() == [1] * 4 + [2] * 2
        or members["group"].to_pylist() == [1] * 2 + [2] * 4
    )
