import numpy as np
import pytest

from training.simulation import identifiers
from training.simulation.identifiers import USCC_GLYPHS, VIN_VALUES

SIZE = 500
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def resident_check(number: str) -> str:
    total = sum(int(d) * w for d, w in zip(number[:17], WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def organisation_check(code: str) -> str:
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(c, 36) * w for c, w in zip(code[:8], weights, strict=True))
    return {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))


def company_check(code: str) -> str:
    total = sum(USCC_GLYPHS.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17]))
    return USCC_GLYPHS[(31 - total % 31) % 31]


def vin_check(vin: str) -> str:
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    values = (VIN_VALUES.get(c, 0) or int(c) for c in vin)
    total = sum(v * w for v, w in zip(values, weights, strict=True))
    return "X" if total % 11 == 10 else str(total % 11)


def test_known_check_digits() -> None:
    assert resident_check("11010519491231002X") == "X"  # the standard's own example
    assert company_check("91350100M000100Y43") == "3"
    assert organisation_check("M000100Y4") == "4"
    assert vin_check("1M8GDM9AXKP042788") == "X"


def test_resident_ids_are_distinct_and_valid() -> None:
    region = np.full(SIZE, 330602)
    birth = np.full(SIZE, np.datetime64("1987-02-14"))
    ids = identifiers.resident_ids(region, birth)
    assert len(set(ids)) == SIZE
    assert all(number.startswith("33060219870214") for number in ids)
    assert all(resident_check(number) == number[-1] for number in ids)


def test_company_codes_are_distinct_and_valid(rng: np.random.Generator) -> None:
    codes = identifiers.company_codes(rng, np.full(SIZE, 330602))
    assert len(set(codes)) == SIZE
    assert all(company_check(code) == code[-1] for code in codes)
    assert all(organisation_check(code[8:17]) == code[16] for code in codes)


def test_vins_are_distinct_and_valid(rng: np.random.Generator) -> None:
    vins = identifiers.vins(rng, SIZE)
    assert len(set(vins)) == SIZE
    assert all(vin_check(vin) == vin[8] for vin in vins)


def test_plates_have_ordinary_or_new_energy_length(rng: np.random.Generator) -> None:
    plates = identifiers.plates(rng, SIZE)
    assert {len(plate) for plate in plates} == {7, 8}
    assert not any(set("IO") & set(plate) for plate in plates)


def test_phones_are_distinct(rng: np.random.Generator) -> None:
    phones = identifiers.phones(rng, SIZE)
    assert len(set(phones)) == SIZE
    assert {len(phone) for phone in phones} == {11}


def test_sequence_within_counts_rows_of_each_key() -> None:
    keys = np.array([5, 7, 5, 5, 7])
    assert identifiers.sequence_within(keys).tolist() == [0, 0, 1, 2, 1]


def test_case_numbers_use_full_width_brackets() -> None:
    courts = np.array(["浙0602"], dtype=object)
    numbers = identifiers.case_numbers(np.array([2023]), courts, np.array([1234]))
    assert numbers.tolist() == ["（2023）浙0602民初1234号"]


def test_scattered_numbers_are_distinct_and_their_serials_differ_by_region():
    days = np.arange("1960-01-01", "1990-01-01", dtype="datetime64[D]")
    births = np.concatenate([days, days, days])
    regions = np.repeat([330602, 330602, 330603], len(days))
    ids = identifiers.resident_ids(regions, births, scattered=True)
    assert len(set(ids.tolist())) == len(ids)
    serials = [number[14:17] for number in ids]
    one, other = serials[: len(days)], serials[2 * len(days) :]
    assert not any(a == b for a, b in zip(one, other, strict=True))
    assert len(set(one)) > 900
