"""Books, meters, creditors and registers around the debtors of the wage scenario."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from training.simulation import (
    dirt,
    registers,
    registers_life,
    registers_wealth,
    written,
)
from training.simulation.population import Population
from training.simulation.sampling import (
    Bools,
    Ints,
    Rng,
    between,
    chance,
    days,
    lognormal,
    pick,
)
from training.simulation.wages_claims import column, debtor_column, flags
from training.simulation.wages_world import World, quarter_of, staff_jobs

PAYROLL_QUARTERS = 8  # before the stop
PART_SHOWN = 0.62  # of the wage, where the rest was paid in cash
BULK_QUARTERS = 2
BYSTANDER_RATE = 0.10
METERED_OTHERS = 120
METER_START = np.datetime64("2021-01")
METER_MONTHS = 48
SEASON = np.array([0.8, 0.6, 1.0, 1.0, 1.0, 1.05, 1.15, 1.15, 1.05, 1.0, 1.0, 1.0])
CREDITORS_PER_DEBTOR = 14
LENDING_STAFF_RATE = 0.008  # workers who lent their employer money
UNTAXED_RATE = 0.05  # of jobs: the employer never declared the pay
REQUESTED_RATE = 0.08  # of arbitrated claims: the bank was asked
CLOSE_TO_HOME = ("relatives_as_workers", "nominee_batch", "nominee_batch_evading")


def on_the_books(world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Who stood in a debtor's books: claimants with a payroll and other staff."""
    wanted = ["person", "debtor", "post", "pay", "insured", "payroll"]
    both = [rows[wanted], world.staff.loc[~world.spent, wanted]]
    books = pd.concat(both, ignore_index=True)
    return books[flags(books, "payroll")].reset_index(drop=True)


def payroll_tables(
    rng: Rng, world: World, rows: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """payroll.parquet: the debtors' books, one month of each quarter."""
    books = on_the_books(world, rows)
    stop = quarter_of(debtor_column(world, books, "stop"))
    for back in range(PAYROLL_QUARTERS):
        held = books[chance(rng, len(books), 0.97)]
        paid = held.assign(quarter=stop[held.index] - back)
        for part in written.in_parts(paid.iloc[rng.permutation(len(paid))]):
            yield _payroll_table(rng, world, part)


def _payroll_table(rng: Rng, world: World, part: pd.DataFrame) -> pd.DataFrame:
    size, population = len(part), world.population
    own, holding = (debtor_column(world, part, n) for n in ("company", "holding"))
    grouped = debtor_column(world, part, "group_payroll")
    codes = population.companies["uscc"].to_numpy(dtype=object)
    shown = np.where(debtor_column(world, part, "part_cash"), PART_SHOWN, 1.0)
    month = registers.FIRST_MONTH + (column(part, "quarter") * 3).astype(
        "timedelta64[M]"
    )
    ids = population.persons["person_id"].to_numpy(dtype=object)
    net = part["pay"].to_numpy() * shown * rng.normal(1, 0.05, size)
    accepted = debtor_column(world, part, "accepted")
    return pd.DataFrame(
        {
            "uscc": codes[np.where(grouped, holding, own)],
            "month": written.arrow_dates(month),
            "person_id": dirt.soiled(rng, ids[column(part, "person")], dirt.ID_KINDS),
            "post": part["post"].to_numpy(dtype=object),
            "net": np.round(net, -1),
            "channel": pick(rng, ("bank", "cash"), size, (0.85, 0.15)),
            "posted_date": written.arrow_dates(accepted + days(np.full(size, 30))),
        }
    )


def utility_table(rng: Rng, world: World) -> pd.DataFrame:
    """utilities.csv of the power company: use and that of the same month a year ago."""
    companies = world.population.companies
    debtors = world.debtors["company"].to_numpy(np.int64)
    others = np.setdiff1d(np.arange(len(companies)), debtors)
    others = rng.choice(others, min(METERED_OTHERS, len(others)), replace=False)
    company = np.concatenate([debtors, others])
    stop = np.full(len(company), np.datetime64("2030-01-01"), dtype="datetime64[D]")
    stop[: len(debtors)] = world.debtors["stop"].to_numpy().astype("datetime64[D]")
    month = METER_START + np.arange(METER_MONTHS).astype("timedelta64[M]")
    running = month[None, :].astype("datetime64[D]") <= stop[:, None]
    base = lognormal(rng, 24_000, 0.9, len(company))[:, None]
    use = (
        base
        * SEASON[np.arange(METER_MONTHS) % 12]
        * rng.normal(1, 0.08, running.shape).clip(0.5)
    )
    use = np.round(np.where(running, use, use * rng.uniform(0.01, 0.07, use.shape)))
    year = METER_MONTHS - 12
    table = pd.DataFrame(
        {
            "uscc": np.repeat(companies["uscc"].to_numpy(dtype=object)[company], year),
            "when": np.tile(month[12:], len(company)),
            "kwh": use[:, 12:].ravel(),
            "kwh_year_before": use[:, :-12].ravel(),
        }
    )
    table = table.iloc[rng.permutation(len(table))]
    table = table.sort_values("when", kind="stable", ignore_index=True)
    when = table.pop("when").to_numpy().astype("datetime64[M]")
    posted = (when + np.timedelta64(1, "M")).astype("datetime64[D]") + days(np.array(9))
    return table.assign(
        month=np.char.replace(np.datetime_as_string(when), "-", "").astype(object),
        posted_date=written.iso_dates(posted),
    )


def creditor_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """creditors.csv: suppliers and lenders in the debtors' ledgers."""
    ordinary = rows[flags(rows, "payroll") & chance(rng, len(rows), LENDING_STAFF_RATE)]
    lent = pd.DataFrame(
        {
            "debtor": column(ordinary, "debtor"),
            "person": column(ordinary, "person"),
            "kind": "loan",
            "amount": lognormal(rng, 30_000, 0.5, len(ordinary)),
        }
    )
    count = len(world.debtors) * CREDITORS_PER_DEBTOR
    others = pd.DataFrame(
        {
            "debtor": rng.integers(0, len(world.debtors), count),
            "person": rng.choice(np.flatnonzero(world.population.adults()), count),
            "kind": pick(rng, ("loan", "goods", "works"), count, (3, 5, 2)),
            "amount": lognormal(rng, 110_000, 1.0, count),
        }
    )
    held = pd.concat([lent, others, *world.ledger], ignore_index=True)
    held = held.iloc[rng.permutation(len(held))].reset_index(drop=True)
    persons = world.population.persons
    person = column(held, "person")
    accepted = debtor_column(world, held, "accepted")
    name = persons["name"].to_numpy(dtype=object)[person]
    ids = persons["person_id"].to_numpy(dtype=object)[person]
    return pd.DataFrame(
        {
            "bk_no": debtor_column(world, held, "bk_no"),
            "creditor_id": dirt.soiled(rng, ids, dirt.ID_KINDS),
            "creditor_name": dirt.soiled(rng, name, dirt.NAME_KINDS),
            "kind": held["kind"].to_numpy(dtype=object),
            "amount": np.round(held["amount"].to_numpy(dtype=float), 2),
            "posted_date": written.iso_dates(
                accepted + days(between(rng, 5, 60, len(held)))
            ),
        }
    )


def transfer_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """bank_transfers.csv: what few banks answered on where an award went."""
    asked = rows[flags(rows, "arbitrated") & chance(rng, len(rows), REQUESTED_RATE)]
    size, person = len(asked), column(asked, "person")
    persons = world.population.persons
    adults = np.flatnonzero(world.population.adults())
    leads = np.array([world.lead(d) for d in range(len(world.debtors))])
    lead = leads[column(asked, "debtor")]
    false = asked["typology"].isin(CLOSE_TO_HOME).to_numpy()
    returned = false & chance(rng, size, 0.6)
    lent = chance(rng, size, 0.01)
    target = np.where(returned | lent, lead, rng.choice(adults, size))
    paid = asked["listed"].to_numpy() + days(between(rng, 30, 90, size))
    gap = np.where(returned, between(rng, 1, 7, size), between(rng, 1, 60, size))
    ids = persons["person_id"].to_numpy(dtype=object)
    moved = paid + days(gap)
    table = pd.DataFrame(
        {
            "claimant_id": ids[person],
            "paid_date": written.iso_dates(paid),
            "moved_date": written.iso_dates(moved),
            "recipient_id": ids[target],
            "amount": np.round(
                asked["amount"].to_numpy() * rng.uniform(0.3, 1.0, size), -2
            ),
            "posted_date": written.iso_dates(moved + days(between(rng, 20, 60, size))),
        }
    )
    return table.sort_values("posted_date", kind="stable", ignore_index=True)


def with_jobs(rng: Rng, world: World, rows: pd.DataFrame) -> Population:
    """The prefecture with the debtors' staff at work there, and nowhere else."""
    books = pd.concat([rows, world.staff[~world.spent]], ignore_index=True)
    late = books["bulk"].fillna(False).to_numpy(dtype=np.bool_)
    books = books[flags(books, "insured") & ~late]
    jobs = world.population.jobs
    settled = flags(rows, "payroll") | flags(rows, "bulk")
    moved = np.concatenate(
        [world.staff["person"].to_numpy(), column(rows, "person")[settled]]
    )
    kept = jobs[~jobs["person"].isin(moved)]
    hired = [kept, staff_jobs(rng, world, books), *world.extra_jobs]
    return replace(world.population, jobs=pd.concat(hired, ignore_index=True))


def insurance_tables(
    rng: Rng, world: World, population: Population, rows: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """social_insurance.csv.gz; some debtors paid quarters back in bulk."""
    known = _known(rng, world, rows)
    late = rows[flags(rows, "bulk")]
    last = quarter_of(debtor_column(world, late, "stop"))
    planted = replace(
        population,
        jobs=pd.DataFrame(
            {
                "person": column(late, "person"),
                "company": debtor_column(world, late, "company"),
                "first_quarter": np.maximum(last - BULK_QUARTERS + 1, 0),
                "last_quarter": last,
            }
        ),
    )
    backfilled = {
        str(t["month"].iloc[0]): t
        for t in registers.insurance_tables(rng, planted, known)
        if len(t)
    }
    debtors = world.debtors
    codes = population.companies["uscc"].to_numpy(dtype=object)[debtors["company"]]
    posted = debtors["petition"].to_numpy() - days(between(rng, 5, 40, len(debtors)))
    bulk_day = dict(zip(codes, written.iso_dates(posted), strict=True))
    usual = set(codes[debtors["bulk"].to_numpy()])
    for table in registers.insurance_tables(rng, population, known):
        more = backfilled.pop(str(table["month"].iloc[0]), table.iloc[:0])
        yield _in_bulk(rng, table, more, bulk_day, usual)


def _in_bulk(
    rng: Rng,
    table: pd.DataFrame,
    more: pd.DataFrame,
    bulk_day: dict[str, str],
    usual: set[str],
) -> pd.DataFrame:
    """One table out of two; who pays in bulk posts the last quarters on one day."""
    late = table["employer_uscc"].isin(usual).to_numpy()
    both = pd.concat([table, more], ignore_index=True)
    late = np.concatenate([late, np.ones(len(more), dtype=np.bool_)])
    day = both["employer_uscc"].map(bulk_day).fillna("").to_numpy(dtype=object)
    posted = both["posted_date"].to_numpy(dtype=object)
    lag = pd.to_datetime(day) - pd.to_datetime(both["month"], format="%Y%m")
    recent = late & (lag.dt.days.to_numpy() < 300) & (day > posted)
    both["posted_date"] = np.where(recent, day, posted)
    return both.iloc[rng.permutation(len(both))].reset_index(drop=True)


def _known(rng: Rng, world: World, rows: pd.DataFrame) -> Bools:
    """Whose insurance was asked for: claimants, staff, controllers, some others."""
    known = chance(rng, len(world.population.persons), BYSTANDER_RATE)
    known[column(rows, "person")] = True
    known[world.staff["person"].to_numpy()] = True
    known[world.agents] = True
    return known


def income_tables(
    rng: Rng, world: World, population: Population, rows: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """income_tax.csv.gz of the same people; what was paid in cash is not declared."""
    known = _known(rng, world, rows)
    jobs = registers_wealth.incomes(rng, population)
    known &= ~chance(rng, len(known), UNTAXED_RATE)
    jobs = jobs[known[jobs["person"].to_numpy()]].reset_index(drop=True)
    books = on_the_books(world, rows).drop_duplicates("person")
    pay = books.set_index("person")["pay"].reindex(jobs["person"]).to_numpy()
    jobs["income"] = np.where(np.isnan(pay), jobs["income"], np.round(pay * 3, -1))
    yield from registers_wealth.income_tables(rng, population, jobs)


def role_table(rng: Rng, world: World) -> pd.DataFrame:
    """company_roles.csv with the debtors' small and stolen roles among the others."""
    rows = registers_wealth.company_roles(rng, world.population)
    extra = pd.concat(world.extra_roles, ignore_index=True)
    size = len(extra)
    company = world.debtors["company"].to_numpy(np.int64)[column(extra, "debtor")]
    opened = world.population.companies["established"].to_numpy()[company]
    holder = (extra["role"] == "shareholder").to_numpy()
    stolen = extra.get("stolen", pd.Series(False, extra.index)).fillna(False)
    more = pd.DataFrame(
        {
            "company": company,
            "person": column(extra, "person"),
            "role": extra["role"].to_numpy(dtype=object),
            "share": np.where(holder, rng.uniform(0.005, 0.08, size), np.nan),
            "channel": np.where(
                stolen, "online", pick(rng, ("online", "counter"), size, (0.35, 0.65))
            ),
            "since": np.maximum(
                opened.astype("datetime64[D]"), np.datetime64("2016-01-01")
            ),
            "until": np.datetime64("NaT"),
            "stolen": stolen.to_numpy(dtype=np.bool_),
        }
    )
    both = pd.concat([rows, more], ignore_index=True)
    both = both.iloc[rng.permutation(len(both))].reset_index(drop=True)
    return registers_wealth.role_table(rng, world.population, both)


def enforcement_table(rng: Rng, world: World) -> pd.DataFrame:
    """enforcements.csv: the prefecture's, and those that ruined the debtors."""
    rows = registers_wealth.enforcements(rng, world.population)
    each = between(rng, 2, 14, len(world.debtors))
    debtor: Ints = np.repeat(np.arange(len(world.debtors)), each)
    accepted = world.debtors["accepted"].to_numpy()[debtor]
    more = pd.DataFrame(
        {
            "person": registers_wealth.NOBODY,
            "company": world.debtors["company"].to_numpy()[debtor],
            "amount": np.round(lognormal(rng, 160_000, 1.0, len(debtor)), 0),
            "filed": accepted - days(between(rng, 20, 270, len(debtor))),
        }
    )
    both = pd.concat([rows, more], ignore_index=True)
    both = both.sort_values("filed", kind="stable", ignore_index=True)
    return registers_wealth.enforcement_table(rng, world.population, both)


def marriage_table(rng: Rng, world: World) -> pd.DataFrame:
    """marriages.csv of the prefecture."""
    rows = registers_life.couples(rng, world.population)
    return registers_life.marriage_table(rng, world.population, rows)
