"""Golden cases: for each rule, values with which it must and must not fire.

A model's `cases.yaml` maps a rule code to its cases. Columns that a case does not give
are null. Every rule has a hit, a near miss that gives all of the rule's columns, and a
case that leaves some of them null.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, RootModel

from configs.errors import Problem, nearest
from configs.expressions import Kind, names, parse
from configs.loading import LoadedModel, raise_problems, read_spec
from configs.schema import RuleSpec
from configs.spec import Spec

CASES = "cases.yaml"
CASE_KINDS = ("hit", "near miss", "null")


def _iso_text(value: Any) -> Any:
    """YAML reads an unquoted date as one; here dates are ISO text."""
    return value.isoformat() if isinstance(value, date) else value


Given = Annotated[str | int | float | bool | None, BeforeValidator(_iso_text)]


class CaseSpec(Spec):
    """One golden case of one rule."""

    case: Literal["hit", "near miss", "null"]
    given: Mapping[str, Given] = Field(default_factory=dict)
    fires: bool
    note: str = ""


class CasesFile(RootModel[dict[str, tuple[CaseSpec, ...]]]):
    """Rule code -> its cases."""


Cases = Mapping[str, tuple[CaseSpec, ...]]


def load_cases(model: LoadedModel) -> Cases:
    """Read and check the cases of a model.

    Raises:
        DeclarationError: the file is missing, a name or value does not fit, or a rule
            lacks a hit, a near miss or a null case; all are listed with their lines.
    """
    path = model.folder / CASES
    cases = read_spec(path, CasesFile).root
    raise_problems(path, case_problems(model, cases))
    return cases


def case_problems(model: LoadedModel, cases: Cases) -> list[Problem]:
    """What is wrong with cases that can be read."""
    rules = {rule.code: rule for rule in model.rules}
    problems = [
        Problem(code, f"no rule {code!r}{nearest(code, rules)}")
        for code in cases
        if code not in rules
    ]
    for code, rule in rules.items():
        given = cases.get(code, ())
        there = {case.case for case in given}
        lacking = [kind for kind in CASE_KINDS if kind not in there]
        if lacking:
            problems.append(Problem(code, f"has no case: {', '.join(lacking)}"))
        for number, case in enumerate(given):
            problems += _one_case(f"{code}[{number}]", case, rule, model)
    return problems


def _one_case(
    where: str, case: CaseSpec, rule: RuleSpec, model: LoadedModel
) -> list[Problem]:
    used = set(names(parse(rule.when))) - set(rule.params)
    kinds = {name: kind for name, kind in model.known.kinds.items() if name in used}
    problems = [
        Problem(f"{where}.given.{name}", fault)
        for name, value in case.given.items()
        if (fault := _value_fault(name, value, rule, kinds))
    ]
    unknown = sorted(used - {n for n, v in case.given.items() if v is not None})
    if case.case == "near miss" and unknown:
        message = f"a near miss gives every column; missing: {', '.join(unknown)}"
        problems.append(Problem(f"{where}.given", message))
    if case.case == "null" and not unknown:
        problems.append(Problem(f"{where}.given", "leaves no column null"))
    if case.case != "null" and case.fires is not (case.case == "hit"):
        wanted = "fires" if case.case == "hit" else "does not fire"
        problems.append(Problem(f"{where}.fires", f"a {case.case} {wanted}"))
    return problems


def _value_fault(
    name: str, value: Any, rule: RuleSpec, kinds: Mapping[str, Kind]
) -> str:
    if name not in kinds:
        return f"{rule.code} does not use {name!r}{nearest(name, kinds)}"
    if value is None or _fits(value, kinds[name]):
        return ""
    wanted = {"time": "a date as ISO text", "text": "text"}.get(
        kinds[name], f"a {kinds[name]}"
    )
    return f"got {value!r}: must be {wanted}"


def _fits(value: Any, kind: Kind) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) and (kind == "text" or _is_iso(value))


def _is_iso(text: str) -> bool:
    try:
        return bool(datetime.fromisoformat(text))
    except ValueError:
        return False
