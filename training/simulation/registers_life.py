"""Events of life that registers know: marriages, deaths, custody; drawn, then written.

What is drawn is a table by positions to which a scenario adds what it plants; what is
written is how the department delivers it.
"""

import numpy as np
import pandas as pd

from training.simulation import dirt, written
from training.simulation.population import Population
from training.simulation.sampling import Ints, Rng, between, chance, days, pick

FIRST_DAY, LAST_DAY = np.datetime64("2022-01-01"), np.datetime64("2024-12-31")
WINDOW_DAYS = int((LAST_DAY - FIRST_DAY).astype(int)) + 1
MARRIED_RATE, DIVORCED_RATE = 0.8, 0.08
OLD = np.datetime64("1955-01-01")  # born before: one in DEATHS_OLD dies in the window
DEATHS_OLD, DEATHS_YOUNG = 0.10, 0.004
CUSTODY_RATE = 0.004
# Registration of a death: 85 % within 30 days, 12 % within 120, 3 % later.
LAGS, LAG_SHARES = ((0, 30), (31, 120), (121, 400)), (0.85, 0.12, 0.03)
NO_ID_RATE = 0.04  # cremation lists without an identity number
ORIGINS, ORIGIN_SHARES = ("certificate", "cremation", "register"), (0.45, 0.35, 0.2)


def couples(rng: Rng, population: Population) -> pd.DataFrame:
    """Spouses (the first two of a household): a, b, registered, ended (NaT)."""
    homes = np.flatnonzero(population.household_size >= 2)
    homes = homes[chance(rng, len(homes), MARRIED_RATE)]
    a = population.household_start[homes]
    births = population.persons["birth"].to_numpy()
    wed = np.maximum(births[a], births[a + 1]).astype("datetime64[D]")
    wed = wed + days(between(rng, 8000, 11000, len(a)))
    ended = wed + days(between(rng, 400, 9000, len(a)))
    kept = ~chance(rng, len(a), DIVORCED_RATE) | (ended > LAST_DAY)
    ended[kept] = np.datetime64("NaT")
    rows = pd.DataFrame({"a": a, "b": a + 1, "registered": wed, "ended": ended})
    return rows[rows["registered"] < LAST_DAY].reset_index(drop=True)


def marriage_table(
    rng: Rng, population: Population, rows: pd.DataFrame
) -> pd.DataFrame:
    """marriages.csv of civil affairs."""
    ids = population.persons["person_id"].to_numpy(dtype=object)
    lag = days(between(rng, 0, 20, len(rows)))
    return pd.DataFrame(
        {
            "person_a_id": dirt.soiled(rng, ids[rows["a"]], dirt.ID_KINDS),
            "person_b_id": dirt.soiled(rng, ids[rows["b"]], dirt.ID_KINDS),
            "registered": written.iso_dates(rows["registered"].to_numpy()),
            "ended": written.iso_dates(rows["ended"].to_numpy()),
            "posted_date": written.iso_dates(rows["registered"].to_numpy() + lag),
        }
    )


def deaths(rng: Rng, population: Population) -> pd.DataFrame:
    """Who dies in the window, and when it is registered: person, died, known."""
    births = population.persons["birth"].to_numpy()
    size = len(births)
    rate = np.where(births < OLD, DEATHS_OLD, DEATHS_YOUNG)
    person = np.flatnonzero(chance(rng, size, rate))
    died = FIRST_DAY + days(between(rng, 0, WINDOW_DAYS - 1, len(person)))
    return pd.DataFrame(
        {
            "person": person,
            "died": died,
            "known": died + registered_after(rng, len(died)),
        }
    )


def registered_after(rng: Rng, size: int) -> Ints:
    """Days from a death to its registration."""
    band = rng.choice(len(LAGS), size, p=LAG_SHARES)
    low, high = np.array(LAGS).T
    return days(rng.integers(low[band], high[band] + 1))


def death_table(rng: Rng, population: Population, rows: pd.DataFrame) -> pd.DataFrame:
    """deaths.csv as health, civil affairs and police report them."""
    persons, person = population.persons, rows["person"].to_numpy()
    origin = pick(rng, ORIGINS, len(rows), ORIGIN_SHARES)
    ids = dirt.soiled(
        rng, persons["person_id"].to_numpy(dtype=object)[person], dirt.ID_KINDS
    )
    lost = (origin == "cremation") & chance(rng, len(rows), NO_ID_RATE)
    names = persons["name"].to_numpy(dtype=object)[person]
    table = pd.DataFrame(
        {
            "origin": origin,
            "person_id": np.where(lost, "", ids),
            "name": dirt.soiled(rng, names, dirt.NAME_KINDS),
            "birth_date": written.iso_dates(persons["birth"].to_numpy()[person]),
            "death_date": written.iso_dates(rows["died"].to_numpy()),
            "posted_date": written.iso_dates(rows["known"].to_numpy()),
        }
    )
    return table.sort_values("posted_date", kind="stable", ignore_index=True)


def custody(rng: Rng, population: Population) -> pd.DataFrame:
    """Who is in prison, detained or under correction: person, kind, start, end."""
    adults = np.flatnonzero(population.adults())
    person = adults[chance(rng, len(adults), CUSTODY_RATE)]
    start = FIRST_DAY + days(between(rng, -400, WINDOW_DAYS - 60, len(person)))
    kind = pick(
        rng,
        ("prison", "detention", "community_correction"),
        len(person),
        (0.4, 0.3, 0.3),
    )
    return pd.DataFrame(
        {
            "person": person,
            "kind": kind,
            "start": start,
            "end": start + days(between(rng, 30, 1400, len(person))),
        }
    )


def custody_table(rng: Rng, population: Population, rows: pd.DataFrame) -> pd.DataFrame:
    """imprisonments.csv of justice and courts."""
    ids = population.persons["person_id"].to_numpy(dtype=object)[rows["person"]]
    start, end = rows["start"].to_numpy(), rows["end"].to_numpy().copy()
    end[end > LAST_DAY] = np.datetime64("NaT")
    posted = start + days(between(rng, 5, 60, len(rows)))
    return pd.DataFrame(
        {
            "person_id": dirt.soiled(rng, ids, dirt.ID_KINDS),
            "kind": rows["kind"].to_numpy(dtype=object),
            "start_date": written.iso_dates(start),
            "end_date": written.iso_dates(end),
            "posted_date": written.iso_dates(posted),
        }
    )
