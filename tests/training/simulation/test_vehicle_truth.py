"""What was planted is there, at its prevalence, and cannot be read off a number."""

import numpy as np
import pandas as pd
import pytest

from tests.training.simulation.conftest import CLAIMS
from tests.training.simulation.delivered import Delivered
from training.simulation.vehicle_fraud import TYPOLOGIES
from training.simulation.vehicle_honest import HARD_NEGATIVES
from training.simulation.vehicle_plants import Planted


def rows_of(delivered: Delivered, typology: str) -> pd.DataFrame:
    rows = delivered.claims_with_truth()
    return rows[rows["typology"] == typology]


def auc(score: np.ndarray, positive: np.ndarray) -> float:
    rank = pd.Series(score).rank().to_numpy()
    count = positive.sum()
    above = rank[positive].sum() - count * (count + 1) / 2
    return float(above / (count * (~positive).sum()))


def test_every_kind_is_planted(truth: pd.DataFrame) -> None:
    assert set(truth["typology"]) == {kind.name for kind in TYPOLOGIES} | {""}
    honest = {kind.name for kind in HARD_NEGATIVES}
    assert set(truth["hard_negative"]) == honest | {""}


def test_prevalence_is_a_few_percent(truth: pd.DataFrame) -> None:
    assert 0.015 < (truth["fraud"] == "1").mean() < 0.035
    assert sum(kind.share for kind in TYPOLOGIES if kind.fraud) == pytest.approx(
        0.019, abs=0.001
    )


@pytest.mark.parametrize("kind", TYPOLOGIES, ids=lambda kind: kind.name)
def test_planted_counts(truth: pd.DataFrame, kind: Planted) -> None:
    rows = truth[truth["typology"] == kind.name]
    wanted = max(kind.minimum, round(kind.share * CLAIMS))
    assert len(rows) == pytest.approx(wanted, abs=2)
    assert set(rows["fraud"]) == {str(int(kind.fraud))}
    assert (rows["ring_id"] != "").all() == bool(kind.group_size)


def test_hard_negatives_are_honest(truth: pd.DataFrame) -> None:
    honest = truth[truth["hard_negative"] != ""]
    assert (honest["fraud"] == "0").all()
    assert (honest["ring_id"] == "").all()


def test_benign_claims_look_as_assumed(delivered: Delivered) -> None:
    rows = delivered.claims_with_truth()
    plain = rows[(rows["typology"] == "") & (rows["hard_negative"] == "")]
    assert 0.012 < (plain["litigated"] == "是").mean() < 0.032
    repairs = plain.loc[plain["injury"] == "否", "claimed_amount"].astype(float)
    assert 2000 < repairs.median() < 3300


def test_order_and_numbers_tell_nothing(delivered: Delivered) -> None:
    rows = delivered.claims_with_truth()
    fraud = (rows["fraud"] == "1").to_numpy()
    assert 0.4 < auc(np.arange(len(rows)), fraud) < 0.6
    numbers = {
        "person": rows["claimant_id"].str[-4:-1].str.replace("*", "0").to_numpy(),
        "account": rows["payee_account"].to_numpy(),
        "policy": rows["policy_no"].str[-9:].to_numpy(),
    }
    for name, values in numbers.items():
        # A ring repeats few numbers; each counts once, or chance looks like a leak.
        marked = pd.Series(fraud).groupby(values).any()
        error = (12 * marked.sum()) ** -0.5
        value = auc(marked.index.to_numpy(), marked.to_numpy())
        assert abs(value - 0.5) < 3 * error, name


@pytest.mark.parametrize("column", ["claimed_amount", "litigated", "shop"])
def test_no_single_column_separates(delivered: Delivered, column: str) -> None:
    rows = delivered.claims_with_truth()
    fraud = (rows["fraud"] == "1").to_numpy()
    score = pd.to_numeric(rows[column], errors="coerce")
    if score.isna().all():
        score = rows.groupby(column)["claim_no"].transform("size").astype(float)
    value = auc(score.fillna(0).to_numpy(), fraud)
    assert max(value, 1 - value) < 0.85


def test_nominal_plaintiffs_are_paid_by_the_garage(delivered: Delivered) -> None:
    ring = rows_of(delivered, "assignment_ring")
    paid = delivered.table("social_insurance.csv.gz")
    code = ring.loc[ring["shop_uscc"] != "", "shop_uscc"].str.upper().mode()[0]
    staff = set(paid.loc[paid["employer_uscc"] == code, "person_id"])
    assert ring["claimant_id"].isin(staff).mean() > 0.8
    assert (ring["litigated"] == "是").mean() > 0.7


def test_evading_plaintiffs_live_with_staff(delivered: Delivered) -> None:
    ring = rows_of(delivered, "assignment_ring_evading")
    persons = delivered.table("persons.parquet")
    paid = delivered.table("social_insurance.csv.gz")
    homes = persons.set_index("person_id")["household_no"]
    homes = homes[~homes.index.duplicated()]
    shops = set(ring["shop_uscc"].str.upper()) - {""}
    staff = paid.loc[paid["employer_uscc"].isin(shops), "person_id"].unique()
    plaintiffs = ring["claimant_id"].drop_duplicates()
    assert not plaintiffs.isin(staff).any()
    shared = plaintiffs.map(homes).isin(set(homes.reindex(staff).dropna()))
    assert shared.mean() > 0.8
    assert ring["claimant_id"].value_counts().max() <= 4


def test_hidden_owner_leaves_one_phone(delivered: Delivered) -> None:
    ring = rows_of(delivered, "assignment_ring_evading")
    companies = delivered.table("companies.csv")
    shops = companies[companies["uscc"].isin(ring["shop_uscc"].str.upper())]
    phones = shops["phone"].str.replace(r"^\+86|-", "", regex=True)
    assert len(shops) == 3
    assert phones.nunique() == 2


def test_brokers_use_one_expert(delivered: Delivered) -> None:
    ring = rows_of(delivered, "injury_broker")
    reports = delivered.table("appraisals.csv").merge(ring, on="claim_no")
    reports = reports[reports["kind"] == "disability"]
    assert reports["expert"].value_counts(normalize=True).iloc[0] > 0.6
    assert ring["insurer"].nunique() >= 3


def test_staged_driver_is_hardly_ever_at_fault(delivered: Delivered) -> None:
    ring = rows_of(delivered, "staged_collision")
    accidents = delivered.table("accidents.csv.gz")
    both = ring.merge(accidents, left_on="accident_time", right_on="time")
    assert (both["responsibility_a"] == "none").mean() > 0.7
    assert ring["impact_part"].value_counts(normalize=True).iloc[0] > 0.6
    assert ring["claimed_amount"].astype(float).between(900, 2700).mean() > 0.9


def test_evading_drivers_stay_under_three_in_six_months(delivered: Delivered) -> None:
    ring = rows_of(delivered, "staged_collision_evading")
    ring = ring.assign(time=pd.to_datetime(ring["accident_time"])).sort_values("time")
    counts = ring.set_index("time").groupby("claimant_id")["fraud"].rolling("182D")
    assert counts.count().max() <= 3
