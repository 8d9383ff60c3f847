"""What stands beside a lawful explanation: values, medians, masks, both languages."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from configs.tables import PUBLISHED_HITS
from flows.catalog import Catalog, opened
from flows.engineer import HITS, UNITS
from flows.lawful import with_what_data_say
from tests.factories import AS_OF, CLAIMS, VISITS, model, rule

COLUMNS = {
    **CLAIMS["columns"],
    "person": {
        "type": "id",
        "sensitive": True,
        "meaning": {"en": "payee", "zh": "领款人"},
    },
    "amount": {"type": "money", "meaning": {"en": "amount", "zh": "金额"}},
    "kind": {
        "type": "category",
        "values": ["a", "b"],
        "meaning": {"en": "kind", "zh": "类别"},
    },
    "hurt": {
        "type": "boolean",
        "sensitive": True,
        "meaning": {"en": "hurt", "zh": "受伤"},
    },
    "happened": {"type": "timestamp", "meaning": {"en": "happened", "zh": "发生时间"}},
}
UNIT: dict[str, Any] = {
    "unit_id": "c1",
    "person": "330106190001010011",
    "amount": 1234.5,
    "kind": "a",
    "hurt": True,
    "happened": datetime(2024, 5, 1),
    "claim_no": "c1",
}
Say = Callable[..., dict[tuple[str, str], tuple[str | None, str | None]]]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with opened(tmp_path) as engine:
        yield engine


@pytest.fixture
def say(catalog: Catalog) -> Say:
    """Units and what each shows of T1 -> the published texts by unit and rule."""

    def said(
        shows: list[str], *units: dict[str, Any], explained: tuple[str, ...] = ("c1",)
    ) -> dict[tuple[str, str], tuple[str | None, str | None]]:
        lawful = {"en": "x", "zh": "x", "shows": shows}
        sources = {"claims": {**CLAIMS, "columns": COLUMNS}, "visits": VISITS}
        rules = [rule("amount > 1", lawful=lawful)]
        loaded = model(rules=rules, sources=sources)
        frame = pd.DataFrame([UNIT | unit for unit in units])
        _write(catalog, UNITS, frame)
        hits = frame[["unit_id"]].assign(as_of=AS_OF, code="T1", layer=2)
        _write(catalog, HITS, hits.assign(reason_en="so", reason_zh="因此"))
        asked = ibis.memtable({"unit_id": list(explained)})
        listed = ibis.memtable(frame[["unit_id"]])
        hits = with_what_data_say(loaded, catalog, listed, asked)
        table = catalog.arrow(hits)
        assert table.column_names == list(PUBLISHED_HITS)
        return {
            (row["unit_id"], row["code"]): (row["says_en"], row["says_zh"])
            for row in table.to_pylist()
        }

    return said


def _write(catalog: Catalog, name: str, frame: pd.DataFrame) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    catalog.write(catalog.register(f"_{name}", table), name)


def test_a_number_stands_beside_its_median(say: Say) -> None:
    found = say(["kind", "amount"], {}, {"unit_id": "c2", "amount": 10.0})

    assert found["c1", "T1"] == (
        "kind: a; amount: 1,234 yuan (median 622 yuan)",
        "类别：a；金额：1,234元（中位数622元）",
    )


def test_only_explained_leads_have_texts(say: Say) -> None:
    found = say(["kind"], {}, {"unit_id": "c2"}, {"unit_id": "c3"}, explained=("c3",))

    assert found == {
        ("c1", "T1"): (None, None),
        ("c2", "T1"): (None, None),
        ("c3", "T1"): ("kind: a", "类别：a"),
    }


def test_sensitive_values_are_masked_and_a_yes_or_no_is_not(say: Say) -> None:
    (found,) = say(["person", "hurt"], {}).values()

    assert found == ("payee: 330***; hurt: yes", "领款人：330***；受伤：是")


def test_dates_are_days_and_moments_have_their_time(say: Say) -> None:
    moment = {"unit_id": "c2", "happened": datetime(2024, 5, 1, 14, 30)}
    found = say(["happened"], {}, moment, explained=("c1", "c2"))

    assert found["c1", "T1"][0] == "happened: 2024-05-01"
    assert found["c2", "T1"][1] == "发生时间：2024-05-01 14:30"


def test_what_is_not_known_is_said(say: Say) -> None:
    nothing = dict.fromkeys(("kind", "amount", "person", "happened"))
    found = say(["kind", "amount", "person", "happened"], nothing, {"unit_id": "c2"})

    assert found["c1", "T1"] == (
        "kind: not known; amount: not known (median 1,234 yuan); payee: not known; "
        "happened: not known",
        "类别：不详；金额：不详（中位数1,234元）；领款人：不详；发生时间：不详",
    )


def test_a_long_value_is_one_short_line(say: Say) -> None:
    (found,) = say(["kind"], {"kind": "<b>=1+1\n" + "x" * 10_000}).values()

    assert found[0] is not None
    assert found[0].startswith("kind: <b>=1+1 xxx")
    assert len(found[0]) < 90


def test_a_rule_that_shows_nothing_says_nothing(say: Say) -> None:
    (found,) = say([], {}).values()

    assert found == ("", "")
