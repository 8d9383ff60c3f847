"""Whatever the form of a delivery, the core tables are the same."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy

from configs.settings import Settings
from flows.delivery import find_parts
from flows.intake import SourceReport, intake
from flows.job import new_job
from flows.part_tables import read_parts
from tests.flows.formats import excel_bytes, into_database
from tests.flows.office import MODELS, Delivery, office

Writer = Callable[[Delivery, Path], str]
OWN = ["_file", "_line", "_batch"]


def read(location: object, home: Path) -> tuple[SourceReport, pd.DataFrame]:
    """The report and core table of the payments."""
    job = new_job("tiny", str(location), Settings(home=home, models=MODELS))
    report = intake(job)[0]
    if report.problems:
        return report, pd.DataFrame()
    with job.opened() as catalog:
        core = catalog.arrow(catalog.read("core_payments")).to_pandas()
    return report, core.sort_values("pay_no", ignore_index=True)


def csv(encoding: str = "utf-8", name: str = "payments.csv", **options: str) -> Writer:
    def write(delivery: Delivery, folder: Path) -> str:
        delivery.write(folder)
        (folder / "payments.csv").unlink()
        text = delivery.payments.to_csv(index=False, **options)  # type: ignore[call-overload]
        data = text.encode(encoding)
        packed = gzip.compress(data) if name.endswith(".gz") else data
        (folder / name).write_bytes(packed)
        return str(folder)

    return write


def parquet(delivery: Delivery, folder: Path) -> str:
    delivery.write(folder)
    (folder / "payments.csv").unlink()
    typed = delivery.payments.assign(
        发放日期=pd.to_datetime(delivery.payments["发放日期"])
    )
    typed.assign(金额=typed["金额"].astype(float)).to_parquet(
        folder / "payments.parquet"
    )
    return str(folder)


def excel(delivery: Delivery, folder: Path) -> str:
    delivery.write(folder)
    (folder / "payments.csv").unlink()
    typed = delivery.payments.assign(
        发放日期=pd.to_datetime(delivery.payments["发放日期"])
    )
    typed = typed.assign(金额=typed["金额"].astype(float))
    (folder / "payments.xlsx").write_bytes(excel_bytes(typed))
    return str(folder)


def sqlite(delivery: Delivery, folder: Path) -> str:
    folder.mkdir()
    into_database(delivery, f"sqlite:///{folder}/office.db")
    return f"sqlite:///{folder}/office.db"


def several_files(delivery: Delivery, folder: Path) -> str:
    delivery.write(folder)
    (folder / "payments.csv").unlink()
    delivery.payments[:100].to_csv(folder / "pay_1.csv", index=False)
    delivery.payments[100:].to_parquet(folder / "pay_2.parquet")
    (folder / "pay_notes.md").write_text("not a table")
    places = folder / "places.yaml"
    places.write_text("payments: pay_*\npersons: persons.csv\nvisits: [visits.csv]\n")
    return str(places)


def mixed_places(delivery: Delivery, folder: Path) -> str:
    delivery.write(folder)
    into_database(delivery, f"sqlite:///{folder}/office.db")
    places = folder / "places.yaml"
    url = f"sqlite:///{folder}/office.db#payments"
    places.write_text(f"payments: {url}\npersons: persons.csv\n")
    return str(places)


FORMS: dict[str, Writer] = {
    "bom": csv("utf-8-sig"),
    "gb18030": csv("gb18030"),
    "gz": csv(name="payments.csv.gz"),
    "gb18030 gz": csv("gb18030", "payments.csv.gz"),
    "semicolon": csv(sep=";"),
    "tab": csv(name="payments.tsv", sep="\t"),
    "upper case": csv(name="PAYMENTS.CSV"),
    "crlf": csv(lineterminator="\r\n"),
    "cr": csv(lineterminator="\r"),
    "gb18030 crlf": csv("gb18030", lineterminator="\r\n"),
    "parquet": parquet,
    "excel": excel,
    "sqlite": sqlite,
    "several files": several_files,
    "mixed places": mixed_places,
}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("plain")
    return read(awkward().write(folder / "data"), folder)[1]


def awkward() -> Delivery:
    """Delimiters, quotation marks and line ends inside values."""
    delivery = office(payments=120)
    delivery.payments.loc[5, "备注"] = '第一行\n第二行；"引号", 逗号'
    return delivery


@pytest.mark.parametrize("form", FORMS)
def test_a_delivery_in_any_form_gives_the_same_core_table(
    form: str, expected: pd.DataFrame, tmp_path: Path
) -> None:
    report, core = read(FORMS[form](awkward(), tmp_path / "data"), tmp_path)

    assert report.problems == []
    assert (report.rows, report.rejected) == (120, 0)
    pd.testing.assert_frame_equal(core.drop(columns=OWN), expected.drop(columns=OWN))


def test_no_part_stays_in_the_memory_of_the_engine(tmp_path: Path) -> None:
    """All parts of a large delivery together are larger than memory."""
    location = several_files(awkward(), tmp_path / "data")
    job = new_job("tiny", location, Settings(home=tmp_path, models=MODELS))
    parts = find_parts(location, "payments", job.model.spec.sources["payments"])
    with job.opened() as catalog:
        read = read_parts(job, catalog, "payments", parts)
        held = catalog.fetch("SELECT table_name FROM duckdb_tables WHERE NOT temporary")
    assert [one.batch and one.batch["rows"] for one in read] == [100, 20]
    assert held == []


def test_a_postgresql_database_gives_the_same_core_table_and_digest_again(
    database: str, expected: pd.DataFrame, tmp_path: Path
) -> None:
    delivery = awkward()
    into_database(delivery, database.replace("postgresql", "postgresql+psycopg"))

    report, core = read(database, tmp_path)
    again, _ = read(database, tmp_path)

    assert report.problems == []
    assert report.batches == again.batches
    pd.testing.assert_frame_equal(core.drop(columns=OWN), expected.drop(columns=OWN))


def test_an_optional_source_may_lack_in_a_database(tmp_path: Path) -> None:
    place = sqlite(office(payments=60), tmp_path / "data")
    engine = sqlalchemy.create_engine(place)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP TABLE visits"))
    engine.dispose()

    job = new_job("tiny", place, Settings(home=tmp_path, models=MODELS))
    visits = intake(job)[2]

    assert (visits.missing, visits.problems) == (True, [])


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_lines_are_right_behind_malformed_blank_and_long_records(
    ends: str, packed: bool, tmp_path: Path
) -> None:
    folder = office(payments=200).write(tmp_path / "data")
    file = folder / "payments.csv"
    records = file.read_text("utf-8").splitlines()
    records[3] = records[3].replace("第2次，按时", '"两\n行"')  # lines 4 and 5
    records[9] = "too,short"  # line 11
    records.insert(12, "")  # line 14
    records[20] += ",too long"  # line 22
    data = (ends.join(records) + ends).encode("utf-8-sig")
    file.unlink()
    name = "payments.csv.gz" if packed else "payments.csv"
    (folder / name).write_bytes(gzip.compress(data) if packed else data)
    numbers = {
        line.split(",")[0]: n
        for n, line in enumerate(data.decode("utf-8-sig").splitlines(), 1)
    }

    report, core = read(folder, tmp_path)

    assert report.problems == []
    assert (report.malformed, len(core)) == (2, 198)
    assert dict(zip(core["pay_no"], core["_line"], strict=True)) == {
        pay: numbers[pay] for pay in core["pay_no"]
    }
    rejected = pd.read_csv(tmp_path / "var/rejects/tiny.csv")
    assert rejected["line"].tolist() == [11, 22]
    assert rejected["value"].tolist() == ["too***", "P00***"]


def test_mixed_line_ends_and_a_stray_carriage_return_are_read(tmp_path: Path) -> None:
    folder = office(payments=60).write(tmp_path / "data")
    file = folder / "payments.csv"
    head, tail = file.read_bytes().split(b"\n", 1)
    file.write_bytes(
        head + b"\r\n" + tail.replace("第7次".encode(), "第7\r次".encode())
    )

    report, core = read(folder, tmp_path)

    assert (report.problems, len(core)) == ([], 60)
    assert core.loc[7, "note"] == "第7 次，按时"


def test_excel_keeps_line_numbers_past_empty_rows(tmp_path: Path) -> None:
    delivery = office(payments=60)
    blank = delivery.payments.iloc[:1].map(lambda _: None)
    delivery.payments = pd.concat(
        [delivery.payments[:10], blank, delivery.payments[10:]], ignore_index=True
    )

    report, core = read(excel(delivery, tmp_path / "data"), tmp_path)

    assert (report.problems, len(core)) == ([], 60)
    assert core["_line"].tolist() == [*range(2, 12), *range(13, 63)]


def test_rows_of_one_file_without_repeated_keys_are_not_written_again(
    tmp_path: Path,
) -> None:
    """Ten million rows of 26 columns take 1.5 GB and 26 CPU-seconds a time."""
    delivery = office()
    once = delivery.write(tmp_path / "once")
    again = replace(delivery, payments=pd.concat([delivery.payments] * 2))
    twice = again.write(tmp_path / "twice")

    def is_written_again(folder: object, home: Path) -> bool:
        job = new_job("tiny", str(folder), Settings(home=home, models=MODELS))
        report = intake(job)[0]
        part, core = (f"part_{report.parts[0]}", "core_payments")
        return not (job.folder / f"{part}.parquet").samefile(
            job.folder / f"{core}.parquet"
        )

    assert not is_written_again(once, tmp_path / "a")
    assert is_written_again(twice, tmp_path / "b")
