"""Keys join, dates are in order, dirt keeps to its rates."""

import pandas as pd
import pytest

from tests.training.simulation.delivered import Delivered
from training.simulation.vehicle_departments import GAP


def day(values: pd.Series) -> pd.Series:
    return pd.to_datetime(values.astype(str).str[:10], format="%Y-%m-%d")


def chinese_day(values: pd.Series) -> pd.Series:
    return pd.to_datetime(values, format="%Y年%m月%d日")


def test_claim_numbers_run_with_the_report_time(delivered: Delivered) -> None:
    claims = delivered.table("claims.csv")
    assert claims["claim_no"].is_unique
    assert claims["claim_no"].is_monotonic_increasing
    assert claims["report_time"].is_monotonic_increasing


def test_reports_follow_accidents_inside_the_window(delivered: Delivered) -> None:
    claims = delivered.table("claims.csv")
    assert (claims["report_time"] >= claims["accident_time"]).all()
    assert claims["accident_time"].min() >= "2022-01-01"
    assert claims["accident_time"].max() < "2025-01-01"


def test_claims_are_paid_after_the_report(delivered: Delivered) -> None:
    claims = delivered.table("claims.csv")
    paid = claims[claims["paid_date"] != ""]
    assert (paid["paid_date"] >= paid["report_time"].str[:10]).all()


def test_every_claim_has_its_policy_in_force(delivered: Delivered) -> None:
    claims, policies = (
        delivered.table("claims.csv"),
        delivered.table("policies.parquet"),
    )
    assert policies["policy_no"].is_unique
    both = claims.merge(policies, on="policy_no", suffixes=("", "_of_policy"))
    assert len(both) == len(claims)
    assert (both["insurer"] == both["insurer_of_policy"]).all()
    accident = day(both["accident_time"])
    assert (accident >= day(both["start_date"])).all()
    late = accident - day(both["end_date"])
    assert late.max() <= pd.Timedelta(days=1)  # leap years


def test_claims_join_their_accidents_but_for_the_gap(delivered: Delivered) -> None:
    claims, accidents = (
        delivered.table("claims.csv"),
        delivered.table("accidents.csv.gz"),
    )
    named = claims[claims["acc_no"] != ""]
    both = named.merge(accidents, on="acc_no", how="left")
    assert (
        both["time"].dropna() == both.loc[both["time"].notna(), "accident_time"]
    ).all()
    lost = both[both["time"].isna()]
    assert len(lost) > 0
    assert lost["place_grid_x"].str.startswith("330683").all()
    inside = (day(lost["accident_time"]) >= GAP[0]) & (
        day(lost["accident_time"]) <= GAP[1]
    )
    assert inside.all()


def test_accidents_are_posted_later(delivered: Delivered) -> None:
    accidents = delivered.table("accidents.csv.gz")
    assert accidents["acc_no"].is_unique
    assert (accidents["posted_date"] > accidents["time"].str[:10]).all()


def test_assignments_lie_between_accident_and_posting(delivered: Delivered) -> None:
    both = delivered.table("assignments.csv").merge(
        delivered.table("claims.csv"), on="claim_no", validate="1:1"
    )
    assert (both["assigned_date"] >= both["accident_time"].str[:10]).all()
    assert (both["posted_date"] > both["assigned_date"]).all()


def test_one_court_row_per_litigated_claim(delivered: Delivered) -> None:
    claims, court = delivered.table("claims.csv"), delivered.table("court_cases.csv")
    sued = claims.loc[claims["litigated"] == "是", "claim_no"]
    assert sorted(court["理赔编号"]) == sorted(sued)
    assert court["案号"].str.replace("(", "（").str.replace(")", "）").is_unique
    filed, closed = chinese_day(court["立案日期"]), chinese_day(court["结案日期"])
    assert (filed < closed).all()
    assert (closed < chinese_day(court["公开日期"])).all()


def test_only_courts_in_a_suit_order_appraisals(delivered: Delivered) -> None:
    reports = delivered.table("appraisals.csv").merge(
        delivered.table("claims.csv"), on="claim_no"
    )
    ordered = reports[reports["commissioned_by"] == "court"]
    assert (ordered["litigated"] == "是").all()
    dates = pd.to_datetime(reports["report_date"], format="%Y/%m/%d")
    assert (dates >= day(reports["accident_time"])).all()


def test_social_insurance_is_posted_late(delivered: Delivered) -> None:
    paid = delivered.table("social_insurance.csv.gz")
    month = pd.to_datetime(paid["month"], format="%Y%m")
    lag = (day(paid["posted_date"]) - month).dt.days
    assert lag.min() >= 28
    assert set(paid["month"].str[4:]) == {"01", "04", "07", "10"}


def test_company_codes_are_unique(delivered: Delivered) -> None:
    assert delivered.table("companies.csv")["uscc"].is_unique


def test_bills_add_up_to_about_the_claim(delivered: Delivered) -> None:
    bills, claims = (
        delivered.table("repair_bills.parquet"),
        delivered.table("claims.csv"),
    )
    total = (bills["quantity"] * bills["price"] + bills["labour"]).groupby(
        bills["claim_no"]
    )
    repairs = claims[claims["injury"] == "否"].set_index("claim_no")
    claimed = repairs["claimed_amount"].astype(float)
    ratio = (total.sum() / claimed).dropna()
    assert ratio.between(0.8, 1.2).mean() > 0.95


@pytest.mark.parametrize(
    ("name", "column", "pattern", "rate", "slack"),
    [
        ("claims.csv", "shop_uscc", r"^$", 0.26, 0.04),  # and injuries without shop
        ("claims.csv", "plate", "·", 0.15, 0.02),
        ("claims.csv", "claimant_phone", r"^\+86", 0.02, 0.01),
        ("claims.csv", "claimant_phone", r"^\d{3}-", 0.03, 0.01),
        ("claims.csv", "claimant_name", "\u3000", 0.015, 0.01),
        ("claims.csv", "shop", "汽修$", 0.05, 0.02),
        ("claims.csv", "claimed_amount", r"^\d{1,2}\.", 0.003, 0.003),
        ("court_cases.csv", "原告身份证号", r"\*", 0.15, 0.09),
        ("court_cases.csv", "原告姓名", "某", 0.25, 0.11),
        ("policies.parquet", "vin", r"^.{6}$", 0.03, 0.01),
    ],
)
def test_dirt_keeps_to_its_rate(
    delivered: Delivered,
    name: str,
    column: str,
    pattern: str,
    rate: float,
    slack: float,
) -> None:
    values = delivered.table(name)[column].astype(str)
    assert values.str.contains(pattern).mean() == pytest.approx(rate, abs=slack)


def test_case_numbers_are_missing_for_few_suits(delivered: Delivered) -> None:
    claims = delivered.table("claims.csv")
    sued = claims["litigated"] == "是"
    assert (claims.loc[~sued, "case_no"] == "").all()
    assert 0 < (claims.loc[sued, "case_no"] == "").mean() < 0.13
