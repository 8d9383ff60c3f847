"""What must never reach a score of the real records, and who may learn from whom."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.real_auctions import auction_features, bid_ids
from benchmarks.real_claims import claim_features, weeks_to_claim
from benchmarks.real_firms import authorities
from benchmarks.real_learner import Known, crossed, with_unknown


def claim_table(rows: int = 4) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Month": ["Dec"] * rows,
            "month": [11] * rows,
            "quarter": range(rows),
            "WeekOfMonth": [5] * rows,
            "DayOfWeek": ["Sunday"] * rows,
            "MonthClaimed": ["Jan"] * rows,
            "WeekOfMonthClaimed": [1] * rows,
            "Make": ["Honda"] * rows,
            "AccidentArea": ["Urban"] * rows,
            "Fault": ["Policy Holder"] * rows,
            "PoliceReportFiled": ["No"] * rows,
            "WitnessPresent": ["No"] * rows,
            "AgentType": ["External"] * rows,
            "VehiclePrice": ["more than 69000"] * rows,
            "Days_Policy_Accident": ["none"] * rows,
            "Days_Policy_Claim": ["8 to 15"] * rows,
            "PastNumberOfClaims": ["none"] * rows,
            "AgeOfVehicle": ["new"] * rows,
            "NumberOfSuppliments": ["none"] * rows,
            "AddressChange_Claim": ["no change"] * rows,
            "NumberOfCars": ["1 vehicle"] * rows,
            "BasePolicy": ["Liability"] * rows,
            "VehicleCategory": ["Sport"] * rows,
            "Deductible": [400] * rows,
            "DriverRating": [1] * rows,
            "Sex": ["Male"] * rows,
            "MaritalStatus": ["Single"] * rows,
            "Age": [21] * rows,
            "AgeOfPolicyHolder": ["26 to 30"] * rows,
            "PolicyNumber": range(rows),
            "RepNumber": range(rows),
            "FraudFound_P": [0.0] * rows,
        }
    )


@pytest.mark.parametrize(
    "column",
    ["Sex", "MaritalStatus", "Age", "AgeOfPolicyHolder", "PolicyNumber", "RepNumber"],
)
def test_a_protected_or_naming_column_changes_no_claim_feature(column: str) -> None:
    table = claim_table()
    changed = table.assign(**{column: [9, 8, 7, 6]})

    pd.testing.assert_frame_equal(claim_features(table), claim_features(changed))


def test_the_outcome_changes_no_claim_feature() -> None:
    table = claim_table()

    changed = claim_features(table.assign(FraudFound_P=1.0))

    pd.testing.assert_frame_equal(claim_features(table), changed)


def test_a_claim_in_january_of_an_accident_in_december_came_days_later() -> None:
    assert weeks_to_claim(claim_table()).tolist() == [pytest.approx(0.35)] * 4


def auction_table() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    tender = np.repeat(np.arange(5), 12)
    return pd.DataFrame(
        {
            "Tender": tender,
            "Bid_value": rng.lognormal(10, 0.2, len(tender)),
            "Winner": np.arange(len(tender)) % 12 == 0,
            "Competitors": np.arange(len(tender)),
            "Cartel_name": 0,
            "Collusive_competitor": tender % 2,
            "Collusive_competitor_original": tender % 2,
            "Capital": rng.lognormal(12, 1, len(tender)),
            "Legal_entity_type": rng.integers(13, size=len(tender)),
            "Difference Bid/PTE": rng.normal(15, 3, len(tender)),
            "Pre-Tender Estimate (PTE)": np.repeat(rng.lognormal(13, 1, 5), 12),
            **dict.fromkeys(
                ["Number_bids", "CV", "SPD", "DIFFP", "RD", "KURT", "SKEW", "KSTEST"],
                1.0,
            ),
        }
    )


@pytest.mark.parametrize(
    "column",
    [
        "Competitors",
        "Cartel_name",
        "Collusive_competitor",
        "Collusive_competitor_original",
    ],
)
def test_a_column_that_tells_the_outcome_changes_no_auction_feature(
    column: str,
) -> None:
    table = auction_table()
    changed = table.assign(**{column: np.arange(len(table))[::-1]})

    pd.testing.assert_frame_equal(auction_features(table), auction_features(changed))


def test_a_bidders_capital_reaches_its_bid_only_through_the_tender() -> None:
    table = auction_table()
    swapped = table.copy()
    swapped.loc[[0, 1], "Capital"] = table.loc[[1, 0], "Capital"].to_numpy()

    pd.testing.assert_frame_equal(auction_features(table), auction_features(swapped))


def test_tender_screens_are_left_out_where_tenders_have_few_bids() -> None:
    table = auction_table()

    few = auction_features(table.groupby("Tender").head(3))

    assert "iqr" in auction_features(table)
    assert "iqr" not in few


def test_a_bid_is_named_by_its_number_or_else_by_its_row() -> None:
    table = auction_table().head(2)

    assert bid_ids(table).tolist() == [0, 1]
    assert bid_ids(table.assign(Bid=[7, 9])).tolist() == [7, 9]


def test_firms_of_a_small_authority_stand_together() -> None:
    large = [f"{'a' * 16}{i:032d}" for i in range(60)]
    small = [f"{c * 16}{0:032d}" for c in "bcd"]

    found = authorities(pd.Index(large + small))

    assert found.filter(regex=r"authority_\d").shape[1] == 2
    assert found.iloc[-3:, :2].nunique().tolist() == [1, 1]


def test_ways_of_being_unknown_are_told_once() -> None:
    some = [None, 1.0, 2.0]
    table = pd.DataFrame({"a": some, "b": some, "c": [1.0, 2.0, 3.0]})

    assert list(with_unknown(table)) == ["a_unknown"]


def test_no_row_is_scored_by_a_model_that_saw_its_fold() -> None:
    folds = np.array([0, 1, 0, -1, 1])
    nothing = np.zeros((5, 1))
    known = Known(nothing.astype(np.float32), np.zeros(5), nothing, np.zeros(5))
    seen: list[tuple[set[int], set[int]]] = []

    def learn(
        _: Known, learnt: np.ndarray, scored: np.ndarray, seed: int
    ) -> np.ndarray:
        seen.append((set(folds[learnt]), set(folds[scored])))
        return scored.astype(float)

    scores = crossed(learn, known, folds)

    assert seen == [({1, -1}, {0}), ({0, -1}, {1})]
    assert scores[[0, 1, 2, 4]].tolist() == [0.0, 1.0, 2.0, 4.0]
    assert np.isnan(scores[3])
