"""Numbers: check digits against independent implementations, masks, placeholders."""

from datetime import datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from features.identifiers import masked_person_id, vin_tail
from tests.features.identifiers.reading import batches, computed, forms, normal

USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
VIN = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
# ISO 3779: I, O and Q are missing, so that P is 7 and R is 9.
VIN_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True)
)


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


def registration_check(body: str) -> str:
    """ISO 7064 MOD 11,10 as the standard writes it."""
    product = 10
    for digit in body:
        total = (product + int(digit)) % 10
        product = (total or 10) * 2 % 11
    return next(d for d in "0123456789" if (product + int(d)) % 10 == 1)


def vin_check(body: str) -> str:
    """ISO 3779 over 16 characters: the ninth place is left out."""
    weights = [8, 7, 6, 5, 4, 3, 2, 10, 9, 8, 7, 6, 5, 4, 3, 2]
    values = (int(VIN_VALUES.get(c, c)) for c in body)
    total = sum(v * w for v, w in zip(values, weights, strict=True))
    return "0123456789X"[total % 11]


def other_digit(text: str, place: int) -> str:
    return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]


def swapped(text: str, place: int) -> str:
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def batch(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(strategy, min_size=20, max_size=20)


births = st.dates(datetime(1900, 1, 1).date(), datetime(2030, 12, 31).date())
bodies = st.builds(
    lambda region, born, serial: f"{region}{born:%Y%m%d}{serial:03}",
    st.integers(110000, 829999),
    births,
    st.integers(0, 999),
)
company_bodies = st.text(USCC[1:], min_size=1, max_size=1).flatmap(
    lambda head: st.text(USCC, min_size=16, max_size=16).map(lambda rest: head + rest)
)
old_bodies = st.from_regex(r"[1-9][0-9]{13}", fullmatch=True)
vin_bodies = st.text(VIN, min_size=15, max_size=15).map(lambda rest: "L" + rest)


@batches
@given(batch(bodies), st.integers(0, 16))
def test_person_id_is_valid_and_neither_one_change_nor_a_transposition_is(
    catalog, body, place
):
    good = [b + person_check(b) for b in body]
    assert normal(catalog, "person_id", good) == [(text, True) for text in good]
    changed = [other_digit(text, place) for text in good]
    turned = [swapped(t, place) for t in good if t[place] != t[place + 1]]
    wrong = [text for text in (*changed, *turned) if "X" not in text[:17]]
    assert not any(valid for _, valid in normal(catalog, "person_id", wrong))


@batches
@given(st.lists(st.from_regex("(18|19|20)[0-9]{6}", fullmatch=True), min_size=200))
def test_person_id_is_valid_on_days_of_the_calendar_alone(catalog, days):
    def exists(day: str) -> bool:
        try:
            return bool(datetime.strptime(day, "%Y%m%d"))
        except ValueError:
            return False

    leap = ["19000229", "20000229", "19960229", "19970229", "19901301", "19900431"]
    chosen = [*days, *leap]
    numbers = [f"330602{day}123" for day in chosen]
    read = normal(catalog, "person_id", [n + person_check(n) for n in numbers])
    assert [valid for _, valid in read] == [exists(day) for day in chosen]


@batches
@given(batch(bodies))
def test_old_person_id_becomes_the_new_one(catalog, body):
    new = [b[:6] + "19" + b[8:] for b in body]
    assume(not any(b[6:14] == "19000229" for b in new))
    old = [b[:6] + b[8:] for b in new]
    expected = [(b + person_check(b), True) for b in new]
    assert normal(catalog, "person_id", old) == expected


@batches
@given(batch(bodies), st.sampled_from("*×✕＊?？•●xX"), st.integers(2, 20))
def test_masked_person_id_has_one_form_and_shares_its_part_with_the_full_number(
    catalog, body, sign, length
):
    full = [b + person_check(b) for b in body]
    masked = [number[:6] + sign * length + number[-4:] for number in full]
    read = normal(catalog, "person_id", masked)
    assert read == [(n[:6] + "*" * 8 + n[-4:], False) for n in full]
    shared = computed(catalog, masked_person_id, [form for form, _ in read])
    assert shared == computed(catalog, masked_person_id, full)
    assert shared == [number[:6] + number[-4:] for number in full]


def test_numbers_that_show_too_little_share_no_part(catalog):
    hidden = [
        "33060219900101****",
        "3306***********234",
        "*" * 14 + "1234",
        "330602900101123",
        "330602E17",
        None,
    ]
    assert computed(catalog, masked_person_id, hidden) == [None] * len(hidden)


@batches
@given(batch(company_bodies), st.integers(1, 16))
def test_company_code_with_a_right_check_digit_is_valid_and_one_change_is_not(
    catalog, body, place
):
    good = [b + company_check(b) for b in body]
    wrong = [
        t[:place] + USCC[(USCC.index(t[place]) + 1) % 31] + t[place + 1 :] for t in good
    ]
    assert normal(catalog, "company_id", good) == [(text, True) for text in good]
    assert not any(valid for _, valid in normal(catalog, "company_id", wrong))


@batches
@given(batch(old_bodies), st.integers(1, 14))
def test_old_registration_number_is_valid_and_one_change_is_not(catalog, body, place):
    good = [b + registration_check(b) for b in body]
    assert normal(catalog, "company_id", good) == [(text, True) for text in good]
    wrong = [other_digit(text, place) for text in good]
    assert not any(valid for _, valid in normal(catalog, "company_id", wrong))


@batches
@given(batch(vin_bodies), st.integers(0, 15))
def test_vin_with_a_right_check_is_valid_and_one_change_is_not(catalog, body, place):
    good = [b[:8] + vin_check(b) + b[8:] for b in body]
    assert normal(catalog, "vin", good) == [(text, True) for text in good]
    at = place + (place >= 8)
    changed = {str(d): "1" if d == "0" else "0" for d in "0123456789"}
    wrong = [t[:at] + changed.get(t[at], "0") + t[at + 1 :] for t in good]
    assert not any(valid for _, valid in normal(catalog, "vin", wrong))


def test_vin_tail_is_what_insurers_write(catalog):
    whole = "LSVAA49J132047371"
    tails = ["047371", "32047371", "2047371"]
    assert normal(catalog, "vin", tails) == [(tail, False) for tail in tails]
    assert computed(catalog, vin_tail, [whole, *tails]) == ["047371"] * 4
    assert computed(catalog, vin_tail, ["7371", "12*456", None]) == [None] * 3


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("person_id", ["11010519491231002X", "440524188001010014"]),
        ("company_id", ["91350100M000100Y43", "110108000000016"]),
        ("vin", ["1M8GDM9AXKP042788", "LSVAA49J132047371"]),
    ],
)
def test_published_numbers_are_valid(catalog, kind, numbers):
    assert normal(catalog, kind, numbers) == [(number, True) for number in numbers]


# kind -> as written: (normal form, whether it may link)
GOLDEN = {
    "person_id": {
        "１１０１０５１９４９１２３１００２ｘ": ("11010519491231002X", True),
        "110105 19491231 002x": ("11010519491231002X", True),
        "110105-19491231-002X": ("11010519491231002X", True),
        "110105\u00a019491231\ufeff002X": ("11010519491231002X", True),
        "身份证号:11010519491231002X": ("11010519491231002X", True),
        "110105********002X": ("110105********002X", False),
        "110105xxxxxxxx002x": ("110105********002X", False),
        "110105XXX002X": ("110105********002X", False),
        "110105 **** **** 002X": ("110105********002X", False),
        "110105******002": ("110105*********002", False),
        "1101**1949****002X": ("1101*1949*002X", False),
        "3.30602E+17": ("330602E17", False),
        "10105194912310021": ("10105194912310021", False),
        "110105194912310021.0": ("1101051949123100210", False),
        "1101051949": ("1101051949", False),
        "无": (None, False),
    },
    "company_id": {
        "91350100m000100y43": ("91350100M000100Y43", True),
        "91350100-M000100Y-43": ("91350100M000100Y43", True),
        "330600000012345": ("330600000012345", True),
        "330600000012346": ("330600000012346", False),
        "330602X12345678": ("330602X12345678", False),
        "0" * 18: ("0" * 18, False),
        "0" * 15: ("0" * 15, False),
    },
    "plate": {
        "浙a·12345": ("浙A12345", True),
        "浙A-12345": ("浙A12345", True),
        "浙A 123 45": ("浙A12345", True),
        "浙A•12345": ("浙A12345", True),
        "浙AO2I45": ("浙A02145", True),
        "浙A12345(黄)": ("浙A12345", True),
        "浙AD12345": ("浙AD12345", True),
        "浙ADA1234": ("浙ADA1234", True),
        "浙A12345F": ("浙A12345F", True),
        "浙AZ12345": ("浙AZ12345", False),
        "浙A1D2345": ("浙A1D2345", False),
        "浙A1234挂": ("浙A1234挂", True),
        "浙A1234学": ("浙A1234学", True),
        "浙A1234警": ("浙A1234警", True),
        "粤Z1234港": ("粤Z1234港", True),
        "粤Z1234澳": ("粤Z1234澳", True),
        "沪A0023领": ("沪A0023领", True),
        "使014578": ("使014578", True),
        "014578使": ("014578使", True),
        "天A12345": ("天A12345", False),
        "浙A***45": ("浙A***45", False),
        "无牌": ("无牌", False),
    },
    "vin": {
        "lsvaa49j132047371": ("LSVAA49J132047371", True),
        "LSVAA49J-1320-47371": ("LSVAA49J132047371", True),
        "LSVAA49JI32O47371": ("LSVAA49J132047371", True),
        "LSVAA49J132Q47371": ("LSVAA49J132047371", True),
        "LSVAA49J2320473711": ("LSVAA49J2320473711", False),
        "0" * 17: ("0" * 17, False),
    },
    "phone": {
        "138 0013-8000": ("13800138000", True),
        "+86 13800138000": ("13800138000", True),
        "0086-138-0013-8000": ("13800138000", True),
        "17951 13800138000": ("13800138000", True),
        "1259313800138000": ("13800138000", True),
        "013800138000": ("13800138000", True),
        "13800138000.0": ("13800138000", True),
        "13800138000转123": ("13800138000", True),
        "13800138000-123": ("13800138000", True),
        "0571-88012345": ("057188012345", True),
        "(0571)88012345": ("057188012345", True),
        "（0571）8801-2345转8001": ("057188012345", True),
        "0571-88012345-123": ("057188012345", True),
        "0571-88012345 ext. 123": ("057188012345", True),
        "+86 571 88012345": ("057188012345", True),
        "+86 10 88012345": ("01088012345", True),
        "88012345#12": ("88012345", True),
        "86012345": ("86012345", True),
        "138****1234": ("138****1234", False),
        "138xxxx1234": ("138****1234", False),
        "+86 138**1234": ("138****1234", False),
        "0571****1234": ("0571*1234", False),
        "13800138000/13900139000": ("1380013800013900139000", False),
        "88888888": ("88888888", False),
        "00000000000": ("00000000000", False),
        "11111111111": ("11111111111", False),
    },
    "account": {
        "6222 0212 0300 1234 567": ("6222021203001234567", True),
        "6222-0212-0300-1234": ("6222021203001234", True),
        "'6222021203001234567": ("6222021203001234567", True),
        "工商银行：6222021203001234567": ("6222021203001234567", True),
        "6222021203001234567(工行)": ("6222021203001234567", True),
        "6222021203001234/6217001": ("6222021203001234/6217001", False),
        "6.22202E+18": ("6.22202E+18", False),
        "6222********1234": ("6222********1234", False),
        "13800138000@163.com": ("13800138000@163.COM", False),
        "000000000000": ("000000000000", False),
        "1234567": ("1234567", False),
    },
    "case_no": {
        "（2021）浙0602民初1234号": ("(2021)浙0602民初1234号", True),
        "(2021) 浙0602 民初 1234 号": ("(2021)浙0602民初1234号", True),
        "〔2021〕浙0602民初1234": ("(2021)浙0602民初1234号", True),
        "【2021】浙0602民初01234号": ("(2021)浙0602民初1234号", True),
        "2021浙0602民初1234号": ("(2021)浙0602民初1234号", True),
        "2021年浙0602民初1234号": ("(2021)浙0602民初1234号", True),
        "(2021)浙0602民初第1234号": ("(2021)浙0602民初1234号", True),
        "案号：(2021)浙0602民初1234号。": ("(2021)浙0602民初1234号", True),
        "(2021)浙0602民初1234号民事判决书": ("(2021)浙0602民初1234号", True),
        "(2010)绍越民初字第123号": ("(2010)绍越民初字第123号", True),
        "(2010)绍越民初字123": ("(2010)绍越民初字第123号", True),
        "(2021)浙0602执保5号之一": ("(2021)浙0602执保5号之一", True),
        "(2021)浙0602执5之一号": ("(2021)浙0602执5号之一", True),
        "(2016)最高法民申1号": ("(2016)最高法民申1号", True),
        "(1950)绍民初1号": ("(1950)绍民初1号", False),
        "(2101)浙0602民初1号": ("(2101)浙0602民初1号", False),
        "(2021)浙0602民初1-3号": ("(2021)浙0602民初1-3号", False),
        "不详": ("不详", False),
    },
    "id": {"（2024）浙01 民初〔5〕号": ("(2024)浙01民初(5)号", True)},
}


@pytest.mark.parametrize("kind", GOLDEN)
def test_number_has_one_form_however_it_is_written(catalog, kind):
    written = GOLDEN[kind]
    read = normal(catalog, kind, list(written))
    assert dict(zip(written, read, strict=True)) == written


def test_two_masked_forms_of_one_number_are_equal(catalog):
    masked = ["330602********1234", "330602×××1234", "330602xxxxxxxx1234"]
    assert len(set(forms(catalog, "person_id", masked))) == 1
