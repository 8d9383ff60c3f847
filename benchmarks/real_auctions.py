"""Procurement auctions with convicted cartels (`auctions`): screens of tenders and bids.

Left out because they are or repeat the label: bidder ids, `Cartel_name`,
`only_cartels_bidding_on_contract`, `Collusive_competitor_original`; and the tender's number,
which only says where in the file it stands.
"""

from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = "auctions/garcia_rodriguez_2022"
COUNTRIES = ("italy", "america", "brazil")
TENDER, LABEL, BID = "Tender", "Collusive_competitor", "Bid_value"
PUBLISHED = ["Number_bids", "CV", "SPD", "DIFFP", "RD", "KURT", "SKEW", "KSTEST"]
ESTIMATE, DISCOUNT = "Pre-Tender Estimate (PTE)", "Difference Bid/PTE"
NOMINAL = "Bid_value_without_inflation"
# Attributes that are kept where they belong to the tender. A bidder's capital, legal form
# and distance would name the bidder as an id does; they enter as summaries of a tender.
ATTRIBUTES = ["Date", "Site", "Brazilian State"]
# Mean number of bids from which on the shape of their distribution can be told; below it
# the published screens have to do.
BIDS_WITH_A_SHAPE = 10
LEGAL_FORMS = 13
NO_DATE = 0  # dates before 1970 are a marker for unknown


def auctions(data: Path, country: str) -> pd.DataFrame:
    """The bids of one country as delivered."""
    name = f"DB_Collusion_{country.title()}_processed.csv"
    return pd.read_csv(data / FOLDER / name)


def bid_ids(table: pd.DataFrame) -> pd.Series:
    """The delivery's bid number where it has one, else the row's number from 0."""
    return table["Bid"] if "Bid" in table else pd.Series(np.arange(len(table)))


def auction_features(table: pd.DataFrame) -> pd.DataFrame:
    """Published screens, the bid within its tender, and screens of the tender's bids.

    Screens of our own are added where tenders have bids enough to have a shape.
    """
    own = [c for c in ATTRIBUTES if c in table and _of_tender(table, c)]
    known = table[[*PUBLISHED, *own]].copy()
    if "Date" in known:
        known["Date"] = known["Date"].where(known["Date"] > NO_DATE)
    parts = [known, bid_features(table)]
    if ESTIMATE in table:
        parts.append(np.log(table[[ESTIMATE]]))
    if NOMINAL in table:
        parts.append(_over_tender(year_features(table), table))
    if len(table) >= BIDS_WITH_A_SHAPE * table[TENDER].nunique():
        parts.append(tender_screens(table))
    return pd.concat(parts, axis=1).replace([np.inf, -np.inf], np.nan).astype(float)


def bid_features(table: pd.DataFrame) -> pd.DataFrame:
    """Where each bid stands among the bids of its tender."""
    bid, by = table[BID].astype(float), table.groupby(TENDER)[BID]
    ordered = table.sort_values([TENDER, BID])
    near = ordered.groupby(TENDER)[BID]
    frame = pd.DataFrame(
        {
            "rank_share": by.rank(pct=True),
            "above_lowest": bid / by.transform("min") - 1,
            "above_mean": bid / by.transform("mean") - 1,
            "above_median": bid / by.transform("median") - 1,
            "to_next": near.shift(-1) / ordered[BID] - 1,
            "from_last": 1 - near.shift(1) / ordered[BID],
            "winner": table["Winner"],
            "bid": np.log(bid.clip(lower=1e-6)),
        }
    )
    if DISCOUNT in table:
        frame["discount"] = table[DISCOUNT]
    return frame


def year_features(table: pd.DataFrame) -> pd.DataFrame:
    """Prices (milk, in dollars) among those of the year, and what their digits show."""
    price = table[NOMINAL]
    real = table["Bid_value_inflation_raw_milk_price_adjusted_bid"]
    year = table["Date"]
    units = np.round(price * 10_000).astype(int)  # prices have four decimals
    return pd.DataFrame(
        {
            "price": price,
            "real_price": real,
            "to_year": price / price.groupby(year).transform("median") - 1,
            "real_to_year": real - real.groupby(year).transform("median"),
            "rank_in_year": price.groupby(year).rank(pct=True),
            "real_rank_in_year": real.groupby(year).rank(pct=True),
            "same_price_in_year": units.groupby([year, units]).transform("size"),
            "last_digit": units % 10,
            "last_digits": units % 100,
            "rounded": units % 5 == 0,
        }
    ).astype(float)


def tender_screens(table: pd.DataFrame) -> pd.DataFrame:
    """Screens of the bids of each tender, repeated for each of its bids."""
    found = {t: _screens(rows) for t, rows in table.groupby(TENDER)}
    frame = pd.DataFrame.from_dict(found, orient="index")
    return frame.loc[table[TENDER]].set_index(table.index)


def _screens(rows: pd.DataFrame) -> dict[str, float]:
    bids = np.sort(rows[BID].to_numpy(float))
    found = _spread(bids) | _crowding(bids) | _winner(rows, bids)
    if DISCOUNT in rows:
        found |= _discounts(rows)
    for name in ("Capital", "Site"):
        if name in rows:
            found |= _bidders(np.log1p(rows[name].to_numpy(float)), name.lower())
    if "Legal_entity_type" in rows:
        found |= _kinds(rows["Legal_entity_type"])
    return found


def _spread(bids: np.ndarray) -> dict[str, float]:
    """Quantiles over the mean, and the shape of the distribution."""
    mean, deviation = bids.mean(), bids.std()
    levels = (5, 10, 25, 50, 75, 90, 95)
    found = {
        f"q{level}": float(q) / mean
        for level, q in zip(levels, np.percentile(bids, levels), strict=True)
    }
    z = (bids - mean) / deviation if deviation > 0 else np.zeros(len(bids))
    return found | {
        "lowest": bids[0] / mean,
        "highest": bids[-1] / mean,
        "lowest_z": z[0],
        "median_z": float(np.median(z)),
        "highest_z": z[-1],
        "iqr": found["q75"] - found["q25"],
        "skew": float((z**3).mean()),
        "kurtosis": float((z**4).mean()),
    }


def _crowding(bids: np.ndarray) -> dict[str, float]:
    """Gaps between neighbours; how many bids crowd within 1 or 5 %; ties; evenness."""
    count, gaps = len(bids), np.diff(bids) / bids.mean()
    gaps = gaps if len(gaps) else np.zeros(1)
    within = {
        f"crowded_{p}": max(
            ((bids >= b) & (bids <= b * (1 + p / 100))).mean() for b in bids
        )
        for p in (1, 5)
    }
    width = bids[-1] - bids[0]
    place = (bids - bids[0]) / width if width > 0 else np.zeros(count)
    even = np.abs(place - np.arange(1, count + 1) / count).max()
    return within | {
        "gap_first": gaps[0],
        "gap_last": gaps[-1],
        "gap_largest": gaps.max(),
        "gap_smallest": gaps.min(),
        "gap_variation": gaps.std() / gaps.mean() if gaps.mean() > 0 else 0.0,
        "near_lowest_1": float((bids <= bids[0] * 1.01).mean()),
        "near_lowest_5": float((bids <= bids[0] * 1.05).mean()),
        "tied": 1 - len(np.unique(bids)) / count,
        "unevenness": float(even),
        "round_hundreds": float((np.round(bids) % 100 == 0).mean()),
    }


def _winner(rows: pd.DataFrame, bids: np.ndarray) -> dict[str, float]:
    won = rows.loc[rows["Winner"] == 1, BID].to_numpy(float)
    if not len(won):
        return {"winner_rank": np.nan, "winner_above": np.nan}
    return {
        "winner_rank": float((bids < won[0]).mean()),
        "winner_above": won[0] / bids[0] - 1,
    }


def _discounts(rows: pd.DataFrame) -> dict[str, float]:
    """Of the discounts on the estimate: level, spread, ends, and how many are round."""
    given = np.sort(rows[DISCOUNT].to_numpy(float))
    low, high = np.percentile(given, [10, 90])
    hundredths = given * 100
    return {
        "discount_mean": given.mean(),
        "discount_median": float(np.median(given)),
        "discount_spread": given.std(),
        "discount_low": low,
        "discount_high": high,
        "discount_smallest": given[0],
        "discount_largest": given[-1],
        "discount_round": float(
            (np.abs(hundredths - np.round(hundredths)) < 1e-6).mean()
        ),
    }


def _bidders(values: np.ndarray, name: str) -> dict[str, float]:
    """Of one number about the bidders (log): level, spread and how many differ."""
    low, high = np.percentile(values, [10, 90])
    return {
        f"{name}_mean": values.mean(),
        f"{name}_spread": values.std(),
        f"{name}_low": low,
        f"{name}_high": high,
        f"{name}_different": len(np.unique(values)) / len(values),
    }


def _kinds(kinds: pd.Series) -> dict[str, float]:
    """Share of each legal form (coded 0 to 12) and how mixed they are."""
    shares = kinds.value_counts(normalize=True)
    found = {f"form_{k}": float(shares.get(k, 0.0)) for k in range(LEGAL_FORMS)}
    return found | {"forms_mixed": float(-(shares * np.log(shares)).sum())}


def _of_tender(table: pd.DataFrame, column: str) -> bool:
    return int(table.groupby(TENDER)[column].nunique().max()) == 1


def _over_tender(frame: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The columns, and their mean, least and greatest over the bids of the tender."""
    by = frame.groupby(table[TENDER])
    parts = [by.transform(how).add_suffix(f"_{how}") for how in ("mean", "min", "max")]
    return pd.concat([frame, *parts], axis=1)
