"""What each screening rule brings that nothing else does, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.fusion import RuleEvidence
from training.preprocess import Vector
from training.reorder import Mask, Population
from training.rule_evidence import flags_of, reviewed_hits, share_interval


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Units of the population that people have judged, as masks over it."""

    confirmed: Mask
    cleared: Mask

    @property
    def judged(self) -> Mask:
        return np.asarray(self.confirmed | self.cleared)

    def counts(self, name: str, units: Mask) -> dict[str, int | None]:
        """`name`: how many units; beside it how many of them were judged which way.

        Null when nobody of the population was judged.
        """
        any_judged = bool(self.judged.any())
        parts = {"confirmed": self.confirmed, "cleared": self.cleared}
        beside = {
            f"{name}_{verdict}": int((units & mask).sum()) if any_judged else None
            for verdict, mask in parts.items()
        }
        return {name: int(units.sum()), **beside}


def reviewed_units(unit_ids: Sequence[str], labels: pd.DataFrame) -> Reviewed:
    """Where the population's units stand confirmed or cleared; others take no part."""
    known = labels.dropna(subset="label").set_index("unit_id")["label"]
    found = known.reindex(list(unit_ids)).to_numpy(dtype=np.float64)
    return Reviewed(found == 1.0, found == 0.0)


def rule_yields(
    population: Population,
    H: pd.DataFrame,
    evidence: RuleEvidence,
    labels: pd.DataFrame,
    capacity: int,
) -> pd.DataFrame:
    """One row per rule of layers 2-4, in the order of the rules.

    - `evidence`: log-odds that the rule adds when it fires alone;
    - `hits`; `alone`: units that no other rule of layers 2-4 hit and that the
      detectors' score does not hold in the first `capacity`;
    - `precision`, `low`, `high`: share of the judged hits that was confirmed, a ring
      counting once, with its 95 % Jeffreys interval;
    - `false_leads`: cleared hits per confirmed one, a ring counting once;
    - `leave`, `enter`: units that would leave and enter the first `capacity` of the
      fused order without the rule.

    Each of `hits`, `alone`, `leave` and `enter` has `_confirmed` and `_cleared` beside
    it: how many of those units people confirmed and cleared; null when the population
    holds no judged unit. Without the rule the other rules' evidence and the detectors
    stay as they are; the evidence of similar units falls with it.

    Args:
        population: the scored units.
        H: units x flags, in the population's order.
        evidence: fitted evidence of the rules.
        labels: LABELS of any units.
        capacity: units that are reviewed in a week.
    """
    codes = list(evidence.evidence_)
    hits = flags_of(H[codes]) > 0
    reviewed = reviewed_units(population.unit_ids, labels)
    seen = population.first(population.score, capacity)
    alone = hits & (hits.sum(axis=1) == 1)[:, None] & ~seen[:, None]
    found = [
        reviewed.counts("hits", hit) | reviewed.counts("alone", only)
        for hit, only in zip(hits.T, alone.T, strict=True)
    ]
    trust = {"code": codes, "evidence": list(evidence.evidence_.values())}
    parts = [
        pd.DataFrame(trust),
        _table(found),
        _shares(codes, H, labels),
        without_each(population, H, evidence, reviewed, capacity),
    ]
    return pd.concat(parts, axis=1)


def without_each(
    population: Population,
    H: pd.DataFrame,
    evidence: RuleEvidence,
    reviewed: Reviewed,
    capacity: int,
) -> pd.DataFrame:
    """Per rule: who would leave and enter the first `capacity` of the fused order."""

    def first(flags: pd.DataFrame) -> Mask:
        fused = population.fused(evidence.damped(flags), flags)
        return population.first(fused, capacity)

    before = first(H)
    rows = []
    for code in evidence.evidence_:
        after = first(H.assign(**{code: False})) if H[code].any() else before
        leave, enter = before & ~after, after & ~before
        rows.append(reviewed.counts("leave", leave) | reviewed.counts("enter", enter))
    return _table(rows)


def _shares(
    codes: Sequence[str], H: pd.DataFrame, labels: pd.DataFrame
) -> pd.DataFrame:
    """Precision of the judged hits with its interval, and false leads per case."""
    cases = reviewed_hits(codes, H, labels)
    judged, confirmed = (
        cases[n].to_numpy(dtype=float) for n in ("judged", "confirmed")
    )
    low, high = (
        np.where(judged > 0, bound, np.nan)
        for bound in share_interval(confirmed, judged)
    )
    columns = {
        "precision": _ratio(confirmed, judged),
        "low": low,
        "high": high,
        "false_leads": _ratio(judged - confirmed, confirmed),
    }
    return pd.DataFrame(columns)


def _ratio(part: Vector, whole: Vector) -> Vector:
    """NaN where there is nothing to divide by."""
    empty = np.full(len(part), np.nan)
    return np.asarray(np.divide(part, whole, out=empty, where=whole > 0))


def _table(rows: list[dict[str, int | None]]) -> pd.DataFrame:
    """Counts that may be null, as whole numbers."""
    return pd.DataFrame(rows).astype("Int64") if rows else pd.DataFrame()
