"""Checks a publication against the contract and brings its tables to one exact form.

The form is what is stored and digested: the columns of `configs.tables.PUBLISHED`, leads
in the order of rank_fused, the rows of a lead after it, keyed by its rank.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from configs.errors import StoreError, nearest
from configs.tables import PUBLISHED, SCORES
from serving.columns import exact_columns
from serving.publication import Publication

SCALES = ("score", "rules", "fused")
RANKS = ("rank_score", "rank_rules", "rank_fused")
FOUND_BY = ("both", "rules", "score", "neither")

# Rows of one lead are ordered by these, and no two may agree in all of them.
ORDERS = {
    "rule_hits": ("layer", "code"),
    "reasons": ("position",),
    "evidence": ("row",),  # as delivered
}

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def exact_tables(publication: Publication) -> dict[str, pa.Table]:
    """The four tables in their exact form; StoreError when one breaks the contract."""
    _check_ids(publication)
    if publication.as_of.tzinfo is not None:
        raise StoreError(
            f"publication.as_of: got {publication.as_of.isoformat()}; give the time "
            "without a zone, as it stands in the tables"
        )
    given = publication.tables
    if set(given) != set(PUBLISHED):
        raise StoreError(
            f"publication of {publication.model_id!r}: got the tables "
            f"{sorted(given)}; expected {sorted(PUBLISHED)}"
        )
    exact = {name: exact_columns(name, given[name]) for name in PUBLISHED}
    leads = _exact_leads(exact["leads"])
    _check_scores_file(publication, leads.num_rows)
    _check_hits(publication, exact["rule_hits"])
    children = {name: _exact_rows(name, exact[name], leads) for name in ORDERS}
    return {"leads": leads, **children}


def _check_ids(publication: Publication) -> None:
    for name in ("model_id", "run_id"):
        got = getattr(publication, name)
        if not _ID.fullmatch(got):  # both become names of folders
            raise StoreError(
                f"publication.{name}: got {got!r}; use up to 100 ASCII letters, digits, "
                "'.', '_' and '-', beginning with a letter or digit"
            )


def _exact_leads(leads: pa.Table) -> pa.Table:
    if not leads.num_rows:
        raise StoreError(
            "table 'leads' has no row; a run without units is not published: check the "
            "unit's source and the as-of date"
        )
    _check_unique("leads", leads, ("unit_id",))
    for name in RANKS:
        _check_ranks(name, leads[name])
    for name in SCALES:
        _check_scale(name, leads[name])
    _check_found_by(leads["found_by"])
    return leads.sort_by("rank_fused").combine_chunks()


def _check_unique(table: str, rows: pa.Table, key: tuple[str, ...]) -> None:
    counts = rows.select(key).group_by(list(key)).aggregate([([], "count_all")])
    twice = counts.filter(pc.greater(counts["count_all"], 1))
    if twice.num_rows:
        raise StoreError(
            f"table {table!r}: {twice.num_rows} values of {', '.join(key)} stand there "
            f"more than once, such as {twice.slice(0, 1).to_pylist()[0]}; each may once"
        )


def _check_ranks(name: str, ranks: pa.ChunkedArray) -> None:
    expected = pa.array(range(1, len(ranks) + 1), pa.int64())
    ordered = ranks.take(pc.sort_indices(ranks))
    if not pc.all(pc.equal(ordered, expected)).as_py():
        raise StoreError(
            f"column leads.{name}: got {len(ranks)} rows ranked from "
            f"{pc.min(ranks).as_py()} to {pc.max(ranks).as_py()}, "
            f"{pc.count_distinct(ranks).as_py()} of them distinct; expected each of "
            f"1..{len(ranks)} once"
        )


def _check_scale(name: str, values: pa.ChunkedArray) -> None:
    low, high = pc.min(values).as_py(), pc.max(values).as_py()
    if low < 0 or high > 1:
        raise StoreError(
            f"column leads.{name}: got values from {low!r} to {high!r}; every score "
            "lies in [0, 1]"
        )


def _check_found_by(column: pa.ChunkedArray) -> None:
    unknown = sorted(set(column.unique().to_pylist()) - set(FOUND_BY))
    if unknown:
        raise StoreError(
            f"column leads.found_by: got {unknown[0]!r}{nearest(unknown[0], FOUND_BY)}"
        )


def _check_scores_file(publication: Publication, units: int) -> None:
    path = publication.scores_file
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise StoreError(
            f"scores file {path}: cannot be read as Parquet ({error}); write it in full "
            "before publishing"
        ) from error
    with file:
        missing = sorted(set(SCORES) - set(file.schema_arrow.names))
        rows = file.metadata.num_rows
    if missing or rows != units:
        raise StoreError(
            f"scores file {path}: {rows} rows, missing columns {missing}; expected all "
            f"of {list(SCORES)} and one row for each of the {units} leads"
        )


def _check_hits(publication: Publication, hits: pa.Table) -> None:
    as_of = publication.as_of
    other = [time for time in hits["as_of"].unique().to_pylist() if time != as_of]
    if other:
        raise StoreError(
            f"column rule_hits.as_of: got {other[0]}; the publication is of {as_of}"
        )
    pairs = zip(hits["code"].to_pylist(), hits["layer"].to_pylist(), strict=True)
    counted = Counter(pairs)
    said = _hits_said(publication.rules)
    for code, layer in sorted(set(counted) - set(said)):
        raise StoreError(
            f"table 'rule_hits': rule {code!r} of layer {layer} is not in "
            f"publication.rules{nearest(code, (known for known, _ in said))}"
        )
    for rule, number in said.items():
        if number != counted[rule]:
            raise StoreError(
                f"publication.rules: rule {rule[0]!r} says {number} hits; table "
                f"'rule_hits' has {counted[rule]}"
            )


def _hits_said(rules: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], int]:
    """(code, layer) -> hits, as the publication's list of rules says."""
    for rule in rules:
        missing = sorted(
            {"code", "layer", "lawful_en", "lawful_zh", "hits"} - set(rule)
        )
        if missing:
            raise StoreError(
                f"publication.rules: {dict(rule)!r} lacks {', '.join(missing)}"
            )
    said = {(str(r["code"]), int(r["layer"])): int(r["hits"]) for r in rules}
    codes = Counter(str(rule["code"]) for rule in rules)
    if codes and max(codes.values()) > 1:
        raise StoreError(
            f"publication.rules: {codes.most_common(1)[0][0]!r} is listed more than once"
        )
    return said


def _exact_rows(name: str, rows: pa.Table, leads: pa.Table) -> pa.Table:
    """Rows that hang on a lead: its rank instead of its unit_id, in a fixed order."""
    place = pc.index_in(rows["unit_id"], value_set=leads["unit_id"])
    if place.null_count:
        strange = rows["unit_id"].filter(pc.is_null(place))[0].as_py()
        raise StoreError(
            f"table {name!r}: {place.null_count} rows are about units that are no leads, "
            f"such as {strange!r}; publish them as leads or leave the rows out"
        )
    rank = pc.add(place.cast(pa.int64()), 1)
    number = pa.array(range(rows.num_rows), pa.int64())
    kept = [column for column in PUBLISHED[name] if column not in ("unit_id", "as_of")]
    keyed = rows.select(kept).add_column(0, "rank", rank).append_column("row", number)
    _check_unique(name, keyed, ("rank", *ORDERS[name]))
    order = [(column, "ascending") for column in ("rank", *ORDERS[name])]
    return keyed.sort_by(order).drop_columns(["row"]).combine_chunks()
