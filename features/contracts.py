"""Shape an Ibis table as a contract of `configs.tables` says."""

from collections.abc import Mapping

from ibis.expr.types import Table

from configs.tables import COUNT, FLAG, NUMBER, TEXT, TIME

IBIS_TYPES = {
    TEXT: "string",
    NUMBER: "float64",
    COUNT: "int64",
    TIME: "timestamp(6)",
    FLAG: "boolean",
}


def ibis_schema(contract: Mapping[str, str]) -> dict[str, str]:
    return {name: IBIS_TYPES[kind] for name, kind in contract.items()}


def conform(table: Table, contract: Mapping[str, str], *others: str) -> Table:
    """The contract's columns, in its order and types, then others as they are."""
    wanted = ibis_schema(contract)
    made = {name: table[name].cast(kind) for name, kind in wanted.items()}
    return table.select(**made, **{name: table[name] for name in others})
