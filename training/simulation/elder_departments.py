"""Tables of civil affairs, market regulator, hotlines and courts about the firms."""

import numpy as np
import pandas as pd

from training.simulation import dirt, elder_texts, identifiers, written
from training.simulation.elder_ties import Ties
from training.simulation.elder_world import (
    HOME,
    LAST_DAY,
    LINES,
    MONTHS,
    column,
    month_start,
    rates,
)
from training.simulation.registers_wealth import enforcement_table, enforcements
from training.simulation.sampling import (
    Floats,
    Ints,
    Rng,
    Texts,
    Times,
    between,
    chance,
    days,
    distinct,
    lognormal,
    pick,
)

BRAND_RATE = 0.85  # firms that trade under another name
BRAND_ONLY_RATE = 0.2  # notices and complaints that know the brand alone
BED_SUBSIDY = 240  # yuan per resident and month
TYPED_DEFAULT_RATE = 0.01  # residents typed as 30 by default
VENUES = np.arange(12_000)
SUED_SHARE = 0.12  # firms that refuse refunds and are enforced against


def codes_of(rows: pd.DataFrame, ties: Ties, firm: Ints) -> Texts:
    """Credit codes of firms by their row."""
    codes = ties.population.companies["uscc"].to_numpy(dtype=object)
    return np.asarray(codes[column(rows, "company")[firm]])


def brand_names(rng: Rng, rows: pd.DataFrame) -> Texts:
    """The name above each firm's door, empty where it trades under its own."""
    names = elder_texts.brands(rng, len(rows))
    return np.where(chance(rng, len(rows), BRAND_RATE), names, "")


def firm_table(
    rng: Rng, rows: pd.DataFrame, ties: Ties, prepaid: Floats
) -> pd.DataFrame:
    """elder_firms.csv: the joint list of firms in scope."""
    firm = rng.permutation(len(rows))
    chosen, size = rows.iloc[firm], len(rows)
    opened = chosen["opened"].to_numpy().astype("datetime64[D]")
    filed = chosen["filed"].to_numpy(bool)
    number = identifiers.padded(distinct(rng, size, 10**6), 6)
    banks = ties.population.companies["account"].to_numpy(dtype=object)
    beds = column(chosen, "beds")
    reported = prepaid[firm] * rng.uniform(0.9, 1.05, size)
    return pd.DataFrame(
        {
            "uscc": dirt.soiled(rng, codes_of(rows, ties, firm), dirt.USCC_KINDS),
            "line": np.array(LINES, dtype=object)[column(chosen, "line")],
            "filed": written.yes_no(filed),
            "permit_no": np.where(filed, "绍民养备" + number, ""),
            "beds": beds,
            "staff": column(chosen, "staff"),
            "bed_fee": np.where(beds > 0, rates(chosen, "bed_fee"), np.nan),
            "opened": written.iso_dates(opened),
            "account": banks[column(chosen, "company")],
            "prepaid_reported": np.round(reported, 0),
            "posted_date": written.iso_dates(opened + days(between(rng, 1, 25, size))),
        }
    )


def brand_table(
    rng: Rng, rows: pd.DataFrame, ties: Ties, brands: Texts
) -> pd.DataFrame:
    """brands.csv: the alias table of the market regulator."""
    firm = rng.permutation(np.flatnonzero(brands != ""))
    opened = rows["opened"].to_numpy().astype("datetime64[D]")[firm]
    return pd.DataFrame(
        {
            "uscc": codes_of(rows, ties, firm),
            "brand": brands[firm],
            "posted_date": written.iso_dates(
                opened + days(between(rng, 1, 40, len(firm)))
            ),
        }
    )


def form_table(rng: Rng, rows: pd.DataFrame, ties: Ties) -> pd.DataFrame:
    """contract_forms.csv: the model contract that each firm filed."""
    firm = rng.permutation(len(rows))
    opened = rows["opened"].to_numpy().astype("datetime64[D]")[firm]
    said = elder_texts.contract_forms(
        rng, column(rows, "wording"), rows["own_form"].to_numpy(bool)
    )
    return pd.DataFrame(
        {
            "uscc": codes_of(rows, ties, firm),
            "sales_phone": dirt.soiled(rng, ties.phones[firm], dirt.PHONE_KINDS),
            "form": said[firm],
            "posted_date": written.iso_dates(
                opened + days(between(rng, 3, 50, len(firm)))
            ),
        }
    )


def stay_tables(
    rng: Rng, rows: pd.DataFrame, ties: Ties
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """stays.csv and subsidies.csv: who lives there, and for whom money was paid."""
    month = np.arange(MONTHS)
    open_ = (month >= column(rows, "first")[:, None]) & (column(rows, "line") == HOME)[
        :, None
    ]
    firm, when = np.nonzero(open_)
    real = rates(rows, "occupancy")[firm] * rng.normal(1, 0.04, len(firm))
    lived = np.round(column(rows, "beds")[firm] * real.clip(0.02, 1.0))
    paid = np.round(lived * rates(rows, "padding")[firm])
    paid = np.minimum(paid, column(rows, "beds")[firm])
    typed = np.where(chance(rng, len(firm), TYPED_DEFAULT_RATE), 30, lived)
    begin, codes = month_start(when), codes_of(rows, ties, firm)
    ym = begin.astype("datetime64[M]").astype(str).astype(object)
    posted = month_start(when + 1) + days(between(rng, 2, 20, len(firm)))
    stays = pd.DataFrame(
        {"uscc": codes, "month": ym, "residents": typed.astype(int)}
    ).assign(posted_date=written.iso_dates(posted))
    subsidies = pd.DataFrame(
        {"uscc": codes, "month": ym, "residents_paid": paid.astype(int)}
    ).assign(
        amount=paid * BED_SUBSIDY,
        posted_date=written.iso_dates(posted + days(between(rng, 5, 25, len(firm)))),
    )
    return stays, subsidies[paid > 0].reset_index(drop=True)


def advertisement_table(
    rng: Rng, rows: pd.DataFrame, ties: Ties, brands: Texts
) -> pd.DataFrame:
    """ads.csv: what the monitoring of advertisements saw."""
    firm, day = _moments(rng, rows, rates(rows, "ads"))
    marks = {
        name: chance(rng, len(firm), rates(rows, name)[firm])
        for name in ("promising", "soft", "discount")
    }
    said = elder_texts.advertisements(
        rng, marks["promising"], marks["soft"], marks["discount"]
    )
    table = _named(rng, rows, ties, brands, firm).assign(
        date=written.iso_dates(day),
        channel=pick(rng, elder_texts.CHANNELS, len(firm)),
        text=said,
        posted_date=written.iso_dates(day + days(between(rng, 1, 15, len(firm)))),
    )
    return table.sort_values(["date", "text"], ignore_index=True)


def event_table(
    rng: Rng, rows: pd.DataFrame, ties: Ties, brands: Texts
) -> pd.DataFrame:
    """events.csv: lectures and tours reported by communities."""
    firm, day = _moments(rng, rows, rates(rows, "events"))
    venue = rng.integers(0, column(rows, "venues")[firm])
    # Firms of one ring share a form and so meet their public at the same places.
    spot = (column(rows, "form")[firm] * 7919 + venue * 104_729) % len(VENUES)
    order = rng.permutation(len(VENUES))
    place = elder_texts.venues(VENUES[order][spot])
    table = _named(rng, rows, ties, brands, firm).assign(
        date=written.iso_dates(day),
        place=place,
        attendees=np.round(lognormal(rng, 35, 0.5, len(firm))).astype(int),
        gifts=written.yes_no(chance(rng, len(firm), rates(rows, "gift")[firm])),
        posted_date=written.iso_dates(day + days(between(rng, 1, 12, len(firm)))),
    )
    return table.sort_values(["date", "place"], ignore_index=True)


def complaint_table(
    rng: Rng, rows: pd.DataFrame, ties: Ties, brands: Texts, sold: pd.DataFrame
) -> pd.DataFrame:
    """complaints.csv of the hotlines 12345 and 12315."""
    clients = np.bincount(column(sold, "firm"), minlength=len(rows)) * 0.7
    first = column(rows, "first")
    monthly = clients / 100 * rates(rows, "complaints") / 3
    firm, day = _moments(rng, rows, monthly, ramp=True)
    wave = rng.poisson(clients / 100 * rates(rows, "burst"))
    waved = np.repeat(np.arange(len(rows)), wave)
    sudden = LAST_DAY - days(between(rng, 8, 70, len(waved)))
    firm, day = np.concatenate([firm, waved]), np.concatenate([day, sudden])
    kept = day >= month_start(first)[firm]
    firm, day = firm[kept], day[kept]
    order = np.argsort(day, kind="stable")
    firm, day = firm[order], day[order]
    refund = chance(rng, len(firm), rates(rows, "grievance")[firm])
    serial = identifiers.padded(distinct(rng, len(firm), 10**8), 8)
    table = _named(rng, rows, ties, brands, firm).assign(
        date=written.iso_dates(day),
        origin=pick(rng, ("12345", "12315"), len(firm), (0.6, 0.4)),
        text=elder_texts.complaints(rng, refund),
        posted_date=written.iso_dates(day + days(between(rng, 0, 8, len(firm)))),
    )
    table.insert(0, "complaint_no", np.asarray("TS" + serial, dtype=object))
    return table


def arrears_table(rng: Rng, rows: pd.DataFrame, ties: Ties) -> pd.DataFrame:
    """arrears.csv: rent or wages that a firm owed in a month."""
    month = np.arange(MONTHS)
    owed = rng.random((len(rows), MONTHS)) < rates(rows, "arrears")[:, None]
    owed &= month >= column(rows, "first")[:, None]
    firm, when = np.nonzero(owed)
    order = rng.permutation(len(firm))
    firm, when = firm[order], when[order]
    posted = month_start(when + 1) + days(between(rng, 5, 30, len(firm)))
    return pd.DataFrame(
        {
            "uscc": codes_of(rows, ties, firm),
            "month": month_start(when)
            .astype("datetime64[M]")
            .astype(str)
            .astype(object),
            "kind": pick(rng, ("rent", "wages"), len(firm), (0.6, 0.4)),
            "amount": np.round(lognormal(rng, 30_000, 0.6, len(firm)), 0),
            "posted_date": written.iso_dates(posted),
        }
    )


def raiser_table(rng: Rng, ties: Ties) -> pd.DataFrame:
    """closed_raisers.csv: people and phones of raisings closed or convicted before."""
    people = column(ties.raisers, "person")
    closed = ties.raisers["closed"].to_numpy().astype("datetime64[D]")
    persons = ties.population.persons
    ids = persons["person_id"].to_numpy(dtype=object)[people]
    names = persons["name"].to_numpy(dtype=object)[people]
    table = pd.DataFrame(
        {
            "person_id": dirt.soiled(rng, ids, dirt.ID_KINDS),
            "name": dirt.soiled(rng, names, dirt.NAME_KINDS),
            "phone": dirt.soiled(
                rng, ties.raisers["phone"].to_numpy(dtype=object), dirt.PHONE_KINDS
            ),
            "closed_date": written.iso_dates(closed),
            "posted_date": written.iso_dates(
                closed + days(between(rng, 5, 60, len(people)))
            ),
        }
    )
    return table.sort_values(["posted_date", "phone"], ignore_index=True)


def enforced_table(rng: Rng, rows: pd.DataFrame, ties: Ties) -> pd.DataFrame:
    """enforcements.csv: companies in scope against which a court enforces."""
    usual = enforcements(rng, ties.population)
    usual = usual[usual["company"].isin(rows["company"])]
    sued = np.flatnonzero(
        (rates(rows, "refuses") > 0.4) & chance(rng, len(rows), SUED_SHARE * 2)
    )
    extra = pd.DataFrame(
        {
            "person": -1,
            "company": column(rows, "company")[sued],
            "amount": np.round(lognormal(rng, 60_000, 0.8, len(sued)), 0),
            "filed": LAST_DAY - days(between(rng, 40, 400, len(sued))),
        }
    )
    both = pd.concat([usual, extra], ignore_index=True)
    both = both.sort_values(["filed", "amount"], ignore_index=True)
    return enforcement_table(rng, ties.population, both)


def _moments(
    rng: Rng, rows: pd.DataFrame, monthly: Floats, *, ramp: bool = False
) -> tuple[Ints, Times]:
    """Firm and day of what happens so often a month while the firm is open."""
    month, first = np.arange(MONTHS), column(rows, "first")[:, None]
    open_ = (month >= first) & (month < column(rows, "slows")[:, None] + 3)
    rate = monthly[:, None] * open_
    if ramp:  # nobody complains before there are clients
        rate = rate * np.minimum((month - first + 1) / 12, 1).clip(0)
    count = rng.poisson(rate)
    firm = np.repeat(np.arange(len(rows)), count.sum(axis=1))
    when = np.repeat(np.tile(month, len(rows)), count.ravel())
    return firm, month_start(when) + days(between(rng, 0, 27, len(firm)))


def _named(
    rng: Rng, rows: pd.DataFrame, ties: Ties, brands: Texts, firm: Ints
) -> pd.DataFrame:
    """Credit code and brand as somebody on the street knows them."""
    brand = brands[firm]
    unknown = (brand != "") & chance(rng, len(firm), BRAND_ONLY_RATE)
    codes = dirt.soiled(rng, codes_of(rows, ties, firm), dirt.USCC_KINDS)
    return pd.DataFrame({"uscc": np.where(unknown, "", codes), "brand": brand})


def parties(rows: pd.DataFrame, ties: Ties) -> Ints:
    """People whom the registers are asked about: never a client of a firm."""
    asked = [
        ties.roles["person"].to_numpy(np.int64),
        ties.raisers["person"].to_numpy(np.int64),
        ties.population.jobs["person"].to_numpy(np.int64),
        ties.population.companies["legal_rep"].to_numpy(np.int64)[
            column(rows, "company")
        ],
    ]
    return np.unique(np.concatenate(asked))
