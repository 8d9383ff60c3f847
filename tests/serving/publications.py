"""Publications of any size for the tests of the store, the same for the same arguments."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from configs.tables import SCORES
from serving.publication import Publication
from tests.serving.rings import KINDS, as_table, ring_of, ring_tables

AS_OF = datetime(2025, 6, 30)
RULES = {"V1": 1, "V6": 3, "V9": 4}


def lead_columns(units: int, chance: random.Random) -> dict[str, list[Any]]:
    """Leads of units named CLM-000001 and so on, in a random order of each rank."""
    ranks = {
        name: chance.sample(range(1, units + 1), units)
        for name in ("rank_score", "rank_rules", "rank_fused")
    }
    scales = {
        name: [1 - (rank - 1) / units for rank in ranks[f"rank_{name}"]]
        for name in ("score", "rules", "fused")
    }
    return {
        "unit_id": [f"CLM-{number:06}" for number in range(1, units + 1)],
        "title": [f"李某 v 王某 第{number}号" for number in range(1, units + 1)],
        "money": [
            None if number % 7 == 0 else number * 10.25 for number in range(units)
        ],
        **scales,
        **ranks,
        "found_by": [
            ("both", "rules", "score", "neither")[n % 4] for n in range(units)
        ],
        "silent": ["police, tax" if n % 5 == 0 else "" for n in range(units)],
        "group_id": [ring_of(number, units) for number in range(units)],
        "band_low": [None if n % 2 else n / (2 * units) for n in range(units)],
        "band_high": [None if n % 2 else n / units for n in range(units)],
        "office": [None if n % 3 == 2 else f"office {n % 3}" for n in range(units)],
        "peer_percentile": [None if n % 4 == 3 else n / units for n in range(units)],
    }


def hit_rows(unit_ids: list[str]) -> list[dict[str, Any]]:
    """A third of the units hit by one rule, a ninth by two."""
    hits = []
    for number, unit_id in enumerate(unit_ids):
        codes = [c for every, c in ((3, "V6"), (9, "V1")) if number % every == 0]
        hits += [
            {
                "unit_id": unit_id,
                "as_of": AS_OF,
                "code": code,
                "layer": RULES[code],
                "reason_en": f"Filed {number} such suits in 24 months",
                "reason_zh": f"24个月内提起{number}件同类诉讼",
                "says_en": None if number % 2 else "use of the vehicle: fleet",
                "says_zh": None if number % 2 else "车辆用途：车队",
            }
            for code in codes
        ]
    return hits


def reason_rows(unit_ids: list[str], each: int) -> list[dict[str, Any]]:
    """`each` reasons for every unit."""
    return [
        {
            "unit_id": unit_id,
            "position": position,
            "kind": "peers" if position == 2 else "value",
            "feature": f"claimant_claims_count_{position}d",
            "value": f"{number}",
            "peer_median": None if position == 2 else "1",
            "percentile": number / len(unit_ids),
            "contribution": 0.1 / position,
            "text_en": f"{number} claims; the peers' median is 1",
            "text_zh": f"{number}件；同类中位数为1",
        }
        for number, unit_id in enumerate(unit_ids)
        for position in range(1, each + 1)
    ]


def part_rows(unit_ids: list[str]) -> list[dict[str, Any]]:
    """What every unit owes to a detector and, every third one, to a rule."""
    return [
        {
            "unit_id": unit_id,
            "position": position,
            "part": part,
            "contribution": 0.5 / position - number / 100,
            "text_en": f"{part} carries it",
            "text_zh": f"由{part}支撑",
        }
        for number, unit_id in enumerate(unit_ids)
        for position, part in enumerate(("detector:forest", "rule:V6"), 1)
        if position == 1 or number % 3 == 0
    ]


def counterfactual_rows(unit_ids: list[str]) -> list[dict[str, Any]]:
    """Where every unit would fall to without its claims."""
    return [
        {
            "unit_id": unit_id,
            "position": 1,
            "rank": number + 1,
            "text_en": f"would fall to rank {number + 1} with one claim",
            "text_zh": f"若仅有一件，则降至第{number + 1}位",
        }
        for number, unit_id in enumerate(unit_ids)
    ]


def slot_rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """The first third by rank_fused, and two units drawn from the others."""
    ranked = zip(columns["rank_fused"], columns["unit_id"], strict=True)
    ordered = [unit for _, unit in sorted(ranked)]
    top, rest = ordered[: len(ordered) // 3], ordered[len(ordered) // 3 :]
    rows = [(unit, "top", "top", 1.0) for unit in top]
    rows += [(unit, "explore", "below", 2 / len(rest)) for unit in (rest[1], rest[-1])]
    names = ("unit_id", "kind", "stratum", "propensity")
    return [
        {"position": position, **dict(zip(names, row, strict=True))}
        for position, row in enumerate(rows, 1)
    ]


def evidence_rows(unit_ids: list[str], each: int) -> list[dict[str, Any]]:
    """`each` source rows for every unit."""
    return [
        {
            "unit_id": unit_id,
            "source": f"source_{place}",
            "department_en": "Court",
            "department_zh": "法院",
            "batch": "claims_2025.csv@0123456789ab",
            "row_key": f"{unit_id}/{place}",
            "line": None if place == 2 else number + 2,
        }
        for number, unit_id in enumerate(unit_ids)
        for place in range(1, each + 1)
    ]


def write_scores(path: Path, leads: pa.Table) -> Path:
    """A Parquet file of scores that fits the leads."""
    as_of = pa.array([AS_OF] * leads.num_rows, pa.timestamp("us"))
    kept = [name for name in SCORES if name != "as_of"]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(leads.select(kept).add_column(1, "as_of", as_of), path)
    return path


def write_inputs(folder: Path, unit_ids: list[str]) -> dict[str, Path]:
    """Frozen inputs of these units, below the folder."""
    columns = {
        "feature_matrix": {"amount": [float(n) for n in range(len(unit_ids))]},
        "rule_flags": {"V6": [n % 3 == 0 for n in range(len(unit_ids))]},
        "units": {"kind": ["car"] * len(unit_ids)},
    }
    for name, own in columns.items():
        table = pa.table({"unit_id": unit_ids, **own})
        pq.write_table(table, folder / f"{name}.parquet")
    return {name: folder / f"{name}.parquet" for name in columns}


def make_publication(
    folder: Path, units: int = 12, *, each: int = 2, seed: int = 7
) -> Publication:
    """A sound publication, its scores file below `folder`."""
    columns = lead_columns(units, random.Random(seed))  # noqa: S311  not for secrets
    leads, ids = pa.table(columns), columns["unit_id"]
    hits = hit_rows(ids)
    counted = Counter(hit["code"] for hit in hits)
    tables = {
        "leads": leads,
        "rule_hits": pa.Table.from_pylist(hits),
        "reasons": pa.Table.from_pylist(reason_rows(ids, each)),
        "evidence": pa.Table.from_pylist(evidence_rows(ids, each)),
        **ring_tables(columns),
        "slots": as_table("slots", slot_rows(columns)),
        "parts": as_table("parts", part_rows(ids)),
        "counterfactuals": as_table("counterfactuals", counterfactual_rows(ids)),
    }
    rules = [
        {
            "code": code,
            "layer": layer,
            "lawful_en": f"lawful explanation of {code}",
            "lawful_zh": f"{code}的合理解释",
            "hits": counted[code],
        }
        for code, layer in RULES.items()
    ]
    return Publication(
        model_id="vehicle_insurance",
        title_en="Vehicle-insurance claims",
        title_zh="车辆保险理赔监督模型",
        run_id="vehicle_insurance-20250630-1",
        as_of=AS_OF,
        inputs="1" * 64,
        config_hash="2" * 64,
        mlflow_run="3" * 32,
        model_version="4",
        funnel=[{"layer": 1, "units": units}, {"layer": 3, "units": counted["V6"]}],
        coverage={
            "claims": {"rows": units, "rejects": 0, "share": 1e16, "last": AS_OF}
        },
        fingerprints={"claims": "5" * 64},
        kinds=KINDS,
        links={"records": units, "entities": units - 1, "warnings": ["few names"]},
        rules=rules,
        scores_file=write_scores(folder / "work" / "scores.parquet", leads),
        files=write_inputs(folder / "work", ids),
        tables=tables,
    )


def with_table(
    publication: Publication, name: str, change: Callable[[pa.Table], pa.Table]
) -> Publication:
    """The publication with one of its tables changed."""
    tables = {**publication.tables, name: change(publication.tables[name])}
    return replace(publication, tables=tables)


def with_column(
    publication: Publication, table: str, column: str, values: Any
) -> Publication:
    """The publication with one column of one table replaced."""
    return with_table(
        publication,
        table,
        lambda t: t.set_column(t.column_names.index(column), column, [values]),
    )


def without_groups(publication: Publication) -> Publication:
    """The publication with every lead standing alone."""
    none = ("groups", "group_members", "group_ties", "paths")
    rest = {name: publication.tables[name].slice(0, 0) for name in none}
    bare = replace(publication, tables={**publication.tables, **rest})
    alone = pa.nulls(bare.tables["leads"].num_rows, pa.string())
    return with_column(bare, "leads", "group_id", alone)


def shortened(publication: Publication, listed: int) -> Publication:
    """The publication with only the first of each order, the drawn and all rings listed."""
    leads = publication.tables["leads"]
    named = {
        unit
        for table in ("slots", "group_members")
        for unit in publication.tables[table]["unit_id"].to_pylist()
    }
    kept = {
        row["unit_id"]
        for row in leads.to_pylist()
        if min(row[f"rank_{order}"] for order in ("fused", "score", "rules")) <= listed
        or row["unit_id"] in named
    }
    tables = {
        name: table.filter(pc.is_in(table["unit_id"], pa.array(sorted(kept))))
        if "unit_id" in table.column_names
        else table
        for name, table in publication.tables.items()
    }
    return replace(publication, tables=tables, listed=listed)
