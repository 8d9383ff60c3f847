"""Which records are compared: sets of attributes that must agree, chosen and counted.

A value that more records share than `max_block` would compare them all with each other
and tell nothing: it is left out, and named in a warning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations

import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from configs.linkage import FAMILY, GIVEN, NAMES, parts_of
from configs.network import LinkSpec
from configs.schema import ColumnType
from features.engine import Engine, row_count
from features.linkage.clusters import Ints
from features.linkage.engine import LinkEngine, stem
from features.linkage.grouping import NONE, Groups, compared, grouped, once
from features.linkage.names import KEY, NUMBER, OWNED, ROWS, UNIQUE
from features.linkage.parts import code

Rule = tuple[str, ...]
KEY_RULE: Rule = (KEY,)
_ENDS = ("join_key_l", "join_key_r")
# A candidate that brings more pairs than this for each record is not worth its cost.
PAIRS_PER_RECORD = 5
FEW_PAIRS = 200_000  # affordable for however few records
TOTAL = 2  # times what one rule may bring, all of them together
MOST_RULES = 24
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

    Args:
        fields: the attributes whose parts the rules name.
    """
    if spec.block:
        return counted(codes, rules, spec, engine)
    records = row_count(codes, engine)
    whole = {part: name for name in fields for part in parts_of(name, fields)}
    affordable = max(PAIRS_PER_RECORD * records, FEW_PAIRS)
    needed: list[Block] = []
    # Rules that make others needless first: those are not counted.
    for rule in sorted(rules, key=lambda rule: len(_implied(rule, whole))):
        if not any(_covers(wide, rule, whole, records) for wide in needed):
            (block,) = counted(codes, [rule], spec, engine)
            needed += [block] if 0 < block.pairs <= affordable else []
    # One attribute alone misses fewest; of the pairs of attributes the cheapest.
    order = sorted(
        needed, key=lambda b: (b.rule != KEY_RULE, len(b.rule), b.pairs, b.rule)
    )
    totals = accumulate(block.pairs for block in order)
    within = [
        b for b, total in zip(order, totals, strict=True) if total <= TOTAL * affordable
    ]
    return within[:MOST_RULES]


def coded(table: Table, rules: Sequence[Rule], engine: LinkEngine, name: str) -> Table:
    """The records' numbers and, as codes, the values that rules compare.

    Numbers are grouped and joined several times as fast as texts.

    Args:
        table: the records with their parts.
        name: what the engine calls the result.

    Returns:
        `_number`, `rows` and int64 columns called like the parts, `_key` and `_unique`; NONE
        where there is no value.
    """
    parts = dict.fromkeys([KEY, UNIQUE, *(part for rule in rules for part in rule)])
    codes = {part: code(table[part], engine).fill_null(NONE) for part in parts}
    return engine.keep(table.select(NUMBER, ROWS, **codes), name)


def counted(
    codes: Table, rules: Sequence[Rule], spec: LinkSpec, engine: Engine
) -> list[Block]:
    """What each of the rules brings."""
    named = [f"{stem(codes)}_counts{place}" for place, _ in enumerate(rules)]
    made = [
        _counted(codes, rule, spec, engine, name)
        for rule, name in zip(rules, named, strict=True)
    ]
    return _told(rules, made, engine)


def lessons(
    codes: Table,
    shares: Mapping[Block, float],
    spec: LinkSpec,
    engine: Engine,
) -> Table:
    """The records that some block compares with others, of a share of its values.

    Returns:
        `_number` and for the n-th block `_lesson<n>`, which is one for each value; null
        where the block does not compare the record.
    """

    def drawn(rows: pa.Table) -> dict[str, pa.Table]:
        taught = {NUMBER: pa.array(np.arange(len(rows)))}
        known = np.zeros(len(rows), np.bool_)
        for place, (block, share) in enumerate(shares.items()):
            used = _groups(rows, block.rule, spec).used
            wanted = used.drawn(share)
            first = np.full(len(rows), -1, np.int64)
            first[used.numbers[wanted]] = used.first[wanted]
            taught[f"_lesson{place}"] = pa.array(first, mask=first < 0)
            known |= first >= 0
        return {name: pa.table(taught).filter(pa.array(known))}

    name = f"{stem(codes)}_lessons"
    rules = [block.rule for block in shares]
    return engine.computed(drawn, _parts(codes, rules))[name]


def pairs(
    codes: Table, rules: Sequence[Rule], spec: LinkSpec, engine: Engine
) -> tuple[Table, list[Block]]:
    """Each two records that some rule compares, once, and what each of the rules brings.

    Two rows of a register that lists each once, or two valid identifiers that differ,
    are never one. One rule is worked at after the other: the codes of all of them are
    several times what the pairs take.

    Returns:
        `join_key_l` < `join_key_r` (record numbers) and `match_key`, the place of the
        first rule that brings them: what Splink scores.
    """
    name = f"{stem(codes)}_pairs"
    found, counts = {}, []
    for place, rule in enumerate(rules):
        part = f"{name}{place}"
        found[part], told = _compared(codes, rule, spec, engine, part)
        counts.append(told)

    def first(*parts: pa.Table) -> dict[str, pa.Table]:
        made = once([(part[_ENDS[0]], part[_ENDS[1]]) for part in parts], len(rules))
        return {name: pa.table(dict(zip((*_ENDS, "match_key"), made, strict=True)))}

    every = engine.computed(first, *found.values())[name]
    for part in found:
        engine.drop(part)
    return every, _told(rules, counts, engine)


def _counted(
    codes: Table, rule: Rule, spec: LinkSpec, engine: Engine, name: str
) -> Table:
    def counts(rows: pa.Table) -> dict[str, pa.Table]:
        return {name: _counts(_groups(rows, rule, spec))}

    return engine.computed(counts, _parts(codes, [rule]))[name]


def _compared(
    codes: Table, rule: Rule, spec: LinkSpec, engine: Engine, name: str
) -> tuple[Table, Table]:
    """The pairs of one rule, and their counts."""
    told = f"{name}_counts"

    def compare(rows: pa.Table) -> dict[str, pa.Table]:
        numbers = _ints(rows, NUMBER)
        keys, unique = (np.empty_like(numbers) for _ in range(2))
        keys[numbers], unique[numbers] = _ints(rows, KEY), _ints(rows, UNIQUE)
        groups = _groups(rows, rule, spec)
        both = dict(zip(_ENDS, compared(groups, keys, unique), strict=True))
        return {name: pa.table(both), told: _counts(groups)}

    made = engine.computed(compare, _parts(codes, [(KEY, UNIQUE), rule]))
    return made[name], made[told]


def _counts(groups: Groups) -> pa.Table:
    return pa.table({"pairs": [groups.pairs], "left_out": [groups.left_out]})


def _told(
    rules: Sequence[Rule], counts: Sequence[Table], engine: Engine
) -> list[Block]:
    return [
        Block(rule, **engine.arrow(one).to_pylist()[0])
        for rule, one in zip(rules, counts, strict=True)
    ]


def _parts(codes: Table, rules: Sequence[Rule]) -> Table:
    return codes.select(NUMBER, *dict.fromkeys(part for rule in rules for part in rule))


def _groups(rows: pa.Table, rule: Rule, spec: LinkSpec) -> Groups:
    parts = [_ints(rows, part) for part in rule]
    return grouped(_ints(rows, NUMBER), parts, spec.max_block)


def _ints(rows: pa.Table, name: str) -> Ints:
    return np.asarray(
        rows[name].combine_chunks().to_numpy(zero_copy_only=False), np.int64
    )


def _covers(wide: Block, narrow: Rule, whole: Mapping[str, str], records: int) -> bool:
    """Whether the pairs of the narrow rule are, but for few, pairs of the wide one."""
    few = wide.left_out <= FEW_LEFT_OUT * records
    return few and set(wide.rule) <= _implied(narrow, whole)


def _implied(rule: Rule, whole: Mapping[str, str]) -> set[str]:
    """What agrees where a rule's attributes agree: they, and each part of them."""
    return set(rule) | {part for part in whole if whole[part] in rule}
