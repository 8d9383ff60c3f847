"""The simulated oil delivery: reproducible, true to what was planted, silent about it."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.simulation.fuel_honest import HARD_NEGATIVES
from training.simulation.fuel_oil_tax import (
    CAUGHT_BY_NO_RULE,
    CAUGHT_BY_RULES,
    DELIVERED,
    simulate,
)
from training.simulation.fuel_schemes import SCHEMES

UNITS, SEED = 1000, 11
HEADERS = {
    "company_months.csv": (
        "company_month uscc name industry district month oil_amount posted_date"
    ),
    "invoice_lines.csv.gz": (
        "inv_no date month seller_uscc seller_name buyer_uscc buyer_name "
        "buyer_industry goods_code item unit qty price litres amount vat deducted "
        "voided red device posted_date"
    ),
    "vat_returns.csv": "uscc month sales input output payable posted_date",
    "consumption_tax.csv": "uscc month item qty tax posted_date",
    "trucks.csv": "plate owner_uscc tonnage fuel status posted_date",
    "truck_km.csv.gz": "plate carrier_uscc month energy km night_stops posted_date",
    "boilers.csv": "reg_no uscc kind fuel t_per_h hours posted_date",
    "permits.csv": "uscc kind from_date to_date posted_date",
    "station_days.csv.gz": (
        "station_uscc pump day month litres metered meter_total tax_total takings "
        "invoiced posted_date"
    ),
    "station_traffic.csv": "station_uscc month vehicles posted_date",
    "qr_payments.csv": "station_uscc month person_share posted_date",
    "tanker_trips.csv.gz": (
        "plate left_at arrived_at month from_uscc to_uscc to_kind tonnes posted_date"
    ),
    "samples.csv": (
        "site_uscc date month sulphur_ppm flash_c passed supplier_uscc posted_date"
    ),
    "customs.csv": "uscc month hs_code qty_t posted_date",
    "electricity.csv.gz": "uscc month kwh posted_date",
    "fuel_prices.csv": "week month price posted_date",
    "truth/units.csv": ("company_month fraud typology ring_id hard_negative amount"),
}


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def read(folder: Path, name: str, encoding: str = "utf-8") -> pd.DataFrame:
    return pd.read_csv(
        folder / name, dtype=str, keep_default_na=False, encoding=encoding
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("oil")
    simulate(units=UNITS, seed=SEED, out=out)
    return out


@pytest.fixture(scope="module")
def units(folder: Path) -> pd.DataFrame:
    truth = read(folder, "truth/units.csv")
    listed = read(folder, "company_months.csv")
    return listed.merge(truth, on="company_month", validate="1:1")


@pytest.fixture(scope="module")
def lines(folder: Path) -> pd.DataFrame:
    rows = read(folder, "invoice_lines.csv.gz")
    for side in ("buyer", "seller"):
        key = (
            rows[f"{side}_uscc"].str.upper() + "-" + rows["month"].str.replace("-", "")
        )
        rows[f"{side}_month"] = key
    rows["litres"] = pd.to_numeric(rows["litres"]).fillna(0.0)
    return rows


def bought(lines: pd.DataFrame, units: pd.DataFrame, fuel: bool) -> pd.Series:
    """Litres each unit bought under a fuel code, or as oil under another one."""
    code = lines["goods_code"].str.startswith("1070101")
    oil = lines["goods_code"].str.startswith("10702") & ~code
    taken = lines[code if fuel else oil]
    sums = taken.groupby("buyer_month")["litres"].sum()
    return units["company_month"].map(sums).fillna(0.0)


def auc(score: np.ndarray, positive: np.ndarray) -> float:
    rank = pd.Series(score).rank().to_numpy()
    count = positive.sum()
    above = rank[positive].sum() - count * (count + 1) / 2
    return float(above / (count * (~positive).sum()))


def test_same_seed_same_bytes(folder: Path, tmp_path: Path) -> None:
    simulate(units=UNITS, seed=SEED, out=tmp_path)
    assert digests(tmp_path) == digests(folder)


def test_too_few_units_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="units=999"):
        simulate(units=999, seed=SEED, out=tmp_path)


@pytest.mark.parametrize("name", HEADERS)
def test_tables_have_the_declared_headers(folder: Path, name: str) -> None:
    assert list(read(folder, name).columns) == HEADERS[name].split()


def test_every_scheme_and_lookalike_is_planted(units: pd.DataFrame) -> None:
    assert len(units) == UNITS
    assert units["company_month"].is_unique
    assert set(units["typology"]) - {""} == {scheme.name for scheme in SCHEMES}
    assert set(units["hard_negative"]) - {""} == {kind.name for kind in HARD_NEGATIVES}
    assert {CAUGHT_BY_RULES, CAUGHT_BY_NO_RULE} <= set(units["typology"])


def test_fraud_has_ring_and_money_and_honest_units_have_neither(
    units: pd.DataFrame,
) -> None:
    fraud = units["fraud"] == "1"
    amount = units["amount"].astype(float)
    assert ((units["typology"] != "") == fraud).all()
    assert ((units["ring_id"] != "") == fraud).all()
    assert (amount[fraud] > 0).mean() > 0.9
    assert (amount[~fraud] == 0).all()
    assert not (fraud & (units["hard_negative"] != "")).any()


def test_prevalence_is_a_few_percent_even_in_the_smallest(
    units: pd.DataFrame,
) -> None:
    assert 0.03 < (units["fraud"] == "1").mean() < 0.14


def test_evading_schemes_begin_with_the_regime_change(units: pd.DataFrame) -> None:
    evading = {scheme.name for scheme in SCHEMES if scheme.evading}
    assert (units.loc[units["typology"].isin(evading), "month"] >= "2023-07").all()


def test_order_and_codes_tell_nothing(units: pd.DataFrame, lines: pd.DataFrame) -> None:
    fraud = (units["fraud"] == "1").to_numpy()
    assert 0.38 < auc(np.arange(len(units)), fraud) < 0.62
    firm = units.assign(fraud=fraud).groupby("uscc")["fraud"].any()
    serial = firm.index.str[8:16].to_numpy()
    assert 0.2 < auc(pd.Series(serial).rank().to_numpy(), firm.to_numpy()) < 0.8
    ring = set(units.loc[fraud, "company_month"])
    inside = lines["buyer_month"].isin(ring).to_numpy()
    assert 0.4 < auc(lines["inv_no"].astype(float).to_numpy(), inside) < 0.6


def test_no_size_or_date_separates_fraud(units: pd.DataFrame) -> None:
    fraud = (units["fraud"] == "1").to_numpy()
    amount = auc(units["oil_amount"].astype(float).to_numpy(), fraud)
    assert 0.15 < amount < 0.85


def test_hub_buyers_take_little_true_fuel(
    units: pd.DataFrame, lines: pd.DataFrame
) -> None:
    users = (units["typology"] == "hub_users") & (units["industry"] != "trade")
    oil, fuel = bought(lines, units, False), bought(lines, units, True)
    share = oil / (oil + fuel)
    assert 0.6 < share[users].median() < 0.95
    plain = units["industry"].isin(["freight", "building"]) & (units["fraud"] == "0")
    assert share[plain].median() < 0.1


def test_affiliates_keep_above_half_of_their_fuel(
    units: pd.DataFrame, lines: pd.DataFrame
) -> None:
    ring = units["typology"] == "affiliate_users"
    users = ring & (units["industry"] == "freight")
    oil, fuel = bought(lines, units, False), bought(lines, units, True)
    assert (oil / (oil + fuel))[users].between(0.1, 0.5).mean() > 0.9
    named = lines[lines["buyer_month"].isin(units.loc[users, "company_month"])]
    vague = named[~named["goods_code"].str.startswith("1070101")]
    assert not vague["item"].str.contains("柴油|白油|燃料油|芳烃|溶剂油").any()


def test_affiliates_share_a_household(folder: Path, units: pd.DataFrame) -> None:
    companies = read(folder, "companies.csv", "gb18030").set_index("uscc")
    persons = pd.read_parquet(folder / "persons.parquet")
    home = persons.drop_duplicates("person_id").set_index("person_id")["household_no"]
    ring = units[units["typology"] == "affiliate_users"]
    for _, members in ring.groupby("ring_id"):
        reps = companies.loc[members["uscc"].unique(), "legal_rep_id"].str.upper()
        assert reps.map(home).dropna().nunique() == 1


@pytest.mark.parametrize(
    ("typology", "low", "high"),
    [("under_declarer", 0.35, 0.7), ("under_declarer_evading", 0.86, 0.9)],
)
def test_stations_declare_the_share_of_their_scheme(
    folder: Path, units: pd.DataFrame, typology: str, low: float, high: float
) -> None:
    ratio = declared_to_meter(folder)
    keys = units.loc[units["typology"] == typology, "company_month"]
    assert ratio.reindex(keys).dropna().median() == pytest.approx(
        (low + high) / 2, abs=(high - low) / 2
    )
    assert ratio.median() > 0.95


def declared_to_meter(folder: Path) -> pd.Series:
    days = read(folder, "station_days.csv.gz")
    key = days["station_uscc"].str.upper() + "-" + days["month"].str.replace("-", "")
    sums = days[["litres", "metered"]].astype(float).groupby(key).sum()
    return sums["litres"] / sums["metered"]


def test_shells_stop_filing_and_new_subsidiaries_do_not(
    folder: Path, units: pd.DataFrame
) -> None:
    last = read(folder, "vat_returns.csv").groupby("uscc")["month"].max()
    shells = units.loc[units["typology"] == "shell_trader", "uscc"].unique()
    young = units.loc[units["hard_negative"] == "new_subsidiary", "uscc"].unique()
    assert (last.reindex(shells) < "2024-10").all()
    assert (last.reindex(young) == "2024-12").all()


@pytest.mark.parametrize(
    "kind", ["subcontractor_freight", "lng_fleet", "fuel_card_parent"]
)
def test_honest_hauliers_lack_fuel_like_the_hub_buyers(
    folder: Path, units: pd.DataFrame, lines: pd.DataFrame, kind: str
) -> None:
    km = read(folder, "truck_km.csv.gz")
    km = km[km["energy"].isin(["", "diesel"])]
    key = km["carrier_uscc"].str.upper() + "-" + km["month"].str.replace("-", "")
    driven = units["company_month"].map(km["km"].astype(float).groupby(key).sum())
    wanted = driven * 0.35
    short = bought(lines, units, True) < 0.5 * wanted
    alike = (units["hard_negative"] == kind) & (driven > 3000)
    assert short[alike].mean() > 0.3


@pytest.mark.parametrize("kind", ["boiler_plant", "solvent_user"])
def test_honest_plants_take_oil_that_no_register_explains(
    folder: Path, units: pd.DataFrame, lines: pd.DataFrame, kind: str
) -> None:
    known = set(read(folder, "boilers.csv")["uscc"].str.upper())
    alike = units["hard_negative"] == kind
    oil = bought(lines, units, False)
    assert oil[alike].median() > 2000
    assert not units.loc[alike, "uscc"].isin(known).all()


@pytest.mark.parametrize("kind", ["excavator_builder", "farm_coop"])
def test_honest_sites_are_served_at_night(
    folder: Path, units: pd.DataFrame, kind: str
) -> None:
    trips = read(folder, "tanker_trips.csv.gz")
    hour = trips["left_at"].str[11:13].astype(int)
    night = trips[((hour >= 22) | (hour < 5)) & (trips["to_kind"] == "site")]
    key = night["to_uscc"] + "-" + night["month"].str.replace("-", "")
    count = units["company_month"].map(key.value_counts()).fillna(0)
    assert count[units["hard_negative"] == kind].max() >= 4


def test_rural_stations_take_money_by_personal_codes(
    folder: Path, units: pd.DataFrame
) -> None:
    days = read(folder, "station_days.csv.gz")
    key = days["station_uscc"].str.upper() + "-" + days["month"].str.replace("-", "")
    sums = days[["takings", "invoiced"]].astype(float).groupby(key).sum()
    keys = units.loc[units["hard_negative"] == "rural_station", "company_month"]
    open_share = (1 - sums["invoiced"] / sums["takings"]).reindex(keys)
    assert open_share.median() > 0.9


def test_licensed_blenders_change_classes_like_name_changers(
    units: pd.DataFrame, lines: pd.DataFrame
) -> None:
    fuel_in = bought(lines, units, True)
    sold = lines[lines["goods_code"].str.startswith("1070101")]
    sums = sold.groupby("seller_month")["litres"].sum()
    fuel_out = units["company_month"].map(sums).fillna(0.0)
    changed = 1 - fuel_in / fuel_out
    assert changed[units["hard_negative"] == "licensed_blender"].median() > 0.5
    assert changed[units["typology"] == "name_changer"].median() > 0.5


def test_stolen_names_stand_on_shells_and_on_honest_firms(
    folder: Path, units: pd.DataFrame
) -> None:
    companies = read(folder, "companies.csv", "gb18030").set_index("uscc")
    reps = companies["legal_rep_id"].str.upper()
    victims = units.loc[units["hard_negative"] == "stolen_identity_victim", "uscc"]
    shells = units.loc[units["typology"] == "shell_trader", "uscc"]
    lent = set(reps.reindex(shells.unique())) & set(reps.reindex(victims.unique()))
    assert lent


def test_one_district_is_silent_for_three_months(
    folder: Path, units: pd.DataFrame
) -> None:
    km = read(folder, "truck_km.csv.gz")
    silent = ("2023-06", "2023-07", "2023-08")
    local = units.loc[units["district"] == "嵊州市", "uscc"]
    inside = km[km["carrier_uscc"].isin(local) & km["month"].isin(silent)]
    assert inside.empty
    assert km["month"].isin(silent).any()


def test_nothing_is_posted_after_the_delivery(folder: Path) -> None:
    for name in ("samples.csv", "qr_payments.csv", "social_insurance.csv.gz"):
        assert read(folder, name)["posted_date"].max() <= DELIVERED


@pytest.mark.parametrize(
    ("name", "column", "pattern", "rate", "slack"),
    [
        ("trucks.csv", "plate", "·", 0.15, 0.05),
        ("tanker_trips.csv.gz", "to_uscc", "^$", 0.03, 0.015),
        ("truck_km.csv.gz", "carrier_uscc", "^$", 0.03, 0.015),
        ("invoice_lines.csv.gz", "voided", "是", 0.015, 0.008),
    ],
)
def test_dirt_keeps_to_its_rate(
    folder: Path, name: str, column: str, pattern: str, rate: float, slack: float
) -> None:
    values = read(folder, name)[column]
    assert values.str.contains(pattern).mean() == pytest.approx(rate, abs=slack)
