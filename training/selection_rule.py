"""Challenger against champion: what would change, who was right later, what follows.

Both have scored the same frozen list. Reviews that the challenger may have learnt from
prove nothing about it; only later ones are counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from configs.errors import LeadlineError
from training.preprocess import Vector

Decision = Literal["promote", "keep", "undecided"]
Codes = npt.NDArray[np.int64]  # of examples, from 0

# One-sided error of 5 %: a worse challenger passes in one case of twenty. The interval
# is the percentile bootstrap's (Efron & Tibshirani 1993, ch. 13), paired because both
# orders are judged by the same reviews.
LEVEL = 0.90
RESAMPLES = 2_000
# Equal models must be able to pass, as in trials of non-inferiority (Piaggio et al. 2012,
# CONSORT). How much may be lost is an assumption, stated before anything is compared.
MARGIN = 0.02
# Rule of thumb for shares: neither outcome seen fewer than ten times (np >= 10).
MIN_EACH = 10

RULE = f"""\
A challenger may take the champion's place when
(1) at least {MIN_EACH} confirmed and {MIN_EACH} excluded examples were decided after it was \
trained, none of which it or the champion has learnt from (a ring is one example; a ring \
with an earlier decision is left out), and
(2) its average precision on these, less the champion's, has a lower bound of at least \
-{MARGIN} ({LEVEL:.0%} interval of {RESAMPLES:,} paired resamples of whole rings).
Too few: undecided. Enough, but (2) fails: keep the champion. Units that nobody judged take \
no part. A person decides; a second one approves.
挑战者模型须同时满足以下两条，方可接替现任模型：
（一）其训练之后新作出核查结论的样本中，属实与排除各不少于{MIN_EACH}个，且两个模型均未曾学习过这些样本\
（一个团伙计为一个样本；团伙内已有较早结论的，整个团伙不计）；
（二）在这些样本上，其平均精度减去现任模型平均精度，{LEVEL:.0%}区间（按团伙成对重抽样{RESAMPLES:,}次）的\
下限不低于-{MARGIN}。
样本不足：暂不下结论。样本足够而（二）不满足：保留现任模型。未经核查的对象不参与比较。是否更换由人决定，\
并由第二人批准。
"""

_CHUNK = 200  # resamples computed at a time: bounds memory at 5,000 reviews to 8 MB


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the written rule says, and why."""

    decision: Decision
    text_en: str
    text_zh: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on one frozen list of `units` units.

    `entering` and `leaving` have unit_id, rank_champion and rank_challenger; `measures`
    one row per measure with champion, challenger, difference, low and high (NaN where
    nothing was judged).
    """

    k: int
    units: int
    overlap: float  # share of the champion's first k among the challenger's
    rank_correlation: float  # Spearman's, over all units
    entering: pd.DataFrame
    leaving: pd.DataFrame
    reviews: int  # later ones, of units on this list
    confirmed: int  # examples among them: a ring counts once
    excluded: int
    measures: pd.DataFrame
    verdict: Verdict


def later_reviews(
    labels: pd.DataFrame, trained_at: datetime, seen: pd.DataFrame
) -> pd.DataFrame:
    """The rows of LABELS that no model trained by `trained_at` can have learnt from.

    Args:
        labels: LABELS as they stand now; `decided_at` in UTC.
        trained_at: in UTC, with its zone.
        seen: LABELS as they stood at `trained_at`. A unit that had a label then is left
            out though its decision was changed since, and so is its whole ring.
    """
    known = labels["unit_id"].isin(seen["unit_id"])
    rings = pd.concat([seen["group_id"], labels.loc[known, "group_id"]]).dropna()
    decided = pd.to_datetime(labels["decided_at"], utc=True)
    return labels[
        (decided > trained_at) & ~known & ~labels["group_id"].isin(set(rings))
    ]


def compare(
    champion: pd.DataFrame,
    challenger: pd.DataFrame,
    later: pd.DataFrame,
    *,
    k: int,
    seed: int = 0,
) -> Comparison:
    """Compare two SCORES tables of the same units by their fused order.

    Args:
        later: LABELS of `later_reviews`; units that are not on the list are ignored.
        k: the first k count, usually the weekly capacity.

    Raises:
        LeadlineError: the tables do not speak of the same units.
    """
    ranks = _ranks(champion, challenger)
    k = min(k, len(ranks))
    judged = _examples(ranks, later)
    positive = judged["label"] > 0
    confirmed, excluded = (_count(judged[which]) for which in (positive, ~positive))
    measures = _measures(judged, k, seed)
    in_first = ranks <= k
    entering = ranks[in_first["rank_challenger"] & ~in_first["rank_champion"]]
    leaving = ranks[in_first["rank_champion"] & ~in_first["rank_challenger"]]
    return Comparison(
        k=k,
        units=len(ranks),
        overlap=float(in_first.all(axis=1).sum() / k),
        rank_correlation=_correlation(ranks),
        entering=entering.sort_values("rank_challenger").reset_index(),
        leaving=leaving.sort_values("rank_champion").reset_index(),
        reviews=len(judged),
        confirmed=confirmed,
        excluded=excluded,
        measures=measures,
        verdict=verdict(confirmed, excluded, measures.iloc[0]),
    )


def verdict(confirmed: int, excluded: int, measured: pd.Series) -> Verdict:
    """RULE applied to the counts and to the row of average precision."""
    missing = [max(MIN_EACH - n, 0) for n in (confirmed, excluded)]
    if any(missing):
        return _undecided(*missing)
    low, difference = float(measured["low"]), float(measured["difference"])
    passes = low >= -MARGIN
    en = (
        f"average precision differs by {difference:+.3f}, at least {low:+.3f}; the rule "
        f"asks for {-MARGIN:+.2f} or more"
    )
    zh = f"平均精度相差{difference:+.3f}，下限{low:+.3f}；规则要求不低于{-MARGIN:+.2f}"
    if passes:
        return Verdict("promote", f"promote: {en}", f"建议更换：{zh}")
    return Verdict("keep", f"keep the champion: {en}", f"保留现任模型：{zh}")


def _undecided(confirmed: int, excluded: int) -> Verdict:
    """How many later examples are missing, of those that are."""
    wanted = [(confirmed, "confirmed", "属实"), (excluded, "excluded", "排除")]
    en = " and ".join(f"{n} {name}" for n, name, _ in wanted if n)
    zh = "、".join(f"{name}{n}个" for n, _, name in wanted if n)
    return Verdict(
        "undecided",
        f"undecided: {en} more must be decided after the challenger's training",
        f"暂不下结论：挑战者训练之后的核查结论还缺{zh}",
    )


def _ranks(champion: pd.DataFrame, challenger: pd.DataFrame) -> pd.DataFrame:
    """Both fused ranks by unit_id."""
    ours, theirs = (
        table.set_index("unit_id")["rank_fused"].sort_index()
        for table in (champion, challenger)
    )
    if not ours.index.equals(theirs.index) or ours.empty:
        raise LeadlineError(
            f"champion and challenger scored different units ({len(ours):,} and "
            f"{len(theirs):,}); let both score the same frozen list"
        )
    return pd.DataFrame({"rank_champion": ours, "rank_challenger": theirs})


def _correlation(ranks: pd.DataFrame) -> float:
    """Spearman's: Pearson's of the ranks, which have no ties; 1 for a single unit."""
    if len(ranks) < 2:
        return 1.0
    return float(np.corrcoef(ranks.to_numpy(dtype=np.float64).T)[0, 1])


def _examples(ranks: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """Judged units of the list with their ranks and `example`: their ring or themselves."""
    judged = later.dropna(subset="label").join(ranks, on="unit_id", how="inner")
    ring = judged["group_id"].astype(object)
    alone = "unit " + judged["unit_id"].astype(str)
    return judged.assign(
        example=("ring " + ring.astype(str)).where(ring.notna(), alone)
    )


def _count(judged: pd.DataFrame) -> int:
    return int(judged["example"].nunique())


def _measures(judged: pd.DataFrame, k: int, seed: int) -> pd.DataFrame:
    """Each measure of both orders, and the interval of their difference."""
    codes, names = pd.factorize(judged["example"])
    # A ring of forty says one thing, once.
    share = 1.0 / np.bincount(codes, minlength=len(names))[codes]
    drawn = share / judged["propensity"].to_numpy(dtype=np.float64, na_value=np.nan)
    found = {
        "average precision": _compared(judged, codes, share, seed, None),
        f"precision at {k}": _compared(judged, codes, share, seed, k),
        f"precision at {k}, by propensity": _compared(
            judged, codes, np.nan_to_num(drawn), seed, k
        ),
    }
    return pd.DataFrame([{"measure": name} | row for name, row in found.items()])


def _compared(
    judged: pd.DataFrame, codes: Codes, weight: Vector, seed: int, k: int | None
) -> dict[str, float]:
    """One measure: precision among the first k, or average precision without k."""
    label = judged["label"].to_numpy(dtype=np.float64)
    orders = [judged[f"rank_{who}"].to_numpy() for who in ("champion", "challenger")]
    once = weight[None, :]
    ours, theirs = (float(_measure(once, label, rank, k)[0]) for rank in orders)
    differences = [
        _measure(weight * copies, label, orders[1], k)
        - _measure(weight * copies, label, orders[0], k)
        for copies in _resampled(codes, seed)
    ]
    low, high = _interval(np.concatenate(differences)) if differences else (np.nan,) * 2
    return {
        "champion": ours,
        "challenger": theirs,
        "difference": theirs - ours,
        "low": low,
        "high": high,
    }


def _resampled(codes: Codes, seed: int) -> Iterator[Vector]:
    """How often each judged unit is drawn, resamples x units; examples are drawn whole."""
    examples = int(codes.max()) + 1 if len(codes) else 0
    if not examples:
        return
    rng = np.random.default_rng(seed)
    for _ in range(RESAMPLES // _CHUNK):
        equal = np.full(examples, 1 / examples)
        yield rng.multinomial(examples, equal, _CHUNK)[:, codes].astype(np.float64)


def _measure(weights: Vector, label: Vector, rank: Vector, k: int | None) -> Vector:
    """By row of `weights` (resamples x units); NaN where nothing can be measured.

    Unjudged units are left out of the order, not taken for excluded ones (condensed
    lists: Sakai 2007, "Alternatives to Bpref"): each order is measured on what it says
    of the judged.
    """
    if k is not None:
        first = weights * (rank <= k)
        return _share(first @ label, first.sum(axis=1))
    order = np.argsort(rank)
    placed, truth = weights[:, order], label[order]
    hits = np.cumsum(placed * truth, axis=1)
    precision = _share(hits, np.cumsum(placed, axis=1))
    reached = np.where(placed * truth > 0, placed * truth * precision, 0.0)
    return _share(reached.sum(axis=1), (placed * truth).sum(axis=1))


def _share(part: Vector, whole: Vector) -> Vector:
    """part / whole, NaN where the whole is nothing."""
    known = whole > 0
    return np.where(known, part / np.where(known, whole, 1.0), np.nan)


def _interval(values: Vector) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return np.nan, np.nan
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(known, [tail, 100 - tail])
    return float(low), float(high)
