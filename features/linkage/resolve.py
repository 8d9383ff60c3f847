"""Entity resolution of one entity: records in, links and entities out.

Cost: linear in records and compared pairs; docs/evaluation/linkage.md has the figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from configs.network import LinkSpec
from configs.schema import ColumnType
from configs.tables import ENTITIES, ENTITY_LINKS
from features.contracts import conform
from features.linkage.answer import entities_table, links_table
from features.linkage.blocking import (
    Block,
    Rule,
    candidates,
    chosen,
    counted,
    with_keys,
)
from features.linkage.candidates import Judgement, codes, pairs_of
from features.linkage.clusters import Records, clusters
from features.linkage.doubts import MOST, with_doubts
from features.linkage.engine import LinkEngine
from features.linkage.model import in_dialect, predicted, trained
from features.linkage.names import KEY, NUMBER, RECORD, ROWS, UNIQUE
from features.linkage.parts import with_parts
from features.linkage.suspects import without_suspects

LOWEST = 0.001  # pairs below are not looked at again
_NO_PAIRS = pa.schema(
    [
        ("left", pa.int64()),
        ("right", pa.int64()),
        ("probability", pa.float64()),
        ("rule", pa.int64()),
        (MOST, pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Subject:
    """One entity: its name, attribute -> declared type, and how it is linked."""

    name: str
    fields: Mapping[str, ColumnType]
    spec: LinkSpec


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt on one delivery and is kept for the next ones."""

    rules: tuple[Rule, ...]
    parameters: dict[str, Any]  # Splink's own form


@dataclass(frozen=True, slots=True)
class Resolution:
    """The records of an entity, linked.

    links: contract ENTITY_LINKS; entities: contract ENTITIES; model: None where no two
    records were worth comparing.
    """

    links: Table
    entities: Table
    blocks: tuple[Block, ...]
    model: Model | None
    warnings: tuple[str, ...]


def resolve(
    subject: Subject,
    records: Table,
    engine: LinkEngine,
    *,
    judgements: Sequence[Judgement] = (),
    model: Model | None = None,
) -> Resolution:
    """Link the records of one entity.

    Args:
        records: one row per distinct record, as `features.linkage.records.records` has
            them: `record`, `_key`, `_unique`, `rows` and the attributes as text.
        judgements: what persons decided; they override every score.
        model: learnt before; learnt from these records when None.
    """
    name, spec = subject.name, subject.spec
    table, fields, warnings = _cleared(subject, records, engine)
    blocks = _blocks(table, fields, spec, engine, model)
    table = engine.keep(with_keys(table, blocks, spec, engine), f"records_{name}")
    if model is None and any(block.pairs for block in blocks):
        rules = tuple(block.rule for block in blocks)
        model = Model(rules, trained(table, fields, blocks, spec, engine))
    scored = _NO_PAIRS.empty_table()
    if model is not None:
        parameters = in_dialect(model.parameters, subject.fields, engine)
        found = predicted(table, parameters, LOWEST, blocks, engine)
        found = with_doubts(found, table, subject.fields)
        scored = engine.arrow(found.order_by("left", "right"))
    links, entities = _tables(
        subject, _numbered(table, engine), scored, blocks, judgements, model
    )
    return Resolution(
        conform(engine.register(f"links_{name}", links), ENTITY_LINKS),
        conform(engine.register(f"entities_{name}", entities), ENTITIES),
        tuple(blocks),
        model,
        tuple(warnings),
    )


def _cleared(
    subject: Subject, records: Table, engine: LinkEngine
) -> tuple[Table, dict[str, ColumnType], list[str]]:
    """Numbered records with the parts of their attributes, without suspect values."""
    name, fields, spec = subject.name, dict(subject.fields), subject.spec
    table, dropped, warnings = without_suspects(name, records, fields, spec, engine)
    order = ibis.row_number().over(order_by=[RECORD, KEY])
    table = with_parts(table, fields, engine).mutate(**{NUMBER: order})
    used = {field: kind for field, kind in fields.items() if field not in dropped}
    return engine.keep(table, f"parts_{name}"), used, warnings


def _blocks(
    table: Table,
    fields: Mapping[str, ColumnType],
    spec: LinkSpec,
    engine: LinkEngine,
    model: Model | None,
) -> list[Block]:
    if model is not None:
        return [counted(table, rule, spec, engine) for rule in model.rules]
    return chosen(table, candidates(fields, spec), spec, engine, fields)


def _numbered(table: Table, engine: LinkEngine) -> pa.Table:
    told = table.select(NUMBER, RECORD, KEY, UNIQUE, ROWS)
    return engine.arrow(told.order_by(NUMBER))


def _tables(
    subject: Subject,
    numbered: pa.Table,
    scored: pa.Table,
    blocks: Sequence[Block],
    judgements: Sequence[Judgement],
    model: Model | None,
) -> tuple[pa.Table, pa.Table]:
    known = Records(codes(numbered[KEY]), codes(numbered[UNIQUE]))
    prior = model.parameters["probability_two_random_records_match"] if model else 0.0
    pairs = pairs_of(numbered, scored, known, float(prior), judgements)
    found = clusters(known, pairs, subject.spec)
    names = [block.name for block in blocks]
    return (
        links_table(subject.name, numbered, pairs, found, names, subject.spec.review),
        entities_table(subject.name, numbered, known, pairs, found),
    )
