"""How far our comparison of names tells pairs of names apart that somebody judged."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from ibis.expr.types import Table

from benchmarks.linkage_data import shared_data
from benchmarks.linkage_metrics import Quality
from benchmarks.linkage_systems import engine
from configs.schema import ColumnSpec, ColumnType
from features.identifiers import UPGRADES
from features.linkage.comparisons import comparisons
from features.linkage.parts import with_parts
from features.standardise import cleaned, standardised, trimmed
from flows.catalog import Catalog

KINDS: dict[str, ColumnType] = {"Person": "person_name", "Company": "company_name"}
CASES = "name_cases"


def name_rows() -> pd.DataFrame:
    """One row per kind of name and comparison: the best single cut of each."""
    cases = pd.read_csv(shared_data() / "nomenklatura_name_cases.csv", dtype=str)
    rows: list[dict[str, Any]] = []
    for schema, kind in KINDS.items():
        pairs = cases[cases["schema"] == schema].reset_index(drop=True)
        match = (pairs["is_match"].str.lower() == "true").to_numpy()
        with engine() as catalog:
            reached, labels = _levels(pairs, kind, catalog)
            similar = _jaro_winkler(catalog)
        best, quality = _best(-reached.astype(float), match)
        name = {"names": f"{schema} ({len(pairs)} pairs, {match.sum()} true)"}
        rows.append(
            name | _row("Leadline's levels", f"to '{labels[int(-best)]}'", quality)
        )
        best, quality = _best(similar, match)
        rows.append(name | _row("Jaro-Winkler", f">= {best:.2f}", quality))
    return pd.DataFrame(rows)


def _row(comparison: str, cut: str, quality: Quality) -> dict[str, Any]:
    return {
        "comparison": comparison,
        "best cut": cut,
        "precision": quality.precision,
        "recall": quality.recall,
        "F1": quality.f1,
    }


def _levels(
    pairs: pd.DataFrame, kind: ColumnType, catalog: Catalog
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """The level that each pair reaches, 0 = the surest, and what the levels are called."""
    left = _side(pairs, "name1", kind, catalog)
    right = _side(pairs, "name2", kind, catalog)
    told = [c for c in left.columns if c != "pair"]
    both = left.rename(**{f"{c}_l": c for c in told}).inner_join(
        right.rename(**{f"{c}_r": c for c in told}), "pair"
    )
    catalog.keep(both, CASES)
    levels = comparisons({"name": kind})["name"].create_comparison_dict("duckdb")
    known = list(levels["comparison_levels"])[1:]
    cases = " ".join(
        f"when {level['sql_condition']} then {place}"
        for place, level in enumerate(known[:-1])
    )
    last = len(known) - 1
    query = f"select case {cases} else {last} end from {CASES} order by pair"
    reached = np.array([row[0] for row in catalog.fetch(query)], np.int64)
    return reached, [level["label_for_charts"] for level in known]


def _side(
    pairs: pd.DataFrame, column: str, kind: ColumnType, catalog: Catalog
) -> Table:
    """Normal forms and parts of one side's names."""
    rows = pa.table(
        {"pair": np.arange(len(pairs)), "name": pairs[column], "raw": pairs[column]}
    )
    spec = ColumnSpec(type=kind)
    table = catalog.register(f"names_{column}", rows)
    table = table.mutate(name=trimmed(table["name"], spec))
    table = table.mutate(name=cleaned(table["name"], spec))
    table = table.mutate(name=standardised(table["name"], spec))
    if kind in UPGRADES:
        table = table.mutate(name=UPGRADES[kind](table["name"]))
    table = catalog.keep(table, f"normal_{column}")
    return catalog.keep(with_parts(table, {"name": kind}, catalog), f"parts_{column}")


def _jaro_winkler(catalog: Catalog) -> npt.NDArray[np.float64]:
    """Of the names as they are written, in lower case."""
    query = (
        "select jaro_winkler_similarity(lower(raw_l), lower(raw_r)) "
        f"from {CASES} order by pair"
    )
    return np.array([row[0] for row in catalog.fetch(query)])


def _best(
    score: npt.NDArray[np.float64], match: npt.NDArray[np.bool_]
) -> tuple[float, Quality]:
    """The cut that tells the two kinds apart best, and what it brings.

    By Youden's index (recall of the true less share of the others taken): among pairs
    that were picked for being hard, F1 is highest where all of them are taken.
    """
    found: list[tuple[float, float, Quality]] = []
    for cut in np.unique(score):
        taken = score >= cut
        right = int((taken & match).sum())
        quality = Quality(right / int(taken.sum()), right / int(match.sum()))
        wrong = int((taken & ~match).sum()) / int((~match).sum())
        found.append((quality.recall - wrong, float(cut), quality))
    _, cut, quality = max(found, key=lambda item: item[:2])
    return cut, quality
