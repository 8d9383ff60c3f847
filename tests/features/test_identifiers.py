"""Identifiers: check digits against an independent implementation, and placeholders."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.identifiers import VALID
from features.sources import typed
from flows.catalog import Catalog
from tests.factories import CLAIMS, VISITS, model, raw

USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def normal(catalog: Catalog, kind: str, texts: list[str]) -> list[tuple[str, bool]]:
    """Normal form of each text and whether it may link, as a source is read."""
    columns = {**VISITS["columns"], "x": {"type": kind}}
    loaded = model(sources={"claims": CLAIMS, "visits": {**VISITS, "columns": columns}})
    delivered = raw(loaded, "visits", [{"x": text} for text in texts])
    table = typed(delivered, loaded.spec, "visits").order_by("_line")
    rows = catalog.rows(table.select(*{"x", "_key_x"} & set(table.columns)))
    return [(row["x"], kind not in VALID or row["_key_x"] == row["x"]) for row in rows]


def person_check(body: str) -> str:
    """ISO 7064 MOD 11-2 by its recurrence, not by the weights of the standard."""
    product = 0
    for digit in body:
        product = (product + int(digit)) * 2 % 11
    return "0123456789X"[(12 - product) % 11]


def company_check(body: str) -> str:
    """GB 32100: the check value makes the weighted sum divisible by 31."""
    total = sum(USCC.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return next(c for c in USCC if (total + USCC.index(c)) % 31 == 0)


bodies = st.from_regex(r"[1-9][0-9]{16}", fullmatch=True)
company_bodies = st.text(USCC[1:], min_size=1, max_size=1).flatmap(
    lambda head: st.text(USCC, min_size=16, max_size=16).map(lambda rest: head + rest)
)
batches = settings(max_examples=5, deadline=None)


@batches
@given(st.lists(bodies, min_size=20, max_size=20), st.integers(0, 16))
def test_person_id_with_a_right_check_digit_is_valid_and_one_change_is_not(
    catalog, body, place
):
    good = [b + person_check(b) for b in body]
    wrong = [
        text[:place] + str((int(text[place]) % 9) + 1) + text[place + 1 :]
        for text in good
    ]
    assert normal(catalog, "person_id", good) == [(text, True) for text in good]
    changed = [w for w, g in zip(wrong, good, strict=True) if w != g]
    assert not any(valid for _, valid in normal(catalog, "person_id", changed))


@batches
@given(st.lists(bodies, min_size=20, max_size=20))
def test_old_person_id_becomes_the_new_one(catalog, body):
    new = [b[:6] + "19" + b[8:] for b in body]
    old = [b[:6] + b[8:] for b in new]
    expected = [(b + person_check(b), True) for b in new]
    assert normal(catalog, "person_id", old) == expected


@batches
@given(st.lists(company_bodies, min_size=20, max_size=20), st.integers(1, 16))
def test_company_code_with_a_right_check_digit_is_valid_and_one_change_is_not(
    catalog, body, place
):
    good = [b + company_check(b) for b in body]
    wrong = [
        t[:place] + USCC[(USCC.index(t[place]) + 1) % 31] + t[place + 1 :] for t in good
    ]
    assert normal(catalog, "company_id", good) == [(text, True) for text in good]
    assert not any(valid for _, valid in normal(catalog, "company_id", wrong))


def test_known_numbers_of_the_standards_are_valid(catalog):
    assert normal(
        catalog, "person_id", ["11010519491231002X", "440524188001010014"]
    ) == [
        ("11010519491231002X", True),
        ("440524188001010014", True),
    ]
    assert normal(catalog, "company_id", ["91350100M000100Y43"]) == [
        ("91350100M000100Y43", True)
    ]


FORMS = {
    "full width": (
        "person_id",
        "１１０１０５１９４９１２３１００２ｘ",
        "11010519491231002X",
        True,
    ),
    "spaces": ("person_id", "110105 19491231 002x", "11010519491231002X", True),
    "no-break": (
        "person_id",
        "110105\u00a019491231\ufeff002X",
        "11010519491231002X",
        True,
    ),
    "masked": ("person_id", "110105********002X", "110105********002X", False),
    "short": ("person_id", "1101051949", "1101051949", False),
    "old company": ("company_id", "330600000012345", "330600000012345", True),
    "no zeros": ("company_id", "0" * 18, "0" * 18, False),
    "no zeros, old": ("company_id", "0" * 15, "0" * 15, False),
    "company lower": ("company_id", "91350100m000100y43", "91350100M000100Y43", True),
    "plate": ("plate", "浙a·12345", "浙A12345", True),
    "plate O and I": ("plate", "浙AO2I45", "浙A02145", True),
    "electric": ("plate", "浙AD12345", "浙AD12345", True),
    "trailer": ("plate", "浙A1234挂", "浙A1234挂", True),
    "no plate": ("plate", "无牌", "无牌", False),
    "mobile": ("phone", "138 0013-8000", "13800138000", True),
    "country code": ("phone", "+86 13800138000", "13800138000", True),
    "spreadsheet": ("phone", "13800138000.0", "13800138000", True),
    "landline": ("phone", "0571-88012345", "057188012345", True),
    "masked phone": ("phone", "138****1234", "138****1234", False),
    "two phones": ("phone", "13800138000/13900139000", "1380013800013900139000", False),
    "eights": ("phone", "88888888", "88888888", False),
    "no phone": ("phone", "00000000000", "00000000000", False),
    "ones": ("phone", "11111111111", "11111111111", False),
    "middle dot": ("person_name", "阿卜杜拉•买买提", "阿卜杜拉·买买提", True),
    "name spaces": ("person_name", "张　 三", "张三", True),
    "legal form": (
        "company_name",
        "杭州甲（浙江）有限责任公司",
        "杭州甲(浙江)有限公司",
        True,
    ),
    "share company": ("company_name", "甲股份有限公司", "甲股份公司", True),
    "case number": ("id", "（2024）浙01 民初〔5〕号", "(2024)浙01民初(5)号", True),
}


@pytest.mark.parametrize(("kind", "text", "form", "valid"), FORMS.values(), ids=FORMS)
def test_normal_form(catalog, kind, text, form, valid):
    assert normal(catalog, kind, [text]) == [(form, valid)]
