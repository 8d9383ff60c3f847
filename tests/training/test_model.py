import hashlib
import zipfile
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator, clone

from configs.errors import LeadlineError, StoreError
from configs.tables import SCORES
from tests.training.conftest import RULES, numbers
from training import model as model_module
from training.model import LeadScorer


@pytest.fixture(scope="module")
def scores(scorer, features, flags) -> pd.DataFrame:
    return scorer.score(features, flags, as_of=datetime(2026, 3, 1))


def test_scores_follow_the_contract(scores, features):
    assert list(scores.columns[: len(SCORES)]) == list(SCORES)
    members = {"forest", "density", "neighbours", "ordinary", "pridit"}
    assert {f"score_{name}" for name in members} <= set(scores)
    assert sorted(scores["unit_id"]) == sorted(features.index)
    inner = {"unit_id", "as_of", "evidence"}  # and the members' own, in sd
    numbers_ = scores[
        [c for c in scores if c not in inner and not c.startswith("member_")]
    ]
    values = numbers_[[c for c in numbers_ if not c.startswith("rank_")]]
    assert values.ge(0).all(axis=None)
    assert values.le(1).all(axis=None)
    for rank in ("rank_score", "rank_rules", "rank_fused"):
        assert sorted(scores[rank]) == list(range(1, len(scores) + 1))
    assert scores["as_of"].dtype == "datetime64[us]"
    assert scores["rank_fused"].is_monotonic_increasing


@pytest.fixture(scope="module")
def taught(scorer, features, flags) -> LeadScorer:
    """Has learnt from cases enough for a ranker and for bands."""
    y = np.full(len(features), np.nan)
    y[:200] = (features["f2"][:200] > 0).astype(float)
    learnt = scorer.learn(features, flags, y)
    assert learnt.ranker_.weight_ > 0
    assert len(learnt.bands_.edges_)
    return learnt


@pytest.mark.parametrize("size", [1, 7, 64, 101, 599])
@pytest.mark.parametrize("which", ["scorer", "taught"])
def test_unit_scores_are_bit_for_bit_the_same_in_any_batch(
    which, size, features, flags, request
):
    model = request.getfixturevalue(which)
    starts = range(0, len(features) if size > 1 else 25, size)
    parts = [slice(start, start + size) for start in starts]
    alone = [model.columns(features[part], flags[part]) for part in parts]
    for name, whole in model.columns(features, flags).items():
        joined = np.concatenate([part[name] for part in alone])
        np.testing.assert_array_equal(joined, whole[: len(joined)], err_msg=name)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_list_is_the_same_in_parts_and_with_any_number_of_threads(
    scorer, scores, features, flags, threads, monkeypatch
):
    monkeypatch.setattr(model_module, "PART_ROWS", 83)
    as_of = datetime(2026, 3, 1)
    again = scorer.score(features, flags, as_of=as_of, threads=threads)
    pd.testing.assert_frame_equal(again, scores, check_exact=True)


def test_save_and_load_give_identical_scores(scorer, scores, features, flags, tmp_path):
    scorer.save(tmp_path / "model.skops")
    loaded = LeadScorer.load(tmp_path / "model.skops")
    again = loaded.score(features, flags, as_of=datetime(2026, 3, 1))
    pd.testing.assert_frame_equal(again, scores, check_exact=True)
    assert loaded.features == list(features.columns)
    assert loaded.rule_codes == [rule.code for rule in RULES]
    names = zipfile.ZipFile(tmp_path / "model.skops").namelist()
    assert not [n for n in names if n.endswith((".pkl", ".pickle"))]


def test_unknown_types_in_a_file_are_refused(scorer, tmp_path, monkeypatch):
    scorer.save(tmp_path / "model.skops")
    shorter = [t for t in model_module.TRUSTED_TYPES if "Pridit" not in t]
    monkeypatch.setattr(model_module, "TRUSTED_TYPES", shorter)
    with pytest.raises(StoreError, match=r"refused.*Pridit"):
        LeadScorer.load(tmp_path / "model.skops")


def stored_names(estimator: BaseEstimator) -> list[str]:
    """What a file holds of a model: names of all that was fitted, by class."""
    found = set()
    for name, value in vars(estimator).items():
        found.add(f"{type(estimator).__name__}.{name}")
        held = value.values() if isinstance(value, dict) else [value]
        for one in held:
            if isinstance(one, BaseEstimator):
                found |= set(stored_names(one))
    return sorted(found)


def test_layout_is_raised_when_what_is_stored_changes(
    scorer, features, flags, verdicts
):
    names = {*stored_names(scorer)}
    names |= {*stored_names(scorer.learn(features, flags, verdicts))}
    found = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:12]
    # On a failure: raise LAYOUT in training/model.py and record both here.
    assert (model_module.LAYOUT, found) == (2, "041fd8832809")


def test_files_of_another_layout_are_refused_in_words(scorer, tmp_path, monkeypatch):
    scorer.save(tmp_path / "model.skops")
    monkeypatch.setattr(model_module, "LAYOUT", 99)
    with pytest.raises(StoreError, match=r"layout 2, this one reads 99\); train again"):
        LeadScorer.load(tmp_path / "model.skops")


def test_files_that_are_no_model_are_refused(tmp_path):
    (tmp_path / "text").write_text("not a model")
    skops.io.dump({"a": 1}, tmp_path / "dict.skops")
    for name, words in {
        "text": "not a stored model",
        "absent": "not a stored model",
        "dict.skops": "holds a dict",
    }.items():
        with pytest.raises(StoreError, match=words):
            LeadScorer.load(tmp_path / name)


def test_model_without_rules_ranks_by_the_detectors(features):
    none = pd.DataFrame(index=features.index)
    scores = LeadScorer(seed=1).fit(features, none).score(features, none)
    assert not scores["rules"].any()
    ranked = scores.set_index("unit_id")
    assert ranked["fused"].corr(ranked["score"], method="spearman") > 0.8
    head = scores.nsmallest(50, "rank_fused")
    assert (head["rank_score"] <= 200).mean() > 0.9


def test_flags_that_never_fire_leave_the_rules_silent(features, flags):
    silent = flags & False
    scores = LeadScorer(RULES).fit(features, silent).score(features, silent)
    assert not scores["rules"].any()
    assert scores["score_pridit"].nunique() == 1


def test_units_that_disagree_or_repeat_are_refused(scorer, features, flags):
    with pytest.raises(LeadlineError, match="features cover 5 units and rule flags 4"):
        scorer.score(features[:5], flags[:4])
    twice = features.iloc[[0, 0]]
    with pytest.raises(LeadlineError, match="more than once"):
        scorer.score(twice, flags.loc[twice.index].iloc[:2].set_axis(twice.index))


def test_missing_rule_flag_is_refused_with_its_code(scorer, features, flags):
    with pytest.raises(LeadlineError, match="rule flag 'V4' is missing"):
        scorer.score(features, flags.drop(columns="V4"))


def test_model_of_fifty_units_and_of_wide_tables_works():
    for rows, columns in ((50, 3), (60, 400)):
        X = numbers(rows, columns)
        H = pd.DataFrame(index=X.index)
        assert len(LeadScorer().fit(X, H).score(X, H)) == rows


def test_scorer_is_a_well_behaved_estimator():
    plain = LeadScorer(RULES, seed=5)
    assert clone(plain).get_params() == plain.get_params()
    assert not [name for name in vars(plain) if name.endswith("_")]


@pytest.fixture(scope="module")
def verdicts(features) -> np.ndarray:
    """A kind of case that the detectors do not see: two columns both a little high."""
    z = (features[["f0", "f2"]] - features[["f0", "f2"]].mean()) / features[
        ["f0", "f2"]
    ].std()
    case = (z.min(axis=1) > 0.3).to_numpy()
    y = np.full(len(features), np.nan)
    known = np.random.default_rng(5).choice(len(features), 150, replace=False)
    y[known] = case[known]
    return y


def test_what_was_confirmed_reorders_the_rest(scorer, features, flags, verdicts):
    learnt = scorer.learn(features, flags, verdicts)
    z = (features[["f0", "f2"]] - features[["f0", "f2"]].mean()) / features[
        ["f0", "f2"]
    ].std()
    case = z.min(axis=1) > 0.3
    unknown = features.index[np.isnan(verdicts)]
    found = []
    for version in (scorer, learnt):
        ranked = version.score(features, flags).set_index("unit_id").loc[unknown]
        found.append(case[ranked["rank_fused"].nsmallest(40).index].mean())
    before, after = found
    assert after > 0.6
    assert after > 2 * before


def test_learning_leaves_detectors_rules_and_the_teacher_as_they_were(
    scorer, scores, features, flags, verdicts
):
    learnt = scorer.learn(features, flags, verdicts)
    again = learnt.score(features, flags).set_index("unit_id").loc[scores["unit_id"]]
    for column in ("score", "rules", "rank_score", "rank_rules", "evidence"):
        np.testing.assert_array_equal(again[column], scores[column])
    untouched = scorer.score(features, flags, as_of=datetime(2026, 3, 1))
    pd.testing.assert_frame_equal(untouched, scores, check_exact=True)


def test_scores_known_already_teach_the_same(scorer, scores, features, flags, verdicts):
    told = scorer.tell(features, flags, scores)
    np.testing.assert_array_equal(told.inputs, scorer.tell(features, flags).inputs)
    assert told.inputs.shape[1] == len(scorer.input_names())


def test_learnt_scorer_is_stored_and_scores_alone_as_in_the_batch(
    scorer, features, flags, verdicts, tmp_path
):
    learnt = scorer.learn(features, flags, verdicts)
    learnt.save(tmp_path / "learnt.skops")
    loaded = LeadScorer.load(tmp_path / "learnt.skops")
    whole = learnt.score(features, flags).set_index("unit_id")
    alone = loaded.score(features[7:8], flags[7:8]).set_index("unit_id")
    assert alone["fused"].iloc[0] == whole["fused"].loc[alone.index[0]]


def test_bands_appear_with_enough_reviews_and_rise(scorer, features, flags, verdicts):
    learnt = scorer.learn(features, flags, verdicts)
    scores = learnt.score(features, flags)
    banded = scores.dropna(subset="band_low")
    assert (banded["band_low"] < banded["band_high"]).all()
    assert banded.sort_values("fused")["band_low"].is_monotonic_increasing
    few = verdicts.copy()
    few[np.flatnonzero(few == 0)[5:]] = np.nan
    assert "band_low" not in scorer.learn(features, flags, few).score(features, flags)


def test_where_nothing_is_found_the_cleared_fall_and_more_is_drawn(
    scorer, features, flags, verdicts
):
    none = np.where(verdicts == 1, np.nan, verdicts)
    learnt = scorer.learn(features, flags, none)
    assert learnt.explore_share_ == 0.8
    old, new = (
        v.score(features, flags).set_index("unit_id").loc[features.index, "rank_fused"]
        for v in (scorer, learnt)
    )
    cleared = none == 0
    assert (new - old)[cleared].mean() > 5
    with pytest.raises(LeadlineError, match="nobody has confirmed or excluded"):
        scorer.learn(features, flags, np.full(len(features), np.nan))
