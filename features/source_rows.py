"""The source rows behind leads as the departments delivered them."""

import json
from collections.abc import Iterable, Mapping

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from configs.tables import ROWS
from features.known import Known
from features.sources import BATCH, EVENT, KNOWN, LINE, read_columns

_TEXT = "_text_"  # in front of a source's columns, which may be called like ours
PLACE = ("source", "batch", "line")


def source_rows(
    known: Known, evidence: Table, delivered: Mapping[str, Table]
) -> Mapping[str, Table]:
    """By source the rows that evidence names, with their times and delivered texts.

    Args:
        evidence: as the contract EVIDENCE says.
        delivered: each source's rows as text, as `features.sources.typed` reads them.
    """
    return {
        name: _of_source(known, evidence.filter(evidence["source"] == name), rows, name)
        for name, rows in delivered.items()
    }


def _of_source(known: Known, named: Table, rows: Table, source: str) -> Table:
    place = ["batch", "line"]
    columns = read_columns(known.spec, source)
    core = known.cores[source]
    times = core.select(
        batch=core[BATCH], line=core[LINE], event_at=core[EVENT], known_at=core[KNOWN]
    )
    told = {_TEXT + name: rows[name] for name in columns}
    texts = rows.select(batch=rows[BATCH], line=rows[LINE], **told)
    # Few rows are joined; to look at the texts of all would cost ten times as much.
    joined = named.inner_join(times, place).inner_join(texts, place)
    return joined.mutate(**{name: _said(joined[name]) for name in told})


def _said(text: ibis.expr.types.Value) -> ibis.expr.types.Value:
    """The text as it came; nothing but white space says nothing."""
    return ibis.ifelse(text.strip() == "", ibis.null("string"), text)


def row_table(parts: Iterable[pa.Table], own: str) -> pa.Table:
    """ROWS, by unit and place, the rows of the unit's own source first.

    Args:
        parts: tables of `source_rows`.
    """
    types = {name: pa.type_for_alias(kind) for name, kind in ROWS.items()}
    schema = pa.schema(types)
    tables = [schema.empty_table()]
    for part in parts:
        columns = {n: part[n] for n in ROWS if n != "content"}
        columns["content"] = pa.array(_content(part), pa.string())
        tables.append(pa.table(columns).cast(schema))
    found = pa.concat_tables(tables)
    elsewhere = pa.array([source != own for source in found["source"].to_pylist()])
    order = [(name, "ascending") for name in ("unit_id", "_elsewhere", *PLACE)]
    sorted_ = found.append_column("_elsewhere", elsewhere).sort_by(order)
    return sorted_.select(list(ROWS)).combine_chunks()


def _content(part: pa.Table) -> list[str]:
    names = [name for name in part.column_names if name.startswith(_TEXT)]
    told = part.select(names).rename_columns([n.removeprefix(_TEXT) for n in names])
    return [json.dumps(row, ensure_ascii=False) for row in told.to_pylist()]
