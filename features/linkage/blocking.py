"""Which records are compared: sets of attributes that must agree, chosen and counted.

A value that more records share than `max_block` would compare them all with each other
and tell nothing: it is left out, and named in a warning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, combinations

import ibis
from ibis.expr.types import Table, Value

from configs.linkage import FAMILY, GIVEN, NAMES, parts_of
from configs.network import LinkSpec
from configs.schema import ColumnType
from features.engine import Engine, row_count
from features.linkage.names import KEY, OWNED

Rule = tuple[str, ...]
KEY_RULE: Rule = (KEY,)
# A candidate that brings more pairs than this for each record is not worth its cost.
PAIRS_PER_RECORD = 5
FEW_PAIRS = 200_000  # affordable for however few records
TOTAL = 2  # times what one rule may bring, all of them together
MOST_RULES = 24
FEW_LEFT_OUT = 0.02  # of the records, by a rule that makes narrower ones needless


@dataclass(frozen=True, slots=True)
class Block:
    """One blocking rule, the key column made for it, and what it brings."""

    rule: Rule
    column: str
    pairs: int
    left_out: int  # records whose value more than `max_block` share

    @property
    def name(self) -> str:
        return "+".join(self.rule)


def candidates(fields: Mapping[str, ColumnType], spec: LinkSpec) -> list[Rule]:
    """The declared rules, else owned attributes alone, the others alone and in pairs."""
    if spec.block:
        return [KEY_RULE, *spec.block]
    parts = {name: parts_of(name, fields) for name in fields}
    single = [(c,) for n, k in fields.items() for c in parts[n] if k in OWNED]
    pairs = [
        (a, b)
        for x, y in combinations([n for n in fields if fields[n] not in OWNED], 2)
        for a in parts[x]
        for b in parts[y]
    ]
    alone = [(name,) for name in fields if fields[name] not in OWNED]
    alone += [(NAMES,)] if {GIVEN, FAMILY} <= set(fields) else []
    return [KEY_RULE, *single, *alone, *pairs]


def chosen(
    table: Table,
    rules: Sequence[Rule],
    spec: LinkSpec,
    engine: Engine,
    fields: Mapping[str, ColumnType],
) -> list[Block]:
    """The rules whose pairs are affordable, cheapest first; declared ones always.

    Each is counted by one grouping of the records.

    Args:
        fields: the attributes whose parts the rules name.
    """
    records = row_count(table, engine)
    found = [counted(table, rule, spec, engine) for rule in rules]
    if spec.block:
        return found
    whole = {part: name for name in fields for part in parts_of(name, fields)}
    affordable = max(PAIRS_PER_RECORD * records, FEW_PAIRS)
    cheap = [b for b in found if 0 < b.pairs <= affordable]
    needed = [b for b in cheap if not any(_covers(o, b, whole, records) for o in cheap)]
    # One attribute alone misses fewest; of the pairs of attributes the cheapest.
    order = sorted(
        needed, key=lambda b: (b.rule != KEY_RULE, len(b.rule), b.pairs, b.rule)
    )
    totals = accumulate(block.pairs for block in order)
    within = [
        b for b, total in zip(order, totals, strict=True) if total <= TOTAL * affordable
    ]
    return within[:MOST_RULES]


def with_keys(
    table: Table, blocks: Sequence[Block], spec: LinkSpec, engine: Engine
) -> Table:
    """The records with one key column per block, null where it is not used."""
    keys = {block.column: _key(table, block.rule) for block in blocks}
    # Counted on a table and not on a query: each join would repeat all those before it.
    keyed = engine.keep(table.mutate(**keys), f"{table.op().name.strip('_')}_keyed")
    table = keyed
    for block in blocks:
        shared = keyed.group_by(block.column).aggregate(_n=keyed.count())
        kept = shared.filter((shared["_n"] > 1) & (shared["_n"] <= spec.max_block))
        joined = table.left_join(kept, block.column)
        usable = ibis.ifelse(joined["_n"].notnull(), joined[block.column], ibis.null())
        others = [name for name in table.columns if name != block.column]
        table = joined.select(*others, **{block.column: usable})
    return table


def _covers(wide: Block, narrow: Block, whole: Mapping[str, str], records: int) -> bool:
    """Whether the pairs of the narrow rule are, but for few, pairs of the wide one.

    Records that agree in an attribute agree in each part of it.
    """
    if wide.rule == narrow.rule or wide.left_out > FEW_LEFT_OUT * records:
        return False
    implied = set(narrow.rule) | {p for p in whole if whole[p] in narrow.rule}
    return set(wide.rule) <= implied


def counted(table: Table, rule: Rule, spec: LinkSpec, engine: Engine) -> Block:
    keyed = table.select(_value=_key(table, rule))
    keyed = keyed.filter(keyed["_value"].notnull())
    sizes = keyed.group_by("_value").aggregate(_n=keyed.count())
    sizes = sizes.mutate(_used=sizes["_n"] <= spec.max_block)
    counts = sizes.aggregate(
        pairs=(sizes["_n"] * (sizes["_n"] - 1) / 2).sum(where=sizes["_used"]),
        left_out=sizes["_n"].sum(where=~sizes["_used"]),
    )
    row = engine.arrow(counts).to_pylist()[0]
    column = "_block_" + "__".join(part.strip("_") for part in rule)
    return Block(rule, column, int(row["pairs"] or 0), int(row["left_out"] or 0))


def _key(table: Table, rule: Rule) -> Value:
    parts = [table[part].nullif("") for part in rule]
    return reduce(lambda a, b: a + "|" + b, parts)
