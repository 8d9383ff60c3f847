"""The probabilistic model of one entity: Splink's settings, training and prediction.

Source: Fellegi and Sunter 1969; parameters as in Splink (u from random pairs, m by
expectation maximisation within blocks), so that no labelled pairs are needed.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
from ibis.expr.types import Table
from splink import Linker, SettingsCreator
from splink.blocking_rule_library import CustomRule

from configs.errors import LeadlineError
from configs.linkage import ID
from configs.network import LinkSpec
from configs.schema import ColumnType
from features.engine import row_count
from features.linkage.blocking import KEY_RULE, Block, lessons
from features.linkage.comparisons import comparisons
from features.linkage.engine import LinkEngine, stem
from features.linkage.grouping import NONE
from features.linkage.names import KEY, NUMBER

# The prior that training begins with. What is predicted is brought to the prior that the
# pairs themselves show (`features.linkage.prior`).
FIRST_MATCHES_PER_RECORD = 1.0
TRAINING_PAIRS = 200_000  # of a block
SAMPLES = 10  # records that the random ones are drawn from, for each that is needed
FEWEST_TRAINING_PAIRS = 100
TRAINING_ROUNDS = 4
DIGITS = 9  # of a learnt probability
Trained = dict[str, Any]

VANISHED = "below the minimum allowed"  # of a share, in Splink's words
logging.getLogger("splink").setLevel(logging.ERROR)


def trained(
    table: Table,
    codes: Table,
    fields: Mapping[str, ColumnType],
    blocks: Sequence[Block],
    spec: LinkSpec,
    engine: LinkEngine,
) -> Trained:
    """Splink's parameters, estimated on these records; the same for the same records.

    The cost is that of a bounded number of pairs, however many records there are.

    Args:
        table: the records as `features.linkage.parts.compared` has them; their numbers
            are as good as drawn at random, as they follow the records' digests.
        codes: the same as `features.linkage.blocking.coded` has them.
    """
    records = row_count(table, engine)
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=NUMBER,
        comparisons=list(comparisons(fields).values()),
        probability_two_random_records_match=2
        * FIRST_MATCHES_PER_RECORD
        / max(records, 2),
        retain_matching_columns=False,
        linker_uid="leadline",  # else a random one: the parameters would never be equal
    )
    name = stem(table)
    drawn = table.filter(table[NUMBER] < SAMPLES * math.sqrt(2 * spec.max_pairs))
    apart = engine.keep(_one_a_key(drawn).order_by(NUMBER), f"{name}_apart")
    chance = _linker(apart, settings, engine)
    chance.training.estimate_u_using_random_sampling(
        max_pairs=spec.max_pairs,
        seed=spec.seed,
        min_count_per_level=None,
        num_chunks=1,
    )
    taught = training_blocks(fields, blocks)
    shares = {block: min(TRAINING_PAIRS / block.pairs, 1.0) for block in taught}
    numbers = lessons(codes, shares, spec, engine)
    within = engine.keep(table.inner_join(numbers, NUMBER), f"{name}_within")
    linker = _linker(within, chance.misc.save_model_to_json(out_path=None), engine)
    for place, block in enumerate(taught):
        _learn_from(block, place, linker.training)
    for used in (apart, numbers, within):
        engine.drop(stem(used))
    return _rounded(linker.misc.save_model_to_json(out_path=None))


def _learn_from(block: Block, place: int, training: Any) -> None:
    """Estimate parameters from the pairs of one block.

    Where no match at all falls into a level its share halves without end until Splink
    refuses the number; the block then teaches nothing, and the others do.
    """
    try:
        training.estimate_parameters_using_expectation_maximisation(
            _training_condition(block, place),
            estimate_without_term_frequencies=True,
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
    return told.filter((told[KEY] == NONE) | (told["_nth"] == 0)).drop("_nth")


def in_dialect(
    model: Trained, fields: Mapping[str, ColumnType], engine: LinkEngine
) -> Trained:
    """The parameters with this program's conditions in the engine's own SQL.

    What was learnt on one engine, or by an earlier version, is used on another one.

    Raises:
        LeadlineError: that version had other levels.
    """
    known = [learnt["output_column_name"] for learnt in model["comparisons"]]
    own = comparisons({name: kind for name, kind in fields.items() if name in known})
    written = [own[name].create_comparison_dict(engine.dialect) for name in known]
    both = zip(model["comparisons"], written, strict=True)
    told = [
        learnt | {"comparison_levels": _levels(learnt, ours)} for learnt, ours in both
    ]
    return model | {"comparisons": told, "sql_dialect": engine.dialect}


def _levels(learnt: Trained, ours: Trained) -> list[Trained]:
    said = [
        [level["label_for_charts"] for level in one["comparison_levels"]]
        for one in (learnt, ours)
    ]
    if said[0] != said[1]:
        raise LeadlineError(
            f"linking: the model was learnt by a version that compares "
            f"{learnt['output_column_name']!r} by the levels {', '.join(said[0])}; this one "
            f"has {', '.join(said[1])}: train again with `leadline train`"
        )
    both = zip(learnt["comparison_levels"], ours["comparison_levels"], strict=True)
    return [one | {"sql_condition": other["sql_condition"]} for one, other in both]


def predicted(
    table: Table, pairs: Table, model: Trained, threshold: float, engine: LinkEngine
) -> Table:
    """Those of the pairs that score the threshold or more.

    Args:
        pairs: as `features.linkage.blocking.pairs` has them.

    Returns:
        `left`, `right` (record numbers), `probability` and `rule` (the place of the
        block that found the pair).
    """
    linker = _linker(table, model, engine)
    given = linker.table_management.register_blocked_pairs_for_predict(
        engine.splink().register(pairs.op().name)
    )
    # Else Splink first copies the records that are paired: of ours nearly all are.
    given.metadata["registered_for_predict"] = False
    scored = linker.inference.predict(threshold_match_probability=threshold)
    found = engine.named(scored.physical_name)
    told = found.select(
        left=found[f"{NUMBER}_l"],
        right=found[f"{NUMBER}_r"],
        probability=found["match_probability"],
        rule=found["match_key"].cast("int64"),
    )
    kept = engine.keep(told, f"{stem(table)}_scored")
    # Spark's are views, which end with its session.
    if engine.dialect == "duckdb":
        linker.table_management.delete_tables_created_by_splink_from_db()  # type: ignore[no-untyped-call]
    return kept


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


def _training_condition(block: Block, place: int) -> CustomRule:
    # Naming the attributes tells Splink which of them it cannot learn here.
    agree = " and ".join(f"l.{name} = r.{name}" for name in sorted(_fixed(block)))
    return CustomRule(f"l._lesson{place} = r._lesson{place} and {agree}")


def _linker(table: Table, settings: Any, engine: LinkEngine) -> Linker:
    frame = engine.splink().register(table.op().name, dataset_display_name="records")
    return Linker(frame, settings, log_level=None, validate_settings=False)
