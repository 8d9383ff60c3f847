"""Wage claims in bankruptcy: what is planted is there, honest look-alikes look alike."""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.simulation.bankruptcy_wages import simulate
from training.simulation.names import DISTRICTS
from training.simulation.wages_claims import Planted
from training.simulation.wages_departments import GAP, GAP_DISTRICT
from training.simulation.wages_fraud import (
    CAUGHT_BY_NO_RULE,
    CAUGHT_BY_RULES,
    TYPOLOGIES,
)
from training.simulation.wages_honest import HARD_NEGATIVES

UNITS, SEED = 1000, 11
CHINESE = ("arbitrations.csv", "companies.csv")
HEADERS = {
    "wage_claims.csv": (
        "claim_id bk_no name person_id phone address account family_name township post "
        "period_from period_to months monthly kind amount evidence iou_date iou_amount "
        "iou_text basis_no agent_name agent_phone listed_by filed_date listed_date "
        "posted_date"
    ),
    "bankruptcies.csv": (
        "bk_no uscc petition accepted administrator stop_production assets "
        "priority_total ordinary_rate distribution posted_date"
    ),
    "arbitrations.csv": (
        "arb_no body filed heard closed close_kind claimant_id employer_uscc "
        "employer_rep_id claimed recognised reduction_reason posted_date"
    ),
    "payroll.parquet": "uscc month person_id post net channel posted_date",
    "utilities.csv": "uscc kwh kwh_year_before month posted_date",
    "creditors.csv": "bk_no creditor_id creditor_name kind amount posted_date",
    "bank_transfers.csv": (
        "claimant_id paid_date moved_date recipient_id amount posted_date"
    ),
    "truth/units.csv": "claim_id fraud typology ring_id hard_negative amount",
}


class Delivery:
    """Tables of one delivery as texts, read once each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.table = cache(self._read)

    def _read(self, name: str) -> pd.DataFrame:
        if name.endswith(".parquet"):
            return pd.read_parquet(self.folder / name)
        encoding = "gb18030" if name in CHINESE else "utf-8"
        return pd.read_csv(
            self.folder / name, dtype=str, keep_default_na=False, encoding=encoding
        )

    def claims(self) -> pd.DataFrame:
        truth = self.table("truth/units.csv").drop(columns="amount")
        rows = self.table("wage_claims.csv").merge(truth, on="claim_id", validate="1:1")
        brackets = str.maketrans("()", "（）")
        rows["bk_no"] = rows["bk_no"].str.translate(brackets)
        return rows.merge(
            self.table("bankruptcies.csv").drop(columns="posted_date"), on="bk_no"
        )

    def of(self, name: str) -> pd.DataFrame:
        rows = self.claims()
        return rows[(rows["typology"] == name) | (rows["hard_negative"] == name)]

    def insured_at_debtor(self, rows: pd.DataFrame) -> pd.Series:
        paid = self.table("social_insurance.csv.gz")
        pairs = set(zip(paid["person_id"], paid["employer_uscc"], strict=True))
        both = zip(rows["person_id"], rows["uscc"], strict=True)
        return pd.Series([pair in pairs for pair in both], index=rows.index)

    def on_payroll(self, rows: pd.DataFrame) -> pd.Series:
        return rows["person_id"].isin(set(self.table("payroll.parquet")["person_id"]))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    out = tmp_path_factory.mktemp("wages")
    simulate(units=UNITS, seed=SEED, out=out)
    return Delivery(out)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_seed_same_bytes(data: Delivery, tmp_path: Path) -> None:
    simulate(units=UNITS, seed=SEED, out=tmp_path)
    assert digests(tmp_path) == digests(data.folder)


def test_too_few_units_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="units=999"):
        simulate(units=999, seed=SEED, out=tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", HEADERS)
def test_headers_are_those_declared(data: Delivery, name: str) -> None:
    assert " ".join(data.table(name).columns) == HEADERS[name]


def test_truth_names_every_claim_once(data: Delivery) -> None:
    truth, claims = data.table("truth/units.csv"), data.table("wage_claims.csv")
    assert len(claims) == UNITS
    assert sorted(truth["claim_id"]) == sorted(claims["claim_id"])
    assert truth["claim_id"].is_unique
    assert set(truth["typology"]) == {kind.name for kind in TYPOLOGIES} | {""}
    assert set(truth["hard_negative"]) == {k.name for k in HARD_NEGATIVES} | {""}
    assert (truth["fraud"] == "1").tolist() == (truth["typology"] != "").tolist()
    assert (truth["amount"].astype(float) > 0).all()


@pytest.mark.parametrize("kind", TYPOLOGIES, ids=lambda kind: kind.name)
def test_typologies_keep_to_their_rate(data: Delivery, kind: Planted) -> None:
    rows = data.of(kind.name)
    wanted = max(kind.minimum, round(kind.share * UNITS))
    assert len(rows) == pytest.approx(wanted, abs=2)
    assert (rows["ring_id"] != "").all()


def test_rates_are_those_of_the_scenario() -> None:
    share = {kind.name: kind.share for kind in TYPOLOGIES}
    assert share["relatives_as_workers"] == 0.015
    assert share["debts_as_wages"] == 0.010
    assert share["inflated_employee"] == 0.015
    assert share["nominee_batch"] + share["nominee_batch_evading"] == 0.008
    assert share["backfilled_contracts"] == 0.003


def test_hard_negatives_are_honest_and_in_no_ring(data: Delivery) -> None:
    rows = data.claims()
    honest = rows[rows["hard_negative"] != ""]
    assert (honest["fraud"] == "0").all()
    assert (honest["ring_id"] == "").all()


def test_order_and_numbers_tell_nothing(data: Delivery) -> None:
    rows = data.table("wage_claims.csv").merge(
        data.table("truth/units.csv")[["claim_id", "fraud"]], on="claim_id"
    )
    fraud = (rows["fraud"] == "1").to_numpy()
    assert rows["listed_date"].is_monotonic_increasing
    for values in (rows["claim_id"], rows["account"], rows["person_id"].str[-4:-1]):
        rank = values.rank().to_numpy()
        count = fraud.sum()
        auc = (rank[fraud].sum() - count * (count + 1) / 2) / (count * (~fraud).sum())
        assert abs(auc - 0.5) < 4 * (12 * count) ** -0.5


def test_one_district_is_silent_for_three_months(data: Delivery) -> None:
    cases = data.table("arbitrations.csv")
    filed = pd.to_datetime(cases["filed"])
    inside = (filed >= GAP[0]) & (filed <= GAP[1])
    here = cases["body"].str.startswith(DISTRICTS[GAP_DISTRICT])
    assert inside.any()
    assert here.any()
    assert not (inside & here).any()


def test_the_batch_of_nominees_is_uniform_and_of_one_agent(data: Delivery) -> None:
    rows = data.of(CAUGHT_BY_RULES)
    amount = rows["amount"].astype(float)
    whole = amount[amount > 1000]
    assert (whole % 1000 == 0).all()
    assert rows["agent_name"].str.replace("\u3000", "").nunique() <= 2
    assert (rows["accepted"] < "2023-07-01").all()
    assert not data.on_payroll(rows).any()


def test_backfilled_contracts_show_insurance_but_no_payroll(data: Delivery) -> None:
    rows = data.of(CAUGHT_BY_NO_RULE)
    assert data.insured_at_debtor(rows).mean() > 0.7
    assert not data.on_payroll(rows).any()
    assert rows["evidence"].str.contains("contract").all()
    assert rows["amount"].astype(float).median() < 80_000


def test_evasion_switches_on_with_the_new_regime(data: Delivery) -> None:
    rows = data.of("nominee_batch_evading")
    assert (rows["accepted"] >= "2023-07-01").all()
    assert rows["agent_phone"].nunique() >= 3
    filed = pd.to_datetime(rows["filed_date"])
    assert (filed.max() - filed.min()).days > 10


def test_relatives_share_surname_and_town(data: Delivery) -> None:
    rows = data.of("relatives_as_workers")
    same = rows.groupby(["bk_no", "family_name", "township"]).size().max()
    assert same >= 5
    assert rows["evidence"].str.contains("iou").mean() > 0.4


def test_ordinary_debts_stand_in_the_ledger(data: Delivery) -> None:
    rows = data.of("debts_as_wages")
    known = set(data.table("creditors.csv")["creditor_id"])
    assert 0.2 < rows["person_id"].isin(known).mean() < 0.9


def test_the_honest_crew_looks_like_a_batch_of_nominees(data: Delivery) -> None:
    crew = data.of("foreman_crew")
    assert crew.groupby("bk_no")["filed_date"].nunique().max() == 1
    assert crew["evidence"].str.contains("iou").mean() > 0.9
    assert not data.insured_at_debtor(crew).any()
    assert not data.on_payroll(crew).any()


def test_dispatch_workers_are_insured_by_another_employer(data: Delivery) -> None:
    rows = data.of("dispatch_workers")
    insured = set(data.table("social_insurance.csv.gz")["person_id"])
    assert rows["person_id"].isin(insured).mean() > 0.7
    assert not data.insured_at_debtor(rows).any()


def test_guards_claim_for_months_after_the_stop(data: Delivery) -> None:
    rows = data.of("night_guard")
    known = rows[rows["stop_production"] != ""]
    after = pd.to_datetime(known["period_to"]) - pd.to_datetime(
        known["stop_production"]
    )
    assert (after.dt.days > 60).all()


def test_commissions_exceed_the_base_pay_of_the_payroll(data: Delivery) -> None:
    rows = data.of("sales_commission")
    paid = data.table("payroll.parquet").groupby("person_id")["net"].mean()
    ratio = rows["monthly"].astype(float) / rows["person_id"].map(paid)
    assert ratio.median() > 2


def test_brothers_live_in_one_household(data: Delivery) -> None:
    rows = data.of("brothers")
    persons = data.table("persons.parquet").drop_duplicates("person_id")
    homes = rows["person_id"].map(persons.set_index("person_id")["household_no"])
    assert homes.nunique() <= len(rows) / 2
    assert data.on_payroll(rows).mean() > 0.5


def test_a_village_factory_looks_like_a_family_batch_but_is_paid(
    data: Delivery,
) -> None:
    rows = data.of("village_factory")
    assert rows.groupby(["family_name", "township"]).size().max() >= 4
    assert rows["agent_phone"].str.replace(r"^\+86|-", "", regex=True).nunique() == 1
    assert data.on_payroll(rows).mean() > 0.6


def test_piece_rate_teams_claim_equal_sums(data: Delivery) -> None:
    rows = data.of("piece_rate_team")
    amount = rows["amount"].astype(float)
    spread = amount[amount > 1000].groupby(rows["bk_no"]).agg(["std", "mean"])
    assert (spread["std"] / spread["mean"]).max() < 0.10


def test_mediation_days_close_at_once(data: Delivery) -> None:
    rows = data.of("mediation_day").merge(
        data.table("arbitrations.csv"), left_on="basis_no", right_on="arb_no"
    )
    lasted = pd.to_datetime(rows["closed"]) - pd.to_datetime(rows["filed"])
    assert (rows["close_kind"] == "mediation").all()
    assert lasted.dt.days.max() <= 3


@pytest.mark.parametrize(
    ("name", "role"),
    [("employee_shareholder", "shareholder"), ("stolen_identity", "director")],
)
def test_documented_victims_stand_in_the_company_register(
    data: Delivery, name: str, role: str
) -> None:
    rows, held = data.of(name), data.table("company_roles.csv")
    held = held[held["role"] == role]
    pairs = set(zip(held["person_id"], held["uscc"], strict=True))
    both = zip(rows["person_id"], rows["uscc"], strict=True)
    assert np.mean([pair in pairs for pair in both]) > 0.5
    # They work there all the same: the payroll clears them.
    assert data.on_payroll(rows).mean() >= 0.5


def test_a_stolen_identity_was_filed_online(data: Delivery) -> None:
    rows, held = data.of("stolen_identity"), data.table("company_roles.csv")
    mine = held[
        (held["role"] == "director") & held["person_id"].isin(rows["person_id"])
    ]
    assert len(mine)
    assert (mine["channel"] == "online").all()
