"""Publications that break the contract are refused, with words that help."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from configs.errors import StoreError
from configs.tables import PUBLISHED
from serving.contract import exact_tables
from serving.publication import Publication
from tests.serving.changes import Change, column, fields, table
from tests.serving.publications import with_column, write_scores

UNITS = [f"CLM-{number:06}" for number in range(1, 13)]


BROKEN: dict[str, tuple[Change, str]] = {
    "table missing": (
        lambda p: replace(p, tables={"leads": p.tables["leads"]}),
        r"got the tables \['leads'\]; expected \['counterfactuals', 'evid",
    ),
    "column missing": (
        table("leads", lambda t: t.drop_columns(["title"])),
        r"'leads': missing columns \['title'\], unexpected \[\]",
    ),
    "column unexpected": (
        table("reasons", lambda t: t.append_column("note", t["value"])),
        r"'reasons': missing columns \[\], unexpected \['note'\]",
    ),
    "text as number": (
        column("leads", "score", [str(n / 12) for n in range(12)]),
        "leads.score: got type string; expected double",
    ),
    "too large": (
        column("leads", "rank_score", pa.array([2**64 - 1] * 12, pa.uint64())),
        "leads.rank_score: does not fit into int64",
    ),
    "unit null": (
        column("leads", "unit_id", [None, *UNITS[1:]]),
        "leads.unit_id: 1 of 12 rows are null",
    ),
    "score null": (
        column("leads", "fused", [float("nan"), *[0.5] * 11]),
        "leads.fused: 1 of 12 rows are null",
    ),
    "unit twice": (
        column("leads", "unit_id", [*UNITS[:11], UNITS[0]]),
        "1 values of unit_id stand there more than once, such as .*CLM-000001",
    ),
    "rank with a gap": (
        column("leads", "rank_fused", [*range(1, 12), 13]),
        r"rank_fused: got 12 rows ranked from 1 to 13.*expected each of 1\.\.12 once",
    ),
    "rank twice": (
        column("leads", "rank_rules", [1, *range(1, 12)]),
        "rank_rules: got 12 rows .* 11 of them distinct",
    ),
    "score out of range": (
        column("leads", "rules", [1.5, *[0.5] * 11]),
        r"leads.rules: got values from 0.5 to 1.5; every score lies in \[0, 1\]",
    ),
    "found by": (
        column("leads", "found_by", ["rule", *["both"] * 11]),
        "leads.found_by: got 'rule'; did you mean 'rules'",
    ),
    "no lead": (table("leads", lambda t: t.slice(0, 0)), "'leads' has no row"),
    "hit on no lead": (
        column("rule_hits", "unit_id", ["CLM-X", *UNITS[1:6]]),
        "'rule_hits': 1 rows are about units that are no leads, such as 'CLM-X'",
    ),
    "hit twice": (
        column("rule_hits", "unit_id", [UNITS[0]] * 6),
        "'rule_hits': 2 values of lead, layer, code stand there more than once",
    ),
    "reason twice": (
        column("reasons", "position", [1] * 24),
        "'reasons': 12 values of lead, position",
    ),
    "hit of another day": (
        column("rule_hits", "as_of", [datetime(2025, 6, 29)] * 6),
        "rule_hits.as_of: got 2025-06-29 00:00:00; the publication is of 2025-06-30",
    ),
    "hit of an unknown rule": (
        column("rule_hits", "code", ["V66", "V1", "V6", "V6", "V6", "V1"]),
        "rule 'V66' of layer 3 is not in publication.rules; did you mean 'V6'",
    ),
    "hits miscounted": (
        lambda p: replace(p, rules=[{**rule, "hits": 9} for rule in p.rules]),
        "rule 'V1' says 9 hits; table 'rule_hits' has 2",
    ),
    "rule twice": (
        lambda p: replace(p, rules=[*p.rules, {**p.rules[0], "layer": 2}]),
        "'V1' is listed more than once",
    ),
    "rule without layer": (
        fields(rules=[{"code": "V1"}]),
        "lacks hits, lawful_en, law",
    ),
    "run id": (fields(run_id="../x"), "publication.run_id: got '../x'; use up to 100"),
    "zone": (fields(as_of=datetime(2025, 6, 30, tzinfo=UTC)), "without a zone"),
    "file of another name": (
        fields(files={"matrix": Path("/nowhere")}),
        "publication.files: got 'matrix'; did you mean 'feature_matrix'",
    ),
    "no units": (
        fields(files={"units": Path("/nowhere")}),
        "units file /nowhere: cannot be read as Parquet",
    ),
    "no scores": (fields(scores_file=Path("/nowhere")), "/nowhere: cannot be read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_publication_that_breaks_the_contract_is_refused(
    name: str, publication: Publication
) -> None:
    change, message = BROKEN[name]

    with pytest.raises(StoreError, match=message):
        exact_tables(change(publication))


def test_scores_file_of_other_length_is_refused(
    publication: Publication, tmp_path: Path
) -> None:
    short = publication.tables["leads"].slice(0, 5)
    path = write_scores(tmp_path / "short.parquet", short)

    with pytest.raises(
        StoreError, match="got 5 rows; expected a row for each of the 12 leads"
    ):
        exact_tables(replace(publication, scores_file=path))


def test_frozen_input_of_other_length_is_refused(
    publication: Publication, tmp_path: Path
) -> None:
    path = tmp_path / "short.parquet"
    pq.write_table(pa.table({"unit_id": ["CLM-000001"]}), path)

    message = "rule_flags file .* got 1 rows; expected .* the 12 units scored"
    with pytest.raises(StoreError, match=message):
        exact_tables(replace(publication, files={"rule_flags": path}))


def test_exact_tables_accept_other_arrow_types_of_the_same_kind(
    publication: Publication,
) -> None:
    codes = publication.tables["rule_hits"]["code"].dictionary_encode()
    other = with_column(publication, "rule_hits", "code", codes.combine_chunks())
    other = with_column(other, "leads", "money", pa.nulls(12))
    ranks = publication.tables["leads"]["rank_score"].cast(pa.int32()).combine_chunks()
    other = with_column(other, "leads", "rank_score", ranks)

    leads = exact_tables(other)["leads"]

    assert leads.column_names == list(PUBLISHED["leads"])
    assert leads["money"].to_pylist() == [None] * 12
    assert leads["rank_fused"].to_pylist() == list(range(1, 13))
