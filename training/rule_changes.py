"""What changed rules would have done to a past list: pure comparisons of two sets.

The detectors' score and who is like whom stay as they were, so a difference is that of
the rules alone. Both sets of rules are weighed from stated precision, layer and
agreement (`evidence_of`), not from reviews: the same reviews judge the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from training.fusion import SCOPE_LAYER, Rule
from training.preprocess import Vector
from training.reorder import Mask, Population, evidence_of
from training.rule_evidence import flags_of, reviewed_hits, share_interval
from training.yields import Reviewed, reviewed_units

ORDERS = ("rules", "fused")
ALL = "all"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules and what they flag: units x codes, in the order of the population."""

    rules: tuple[Rule, ...]
    flags: pd.DataFrame

    def with_rule(self, code: str, other: "RuleSet") -> "RuleSet":
        """This set, but with the rule `code` as the other set has it, or without it."""
        rules = {r.code: r for r in self.rules if r.code != code}
        rules |= {r.code: r for r in other.rules if r.code == code}
        flags = self.flags.drop(columns=code, errors="ignore")
        if code in rules:
            flags = flags.assign(**{code: other.flags[code]})
        return RuleSet(tuple(rules.values()), flags)

    def hit(self, code: str) -> Mask:
        """Which units a rule flags; nobody where there is no such rule."""
        if code not in self.flags:
            return np.zeros(len(self.flags), dtype=np.bool_)
        return flags_of(self.flags[[code]])[:, 0] > 0

    @property
    def evident(self) -> list[str]:
        """Codes above the scope layer."""
        return [rule.code for rule in self.rules if rule.layer > SCOPE_LAYER]


@dataclass(frozen=True, slots=True)
class Past:
    """A past list: its units, what is at stake, what people said of them since."""

    population: Population
    money: Vector | None  # yuan, NaN where unknown
    labels: pd.DataFrame  # LABELS
    capacity: int

    @property
    def reviewed(self) -> Reviewed:
        return reviewed_units(self.population.unit_ids, self.labels)

    def firsts(self, rule_set: RuleSet) -> dict[str, Mask]:
        """The first `capacity` units of the rules order and of the fused order.

        The rules order ends where no rule says anything.
        """
        evidence = evidence_of(rule_set.rules, rule_set.flags)
        alone, damped = (
            evidence.log_odds(rule_set.flags),
            evidence.damped(rule_set.flags),
        )
        fused = self.population.fused(damped, rule_set.flags)
        return {
            "rules": self.population.first(alone, self.capacity) & (alone > 0),
            "fused": self.population.first(fused, self.capacity),
        }


def list_changes(past: Past, before: RuleSet, after: RuleSet) -> list[dict[str, Any]]:
    """Per order who enters and leaves the first `capacity`, with money and reviews."""
    was, would = past.firsts(before), past.firsts(after)
    reviewed = past.reviewed
    rows = []
    for order in ORDERS:
        enter, leave = would[order] & ~was[order], was[order] & ~would[order]
        row: dict[str, Any] = {
            "order": order,
            "stay": int((was[order] & would[order]).sum()),
        }
        for name, units in (("enter", enter), ("leave", leave)):
            row |= reviewed.counts(name, units)
            row[f"{name}_unjudged"] = int((units & ~reviewed.judged).sum())
            row[f"{name}_money"] = _money(past.money, units)
        rows.append(row)
    return rows


def hit_changes(past: Past, before: Mask, after: Mask) -> dict[str, Any]:
    """One rule's hits before and after, against what people said of the units.

    Of the confirmed hits `kept`, `lost` and `gained`; of the cleared ones `kept`,
    `avoided` and `added`, null when the list holds no judged unit; `new_unjudged` are
    new hits that nobody has judged.
    Precision counts a ring once; intervals are Jeffreys' at 95 %.
    """
    reviewed = past.reviewed
    kept, lost, new = before & after, before & ~after, after & ~before
    said = {
        "confirmed_kept": reviewed.confirmed & kept,
        "confirmed_lost": reviewed.confirmed & lost,
        "confirmed_gained": reviewed.confirmed & new,
        "cleared_kept": reviewed.cleared & kept,
        "cleared_avoided": reviewed.cleared & lost,
        "cleared_added": reviewed.cleared & new,
    }
    any_judged = bool(reviewed.judged.any())
    return {
        "hits_before": int(before.sum()),
        "hits_after": int(after.sum()),
        **{n: int(units.sum()) if any_judged else None for n, units in said.items()},
        "new_unjudged": int((new & ~reviewed.judged).sum()),
        **_precisions(past, before, after),
    }


def any_hit(rule_set: RuleSet) -> Mask:
    """Units that some rule above the scope layer flags."""
    codes = rule_set.evident
    return np.asarray((flags_of(rule_set.flags[codes]) > 0).any(axis=1))


def compared(
    past: Past, before: RuleSet, after: RuleSet, changed: Sequence[str]
) -> list[dict[str, Any]]:
    """Each changed rule by itself, then all together (`all`).

    A row holds `code`, the columns of `hit_changes`, and `lists`, the rows of
    `list_changes`. By itself means: every other rule as before. A scope rule by itself
    takes along what it lets the unchanged rules flag.
    """
    rows = []
    for code in changed:
        alone = _alone(before, after, code, changed)
        rows.append(
            {"code": code}
            | hit_changes(past, before.hit(code), after.hit(code))
            | {"lists": list_changes(past, before, alone)}
        )
    together = hit_changes(past, any_hit(before), any_hit(after))
    lists = list_changes(past, before, after)
    return [*rows, {"code": ALL} | together | {"lists": lists}]


def _alone(
    before: RuleSet, after: RuleSet, code: str, changed: Sequence[str]
) -> RuleSet:
    moved = before.with_rule(code, after)
    scope = {r.code for s in (before, after) for r in s.rules if r.layer == SCOPE_LAYER}
    if code not in scope:
        return moved
    unchanged = [c for c in before.flags if c not in changed and c in after.flags]
    return replace(moved, flags=moved.flags.assign(**dict(after.flags[unchanged])))


def _precisions(past: Past, before: Mask, after: Mask) -> dict[str, float | None]:
    """Of the judged hits before and after, the confirmed share with its interval."""
    hits = {"before": before, "after": after}
    flags = pd.DataFrame(hits, index=past.population.unit_ids)
    cases = reviewed_hits(list(hits), flags, past.labels)
    judged = cases["judged"].to_numpy(dtype=np.float64)
    confirmed = cases["confirmed"].to_numpy(dtype=np.float64)
    low, high = share_interval(confirmed, judged)
    share = confirmed / np.where(judged > 0, judged, 1.0)
    shares = {"precision": share, "low": low, "high": high}
    return {
        f"{name}_{side}": float(values[place]) if judged[place] > 0 else None
        for place, side in enumerate(hits)
        for name, values in shares.items()
    }


def _money(money: Vector | None, units: Mask) -> float | None:
    return None if money is None else float(np.nansum(money[units]))
