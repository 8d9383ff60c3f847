"""What a published list says of itself: offices, peers, lawful explanations, the model."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from configs.settings import Settings
from serving import queries
from serving.connect import close_store, open_store
from serving.records import RunRecord
from tests.flows.homes import Home, copied

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def listed(template: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    return copied(template, tmp_path_factory.mktemp("about") / "home")


@pytest.fixture
def run(listed: Home) -> Iterator[RunRecord]:
    open_store(Settings(home=listed.path, models=listed.models, store_url=""))
    yield queries.latest_run("tiny")
    close_store()


@pytest.fixture(scope="module")
def leads(listed: Home) -> pd.DataFrame:
    return pd.DataFrame(listed.leads()["leads"]).set_index("unit_id").sort_index()


@pytest.fixture
def units(listed: Home, run: RunRecord) -> pd.DataFrame:
    """The units as they were frozen with the run."""
    published = Path(listed.path, "var", "published")
    frames = (
        pd.read_parquet(published / run.files[name]["path"]).set_index("unit_id")
        for name in ("units", "feature_matrix")
    )
    return pd.concat([frame.drop(columns="as_of") for frame in frames], axis=1)


def test_each_lead_names_the_office_that_reviews_it(
    leads: pd.DataFrame, units: pd.DataFrame
) -> None:
    assert leads["office"].equals(units["counter"])
    assert set(leads["office"]) == {"housing", "welfare"}


def test_each_lead_has_its_place_among_its_peers(
    leads: pd.DataFrame, units: pd.DataFrame
) -> None:
    groups = leads["score"].groupby(units["kind"])
    want = (groups.rank(method="min") - 1) / (groups.transform("size") - 1)

    np.testing.assert_allclose(leads["peer_percentile"], want, atol=1e-12)


def test_a_lead_says_what_speaks_for_its_lawful_explanations(
    run: RunRecord, leads: pd.DataFrame
) -> None:
    best = leads[leads["codes"].map(lambda codes: "T2" in codes)]["rank_fused"].idxmin()

    detail = queries.lead(run.id, best)

    hit = next(hit for hit in detail.hits if hit.code == "T2")
    assert hit.says_en.startswith(
        "Payments, same payee: number of rows, within 30 days"
    )
    assert "(median 2); granted on: 2024-" in hit.says_en
    assert hit.says_en.endswith("phone: 139***")
    assert "；类别：" in hit.says_zh


def test_a_lead_that_is_not_explained_says_nothing(
    run: RunRecord, leads: pd.DataFrame
) -> None:
    last = leads["rank_fused"].idxmax()

    assert {(h.says_en, h.says_zh) for h in queries.lead(run.id, last).hits} == {
        ("", "")
    }


def test_a_run_says_all_that_a_console_must_know_of_the_model(run: RunRecord) -> None:
    about = run.about

    assert about["unit"] == {"en": "payment", "zh": "发放记录"}
    assert about["office"] == {"en": "counter", "zh": "窗口"}
    assert about["peers"] == {"en": "kind", "zh": "类别"}
    assert about["review"] == {
        "weekly_capacity": 10,
        "explore_share": 0.1,
        "second_review": ["confirmed"],
    }
    persons = about["sources"]["persons"]
    assert persons["department_zh"] == "公安部门"
    assert persons["columns"]["household"]["sensitive"] is True
    payments = about["sources"]["payments"]["columns"]
    # The department's own word where the model gives no meaning.
    assert payments["note"] == {
        **{"en": "note", "zh": "备注"},
        **{"type": "string", "sensitive": False},
    }
    assert "sex" not in payments


def test_a_run_says_how_its_features_and_scores_were_distributed(
    run: RunRecord, units: pd.DataFrame
) -> None:
    features = run.about["features"]

    amount = features["amount"]
    assert (amount["unit"], amount["family"], amount["missing"]) == (
        "yuan",
        "columns",
        0,
    )
    want = units["amount"].quantile(np.arange(11) / 10)
    assert amount["deciles"] == pytest.approx(want.tolist(), rel=1e-5)
    assert features["paid_after_death"]["deciles"] is None
    assert {sum(bins) for bins in run.about["scores"].values()} == {len(units)}
    assert {len(bins) for bins in run.about["scores"].values()} == {20}


def test_a_run_counts_its_leads_by_kind_and_counter(
    run: RunRecord, leads: pd.DataFrame, units: pd.DataFrame
) -> None:
    spots = {(s["column"], s["value"]): s for s in run.about["spots"]}

    assert set(spots) == {
        *(("kind", kind) for kind in ("food", "rent", "medical")),
        *(("counter", counter) for counter in ("housing", "welfare")),
    }
    rent = leads[units["kind"] == "rent"]
    above = rent["codes"].map(lambda codes: bool({"T2", "T3"} & set(codes)))
    assert spots["kind", "rent"] == {
        **{"column": "kind", "value": "rent", "en": "kind", "zh": "类别"},
        "units": len(rent),
        "top": int((rent["rank_fused"] <= 30).sum()),
        "hits": int(above.sum()),
        "money": pytest.approx(rent["money"].sum(), abs=0.001),
    }
