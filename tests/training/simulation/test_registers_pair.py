"""Two registers with dirty keys: the planted truth, the rates, the same bytes again."""

import re

import numpy as np
import pandas as pd
import pytest

from training.simulation import names
from training.simulation.registers_pair import (
    ADDRESS_DIRT,
    BIRTH_DIRT,
    CATALOGUE,
    ID_DIRT,
    NAME_DIRT,
    NO_TROUBLE,
    PHONE_DIRT,
    RegistersPair,
    one_wrong_character,
    one_wrong_digit,
    other_day,
    registers_pair,
)

SIZE, SEED = 4000, 5
VALUES = ("person_id", "name", "birth", "phone", "address")


@pytest.fixture(scope="module")
def pair() -> RegistersPair:
    return registers_pair(SIZE, SEED)


@pytest.fixture(scope="module")
def plain() -> RegistersPair:
    return registers_pair(SIZE, SEED, NO_TROUBLE)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_six_of_ten_people_are_in_both_registers_and_nobody_twice_in_one(pair):
    for people in (pair.left_person, pair.right_person):
        assert len(set(people.tolist())) == len(people) == SIZE
    assert len(np.intersect1d(pair.left_person, pair.right_person)) == 0.6 * SIZE


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(pair):
    again, other = registers_pair(SIZE, SEED), registers_pair(SIZE, SEED + 1)
    pd.testing.assert_frame_equal(pair.left, again.left)
    pd.testing.assert_frame_equal(pair.right, again.right)
    assert (pair.left_person == again.left_person).all()
    assert not pair.left.equals(other.left)


def test_records_hold_nothing_but_texts_and_no_truth(pair):
    for rows in (pair.left, pair.right):
        assert list(rows.columns) == ["record", *VALUES]
        assert rows.map(type).eq(str).to_numpy().all()
        assert rows["record"].is_unique


@pytest.mark.parametrize(
    ("column", "rates"),
    [
        ("person_id", ID_DIRT),
        ("name", NAME_DIRT),
        ("birth", BIRTH_DIRT),
        ("phone", {**PHONE_DIRT, "agent's": CATALOGUE.agents_phones}),
        ("address", ADDRESS_DIRT),
    ],
)
def test_dirt_comes_at_its_rates(pair, column, rates):
    shares = pair.left_dirt[column].value_counts(normalize=True)
    for kind, rate in rates.items():
        spread = 4 * (rate * (1 - rate) / SIZE) ** 0.5
        assert shares[kind] == pytest.approx(rate, abs=spread), kind


def test_named_dirt_is_what_was_done_to_the_values(pair):
    rows, dirt = pair.left, pair.left_dirt
    for column in ("person_id", "birth", "phone"):
        assert ((rows[column] == "") == (dirt[column] == "missing")).all()
    masked = rows["person_id"].str.contains("*", regex=False)
    assert (masked == (dirt["person_id"] == "masked")).all()
    assert rows["person_id"][masked].str.len().eq(18).all()
    hidden = pair.right["name"].str.contains("某")
    assert (hidden == (pair.right_dirt["name"] == "masked")).all()
    assert not rows["name"].str.contains("某").any()


def test_values_without_dirt_agree_between_the_registers(plain):
    left = plain.left.assign(person=plain.left_person).join(
        plain.left_dirt.add_suffix("_dirt")
    )
    right = plain.right.assign(person=plain.right_person).join(
        plain.right_dirt.add_suffix("_dirt")
    )
    both = left.merge(right, on="person")
    assert len(both) == 0.6 * SIZE
    for column in ("person_id", "name", "phone", "address"):
        clean = (both[f"{column}_dirt_x"] == "") & (both[f"{column}_dirt_y"] == "")
        same = both[f"{column}_x"] == both[f"{column}_y"]
        assert clean.any()
        assert same[clean].all(), column
        assert not same[~clean].all()


def test_without_trouble_numbers_and_phones_are_one_persons_own(plain):
    for column in ("person_id", "phone"):
        told = pd.concat([plain.left[column], plain.right[column]])
        people = np.concatenate([plain.left_person, plain.right_person])
        whole = (told != "").to_numpy() & ~told.str.contains(
            "*", regex=False
        ).to_numpy()
        owners = pd.Series(people[whole]).groupby(told.to_numpy()[whole]).nunique()
        assert (owners == 1).all()


def test_trouble_brings_shared_phones_and_doubled_numbers():
    pair = registers_pair(20_000, SEED)
    for column in ("phone", "person_id"):
        rows = pair.left[(pair.left[column] != "") & (pair.left_dirt[column] == "")]
        assert rows[column].str.upper().duplicated().any(), column


def test_one_wrong_digit_changes_one_digit_and_keeps_the_check_character(rng):
    ids = np.array(["33060219870214123X"] * 200, dtype=object)
    for wrong in one_wrong_digit(rng, ids):
        assert len(wrong) == 18
        assert wrong[-1] == "X"
        assert sum(a != b for a, b in zip(wrong, ids[0], strict=True)) == 1


def test_one_wrong_character_looks_or_sounds_alike(rng):
    called = np.array(["章伟芳", "孟强", "买买提·依明"] * 100, dtype=object)
    alike = {frozenset(pair) for pair in names.PAIRS} | {frozenset("章张")}
    for name, wrong in zip(called, one_wrong_character(rng, called, 0.5), strict=True):
        assert len(wrong) == len(name)
        changed = [(a, b) for a, b in zip(name, wrong, strict=True) if a != b]
        assert len(changed) <= 1
        assert all(frozenset(pair) in alike for pair in changed)


def test_a_wrong_day_is_another_date_of_the_same_year(rng):
    births = np.arange("1980-01-01", "1982-01-01", dtype="datetime64[D]")
    wrong = other_day(rng, births)
    assert (wrong != births).all()
    assert (wrong.astype("datetime64[Y]") == births.astype("datetime64[Y]")).all()
    swapped = {str(day)[5:] for day in wrong[births == np.datetime64("1981-03-07")]}
    assert all(re.fullmatch(r"03-\d\d|07-03", day) for day in swapped)
