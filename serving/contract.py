"""Checks a publication against the contract and brings its tables to one exact form.

The form is what is stored and digested: the columns of `serving.digest.SECTIONS`, leads
and groups in the order of their ranks, the rows that hang on them in the same order and
keyed by these ranks. Leads are ranked among all scored units, of which they are the
listed ones: the first `Publication.listed` of each order all stand among them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from configs.errors import StoreError, nearest
from configs.tables import DOSSIER, PUBLISHED, SCORES
from serving.checks import (
    check_first_ranks,
    check_known,
    check_scale,
    check_unique,
    places,
)
from serving.columns import exact_columns
from serving.digest import KEYS, NUMBERED, SECTIONS
from serving.group_contract import check_groups, check_kinds, check_paths
from serving.publication import Publication
from serving.review_contract import check_bands, check_review
from serving.run_files import FROZEN

SCALES = ("score", "rules", "fused")
RANKS = ("rank_score", "rank_rules", "rank_fused")
FOUND_BY = ("both", "rules", "score", "neither")

# Rows of one table are ordered by these, and no two may agree in all of them.
_ORDERS = {
    "rule_hits": ("lead", "layer", "code"),
    "reasons": ("lead", "position"),
    "evidence": ("lead", "row"),  # as delivered
    "group_members": ("group", "position"),
    "group_ties": ("group", "position"),
    "paths": ("lead", "path", "step"),
    "slots": ("lead",),
    "parts": ("lead", "position"),
    "counterfactuals": ("lead", "position"),
}
_STRANGE = {
    "lead": "units that are no leads",
    "group": "groups that are not in table 'groups'",
}

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def exact_tables(publication: Publication) -> dict[str, pa.Table]:
    """The tables in their exact form; StoreError when one breaks the contract."""
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
    leads = exact["leads"].num_rows
    units = _check_files(publication, leads)
    _check_leads(exact["leads"], min(publication.listed, units), units)
    _check_hits(publication, exact["rule_hits"], whole=leads == units)
    check_groups(exact, [str(rule["code"]) for rule in publication.rules])
    check_kinds(publication.kinds, exact)
    check_review(exact)
    owners = {
        name: exact[name].sort_by(rank).combine_chunks()
        for name, rank in NUMBERED.items()
    }
    rows = {name: _exact_rows(name, exact[name], owners) for name in _ORDERS}
    check_paths(rows["paths"], owners["leads"]["unit_id"])
    return owners | {name: _ranked(table, owners) for name, table in rows.items()}


def scored_units(publication: Publication) -> int:
    """How many units the run scored, listed or not: the rows of its scores file."""
    return _rows_of("scores", publication.scores_file, SCORES)


def _check_ids(publication: Publication) -> None:
    for name in ("model_id", "run_id"):
        got = getattr(publication, name)
        if not _ID.fullmatch(got):  # both become names of folders
            raise StoreError(
                f"publication.{name}: got {got!r}; use up to 100 ASCII letters, digits, "
                "'.', '_' and '-', beginning with a letter or digit"
            )


def _check_leads(leads: pa.Table, first: int, units: int) -> None:
    if not leads.num_rows:
        raise StoreError(
            "table 'leads' has no row; a run without units is not published: check the "
            "unit's source and the as-of date"
        )
    check_unique("leads", leads, ("unit_id",))
    for name in RANKS:
        check_first_ranks(f"leads.{name}", leads[name], first, units)
    for name in SCALES:
        check_scale(f"leads.{name}", leads[name])
    check_bands(leads)
    check_known("leads.found_by", leads["found_by"].unique().to_pylist(), FOUND_BY)


def _check_files(publication: Publication, leads: int) -> int:
    """The files can be read and are of the same units; how many these are."""
    scores = publication.scores_file
    units = scored_units(publication)
    if units < leads:
        raise _unfit("scores", scores, units, f"a row for each of the {leads} leads")
    check_known("publication.files", publication.files, FROZEN)
    for name, path in publication.files.items():
        rows = _rows_of(name, path, ("unit_id",))
        if rows != units:
            raise _unfit(
                name, path, rows, f"a row for each of the {units} units scored"
            )
    check_known("publication.dossier", publication.dossier, DOSSIER)
    for name, path in publication.dossier.items():
        _rows_of(name, path, DOSSIER[name])
    return units


def _rows_of(name: str, path: Path, columns: Iterable[str]) -> int:
    """The rows of a file, which has these columns."""
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise StoreError(
            f"{name} file {path}: cannot be read as Parquet ({error}); write it in full "
            "before publishing"
        ) from error
    with file:
        missing = sorted(set(columns) - set(file.schema_arrow.names))
        rows = int(file.metadata.num_rows)
    if missing:
        raise _unfit(name, path, rows, f"the columns {missing}, which are missing")
    return rows


def _unfit(name: str, path: Path, rows: int, expected: str) -> StoreError:
    return StoreError(
        f"{name} file {path}: got {rows} rows; expected {expected}; write it anew"
    )


def _check_hits(publication: Publication, hits: pa.Table, *, whole: bool) -> None:
    """The hits of listed units are of known rules, and no more than those of all units."""
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
        if counted[rule] > number or (whole and counted[rule] < number):
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


def _exact_rows(name: str, rows: pa.Table, owners: dict[str, pa.Table]) -> pa.Table:
    """Rows that hang on leads or groups: their places for their ids, in a fixed order."""
    place = {"row": pa.array(range(rows.num_rows), pa.int64())}
    for key, (owner, named) in KEYS.items():
        if named in rows.column_names:
            known = owners[owner][named]
            place[key] = places(name, rows[named], known, _STRANGE[key])
    columns = {c: place[c] if c in place else rows[c] for c in SECTIONS[name]}
    keyed = pa.table({**columns, "row": place["row"]})
    check_unique(name, keyed, _ORDERS[name])
    order = [(column, "ascending") for column in _ORDERS[name]]
    return keyed.sort_by(order).drop_columns(["row"]).combine_chunks()


def _ranked(rows: pa.Table, owners: dict[str, pa.Table]) -> pa.Table:
    """The rows with the ranks of what they hang on for its places."""
    for key, (owner, _) in KEYS.items():
        if key in rows.column_names:
            ranks = owners[owner][NUMBERED[owner]]
            rank = ranks.take(pc.subtract(rows[key], 1))
            rows = rows.set_column(rows.column_names.index(key), key, rank)
    return rows.combine_chunks()
