"""The benefits delivery: whole, repeatable, and fair to those a naive join accuses."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.simulation.delivered import Delivered
from training.simulation.benefit_crosscheck import (
    CAUGHT_BY_NO_RULE,
    CAUGHT_BY_RULES,
    simulate,
)
from training.simulation.benefit_fraud import TYPOLOGIES
from training.simulation.benefit_honest import (
    DOCUMENTED_VICTIMS,
    HARD_NEGATIVES,
    ORDINARY,
)

UNITS, SEED = 3_000, 31
SILENT_MONTHS = ("2023-06-01", "2023-07-01", "2023-08-01")
HEADERS = {
    "benefits.csv": (
        "ben_id scheme person_id name phone office county village clerk start_date "
        "monthly_amount last_cert cert_mode cert_device care_home_uscc posted_date"
    ),
    "payments.parquet": "ben_id month amount account posted_date",
    "household_assets.csv": "ben_id cars homes deposits declared posted_date",
    "deaths.csv": "origin person_id name birth_date death_date posted_date",
    "life_signs.csv.gz": "person_id kind seen posted_date",
    "medical_bills.csv.gz": "person_id clinic billed item amount posted_date",
    "care_home_stays.csv": "home_uscc person_id month days posted_date",
    "homes.csv": (
        "title_no person_id address share how area value_wan acquired posted_date"
    ),
    "imprisonments.csv": "person_id kind start_date end_date posted_date",
    "lost_identities.csv": "person_id reported posted_date",
    "withdrawals.csv": "account time channel amount posted_date",
    "truth/units.csv": "ben_id fraud typology ring_id hard_negative amount",
}


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    out = tmp_path_factory.mktemp("benefits")
    simulate(units=UNITS, seed=SEED, out=out)
    return Delivered(out)


@pytest.fixture(scope="module")
def units(delivered: Delivered) -> pd.DataFrame:
    truth = delivered.table("truth/units.csv")
    return delivered.table("benefits.csv").merge(truth, on="ben_id", validate="1:1")


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def same_people(rows: pd.DataFrame, table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Rows of a register about these beneficiaries, whatever the case of the x."""
    people = rows.assign(who=rows["person_id"].str.upper())
    return people.merge(
        table.assign(who=table[column].str.upper()), on="who", suffixes=("", "_there")
    )


def days(values: pd.Series) -> pd.Series:
    return pd.to_datetime(values)


def test_equal_seeds_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        simulate(units=1000, seed=5, out=tmp_path / name)
    assert digests(tmp_path / "first") == digests(tmp_path / "second")


def test_too_few_units_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="units=999 is too few"):
        simulate(units=999, seed=1, out=tmp_path)


def test_too_few_people_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"people=.*entitled"):
        simulate(units=1000, seed=1, out=tmp_path, people=1500)


@pytest.mark.parametrize("name", HEADERS)
def test_headers(delivered: Delivered, name: str) -> None:
    assert list(delivered.table(name).columns) == HEADERS[name].split()


def test_every_kind_is_planted(units: pd.DataFrame) -> None:
    assert set(units["typology"]) == {kind.name for kind in TYPOLOGIES} | {""}
    planted = {kind.name for kind in HARD_NEGATIVES}
    assert planted <= set(units["hard_negative"]) <= planted | {"", *ORDINARY}
    assert {CAUGHT_BY_RULES, CAUGHT_BY_NO_RULE} <= set(units["typology"])
    assert set(DOCUMENTED_VICTIMS) <= planted


def test_rates_are_those_of_the_brief(units: pd.DataFrame) -> None:
    assert len(units) == UNITS
    assert 0.015 < (units["fraud"] == "1").mean() < 0.04
    counts = units["typology"].value_counts()
    for kind in TYPOLOGIES:
        wanted = max(kind.minimum, round(kind.share * UNITS))
        assert counts[kind.name] == pytest.approx(wanted, rel=0.3, abs=1)


def test_truth_says_what_is_at_stake(units: pd.DataFrame) -> None:
    fraud = units["fraud"] == "1"
    assert (units.loc[fraud, "amount"].astype(float) > 0).all()
    assert (units.loc[~fraud, "amount"].astype(float) == 0).all()
    assert (units.loc[fraud, "ring_id"] != "").all()
    assert (units.loc[~fraud, "ring_id"] == "").all()
    assert (units.loc[fraud, "hard_negative"] == "").all()


def test_order_and_numbers_tell_nothing(units: pd.DataFrame) -> None:
    fraud = (units["fraud"] == "1").to_numpy()
    error = (12 * fraud.sum()) ** -0.5
    for values in (np.arange(len(units)), units["ben_id"].rank().to_numpy()):
        place = values[fraud].mean() / len(units)
        assert abs(place - 0.5) < 3.5 * error


def test_one_district_is_silent_for_three_months(
    delivered: Delivered, units: pd.DataFrame
) -> None:
    paid = delivered.table("payments.parquet")
    paid = paid.assign(month=paid["month"].astype(str)).merge(units, on="ben_id")
    per_month = paid.groupby(["county", "month"]).size().unstack(fill_value=0)
    empty = per_month[list(SILENT_MONTHS)] == 0
    assert empty.all(axis=1).sum() == 1
    assert empty.to_numpy().sum() == len(SILENT_MONTHS)


def test_the_dead_on_paper_are_seen_and_paid_for_years(
    delivered: Delivered, units: pd.DataFrame
) -> None:
    victims = units[units["hard_negative"] == "dead_on_paper"]
    seen = delivered.table("life_signs.csv.gz").merge(victims, on="person_id")
    newest = days(seen.groupby("ben_id")["seen"].max())
    assert set(newest.index) == set(victims["ben_id"])
    assert (newest > pd.Timestamp("2023-06-01")).all()
    told = same_people(victims, delivered.table("deaths.csv"), "person_id")
    assert (days(told["death_date"]) < pd.Timestamp("2016-01-01")).all()
    assert told["ben_id"].nunique() >= 0.5 * len(victims)


def test_stolen_identities_were_filed_online_and_never_paid(
    delivered: Delivered, units: pd.DataFrame
) -> None:
    victims = units[units["hard_negative"].isin(DOCUMENTED_VICTIMS[1:])]
    roles = same_people(victims, delivered.table("company_roles.csv"), "person_id")
    assert len(roles) >= 0.9 * len(victims)
    assert (roles["channel"] == "online").all()
    paid = delivered.table("income_tax.csv.gz")
    assert not paid["person_id"].str.upper().isin(set(victims["person_id"])).any()


def test_hidden_deaths_stand_in_no_register(
    delivered: Delivered, units: pd.DataFrame
) -> None:
    hidden = units[units["typology"] == CAUGHT_BY_NO_RULE]
    assert same_people(hidden, delivered.table("deaths.csv"), "person_id").empty
    seen = same_people(hidden, delivered.table("life_signs.csv.gz"), "person_id")
    assert (days(seen["seen"]) < pd.Timestamp("2023-06-30")).all()
    assert seen.groupby("ben_id").size().min() >= 4
    assert (hidden["cert_mode"] == "proxy").all()
    assert hidden["cert_device"].value_counts().max() <= 10


def test_evading_homes_keep_to_the_days_that_are_paid(
    delivered: Delivered, units: pd.DataFrame
) -> None:
    stays = delivered.table("care_home_stays.csv")
    evading = units[units["typology"] == "stays_at_sixteen"]
    rows = same_people(evading, stays, "person_id")
    late = rows[days(rows["month"]) >= pd.Timestamp("2023-07-01")]
    assert (late["days"] == "16").mean() > 0.6
    padding = same_people(
        units[units["typology"] == "care_home_padding"], stays, "person_id"
    )
    assert (padding["days"].astype(int) < 16).mean() > 0.3


@pytest.mark.parametrize(
    ("honest", "fraud", "table", "person"),
    [
        ("released_early", "prison_paid", "imprisonments.csv", "person_id"),
        ("disability_car", "hidden_assets", "vehicles.csv", "owner_id"),
        ("seasonal_work", "hidden_wage", "income_tax.csv.gz", "person_id"),
        ("coop_shareholder", "hidden_assets", "company_roles.csv", "person_id"),
    ],
)
def test_hard_negatives_stand_in_the_same_register(
    delivered: Delivered,
    units: pd.DataFrame,
    honest: str,
    fraud: str,
    table: str,
    person: str,
) -> None:
    for kind in (units["hard_negative"] == honest, units["typology"] == fraud):
        assert not same_people(units[kind], delivered.table(table), person).empty


def test_shared_accounts_are_honest_and_fraudulent(
    delivered: Delivered, units: pd.DataFrame
) -> None:
    newest = delivered.table("payments.parquet").drop_duplicates("ben_id", keep="last")
    held = newest.merge(units, on="ben_id")
    sharing = held.groupby("account")["person_id"].transform("nunique") >= 3
    assert sharing[held["hard_negative"] == "guardian_account"].all()
    assert sharing[held["typology"] == "clerk_ghosts"].any()
