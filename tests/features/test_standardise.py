"""Delivered text to typed values: one table of type, options, text and what it means."""

from datetime import datetime

import pytest

from features.sources import typed
from tests.factories import CLAIMS, VISITS, model, raw

LEVELS = {"open": ["开业", "在营（开业）"], "none": ["2.0", "2"]}
VALUES = [
    ("string", {}, " 甲（乙） ", "甲（乙）"),
    ("string", {}, "-", None),
    ("string", {}, "NULL", None),
    ("string", {}, "\\N", None),
    ("string", {}, "Nulla", "Nulla"),
    ("string", {}, "--x", "--x"),
    ("string", {}, "\v甲\t乙\f", "甲\t乙"),
    ("id", {}, "\v12\f", "12"),
    ("id", {}, "甲〔2024〕 1", "甲(2024)1"),
    ("number", {}, "1,234.5", 1234.5),
    ("number", {}, "１２３．５", 123.5),
    ("number", {}, "-7", -7.0),
    ("number", {}, "+7.25", 7.25),
    ("number", {}, ".5", 0.5),
    ("number", {}, "7.", 7.0),
    ("number", {}, "1234567890123456789012", 1234567890123456789012.0),
    ("number", {}, "12%", 0.12),
    ("number", {}, "1e5", 1e5),
    ("number", {}, "0", 0.0),
    ("number", {}, "N/A", None),
    ("money", {}, "¥1,200元", 1200.0),
    ("money", {}, "￥1200", 1200.0),
    ("money", {}, "1.2万元", 12000.0),
    ("money", {}, "2亿", 2e8),
    ("money", {}, "RMB 30", 30.0),
    ("money", {"unit": "wan"}, "3.5", 35000.0),
    ("money", {"unit": "wan"}, "3.5元", 35000.0),
    ("money", {"unit": "wan"}, "3.5万", 35000.0),
    ("money", {"unit": "yuan"}, "3.5", 3.5),
    ("integer", {}, "42", 42),
    ("integer", {}, "42.0", 42),
    ("band", {}, "20000 to 29000", 24500.0),
    ("band", {}, "more than 69,000", 69000.0),
    ("band", {}, "none", 0.0),
    ("band", {}, "new", 0.0),
    ("band", {}, "3 years", 3.0),
    ("band", {}, "8至15", 11.5),
    ("boolean", {}, "是", True),
    ("boolean", {}, "Y", True),
    ("boolean", {}, "1.0", True),
    ("boolean", {}, "FALSE", False),
    ("boolean", {}, "没有", False),
    ("category", {"values": LEVELS}, "开业", "open"),
    ("category", {"values": LEVELS}, "在营(开业)", "open"),
    ("category", {"values": LEVELS}, "OPEN", "open"),
    ("category", {"values": LEVELS}, "None", "none"),
    ("category", {"values": LEVELS}, "2", "none"),
    ("category", {"values": ["a", "b"]}, "none", None),
    ("category", {}, "anything", "anything"),
    ("date", {}, "2024-03-05", datetime(2024, 3, 5)),
    ("date", {}, "2024/3/5", datetime(2024, 3, 5)),
    ("date", {}, "2024.03.05", datetime(2024, 3, 5)),
    ("date", {}, "20240305", datetime(2024, 3, 5)),
    ("date", {}, "20240305.0", datetime(2024, 3, 5)),
    ("date", {}, "2024年3月5日", datetime(2024, 3, 5)),
    ("date", {}, "２０２４年３月５日", datetime(2024, 3, 5)),
    ("date", {}, "2024-02", datetime(2024, 2, 29)),
    ("date", {}, "202402", datetime(2024, 2, 29)),
    ("date", {}, "2024年2月", datetime(2024, 2, 29)),
    ("date", {}, "2024年02月", datetime(2024, 2, 29)),
    ("date", {}, "2024/2", datetime(2024, 2, 29)),
    ("date", {}, "2024", datetime(2024, 12, 31)),
    ("date", {}, "2024.0", datetime(2024, 12, 31)),
    ("date", {}, "2024年", datetime(2024, 12, 31)),
    ("date", {}, "9999-12-31", datetime(9999, 12, 31)),
    ("date", {"order": "dmy"}, "05/03/2024", datetime(2024, 3, 5)),
    ("date", {"order": "mdy"}, "03/05/2024", datetime(2024, 3, 5)),
    ("date", {"order": "dmy"}, "5.3.2024 10:00", datetime(2024, 3, 5, 10)),
    ("date", {"order": "dmy"}, "2024-03-05", datetime(2024, 3, 5)),
    ("date", {"order": "mdy"}, "2024-12-05 10:00", datetime(2024, 12, 5, 10)),
    ("date", {}, "2024-3-05", datetime(2024, 3, 5)),
    ("timestamp", {}, "2024-03-05 14:30:15", datetime(2024, 3, 5, 14, 30, 15)),
    ("timestamp", {}, "2024年3月5日 14:30", datetime(2024, 3, 5, 14, 30)),
    ("timestamp", {}, "2024-03-05T14:30:00Z", datetime(2024, 3, 5, 14, 30)),
    ("timestamp", {}, "2024-03-05 00:30:00+08:00", datetime(2024, 3, 5, 0, 30)),
    ("timestamp", {}, "20240305143015", datetime(2024, 3, 5, 14, 30, 15)),
]


@pytest.fixture(scope="module")
def read(catalog):
    """Every text above and below in a column of its own, read as one row of a source."""
    columns = {
        f"x{i}": {"type": kind, **options}
        for i, (kind, options, _, _) in enumerate([*VALUES, *UNREADABLE])
    }
    texts = {f"x{i}": row[2] for i, row in enumerate([*VALUES, *UNREADABLE])}
    declared = {**VISITS["columns"], **columns}
    loaded = model(
        sources={"claims": CLAIMS, "visits": {**VISITS, "columns": declared}}
    )
    table = typed(raw(loaded, "visits", [texts]), loaded.spec, "visits")
    row = catalog.rows(table)[0]
    return [(row[name], row[f"_problem_{name}"]) for name in columns]


@pytest.mark.parametrize("number", range(len(VALUES)), ids=lambda i: str(VALUES[i][:3]))
def test_text_becomes_the_value_it_means(read, number):
    expected = VALUES[number][3]
    value, fault = read[number]
    assert fault is None
    assert value == (
        pytest.approx(expected) if isinstance(expected, float) else expected
    )


UNREADABLE = [
    ("number", {}, "abc", "cannot be read as a number"),
    ("number", {}, "inf", "cannot be read as a number"),
    ("number", {}, "nan%", "cannot be read as a number"),
    ("number", {}, "1e300", "cannot be read as a number"),
    ("number", {}, "0x1F", "cannot be read as a number"),
    ("integer", {}, "4.5", "cannot be read as a whole number"),
    ("integer", {}, "99999999999999999999", "cannot be read as a whole number"),
    ("money", {}, "三千元", "cannot be read as a number"),
    ("boolean", {}, "maybe", "cannot be read as yes or no (是, 否, true, false, 1, 0)"),
    ("boolean", {}, "1x0", "cannot be read as yes or no (是, 否, true, false, 1, 0)"),
    ("category", {"values": ["a", "b"]}, "c", "is not one of a, b"),
    ("date", {}, "2024-02-30", "cannot be read as a date (y-m-d)"),
    ("timestamp", {}, "2024-03-05 25:00", "cannot be read as a date (y-m-d)"),
    ("date", {}, "2024-13-01", "cannot be read as a date (y-m-d)"),
    ("date", {}, "20241301", "cannot be read as a date (y-m-d)"),
    ("date", {}, "2024-03-05 25:61", "cannot be read as a date (y-m-d)"),
    ("date", {}, "2024.3", "cannot be read as a date (y-m-d)"),
    ("date", {}, "infinity", "cannot be read as a date (y-m-d)"),
    ("date", {"order": "dmy"}, "31/04/2024", "cannot be read as a date (d-m-y)"),
    ("number", {"min": 0}, "-0.5", "is below the minimum 0"),
    ("number", {"max": 10}, "10.5", "is above the maximum 10"),
    ("string", {"required": True}, " ", "is empty, but the contract requires it"),
    ("person_id", {"required": True}, None, "is empty, but the contract requires it"),
]


@pytest.mark.parametrize(
    "number", range(len(UNREADABLE)), ids=lambda i: str(UNREADABLE[i][:3])
)
def test_unreadable_text_says_why(read, number):
    assert read[len(VALUES) + number][1] == UNREADABLE[number][3]
