"""Reads a simulated delivery the way the departments wrote it."""

from functools import cache
from pathlib import Path

import pandas as pd

HEADERS = {
    "claims.csv": (
        "claim_no policy_no acc_no report_time accident_time insurer plate "
        "vehicle_class claimant_id claimant_name claimant_phone payee_account shop "
        "shop_uscc impact_part injury loss_assessed assessed_amount claimed_amount "
        "paid_amount paid_date litigated case_no place_grid"
    ),
    "policies.parquet": (
        "policy_no insurer vin plate insured_id insured_name start_date end_date "
        "cover limit_wan vehicle_value_wan vehicle_class"
    ),
    "accidents.csv.gz": (
        "acc_no time place_grid kind responsibility_a responsibility_b handled "
        "plate_a driver_a_id plate_b driver_b_id posted_date"
    ),
    "assignments.csv": "claim_no assignor_id assignee_name assigned_date posted_date",
    "repair_bills.parquet": (
        "bill_no claim_no shop part quantity price labour billed_date"
    ),
    "appraisals.csv": (
        "report_no claim_no case_no agency expert kind value grade commissioned_by "
        "report_date objected"
    ),
    "medical.csv": "patient_id hospital dx_code days_in first_visit cost",
    "court_cases.csv": (
        "案号 法院 案由 立案日期 结案日期 结案方式 诉请金额 判决金额 理赔编号 原告姓名 "
        "原告身份证号 被告 代理人 代理人执业证号 代理人电话 公开日期 事实与理由"
    ),
    "social_insurance.csv.gz": (
        "person_id employer_name employer_uscc month base posted_date"
    ),
    "persons.parquet": (
        "person_id name birth_date address household_no status posted_date"
    ),
    "companies.csv": (
        "uscc name former_name address established kind legal_rep_id phone posted_date"
    ),
}
CHINESE_FILES = ("appraisals.csv", "court_cases.csv", "companies.csv")


def encoding(name: str) -> str:
    return "gb18030" if name in CHINESE_FILES else "utf-8"


class Delivered:
    """Tables of one delivery as texts, read once each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.table = cache(self._read)

    def _read(self, name: str) -> pd.DataFrame:
        if name.endswith(".parquet"):
            return pd.read_parquet(self.folder / name)
        return pd.read_csv(
            self.folder / name,
            dtype=str,
            keep_default_na=False,
            encoding=encoding(name),
        )

    def claims_with_truth(self) -> pd.DataFrame:
        return self.table("claims.csv").merge(
            self.table("truth/units.csv"), on="claim_no", validate="1:1"
        )
