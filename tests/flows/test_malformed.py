"""A delivery that breaks its contract never half-enters; the clerk learns what to do."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.flows.formats import excel_bytes, into_database
from tests.flows.homes import Home, copied
from tests.flows.office import Delivery, office

pytestmark = pytest.mark.slow
Breaking = Callable[[Delivery, Path], Any]


def changed(**columns: Any) -> Breaking:
    """Payments in which 30 % of a column read otherwise."""

    def breaking(delivery: Delivery, folder: Path) -> None:
        for name, value in columns.items():
            delivery.payments.loc[: len(delivery.payments) * 3 // 10, name] = value
        delivery.payments.to_csv(folder / "payments.csv", index=False)

    return breaking


def file(data: Callable[[bytes], bytes], name: str = "payments.csv") -> Breaking:
    """The payments' file with other bytes, perhaps under another name."""

    def breaking(delivery: Delivery, folder: Path) -> None:
        there = folder / "payments.csv"
        found = data(there.read_bytes())
        there.unlink()
        (folder / name).write_bytes(found)

    return breaking


def utf16(data: bytes) -> bytes:
    return data.decode().encode("utf-16")


def noise(data: bytes) -> bytes:
    head = data[: data.index(b"\n") + 1]
    return head + np.random.default_rng(1).integers(128, 256, 9000, np.uint8).tobytes()


def cut(data: bytes) -> bytes:
    row = data.rindex(b"\n", 0, len(data) // 2)
    return data[: row + 40]


def twice(data: bytes) -> bytes:
    head, rest = data.split(b"\n", 1)
    return head.replace("性别".encode(), "金额".encode()) + b"\n" + rest


def unclosed(data: bytes) -> bytes:
    return data.replace("第40次".encode(), '"第40次'.encode())


def cut_parquet(delivery: Delivery, folder: Path) -> None:
    (folder / "payments.csv").unlink()
    target = folder / "payments.parquet"
    delivery.payments.to_parquet(target)
    target.write_bytes(target.read_bytes()[: target.stat().st_size // 2])


def damaged_parquet(delivery: Delivery, folder: Path) -> None:
    (folder / "payments.csv").unlink()
    target = folder / "payments.parquet"
    delivery.payments.to_parquet(target)
    data = target.read_bytes()
    target.write_bytes(data[:4] + bytes(400) + data[404:])


def damaged_excel(delivery: Delivery, folder: Path) -> None:
    (folder / "payments.csv").unlink()
    data = excel_bytes(delivery.payments)
    (folder / "payments.xlsx").write_bytes(data[: len(data) * 2 // 3])


def ambiguous(delivery: Delivery, folder: Path) -> None:
    delivery.payments.to_parquet(folder / "payments.parquet")


def gone(delivery: Delivery, folder: Path) -> None:
    (folder / "payments.csv").rename(folder / "paymnts.csv")


def repeated_keys(delivery: Delivery, folder: Path) -> None:
    table = pd.concat([delivery.payments, delivery.payments[:130]])
    table.to_csv(folder / "payments.csv", index=False)


def no_database(delivery: Delivery, folder: Path) -> str:
    return f"sqlite:///{folder}/none.db"


def silent_database(delivery: Delivery, folder: Path) -> str:
    return "postgresql://clerk:topsecret@127.0.0.1:9/office"


def no_table(delivery: Delivery, folder: Path) -> str:
    place = f"sqlite:///{folder}/office.db"
    delivery.persons.to_csv(folder / "persons.csv", index=False)
    into_database(delivery, place)
    places = folder / "places.yaml"
    places.write_text(f"payments: {place}#paymets\npersons: persons.csv\n")
    return str(places)


def unknown_source(delivery: Delivery, folder: Path) -> str:
    places = folder / "places.yaml"
    places.write_text(
        "payments: payments.csv\npersons: persons.csv\nvisit: visits.csv\n"
    )
    return str(places)


BROKEN: dict[str, tuple[Breaking, tuple[str, ...]]] = {
    "missing column": (
        file(lambda d: d.replace("金额".encode(), "金额元".encode(), 1)),
        ("payments.csv", "'金额' is missing", "did you mean '金额元'?", "model.yaml"),
    ),
    "no header": (
        file(lambda d: d.split(b"\n", 1)[1]),
        ("payments.csv", "first line holds none of the declared columns"),
    ),
    "utf-16": (file(utf16), ("payments.csv", "UTF-16", "save it as CSV UTF-8")),
    "noise": (file(noise), ("payments.csv", "neither UTF-8 nor GB18030", "save it")),
    "cut csv": (file(cut), ("payments.csv", "breaks off in line", "ask for it again")),
    "unclosed quotation mark": (
        file(unclosed),
        ("payments.csv", "line 42 opens a quotation mark", "correct that line"),
    ),
    "cut gz": (
        file(lambda d: gzip.compress(d)[:-900], "payments.csv.gz"),
        ("payments.csv.gz", "compressed file is cut off", "ask for it again"),
    ),
    "tiny cut gz": (
        file(lambda d: gzip.compress(d)[:40], "payments.csv.gz"),
        ("payments.csv.gz", "compressed file is cut off", "ask for it again"),
    ),
    "no gz": (
        file(lambda d: d, "payments.csv.gz"),
        ("payments.csv.gz", "cut off or damaged", "ask for it again"),
    ),
    "cut parquet": (
        cut_parquet,
        ("payments.parquet", "not a complete Parquet file", "ask for it again"),
    ),
    "damaged parquet": (
        damaged_parquet,
        ("payments.parquet", "not a complete Parquet file", "ask for it again"),
    ),
    "damaged xlsx": (
        damaged_excel,
        ("payments.xlsx", "not a readable Excel file", "ask for it again"),
    ),
    "repeated keys": (
        repeated_keys,
        ("130 of 430 rows of payments.csv", "key of an earlier row", "tiny.csv"),
    ),
    "unreadable required": (
        changed(发放日期="soon"),
        ("payments.csv", "column '发放日期' cannot be read", "2024-03-31", "tiny.csv"),
    ),
    "unreadable optional": (
        changed(审批日期="soon"),
        ("column '审批日期' of payments.csv", "91 of 300", "2024-03-31", "corrected"),
    ),
    "header only": (
        file(lambda d: d.split(b"\n", 1)[0] + b"\n"),
        ("payments.csv holds 0 rows", "at least 1", "ask for it again"),
    ),
    "0 bytes": (
        file(lambda d: b""),
        ("payments.csv", "the file is empty (0 bytes)", "ask for it again"),
    ),
    "missing file": (
        gone,
        ("nothing delivered by civil affairs (民政部门)", "no payments", "paymnts.csv"),
    ),
    "ambiguous": (
        ambiguous,
        ("several files", "payments.csv, payments.parquet", "keep the right one"),
    ),
    "repeated header": (
        file(twice),
        ("payments.csv", "the header repeats the column 金额", "rename one"),
    ),
    "too many columns": (
        file(lambda d: d.replace(b"\n", b",x\n").replace(b",x\n", b"\n", 1)),
        ("300 of 300 rows", "too few or too many columns", "tiny.csv"),
    ),
    "no database": (no_database, ("none.db", "no such file", "sqlite:////")),
    "silent database": (
        silent_database,
        ("clerk:***@127.0.0.1", "does not answer", "check address"),
    ),
    "no table": (no_table, ("places.yaml", "#paymets", "did you mean 'payments'?")),
    "unknown source": (unknown_source, ("no source 'visit'", "did you mean 'visits'?")),
}


@pytest.fixture(scope="module")
def listed(template: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a list; no test of this module may change it."""
    return copied(template, tmp_path_factory.mktemp("listed") / "home")


@pytest.fixture(scope="module")
def before(listed: Home) -> list[Any]:
    return state(listed)


def state(home: Home) -> list[Any]:
    """The list, the runs and whether all is sound."""
    return [home.leads(), home.run_ids(), home.is_sound()]


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_delivery_is_refused_and_the_list_stands(
    kind: str, listed: Home, tmp_path: Path
) -> None:
    breaking, said = BROKEN[kind]
    delivery = office()
    folder = delivery.write(tmp_path / "data")
    (tmp_path / "data" / "truth" / "payments.csv").unlink()
    there = listed.path / "var/leadline.sqlite3"
    store = there.read_bytes()

    done = listed.inside(
        "score", "tiny", "--data", breaking(delivery, folder) or folder
    )

    assert done.returncode == 3, done.stderr
    assert [phrase for phrase in said if phrase not in done.stderr] == [], done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "topsecret" not in done.stderr
    assert "Nothing was scored or published" in done.stderr or "places" in done.stderr \
        or "no such file" in done.stderr  # fmt: skip
    assert not people(delivery) & set(done.stderr.replace(",", " ").split())
    assert there.read_bytes() == store
    assert not (folder / "none.db").exists()


def people(delivery: Delivery) -> set[str]:
    """What may never be shown."""
    columns = ["身份证号", "姓名", "电话"]
    return {str(v) for c in columns for v in delivery.payments[c]}


def test_after_all_of_them_the_list_is_as_before(
    listed: Home, before: list[Any], tmp_path: Path
) -> None:
    folder = office().write(tmp_path / "data")
    os.truncate(folder / "payments.csv", 5000)

    done = listed.run("score", "tiny", "--data", folder)  # a process of its own

    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
    assert state(listed) == before
    assert before[2]


def test_an_unwritable_home_is_explained(template: Home, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")

    done = Home(tmp_path / "home").inside("score", "tiny", "--data", "x")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "home") in done.stderr
