"""What holds for every type: reading twice changes nothing, dirt does not matter."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.schema import NUMERIC_TYPES, TIME_TYPES, ColumnType
from features.identifiers import NORMAL_FORMS, UPGRADES, VALID
from features.standardise import EMPTY
from tests.features.identifiers.reading import batches, normal
from training.simulation import dirt, identifiers, names

SIZE = 300
OTHER_TYPES = {"string", "category", "boolean", *NUMERIC_TYPES, *TIME_TYPES}
# What values of a type are put together from, the right way and the wrong one.
PIECES = {
    "person_id": [
        *("330602", "19900101", "900101", "1234", "123X", "12x", "*", "**", "××", "xx"),
        *("X", "?", ".", "-", "E+17", "0"),
    ],
    "company_id": [
        *("9133", "0602", "MA28", "0000", "-", ".", "X", "x", "43"),
        *("330600000012345", "*"),
    ],
    "plate": [
        *("浙", "使", "D", "d", "·", "-", "O0", "I", "1", "12345", "F", "警", "挂"),
        *("(黄)", "*", "。"),
    ],
    "vin": [
        *("LSV", "AA49", "I", "O", "Q", "1320", "47371", "-", ".", "*", "x"),
    ],
    "phone": [
        *("138", "0013", "8000", "88012345", "0571", "+86", "0086", "17951", "0", "-"),
        *("(", ")", "转", "ext", "#", "*", "xx", ".0", "/"),
    ],
    "account": [
        *("6222", "0212", "03001234", "-", "'", "工行", ":", "(注)", "*", "."),
        *("E+18", "/"),
    ],
    "case_no": [
        *("(", ")", "（", "〔", "】", "2021", "1950", "年", "浙", "0602", "民初", "执"),
        *("字", "第", "01", "12", "号", "之一", "书", "。", "-"),
    ],
    "person_name": [
        *("张", "欧阳", "偉", "⻢", "·", "•", ".", "先生", "女士", "某", "*", "×"),
        *("xx", "(男)", "(", "A", "b", "é", "1"),
    ],
    "company_name": [
        *("浙江", "浙江省", "绍兴市", "绍兴", "诸暨市", "越城区", "宏达", "市政"),
        *("有限责任公司", "股份有限公司", "分公司", "(", ")", "（中国）", "(绍兴市)"),
        *("Co., ", "LIMITED", ".", "A"),
    ],
    "address": [
        *(
            "浙江",
            "浙江省",
            "绍兴市",
            "诸暨",
            "越城区",
            "越城",
            "新昌县",
            "市场路",
            "解放路",
        ),
        *(
            "三",
            "十二",
            "百",
            "12",
            "3",
            "号",
            "号楼",
            "幢",
            "栋",
            "#",
            "-",
            "101",
            "室",
        ),
        *("房", "第三村民小组", "组", "社", "单元", "A", "b", "(", ")", "近桥", "*"),
    ],
    "id": [
        *("（", "〔", "5", "〕", "）", "a", "B", "-", "."),
    ],
}


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def clean() -> dict[str, list[str]]:
    """Right values of every type, as the simulation makes them."""
    draw = rng()
    born = np.datetime64("1950-01-01") + draw.integers(0, 7000, SIZE)
    regions = names.DISTRICT_CODES[draw.integers(0, 6, SIZE)]
    courts = np.array(["浙0602", "浙06", "浙"], dtype=object)
    return {
        "person_id": identifiers.resident_ids(regions, born),
        "company_id": identifiers.company_codes(draw, regions),
        "plate": identifiers.plates(draw, SIZE),
        "vin": identifiers.vins(draw, SIZE),
        "phone": identifiers.phones(draw, SIZE),
        "account": identifiers.accounts(draw, SIZE),
        "case_no": identifiers.case_numbers(
            draw.integers(2000, 2024, SIZE),
            courts[draw.integers(0, 3, SIZE)],
            draw.integers(1, 9999, SIZE),
        ),
        "person_name": np.concatenate(
            [
                names.surnames(draw, SIZE) + names.given_names(draw, SIZE),
                names.minority_names(draw, SIZE),
            ]
        ),
        "company_name": names.company_names(draw, "garage", draw.integers(0, 6, SIZE)),
        "address": names.home_addresses(draw, draw.integers(0, 6, SIZE)),
    }


def test_every_identifier_type_has_a_normal_form_and_all_but_id_a_validity():
    types = set(get_args(ColumnType)) - OTHER_TYPES
    assert set(NORMAL_FORMS) == types
    assert set(VALID) == types - {"id"}
    assert set(UPGRADES) <= types
    assert set(PIECES) == types


@pytest.mark.parametrize("kind", PIECES)
def test_reading_a_normal_form_again_changes_nothing(catalog, kind):
    @batches
    @given(
        st.lists(
            st.lists(st.sampled_from([*PIECES[kind], " "]), max_size=9).map("".join),
            min_size=60,
            max_size=60,
        )
    )
    def read_twice(texts: list[str]) -> None:
        once = normal(catalog, kind, texts)
        once = [read for read in once if read[0] not in EMPTY]
        assert normal(catalog, kind, [form or "" for form, _ in once]) == once

    read_twice()


DIRT = {
    "person_id": [dirt.old_number, dirt.lowered],
    "company_id": [dirt.lowered],
    "plate": [dirt.dotted_plate, dirt.lettered_plate, dirt.lowered],
    "vin": [dirt.lowered],
    "phone": [dirt.dashed, dirt.country_code],
    "account": [dirt.dashed],
    "case_no": [dirt.half_brackets],
    "person_name": [dirt.wide_space],
    "company_name": [dirt.long_form, dirt.short_city, dirt.padded_company],
    "address": [dirt.block_word],
}


@pytest.mark.parametrize("kind", DIRT)
def test_dirt_of_the_simulation_does_not_change_a_valid_value(catalog, kind):
    right = clean()[kind]
    soiled = [change(rng(), right) for change in DIRT[kind]]
    assert all((values != right).any() for values in soiled)
    read = normal(catalog, kind, np.concatenate([right, *soiled]).tolist())
    assert all(valid for _, valid in read)
    assert read == read[: len(right)] * (1 + len(soiled))
