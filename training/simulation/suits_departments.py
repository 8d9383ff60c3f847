"""What other bodies deliver: mediation, arbitration, pensions, property, banks, notaries."""

import numpy as np
import pandas as pd

from training.simulation import dirt, identifiers, written
from training.simulation.registers_wealth import looked_up
from training.simulation.sampling import (
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
from training.simulation.suits_cases import column
from training.simulation.suits_settlement import YEAR_END
from training.simulation.suits_world import (
    FIRST_DAY,
    NOBODY,
    World,
    any_adult,
    housemates,
)

FLATS_PER_ADULT = 0.25
RESTRICTED_RATE = 0.3
REQUESTED_RATE = 0.12  # lending suits whose payments a bank was asked for
CLOSED_RATE = 0.05
WINDOW = 1080


def posted(rng: Rng, day: Times, low: int, high: int) -> Texts:
    """When a department made a row known, within the delivery."""
    lag = days(between(rng, low, high, len(day)))
    return written.iso_dates(np.minimum(day.astype("datetime64[D]") + lag, YEAR_END))


def person_ids(rng: Rng, world: World, people: Ints) -> Texts:
    """Identity numbers as departments other than courts write them."""
    ids = looked_up(world.population.persons["person_id"], people)
    return dirt.soiled(rng, ids, dirt.ID_KINDS)


def company_codes(world: World, firms: Ints) -> Texts:
    """Credit codes by position."""
    return looked_up(world.population.companies["uscc"], firms)


def cited(rng: Rng, rows: pd.DataFrame) -> Texts:
    """Case numbers as other tables cite them."""
    return dirt.soiled(rng, rows["case_no"].to_numpy(dtype=object), dirt.CASE_KINDS)


def property_table(
    rng: Rng, world: World, rows: pd.DataFrame
) -> tuple[pd.DataFrame, Texts]:
    """properties.csv, and the number of the flat that each suit hands over ('' = none)."""
    sold = rows["flat_of"] >= 0
    adults = world.adults
    others = adults[chance(rng, len(adults), FLATS_PER_ADULT)]
    owner = np.concatenate([column(rows[sold], "flat_of"), others])
    size = len(owner)
    restricted = chance(rng, size, RESTRICTED_RATE)
    restricted[: int(sold.sum())] = rows.loc[sold, "restricted"].to_numpy(dtype=bool)
    number = "浙房" + identifiers.padded(distinct(rng, size, 10**7), 7)
    number = np.asarray(number, dtype=object)
    bought = FIRST_DAY - days(between(rng, 100, 6000, size))
    seized = bought + days(between(rng, 2000, 7500, size))
    seized[~chance(rng, size, 0.03) | (seized > YEAR_END - days(np.array(60)))] = "NaT"
    address = looked_up(world.population.persons["address"], owner)
    table = pd.DataFrame(
        {
            "prop_no": number,
            "owner_id": person_ids(rng, world, owner),
            "address": dirt.soiled(rng, address, dirt.ADDRESS_KINDS[:2]),
            "restricted": written.yes_no(restricted),
            "seizure_date": written.iso_dates(seized),
            "posted_date": posted(rng, bought, 1, 30),
        }
    )
    asset = np.full(len(rows), "", dtype=object)
    asset[sold.to_numpy()] = number[: int(sold.sum())]
    return table.sort_values("prop_no", ignore_index=True), asset


def mediation_table(
    rng: Rng, world: World, rows: pd.DataFrame, asset: Texts
) -> pd.DataFrame:
    """mediations.csv: agreements, with the suit that confirmed or took them over."""
    chosen = ((rows["cause"] == "confirmation") | (asset != "")).to_numpy()
    held, asset = rows[chosen], asset[chosen]
    size, court = len(held), column(held, "court")
    org = np.maximum(column(held, "org"), 0)
    mediator = world.mediators[court, org, column(held, "mediator")]
    closed = held["closed"].to_numpy()
    agreed = np.maximum(
        closed - days(between(rng, 1, 6, size)), held["filed"].to_numpy()
    )
    subject = pick(
        rng, ("debt", "accident", "neighbours", "family"), size, (6, 2, 1, 1)
    )
    name = looked_up(world.population.persons["name"], mediator)
    return pd.DataFrame(
        {
            "med_no": "调" + identifiers.padded(distinct(rng, size, 10**7), 7),
            "case_no": cited(rng, held),
            "org": world.orgs[court, org],
            "mediator": dirt.soiled(rng, name, dirt.NAME_KINDS),
            "agree_date": written.iso_dates(agreed),
            "confirm_date": written.iso_dates(closed),
            "subject": np.where(asset != "", "property", subject),
            "amount": held["claimed"].to_numpy(),
            "asset": asset,
            "posted_date": posted(rng, closed, 3, 40),
        }
    )


def arbitration_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """arbitrations.csv: what was claimed before the labour suit."""
    held = rows[rows["cause"].isin(("wage", "labour_relation"))]
    size, filed = len(held), held["filed"].to_numpy()
    until = filed - days(between(rng, 40, 160, size))
    length = (held["years"].to_numpy(dtype=float) * 365).astype(np.int64)
    decided = filed - days(between(rng, 5, 30, size))
    return pd.DataFrame(
        {
            "arb_no": "劳仲" + identifiers.padded(distinct(rng, size, 10**6), 6),
            "case_no": cited(rng, held),
            "worker_id": person_ids(rng, world, column(held, "plaintiff")),
            "employer_uscc": company_codes(world, column(held, "defendant_firm")),
            "claimed_from": written.iso_dates(until - days(length)),
            "claimed_to": written.iso_dates(until),
            "contested": written.yes_no(column(held, "level") >= 2),
            "decided": written.iso_dates(decided),
            "posted_date": posted(rng, decided, 1, 20),
        }
    )


def backpay_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """pension_backpay.csv: years bought afterwards, and on what basis."""
    held = rows[(rows["back_paid"] >= 0) & (rows["cause"] == "labour_relation")]
    paid = held["closed"].to_numpy() + days(column(held, "back_paid"))
    held, paid = held[paid < YEAR_END], paid[paid < YEAR_END]
    until = held["filed"].to_numpy() - days(np.full(len(held), 90))
    years = held["years"].to_numpy(dtype=float)
    begun = until - days((years * 365).astype(np.int64))
    basis = dirt.soiled(
        rng, held["case_no"].to_numpy(dtype=object), dirt.CITED_CASE_KINDS
    )
    amount = np.round(years * 12 * rng.uniform(900, 1150, len(held)), 2)
    return pd.DataFrame(
        {
            "person_id": person_ids(rng, world, column(held, "plaintiff")),
            "uscc": company_codes(world, column(held, "defendant_firm")),
            "from_month": begun.astype("datetime64[M]").astype(str),
            "to_month": until.astype("datetime64[M]").astype(str),
            "paid_date": written.iso_dates(paid),
            "amount": amount,
            "basis_no": basis,
            "posted_date": posted(rng, paid, 1, 40),
        }
    )


def assignment_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """assignments.csv: claims that the plaintiff took over before suing."""
    held = rows[(rows["assignor"] >= 0) & (rows["plaintiff"] >= 0)]
    day = held["filed"].to_numpy() - days(between(rng, 20, 120, len(held)))
    return pd.DataFrame(
        {
            "case_no": cited(rng, held),
            "assignor_id": person_ids(rng, world, column(held, "assignor")),
            "assignee_id": person_ids(rng, world, column(held, "plaintiff")),
            "debt": held["principal"].to_numpy(dtype=float),
            "assigned_date": written.iso_dates(day),
            "posted_date": written.iso_dates(held["posted"].to_numpy()),
        }
    )


def notary_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """notarial_deeds.csv: loans that need no suit to be enforced."""
    crew = np.unique(column(rows[rows["typology"] == "nominal_lenders"], "plaintiff"))
    crew = crew[::2]  # some of the gang went to the notary instead
    creditor = np.concatenate([any_adult(rng, world, max(40, len(rows) // 12)), crew])
    size = len(creditor)
    day = FIRST_DAY + days(between(rng, 0, WINDOW, size))
    table = pd.DataFrame(
        {
            "deed_no": "浙证" + identifiers.padded(distinct(rng, size, 10**6), 6),
            "creditor_id": person_ids(rng, world, creditor),
            "debtor_id": person_ids(rng, world, any_adult(rng, world, size)),
            "amount": np.round(lognormal(rng, 120_000, 0.8, size), -3),
            "deed_date": written.iso_dates(day),
            "posted_date": posted(rng, day, 1, 20),
        }
    )
    return table.sort_values("deed_no", ignore_index=True)


def bank_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """bank_transfers.csv: answers to legal requests in a few lending suits."""
    private = (rows["plaintiff"] >= 0) & (rows["defendant"] >= 0)
    asked = private & (rows["cause"] == "lending")
    held = rows[(asked & chance(rng, len(rows), REQUESTED_RATE)).to_numpy()]
    paid = held[held["paid_by"] == "transfer"]
    parts = [_payouts(paid), *_returns(rng, world, paid[paid["loop"].astype(bool)])]
    parts.append(_repayments(rng, paid[~paid["loop"].astype(bool)]))
    moves = pd.concat(parts, ignore_index=True)
    moves = moves.sort_values("day", kind="stable", ignore_index=True)
    size = len(moves)
    clock = between(rng, 8 * 3600, 20 * 3600, size) * np.timedelta64(1, "s")
    answered = moves["known"].to_numpy()
    return pd.DataFrame(
        {
            "txn_id": identifiers.padded(distinct(rng, size, 10**12), 12),
            "case_no": cited(rng, moves),
            "paid_at": written.iso_times(
                moves["day"].to_numpy().astype("datetime64[s]") + clock
            ),
            "from_id": looked_up(world.population.persons["person_id"], moves["payer"]),
            "to_id": looked_up(world.population.persons["person_id"], moves["payee"]),
            "amount": np.round(moves["sum"].to_numpy(dtype=float), 2),
            "channel": pick(rng, ("transfer", "qr"), size, (0.8, 0.2)),
            "posted_date": posted(rng, answered, 10, 60),
        }
    )


def _move(rows: pd.DataFrame, payer: str, payee: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "case_no": rows["case_no"],
            "day": rows["lent"],
            "payer": rows[payer],
            "payee": rows[payee],
            "sum": rows["principal"],
            "known": rows["posted"],
        }
    )


def _payouts(rows: pd.DataFrame) -> pd.DataFrame:
    return _move(rows, "plaintiff", "defendant")


def _returns(rng: Rng, world: World, rows: pd.DataFrame) -> list[pd.DataFrame]:
    """The money comes back within days, straight or over somebody close to the lender."""
    middle = housemates(rng, world, column(rows, "plaintiff"))
    rows = rows.assign(middle=middle)
    straight = chance(rng, len(rows), 0.5)
    wait = days(between(rng, 1, 3, len(rows)))
    direct = _move(rows, "defendant", "plaintiff").assign(day=rows["lent"] + wait)
    first = _move(rows, "defendant", "middle").assign(day=rows["lent"] + wait)
    then = _move(rows, "middle", "plaintiff").assign(
        day=rows["lent"] + wait + days(between(rng, 1, 3, len(rows)))
    )
    return [direct[straight], first[~straight], then[~straight]]


def _repayments(rng: Rng, rows: pd.DataFrame) -> pd.DataFrame:
    """Honest debtors pay something back, seldom at once."""
    some = rows[chance(rng, len(rows), 0.45)]
    wait = np.where(
        chance(rng, len(some), 0.04),
        between(rng, 3, 7, len(some)),
        between(rng, 25, 300, len(some)),
    )
    part = some["principal"].to_numpy() * rng.uniform(0.03, 0.3, len(some))
    back = _move(some, "defendant", "plaintiff")
    return back.assign(day=some["lent"] + days(wait), sum=part)


def status_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """company_status.csv of the market regulator: firms that closed or were struck off."""
    firms = world.firms("other")
    shut = firms[chance(rng, len(firms), CLOSED_RATE)]
    planted = column(rows[rows["closed_shop"].astype(bool)], "defendant_firm")
    firm = np.unique(np.concatenate([shut, planted]))
    day = FIRST_DAY - days(between(rng, 30, 1500, len(firm)))
    return pd.DataFrame(
        {
            "uscc": company_codes(world, firm),
            "status": pick(rng, ("revoked", "cancelled"), len(firm)),
            "status_date": written.iso_dates(day),
            "posted_date": posted(rng, day, 1, 30),
        }
    ).sort_values("uscc", ignore_index=True)


def enforcement_rows(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Third creditors' cases against debtors in trouble, and the suits' own."""
    troubled = rows[rows["trouble"].astype(bool)]
    troubled = troubled.drop_duplicates(["defendant", "defendant_firm"])
    third = _against(rng, troubled, "defendant", between(rng, -120, 60, len(troubled)))
    escaped = rows[(rows["typology"] == "assignment_escape").to_numpy()]
    escaped = escaped.drop_duplicates("assignor").assign(defendant_firm=NOBODY)
    earlier = _against(rng, escaped, "assignor", between(rng, -400, -200, len(escaped)))
    ends = rows["outcome"].isin(("default", "mediation", "judgment")).to_numpy()
    claims = (rows["cause"] != "labour_relation").to_numpy()  # else nothing to enforce
    own = rows[ends & claims & chance(rng, len(rows), 0.35)]
    open_for = (own["closed"] - own["filed"]).dt.days.to_numpy(dtype=np.int64)
    late = open_for + between(rng, 20, 120, len(own))
    mine = _against(rng, own, "defendant", late)
    mine = mine.assign(amount=own["claimed"].to_numpy(), basis_no=cited(rng, own))
    every = pd.concat([third, earlier, mine], ignore_index=True)
    return every[every["filed"] < YEAR_END - days(np.array(31))]


def _against(rng: Rng, rows: pd.DataFrame, debtor: str, offset: Ints) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person": column(rows, debtor),
            "company": column(rows, "defendant_firm"),
            "amount": np.round(lognormal(rng, 150_000, 0.8, len(rows)), 0),
            "filed": rows["filed"].to_numpy() + days(offset),
            "basis_no": "",
        }
    )


def distribution_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """distributions.csv: who got what of debtors whose assets did not suffice."""
    share = rng.uniform(0.25, 0.6, len(rows))
    takes = rows["trouble"].astype(bool) & rows["awarded"].notna()
    held = rows[takes]
    own = pd.DataFrame(
        {
            "debtor": column(held, "defendant"),
            "firm": column(held, "defendant_firm"),
            "creditor": column(held, "plaintiff"),
            "amount": held["awarded"].to_numpy() * share[takes],
            "day": held["closed"].to_numpy() + days(between(rng, 40, 150, len(held))),
        }
    )
    debtors = own.drop_duplicates(["debtor", "firm"])
    others = debtors.assign(
        creditor=any_adult(rng, world, len(debtors)),
        amount=lognormal(rng, 60_000, 0.7, len(debtors)),
    )
    every = pd.concat([own, others], ignore_index=True)
    every = every[(every["day"] < YEAR_END) & (every["creditor"] >= 0)]
    every = every.sort_values(["day", "amount"], ignore_index=True)
    return pd.DataFrame(
        {
            "debtor_id": person_ids(rng, world, column(every, "debtor")),
            "debtor_uscc": company_codes(world, column(every, "firm")),
            "creditor_id": person_ids(rng, world, column(every, "creditor")),
            "amount": np.round(every["amount"].to_numpy(), 2),
            "paid_date": written.iso_dates(every["day"].to_numpy()),
            "posted_date": posted(rng, every["day"].to_numpy(), 1, 30),
        }
    )
