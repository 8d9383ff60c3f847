import copy

import numpy as np
import pandas as pd
import pytest

from tests.training.reasons import reasons_among, standing
from training.counterfactual import Standing, counterfactuals
from training.fusion import RULE_WEIGHT
from training.parts import NEIGHBOURS, REVIEWS, contributions, parts, taught


@pytest.fixture(scope="module")
def listed(scorer, features, flags):
    scores = scorer.score(features, flags)
    head = scores["unit_id"].head(40).tolist()
    reasons = reasons_among(scorer, features, head)
    X, H = features.loc[head], flags.loc[head]
    return (
        scores,
        X,
        H,
        reasons,
        counterfactuals(scorer, X, H, standing(scores, head), reasons),
    )


def test_rank_is_the_one_that_the_scorer_gives_in_the_whole_list(
    scorer, features, flags, listed
):
    scores, *_, told = listed
    for row in told.iloc[::9].itertuples():
        X, H = features.astype(float).copy(), flags.copy()
        if row.rule is not None:
            H.loc[row.unit_id, row.rule] = False
        for name, value in ((row.feature_1, row.value_1), (row.feature_2, row.value_2)):
            if name is not None:
                X.loc[row.unit_id, name] = value
        again = scorer.score(X, H).set_index("unit_id")
        assert again.loc[row.unit_id, "rank_fused"] == row.rank
        assert row.rank_now == scores.set_index("unit_id").at[row.unit_id, "rank_fused"]


def test_leads_fall_and_fall_furthest_with_both(listed):
    told = listed[-1]
    assert (told["rank"] >= told["rank_now"]).mean() > 0.8
    both = told[told["rule"].notna() & told["feature_1"].notna()].set_index("unit_id")
    rule = told[told["rule"].notna() & told["feature_1"].isna()].set_index("unit_id")
    assert len(both) >= 5
    assert (both["rank"] >= rule.loc[both.index, "rank"]).mean() > 0.8


def test_strongest_fired_rule_is_taken_away(scorer, flags, listed):
    told = listed[-1].dropna(subset="rule")
    weights = scorer.evidence_.evidence_
    for row in told.iloc[::5].itertuples():
        fired = [c for c in weights if flags.at[row.unit_id, c]]
        assert weights[row.rule] == max(weights[c] for c in fired)


def test_a_lead_alone_falls_to_the_same_rank(scorer, listed):
    scores, X, H, reasons, told = listed
    unit = X.index[3]
    own = reasons[reasons["unit_id"] == unit]
    alone = counterfactuals(
        scorer, X.loc[[unit]], H.loc[[unit]], standing(scores, [unit]), own
    )
    together = told[told["unit_id"] == unit].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, together)


def test_changed_ranks_break_ties_by_unit_id():
    listed = Standing(
        fused=np.array([0.9, 0.5, 0.5, 0.1]),
        places=np.arange(4),
        ranks=np.array([1, 3, 4, 2]),
    )
    asked = np.array([0, 0, 1, 2, 2, 3])  # the units of ranks 1, 1, 3, 4, 4, 2
    fused = np.array([0.9, 0.5, 0.5, 0.5, 0.95, 0.0])
    assert listed.ranks_at(asked, fused).tolist() == [1, 1, 3, 4, 1, 4]


def test_no_leads_give_an_empty_table(scorer, features, flags, listed):
    scores, *_ = listed
    none = reasons_among(scorer, features, [])
    assert counterfactuals(
        scorer, features[:0], flags[:0], standing(scores, []), none
    ).empty
    assert parts(scorer, features[:0], flags[:0]).empty


def test_parts_add_up_to_the_evidence_that_the_order_goes_by(scorer, features, flags):
    fused = scorer.score(features, flags).set_index("unit_id")["fused"]
    total = contributions(scorer, features, flags).sum(axis=1)
    ranked = scorer.fused_rank_.transform(total.to_numpy())
    assert np.allclose(ranked, fused.loc[features.index], atol=1e-9)


def test_part_of_a_rule_is_there_where_it_fired_and_of_each_detector(
    scorer, features, flags
):
    table = contributions(scorer, features, flags)
    assert ((table["rule:V4"] > 0) == flags["V4"]).all()
    assert "rule:V1" not in table  # scope is no evidence
    members = [f"detector:{name}" for name in scorer.ensemble_.detectors_]
    assert [*table.columns] == [
        *members,
        *(f"rule:V{i}" for i in range(2, 6)),
        NEIGHBOURS,
    ]


def test_member_that_finds_a_unit_oddest_brings_most(scorer, features, flags):
    table = contributions(scorer, features, flags)
    members = scorer.ensemble_.member_scores(scorer.preprocessor_.transform(features))
    scores = pd.DataFrame(members, index=features.index)
    top = scores.mean(axis=1).nlargest(50).index
    found = table.loc[top, [f"detector:{name}" for name in members]]
    assert (found.to_numpy().argmax(1) == scores.loc[top].to_numpy().argmax(1)).all()


def test_parts_are_ordered_by_size_and_batch_free(scorer, features, flags):
    table = parts(scorer, features, flags)
    for _, own in table.groupby("unit_id", sort=False):
        assert own["contribution"].abs().is_monotonic_decreasing
        assert own["position"].tolist() == list(range(1, len(own) + 1))
    unit = features.index[7]
    alone = parts(scorer, features.loc[[unit]], flags.loc[[unit]])
    together = table[table["unit_id"] == unit].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, together, rtol=1e-9)


@pytest.fixture(scope="module")
def learnt(scorer, features, flags):
    """The scorer after reviews that confirm what is high in one feature."""
    head = scorer.score(features, flags)["unit_id"].head(60)
    y = pd.Series(np.nan, index=features.index)
    y[head] = (features.loc[head, "f2"] > 0).astype(float)
    return scorer.learn(features, flags, y.to_numpy())


def test_parts_of_a_taught_order_add_up_too(learnt, features, flags):
    table = contributions(learnt, features, flags)
    fused = learnt.score(features, flags).set_index("unit_id")["fused"]
    ranked = learnt.fused_rank_.transform(table.sum(axis=1).to_numpy())
    assert np.allclose(ranked, fused.loc[features.index], atol=1e-9)
    assert table[REVIEWS].std() > 0.1


def test_reviews_name_the_input_that_they_taught(scorer, learnt, features, flags):
    high = features.index[features["f2"] > features["f2"].quantile(0.9)]
    named = taught(learnt, features.loc[high], flags.loc[high])
    assert named.groupby("unit_id")["input"].first().eq("f2").mean() > 0.6
    assert taught(scorer, features, flags).empty


def test_reasons_of_a_taught_order_follow_its_ranker(learnt, features, flags):
    high = list(features.index[features["f2"] > features["f2"].quantile(0.9)])
    plain = reasons_among(learnt, features, high)
    followed = reasons_among(learnt, features, high, flags=flags)
    places = [t[t["feature"] == "f2"]["position"].mean() for t in (plain, followed)]
    assert places[1] < places[0]
    assert (followed["feature"] == "f2").sum() >= (plain["feature"] == "f2").sum()


def test_counterfactuals_of_a_taught_order_are_its_own(learnt, features, flags):
    scores = learnt.score(features, flags)
    head = scores["unit_id"].head(5).tolist()
    reasons = reasons_among(learnt, features, head, flags=flags)
    X, H = features.loc[head], flags.loc[head]
    told = counterfactuals(learnt, X, H, standing(scores, head), reasons)
    row = told[told["feature_1"].notna() & told["rule"].isna()].iloc[0]
    changed = features.astype(float).copy()
    changed.loc[row["unit_id"], row["feature_1"]] = row["value_1"]
    if isinstance(row["feature_2"], str):
        changed.loc[row["unit_id"], row["feature_2"]] = row["value_2"]
    again = learnt.score(changed, flags).set_index("unit_id")
    assert again.loc[row["unit_id"], "rank_fused"] == row["rank"]


def test_rule_that_reviews_moved_carries_what_it_is_worth_now(learnt, features, flags):
    moved = {
        code: learnt.taught_.evidence_[code] - worth
        for code, worth in learnt.evidence_.evidence_.items()
    }
    code = max(moved, key=lambda c: abs(moved[c]))
    assert moved[code] != 0
    alone = flags.index[flags[code] & (flags.drop(columns=["V1"]).sum(axis=1) == 1)]
    untaught = copy.copy(learnt)
    untaught.taught_ = None
    X, H = features.loc[alone], flags.loc[alone]
    before, after = (contributions(s, X, H)[f"rule:{code}"] for s in (untaught, learnt))
    ranker = learnt.ranker_
    scale = (1 - ranker.weight_) / ranker.base_span_
    assert np.allclose(after - before, RULE_WEIGHT * moved[code] * scale)
