"""The probabilistic model of one entity: Splink's settings, training and prediction.

Source: Fellegi and Sunter 1969; parameters as in Splink (u from random pairs, m by
expectation maximisation within blocks), so that no labelled pairs are needed.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
from ibis.expr.types import Table
from splink import Linker, SettingsCreator
from splink.blocking_rule_library import CustomRule

from configs.linkage import ID
from configs.network import LinkSpec
from configs.schema import ColumnType
from features.engine import row_count
from features.linkage.blocking import KEY_RULE, Block
from features.linkage.comparisons import comparisons
from features.linkage.engine import LinkEngine
from features.linkage.names import KEY, NUMBER, UNIQUE

# The prior that training begins with. What is predicted is brought to the prior that the
# pairs themselves show (`features.linkage.prior`).
FIRST_MATCHES_PER_RECORD = 1.0
TRAINING_PAIRS = 1e6
PAIRS_AT_ONCE = 8_000_000  # compared; more are taken in parts, to bound the memory
FEWEST_TRAINING_PAIRS = 100
TRAINING_ROUNDS = 4
DIGITS = 9  # of a learnt probability
# Two rows of a register that lists each once, or two valid identifiers that differ, are
# never one.
APART = (
    f"(l.{UNIQUE} is null or r.{UNIQUE} is null or l.{UNIQUE} <> r.{UNIQUE})"
    f" and (l.{KEY} is null or r.{KEY} is null or l.{KEY} = r.{KEY})"
)
Trained = dict[str, Any]

VANISHED = "below the minimum allowed"  # of a share, in Splink's words
logging.getLogger("splink").setLevel(logging.ERROR)


def trained(
    table: Table,
    fields: Mapping[str, ColumnType],
    blocks: Sequence[Block],
    spec: LinkSpec,
    engine: LinkEngine,
) -> Trained:
    """Splink's parameters, estimated on these records; the same for the same records.

    Args:
        table: the records with parts, block keys and `_number`.
    """
    records = row_count(table, engine)
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=NUMBER,
        comparisons=list(comparisons(fields).values()),
        blocking_rules_to_generate_predictions=[
            CustomRule(_condition(b)) for b in blocks
        ],
        probability_two_random_records_match=2
        * FIRST_MATCHES_PER_RECORD
        / max(records, 2),
        retain_matching_columns=False,
        linker_uid="leadline",  # else a random one: the parameters would never be equal
    )
    apart = engine.keep(_one_a_key(table), f"{table.op().name.strip('_')}_apart")
    chance = _linker(apart, settings, engine)
    chance.training.estimate_u_using_random_sampling(
        max_pairs=spec.max_pairs,
        seed=spec.seed,
        min_count_per_level=None,
        num_chunks=1,
    )
    linker = _linker(table, chance.misc.save_model_to_json(out_path=None), engine)
    training = linker.training
    for block in training_blocks(fields, blocks):
        _learn_from(block, training)
    return _rounded(linker.misc.save_model_to_json(out_path=None))


def _learn_from(block: Block, training: Any) -> None:
    """Estimate parameters from the pairs of one block.

    Where no match at all falls into a level its share halves without end until Splink
    refuses the number; the block then teaches nothing, and the others do.
    """
    try:
        training.estimate_parameters_using_expectation_maximisation(
            _training_condition(block),
            max_pairs=TRAINING_PAIRS if block.pairs > TRAINING_PAIRS else None,
        )
    except ValueError as error:
        if VANISHED not in str(error):
            raise


def _rounded(model: Trained) -> Trained:
    """Without the last digits: an engine adds up in any order, sums differ by it."""
    for comparison in model["comparisons"]:
        for level in comparison["comparison_levels"]:
            for name in ("m_probability", "u_probability"):
                if level.get(name) is not None:
                    level[name] = float(f"{level[name]:.{DIGITS}g}")
    return model


def _one_a_key(table: Table) -> Table:
    """One record of each identifier: random pairs should be pairs of different ones."""
    nth = ibis.row_number().over(group_by=KEY, order_by=NUMBER)
    told = table.mutate(_nth=nth)
    return told.filter(told[KEY].isnull() | (told["_nth"] == 0)).drop("_nth")


def in_dialect(
    model: Trained, fields: Mapping[str, ColumnType], engine: LinkEngine
) -> Trained:
    """The parameters with conditions in the engine's own SQL.

    What was learnt on one engine is used on another one.
    """
    dialect = engine.splink().sql_dialect.sql_dialect_str
    if model["sql_dialect"] == dialect:
        return model
    known = [learnt["output_column_name"] for learnt in model["comparisons"]]
    own = comparisons({name: kind for name, kind in fields.items() if name in known})
    written = [own[name].create_comparison_dict(dialect) for name in known]
    both = zip(model["comparisons"], written, strict=True)
    told = [
        learnt | {"comparison_levels": _levels(learnt, ours)} for learnt, ours in both
    ]
    return model | {"comparisons": told, "sql_dialect": dialect}


def _levels(learnt: Trained, ours: Trained) -> list[Trained]:
    both = zip(learnt["comparison_levels"], ours["comparison_levels"], strict=True)
    return [one | {"sql_condition": other["sql_condition"]} for one, other in both]


def predicted(
    table: Table,
    model: Trained,
    threshold: float,
    blocks: Sequence[Block],
    engine: LinkEngine,
) -> Table:
    """Pairs from the threshold on.

    Returns:
        `left`, `right` (record numbers), `probability` and `rule` (the place of the
        block that found the pair).
    """
    linker = _linker(table, model, engine)
    chunks = 1 + sum(block.pairs for block in blocks) // PAIRS_AT_ONCE
    pairs = linker.inference.predict(
        threshold_match_probability=threshold, num_chunks_left=chunks
    )
    found = engine.named(pairs.physical_name)
    return found.select(
        left=found[f"{NUMBER}_l"],
        right=found[f"{NUMBER}_r"],
        probability=found["match_probability"],
        rule=found["match_key"].cast("int64"),
    )


def training_blocks(
    fields: Mapping[str, ColumnType], blocks: Sequence[Block]
) -> list[Block]:
    """Blocks to train within, so that each attribute is free to differ in one of them."""
    usable = [
        block
        for block in blocks
        if block.pairs >= FEWEST_TRAINING_PAIRS
        and all(part in fields or part == KEY for part in block.rule)
    ]
    ordered = sorted(usable, key=lambda b: (b.rule != KEY_RULE, -len(b.rule), -b.pairs))
    taken: list[Block] = []
    for block in ordered:
        always = set.intersection(*(_fixed(b) for b in taken)) if taken else None
        if always is None or always - _fixed(block):
            taken.append(block)
        if len(taken) == TRAINING_ROUNDS:
            break
    return taken


def _fixed(block: Block) -> set[str]:
    """The attributes that agree in every pair of a block."""
    return {ID if part == KEY else part for part in block.rule}


def _condition(block: Block) -> str:
    return f"l.{block.column} = r.{block.column} and {APART}"


def _training_condition(block: Block) -> CustomRule:
    # Naming the attributes tells Splink which of them it cannot learn here.
    agree = " and ".join(f"l.{name} = r.{name}" for name in sorted(_fixed(block)))
    return CustomRule(f"l.{block.column} = r.{block.column} and {agree}")


def _linker(table: Table, settings: Any, engine: LinkEngine) -> Linker:
    frame = engine.splink().register(table.op().name, dataset_display_name="records")
    return Linker(frame, settings, log_level=None, validate_settings=False)
