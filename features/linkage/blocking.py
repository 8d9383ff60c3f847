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
from features.linkage.engine import LinkEngine
from features.linkage.names import KEY, NUMBER, OWNED, UNIQUE

Rule = tuple[str, ...]
KEY_RULE: Rule = (KEY,)
# A candidate that brings more pairs than this for each record is not worth its cost.
PAIRS_PER_RECORD = 5
FEW_PAIRS = 200_000  # affordable for however few records
TOTAL = 2  # times what one rule may bring, all of them together
MOST_RULES = 24
# Knuth's multiplicative hashing, to draw values without regard to their size.
SCATTER, SCATTERED = 2_654_435_761, 2**32
FEW_LEFT_OUT = 0.02  # of the records, by a rule that makes narrower ones needless


@dataclass(frozen=True, slots=True)
class Block:
    """One blocking rule and what it brings."""

    rule: Rule
    pairs: int
    left_out: int  # records whose value more than `max_block` share

    @property
    def name(self) -> str:
        return "+".join(self.rule)


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def xxhash64(text: str) -> int:  # type: ignore[empty-body]
    """Spark's hash of 64 bits; the one that Ibis takes there has 32."""


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
    codes: Table,
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
    records = row_count(codes, engine)
    found = [counted(codes, rule, spec, engine) for rule in rules]
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


def coded(table: Table, rules: Sequence[Rule], engine: LinkEngine) -> Table:
    """The records' numbers and, as numbers too, the values that rules compare.

    Equal values have equal codes; that two others have one is as good as impossible, and
    would compare a pair more. Numbers are grouped and joined several times as fast.

    Returns:
        `_number` and int64 columns called like the parts, `_key` and `_unique`; null
        where there is no value.
    """
    spark = engine.splink().sql_dialect.sql_dialect_str == "spark"
    parts = dict.fromkeys([KEY, UNIQUE, *(part for rule in rules for part in rule)])
    codes = {}
    for part in parts:
        text = table[part].nullif("")
        code = xxhash64(text) if spark else text.hash()
        codes[part] = ibis.ifelse(text.notnull(), code, ibis.null("int64"))
    name = f"{table.op().name.strip('_')}_coded"
    return engine.keep(table.select(NUMBER, **codes), name)


def used(codes: Table, block: Block, spec: LinkSpec, share: float = 1.0) -> Table:
    """The records that a block compares with others.

    Args:
        share: of the block's values, the same ones whatever the engine.

    Returns:
        `_number`, `_key` and `_unique`, and `_first`: the lowest number of those that
        agree, which is one for each value.
    """
    keyed = codes.select(NUMBER, KEY, UNIQUE, _value=_key(codes, block.rule))
    keyed = keyed.filter(keyed["_value"].notnull())
    sizes = keyed.group_by("_value").aggregate(
        _n=keyed.count(), _first=keyed[NUMBER].min()
    )
    sizes = sizes.filter((sizes["_n"] > 1) & (sizes["_n"] <= spec.max_block))
    if share < 1:
        drawn = sizes["_first"] * SCATTER % SCATTERED
        sizes = sizes.filter(drawn < round(share * SCATTERED))
    joined = keyed.inner_join(sizes, "_value")
    return joined.select(NUMBER, KEY, UNIQUE, "_first")


def pairs(
    codes: Table, blocks: Sequence[Block], spec: LinkSpec, engine: LinkEngine
) -> Table:
    """Each two records that some block compares, once.

    Two rows of a register that lists each once, or two valid identifiers that differ,
    are never one.

    Returns:
        `join_key_l` < `join_key_r` (record numbers) and `match_key`, the place of the
        first block that brings them: what Splink scores.
    """
    found = [_compared(used(codes, b, spec), n) for n, b in enumerate(blocks)]
    every = reduce(lambda a, b: a.union(b), found)
    once = every.group_by("join_key_l", "join_key_r").aggregate(
        match_key=every["match_key"].min()
    )
    return engine.keep(once, f"{codes.op().name.strip('_')}_pairs")


def _compared(records: Table, place: int) -> Table:
    left = records.rename(join_key_l=NUMBER, _key_l=KEY, _unique_l=UNIQUE)
    right = records.rename(join_key_r=NUMBER, _key_r=KEY, _unique_r=UNIQUE)
    both = left.inner_join(right, "_first")
    apart = [
        (both[f"{name}_l"] == both[f"{name}_r"]).fill_null(value)
        for name, value in ((KEY, True), (UNIQUE, False))
    ]
    kept = both.filter(both["join_key_l"] < both["join_key_r"], apart[0], ~apart[1])
    return kept.select(
        "join_key_l", "join_key_r", match_key=ibis.literal(place, "int64")
    )


def _covers(wide: Block, narrow: Block, whole: Mapping[str, str], records: int) -> bool:
    """Whether the pairs of the narrow rule are, but for few, pairs of the wide one.

    Records that agree in an attribute agree in each part of it.
    """
    if wide.rule == narrow.rule or wide.left_out > FEW_LEFT_OUT * records:
        return False
    implied = set(narrow.rule) | {p for p in whole if whole[p] in narrow.rule}
    return set(wide.rule) <= implied


def counted(codes: Table, rule: Rule, spec: LinkSpec, engine: Engine) -> Block:
    keyed = codes.select(_value=_key(codes, rule))
    keyed = keyed.filter(keyed["_value"].notnull())
    sizes = keyed.group_by("_value").aggregate(_n=keyed.count())
    sizes = sizes.mutate(_used=sizes["_n"] <= spec.max_block)
    counts = sizes.aggregate(
        pairs=(sizes["_n"] * (sizes["_n"] - 1) / 2).sum(where=sizes["_used"]),
        left_out=sizes["_n"].sum(where=~sizes["_used"]),
    )
    row = engine.arrow(counts).to_pylist()[0]
    return Block(rule, int(row["pairs"] or 0), int(row["left_out"] or 0))


def _key(codes: Table, rule: Rule) -> Value:
    return reduce(lambda a, b: a ^ b, [codes[part] for part in rule])
