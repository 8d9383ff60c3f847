"""Two departments' registers of overlapping people with dirty keys, and who is who.

For measuring record linkage. Rates are per side: the five kinds of plain dirt as record
linkage was first measured with, and the rest of the catalogue of the domain brief.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.simulation import dirt, identifiers, names, written
from training.simulation.population import (
    DOUBLE_ID_RATE,
    LOCAL_ID_RATE,
    births_by_place,
    family_names,
    family_phones,
    households,
)
from training.simulation.sampling import (
    Bools,
    Ints,
    Rng,
    Texts,
    Times,
    between,
    chance,
    days,
    pick,
    weighted,
)

SHARED_SHARE = 0.6  # of each register: people whom the other one knows too
SWAPPED_DAY_RATE = 1 / 3  # of wrong days: day and month the other way round
TWIN_CHARACTER_RATE = 0.7  # of twins: the first character of the given name is shared
PEOPLE_PER_AGENT = 500
MOVED_AWAY_RATE = 0.3  # of moved: to another district
ID_DIRT = {"missing": 0.35, "masked": 0.10, "wrong digit": 0.08}
NAME_DIRT = {"wrong character": 0.08}
BIRTH_DIRT = {"missing": 0.10, "wrong day": 0.06}
PHONE_DIRT = {"missing": 0.25, "changed": 0.15}
ADDRESS_DIRT = {"moved": 0.40}


@dataclass(frozen=True, slots=True)
class Trouble:
    """How often records are hard to tell apart, beside values that are plainly wrong."""

    masked_names: float = 0.05  # of one register, which publishes 张某某
    wrong_surnames: float = 0.12  # of wrong characters
    agents_phones: float = 0.03
    family_phones: bool = True  # 8 % of people, and 2 % that had another owner before
    landlines: float = 0.04  # of households
    lost_zeros: float = 0.3  # of landlines: a spreadsheet took one for a number
    twins: float = 0.05  # of second children
    namesakes: float = 0.001  # name and birth date of a stranger
    double_ids: float = DOUBLE_ID_RATE
    spellings: bool = True  # old numbers, x, spaces, dashes, 栋, district left out


# The same value written in another way; normal forms undo all but the last two.
SPELLINGS: dict[str, tuple[dirt.Kind, ...]] = {
    "name": dirt.NAME_KINDS[1:],
    "phone": dirt.PHONE_KINDS,
    "address": ((0.3, dirt.block_word), *dirt.ADDRESS_KINDS[1:]),
}
CATALOGUE = Trouble()
NO_TROUBLE = Trouble(0, 0, 0, False, 0, 0, 0, 0, 0, False)

# Each pair of surnames sounds or looks alike; clerks take either for the other.
SURNAME_PAIRS = (
    "章张 徐许 陈程 王汪 余俞 沈审 周邹 吴武 何贺 傅付 江姜 朱祝 林凌 曹草 钱前"
)


@dataclass(frozen=True, slots=True)
class RegistersPair:
    """Delivered records of both registers, and what they do not say.

    `left` and `right` hold texts alone: record, person_id, name, birth, phone and
    address, empty where not known. The truth of the k-th record is `left_person[k]`,
    and `left_dirt` names what was done to each of its values ('' = nothing).
    """

    left: pd.DataFrame
    right: pd.DataFrame
    left_person: Ints
    right_person: Ints
    left_dirt: pd.DataFrame
    right_dirt: pd.DataFrame


def registers_pair(size: int, seed: int, trouble: Trouble = CATALOGUE) -> RegistersPair:
    """Two registers of `size` people each; 60 % of them are in both."""
    rng = np.random.default_rng(seed)
    shared = round(size * SHARED_SHARE)
    persons = _persons(rng, 2 * size - shared, trouble)
    order = rng.permutation(len(persons))
    both, rest = order[:shared], order[shared:]
    left = rng.permutation(np.concatenate([both, rest[: size - shared]]))
    right = rng.permutation(
        np.concatenate([both, rest[size - shared : 2 * (size - shared)]])
    )
    left_rows, left_dirt = _register(rng, persons.iloc[left], "L", trouble)
    right_rows, right_dirt = _register(rng, persons.iloc[right], "R", trouble)
    _publish_masked(rng, right_rows, right_dirt, trouble.masked_names)
    right_rows["birth"] = _slashed(right_rows["birth"])
    return RegistersPair(left_rows, right_rows, left, right, left_dirt, right_dirt)


def _persons(rng: Rng, size: int, trouble: Trouble) -> pd.DataFrame:
    sizes, household = households(rng, size)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    place = np.arange(len(household)) - starts[household]
    district = weighted(rng, names.DISTRICT_WEIGHTS, len(starts))
    births = births_by_place(rng, household, place, starts)
    called = family_names(rng, household, place, starts)
    twins = np.flatnonzero((place == 3) & chance(rng, len(place), trouble.twins))
    births[twins] = births[twins - 1]
    called[twins] = _twin_names(rng, called[twins - 1], called[twins])
    _add_namesakes(rng, called, births, trouble.namesakes)
    ids = _resident_numbers(rng, district[household], births, twins)
    _double(rng, ids, trouble.double_ids)
    return pd.DataFrame(
        {
            "person_id": ids,
            "name": called,
            "birth": births,
            "phone": _phones(rng, household, starts, trouble),
            "district": district[household],
            "address": names.home_addresses(rng, district)[household],
        }
    )


def _twin_names(rng: Rng, elder: Texts, younger: Texts) -> Texts:
    """Twins often share the generation's character: 张伟国, 张伟民."""
    alike = np.array([first[:2] for first in elder], dtype=object)
    alike = alike + names.given_names(rng, len(elder)).astype("U1").astype(object)
    return np.where(chance(rng, len(elder), TWIN_CHARACTER_RATE), alike, younger)


def _add_namesakes(rng: Rng, called: Texts, births: Times, rate: float) -> None:
    chosen = np.flatnonzero(chance(rng, len(called), rate))
    like = rng.integers(0, len(called), len(chosen))
    called[chosen] = called[like]
    births[chosen] = births[like]


def _resident_numbers(rng: Rng, district: Ints, births: Times, twins: Ints) -> Texts:
    region = np.where(
        chance(rng, len(births), LOCAL_ID_RATE),
        names.DISTRICT_CODES[district],
        rng.choice(names.OTHER_REGIONS, len(births)),
    )
    region[twins] = region[twins - 1]
    return identifiers.resident_ids(region, births, scattered=True)


def _double(rng: Rng, ids: Texts, rate: float) -> None:
    """One number used by two persons."""
    doubled = np.flatnonzero(chance(rng, len(ids), rate))
    ids[doubled] = ids[rng.integers(0, len(ids), len(doubled))]


def _phones(rng: Rng, household: Ints, starts: Ints, trouble: Trouble) -> Texts:
    if trouble.family_phones:
        phones = family_phones(rng, household, starts)
    else:
        phones = identifiers.phones(rng, len(household))
    homes = np.flatnonzero(chance(rng, len(starts), trouble.landlines))
    lines = np.full(len(starts), "", dtype=object)
    lines[homes] = "05758" + identifiers.padded(
        rng.integers(0, 10**7, len(homes)), width=7
    )
    return np.where(lines[household] != "", lines[household], phones)


def _register(
    rng: Rng, persons: pd.DataFrame, letter: str, trouble: Trouble
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One department's records of these people, and the dirt in them."""
    size = len(persons)
    kinds = {
        "person_id": _kinds(rng, size, ID_DIRT),
        "name": _kinds(rng, size, NAME_DIRT),
        "birth": _kinds(rng, size, BIRTH_DIRT),
        "phone": _kinds(rng, size, {**PHONE_DIRT, "agent's": trouble.agents_phones}),
        "address": _kinds(rng, size, ADDRESS_DIRT),
    }
    held = {name: persons[name].to_numpy() for name in (*kinds, "district")}
    shown = {
        "person_id": _ids(rng, held["person_id"], kinds["person_id"], trouble),
        "name": _names(rng, held["name"], kinds["name"], trouble.wrong_surnames),
        "birth": _birth_dates(rng, held["birth"], kinds["birth"]),
        "phone": _given_phones(rng, held["phone"], kinds["phone"]),
        "address": _addresses(rng, held, kinds["address"]),
    }
    if trouble.spellings:
        shown = {
            name: dirt.soiled(rng, texts, SPELLINGS.get(name, ()))
            for name, texts in shown.items()
        }
    lost = (trouble.lost_zeros, _lost_zero)
    shown["phone"] = dirt.soiled(rng, shown["phone"], (lost,))
    records = {"record": _record_names(letter, size), **shown}
    return pd.DataFrame(records), pd.DataFrame(kinds)


def _kinds(rng: Rng, size: int, rates: dict[str, float]) -> Texts:
    """At most one kind of dirt for each row."""
    return pick(rng, (*rates, ""), size, (*rates.values(), 1 - sum(rates.values())))


def _record_names(letter: str, size: int) -> Texts:
    return np.asarray(letter + identifiers.padded(np.arange(size), 8), dtype=object)


def _ids(rng: Rng, ids: Texts, kinds: Texts, trouble: Trouble) -> Texts:
    """Spelled first: a number that was masked or mistyped has all its 18 characters."""
    spellings = dirt.ID_KINDS[:2] if trouble.spellings else ()
    shown = dirt.soiled(rng, ids, spellings)
    masked, wrong = kinds == "masked", kinds == "wrong digit"
    shown[masked] = dirt.masked_id(rng, ids[masked])
    shown[wrong] = one_wrong_digit(rng, ids[wrong])
    shown[kinds == "missing"] = ""
    return shown


def one_wrong_digit(rng: Rng, ids: Texts) -> Texts:
    """18-digit numbers with one of the first 17 digits replaced."""
    codes = np.array(ids.astype("S18")).view(np.uint8).reshape(-1, 18)
    row, place = np.arange(len(ids)), rng.integers(0, 17, len(ids))
    digit = codes[row, place] - ord("0")
    codes[row, place] = (digit + rng.integers(1, 10, len(ids))) % 10 + ord("0")
    return identifiers.joined(codes)


def _names(rng: Rng, called: Texts, kinds: Texts, surnames: float) -> Texts:
    shown = called.copy()
    wrong = np.flatnonzero(kinds == "wrong character")
    shown[wrong] = one_wrong_character(rng, called[wrong], surnames)
    return shown


def one_wrong_character(rng: Rng, called: Texts, surnames: float) -> Texts:
    """Names with one character that sounds or looks alike, seldom the surname's."""
    width = max(map(len, called), default=1)
    codes = np.array(called.astype(f"U{width}")).view(np.uint32).reshape(-1, width)
    length = (codes != 0).sum(axis=1)
    row = np.arange(len(called))
    place = 1 + rng.integers(0, np.maximum(length - 1, 1))
    surname = chance(rng, len(called), surnames)
    surname &= LOOKALIKES[codes[:, 0]] != codes[:, 0]
    place = np.where(surname, 0, np.minimum(place, length - 1))
    codes[row, place] = LOOKALIKES[codes[row, place]]
    return np.ascontiguousarray(codes).view(f"U{width}").ravel().astype(object)


def _lookalikes() -> Ints:
    """For each code point the one that is typed instead, itself where none is known."""
    table = np.arange(0x10000)
    for pair in (*names.PAIRS, *SURNAME_PAIRS.split()):
        codes = np.array([ord(character) for character in pair])
        table[codes] = codes[::-1]
    return table


LOOKALIKES = _lookalikes()


def _birth_dates(rng: Rng, births: Times, kinds: Texts) -> Texts:
    shown = births.astype("datetime64[D]")
    wrong = np.flatnonzero(kinds == "wrong day")
    shown[wrong] = other_day(rng, shown[wrong])
    return np.where(kinds == "missing", "", written.iso_dates(shown))


def other_day(rng: Rng, births: Times) -> Times:
    """Another day of the month, or day and month swapped where that is a date."""
    months = births.astype("datetime64[M]")
    years = births.astype("datetime64[Y]")
    month = (months - years.astype("datetime64[M]")).astype(np.int64)
    day = (births - months.astype("datetime64[D]")).astype(np.int64)
    another = (day + between(rng, 1, 27, len(births))) % 28
    swapped = (years.astype("datetime64[M]") + day).astype("datetime64[D]")
    swaps = chance(rng, len(births), SWAPPED_DAY_RATE) & (day < 12) & (day != month)
    moved = months.astype("datetime64[D]") + days(another)
    return np.where(swaps, swapped + days(month), moved)


def _given_phones(rng: Rng, phones: Texts, kinds: Texts) -> Texts:
    shown = phones.copy()
    changed = kinds == "changed"
    shown[changed] = identifiers.phones(rng, int(changed.sum()))
    agents = identifiers.phones(rng, max(3, len(phones) // PEOPLE_PER_AGENT))
    by_agent = kinds == "agent's"
    shown[by_agent] = agents[rng.integers(0, len(agents), int(by_agent.sum()))]
    shown[kinds == "missing"] = ""
    return shown


def _lost_zero(_rng: Rng, phones: Texts) -> Texts:
    return np.array([phone.removeprefix("0") for phone in phones], dtype=object)


def _addresses(rng: Rng, held: dict[str, Texts], kinds: Texts) -> Texts:
    shown = held["address"].copy()
    moved = np.flatnonzero(kinds == "moved")
    district = held["district"][moved].astype(np.int64)
    far: Bools = chance(rng, len(moved), MOVED_AWAY_RATE)
    district[far] = weighted(rng, names.DISTRICT_WEIGHTS, int(far.sum()))
    shown[moved] = names.home_addresses(rng, district)
    return shown


def _publish_masked(
    rng: Rng, rows: pd.DataFrame, kinds: pd.DataFrame, rate: float
) -> None:
    """A register that publishes hides the given name of some."""
    called = rows["name"].to_numpy(dtype=object).copy()
    hidden = np.flatnonzero(chance(rng, len(rows), rate))
    called[hidden] = dirt.masked_name(rng, called[hidden])
    rows["name"] = called
    marks = kinds["name"].to_numpy(dtype=object).copy()
    marks[hidden] = "masked"
    kinds["name"] = marks


def _slashed(dates: "pd.Series[str]") -> Texts:
    """2023/5/6, as the second department writes; empty stays empty."""
    shown = np.asarray(dates, dtype=object).copy()
    known = shown != ""
    moments = shown[known].astype("datetime64[D]")
    shown[known] = written.slashed_dates(moments)
    return shown
