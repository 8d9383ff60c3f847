"""What reviews say of the whole list, corrected for how units came to be reviewed.

The top is reviewed because it is the top: what it holds says nothing of the rest, and of
the known cases it holds nearly all, whatever was missed. Units drawn with a known chance
(`training.exploration`) stand for the rest, each for 1 / chance of them.

Below the top and for the recall, intervals are quantiles of a seeded simulation: each
stratum's share has a beta posterior under Jeffreys' prior Beta(1/2, 1/2), and the units
that nobody decided on are drawn from it. Webber (2013, 'Approximate recall confidence
intervals', ACM TOIS 31) compares ways to bound the recall from such samples and recommends
this one, its coverage being near its level; delta and bootstrap intervals have no width
where no draw of a stratum was confirmed.

Units of one ring are one example: a sample is worth (sum w)^2 / sum(W^2) examples,
where W adds up the weights of a ring (Kish 1965; for such intervals Franco, Little,
Louis, Slud 2019).

Draws that nobody decided on are taken to be a random part of their stratum, for their
slots come in random order. Reviews are taken at their word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.evaluation import LEVEL, jeffreys
from training.exploration import EXPLORE, TOP, strata_sizes

# Of the posterior: the ends of an interval move by about 1 % of its width.
DRAWS = 10_000
SEED = 11
# Below these nothing is said. Of 20 draws without a case the interval still ends at 12 %;
# fewer, or hardly any of a stratum, say less than anybody knew before.
MIN_TOP, MIN_EXPLORED, MIN_STRATUM = 10, 20, 5

FIGURES = (
    *("precision_at_capacity", "prevalence_below", "cases_below"),
    "recall_at_capacity",
)

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Part:
    """A stratum of the newest list: who speaks for it, and how many they speak for."""

    sampled: int
    examples: float  # as many independent ones as the sampled are worth
    share: float  # of them that were confirmed; 0 without any
    confirmed: int  # units of the stratum that are known cases
    left: int  # units of the stratum that nobody decided on

    def cases(self) -> float:
        return self.confirmed + self.left * self.share

    def posterior(self, chance: np.random.Generator) -> Numbers:
        """Numbers of cases, from the beta-binomial posterior."""
        hits = self.share * self.examples
        shares = chance.beta(hits + 0.5, self.examples - hits + 0.5, DRAWS)
        return self.confirmed + chance.binomial(self.left, shares).astype(np.float64)


def selection_estimates(
    labels: pd.DataFrame,
    slots: pd.DataFrame,
    ranks: pd.Series,
    *,
    newest: str,
    published: datetime,
) -> pd.DataFrame:
    """Precision and recall at capacity, and what lies below, of the newest list.

    One row per figure of FIGURES: `value` with its 95 % interval `low` to `high`, the
    uncorrected figure `naive`, `reviewed` of `asked` slots that it rests on, and `enough`:
    with too few of them (MIN_TOP, MIN_EXPLORED, MIN_STRATUM) the value is null, and so is
    a recall where no case is known.

    - precision_at_capacity: confirmed among the decided units of the top slots; interval
      of Jeffreys (Brown, Cai, DasGupta 2001). naive: among all decided units.
    - cases_below, prevalence_below: true cases below the top, and their share. Units that
      were decided on before the list count as they are; of the others each stratum holds
      the share that was confirmed of its reviewed draws, weighted by 1 / propensity
      (Horvitz, Thompson 1952; Hajek 1971). naive: the confirmed units there, and their
      share of those decided on.
    - recall_at_capacity: cases among the top slots, of all cases. naive: confirmed units
      of the top, of all confirmed units.

    Args:
        labels: LABELS.
        slots: SLOTS with `run_id`: of the newest list, and of earlier ones whose reviewed
            draws speak too, as if the shares of the strata had not changed since.
        ranks: rank_fused in the newest list by unit_id, at least of all labelled units.
        newest: run_id of the newest list.
        published: when it was published, in UTC without a zone.
    """
    own = slots[slots["run_id"] == newest]
    first, sizes = int((own["kind"] == TOP).sum()), strata_sizes(own)
    decided = labels.assign(rank=labels["unit_id"].map(ranks)).dropna(subset="rank")
    in_top = decided["rank"] <= first
    top = _part(decided[in_top], decided[in_top], first)
    drawn = _drawn(labels, slots[slots["stratum"].isin(sizes.index)])
    old = decided["decided_at"] < published
    own_draw = (decided["run_id"] == newest) & (decided["kind"] == EXPLORE)
    known = decided[~in_top & (old | own_draw)]
    place = _stratum(known["rank"] - first, sizes)
    below = [
        _part(drawn[drawn["stratum"] == name], known[place == name], int(size))
        for name, size in sizes.items()
    ]
    asked = int((slots["kind"] == EXPLORE).sum())
    return _table(top, below, int(sizes.sum())).assign(
        naive=_naive(decided["label"], in_top),
        reviewed=[top.sampled, *[len(drawn)] * 3],
        asked=[first, *[asked] * 3],
    )


def _drawn(labels: pd.DataFrame, slots: pd.DataFrame) -> pd.DataFrame:
    """The units that were reviewed for having been drawn, with their strata."""
    key = ["run_id", "unit_id"]
    explored = labels.loc[labels["kind"] == EXPLORE, [*key, "label", "group_id"]]
    draws = slots.loc[slots["kind"] == EXPLORE, [*key, "stratum", "propensity"]]
    texts = dict.fromkeys(key, "object")  # without a row a column has lost its type
    return explored.astype(texts).merge(draws.astype(texts), on=key, validate="1:1")


def _stratum(depths: pd.Series, sizes: pd.Series) -> pd.Series:
    """The stratum of each unit below the top, by its distance from there."""
    if len(sizes) < 2:
        return depths.map(lambda _: sizes.index[0] if len(sizes) else None)
    near = depths <= sizes["near"]
    return pd.Series(np.where(near, "near", "far"), depths.index)


def _part(sample: pd.DataFrame, known: pd.DataFrame, size: int) -> _Part:
    """A stratum of `size` units, of which some are known and a sample speaks."""
    weights = 1 / sample["propensity"].fillna(1.0) if "stratum" in sample else 1.0
    weights = pd.Series(weights, sample.index, dtype="float64")
    total = float(weights.sum())
    alone = sample["group_id"].isna()
    ring = sample["group_id"].astype("object").mask(alone, sample["unit_id"])
    # Groups are numbered in each run anew.
    clustered = weights.groupby([sample["run_id"], alone, ring]).sum()
    squares = float((clustered**2).sum())
    return _Part(
        sampled=len(sample),
        examples=total**2 / squares if squares else 0.0,
        share=float((weights * sample["label"]).sum()) / total if total else 0.0,
        confirmed=int(known["label"].sum()),
        left=max(size - len(known), 0),
    )


def _table(top: _Part, below: Sequence[_Part], size: int) -> pd.DataFrame:
    """The figures with their intervals; null where too few were reviewed."""
    chance = np.random.default_rng(SEED)
    found, missed = top.cases(), sum(part.cases() for part in below)
    in_top = top.posterior(chance)
    under = sum((p.posterior(chance) for p in below), np.zeros(DRAWS))
    share = 1 / size if size else np.nan
    recalls = in_top / np.where(in_top + under > 0, in_top + under, np.nan)
    rows = [
        (top.share, *jeffreys(top.share * top.examples, top.examples, LEVEL)),
        (missed * share, *_ends(under * share)),
        (missed, *_ends(under)),
        (found / (found + missed) if found + missed else np.nan, *_ends(recalls)),
    ]
    table = pd.DataFrame(rows, columns=["value", "low", "high"], dtype="float64")
    table.insert(0, "figure", FIGURES)
    seen, explored = _enough_top(top), _enough_below(below)
    table["enough"] = [seen, explored, explored, seen and explored]
    numbers = ["value", "low", "high"]
    table[numbers] = table[numbers].where(table["enough"], np.nan)
    return table


def _ends(draws: Numbers) -> tuple[float, float]:
    known = draws[~np.isnan(draws)]
    if not len(known):
        return np.nan, np.nan
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def _enough_top(top: _Part) -> bool:
    return top.sampled > 0 and top.sampled >= min(MIN_TOP, top.sampled + top.left)


def _enough_below(below: Sequence[_Part]) -> bool:
    open_parts = [part for part in below if part.left]
    explored = sum(part.sampled for part in below)
    return bool(below) and (
        not open_parts
        or (
            explored >= MIN_EXPLORED
            and all(part.sampled >= MIN_STRATUM for part in open_parts)
        )
    )


def _naive(label: pd.Series, in_top: pd.Series) -> list[float]:
    """The same figures as if the reviewed units had been picked at random."""
    below, confirmed = label[~in_top], label.sum()
    recall = label[in_top].sum() / confirmed if confirmed else np.nan
    return [float(n) for n in (label.mean(), below.mean(), below.sum(), recall)]
