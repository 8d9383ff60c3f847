"""Dirty keys as departments really deliver them (domain.md, section 2).

Each kind of dirt is one small function over the rows it was drawn for; its rate
is the named constant beside it. Rates are assumptions of the domain brief.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from training.simulation.names import MISTYPED
from training.simulation.sampling import Rng, Texts, chance, texts

Change = Callable[[Rng, Texts], Texts]
Kind = tuple[float, Change]

MASKED_ID_RATE = 0.15
MASKED_NAME_RATE = 0.25
OLD_ID_RATE = 0.02  # of people born before 1970
ID_TYPO_RATE = 0.005
LOWER_X_RATE = 0.10
NAME_TYPO_RATE = 0.01
WIDE_SPACE_RATE = 0.015
DOT_VARIANT_RATE = 0.40  # of minority names
DASHED_PHONE_RATE = 0.03
COUNTRY_CODE_RATE = 0.02
PLATE_DOT_RATE = 0.15
PLATE_LETTER_RATE = 0.01  # O for 0, I for 1
PLATE_LOWER_RATE = 0.01
LONG_FORM_RATE = 0.04
SHORT_CITY_RATE = 0.04
TRADE_NAME_RATE = 0.05
PADDED_COMPANY_RATE = 0.01
OLD_NAME_RATE = 0.02
USCC_MISSING_RATE = 0.20
USCC_LOWER_RATE = 0.01
HALF_BRACKET_RATE = 0.20
CASE_TYPO_RATE = 0.02
BLOCK_WORD_RATE = 0.15
NO_DISTRICT_RATE = 0.08
TOWN_ONLY_RATE = 0.10
WAN_RATE = 0.003
SHORT_VIN_RATE = 0.03
LICENCE_MISSING_RATE = 0.15


def soiled(rng: Rng, values: Texts, kinds: Sequence[Kind]) -> Texts:
    """Apply each kind of dirt, at its rate, to rows that hold a value."""
    soiled = values.copy()
    filled = soiled != ""
    for rate, change in kinds:
        rows = np.flatnonzero(chance(rng, len(soiled), rate) & filled)
        if len(rows):
            soiled[rows] = change(rng, soiled[rows])
    return soiled


def blanked(rng: Rng, values: Texts, rate: float) -> Texts:
    """Leave values out at a rate."""
    return np.where(chance(rng, len(values), rate), "", values)


def _series(values: Texts) -> "pd.Series[str]":
    return pd.Series(values, dtype="str")


def _texts(values: "pd.Series[str]") -> Texts:
    return np.asarray(values, dtype=object)


def masked_id(_rng: Rng, ids: Texts) -> Texts:
    """330602********1234."""
    written = _series(ids)
    return _texts(written.str[:6] + "********" + written.str[-4:])


def masked_name(_rng: Rng, names: Texts) -> Texts:
    """张某某 for three characters, 张某 for two."""
    written = _series(names)
    longer = np.asarray(written.str.len() > 2, dtype=np.bool_)
    hidden = np.where(longer, "某某", "某")
    return np.asarray(_texts(written.str[:1]) + hidden, dtype=object)


def old_number(_rng: Rng, ids: Texts) -> Texts:
    """The 15-digit number of people born before 1970."""
    written = _series(ids)
    short = _texts(written.str[:6] + written.str[8:17])
    whole = np.asarray(written.str.len() == 18, dtype=np.bool_)
    elder = (_texts(written.str[6:10]) < "1970") & whole
    return np.where(elder, short, ids)


def id_typo(rng: Rng, ids: Texts) -> Texts:
    """One wrong digit."""
    written = _series(ids)
    place = rng.integers(6, 14, len(ids))
    digits = rng.integers(1, 10, len(ids))
    wrong = [
        text[:at] + str((int(text[at]) + digit) % 10) + text[at + 1 :]
        if text[at : at + 1].isdigit()
        else text
        for text, at, digit in zip(written, place, digits, strict=True)
    ]
    return texts(wrong)


def lowered(_rng: Rng, values: Texts) -> Texts:
    """Lower-case letters."""
    return _texts(_series(values).str.lower())


def mistyped_name(_rng: Rng, names: Texts) -> Texts:
    """Characters that sound or look alike."""
    return _texts(_series(names).str.translate(MISTYPED))


def wide_space(_rng: Rng, names: Texts) -> Texts:
    """张　伟, as forms pad two-character names."""
    written = _series(names)
    return _texts(written.str[:1] + "\u3000" + written.str[1:])


def other_dot(rng: Rng, names: Texts) -> Texts:
    """Middle dots of minority names become full stops or vanish."""
    written = _series(names)
    stop = _texts(written.str.replace("·", ".", regex=False))
    gone = _texts(written.str.replace("·", "", regex=False))
    return np.where(chance(rng, len(names), 0.5), stop, gone)


def dashed(_rng: Rng, phones: Texts) -> Texts:
    """138-1234-5678."""
    written = _series(phones)
    return _texts(written.str[:3] + "-" + written.str[3:7] + "-" + written.str[7:])


def country_code(_rng: Rng, phones: Texts) -> Texts:
    """+86 before the number."""
    return np.asarray("+86" + phones, dtype=object)


def dotted_plate(_rng: Rng, plates: Texts) -> Texts:
    """浙D·12345."""
    written = _series(plates)
    return _texts(written.str[:2] + "·" + written.str[2:])


def lettered_plate(_rng: Rng, plates: Texts) -> Texts:
    """O typed for 0 and I for 1."""
    return _texts(_series(plates).str.translate(str.maketrans("01", "OI")))


def long_form(_rng: Rng, names: Texts) -> Texts:
    """有限责任公司 for 有限公司."""
    return _texts(_series(names).str.replace("有限公司", "有限责任公司", regex=False))


def short_city(_rng: Rng, names: Texts) -> Texts:
    """绍兴 for 绍兴市."""
    return _texts(_series(names).str.replace("市", "", n=1, regex=False))


def trade_name(_rng: Rng, names: Texts) -> Texts:
    """宏达汽修: what stands above the gate."""
    place = r"^(绍兴市?|浙江|越城区|柯桥区|上虞区|诸暨市?|嵊州市?|新昌县)"
    bare = _series(names).str.replace(place, "", regex=True)
    return _texts(bare.str.replace(r"汽车.*$", "汽修", regex=True))


def padded_company(_rng: Rng, names: Texts) -> Texts:
    """A full-width space before the name."""
    return _texts("\u3000" + _series(names))


def half_brackets(_rng: Rng, numbers: Texts) -> Texts:
    """(2023) for （2023）."""
    table = str.maketrans("（）", "()")
    return _texts(_series(numbers).str.translate(table))


def case_typo(rng: Rng, numbers: Texts) -> Texts:
    """A wrong last digit in the number."""
    digit = rng.integers(0, 10, len(numbers)).astype(str).astype(object)
    stem = _texts(_series(numbers).str.slice(0, -2))
    return np.asarray(stem + digit + "号", dtype=object)


def block_word(rng: Rng, addresses: Texts) -> Texts:
    """幢 written as 栋 or 号楼."""
    written = _series(addresses)
    other = _texts(written.str.replace("幢", "栋", regex=False))
    third = _texts(written.str.replace("幢", "号楼", regex=False))
    return np.where(chance(rng, len(addresses), 0.5), other, third)


def no_district(_rng: Rng, addresses: Texts) -> Texts:
    """The district left out."""
    districts = r"(越城区|柯桥区|上虞区|诸暨市|嵊州市|新昌县)"
    return _texts(_series(addresses).str.replace(districts, "", n=1, regex=True))


def town_only(_rng: Rng, addresses: Texts) -> Texts:
    """Nothing after the town."""
    return _texts(_series(addresses).str.replace(r"(街道|镇).*$", r"\1", regex=True))


def short_vin(_rng: Rng, vins: Texts) -> Texts:
    """The last six characters only."""
    return _texts(_series(vins).str[-6:])


ID_KINDS: tuple[Kind, ...] = (
    (OLD_ID_RATE, old_number),
    (LOWER_X_RATE, lowered),
    (ID_TYPO_RATE, id_typo),
)
COURT_ID_KINDS: tuple[Kind, ...] = (*ID_KINDS, (MASKED_ID_RATE, masked_id))
NAME_KINDS: tuple[Kind, ...] = (
    (NAME_TYPO_RATE, mistyped_name),
    (WIDE_SPACE_RATE, wide_space),
    (DOT_VARIANT_RATE, other_dot),
)
COURT_NAME_KINDS: tuple[Kind, ...] = (*NAME_KINDS, (MASKED_NAME_RATE, masked_name))
PHONE_KINDS: tuple[Kind, ...] = (
    (DASHED_PHONE_RATE, dashed),
    (COUNTRY_CODE_RATE, country_code),
)
PLATE_KINDS: tuple[Kind, ...] = (
    (PLATE_LETTER_RATE, lettered_plate),
    (PLATE_LOWER_RATE, lowered),
    (PLATE_DOT_RATE, dotted_plate),
)
COMPANY_KINDS: tuple[Kind, ...] = (
    (LONG_FORM_RATE, long_form),
    (SHORT_CITY_RATE, short_city),
    (TRADE_NAME_RATE, trade_name),
    (PADDED_COMPANY_RATE, padded_company),
)
USCC_KINDS: tuple[Kind, ...] = ((USCC_LOWER_RATE, lowered),)
CASE_KINDS: tuple[Kind, ...] = ((HALF_BRACKET_RATE, half_brackets),)
CITED_CASE_KINDS: tuple[Kind, ...] = ((CASE_TYPO_RATE, case_typo), *CASE_KINDS)
ADDRESS_KINDS: tuple[Kind, ...] = (
    (BLOCK_WORD_RATE, block_word),
    (NO_DISTRICT_RATE, no_district),
    (TOWN_ONLY_RATE, town_only),
)
VIN_KINDS: tuple[Kind, ...] = ((SHORT_VIN_RATE, short_vin),)
