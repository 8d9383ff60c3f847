"""Where a lead would stand if something about it were otherwise, by the very scorer.

A lead is scored again without its strongest rule, with its strongest features at what is
usual, and with both; the answer is its place in the frozen list, all other units as they
are. Features are changed as the detectors see them: what else was derived from the same
source column stays as it is.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.model import LeadScorer
from training.preprocess import Vector, to_float

FEATURES = 2  # changed at most
# What is changed: the strongest rule or not, and how many of the strongest features.
VARIANTS = ((True, 0), (False, 1), (False, 2), (True, 2))
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be changed, one row a lead.

    Attributes:
        units: row of the lead.
        rules: position of its strongest fired rule, -1 where none fired.
        features: leads x FEATURES, positions of its strongest features; -1 for none.
        values: leads x FEATURES, what they are set to.
        usual: whether that is the population's median, or else what the others let expect.
    """

    units: Positions
    rules: Positions
    features: Positions
    values: Vector
    usual: npt.NDArray[np.bool_]

    def variant(self, with_rule: bool, count: int) -> "Changes":
        """The leads that this variant says something of, the rest of the changes undone."""
        given = (self.features >= 0).sum(axis=1)
        fits = given >= (min(count, 1) if with_rule else count)
        if with_rule or count == FEATURES:
            # Several features alone are only asked about where no rule fired.
            fits &= (self.rules >= 0) == with_rule
        kept = np.arange(FEATURES) < count
        return Changes(
            self.units[fits],
            np.where(with_rule, self.rules, -1)[fits],
            np.where(kept, self.features, -1)[fits],
            self.values[fits],
            self.usual[fits],
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """A whole list, and which of its units are asked about.

    Attributes:
        fused: of all units, as the list has them: falling.
        places: of all units in the order of unit_id, as the list has them.
        ranks: of the units asked about, 1 = first.
    """

    fused: Vector
    places: Positions
    ranks: Positions

    def ranks_at(self, units: Positions, fused: Vector) -> npt.NDArray[np.int64]:
        """The rank that units would have with this `fused`, the others as listed.

        Ties go to the lower unit_id, as in every list. A unit's own place in the list
        is not before it, and does not count for a tie with itself.

        Args:
            units: numbers of units asked about.
        """
        listed = self.ranks[units] - 1
        ahead = np.searchsorted(-self.fused, -fused, side="left")
        end = np.searchsorted(-self.fused, -fused, side="right")
        tied = [
            int(np.searchsorted(self.places[a:b], self.places[own]))
            for a, b, own in zip(ahead, end, listed, strict=True)
        ]
        own = (self.fused[listed] > fused).astype(np.int64)
        return np.asarray(ahead + np.asarray(tied, dtype=np.int64) - own + 1)


def counterfactuals(
    scorer: LeadScorer,
    X: pd.DataFrame,
    H: pd.DataFrame,
    standing: Standing,
    reasons: pd.DataFrame,
) -> pd.DataFrame:
    """COUNTERFACTUALS rows of the units in X and H (same index), without the texts.

    In their place: `rank_now`, `rule` (code, or None) and `feature_<n>`, `value_<n>`,
    `usual_<n>` (False: the value is what the unit's other values let expect, not the
    population's median). `standing` are these units in the whole list, `reasons` theirs
    as `training.explain.explain` gives them.
    """
    changes = _changes(scorer, X, H, reasons)
    variants = [changes.variant(*which) for which in VARIANTS]
    tables = [_told(scorer, X, H, variant) for variant in variants]
    table = pd.concat(tables).sort_values("row", kind="stable", ignore_index=True)
    rows = table["row"].to_numpy(dtype=np.intp)
    table["rank"] = standing.ranks_at(rows, table["fused"].to_numpy(dtype=np.float64))
    table["rank_now"] = standing.ranks[rows].astype(np.int64)
    table.insert(1, "position", table.groupby("row", sort=False).cumcount() + 1)
    return table.drop(columns=["row", "fused"])


def _changes(
    scorer: LeadScorer, X: pd.DataFrame, H: pd.DataFrame, reasons: pd.DataFrame
) -> Changes:
    # What each rule is worth by now, in the one order of codes.
    evidence = scorer.evidence_ if scorer.taught_ is None else scorer.taught_
    fired = evidence.fired(H)
    strongest = fired.argmax(axis=1) if fired.shape[1] else np.zeros(len(X), np.intp)
    fires = fired.max(axis=1, initial=0.0) > 0
    first = reasons[reasons["position"] <= FEATURES]
    at = (
        X.index.get_indexer(pd.Index(first["unit_id"])),
        first["position"].to_numpy() - 1,
    )
    shape = (len(X), FEATURES)
    features, values = np.full(shape, -1, dtype=np.intp), np.full(shape, np.nan)
    usual = np.ones(shape, dtype=np.bool_)
    features[at] = pd.Index(scorer.features).get_indexer(pd.Index(first["feature"]))
    usual[at] = (first["kind"] != "relation").to_numpy()
    values[at] = np.where(usual[at], first["peer_median"], first["expected"])
    rules = np.where(fires, strongest, -1)
    return Changes(np.arange(len(X)), rules, features, values, usual)


def _told(
    scorer: LeadScorer, X: pd.DataFrame, H: pd.DataFrame, changes: Changes
) -> pd.DataFrame:
    """One row a changed lead: what was changed, and its new `fused`."""
    codes = np.asarray([*scorer.evidence_.evidence_, None], dtype=object)
    names = np.asarray([*scorer.features, None], dtype=object)
    columns = {
        "unit_id": X.index.astype(str)[changes.units],
        "row": changes.units,
        "fused": _fused(scorer, X, H, changes),
        "rule": codes[changes.rules],
    }
    for n in range(FEATURES):
        columns[f"feature_{n + 1}"] = names[changes.features[:, n]]
        columns[f"value_{n + 1}"] = changes.values[:, n]
        columns[f"usual_{n + 1}"] = changes.usual[:, n]
    return pd.DataFrame(columns)


def _fused(
    scorer: LeadScorer, X: pd.DataFrame, H: pd.DataFrame, changes: Changes
) -> Vector:
    """`fused` of the changed leads, scored again from features and flags."""
    features = to_float(X[scorer.features])[changes.units]
    flags = H[scorer.rule_codes].fillna(False).to_numpy(dtype=bool)[changes.units]
    for n in range(FEATURES):
        _set(features, changes.features[:, n], changes.values[:, n])
    codes = list(scorer.evidence_.evidence_)
    where = pd.Index(scorer.rule_codes).get_indexer(pd.Index(codes))
    _set(flags, np.append(where, -1)[changes.rules], False)
    index = pd.RangeIndex(len(features)).astype(str)
    scored = scorer.score(
        pd.DataFrame(features, index, scorer.features),
        pd.DataFrame(flags, index, scorer.rule_codes),
    )
    return np.asarray(scored.set_index("unit_id")["fused"].loc[index])


def _set(
    table: npt.NDArray[np.float64] | npt.NDArray[np.bool_],
    columns: Positions,
    values: Vector | bool,
) -> None:
    """One entry a row; nothing where the column is -1."""
    rows = np.flatnonzero(columns >= 0)
    table[rows, columns[rows]] = np.broadcast_to(values, len(columns))[rows]
