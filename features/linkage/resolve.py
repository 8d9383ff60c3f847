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
from features.linkage.doubts import MOST, with_doubts
from features.linkage.engine import LinkEngine, stem
from features.linkage.model import in_dialect, predicted, trained
from features.linkage.names import KEY, NUMBER, RECORD, ROWS, UNIQUE
from features.linkage.parts import with_parts
from features.linkage.suspects import without_suspects

LOWEST = 0.001  # pairs below are not looked at again
_RECORD, _KEY = "_record_again", "_key_again"
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
    rules = list(model.rules) if model else candidates(fields, spec)
    codes = coded(table, rules, engine)
    blocks: list[Block] = []
    if model is None:
        blocks = chosen(codes, rules, spec, engine, fields)
        if any(block.pairs for block in blocks):
            taught = trained(table, codes, fields, blocks, spec, engine)
            model = Model(tuple(block.rule for block in blocks), taught)
    scored, done = ibis.memtable(_NO_PAIRS.empty_table()), [table, codes]
    if model is not None:
        parameters = in_dialect(model.parameters, subject.fields, engine)
        compared, blocks = pairs(codes, model.rules, spec, engine)
        found = predicted(table, compared, parameters, LOWEST, engine)
        engine.drop(stem(compared))
        scored, done = with_doubts(found, table, subject.fields), [*done, found]
    numbers = codes.select(NUMBER, KEY, UNIQUE, ROWS)
    answers = _answers(subject, model, judgements)
    made = engine.computed(answers, numbers, scored, _judged(table, judgements))
    named = [block.name for block in blocks]
    told = links(name, made[f"links_{name}"], table, named)
    whole = entities(name, made[f"entities_{name}"], table)
    resolution = Resolution(
        engine.keep(told, f"links_of_{name}"),
        engine.keep(whole, f"entities_of_{name}"),
        tuple(blocks),
        model,
        tuple(warnings),
    )
    # What is not read again would be written to disk instead, where memory is short.
    for used in (*done, *made.values()):
        engine.drop(stem(used))
    return resolution


def _answers(
    subject: Subject, model: Model | None, judgements: Sequence[Judgement]
) -> Compute:
    """From codes, scored pairs and judged records to links and entities, by numbers."""
    name, spec = subject.name, subject.spec
    prior = model.parameters["probability_two_random_records_match"] if model else 0.0

    def answers(
        coded: pa.Table, scored: pa.Table, named: pa.Table
    ) -> dict[str, pa.Table]:
        known, rows = records_of(coded), _by_number(coded, ROWS)
        pairs = pairs_of(named, scored, known, float(prior), judgements)
        found = clusters(known, pairs, spec)
        return {
            f"links_{name}": numbered_links(pairs, found, spec.review),
            f"entities_{name}": numbered_entities(known, rows, pairs, found),
        }

    return answers


def _cleared(
    subject: Subject, records: Table, engine: LinkEngine
) -> tuple[Table, dict[str, ColumnType], list[str]]:
    """Numbered records with the parts of their attributes, without suspect values."""
    name, fields, spec = subject.name, dict(subject.fields), subject.spec
    table, dropped, warnings = without_suspects(name, records, fields, spec, engine)
    table = with_parts(_with_numbers(table), fields, engine)
    used = {field: kind for field, kind in fields.items() if field not in dropped}
    return engine.keep(table, f"parts_{name}"), used, warnings


def _with_numbers(table: Table) -> Table:
    """The records numbered in the order of their digests."""
    # Sorted without their attributes, which would have to be moved along.
    order = ibis.row_number().over(order_by=[RECORD, KEY])
    numbers = table.select(**{_RECORD: RECORD, _KEY: KEY, NUMBER: order})
    same = [table[RECORD] == numbers[_RECORD], table[KEY].identical_to(numbers[_KEY])]
    return table.inner_join(numbers, same).drop(_RECORD, _KEY)


def _judged(table: Table, judgements: Sequence[Judgement]) -> Table:
    """The numbers of the records that were judged."""
    ends = {end for one in judgements for end in (one.left, one.right)}
    judged = pa.table({RECORD: pa.array(sorted(ends), pa.string())})
    return table.select(NUMBER, RECORD).semi_join(ibis.memtable(judged), RECORD)


def _by_number(coded: pa.Table, name: str) -> Ints:
    found = np.empty(len(coded), np.int64)
    found[coded[NUMBER].to_numpy()] = coded[name].to_numpy()
    return found
