"""Groups, ties and paths for the publications of the tests."""

from datetime import datetime
from itertools import pairwise
from typing import Any

import pyarrow as pa

from configs.tables import PUBLISHED

KINDS = {
    "claim": {"en": "claim", "zh": "案件"},
    "person": {"en": "person", "zh": "自然人"},
    "company": {"en": "company", "zh": "企业"},
}
SIZE = 4  # members of a ring, fewer of the last one
POSTED = datetime(2025, 5, 2)


def ring_of(number: int, units: int) -> str | None:
    """The first half of the units stand in rings, the others alone."""
    return f"G{number // SIZE + 1:04}" if number < units // 2 else None


def ring_tables(leads: dict[str, list[Any]]) -> dict[str, pa.Table]:
    """groups, group_members, group_ties and paths of leads that know their ring."""
    rings = _rings(leads)
    rows = {
        "groups": [_group(rank, *ring) for rank, ring in enumerate(rings.items(), 1)],
        "group_members": [
            {"group_id": ring, "unit_id": unit, "position": position}
            for ring, members in rings.items()
            for position, unit in enumerate(members, 1)
        ],
        "group_ties": [
            {"group_id": ring, "position": position, **tie("claim", unit, "person")}
            for ring, members in rings.items()
            for position, unit in enumerate(members, 1)
        ],
        "paths": [step for members in rings.values() for step in _paths(members)],
    }
    return {name: as_table(name, found) for name, found in rows.items()}


def as_table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """The rows in the types of the contract, also when there are none."""
    types = {c: pa.type_for_alias(kind) for c, kind in PUBLISHED[name].items()}
    return pa.Table.from_pylist(rows, schema=pa.schema(types))


def _rings(leads: dict[str, list[Any]]) -> dict[str, list[str]]:
    """ring -> its units by fused rank; the ring of the best unit first."""
    rows = zip(leads["rank_fused"], leads["unit_id"], leads["group_id"], strict=True)
    rings: dict[str, list[str]] = {}
    for _, unit, ring in sorted(rows):
        if ring is not None:
            rings.setdefault(ring, []).append(unit)
    return rings


def _group(rank: int, ring: str, members: list[str]) -> dict[str, Any]:
    return {
        "group_id": ring,
        "rank": rank,
        "score": 1 / rank,
        "title": "person 330***",
        "units": len(members),
        "money": None if rank == 2 else 1000.5 * len(members),
        "density": 1 / len(members),
        "codes": "V1,V6" if rank == 1 else "",
        "reason_en": f"{len(members)} claims share one claimant",
        "reason_zh": f"{len(members)}件案件共用同一原告",
    }


def tie(left_kind: str, left: str, right_kind: str, **changes: Any) -> dict[str, Any]:
    """A node tied to person 330*** or company 91***; the company without dates."""
    company = "company" in (left_kind, right_kind)
    return {
        "left_kind": left_kind,
        "left": left,
        "right_kind": right_kind,
        "right": "91***" if company else "330***",
        "role_en": None if company else "claimant",
        "role_zh": None if company else "原告",
        "source": "social_insurance" if company else "claims",
        "department_en": "social insurance" if company else "court",
        "department_zh": "社保局" if company else "法院",
        "row_key": f"{left}/1",
        "rows": 2,
        "event_at": None if company else datetime(2025, 5, 1, 13, 30, 0, 250),
        "known_at": POSTED,
        "probability": 0.996 if company else 1.0,
        **changes,
    }


def _paths(members: list[str]) -> list[dict[str, Any]]:
    """Each member is tied to the next by a person, the first also by a company."""
    paths = [
        _path(unit, 1, other, [tie("claim", unit, "person")])
        for unit, other in pairwise(members)
    ]
    if len(members) > 2:
        first, last = members[0], members[-1]
        through = [tie("claim", first, "person"), tie("person", "330***", "company")]
        paths.append(_path(first, 2, last, through))
    return [step for steps in paths for step in steps]


def _path(
    unit: str, path: int, other: str, ties: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    end = ties[-1]["right_kind"], ties[-1]["right"]
    ties = [*ties, tie(*end, "claim", right=other)]
    return [
        {"unit_id": unit, "path": path, "step": step, "other": other, **found}
        for step, found in enumerate(ties, 1)
    ]
