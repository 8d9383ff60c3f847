"""Record sets with known truth, as texts that a department would deliver.

The real ones lie beside the project (`LEADLINE_SHARED_DATA`, else ../shared/data) and are
never copied into it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from configs.schema import ColumnType
from training.simulation.registers_pair import CATALOGUE, Trouble, registers_pair

BESIDE = Path(__file__).parents[2] / "shared" / "data"
DEVELOPMENT_SEEDS, FINAL_SEEDS = (11, 12), (401, 402, 403)
CHINESE_SIZE = 200_000


@dataclass(frozen=True, slots=True)
class RecordSet:
    """Delivered records and, apart from them, who they are.

    `records` has the texts `record` and `source` and one column per attribute, '' where
    not known. `entity` is the truth of each of its rows; no linker is given it.
    """

    name: str
    title: str
    records: pd.DataFrame
    fields: Mapping[str, ColumnType]
    entity: npt.NDArray[np.int64]
    across: bool  # pairs count between sources alone, and each source lists one once
    listed_once: frozenset[str] = frozenset()  # sources whose every row is another one
    normal_first: bool = False  # plain Splink, too, is given the normal forms
    dirt: pd.DataFrame | None = None  # of each value what was done to it

    @property
    def source(self) -> npt.NDArray[np.object_] | None:
        """What the metrics leave pairs inside of, where registers are linked."""
        return self.records["source"].to_numpy(object) if self.across else None


def shared_data() -> Path:
    """Where the real record sets lie."""
    return Path(os.environ.get("LEADLINE_SHARED_DATA", BESIDE)) / "linkage"


FEBRL_FIELDS: dict[str, ColumnType] = {
    "given_name": "person_name",
    "family_name": "person_name",
    "street_number": "string",
    "address_1": "string",
    "address_2": "string",
    "suburb": "string",
    "postcode": "string",
    "state": "category",
    "birth": "date",
    "soc_sec_id": "id",
}


def febrl(number: str) -> RecordSet:
    """Febrl sets 1, 2 and 3 (duplicates in one file) and 4 (two files)."""
    files = ("4a", "4b") if number == "4" else (number,)
    parts = [_febrl_file(name) for name in files]
    records = pd.concat(parts, ignore_index=True)
    entity = records["record"].str.extract(r"^rec-(\d+)-")[0].astype("int64")
    fields = dict(FEBRL_FIELDS)
    return RecordSet(
        f"febrl{number}",
        f"Febrl {'4a/4b' if number == '4' else number}",
        records,
        fields,
        entity.to_numpy(),
        across=number == "4",
        listed_once=frozenset(files) if number == "4" else frozenset(),
    )


def _febrl_file(name: str) -> pd.DataFrame:
    frame = _texts(shared_data() / "febrl" / f"dataset{name}.csv")
    named = frame.rename(
        columns={"rec_id": "record", "surname": "family_name", "date_of_birth": "birth"}
    )
    return named.assign(source=name)


def _texts(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    return frame.rename(columns=str.strip).apply(lambda column: column.str.strip())


FAKE_FIELDS: dict[str, ColumnType] = {
    "given_name": "person_name",
    "family_name": "person_name",
    "birth": "date",
    "city": "string",
    "email": "string",
}


def fake(size: int) -> RecordSet:
    """Splink's made-up people of 1,000 or 20,000 records."""
    frame = _texts(shared_data() / "splink" / f"fake_{size}.csv")
    truth = frame["cluster" if size == 1000 else "group"].astype("int64")
    records = frame.rename(
        columns={
            "unique_id": "record",
            "first_name": "given_name",
            "surname": "family_name",
            "dob": "birth",
        }
    )
    return RecordSet(
        f"fake{size}",
        f"fake_{size}",
        records[["record", *FAKE_FIELDS]].assign(source="fake"),
        dict(FAKE_FIELDS),
        truth.to_numpy(),
        across=False,
    )


CHINESE_FIELDS: dict[str, ColumnType] = {
    "id": "person_id",
    "name": "person_name",
    "birth": "date",
    "phone": "phone",
    "address": "address",
}


def chinese(size: int, seed: int, trouble: Trouble = CATALOGUE) -> RecordSet:
    """Two registers of a made-up prefecture with dirty keys."""
    pair = registers_pair(size, seed, trouble)
    parts = [pair.left.assign(source="left"), pair.right.assign(source="right")]
    records = pd.concat(parts, ignore_index=True)
    dirt = pd.concat([pair.left_dirt, pair.right_dirt], ignore_index=True)
    return RecordSet(
        f"chinese_{seed}",
        f"Two Chinese registers of {size:,}, seed {seed}",
        records.rename(columns={"person_id": "id"}),
        dict(CHINESE_FIELDS),
        np.concatenate([pair.left_person, pair.right_person]),
        across=True,
        listed_once=frozenset({"left", "right"}),
        normal_first=True,
        dirt=dirt.rename(columns={"person_id": "id"}),
    )


SETS: dict[str, Callable[[], RecordSet]] = {
    "febrl1": lambda: febrl("1"),
    "febrl2": lambda: febrl("2"),
    "febrl3": lambda: febrl("3"),
    "febrl4": lambda: febrl("4"),
    "fake1000": lambda: fake(1000),
    "fake20000": lambda: fake(20_000),
}
