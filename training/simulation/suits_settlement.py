"""What becomes of the drafts: sums, dates and case numbers."""

import numpy as np
import pandas as pd

from training.simulation import identifiers
from training.simulation.sampling import Floats, Ints, Rng, Texts, between, chance, days
from training.simulation.suits_cases import column
from training.simulation.suits_world import COURT_CODES, NOBODY, World, working_day

YEAR_END = np.datetime64("2024-12-31")
LARGEST_GAP = 14  # between the numbers of two suits of these causes
INTEREST_BEARING = ("lending", "confirmation")


def settle(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Add sums and dates, then number everything by the day of filing."""
    plaintiff = column(rows, "plaintiff")
    firm = np.where(plaintiff >= 0, NOBODY, column(rows, "plaintiff_firm"))
    # Nobody sues herself, whatever was drawn.
    defendant = column(rows, "defendant")
    same = (plaintiff == defendant) & (plaintiff >= 0)
    defendant = np.where(same, rng.choice(world.adults, len(rows)), defendant)
    filed = rows["filed"].to_numpy().astype("datetime64[D]")
    lent = rows["lent"].to_numpy().astype("datetime64[D]")
    # Moving the day of a suit must not put it before its own loan.
    lent = np.minimum(lent, filed - days(between(rng, 30, 90, len(rows))))
    rows = rows.assign(plaintiff_firm=firm, defendant=defendant, filed=filed, lent=lent)
    rows = rows.assign(**_sums(rng, rows))
    rows = rows.assign(**_dates(rng, rows))
    # A tie on one day falls at random: the order of drawing would tell rings apart.
    rows = rows.iloc[rng.permutation(len(rows))]
    rows = rows.sort_values("filed", kind="stable", ignore_index=True)
    return rows.assign(case_no=_numbers(rng, rows))


def _sums(rng: Rng, rows: pd.DataFrame) -> dict[str, Floats]:
    owed = rows["principal"].to_numpy(dtype=float)
    age = (rows["filed"] - rows["lent"]).dt.days.to_numpy(dtype=float) / 365
    bears = rows["cause"].isin(INTEREST_BEARING) & ~rows["waived"].astype(bool)
    interest = np.where(bears, owed * rows["rate"].to_numpy() / 100 * age, 0.0)
    claimed = np.round(owed + interest, 2)
    outcome = rows["outcome"].to_numpy()
    share = np.where(
        (outcome == "default") & chance(rng, len(rows), 0.85),
        1.0,
        rows["granted"].to_numpy(dtype=float),
    )
    awarded = np.where(share == 1.0, claimed, np.round(claimed * share, -1))
    return {
        "claimed": claimed,
        "awarded": np.where(outcome == "withdrawn", np.nan, awarded),
    }


def _dates(rng: Rng, rows: pd.DataFrame) -> dict[str, np.ndarray]:
    size = len(rows)
    filed = rows["filed"].to_numpy().astype("datetime64[D]")
    closed = np.minimum(
        filed + days(column(rows, "length")), YEAR_END - days(9 * np.ones(1))
    )
    heard = np.maximum(working_day(closed - days(between(rng, 0, 6, size))), filed)
    clock = 9 * 60 + 15 * between(rng, 0, 28, size)
    return {
        "filed": filed,
        "closed": closed,
        "heard": heard.astype("datetime64[s]") + clock * np.timedelta64(60, "s"),
        "posted": np.minimum(closed + days(between(rng, 2, 40, size)), YEAR_END),
    }


def _numbers(rng: Rng, rows: pd.DataFrame) -> Texts:
    """Running numbers of each court and year, with gaps for suits of other causes."""
    year = rows["filed"].to_numpy().astype("datetime64[Y]").astype(np.int64) + 1970
    court = column(rows, "court")
    key = year * 100 + court
    gap = pd.Series(between(rng, 1, LARGEST_GAP, len(rows)))
    number: Ints = gap.groupby(key).cumsum().to_numpy(np.int64) + 20
    written = identifiers.case_numbers(year, COURT_CODES[court], number)
    special = (rows["cause"] == "confirmation").to_numpy()
    other = pd.Series(written).str.replace("民初", "民特", regex=False)
    return np.where(special, other.to_numpy(dtype=object), written)
