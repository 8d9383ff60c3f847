"""The bidding screens on real tenders: as published, and telling cartels from others."""

import os
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GroupKFold

from configs.loading import load_model
from configs.settings import Settings
from flows.check import check_cases
from flows.frames import flags_frame, matrix_frame
from flows.job import new_job
from flows.pipeline import prepare

MODELS = Path(__file__).parents[1] / "models"
MODEL = "tender_screens"
SHARED = Path(os.environ.get("LEADLINE_SHARED_DATA", "../shared/data")).absolute()
TENDERS = SHARED / "auctions" / "garcia_rodriguez_2022"
# The lowest price wins in all of them, except in Italy, where an average does.
COUNTRIES = ("Brazil", "America", "Italy")
# What is told of a bidder would stand for its name, and the same cartels bid in most tenders.
SCREENS = (
    *("tender_bids", "off", "cv", "spread"),
    *("lowest_two", "relative_distance", "skewness", "kurtosis"),
)
# Least area under the curve, and least average precision over the share of collusive bids.
FLOORS = {"Brazil": (0.78, 2.5), "America": (0.58, 1.6), "Italy": (0.87, 1.9)}


@dataclass(frozen=True, slots=True)
class Screened:
    """Real bids with the features that Leadline made of them."""

    published: pd.DataFrame
    features: pd.DataFrame
    fired: pd.DataFrame


def delivery_of(published: pd.DataFrame) -> pd.DataFrame:
    """The bids as an office would deliver them, without labels or screens."""
    day = pd.Timestamp("2000-01-01") + pd.to_timedelta(
        published["Tender"].rank(method="dense").astype(int), unit="D"
    )
    by_price = published.groupby("Tender")["Bid_value"].rank(method="first")
    return pd.DataFrame(
        {
            "bid_id": [f"b{number:06}" for number in range(len(published))],
            "tender": published["Tender"].map("t{:.0f}".format),
            "bidder": published["Competitors"].map("f{:.0f}".format),
            "amount": published["Bid_value"].map(repr),
            "place": by_price.astype(int),
            "won": published["Winner"].map({1: "是", 0: "否"}),
            "day": day.dt.strftime("%Y-%m-%d"),
        }
    )


def screened(country: str, folder: Path) -> Screened:
    path = TENDERS / f"DB_Collusion_{country}_processed.csv"
    if not path.is_file():
        pytest.skip(f"no real tenders in {TENDERS}; set LEADLINE_SHARED_DATA")
    published = pd.read_csv(path)
    data = folder / "data"
    data.mkdir(parents=True)
    delivery_of(published).to_csv(data / "bids.csv", index=False)
    job = new_job(MODEL, str(data), Settings(home=folder / "home", models=MODELS))
    prepare(job)
    with job.opened() as catalog:
        features = matrix_frame(catalog, job.model)
        fired = flags_frame(catalog)
    order = [f"b{number:06}" for number in range(len(published))]
    return Screened(published, features.reindex(order), fired.reindex(order))


def test_golden_cases_of_the_screens_hold() -> None:
    assert check_cases(load_model(MODEL, MODELS)) == []


@pytest.fixture(scope="module")
def brazil(tmp_path_factory: pytest.TempPathFactory) -> Screened:
    return screened("Brazil", tmp_path_factory.mktemp("brazil"))


@pytest.mark.parametrize(
    ("ours", "theirs"), [("cv", "CV"), ("spread", "SPD"), ("lowest_two", "DIFFP")]
)
def test_screens_are_those_that_were_published(
    brazil: Screened, ours: str, theirs: str
) -> None:
    several = (brazil.published["Number_bids"] >= 2).to_numpy()
    got = brazil.features[ours].to_numpy(dtype=float)[several]
    want = brazil.published[theirs].to_numpy()[several]
    assert np.nanmax(np.abs(got - want)) < 0.001


@pytest.mark.slow
@pytest.mark.parametrize("country", COUNTRIES)
def test_screens_tell_collusive_bids_of_unseen_tenders(
    country: str, tmp_path: Path
) -> None:
    real = screened(country, tmp_path)
    label = real.published["Collusive_competitor"].to_numpy()
    guess = np.zeros(len(label))
    X = real.features[list(SCREENS)].astype(float)
    for train, test in GroupKFold(5).split(X, label, real.published["Tender"]):
        booster = lightgbm.LGBMClassifier(n_estimators=200, verbose=-1, n_jobs=1)
        booster.fit(X.iloc[train], label[train])
        guess[test] = np.asarray(booster.predict_proba(X.iloc[test]))[:, 1]
    area, lift = FLOORS[country]
    assert roc_auc_score(label, guess) > area
    assert average_precision_score(label, guess) > lift * label.mean()
