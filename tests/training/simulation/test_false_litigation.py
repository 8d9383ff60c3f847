"""The false-litigation delivery: repeatable, plausible, and its truth kept apart."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.simulation.false_litigation import (
    CAUGHT_BY_NO_RULE,
    CAUGHT_BY_RULES,
    SMALLEST,
    simulate,
)
from training.simulation.suits_court import SILENT, SILENT_COURT
from training.simulation.suits_fraud import TYPOLOGIES
from training.simulation.suits_honest import HARD_NEGATIVES
from training.simulation.suits_plants import Planted
from training.simulation.suits_world import COURT_NAMES, EVASION_FROM

SUITS, SEED = 3000, 11
GB18030 = ("cases", "parties", "agents", "companies")
HEADERS = {
    "cases": (
        "case_no court cause filed heard hearing_time closed close_kind claimed awarded "
        "defaulted notice_served interest_waived in_kind judge_code plaintiff_name "
        "plaintiff_id plaintiff_company plaintiff_uscc plaintiff_phone "
        "plaintiff_address defendant_name defendant_id defendant_company "
        "defendant_uscc defendant_phone defendant_address evidence_count defence "
        "pleading posted_date"
    ),
    "parties": "case_no role name person_id phone objected posted_date",
    "agents": "case_no side name licence_no firm kind phone posted_date",
    "loans": ("case_no principal rate lent_date paid_by iou guarantor_id posted_date"),
    "mediations": (
        "med_no case_no org mediator agree_date confirm_date subject amount asset "
        "posted_date"
    ),
    "arbitrations": (
        "arb_no case_no worker_id employer_uscc claimed_from claimed_to contested "
        "decided posted_date"
    ),
    "pension_backpay": (
        "person_id uscc from_month to_month paid_date amount basis_no posted_date"
    ),
    "assignments": ("case_no assignor_id assignee_id debt assigned_date posted_date"),
    "bank_transfers": (
        "txn_id case_no paid_at from_id to_id amount channel posted_date"
    ),
    "truth/units": "case_no fraud typology ring_id hard_negative amount",
}
KINDS = (*TYPOLOGIES, *HARD_NEGATIVES)
AGREES = "无异议|没有异议"
VICTIMS = {"true_creditor", "trap_victim"}


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("suits")
    simulate(units=SUITS, seed=SEED, out=out)
    return out


def table(folder: Path, name: str) -> pd.DataFrame:
    encoding = "gb18030" if name in GB18030 else "utf-8"
    return pd.read_csv(
        folder / f"{name}.csv", dtype=str, keep_default_na=False, encoding=encoding
    )


def plain(numbers: pd.Series) -> pd.Series:
    return numbers.str.translate(str.maketrans("（）", "()"))


@pytest.fixture(scope="module")
def suits(delivery: Path) -> pd.DataFrame:
    cases = table(delivery, "cases")
    cases["case_no"] = plain(cases["case_no"])
    truth = table(delivery, "truth/units")
    return cases.merge(truth, on="case_no", validate="1:1")


def cited(delivery: Path, name: str, suits: pd.DataFrame) -> pd.DataFrame:
    rows = table(delivery, name)
    rows["case_no"] = plain(rows["case_no"])
    return rows.merge(suits, on="case_no", suffixes=("_there", ""))


def planted(suits: pd.DataFrame, name: str) -> pd.DataFrame:
    return suits[(suits["typology"] == name) | (suits["hard_negative"] == name)]


def digest(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        simulate(units=SMALLEST, seed=3, out=tmp_path / name)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_too_few_suits_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="units"):
        simulate(units=SMALLEST - 1, seed=1, out=tmp_path)


@pytest.mark.parametrize("name", HEADERS)
def test_headers(delivery: Path, name: str) -> None:
    assert list(table(delivery, name).columns) == HEADERS[name].split()


def test_every_kind_is_planted_and_nothing_else(suits: pd.DataFrame) -> None:
    assert set(suits["typology"]) == {kind.typology for kind in KINDS}
    honest = {kind.name for kind in HARD_NEGATIVES}
    assert set(suits["hard_negative"]) == honest | VICTIMS | {""}
    assert {CAUGHT_BY_RULES, CAUGHT_BY_NO_RULE} <= set(suits["typology"])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_planted_at_the_stated_rate(suits: pd.DataFrame, kind: Planted) -> None:
    rows = planted(suits, kind.name)
    wanted = max(kind.minimum, round(kind.share * SUITS))
    assert len(rows) == wanted
    assert set(rows["fraud"]) == {str(int(kind.typology != ""))}
    assert (rows["ring_id"] != "").all() == bool(kind.typology)


def test_false_suits_are_a_few_percent(suits: pd.DataFrame) -> None:
    assert 0.04 < (suits["fraud"] == "1").mean() < 0.07
    assert (suits.loc[suits["fraud"] == "0", "ring_id"] == "").all()
    assert (suits["amount"].astype(float) == suits["claimed"].astype(float)).all()


def test_suits_are_numbered_and_ordered_by_the_day_of_filing(
    suits: pd.DataFrame,
) -> None:
    assert suits["case_no"].is_unique
    assert suits["filed"].is_monotonic_increasing
    assert (suits["closed"] >= suits["filed"]).all()
    assert (suits["posted_date"] > suits["closed"]).all()


def test_order_and_place_in_the_file_tell_nothing(suits: pd.DataFrame) -> None:
    last = suits["case_no"].str.extract(r"(\d+)号")[0].astype(int) % 10
    fraud = (suits["fraud"] == "1").to_numpy()
    assert abs(last[fraud].mean() - last[~fraud].mean()) < 1
    place = np.flatnonzero(fraud) / len(suits)
    assert 0.3 < place.mean() < 0.7


def test_benign_suits_look_as_assumed(suits: pd.DataFrame) -> None:
    plainly = suits[(suits["typology"] == "") & (suits["hard_negative"] == "")]
    lending = plainly[plainly["cause"] == "民间借贷纠纷"]
    assert 0.48 < len(lending) / len(plainly) < 0.62
    assert 0.25 < (lending["close_kind"] == "缺席判决").mean() < 0.36
    assert 0.29 < (lending["close_kind"] == "调解").mean() < 0.41


def test_trap_lenders_sue_often_and_victims_do_not_appear(
    delivery: Path, suits: pd.DataFrame
) -> None:
    ring = planted(suits, "trap_lending")
    assert len(ring) >= 15
    assert (ring["defaulted"] == "是").mean() > 0.6
    loans = cited(delivery, "loans", ring)
    assert (loans["paid_by"] == "现金").mean() > 0.5
    assert (loans["filed"] < str(EVASION_FROM)).all()


def test_nominal_lenders_start_late_and_sue_seldom(
    delivery: Path, suits: pd.DataFrame
) -> None:
    ring = planted(suits, CAUGHT_BY_NO_RULE)
    assert (ring["filed"] >= str(EVASION_FROM - np.timedelta64(3, "D"))).all()
    whole = ring[~ring["plaintiff_id"].str.contains("*", regex=False)]
    assert whole["plaintiff_id"].value_counts().max() <= 4
    assert not (ring["defence"].str.contains(AGREES)).any()
    loans = cited(delivery, "loans", ring)
    assert (loans["paid_by"] == "转账").all()
    guarantors = loans.loc[loans["guarantor_id"] != "", "guarantor_id"]
    assert guarantors.value_counts().iloc[0] >= 3


def test_settlements_that_rules_catch_all_move_an_asset(suits: pd.DataFrame) -> None:
    ring = planted(suits, CAUGHT_BY_RULES)
    assert (ring["in_kind"] == "是").all()
    assert ring["close_kind"].isin(("调解", "司法确认")).all()


def test_pensions_follow_within_ninety_days_unless_brokers_evade(
    delivery: Path, suits: pd.DataFrame
) -> None:
    paid = table(delivery, "pension_backpay")
    paid["case_no"] = plain(paid["basis_no"])
    both = paid.merge(suits, on="case_no", suffixes=("_there", ""))
    wait = pd.to_datetime(both["paid_date"]) - pd.to_datetime(both["closed"])
    ring = both["typology"] == "pension_purchase"
    assert ring.sum() >= 15
    assert (wait[ring].dt.days <= 90).all()


def test_home_buyers_sue_one_developer_on_one_day(suits: pd.DataFrame) -> None:
    buyers = planted(suits, "home_buyers")
    assert len(buyers) >= 10
    assert buyers["filed"].nunique() == 1
    assert not buyers["defence"].str.contains(AGREES).any()


def test_merchants_and_licensed_lenders_look_like_serial_lenders(
    suits: pd.DataFrame,
) -> None:
    for name in ("merchant", "licensed_lender"):
        rows = planted(suits, name)
        assert len(rows) >= 15
        assert set(rows["cause"]) == {"民间借贷纠纷"}
        assert (rows["plaintiff_company"] != "").all()


def test_fast_mediations_close_within_a_week(suits: pd.DataFrame) -> None:
    rows = planted(suits, "fast_mediation")
    wait = pd.to_datetime(rows["closed"]) - pd.to_datetime(rows["filed"])
    assert (wait.dt.days <= 7).all()
    assert rows["defence"].str.contains(AGREES).all()


def test_old_workers_have_no_record_but_a_contesting_employer(
    delivery: Path, suits: pd.DataFrame
) -> None:
    rows = planted(suits, "old_worker")
    insured = pd.read_csv(delivery / "social_insurance.csv.gz", dtype=str)
    whole = rows.loc[rows["plaintiff_id"].str.len() == 18, "plaintiff_id"]
    assert not whole.isin(insured["person_id"]).any()
    assert (rows["defence"].str.startswith("不同意")).mean() > 0.5


def test_victims_are_sued_or_cheated_beside_a_ring(suits: pd.DataFrame) -> None:
    honest = suits[suits["hard_negative"].isin(VICTIMS)]
    assert (honest["fraud"] == "0").all()
    for victim, typology in (
        ("true_creditor", "collusion"),
        ("trap_victim", "trap_lending"),
    ):
        theirs = set(planted(suits, victim)["defendant_id"])
        assert theirs & set(planted(suits, typology)["defendant_id"])


def test_one_court_delivers_no_agents_for_three_months(
    delivery: Path, suits: pd.DataFrame
) -> None:
    agents = cited(delivery, "agents", suits)
    court = agents["court"] == COURT_NAMES[SILENT_COURT]
    first, last = (str(day) for day in SILENT)
    assert court.sum() > 50
    assert not (court & agents["filed"].between(first, last)).any()


def test_dirt_keeps_to_its_rates(suits: pd.DataFrame) -> None:
    ids = suits.loc[suits["plaintiff_id"] != "", "plaintiff_id"]
    assert 0.12 < ids.str.contains("*", regex=False).mean() < 0.18
    firms = suits[suits["plaintiff_company"] != ""]
    assert 0.14 < (firms["plaintiff_uscc"] == "").mean() < 0.26
