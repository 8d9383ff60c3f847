"""Who stands behind the firms: owners, staff, phones, and raisers of earlier years."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from training.simulation import identifiers
from training.simulation.elder_fraud import CAUGHT_BY_NO_RULE
from training.simulation.elder_world import LAST_DAY, column, rates
from training.simulation.population import QUARTERS, Population
from training.simulation.registers_wealth import company_roles
from training.simulation.sampling import Ints, Rng, Texts, between, chance, days

KNOWN_RAISERS = 0.012  # failed raisers of earlier years per firm in scope
REPEAT_RATE = 0.4  # rings whose head or phone was part of one
ONE_HEAD_RATE = 0.6  # firms of a ring that its head represents openly
ONE_ADDRESS_RATE = 0.5
RENAMED_RATE = 0.6  # shells of the evading rings that changed their name
FIRST_INSURED_QUARTER = 8  # social insurance is delivered for the last year
STAFF_KINDS = ("bed_card_ponzi", "base_tour", "hard_sell")


@dataclass(frozen=True, slots=True)
class Ties:
    """The prefecture as the schemes changed it, and what else ties firms."""

    population: Population
    roles: pd.DataFrame
    phones: Texts  # of each firm's sales staff
    heads: Ints  # person who collects for each firm
    raisers: pd.DataFrame  # person, phone, closed


def tie(rng: Rng, population: Population, rows: pd.DataFrame) -> Ties:
    """Give every firm its people; rings share theirs."""
    adults = np.flatnonzero(population.adults())
    heads = _heads(rng, population, rows, adults)
    companies = _companies(rng, population, rows, heads)
    jobs = _jobs(rng, population, rows, adults)
    changed = replace(population, companies=companies, jobs=jobs)
    phones = _sales_phones(rng, rows)
    roles = company_roles(rng, changed)
    roles = roles[roles["company"].isin(rows["company"])]
    raisers = _raisers(rng, adults, len(rows))
    extra, raisers = _planted_roles(rng, rows, changed, heads, raisers, phones)
    roles = pd.concat([roles, *extra], ignore_index=True)
    roles = roles.iloc[rng.permutation(len(roles))].reset_index(drop=True)
    return Ties(changed, roles, phones, heads, raisers)


def _heads(rng: Rng, population: Population, rows: pd.DataFrame, adults: Ints) -> Ints:
    """The legal representative, or the head of a ring."""
    own = population.companies["legal_rep"].to_numpy(np.int64)[column(rows, "company")]
    chain = column(rows, "chain")
    bosses = rng.choice(adults, int(chain.max()) + 1, replace=False)
    return np.where(chain >= 0, bosses[chain], own)


def _companies(
    rng: Rng, population: Population, rows: pd.DataFrame, heads: Ints
) -> pd.DataFrame:
    companies, place = population.companies.copy(), column(rows, "company")
    reps = companies["legal_rep"].to_numpy(np.int64).copy()
    evading = rows["typology"].to_numpy() == CAUGHT_BY_NO_RULE
    open_head = ~evading & chance(rng, len(rows), ONE_HEAD_RATE)
    reps[place[open_head]] = heads[open_head]
    phones = companies["phone"].to_numpy(dtype=object).copy()
    addresses = companies["address"].to_numpy(dtype=object).copy()
    former = companies["former_name"].to_numpy(dtype=object).copy()
    names = companies["name"].to_numpy(dtype=object)
    for _, members in _rings(rows):
        firms = place[members]
        if evading[members[0]]:
            # Only neighbours in the chain share a phone: no point names the whole ring.
            phones[firms[1::2]] = phones[firms[0::2]][: len(firms[1::2])]
            addresses[firms[2::2]] = addresses[firms[1::2]][: len(firms[2::2])]
            renamed = firms[chance(rng, len(firms), RENAMED_RATE)]
            former[renamed] = np.roll(names[firms], 1)[: len(renamed)]
        elif rng.random() < ONE_ADDRESS_RATE:
            addresses[firms] = addresses[firms[0]]
    founded = companies["established"].to_numpy().astype("datetime64[D]").copy()
    opened = rows["opened"].to_numpy().astype("datetime64[D]") - days(
        between(rng, 20, 90, len(rows))
    )
    own = rows["founded"].to_numpy().astype("datetime64[D]")
    founded[place] = np.minimum(own, opened)
    return companies.assign(
        legal_rep=reps,
        phone=phones,
        address=addresses,
        former_name=former,
        established=founded,
    )


def _rings(rows: pd.DataFrame) -> list[tuple[int, Ints]]:
    """Each ring or honest chain with the positions of its firms."""
    chain = column(rows, "chain")
    numbers = np.unique(chain[chain >= 0])
    return [(int(number), np.flatnonzero(chain == number)) for number in numbers]


def _jobs(
    rng: Rng, population: Population, rows: pd.DataFrame, adults: Ints
) -> pd.DataFrame:
    """Insured staff of the firms in scope, as many as their habits say."""
    wanted = rng.binomial(column(rows, "staff"), rates(rows, "insured"))
    firm = np.repeat(np.arange(len(rows)), wanted)
    place = identifiers.sequence_within(firm)
    own = population.jobs.groupby("company")["person"].agg(list)
    company = column(rows, "company")
    held = own.reindex(company)
    counts = held.map(lambda staff: len(staff) if isinstance(staff, list) else 0)
    flat = np.concatenate(
        [np.asarray(s, dtype=np.int64) for s in held if isinstance(s, list)]
        or [np.empty(0, dtype=np.int64)]
    )
    count = counts.to_numpy(np.int64)
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    has = place < count[firm]
    person = rng.choice(adults, len(firm))
    person[has] = flat[(start[firm] + place)[has]]
    first = np.where(
        chance(rng, len(firm), 0.8),
        FIRST_INSURED_QUARTER,
        between(rng, FIRST_INSURED_QUARTER, QUARTERS - 2, len(firm)),
    )
    return pd.DataFrame(
        {
            "person": person,
            "company": company[firm],
            "first_quarter": first,
            "last_quarter": QUARTERS - 1,
        }
    )


def _sales_phones(rng: Rng, rows: pd.DataFrame) -> Texts:
    own = identifiers.phones(rng, len(rows))
    team = column(rows, "team")
    shared = identifiers.phones(rng, int(team.max()) + 1)
    return np.where(team >= 0, shared[team], own)


def _raisers(rng: Rng, adults: Ints, units: int) -> pd.DataFrame:
    size = max(10, round(units * KNOWN_RAISERS))
    people = rng.choice(adults, size * 2, replace=False)
    return pd.DataFrame(
        {
            "person": people,
            "phone": identifiers.phones(rng, size * 2),
            "closed": LAST_DAY - days(between(rng, 500, 2200, size * 2)),
        }
    )


def _planted_roles(
    rng: Rng,
    rows: pd.DataFrame,
    population: Population,
    heads: Ints,
    raisers: pd.DataFrame,
    phones: Texts,
) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """Roles of ring heads, former staff and stolen identities; raisers that come again."""
    reps = population.companies["legal_rep"].to_numpy(np.int64)
    kinds, hard = rows["typology"].to_numpy(), rows["hard_negative"].to_numpy()
    people = raisers["person"].to_numpy(np.int64).copy()
    numbers = raisers["phone"].to_numpy(dtype=object).copy()
    extra, known = [], 0
    for _, members in _rings(rows):
        if kinds[members[0]] == CAUGHT_BY_NO_RULE:
            others = np.roll(reps[column(rows, "company")[members]], 1)
            extra.append(_role(rng, rows, members, others, "supervisor"))
            continue
        extra.append(_role(rng, rows, members, heads[members], "shareholder"))
        if kinds[members[0]] in STAFF_KINDS and rng.random() < REPEAT_RATE:
            if rng.random() < 0.6:
                people[known] = heads[members[0]]
            else:
                numbers[known] = phones[members[0]]
            known += 1
    former = np.flatnonzero(hard == "former_employee")
    staff = people[-len(former) :]
    extra.append(_role(rng, rows, former, staff, "manager"))
    stolen = np.flatnonzero(hard == "stolen_identity")
    shells = rng.choice(np.flatnonzero(column(rows, "ring") >= 0), len(stolen))
    owners = reps[column(rows, "company")[stolen]]
    role = _role(rng, rows, shells, owners, "shareholder")
    extra.append(role.assign(channel="online", stolen=True))
    return extra, raisers.assign(person=people, phone=numbers)


def _role(
    rng: Rng, rows: pd.DataFrame, firms: Ints, people: Ints, role: str
) -> pd.DataFrame:
    since = rows["opened"].to_numpy().astype("datetime64[D]")[firms]
    share = rng.uniform(0.1, 0.4, len(firms)) if role == "shareholder" else np.nan
    return pd.DataFrame(
        {
            "company": column(rows, "company")[firms],
            "person": people,
            "role": role,
            "share": share,
            "channel": np.where(chance(rng, len(firms), 0.35), "online", "counter"),
            "since": since,
            "until": np.datetime64("NaT"),
            "stolen": False,
        }
    )
