"""Changed rules beside those of a past run: what differs, and what they would flag."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from configs.column import open_columns
from configs.errors import DeclarationError, Problem, StoreError
from configs.expressions import Node, names, parse, substitute
from configs.loading import LoadedModel, load_rules, raise_problems
from configs.schema import RuleSpec
from features.rules import SCOPE_LAYER, fires
from flows.archive import FrozenUnits
from flows.catalog import opened
from training.fusion import Rule
from training.rule_changes import RuleSet

Rules = tuple[RuleSpec, ...]
ADDED, CHANGED, REMOVED = "added", "changed", "removed"


def read_changed(path: Path, model: LoadedModel) -> Rules:
    """The changed rules, checked like `rules.yaml`; only what past runs keep is used.

    Raises:
        DeclarationError: the file is missing or not valid, or a rule that differs from
            today's needs a column that no published run keeps.
    """
    if not path.is_file():
        raise DeclarationError(
            f"{path}: no such file; give a copy of {model.folder / model.spec.rules_file} "
            "with your changes"
        )
    rules = load_rules(path, model.known)
    kept = set(open_columns(model.spec, model.known.columns))
    anew = {rule.code for rule in _to_evaluate(rules, model, model.rules)}
    problems = [
        Problem(f"rules[{number}].when", _refusal(rule.code, hidden))
        for number, rule in enumerate(rules)
        if rule.code in anew and (hidden := sorted(_columns(rule) - kept))
    ]
    raise_problems(path, problems)
    return rules


def differences(
    model: LoadedModel, rules: Rules, codes: Iterable[str]
) -> dict[str, str]:
    """Code to 'changed', 'added' or 'removed', for a run that had the rules `codes`.

    A rule that the file leaves as it is today stays as it was in the run, whatever it
    was then: the difference is the file's alone. Wording is no change.
    """
    had, today = set(codes), {rule.code: rule for rule in model.rules}
    found = {}
    for rule in rules:
        if rule.code not in had:
            found[rule.code] = ADDED
        elif not _same(rule, today.get(rule.code)):
            found[rule.code] = CHANGED
    gone = had - {rule.code for rule in rules}
    return found | dict.fromkeys(sorted(gone), REMOVED)


def changed_set(
    model: LoadedModel, rules: Rules, before: RuleSet, units: FrozenUnits
) -> RuleSet:
    """The changed rules with what they flag among a run's frozen units.

    What did not change keeps the flags that it had in the run.

    Raises:
        StoreError: the run's units lack a column that a rule needs.
    """
    anew = _to_evaluate(rules, model, before.rules)
    own = _evaluated(anew, units).loc[before.flags.index]
    kept = [rule.code for rule in rules if rule.code not in own]
    flags = pd.concat([before.flags[kept], own], axis=1)
    return RuleSet(weighed(rules), _gated(flags[[r.code for r in rules]], rules))


def weighed(rules: Iterable[RuleSpec]) -> tuple[Rule, ...]:
    """What the ranking has to know of declared rules."""
    return tuple(Rule(rule.code, rule.layer, rule.precision) for rule in rules)


def _to_evaluate(
    rules: Rules, model: LoadedModel, had: Iterable[Rule | RuleSpec]
) -> list[RuleSpec]:
    """The rules whose flags in a run with the rules `had` do not say what they flag.

    A rule above the scope layer flags nobody outside: where the scope is another, what
    the run flagged says nothing.
    """
    today = {rule.code: rule for rule in model.rules}
    layers = {rule.code: rule.layer for rule in had}

    def stands(rule: RuleSpec) -> bool:
        """Same condition, and on the same side of the scope layer."""
        in_scope = layers.get(rule.code, 0) == SCOPE_LAYER
        return (
            rule.code in layers
            and in_scope == (rule.layer == SCOPE_LAYER)
            and _condition(rule) == _condition(today.get(rule.code))
        )

    scope = {rule.code for rule in rules if rule.layer == SCOPE_LAYER}
    had_scope = {code for code, layer in layers.items() if layer == SCOPE_LAYER}
    same = scope == had_scope and all(stands(r) for r in rules if r.code in scope)
    return [r for r in rules if not (stands(r) and (same or r.code in scope))]


def _evaluated(rules: Sequence[RuleSpec], units: FrozenUnits) -> pd.DataFrame:
    """Units x codes: where each rule's own condition is true, indexed by unit_id."""
    wanted = sorted({name for rule in rules for name in _columns(rule)})
    there = units.columns
    missing = [name for name in wanted if name not in there]
    if missing:
        code = next(rule.code for rule in rules if missing[0] in _columns(rule))
        raise StoreError(
            f"rule {code} needs {missing[0]!r}, which the run did not keep"
        )
    rows = units.read(wanted)
    with TemporaryDirectory() as folder, opened(Path(folder)) as catalog:
        table = catalog.register("frozen_units", rows)
        found = table.select("unit_id", **{r.code: fires(table, r) for r in rules})
        frame: pd.DataFrame = catalog.arrow(found).to_pandas()
    return frame.set_index("unit_id")


def _gated(flags: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Above the scope layer only units that some scope rule lets in are flagged."""
    scope = [rule.code for rule in rules if rule.layer == SCOPE_LAYER]
    evident = [rule.code for rule in rules if rule.layer != SCOPE_LAYER]
    if not scope:
        return flags
    inside = flags[scope].any(axis=1)
    return flags.assign(**{code: flags[code] & inside for code in evident})


def _refusal(code: str, hidden: Sequence[str]) -> str:
    listed = ", ".join(map(repr, hidden))
    return (
        f"rule {code} cannot be tested on past lists: it needs {listed}, and published runs "
        "keep no sensitive columns; declare the yes-or-no question under features: derive, "
        "score once, and let the rule use its answer"
    )


def _same(rule: RuleSpec, other: RuleSpec | None) -> bool:
    """Equal in all that the ranking sees; wording is no change."""
    return (
        other is not None
        and _condition(rule) == _condition(other)
        and (rule.layer, rule.precision) == (other.layer, other.precision)
    )


def _condition(rule: RuleSpec | None) -> Node | None:
    """What the rule asks, with its parameters filled in, however it is written."""
    return substitute(parse(rule.when), rule.params) if rule else None


def _columns(rule: RuleSpec) -> set[str]:
    return set(names(parse(rule.when))) - set(rule.params)
