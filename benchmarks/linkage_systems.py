"""The linkers under test behind one form: delivered records in, scored pairs out."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from ibis.expr.types import Table
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.linkage_data import RecordSet
from benchmarks.linkage_plain import plain_pairs, script_for
from configs.network import LinkSpec
from configs.schema import ColumnSpec, ColumnType
from features.identifiers import UPGRADES, VALID
from features.linkage.records import NEEDED_ATTRIBUTES, VALID_ONLY, numbered
from features.standardise import cleaned, standardised, trimmed
from flows.catalog import Catalog

if TYPE_CHECKING:
    from features.linkage.resolve import Resolution

ROW, RECORD, KEY, UNIQUE, ROWS = "row", "record", "_key", "_unique", "rows"
LOWEST = 0.01  # pairs below are of no interest to the curves


@dataclass(frozen=True, slots=True)
class Found:
    """What a linker says: scored pairs of rows, and the cluster of each row."""

    pairs: pd.DataFrame  # left, right, score, probability
    cluster: npt.NDArray[np.int64] | None = None
    resolution: "Resolution | None" = None


@contextmanager
def engine() -> Iterator[Catalog]:
    """An engine over a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog(Path(folder))
        try:
            yield catalog
        finally:
            catalog.close()


def plain(sample: RecordSet) -> Found:
    """Plain Splink: on the texts themselves, or on the normal forms where they say so."""
    rows = _for_plain(sample)
    pairs = plain_pairs(rows, sample.across, script_for(sample.name))
    return Found(pairs.rename(columns={"weight": "score"}))


def leadline(sample: RecordSet, curve: bool = True) -> Found:
    """Leadline's linker with its defaults.

    Args:
        curve: also hand out the pairs that are neither accepted nor for review.
    """
    # Not above: the process of plain Splink, which is timed, has no need of it.
    from features.linkage.resolve import Subject, resolve

    def subject(spec: LinkSpec) -> Subject:
        return Subject("person", sample.fields, spec)

    with engine() as catalog:
        rows = _with_records(sample, normal_rows(sample, catalog), catalog)
        records = _distinct(rows, sample, catalog)
        found = resolve(subject(LinkSpec()), records, catalog)
        entities = found.entities
        joined = rows.select(ROW, RECORD).left_join(entities, RECORD)
        clusters = catalog.arrow(joined.select(ROW, "entity_id").order_by(ROW))
        links = found.links
        if curve:
            low = LinkSpec(review=LOWEST)
            links = resolve(subject(low), records, catalog, model=found.model).links
        pairs = catalog.arrow(_row_pairs(links, rows, sample)).to_pandas()
    return Found(
        pairs.assign(score=pairs["probability"]), _codes(clusters["entity_id"]), found
    )


def normal_rows(sample: RecordSet, catalog: Catalog) -> Table:
    """Row number, source and the attributes in normal form; null = not known."""
    numbered = sample.records.assign(**{ROW: np.arange(len(sample.records))})
    delivered = pa.Table.from_pandas(numbered, preserve_index=False)
    rows = catalog.register("delivered", delivered)
    fields = sample.fields
    # One select per step: a reader names its text several times.
    rows = rows.select(
        ROW, "source", **{n: trimmed(rows[n], _column(k)) for n, k in fields.items()}
    )
    rows = rows.mutate(**{n: cleaned(rows[n], _column(k)) for n, k in fields.items()})
    rows = rows.mutate(**{n: _value(rows[n], k) for n, k in fields.items()})
    upgraded = {n: UPGRADES[k](rows[n]) for n, k in fields.items() if k in UPGRADES}
    rows = catalog.keep(rows.mutate(**upgraded) if upgraded else rows, "upgraded")
    valid = {n: _valid(rows[n], k) for n, k in fields.items() if k in VALID_ONLY}
    return catalog.keep(rows.mutate(**valid) if valid else rows, "normal")


def _column(kind: ColumnType) -> ColumnSpec:
    return ColumnSpec(type=kind)


def _value(text: Any, kind: ColumnType) -> Any:
    value = standardised(text, _column(kind))
    if kind == "date":
        return value.cast("date").cast("string")
    return value.lower() if kind in ("string", "category") else value


def _valid(value: Any, kind: ColumnType) -> Any:
    return ibis.ifelse(VALID[kind](value), value, ibis.null("string"))


def _for_plain(sample: RecordSet) -> pd.DataFrame:
    if sample.normal_first:
        with engine() as catalog:
            return catalog.arrow(normal_rows(sample, catalog).order_by(ROW)).to_pandas()
    rows = sample.records.drop(columns="record").replace("", None)
    return rows.assign(**{ROW: np.arange(len(rows))})


def _with_records(sample: RecordSet, rows: Table, catalog: Catalog) -> Table:
    """Beside each row the digest of what it says; null where that tells nobody."""
    said = [rows[name] for name in sample.fields]
    known = reduce(lambda a, b: a + b, (v.notnull().cast("int8") for v in said))
    text = reduce(lambda a, b: a + "\n" + b, (v.fill_null("") for v in said))
    digest = text.hexdigest("sha256").substr(0, 20)
    identified = _key(rows, sample.fields).notnull()
    tells = (known >= NEEDED_ATTRIBUTES) | identified
    named = ibis.ifelse(tells, digest, ibis.null("string"))
    return catalog.keep(rows.mutate(**{RECORD: named}), "rows_with_records")


def _key(rows: Table, fields: Any) -> Any:
    """The identifier that can be checked: none but the resident number has a digit."""
    if fields.get("id") != "person_id":
        return ibis.null("string")
    return ibis.ifelse(VALID["person_id"](rows["id"]), rows["id"], ibis.null("string"))


def _distinct(rows: Table, sample: RecordSet, catalog: Catalog) -> Table:
    once = rows["source"].isin(sorted(sample.listed_once))
    unique = ibis.ifelse(once, rows["source"], ibis.null("string"))
    known = rows.filter(rows[RECORD].notnull()).mutate(
        **{KEY: _key(rows, sample.fields), UNIQUE: unique}
    )
    distinct = known.group_by([RECORD, KEY, *sample.fields]).aggregate(
        **{UNIQUE: known[UNIQUE].min(), ROWS: known.count()}
    )
    return catalog.keep(
        numbered(catalog.keep(distinct, "distinct")), "distinct_records"
    )


def _row_pairs(links: Table, rows: Table, sample: RecordSet) -> Table:
    """Links of records as pairs of rows; rows that say the same are surely one."""
    held = rows.filter(rows[RECORD].notnull()).select(ROW, RECORD, "source")
    left = held.rename(left_row=ROW, left=RECORD, left_source="source")
    right = held.rename(right_row=ROW, right=RECORD, right_source="source")
    linked = links.select("left", "right", "probability")
    linked = linked.inner_join(left, "left").inner_join(right, "right")
    same = left.inner_join(right, left["left"] == right["right"])
    same = same.filter(same["left_row"] < same["right_row"])
    same = same.mutate(probability=1.0)
    columns = ["left_row", "right_row", "probability", "left_source", "right_source"]
    both = linked.select(*columns).union(same.select(*columns))
    if sample.across:
        both = both.filter(both["left_source"] != both["right_source"])
    return both.select(
        left=both["left_row"],
        right=both["right_row"],
        probability=both["probability"],
    )


def _codes(entities: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Equal entities to equal numbers; a row that tells nobody stands alone."""
    codes, _ = pd.factorize(entities.to_pandas())
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return codes.astype(np.int64)


def connected(pairs: pd.DataFrame, size: int) -> npt.NDArray[np.int64]:
    """What pairs of rows connect, the rows being numbered from 0 to `size`."""
    edges = (np.ones(len(pairs), np.int8), (pairs["left"], pairs["right"]))
    _, labels = connected_components(coo_array(edges, (size, size)), directed=False)
    return np.asarray(labels, np.int64)


def joined_pairs(sample: RecordSet, rules: tuple[str, ...]) -> pd.DataFrame:
    """Pairs of rows of two sources that agree in all attributes of one of the rules.

    Numbers that can be checked must be valid: what is masked equals nothing.
    """
    with engine() as catalog:
        rows = normal_rows(sample, catalog)
        if sample.fields.get("id") == "person_id":
            rows = rows.mutate(id=_key(rows, sample.fields))
        first, second = sorted(sample.records["source"].unique())
        sides = (
            rows.filter(rows["source"] == first),
            rows.filter(rows["source"] == second),
        )
        parts = [_agreeing(*sides, rule.split("+")) for rule in rules]
        found = reduce(lambda a, b: a.union(b), parts).distinct()
        return catalog.arrow(found).to_pandas()


def _agreeing(left: Table, right: Table, columns: list[str]) -> Table:
    ends = left.select(*columns, left=ROW), right.select(*columns, right=ROW)
    return ends[0].inner_join(ends[1], columns).select("left", "right")
