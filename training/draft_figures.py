"""What is known of a draft rule before anybody accepts it.

Precision is that of reviewed hits, and reviews start at the head of a list: it says
little of hits that nobody has looked at. The draft was also chosen to fit these very
leads; the held-out figures repeat the search without each case in turn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from training.conditions import Condition, Mask
from training.draft_rules import Class, search
from training.rule_evidence import share_interval
from training.traits import Members, Positions

FOLDS = 5
DAYS_A_YEAR, DAYS_A_WEEK = 365, 7
Dates = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Precision:
    """Confirmed of reviewed hits, a ring counting once, with a 95 % Jeffreys interval.

    `confirmed` and `judged` are cases, in parts where a ring was judged in two ways.
    """

    confirmed: float
    judged: float
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """None where no hit was reviewed."""
        return self.confirmed / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Drafts found without some cases, put to these cases.

    Attributes:
        folds: how many times the search was repeated.
        support: of the held-out cases, the share that the draft found.
    """

    folds: int
    support: float
    precision: Precision


@dataclass(frozen=True, slots=True)
class Figures:
    """One draft, measured.

    Attributes:
        support: cases of the class on which it holds, in parts of a ring.
        cases, leads, leads_hit: of the class.
        confirmed, excluded: reviewed leads of any class among its hits.
        hits: units of the whole population, `new` of which no rule hits today and
            `unreviewed` of which nobody has judged.
        a_week: hits of the last year (less, where the dates span less); None undated.
        lift: share of the cases over the share of the other units.
        overlap: share of the hits that each rule hits already, the largest first.
    """

    support: float
    cases: int
    leads: int
    leads_hit: int
    confirmed: int
    excluded: int
    precision: Precision
    hits: int
    new: int
    unreviewed: int
    a_week: float | None
    lift: float
    overlap: dict[str, float]
    held_out: HeldOut


def figures(
    conditions: Sequence[Condition], of: Class, dates: Dates | None = None
) -> Figures:
    """Measure a draft on its class, on everything judged and on all units.

    Args:
        dates: of each unit, NaT where unknown.
    """
    facts, members, judged = of.facts, of.members, of.judged
    hit = facts.all_hold(conditions) & of.inside
    own, labels = hit[members.rows], judged.labels[hit[judged.rows]]
    known = np.zeros(len(facts), dtype=bool)
    known[judged.rows] = True
    flags = facts.flags.fillna(False).to_numpy(dtype=bool)
    support = float(own @ members.weights)
    return Figures(
        support=support,
        cases=members.case_count,
        leads=len(members.rows),
        leads_hit=int(own.sum()),
        confirmed=int((labels == 1).sum()),
        excluded=int((labels == 0).sum()),
        precision=_precision(*judged.counted(hit[judged.rows][None, :])),
        hits=int(hit.sum()),
        new=int((hit & ~flags.any(axis=1)).sum()),
        unreviewed=int((hit & ~known).sum()),
        a_week=a_week(hit, dates) if dates is not None else None,
        lift=_lift(support / members.case_count, hit, of),
        overlap=_overlap(hit, flags, [str(c) for c in facts.flags.columns]),
        held_out=held_out(of),
    )


def held_out(of: Class) -> HeldOut:
    """Search anew without each fold of cases, and put the draft to what was left out.

    Of judged leads of other classes each fold leaves some out, too. A fold in which no
    draft is found finds nothing; of two cases each is looked for with the other alone.
    """
    own = _fold_of(of.members.cases)
    judged = _folds_of_judged(of, own)
    found, confirmed, seen = 0.0, 0.0, 0.0
    folds = range(int(own.max(initial=0)) + 1)
    for fold in folds:
        draft = search(_without(of, own != fold, judged != fold))
        if draft is None:
            continue
        hit = of.facts.all_hold(draft) & of.inside
        found += float((hit[of.members.rows] * of.members.weights)[own == fold].sum())
        left = of.judged.where(judged == fold)
        right, of_all = left.counted(hit[left.rows][None, :])
        confirmed, seen = confirmed + float(right[0]), seen + float(of_all[0])
    share = found / of.members.case_count
    return HeldOut(len(folds), share, _precision(confirmed, seen))


def a_week(hit: Mask, dates: Dates) -> float:
    """Hits a week among the units of the last year that there are dates of."""
    known = ~np.isnat(dates)
    if not known.any():
        return 0.0
    last = dates[known].max()
    span = (last - dates[known].min()) / np.timedelta64(1, "D")
    days = min(DAYS_A_YEAR, max(float(span), DAYS_A_WEEK))
    recent = known & (dates > last - np.timedelta64(int(days * 86_400), "s"))
    return float((hit & recent).sum() / (days / DAYS_A_WEEK))


def _fold_of(cases: Positions) -> Positions:
    """The fold of each lead: whole cases in turn, those of most leads first."""
    names, place, sizes = np.unique(cases, return_inverse=True, return_counts=True)
    folds = min(FOLDS, len(names))
    turn = np.empty(len(names), dtype=np.intp)
    turn[np.lexsort((names, -sizes))] = np.arange(len(names))
    return np.asarray(turn[place] % max(folds, 1))


def _folds_of_judged(of: Class, own: Positions) -> Positions:
    """Of each judged lead: that of its case in the class, else in turn."""
    fold_of_case = dict(zip(of.members.cases.tolist(), own.tolist(), strict=True))
    folds = int(own.max(initial=0)) + 1
    others = _others_in_turn(np.unique(of.judged.cases), fold_of_case, folds)
    known = fold_of_case | dict(others)
    return np.array([known[case] for case in of.judged.cases.tolist()], dtype=np.intp)


def _others_in_turn(
    cases: Positions, placed: dict[int, int], folds: int
) -> Iterator[tuple[int, int]]:
    rest = [case for case in cases.tolist() if case not in placed]
    for turn, case in enumerate(rest):
        yield case, turn % folds


def _without(of: Class, kept: Mask, judged: Mask) -> Class:
    members = Members(of.members.rows[kept], of.members.cases[kept])
    return replace(of, members=members, judged=of.judged.where(judged))


def _precision(confirmed: float | np.ndarray, judged: float | np.ndarray) -> Precision:
    right, seen = float(np.sum(confirmed)), float(np.sum(judged))
    low, high = share_interval(right, seen)
    return Precision(right, seen, float(low), float(high))


def _lift(share: float, hit: Mask, of: Class) -> float:
    """One hit more than counted, for want of knowledge, as in the search."""
    outside = of.inside.copy()
    outside[of.members.rows] = False
    rate = (int((hit & outside).sum()) + 1.0) / (int(outside.sum()) + 2.0)
    return share / rate


def _overlap(
    hit: Mask, flags: npt.NDArray[np.bool_], codes: list[str]
) -> dict[str, float]:
    shares = flags[hit].mean(axis=0) if hit.any() else np.zeros(len(codes))
    order = np.argsort(-shares, kind="stable")
    return {codes[i]: float(shares[i]) for i in order if shares[i] > 0}
