"""The parts of a lead's page by themselves: bars, the timeline, and masking."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.utils import translation
from django.utils.formats import number_format

from serving.console.bars import above, bars, percent, spark
from serving.console.lead_view import Why
from serving.console.lead_words import amount
from serving.console.source_rows import MOST_ROWS, Sources, mask, masked_keys, tables
from serving.console.timeline import MOST_EVENTS, timeline

AS_OF = datetime(2025, 6, 30)
NUMBER = "110101199001010011"
ABOUT: dict[str, Any] = {
    "persons": {
        "en": "Residents",
        "zh": "居民",
        "department_en": "Police",
        "department_zh": "公安局",
        "columns": {
            "id": {
                "en": "number",
                "zh": "证件号",
                "type": "person_id",
                "sensitive": True,
            },
            "name": {"en": "", "zh": "姓名", "type": "person_name", "sensitive": True},
            "town": {"en": "town", "zh": "城镇", "type": "string", "sensitive": False},
        },
    }
}
SOURCES = Sources(ABOUT, tuple, "en")


def row(
    place: int = 1, event: datetime | None = None, **content: Any
) -> dict[str, Any]:
    return {
        "source": "persons",
        "row_key": f"row {place}",
        "batch": "persons.csv@0",
        "line": place,
        "event_at": event,
        "known_at": datetime(2025, 6, 1),
        "content": json.dumps(content),
    }


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        ("王小明", "person_name", "王***"),
        ("13800000001", "phone", "138***"),
        ("京A12345", "plate", "京A1***"),
        ("男", "string", "***"),
        ("张三", "string", "张***"),
    ],
)
def test_masked_values_show_their_beginning_alone(
    value: str, kind: str, shown: str
) -> None:
    assert mask(value, kind) == shown


def test_columns_are_titled_and_masked_as_the_run_says() -> None:
    (table,) = tables(
        [row(town="Ulm", id=NUMBER, name="王芳", extra="x1y2z3")], SOURCES
    )
    assert [column.title for column in table.columns] == [
        "number",
        "name",
        "town",
        "extra",
    ]
    shown = [cell.text for cell in table.rows[0].cells]
    assert shown == ["110***", "王***", "Ulm", "x1y***"]  # nothing is said of `extra`
    assert (table.title, table.department) == ("Residents", "Police")


def test_opened_values_are_whole_and_marked() -> None:
    (table,) = tables([row(id=NUMBER, town="Ulm")], SOURCES, opened=True)
    number, town = table.rows[0].cells
    assert (number.text, number.opened, town.opened) == (NUMBER, True, False)
    assert not table.masked


def test_what_was_not_delivered_is_not_masked() -> None:
    (table,) = tables([row(id=None, town="")], SOURCES)
    assert [cell.text for cell in table.rows[0].cells] == [None, None]
    assert not table.masked


def test_keys_made_of_a_persons_number_are_masked() -> None:
    delivered = {**row(id=NUMBER), "row_key": f"{NUMBER}|2"}
    assert masked_keys([delivered], SOURCES) == {("persons", f"{NUMBER}|2"): "110***"}
    (table,) = tables([delivered], SOURCES, opened=True)
    assert table.rows[0].row_key == "110***"


def test_rows_are_newest_first_and_capped() -> None:
    many = [row(n, datetime(2024, 1, 1 + n % 28)) for n in range(MOST_ROWS + 5)]
    (table,) = tables(many, SOURCES)
    assert (len(table.rows), table.more) == (MOST_ROWS, 5)
    days = [shown.event_at for shown in table.rows if shown.event_at]
    assert days == sorted(days, reverse=True)


def test_timeline_joins_rows_of_a_day_and_says_what_came_late() -> None:
    rows = [row(1, datetime(2025, 3, 1, 9)), row(2, datetime(2025, 3, 1, 17)), row(3)]
    shown = timeline(rows, SOURCES, AS_OF)
    first, second = shown.events
    assert (first.dated, first.at) == (False, datetime(2025, 6, 1))
    assert (second.rows, second.late) == (2, 91)
    assert [name for _y, name in shown.lanes] == ["Police"]


@pytest.mark.parametrize(
    "events",
    [
        [datetime(2025, 6, 30)],
        [datetime(1949, 10, 1), datetime(2025, 1, 1)],
        [datetime(1, 1, 1), datetime(9999, 12, 31)],
        [datetime(2025, 1, 1 + n % 28, n % 24) for n in range(500)],
    ],
    ids=["one", "a lifetime", "the ends of time", "many"],
)
def test_timeline_stays_within_its_axis(events: list[datetime]) -> None:
    shown = timeline([row(1, at) for at in events], SOURCES, AS_OF)
    assert len(shown.events) <= MOST_EVENTS
    assert len(shown.ticks) <= 8
    for place in (*(mark.x for mark in shown.marks), *(x for x, _ in shown.ticks)):
        assert 0 <= place <= shown.width


def test_bars_point_to_either_side_of_zero() -> None:
    drawn = bars([("up", 2.0), ("down", -1.0)])
    up, down = drawn.bars
    assert up.x == drawn.zero
    assert down.x + down.width == pytest.approx(drawn.zero, abs=0.2)
    assert up.width == pytest.approx(2 * down.width, abs=0.2)
    assert (up.signed, down.signed) == ("+2.00", "−1.00")
    assert bars([("nothing", 0.0)]).bars[0].width == 1.0


def test_better_ranks_stand_higher() -> None:
    dots = spark([30, 4, 4]).dots
    assert dots[1][1] < dots[0][1]
    assert dots[1][1] == dots[2][1]


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0, "0"),
        (0.001, "<1"),
        (0.42, "42"),
        (0.997, "99.9"),
        (0.9999, ">99.9"),
        (1, "100"),
    ],
)
def test_shares_never_read_as_all_or_nothing(share: float, said: str) -> None:
    assert percent(share) == said


def test_nobody_stands_above_all_of_their_peers() -> None:
    assert [above(share) for share in (0.0, 0.255, 0.999, 1.0)] == [0, 25, 99, 99]


@pytest.mark.parametrize(
    ("kept", "chinese"),
    [
        ("19,075 yuan", "19,075元"),
        ("16.3 days", "16.3天"),
        ("yes", "是"),
        ("83%", "83%"),
        (None, None),
    ],
)
def test_values_of_reasons_are_in_the_language_of_the_page(
    kept: str | None, chinese: str | None
) -> None:
    assert amount(kept, "zh") == chinese
    assert amount(kept, "en") == kept


def test_a_low_value_is_said_to_lie_below_others() -> None:
    why = Why("paid 0 yuan", "value", "Value", "", "0 yuan", "9 yuan", 0.002, 6.2)
    assert (why.low, why.percent) == (True, "99.9")
    assert (why.new_value, why.new_median) == ("", "9 yuan")  # the text says the value


def test_columns_without_a_meaning_have_common_words() -> None:
    silent = {"en": "posted date", "zh": "posted_date", "type": "date"}
    about: Any = {"s": {"columns": {"posted_date": {**silent, "sensitive": False}}}}
    for lang, title in (("zh", "入库日期"), ("en", "posted date")):
        (column,) = Sources(about, tuple, lang).columns("s", ["posted_date"])
        assert column.title == title
    (strange,) = Sources(about, tuple, "zh").columns("s", ["no_such_thing"])
    assert (strange.title, strange.sensitive) == ("no_such_thing", True)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_amounts_are_grouped_in_both_languages(language: str) -> None:
    with translation.override(language):
        assert number_format(1234567, force_grouping=True) == "1,234,567"
