"""Fills an installation with one large list, for measuring the console under load.

`python -m benchmarks.load_store --leads 1000000 --home DIR --password WORD` publishes a
list of simulated claims and makes the users analyst1 to analyst50 and office_lead1. It goes
the way of every run: contract, digest, one transaction. Publishing another such list for
an earlier date: `--as-of 2025-06-23`.
"""

import argparse
import os
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MODEL = "vehicle_insurance"
ANALYSTS = 50
EXPLAINED = 300  # leads with source rows and links
REASONED = 10_000  # leads with reasons and evidence
RING, RINGS = 4, 5_000
RULES = {"V1": (1, 0.3), "V3": (2, 0.1), "V6": (3, 0.03), "V9": (4, 0.0005)}
OFFICES = tuple(f"district {number}" for number in range(1, 13))
CAPACITY = 40


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--password", help="of the users; without it none are made")
    parser.add_argument("--as-of", default="2025-06-30", type=datetime.fromisoformat)
    given = parser.parse_args()
    # The models below can only be imported once the installation is known.
    os.environ["LEADLINE_HOME"] = str(given.home)
    began = time.perf_counter()
    _publish(given.leads, given.home, given.as_of)
    if given.password:
        _make_users(given.password)
    seconds = time.perf_counter() - began
    sys.stdout.write(f"{given.leads} leads in {given.home}: {seconds:.0f} s\n")


def _publish(units: int, home: Path, as_of: datetime) -> None:
    from configs.settings import Settings
    from serving.publish import publish

    publish(publication(units, home, as_of), Settings())


def _make_users(password: str) -> None:
    from django.contrib.auth.hashers import make_password

    from serving.access.models import Grant, User

    roles = {f"analyst{number}": "analyst" for number in range(1, ANALYSTS + 1)}
    roles["office_lead1"] = "office_lead"
    hashed = make_password(password)  # once: it is slow on purpose
    known = set(User.objects.values_list("username", flat=True))
    for name, role in roles.items():
        if name not in known:
            user = User.objects.create(username=name, password=hashed, language="en")
            Grant.objects.create(user=user, role=role)


def publication(units: int, folder: Path, as_of: datetime) -> Any:
    """A Publication of so many leads, its files below `folder`."""
    from serving.publication import Publication
    from tests.serving.publications import write_scores

    rng = np.random.default_rng([units, as_of.toordinal()])
    leads = _leads(units, rng)
    ids = leads["unit_id"].to_pylist()  # in the order of the fused rank
    hits, counted = _hits(leads, rng, as_of)
    work = folder / "work" / f"{as_of:%Y%m%d}"
    scores = write_scores(work / "scores.parquet", leads)
    return Publication(
        model_id=MODEL,
        title_en="Vehicle-insurance claims",
        title_zh="车辆保险理赔监督模型",
        run_id=f"{MODEL}-{as_of:%Y%m%d}-{units}",
        as_of=as_of,
        inputs=f"{as_of:%Y%m%d}{units:056}",
        config_hash="2" * 64,
        mlflow_run="3" * 32,
        model_version="4",
        funnel=[
            {"layer": layer, "units": counted[c]} for c, (layer, _) in RULES.items()
        ],
        coverage={"source_1": {"rows": units, "rejects": 0, "units": 1.0}},
        fingerprints={"source_1": "5" * 64},
        kinds=_kinds(),
        links={},
        rules=[
            {
                "code": code,
                "layer": layer,
                "lawful_en": f"lawful explanation of {code}",
                "lawful_zh": f"{code}的合理解释",
                "hits": counted[code],
            }
            for code, (layer, _) in RULES.items()
        ],
        scores_file=scores,
        tables={"leads": leads, "rule_hits": hits, **_explaining(leads, ids)},
        **_shown(leads, work),
    )


def _kinds() -> dict[str, dict[str, str]]:
    from tests.serving.rings import KINDS

    return KINDS


def _leads(units: int, rng: np.random.Generator) -> pa.Table:
    """Leads by their fused rank; units are numbered in an order of their own."""
    rank = np.arange(1, units + 1)
    by_score = _near(rank, rng)
    by_rules = _near(rank, rng)
    number = rng.permutation(units) + 1
    top_score, top_rules = by_score <= CAPACITY, by_rules <= CAPACITY
    money = np.round(rng.lognormal(9, 1.2, units), 2)
    offices = pa.array([*OFFICES, None])
    return pa.table(
        {
            "unit_id": [f"CLM-{n:08}" for n in number],
            "title": [f"李某 v 王某 第{n}号" for n in number],
            "money": pa.array(money, mask=rng.random(units) < 0.14),
            **{
                name: 1 - (ranks - 1) / units
                for name, ranks in (
                    *(("score", by_score), ("rules", by_rules)),
                    ("fused", rank),
                )
            },
            "rank_score": by_score,
            "rank_rules": by_rules,
            "rank_fused": rank,
            "found_by": np.select(
                [top_score & top_rules, top_rules, top_score],
                ["both", "rules", "score"],
                "neither",
            ),
            "silent": np.where(rng.random(units) < 0.2, "source_2", ""),
            "group_id": _ring_names(units),
            "band_low": pa.nulls(units, pa.float64()),
            "band_high": pa.nulls(units, pa.float64()),
            "office": offices.take(pa.array(rng.integers(len(offices), size=units))),
            "peer_percentile": 1 - (by_score - 1) / units,
        }
    )


def _near(rank: Any, rng: np.random.Generator) -> Any:
    """Ranks that agree with these at the top more than below it."""
    moved = rank * np.exp(rng.normal(0, 0.8, len(rank)))
    place = np.empty(len(rank), dtype=np.int64)
    place[np.argsort(moved, kind="stable")] = np.arange(1, len(rank) + 1)
    return place


def _ring_names(units: int) -> list[str | None]:
    """Rings of neighbours in the first ranks: every third lead stands in one."""
    rings = min(RINGS, units // (3 * RING))
    names: list[str | None] = [None] * units
    for place in range(rings * RING):
        names[3 * place] = f"G{place // RING + 1:05}"
    return names


def _hits(
    leads: pa.Table, rng: np.random.Generator, as_of: datetime
) -> tuple[pa.Table, dict[str, int]]:
    ids, parts, counted = leads["unit_id"].combine_chunks(), [], {}
    for code, (layer, share) in RULES.items():
        # A rule fires twice as often in the first hundredth.
        chance = np.where(np.arange(len(ids)) < len(ids) / 100, 2 * share, share)
        fired = np.flatnonzero(rng.random(len(ids)) < chance)
        counted[code] = len(fired)
        parts.append(
            pa.table(
                {
                    "unit_id": ids.take(pa.array(fired)),
                    "as_of": pa.array([as_of] * len(fired), pa.timestamp("us")),
                    "code": [code] * len(fired),
                    "layer": [layer] * len(fired),
                    "reason_en": [
                        f"Filed {n % 40} such suits in 24 months" for n in fired
                    ],
                    "reason_zh": [f"24个月内提起{n % 40}件同类诉讼" for n in fired],
                    "says_en": pa.nulls(len(fired), pa.string()),
                    "says_zh": pa.nulls(len(fired), pa.string()),
                }
            )
        )
    return pa.concat_tables(parts, promote_options="permissive"), counted


def _explaining(leads: pa.Table, ids: list[str]) -> dict[str, pa.Table]:
    """All that hangs on the first leads; the same makers as the tests of the store."""
    from tests.serving.publications import (
        counterfactual_rows,
        evidence_rows,
        part_rows,
        reason_rows,
        slot_rows,
    )
    from tests.serving.rings import as_table, ring_tables

    first = ids[:REASONED]
    columns = {
        name: leads[name].slice(0, 3 * RING * RINGS).to_pylist()
        for name in ("rank_fused", "unit_id", "group_id")
    }
    to_review = {name: values[: 3 * CAPACITY] for name, values in columns.items()}
    return {
        **ring_tables(columns),
        "reasons": as_table("reasons", reason_rows(first, 5)),
        "evidence": as_table("evidence", evidence_rows(first, 3)),
        "slots": as_table("slots", slot_rows(to_review)),
        "parts": as_table("parts", part_rows(first)),
        "counterfactuals": as_table(
            "counterfactuals", counterfactual_rows(ids[:EXPLAINED])
        ),
    }


def _shown(leads: pa.Table, work: Path) -> dict[str, Any]:
    """`about` and the files of the dossier; its rows and links are of the first leads."""
    from configs.settings import Settings
    from serving.tokens import key_of, tokens
    from tests.serving import dossiers

    about = {**dossiers.ABOUT, "review": {"weekly_capacity": CAPACITY}}
    bins = [leads.num_rows // 20] * 20
    about["scores"] = dict.fromkeys(("score", "rules", "fused"), bins)
    # The makers of the tests name nodes by this key: here it is the installation's.
    dossiers.KEY = key_of(Settings())
    ids = leads["unit_id"].to_pylist()
    files = dossiers.dossier_files(ids[:EXPLAINED], work)
    keys = tokens(dossiers.KEY, "person", map(dossiers.person, range(len(ids))))
    order = np.argsort(keys, kind="stable")
    table = pa.table(
        {
            "key": [keys[n] for n in order],
            "kind": ["person"] * len(ids),
            "unit_id": [ids[n] for n in order],
            "role_en": ["claimant"] * len(ids),
            "role_zh": ["索赔人"] * len(ids),
        }
    )
    pq.write_table(table, files["tokens"], row_group_size=50_000)
    return {"about": about, "dossier": files}


if __name__ == "__main__":
    main()
