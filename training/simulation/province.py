"""Large deliveries: many prefectures into common or part files, and what a night changes."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from configs.errors import LeadlineError
from configs.settings import SOURCES_MAP
from training.simulation.delivery import Outbox
from training.simulation.places import place

Simulate = Callable[..., dict[str, int]]
PREFECTURE_UNITS = 100_000  # of each, where more than one is needed
LARGEST = 2 * PREFECTURE_UNITS  # that one prefecture is drawn for
SMALLEST = 1000  # units of one: fewer would not hold every planted scheme
NEW_SHARE = CORRECTED_SHARE = 0.005  # of all units a night
CORRECTION = 1.1


@dataclass(frozen=True, slots=True)
class Ask:
    """How a delivery is to be written.

    Args:
        parquet: every table as Parquet, instead of as its department writes it.
        parts: part files of each table (claims-01.parquet, ...); 0 is one whole file.
        excerpt: the units' own people and the newest period only.
        nights: folders OUT-night1, ... that each differ from the one before by a new
            part of each table and a corrected one.
    """

    parquet: bool = False
    parts: int = 0
    excerpt: bool = False
    nights: int = 0

    @classmethod
    def read(cls, text: str) -> Self:
        """What `--format` says, such as parquet,excerpt,parts=10,nights=1.

        Raises:
            LeadlineError: a word that stands for nothing.
        """
        form, *words = text.split(",")
        asked: dict[str, Any] = {}
        for word in words:
            name, _, number = word.partition("=")
            if word == "excerpt":
                asked[word] = True
            elif name in ("parts", "nights") and number.isdecimal():
                asked[name] = int(number)
            else:
                raise _unreadable(text, word)
        if form not in ("mixed", "parquet"):
            raise _unreadable(text, form)
        return cls(parquet=form == "parquet", **asked)


def _unreadable(text: str, word: str) -> LeadlineError:
    return LeadlineError(
        f"--format {text!r}: {word!r} is not understood; it is mixed or parquet, then "
        "any of excerpt, parts=N and nights=N, as in parquet,excerpt,parts=10"
    )


@dataclass(frozen=True, slots=True)
class Province:
    """Prefectures that deliver together.

    Args:
        people: of all prefectures.
        corrected: by source the sum that a night corrects.
    """

    simulate: Simulate
    corrected: Mapping[str, str]
    units: int
    seed: int
    people: int | None = None
    ask: Ask = Ask()

    def deliver(self, out: Path) -> dict[str, int]:
        """Write all prefectures and the nights after; returns rows per table, without nights.

        Raises:
            ValueError: too few units, too many parts, or nights without part files.
        """
        ask = self.ask
        if ask.nights and not (ask.parquet and ask.parts):
            raise ValueError(
                f"simulate: nights={ask.nights!r} add to and replace part files in "
                "Parquet; ask for --format parquet,parts=N,nights=N"
            )
        sizes = spread(self.units, ask.parts)
        if ask.parts > 1 and sizes[-1] < SMALLEST:
            raise ValueError(
                f"simulate: units={self.units!r} in parts={ask.parts} are {sizes[-1]} a "
                "part, too few to hold every planted scheme; ask for "
                f"{SMALLEST * ask.parts} or more, or for fewer parts"
            )
        with Outbox(out, parquet=ask.parquet, excerpt=ask.excerpt) as box:
            for number, size in enumerate(sizes):
                part = number * ask.parts // len(sizes) + 1
                box.turn_to(place(number, len(sizes)), _suffix(part, ask.parts))
                self._prefecture(box, size)
        if ask.parts:
            _write_map(out, box)
        for night in range(1, ask.nights + 1):
            self._night(out, night, len(sizes), box.units)
        return box.rows

    def _prefecture(self, box: Outbox, size: int) -> None:
        people = self.people and round(self.people * size / self.units)
        self.simulate(units=size, seed=self.seed, out=box, people=people)

    def _night(self, out: Path, night: int, prefectures: int, units: int) -> None:
        """OUT-nightN beside OUT: what stays is linked, not copied."""
        before = _night_folder(out, night - 1)
        after = _night_folder(out, night)
        _link(before, after)
        part = (night - 1) % self.ask.parts + 1
        share = min(1.0, CORRECTED_SHARE * self.ask.parts)
        for source, column in self.corrected.items():
            file = f"{source}{_suffix(part, self.ask.parts)}.parquet"
            _correct(after / file, column, share)
        new = max(SMALLEST, round(NEW_SHARE * self.units))
        excerpt = self.ask.excerpt
        with Outbox(after, parquet=True, excerpt=excerpt, adding=True) as box:
            box.units = units + (night - 1) * new
            number = prefectures + night - 1
            box.turn_to(place(number, prefectures), f"-night{night}")
            self._prefecture(box, new)


def spread(units: int, parts: int) -> list[int]:
    """Units of each prefecture: one where they are few, else alike, whole ones per part."""
    needed = 1 if units <= LARGEST else -(-units // PREFECTURE_UNITS)
    count = max(1, parts) * -(-needed // max(1, parts))
    share, over = divmod(units, count)
    return [share + (number < over) for number in range(count)]


def _suffix(part: int, parts: int) -> str:
    return f"-{part:0{max(2, len(str(parts)))}d}" if parts else ""


def _write_map(out: Path, box: Outbox) -> None:
    """A map of sources for `--data`: all parts of each, also those that come later."""
    lines = {
        f"{source}: {source}-*.{suffix}\n" for source, suffix in box.suffixes.items()
    }
    (out / SOURCES_MAP).write_text("".join(sorted(lines)), encoding="utf-8")


def _night_folder(out: Path, night: int) -> Path:
    return out.with_name(f"{out.name}-night{night}") if night else out


def _link(before: Path, after: Path) -> None:
    for file in sorted(path for path in before.rglob("*") if path.is_file()):
        target = after / file.relative_to(before)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if file.suffix == ".parquet":
            os.link(file, target)
        else:
            shutil.copyfile(file, target)


def _correct(file: Path, column: str, share: float) -> None:
    """Replace a part by one in which a share of a column's sums was corrected."""
    table = pq.read_table(file)
    sums = table[column].to_numpy().copy()
    sums[:: round(1 / share)] = np.round(sums[:: round(1 / share)] * CORRECTION, 2)
    place = table.schema.get_field_index(column)
    table = table.set_column(place, table.schema.field(column), pa.array(sums))
    file.unlink()  # a link: the part of the night before stays as it is
    pq.write_table(table, file)
