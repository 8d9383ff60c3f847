"""A CSV file of dispositions: read as text, every mistake named by line and column."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from configs.errors import DeliveryError, nearest
from flows.parts import Part
from flows.reading_csv import text_encoding
from serving.dispositions import CAUSES, VERDICTS

NEEDED = ("unit_id", "verdict", "reason")
OPTIONAL = ("user", "at", "cause")
# Year first, as the day could be taken for the month elsewhere; the zone may follow.
_TIME = (
    r"(?P<day>\d{4}[-/]\d{1,2}[-/]\d{1,2})"
    r"(?:[T ](?P<time>\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?"
    r"\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?"
)
_HOME_ZONE = "+08:00"  # a time without a zone is China's


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with a file."""

    SHOWN: ClassVar[int] = 20

    line: int
    column: str
    message: str


def mistakes_error(
    file: Path, mistakes: Sequence[Mistake], number: int | None = None
) -> DeliveryError:
    """One error that names the first mistakes, so that they are mended in one go."""
    shown = [
        f"{file}, line {m.line}, column {m.column}: {m.message}"
        for m in mistakes[: Mistake.SHOWN]
    ]
    more = (number or len(mistakes)) - len(shown)
    further = [f"... and {more} more"] if more else []
    said = [*shown, *further, "nothing was kept; mend the file and give it again"]
    return DeliveryError("\n".join(said))


def read_dispositions(file: Path) -> pd.DataFrame:
    """line, unit_id, verdict, reason, user, cause ('' = not said), at (UTC or null).

    Raises:
        DeliveryError: the file cannot be read as CSV, lacks a column, or a value is not
            what is allowed.
    """
    header, rows = _records(file)
    _check_header(file, header)
    ragged = [
        Mistake(line, "(line)", f"got {len(row)} values; the header has {len(header)}")
        for line, row in rows
        if len(row) != len(header)
    ]
    if ragged or not rows:
        raise mistakes_error(
            file,
            ragged or [Mistake(2, "(line)", "got no row; give one per disposition")],
        )
    table = pd.DataFrame([row for _, row in rows], columns=header, dtype=str)
    table.insert(0, "line", [line for line, _ in rows])
    texts = table.reindex(columns=[*NEEDED, *OPTIONAL], fill_value="")
    texts = texts.apply(lambda column: column.str.strip())
    return _checked(file, texts.assign(line=table["line"]))


def _records(file: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and every other record with the line that it begins in."""
    try:
        encoding = text_encoding(Part("dispositions", str(file), file.name))
        with file.open(
            encoding=encoding.replace("utf-8", "utf-8-sig"), newline=""
        ) as f:
            reader = csv.reader(f, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            rows = [(n, row) for n, row in _begun(reader) if any(map(str.strip, row))]
    except (OSError, csv.Error) as error:
        raise DeliveryError(
            f"{file}: cannot be read as CSV ({error}); give the columns "
            f"{', '.join((*NEEDED, *OPTIONAL))}, saved as CSV UTF-8"
        ) from error
    return header, rows


def _begun(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line that it begins in; a text may run over several."""
    begins = reader.line_num + 1
    for row in reader:
        yield begins, row
        begins = reader.line_num + 1


def _check_header(file: Path, header: list[str]) -> None:
    allowed = (*NEEDED, *OPTIONAL)
    missing = [name for name in NEEDED if name not in header]
    strange = [name for name in header if name not in allowed]
    twice = sorted({name for name in header if header.count(name) > 1})
    if missing or strange or twice:
        wrong = (missing or strange or twice)[0]
        what = "is missing" if missing else "is not known"
        hint = nearest(wrong, header if missing else allowed)
        raise DeliveryError(
            f"{file}, line 1: column {wrong!r} {what if not twice else 'comes twice'}"
            f"{hint}; allowed are {', '.join(NEEDED)} and, if you like, "
            f"{', '.join(OPTIONAL)}"
        )


def _checked(file: Path, texts: pd.DataFrame) -> pd.DataFrame:
    verdicts, causes = _words(texts["verdict"]), _words(texts["cause"])
    times = _times(texts["at"])
    late = times > pd.Timestamp(datetime.now(UTC) + timedelta(minutes=5))
    wrong = {
        "unit_id": texts["unit_id"] == "",
        "verdict": ~verdicts.isin(VERDICTS),
        "reason": texts["reason"] == "",
        "at": (times.isna() & (texts["at"] != "")) | late,
        "cause": (causes != "") & ~(causes.isin(CAUSES) & (verdicts == "excluded")),
    }
    mistakes = [
        Mistake(line, column, _said(column, got))
        for column, rows in wrong.items()
        for line, got in texts.loc[rows, ["line", column]].itertuples(index=False)
    ]
    if mistakes:
        raise mistakes_error(file, sorted(mistakes, key=lambda m: m.line))
    return texts.assign(verdict=verdicts, cause=causes, at=times)


def _words(texts: pd.Series) -> pd.Series:
    return texts.str.lower().str.replace(r"[\s-]+", "_", regex=True)


def _said(column: str, got: str) -> str:
    if column == "verdict":
        hint = nearest(got, VERDICTS) if got else ""
        return f"got {got!r}; allowed are {', '.join(VERDICTS)}{hint}"
    if column == "at":
        return f"got {got!r}; give a time that has passed, such as 2025-07-01 16:30"
    if column == "cause":
        hint = nearest(got, CAUSES)
        return (
            f"got {got!r}; allowed are {', '.join(CAUSES)}, with verdict excluded "
            f"alone{hint if 'did you mean' in hint else ''}"
        )
    return f"got {got!r}; it may not be empty"


def _times(texts: pd.Series) -> pd.Series:
    """Moments in UTC; null where the text is none."""
    parts = texts.str.fullmatch(_TIME)
    found = texts.where(parts).str.extract(f"^{_TIME}$")
    day = found["day"].str.replace("/", "-")
    clock = found["time"].fillna("00:00")
    moments = day + " " + clock + found["zone"].fillna(_HOME_ZONE)
    times = pd.to_datetime(moments, format="mixed", utc=True, errors="coerce")
    return times.astype("datetime64[us, UTC]")
