"""Screening rules: flags per unit, hits with reasons, and the funnel by layer."""

from functools import reduce
from typing import Any

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table

from configs.expressions import parse, substitute
from configs.schema import RuleSpec
from configs.tables import RULE_HITS
from configs.templates import Slot, split
from features.contracts import conform, ibis_schema
from features.expressions import compile_node, constant, rounded

SCOPE_LAYER = 1
_FIRED = "_fired_"
Rules = tuple[RuleSpec, ...]
Words = tuple[str, str]  # for true and for false


def rule_flags(units: Table, rules: Rules) -> Table:
    """`unit_id`, `as_of` and one flag per rule code; unknown never fires.

    Rules above the scope layer fire only for units that some scope rule lets in.
    """
    fired = {rule.code: fires(units, rule) for rule in rules}
    scope = [fired[rule.code] for rule in rules if rule.layer == SCOPE_LAYER]
    if scope:
        inside = reduce(lambda a, b: a | b, scope)
        for rule in rules:
            if rule.layer > SCOPE_LAYER:
                fired[rule.code] &= inside
    return units.select("unit_id", "as_of", **fired)


def rule_hits(units: Table, flags: Table, rules: Rules) -> Table:
    """One row per unit and rule that fired, its numbers filled into both reasons."""
    # Engines do not tell V1 from a column v1; the prefix does.
    fired = flags.select("unit_id", **{_FIRED + r.code: flags[r.code] for r in rules})
    joined = units.inner_join(fired, "unit_id")
    parts = [_hits_of(joined, rule) for rule in rules]
    empty = ibis.memtable([], schema=ibis_schema(RULE_HITS))
    return reduce(lambda a, b: a.union(b), parts) if parts else empty


def funnel(flags: Table, rules: Rules) -> Table:
    """Per layer: units with a hit in it, and units left after it.

    A unit is left after a layer when it has a hit in that layer and in all before it.
    """
    layers = sorted({rule.layer for rule in rules})
    counts: dict[str, Any] = {"units": flags.count()}
    left: Any = ibis.literal(True)
    for layer in layers:
        codes = [rule.code for rule in rules if rule.layer == layer]
        hit = reduce(lambda a, b: a | b, (flags[code] for code in codes))
        left = left & hit
        counts[f"hit_{layer}"] = hit.sum().fill_null(0)
        counts[f"left_{layer}"] = left.sum().fill_null(0)
    return flags.aggregate(**counts)


def fires(units: Table, rule: RuleSpec) -> BooleanValue:
    """The rule's own condition, whatever its layer; unknown is false."""
    node = substitute(parse(rule.when), rule.params)
    return compile_node(node, units).cast("boolean").fill_null(False)


def _hits_of(joined: Table, rule: RuleSpec) -> Table:
    rows = joined.filter(joined[_FIRED + rule.code])
    hits = rows.select(
        "unit_id",
        "as_of",
        code=ibis.literal(rule.code),
        layer=ibis.literal(rule.layer),
        reason_en=_filled(rows, rule.reason.en, rule, ("yes", "no")),
        reason_zh=_filled(rows, rule.reason.zh, rule, ("是", "否")),
    )
    return conform(hits, RULE_HITS)


def _filled(rows: Table, template: str, rule: RuleSpec, words: Words) -> StringValue:
    parts = [
        ibis.literal(part) if isinstance(part, str) else _shown(rows, part, rule, words)
        for part in split(template)
    ]
    return reduce(lambda a, b: a + b, parts)


def _shown(rows: Table, slot: Slot, rule: RuleSpec, words: Words) -> StringValue:
    value: Any = (
        constant(rule.params[slot.name])
        if slot.name in rule.params
        else rows[slot.name]
    )
    text = (
        _number_text(value, slot)
        if value.type().is_numeric()
        else _plain_text(value, words)
    )
    return text.fill_null("?")


def _plain_text(value: Any, words: Words) -> StringValue:
    if value.type().is_boolean():
        yes, no = words
        return ibis.cases((value, yes), (~value, no))
    return (
        value.date().cast("string")
        if value.type().is_timestamp()
        else value.cast("string")
    )


def _number_text(value: Any, slot: Slot) -> StringValue:
    """At most two decimals unless the slot says how many; whole numbers without any."""
    scaled = value.cast("float64") * (100.0 if slot.percent else 1.0)
    text = _digits(scaled, 2 if slot.decimals is None else slot.decimals)
    if slot.decimals is None:
        text = text.re_replace(r"\.?0+$", "")
    return text + "%" if slot.percent else text


def _digits(value: Any, decimals: int) -> StringValue:
    """Digits without an exponent; unknown where there would be thirty of them."""
    nearest = value.round(decimals) if decimals else rounded(value)
    return (nearest + 0.0).try_cast(f"decimal(38, {decimals})").cast("string")
