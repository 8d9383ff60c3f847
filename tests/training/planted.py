"""A population of honest units with two planted methods, for look-alikes and classes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from configs.column import Column
from configs.spec import Text
from training.conditions import Facts

CODES = ("V2", "V3", "V4")
HONEST, INFLATED, STAGED = "", "inflated", "staged"


@dataclass(frozen=True)
class Planted:
    """Units x columns and flags; `method` and `ring` say what was planted."""

    facts: Facts
    columns: dict[str, Column]
    method: np.ndarray
    ring: np.ndarray

    def rows(self, method: str) -> np.ndarray:
        return np.flatnonzero(self.method == method)

    @property
    def families(self) -> dict[str, str]:
        return {name: column.family for name, column in self.columns.items()}

    @property
    def numbers(self) -> pd.DataFrame:
        """The columns that are features."""
        features = [n for n, c in self.columns.items() if c.kind != "text"]
        return self.facts.columns[features]


def column(name: str, family: str, kind: str = "number", unit: str = "") -> Column:
    words = Text(en=name.replace("_", " "), zh=f"{name}（中）")
    return Column(name, kind, words, "claims", family, unit, kind != "text")


COLUMNS = [
    column("ratio", "derive", unit="ratio"),
    column("suits", "history", unit="count"),
    column("blameless_share", "history", unit="share"),
    column("noise_a", "columns"),
    column("noise_b", "peers"),
    column("is_litigated", "derive", "boolean"),
    column("near_duplicates", "text", unit="count"),
    column("core_number", "network", unit="count"),
    column("purpose", "source", "text"),
]


def planted(units: int = 3_000, seed: int = 5) -> Planted:
    """Two methods of 24 units each, in rings of four: inflated suits, staged accidents."""
    rng = np.random.default_rng(seed)
    method = np.full(units, HONEST, dtype=object)
    method[:24], method[24:48] = INFLATED, STAGED
    ring = np.array([f"R{i // 4}" if i < 48 else "" for i in range(units)], object)
    table = pd.DataFrame(
        {
            "ratio": rng.lognormal(0.0, 0.25, units),
            "suits": rng.poisson(0.4, units).astype(float),
            "blameless_share": rng.beta(4, 4, units),
            "noise_a": rng.normal(size=units),
            "noise_b": rng.normal(size=units),
            "is_litigated": (rng.random(units) < 0.05).astype(float),
            "near_duplicates": rng.poisson(0.1, units).astype(float),
            "core_number": rng.poisson(0.1, units).astype(float),
            "purpose": rng.choice(["private", "taxi", "freight"], units),
        },
        index=[f"c{i:04d}" for i in range(units)],
    )
    flags = pd.DataFrame(rng.random((units, 3)) < 0.03, table.index, CODES)
    _inflate(rng, table, flags)
    _stage(rng, table, flags)
    columns = {c.name: c for c in COLUMNS}
    return Planted(Facts(table, flags), columns, method, ring)


def _inflate(
    rng: np.random.Generator, table: pd.DataFrame, flags: pd.DataFrame
) -> None:
    own = table.index[:24]
    table.loc[own, "ratio"] = rng.uniform(2.2, 3.0, 24)
    table.loc[own, "is_litigated"] = 1.0
    table.loc[own, "near_duplicates"] = rng.integers(5, 9, 24)
    flags.loc[own, "V2"] = rng.random(24) < 0.8


def _stage(rng: np.random.Generator, table: pd.DataFrame, flags: pd.DataFrame) -> None:
    own = table.index[24:48]
    table.loc[own, "blameless_share"] = rng.uniform(0.96, 1.0, 24)
    table.loc[own, "core_number"] = rng.integers(3, 6, 24)
    table.loc[own, "purpose"] = "private"
    flags.loc[own, "V3"] = rng.random(24) < 0.8
