"""Files and words that a console shows, for the publications of the tests."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from configs.tables import DOSSIER
from serving.publication import Publication
from serving.tokens import token

KEY = b"key of the tests"
HOSTILE = '<script>alert("x")</script>'
FORMULA = '=HYPERLINK("http://evil.example","x")'
POSTED = datetime(2025, 5, 2)

ABOUT: dict[str, Any] = {
    "unit": {"en": "claim", "zh": "理赔案件"},
    "office": {"en": "office", "zh": "办案单位"},
    "peers": {"en": "use of the vehicle", "zh": "车辆用途"},
    "review": {
        "weekly_capacity": 4,
        "explore_share": 0.1,
        "second_review": ["confirmed"],
    },
    "sources": {
        "source_1": {
            "en": "Claims",
            "zh": "理赔",
            "department_en": "Insurers",
            "department_zh": "保险行业协会",
            "columns": {
                "claimant_id": {
                    "en": "claimant",
                    "zh": "索赔人",
                    "type": "person_id",
                    "sensitive": True,
                },
                "shop": {
                    "en": "repair shop",
                    "zh": "修理厂",
                    "type": "company_name",
                    "sensitive": False,
                },
            },
        }
    },
    "features": {
        "claimant_claims_count_1d": {
            "en": "claims of the claimant",
            "zh": "索赔人案件数",
            "unit": "count",
            "family": "history",
            "missing": 0.1,
            "deciles": [float(n) for n in range(11)],
        }
    },
    "scores": {"score": [1] * 20, "rules": [1] * 20, "fused": [1] * 20},
    "spots": [
        {
            "column": "shop",
            "en": "repair shop",
            "zh": "修理厂",
            "value": "诚信修理厂",
            "units": 6,
            "top": 2,
            "hits": 3,
            "money": 1200.5,
        }
    ],
}


def person(number: int) -> str:
    """The number of one of the claimants; two units each have the same one."""
    return f"11010119900101{number // 2:04}"


def key(kind: str, value: str) -> str:
    return token(KEY, kind, value)


def with_dossier(publication: Publication, folder: Path) -> Publication:
    """The publication with all that the console shows of its leads."""
    units = publication.tables["leads"]["unit_id"].to_pylist()
    files = dossier_files(units, folder / "work")
    return replace(publication, about=ABOUT, dossier=files)


def dossier_files(units: list[str], folder: Path) -> dict[str, Path]:
    """The files of the dossier of these units, in a folder that is there."""
    tables = {
        "rows": _rows(units),
        "nodes": _nodes(units),
        "ties": _ties(units),
        "tokens": [
            {
                "key": key("person", person(n)),
                "kind": "person",
                "unit_id": unit,
                "role_en": "claimant",
                "role_zh": "索赔人",
            }
            for n, unit in enumerate(units)
        ],
        "doubts": _doubts(),
        "likes": _likes(units),
    }
    return {name: _written(folder, name, rows) for name, rows in tables.items()}


def _written(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    types = {c: pa.type_for_alias(kind) for c, kind in DOSSIER[name].items()}
    path = folder / f"{name}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(types)), path)
    return path


def _rows(units: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "unit_id": unit,
            "source": f"source_{place}",
            "row_key": f"{unit}/{place}",
            "batch": "claims_2025.csv@0123456789ab",
            "line": number + 2,
            "event_at": POSTED,
            "known_at": POSTED,
            "content": json.dumps(
                {"claimant_id": person(number), "shop": HOSTILE, "note": FORMULA},
                ensure_ascii=False,
            ),
        }
        for number, unit in enumerate(units)
        for place in (1, 2)
    ]


def _nodes(units: list[str]) -> list[dict[str, Any]]:
    claims = [
        {
            "key": key("claim", unit),
            "kind": "claim",
            "label": unit,
            "value": unit,
            "sensitive": False,
            "degree": 1,
            "unit_id": unit,
        }
        for unit in units
    ]
    persons = [
        {
            "key": key("person", value),
            "kind": "person",
            "label": f"{value[:1]}***",
            "value": value,
            "sensitive": True,
            "degree": 2,
            "unit_id": None,
        }
        for value in sorted({person(n) for n in range(len(units))})
    ]
    return sorted(claims + persons, key=lambda row: row["key"])


def _ties(units: list[str]) -> list[dict[str, Any]]:
    ties = []
    for number, unit in enumerate(units):
        ends = key("claim", unit), key("person", person(number))
        for node, other in (ends, ends[::-1]):
            ties.append(
                {
                    "node": node,
                    "other": other,
                    "role_en": "claimant",
                    "role_zh": "索赔人",
                    "source": "source_1",
                    "department_en": "Insurers",
                    "department_zh": "保险行业协会",
                    "row_key": f"{unit}/1",
                    "rows": 1,
                    "event_at": POSTED,
                    "known_at": POSTED,
                    "probability": 0.97,
                }
            )
    return sorted(ties, key=lambda row: row["node"])


def _doubts() -> list[dict[str, Any]]:
    return [
        {
            "entity": "person",
            "left": f"{number:020x}",
            "right": f"{number + 100:020x}",
            "probability": 0.5 + number / 100,
            "found_by": "name, phone",
            "left_says": json.dumps({"name": "王芳", "phone": "13800000001"}),
            "right_says": json.dumps({"name": "王方", "phone": "13800000001"}),
            "sensitive": "name,phone",
            "left_key": key("person", person(0)),
            "right_key": key("person", person(2)),
        }
        for number in (1, 2)
    ]


def _likes(units: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "unit_id": unit,
            "position": position,
            "other": other,
            "how": "node" if position == 1 else "method",
            "likeness": 0.9 / position,
            "text_en": "both share a claimant",
            "text_zh": "索赔人相同",
        }
        for number, unit in enumerate(units)
        for position, other in enumerate((units[number - 1], units[number - 2]), 1)
        if len(units) > 3
    ]
