"""Large deliveries: several prefectures, part files, excerpts and the nights after."""

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from configs.errors import LeadlineError
from configs.loading import load_model
from configs.settings import Settings
from flows.delivery import find_parts
from tests.training.simulation.test_delivery import digests
from training.simulation import simulated
from training.simulation.places import place
from training.simulation.province import LARGEST, PREFECTURE_UNITS, Ask, spread

MODEL, UNITS, SEED = "vehicle_insurance", 2000, 3
ASK = Ask.read("parquet,excerpt,parts=2,nights=1")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("province") / "delivery"
    simulated(MODEL, units=UNITS, seed=SEED, out=folder, ask=ASK)
    return folder


@pytest.fixture(scope="module")
def night(out: Path) -> Path:
    return out.with_name("delivery-night1")


def table(folder: Path, source: str) -> pd.DataFrame:
    return pd.concat(pd.read_parquet(p) for p in sorted(folder.glob(f"{source}-*")))


def test_all_parts_are_found_by_the_map_of_sources_in_the_folder(
    out: Path, night: Path
) -> None:
    sources = load_model(MODEL, Settings().models).spec.sources
    for folder, parts in ((out, 2), (night, 3)):
        for name, source in sources.items():
            found = find_parts(str(folder), name, source)
            assert len(found) == parts, name


def test_equal_seeds_give_equal_bytes(out: Path, night: Path, tmp_path: Path) -> None:
    again = tmp_path / "delivery"
    simulated(MODEL, units=UNITS, seed=SEED, out=again, ask=ASK)
    assert digests(again) == digests(out)
    assert digests(tmp_path / "delivery-night1") == digests(night)


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("claims", "claim_no"),
        ("accidents", "acc_no"),
        ("appraisals", "report_no"),
        ("policies", "policy_no"),
        ("companies", "uscc"),
    ],
)
def test_prefectures_share_no_number(night: Path, source: str, key: str) -> None:
    assert table(night, source)[key].is_unique


def test_prefectures_share_no_resident(night: Path) -> None:
    homes = [
        set(pd.read_parquet(path)["person_id"])
        for path in sorted(night.glob("persons-*"))
    ]
    assert len(set.union(*homes)) == sum(map(len, homes))


def test_truth_tells_of_every_unit_once(out: Path, night: Path) -> None:
    for folder in (out, night):
        truth = pd.read_csv(folder / "truth/units.csv", dtype=str)
        assert truth["claim_no"].is_unique
        assert set(truth["claim_no"]) == set(table(folder, "claims")["claim_no"])


def test_a_night_adds_a_part_and_replaces_one(out: Path, night: Path) -> None:
    before, after = digests(out), digests(night)
    replaced = {name for name in before if before[name] != after[name]}
    notes = {"SIMULATED.txt", "truth/units.csv"}
    assert replaced - notes == {"claims-01.parquet", "repair_bills-01.parquet"}
    assert all("-night1." in name for name in set(after) - set(before))


def test_a_night_corrects_a_few_sums_and_nothing_else(out: Path, night: Path) -> None:
    old, new = (pd.read_parquet(f / "claims-01.parquet") for f in (out, night))
    changed = old["claimed_amount"] != new["claimed_amount"]
    assert changed.sum() == pytest.approx(0.01 * len(old), abs=1)
    pd.testing.assert_frame_equal(
        old.drop(columns="claimed_amount"), new.drop(columns="claimed_amount")
    )


def test_an_excerpt_has_few_rows_and_all_units_people(out: Path) -> None:
    claims, persons = table(out, "claims"), table(out, "persons")
    joined = [
        path.name for path in out.glob("*-*.parquet") if "claims" not in path.name
    ]
    rows = sum(len(pd.read_parquet(out / name)) for name in joined)
    assert 3 * UNITS < rows < 6.5 * UNITS
    # What is left are numbers with dirt.
    assert claims["claimant_id"].isin(persons["person_id"]).mean() > 0.9
    assert table(out, "social_insurance")["month"].nunique() == 1


def test_parquet_holds_what_the_departments_write(tmp_path: Path) -> None:
    for form in ("mixed", "parquet"):
        ask = Ask.read(form)
        simulated(MODEL, units=1000, seed=SEED, out=tmp_path / form, ask=ask)
    written = pd.read_csv(tmp_path / "mixed/claims.csv", dtype=str)
    held = pd.read_parquet(tmp_path / "parquet/claims.parquet")
    assert list(held.columns) == list(written.columns)
    for column in ("claim_no", "claimant_id", "report_time", "litigated"):
        assert held[column].tolist() == written[column].fillna("").tolist()
    amounts = written["claimed_amount"].astype(float)
    assert held["claimed_amount"].round(2).tolist() == amounts.tolist()
    assert not list((tmp_path / "parquet").glob("*.csv*"))


def test_few_units_stay_in_one_prefecture_and_more_are_spread_evenly() -> None:
    assert spread(LARGEST, 0) == [LARGEST]
    assert set(spread(1_000_001, 0)) == {90_909, 90_910}
    many = spread(10_000_000, 10)
    assert sum(many) == 10_000_000
    assert len(many) % 10 == 0
    assert max(many) <= PREFECTURE_UNITS


def test_prefectures_have_their_own_codes_plates_and_phones() -> None:
    found = [place(number, 100) for number in range(110)]
    for name in ("code", "plate", "name", "mark"):
        assert len({getattr(one, name) for one in found}) == len(found)
    for one, after in pairwise(found):
        assert one.phones.stop <= after.phones.start


@pytest.mark.parametrize("asked", ["csv", "parquet,pieces=2", "parquet,parts=x"])
def test_an_unknown_format_is_named(asked: str) -> None:
    with pytest.raises(LeadlineError, match="is not understood"):
        Ask.read(asked)


def test_nights_need_parts(tmp_path: Path) -> None:
    with pytest.raises(LeadlineError, match="parquet,parts=N,nights=N"):
        simulated(
            MODEL, units=1000, seed=1, out=tmp_path, ask=Ask.read("mixed,nights=1")
        )


def test_parts_too_small_for_every_scheme_are_counted(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(LeadlineError, match=r"parts=2 are 750 a part.*ask for 2000"):
        simulated(MODEL, units=1500, seed=1, out=out, ask=Ask.read("parquet,parts=2"))
    assert not out.exists()


def test_models_of_one_prefecture_say_so(tmp_path: Path) -> None:
    with pytest.raises(LeadlineError, match="drawn for one prefecture"):
        simulated("elder_care", units=1000, seed=1, out=tmp_path, ask=ASK)
