"""Entity resolution of one entity: records in, links and entities out.

Cost: linear in records and compared pairs; docs/evaluation/linkage.md has the figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from configs.network import LinkSpec
from configs.schema import ColumnType
from features.engine import Compute
from features.linkage.answer import (
    entities,
    links,
    numbered_entities,
    numbered_links,
)
from features.linkage.blocking import (
    Block,
    Rule,
    candidates,
    chosen,
    coded,
    pairs,
)
from features.linkage.candidates import Judgement, pairs_of, records_of
from features.linkage.clusters import Ints, clusters
from features.linkage.doubts import doubts
from features.linkage.engine import LinkEngine, stem
from features.linkage.model import in_dialect, predicted, trained
from features.linkage.names import KEY, NUMBER, RECORD, ROWS, UNIQUE
from features.linkage.parts import compared, with_parts
from features.linkage.suspects import without_suspects

LOWEST = 0.001  # pairs below are not looked at again
_NO_PAIRS = pa.schema(
    [
        ("left", pa.int64()),
        ("right", pa.int64()),
        ("probability", pa.float64()),
        ("rule", pa.int64()),
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

    links: contract ENTITY_LINKS; entities: contract ENTITIES, `_number` and `_own`; model:
    None where no two records were worth comparing.
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
        records: one row per distinct record, as `features.linkage.records.numbered` has
            them: `record`, `_key`, `_unique`, `rows`, `_number`, the attributes as text.
        judgements: what persons decided; they override every score.
        model: learnt before; learnt from these records when None.
    """
    name, spec = subject.name, subject.spec
    clear, dropped, warnings = without_suspects(
        name, records, subject.fields, spec, engine
    )
    parts = with_parts(clear, subject.fields, engine)
    table = engine.keep(compared(parts, subject.fields, engine), f"compared_{name}")
    fields = {n: kind for n, kind in subject.fields.items() if n not in dropped}
    rules = list(model.rules) if model else candidates(fields, spec)
    # Of the records as they are compared: what takes long to make is not made twice.
    parts = with_parts(table, subject.fields, engine)
    codes = coded(parts, rules, engine, f"codes_of_{name}")
    blocks: list[Block] = []
    if model is None:
        blocks = chosen(codes, rules, spec, engine, fields)
        if any(block.pairs for block in blocks):
            taught = trained(table, codes, fields, blocks, spec, engine)
            model = Model(tuple(block.rule for block in blocks), taught)
    if model is None:
        scored = engine.register(f"no_pairs_of_{name}", _NO_PAIRS.empty_table())
    else:
        parameters = in_dialect(model.parameters, subject.fields, engine)
        found, blocks = pairs(codes, model.rules, spec, engine)
        scored = predicted(table, found, parameters, LOWEST, engine)
        engine.drop(stem(found))
    doubted = doubts(scored, table, subject.fields, engine)
    engine.drop(stem(table))
    numbers = codes.select(NUMBER, KEY, UNIQUE, ROWS)
    answers = _answers(subject, model, judgements)
    judged = _judged(records, judgements)
    made = engine.computed(answers, numbers, scored, doubted, judged)
    named = [block.name for block in blocks]
    told = links(name, made[f"links_{name}"], records, named)
    whole = entities(name, made[f"entities_{name}"], records)
    resolution = Resolution(
        engine.keep(told, f"links_of_{name}"),
        engine.keep(whole, f"entities_of_{name}"),
        tuple(blocks),
        model,
        tuple(warnings),
    )
    # What is not read again would be written to disk instead, where memory is short.
    for used in (codes, scored, doubted, *made.values()):
        engine.drop(stem(used))
    return resolution


def _answers(
    subject: Subject, model: Model | None, judgements: Sequence[Judgement]
) -> Compute:
    """From codes, scored pairs and judged records to links and entities, by numbers."""
    name, spec = subject.name, subject.spec
    prior = model.parameters["probability_two_random_records_match"] if model else 0.0

    def answers(
        coded: pa.Table, scored: pa.Table, doubted: pa.Table, named: pa.Table
    ) -> dict[str, pa.Table]:
        known, rows = records_of(coded), _by_number(coded, ROWS)
        pairs = pairs_of(named, scored, doubted, known, float(prior), judgements)
        found = clusters(known, pairs, spec)
        return {
            f"links_{name}": numbered_links(pairs, found, spec.review),
            f"entities_{name}": numbered_entities(known, rows, pairs, found),
        }

    return answers


def _judged(records: Table, judgements: Sequence[Judgement]) -> Table:
    """The numbers of the records that were judged."""
    ends = {end for one in judgements for end in (one.left, one.right)}
    judged = pa.table({RECORD: pa.array(sorted(ends), pa.string())})
    return records.select(NUMBER, RECORD).semi_join(ibis.memtable(judged), RECORD)


def _by_number(coded: pa.Table, name: str) -> Ints:
    found = np.empty(len(coded), np.int64)
    found[coded[NUMBER].to_numpy()] = coded[name].to_numpy()
    return found
