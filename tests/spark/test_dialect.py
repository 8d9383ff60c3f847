"""Single operations on both engines: where Ibis alone would give two answers."""

import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from configs.errors import DeliveryError
from features.engine import Engine
from features.identifiers import NORMAL_FORMS, UPGRADES, VALID
from flows.catalog import Catalog, Limits, opened
from tests.spark import MASTER

TEXTS = [
    None, "", " 12.5 ", "1d", "NaN", "1e3", "-.5", "0x10", "12", "+7", "1_0", "Infinity",
    "张三", "a$b\n", "b\n", "[x]&&y", "2024-02-30", "2024-3-1 4:05", "浙A·12345",
    "浙江省杭州市西湖区文三路90号东部软件园3-2-501", "（2021）浙0602民初01234号",
    "中国人民财产保险股份有限公司绍兴市分公司", "330106199001011234", "1 3800 138000",
    "LSVAA4187N2183789", "Café-José 先生", "張偉", "91330600MA2BE1234X",
]  # fmt: skip
NUMBERS = [None, 0.0, -0.0, 2.675, 1.005, -2.5, 0.5, 1e17, 1234567.891, 1 / 3, 86400.0]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    from flows.spark_catalog import opened_on_spark  # noqa: PLC0415 (an extra)

    folder = tmp_path_factory.mktemp("engines")
    with (
        opened(folder / "duckdb") as here,
        opened_on_spark(folder / "spark", MASTER, Limits()) as there,
    ):
        yield here, there


def both(engines: tuple[Catalog, Catalog], data: pa.Table, build: Any) -> list[Any]:
    """The same expressions over the same rows on both engines, in the rows' order."""
    found = []
    for engine in engines:
        table = engine.register("rows", data)
        made = table.select("n", **build(table)).order_by("n")
        found.append(engine.arrow(made).to_pandas().drop(columns="n"))
    return found


def texts() -> pa.Table:
    return pa.table({"n": range(len(TEXTS)), "text": pa.array(TEXTS, pa.string())})


def test_texts_are_searched_replaced_and_read_alike(engines):
    def build(table: Any) -> dict[str, Any]:
        text = table["text"]
        return {
            "ends": text.re_search("b$"),
            "class": text.re_search(r"[[&]"),
            "dot": text.re_search("^a.b.?$"),
            "swapped": text.re_replace(r"([0-9])([0-9])", r"\2\1"),
            "dollar": text.re_replace("[$]", "$1"),
            "taken": text.re_extract("([0-9]+)([A-Z])?", 2),
            "number": text.try_cast("float64"),
            # DuckDB rounds 12.5 and reads 0x10; stages cast digits alone to integers.
            "whole": ibis.ifelse(
                text.re_search(r"^[+-]?[0-9]+\s*$"), text, ibis.null()
            ).try_cast("int64"),
            "digit": text.substr(0, 1).try_cast("int64"),
            "time": ibis.ifelse(
                text.re_search("^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"), text, ibis.null()
            ).try_cast("timestamp"),
            "length": text.length(),
            "found": text.find("1"),
            "digest": text.hexdigest("sha256"),
        }

    here, there = both(engines, texts(), build)
    # DuckDB reads these as numbers too; no reader lets them come so far.
    odd = [TEXTS.index(text) for text in ("1_0", "Infinity")]
    here.loc[odd, ["number", "whole"]] = float("nan")
    pd.testing.assert_frame_equal(here, there, check_dtype=False)


def test_identifiers_have_the_same_normal_forms_and_are_valid_alike(engines):
    def build(table: Any) -> dict[str, Any]:
        forms = {kind: form(table["text"]) for kind, form in NORMAL_FORMS.items()}
        better = {f"{k}+": up(table["text"]) for k, up in UPGRADES.items()}
        valid = {f"{k}?": check(table["text"]) for k, check in VALID.items()}
        return forms | better | valid

    pd.testing.assert_frame_equal(*both(engines, texts(), build), check_dtype=False)


def test_numbers_are_rounded_counted_and_divided_alike(engines):
    data = pa.table({"n": range(len(NUMBERS)), "x": pa.array(NUMBERS, pa.float64())})

    def build(table: Any) -> dict[str, Any]:
        x = table["x"]
        return {
            "two": x.round(2),
            "third": x / 3.0,
            "days": x / float(86400),
            "shown": x.round(2).try_cast("decimal(38, 2)").cast("string"),
            "all": x.count(where=x > 1e30).over(ibis.window()),
            "middle": (x - x.median().over(ibis.window())).abs() > 1e-9,
        }

    here, there = both(engines, data, build)
    pd.testing.assert_frame_equal(here, there, check_dtype=False, rtol=1e-15)


def test_times_have_no_zone_and_summer_time_does_not_move_them(engines):
    # Clocks in China went forward on this day.
    moments = [
        datetime(1986, 5, 4, 2, 30),
        datetime(1900, 1, 1),
        datetime(2024, 2, 29, 23),
    ]
    data = pa.table({"n": range(3), "at": pa.array(moments, pa.timestamp("us"))})

    def build(table: Any) -> dict[str, Any]:
        at = table["at"]
        return {
            "seconds": at.cast("timestamp").epoch_seconds().cast("int64"),
            "day": at.date().cast("string"),
            "text": at.cast("string"),
            "later": at + ibis.interval(days=3),
            "weekday": at.day_of_week.index(),
        }

    pd.testing.assert_frame_equal(*both(engines, data, build), check_dtype=False)


def test_a_function_of_whole_tables_runs_on_a_worker_and_keeps_their_order(engines):
    def compute(rows: pa.Table) -> dict[str, pa.Table]:
        placed = rows.append_column("place", pa.array(range(len(rows))))
        return {"_placed": placed, "empty": placed.slice(0, 0)}

    def run(engine: Engine) -> tuple[pa.Table, int]:
        table = engine.register("rows", texts())
        made = engine.computed(compute, table.order_by(ibis.desc("n")))
        rows = engine.arrow(made["_placed"].order_by("place"))
        return rows, len(engine.arrow(made["empty"]))

    (here, none), (there, nothing) = (run(engine) for engine in engines)
    assert here["n"].to_pylist() == list(reversed(range(len(TEXTS))))
    assert there["n"].to_pylist() == here["n"].to_pylist()
    assert none == nothing == 0


def test_an_error_that_explains_itself_comes_back_from_a_worker_in_its_own_words(
    engines,
):
    def work(_: Catalog) -> None:
        raise DeliveryError("claims.csv: the file is empty")

    with pytest.raises(DeliveryError, match="the file is empty"):
        engines[1].apart(work)


def test_a_table_is_one_file_in_its_order_and_may_be_written_over(engines):
    spark = engines[1]
    rows = spark.register("rows", texts())
    spark.write(rows.order_by(ibis.desc("n")), "listed")
    written = spark.write(
        spark.read("listed").filter(ibis._["n"] > 3).order_by("n"), "listed"
    )

    frame = pd.read_parquet(spark.path("listed"))
    assert frame["n"].tolist() == list(range(4, len(TEXTS)))
    assert spark.rows(written.aggregate(n=written.count())) == [{"n": len(TEXTS) - 4}]
    left = [p for p in Path(spark.folder).iterdir() if p.suffix == ".part"]
    assert left == []


def test_numbers_too_large_or_unknown_stay_so(engines):
    values = [math.inf, -math.inf, None, 1e300]
    data = pa.table({"n": range(4), "x": pa.array(values, pa.float64())})

    def build(table: Any) -> dict[str, Any]:
        return {
            "x": table["x"],
            "none": table["x"].isnull(),
            "great": table["x"] > 1e100,
        }

    pd.testing.assert_frame_equal(*both(engines, data, build), check_dtype=False)
