"""One population serves all models, so that a person can appear in several of them."""

import numpy as np
import pandas as pd

from training.simulation import registers_life, registers_wealth
from training.simulation.population import prefecture


def test_same_seed_and_size_are_the_same_persons_and_companies() -> None:
    first, again = prefecture(3, 4000), prefecture(3, 4000)
    pd.testing.assert_frame_equal(first.persons, again.persons)
    pd.testing.assert_frame_equal(first.companies, again.companies)
    other = prefecture(4, 4000)
    assert not first.persons["name"].equals(other.persons["name"])


def test_spouses_live_together_and_roles_point_at_people() -> None:
    population, rng = prefecture(3, 4000), np.random.default_rng(0)
    couples = registers_life.couples(rng, population)
    home = population.persons["household"].to_numpy()
    assert (home[couples["a"]] == home[couples["b"]]).all()
    roles = registers_wealth.company_roles(rng, population)
    leads = roles[roles["role"] == "legal_rep"]
    assert leads["company"].is_unique
    assert len(leads) == len(population.companies)
    shares = roles.groupby("company")["share"].sum()
    assert np.allclose(shares, 1.0)


def test_most_deaths_are_registered_within_a_month_and_some_much_later() -> None:
    population, rng = prefecture(3, 40_000), np.random.default_rng(0)
    lag = registers_life.registered_after(rng, 5000).astype(int)
    assert 0.82 < (lag <= 30).mean() < 0.88
    assert 0.02 < (lag > 120).mean() < 0.04
    dead = registers_life.deaths(rng, population)
    assert dead["person"].is_unique
    table = registers_life.death_table(rng, population, dead)
    assert (table["posted_date"] >= table["death_date"]).all()
    unknown = table["person_id"] == ""
    assert unknown.any()
    assert (table.loc[unknown, "origin"] == "cremation").mean() > 0.5
