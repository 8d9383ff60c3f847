"""What analysts conclude, from the command line: one unit, or a file of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from configs.settings import Settings
from flows.reading_dispositions import read_dispositions
from serving import queries
from serving.connect import close_store, open_store
from serving.publication import Publication
from serving.publish import publish
from tests.flows.homes import Home
from tests.serving.changes import table
from tests.serving.publications import make_publication, without_groups

MODEL, RUN = "vehicle_insurance", "vehicle_insurance-20250630-1"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Home]:
    """An installation with one list of 12 units."""
    home = Home(tmp_path / "home")
    publish(make_publication(tmp_path), Settings(home=home.path, store_url=""))
    yield home
    close_store()


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    file = folder / "reviews.csv"
    file.write_bytes(text.encode(encoding))
    return file


def test_a_unit_is_disposed_of_and_the_lead_says_so(office: Home) -> None:
    said = office.run(
        *("dispose", MODEL, "CLM-000003", "confirmed"),
        *("--reason", "same garage [12]"),
        LEADLINE_USER="li",
    )

    assert said.returncode == 0, said.stderr
    assert said.stdout == f"li on CLM-000003 of run {RUN}: confirmed\n"
    (row,) = office.json("dispositions", MODEL)
    assert (row["unit"], row["verdict"], row["user"]) == (
        "CLM-000003",
        "confirmed",
        "li",
    )
    shown = office.ok("show", MODEL, "CLM-000003")
    assert "核查结论: confirmed 查实 · li" in shown
    assert "same garage [12]" in shown
    assert "核查结论" not in office.ok("show", MODEL, "CLM-000004")
    assert office.is_sound()


def test_the_last_disposition_of_a_unit_stands(office: Home) -> None:
    for verdict in ("confirmed", "withdrawn"):
        office.ok("dispose", MODEL, "CLM-000003", verdict, "--reason", "so")

    rows = office.json("dispositions", MODEL)

    assert [(r["verdict"], r["stands"]) for r in rows] == [
        ("confirmed", ""),
        ("withdrawn", "yes"),
    ]
    assert "withdrawn 已撤回" in office.ok("show", MODEL, "CLM-000003")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ("CLM-00003", "confirmed", "--reason", "x"),
            1,
            "got 'CLM-00003', which is not among the leads of run "
            f"'{RUN}'; did you mean 'CLM-000003'?",
        ),
        (("CLM-000003", "confirm", "--reason", "x"), 2, "'confirm' is not one of"),
        (("CLM-000003", "confirmed", "--reason", " "), 4, "reason is ' '; give"),
        (
            ("CLM-000003", "confirmed", "--reason", "x", "--run", f"{RUN}1"),
            4,
            f"no run '{RUN}1' is published; did you mean '{RUN}'?",
        ),
    ],
)
def test_a_slip_is_explained_and_nothing_kept(
    arguments: tuple[str, ...], code: int, said: str, office: Home
) -> None:
    done = office.run("dispose", MODEL, *arguments)

    assert done.returncode == code
    assert said in " ".join(done.stderr.split())
    assert office.json("dispositions", MODEL) == []


def test_many_are_recorded_from_a_file(office: Home, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "\ufeffUnit_ID,verdict,reason,user,at\n"
        "CLM-000001,Confirmed,同一修理厂,王,2025-07-01 16:30\n"
        '\n CLM-000002 ,needs information,"two\nlines",,\n'
        "CLM-000003,excluded,fleet,zhao,2025/7/2\n",
    )

    assert office.ok("dispose-many", MODEL, file) == "3 dispositions recorded\n"

    rows = {row["unit"]: row for row in office.json("dispositions", MODEL)}
    assert rows["CLM-000001"]["at"] == "2025-07-01 08:30"
    assert rows["CLM-000001"]["user"] == "王"
    assert rows["CLM-000002"]["verdict"] == "needs_information"
    assert rows["CLM-000002"]["reason"] == "two\nlines"
    assert rows["CLM-000002"]["user"]
    assert rows["CLM-000003"]["at"] == "2025-07-01 16:00"
    assert list(rows) == ["CLM-000001", "CLM-000003", "CLM-000002"]


def test_an_exclusion_may_say_its_cause(office: Home, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "unit_id,verdict,reason,cause\n"
        "CLM-000001,excluded,she is alive,Register error\n"
        "CLM-000002,confirmed,same garage,\n",
    )

    office.ok("dispose-many", MODEL, file)

    rows = {row["unit"]: row["cause"] for row in office.json("dispositions", MODEL)}
    assert rows == {"CLM-000001": "register_error", "CLM-000002": ""}


def test_a_file_of_a_spreadsheet_in_gb18030_is_read(tmp_path: Path) -> None:
    file = written(
        tmp_path, "unit_id,verdict,reason\r\nA1,confirmed,修理厂\r\n", "gb18030"
    )

    (row,) = read_dispositions(file).to_dict("records")

    assert (row["line"], row["unit_id"], row["reason"]) == (2, "A1", "修理厂")


WRONG = {
    "verdict": (
        "unit_id,verdict,reason\nCLM-000001,confirmed,a\nCLM-000002,confirmd,b\n",
        "reviews.csv, line 3, column verdict: got 'confirmd'; allowed are confirmed, "
        "excluded, needs_information, transferred, withdrawn; did you mean 'confirmed'?",
    ),
    "no verdict": (
        'unit_id,verdict,reason\nCLM-000001,confirmed,"a\nb"\nCLM-000002,,b\n',
        "line 4, column verdict: got ''; allowed are confirmed, excluded",
    ),
    "no reason": (
        "unit_id,verdict,reason\nCLM-000001,confirmed, \n",
        "line 2, column reason: got ''; it may not be empty",
    ),
    "unit": (
        "unit_id,verdict,reason\nCLM-000001,confirmed,a\nCLM-00002,excluded,b\n",
        "line 3, column unit_id: got 'CLM-00002', which is not among the leads of run "
        f"'{RUN}'; did you mean 'CLM-000002'?",
    ),
    "time": (
        "unit_id,verdict,reason,at\nCLM-000001,confirmed,a,31.12.2024\n",
        "line 2, column at: got '31.12.2024'; give a time that has passed, such as 2025",
    ),
    "no such day": (
        "unit_id,verdict,reason,at\nCLM-000001,confirmed,a,2025-02-30\n",
        "line 2, column at: got '2025-02-30'",
    ),
    "future": (
        "unit_id,verdict,reason,at\nCLM-000001,confirmed,a,2999-01-01\n",
        "line 2, column at: got '2999-01-01'; give a time that has passed",
    ),
    "cause": (
        "unit_id,verdict,reason,cause\nCLM-000001,excluded,a,registr error\n",
        "line 2, column cause: got 'registr error'; allowed are lawful, register_error, "
        "insufficient, duplicate, other, with verdict excluded alone; did you mean "
        "'register_error'?",
    ),
    "cause of a confirmation": (
        "unit_id,verdict,reason,cause\nCLM-000001,confirmed,a,lawful\n",
        "line 2, column cause: got 'lawful'; allowed are lawful,",
    ),
    "column": (
        "unit,verdict,reason\nCLM-000001,confirmed,a\n",
        "line 1: column 'unit_id' is missing; did you mean 'unit'?; allowed are unit_id,",
    ),
    "strange column": (
        "unit_id,verdict,reason,users\nCLM-000001,confirmed,a,b\n",
        "line 1: column 'users' is not known; did you mean 'user'?",
    ),
    "column twice": (
        "unit_id,verdict,reason,reason\nCLM-000001,confirmed,a,b\n",
        "line 1: column 'reason' comes twice",
    ),
    "ragged": (
        "unit_id,verdict,reason\nCLM-000001,confirmed,a,b\n",
        "line 2, column (line): got 4 values; the header has 3",
    ),
    "no rows": ("unit_id,verdict,reason\n", "line 2, column (line): got no row"),
    "quote": ('unit_id,verdict,reason\nA,confirmed,"a\n', "cannot be read as CSV"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_explained_and_nothing_kept(
    name: str, office: Home, tmp_path: Path
) -> None:
    text, said = WRONG[name]

    done = office.inside("dispose-many", MODEL, written(tmp_path, text))

    assert done.returncode == 3
    assert said in done.stderr
    assert office.json("dispositions", MODEL) == []


def test_all_mistakes_are_named_up_to_twenty(office: Home, tmp_path: Path) -> None:
    rows = "".join(f"CLM-{n:06},yes,\n" for n in range(1, 13))

    done = office.inside(
        "dispose-many", MODEL, written(tmp_path, "unit_id,verdict,reason\n" + rows)
    )

    lines = done.stderr.splitlines()
    assert len([line for line in lines if "column" in line]) == 20
    assert lines[-2:] == [
        "... and 4 more",
        "nothing was kept; mend the file and give it again",
    ]


def test_a_missing_file_is_explained(office: Home, tmp_path: Path) -> None:
    done = office.inside("dispose-many", MODEL, tmp_path / "none.csv")

    assert done.returncode == 3
    assert "none.csv: cannot be read as CSV" in done.stderr


def test_a_unit_that_was_drawn_is_reviewed_for_that_draw(
    office: Home, tmp_path: Path
) -> None:
    """A list comes out every night, and is worked through for days."""
    settings = Settings(home=office.path, store_url="")
    open_store(settings)
    drawn = queries.slots(RUN)[-1].unit_id
    later = replace(make_publication(tmp_path), run_id="later", inputs="6" * 64)
    without = table("slots", lambda t: t.slice(0, 4))
    publish(without(later), settings)
    close_store()

    for unit in (drawn, first_of(later), "CLM-000005"):
        office.ok("dispose", MODEL, unit, "excluded", "--reason", "x")

    runs = {row["unit"]: row["run"] for row in office.json("dispositions", MODEL)}
    assert runs[drawn] == RUN
    assert runs[first_of(later)] == "later"  # both lists ask for it


def first_of(publication: Publication) -> str:
    """The first unit of the list."""
    return str(publication.tables["slots"]["unit_id"][0])


def test_a_disposition_is_of_the_list_that_stood_at_its_time(
    office: Home, tmp_path: Path
) -> None:
    """The features under which a unit was reviewed are those of that list."""
    settings = Settings(home=office.path, store_url="")
    later = replace(
        without_groups(make_publication(tmp_path)), run_id="later", inputs="6" * 64
    )
    as_of = later.as_of + timedelta(days=7)
    moved = table("rule_hits", lambda t: t.set_column(1, "as_of", [[as_of] * 6]))
    publish(replace(moved(later), as_of=as_of), settings)
    close_store()
    before = datetime.now(UTC) - timedelta(days=300)
    file = written(
        tmp_path,
        "unit_id,verdict,reason,at\n"
        "CLM-000001,confirmed,a,\n"
        f"CLM-000002,confirmed,a,{before.isoformat()}\n",
    )

    office.ok("dispose-many", MODEL, file)
    office.ok("dispose", MODEL, "CLM-000003", "excluded", "--reason", "x")
    office.ok("dispose", MODEL, "CLM-000004", "excluded", "--reason", "x", "--run", RUN)

    runs = {row["unit"]: row["run"] for row in office.json("dispositions", MODEL)}
    assert runs == {
        "CLM-000001": "later",
        "CLM-000002": RUN,  # no list stood then; the oldest is the nearest
        "CLM-000003": "later",
        "CLM-000004": RUN,
    }
