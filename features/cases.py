"""Golden cases of the rules as one table, and which of them the rules contradict."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
from ibis.expr.types import Table

from configs.cases import Cases, CaseSpec
from configs.expressions import Kind, names, parse
from configs.loading import LoadedModel
from configs.schema import RuleSpec
from features.rules import fires

_TYPES = {
    "number": "float64",
    "boolean": "boolean",
    "text": "string",
    "time": "timestamp(6)",
    "null": "string",
}
_OWN = {
    "_code": "string",
    "_number": "int64",
    "_case": "string",
    "_expected": "boolean",
}


def case_failures(model: LoadedModel, cases: Cases) -> Table:
    """`code`, `number` (from 1), `case`, `expected` of each case that a rule contradicts.

    Each case meets its rule's own condition: the scope layer does not gate it.
    """
    rules = [rule for rule in model.rules if rule.code in cases]
    table = case_table(model, cases)
    fired = ibis.cases(
        *((table["_code"] == rule.code, fires(table, rule)) for rule in rules),
        else_=ibis.null("boolean"),
    )
    # Null: a case of a rule that does not exist fits nothing.
    wrong = table.filter(~(fired == table["_expected"]).fill_null(False))
    return wrong.select(**{name.removeprefix("_"): wrong[name] for name in _OWN})


def case_table(model: LoadedModel, cases: Cases) -> Table:
    """One row per case, with every column that some rule uses."""
    used = sorted({name for rule in model.rules for name in _columns(rule)})
    kinds = {name: model.known.kinds[name] for name in used}
    rows = [
        (code, number, case.case, case.fires, *_values(case, kinds))
        for code, listed in cases.items()
        for number, case in enumerate(listed, 1)
    ]
    schema = _OWN | {name: _TYPES[kind] for name, kind in kinds.items()}
    return ibis.memtable(rows, schema=schema)


def _columns(rule: RuleSpec) -> set[str]:
    return set(names(parse(rule.when))) - set(rule.params)


def _values(case: CaseSpec, kinds: Mapping[str, Kind]) -> list[Any]:
    return [_value(case.given.get(name), kind) for name, kind in kinds.items()]


def _value(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if kind == "number":
        return float(value)
    return datetime.fromisoformat(value) if kind == "time" else value
