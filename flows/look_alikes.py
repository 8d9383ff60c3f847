"""The units most like some others: same node first, then same method, and what is shared."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from configs.privacy import sensitive_columns
from flows.archive import archived
from flows.frozen import FrozenRun, Population, likeness_of
from flows.group import POINTS
from flows.reasons import DECIMALS, shown
from training.likeness import ASPECTS, Likeness, Traits, alike, overall, shared_traits
from training.shared_points import closeness, same_node

FEATURES_NAMED = 4
NODE, METHOD = "node", "method"
Kinds = Mapping[str, Mapping[str, str]]  # kind of node -> its title, en and zh


@dataclass(frozen=True, slots=True)
class SharedPoint:
    """A point that both units are tied to; its label is masked where sensitive."""

    kind_en: str
    kind_zh: str
    label: str
    units: int


@dataclass(frozen=True, slots=True)
class SharedFeature:
    """A number that deviates from the median in the same direction in both."""

    feature: str
    text_en: str
    text_zh: str


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A unit that is like an asked one.

    Attributes:
        how: 'node' where both are tied to the same points and are alike, else 'method'.
        aspects: similarity in [0, 1] by aspect; null where the asked unit has no trait.
    """

    unit_id: str
    how: str
    overall: float
    aspects: dict[str, float | None]
    rules: list[str]
    features: list[SharedFeature]
    points: list[SharedPoint]


@dataclass(frozen=True, slots=True)
class Points:
    """Every unit's points, flat: rows of units, and what the points are."""

    unit: np.ndarray
    point: np.ndarray
    size: np.ndarray
    values: pa.StructArray

    def of(self, row: int) -> np.ndarray:
        """Where the points of one unit stand."""
        return np.arange(*np.searchsorted(self.unit, [row, row + 1]))

    def closeness(self, rows: np.ndarray, units: int) -> Any:
        """How closely each unit is tied to the asked ones: asked x units, sparse."""
        return closeness(rows, self.unit, self.point, self.size, units)

    def shared(self, row: int, other: int, kinds: Kinds) -> list[SharedPoint]:
        """The points of both, the rarest first."""
        mine = self.of(row)
        common = mine[np.isin(self.point[mine], self.point[self.of(other)])]
        rows = self.values.take(pa.array(common)).to_pylist()
        return [
            SharedPoint(
                kinds.get(p["kind"], {}).get("en", p["kind"]),
                kinds.get(p["kind"], {}).get("zh", p["kind"]),
                p["label"],
                p["units"],
            )
            for p in rows
        ]


def points_in(path: Path, units: Population) -> Points:
    """The association points in a file, by the rows of the flags."""
    table = pq.read_table(path)
    place = pc.index_in(
        pa.array(units.flags.index, pa.string()),
        value_set=table["unit_id"].combine_chunks().cast(pa.string()),
    )
    lists = table.take(place)["points"].combine_chunks()
    values = lists.flatten()
    point, size = (values.field(name).to_numpy() for name in ("point", "units"))
    return Points(lists.value_parent_indices().to_numpy(), point, size, values)


def points_of(frozen: FrozenRun) -> Points | None:
    """The points of a published run; None where it kept none."""
    if POINTS not in frozen.run.files:
        return None
    return points_in(archived(frozen.run, frozen.settings, "points"), frozen)


@dataclass(frozen=True, slots=True)
class LookAlikes:
    """What units are compared by.

    Attributes:
        likeness: fitted on the units.
        points: None where the run has none; all are compared by method then.
        kinds: titles of the kinds of nodes.
    """

    units: Population
    likeness: Likeness
    points: Points | None
    kinds: Kinds

    @classmethod
    def among(
        cls, units: Population, points: Points | None, kinds: Kinds
    ) -> "LookAlikes":
        """Learns what is ordinary among the units."""
        return cls(units, likeness_of(units), points, kinds)

    def of(
        self, asked: Sequence[str], top: int, leave_out: Collection[str] = ()
    ) -> dict[str, list[LookAlike]]:
        """Of each asked unit the `top` most alike, same node first; ties by unit_id.

        The population is read once, however many are asked.
        """
        if not asked:
            return {}
        found = self._nearest(asked, top, leave_out)
        index = self.units.flags.index
        ids = sorted({*asked, *(index[p] for one in found for p in one.place)})
        told = _Told.of(self.units, self.likeness, ids)
        return {
            unit: self._described(unit, one, told)
            for unit, one in zip(asked, found, strict=True)
        }

    def _nearest(
        self, asked: Sequence[str], top: int, leave_out: Collection[str]
    ) -> list["_Found"]:
        units, names = self.units, self.likeness.features_
        index = units.flags.index
        rows = index.get_indexer(pd.Index(asked))
        close = self._closeness(rows)
        ones = self.likeness.traits(
            units.rows(names, asked), units.flags.loc[list(asked)]
        )
        barred = np.asarray(index.isin(list(leave_out)))
        best = [_Found.none() for _ in asked]
        for part in units.parts(names):
            traits = self.likeness.traits(part, units.flags.loc[part.index])
            place = index.get_indexer(part.index)
            beside = close[:, place].tocsr()
            whole = overall(ones, traits).round(DECIMALS)
            # Less alike than anybody: `along` takes none of them.
            whole[:, barred[place]] = -1
            whole[rows[:, None] == place] = -1
            for number, row in enumerate(whole):
                tied = same_node(beside[[number]].toarray()[0], row)
                best[number] = best[number].along(_Found(place, row, tied), top, index)
        return best

    def _closeness(self, rows: np.ndarray) -> Any:
        size = len(self.units.flags)
        if self.points is None:
            none = np.array([], dtype=np.int64)
            return closeness(rows, none, none, none, size)
        return self.points.closeness(rows, size)

    def _described(
        self, unit_id: str, found: "_Found", told: "_Told"
    ) -> list[LookAlike]:
        index, codes = self.units.flags.index, self.likeness.codes_
        ids = [str(unit) for unit in index[found.place]]
        rows = [told.row[unit] for unit in ids]
        own, others = told.row[unit_id], told.traits.rows(rows)
        one = told.traits.row(own)
        aspects = alike(one, others)[list(ASPECTS)].to_numpy().tolist()
        strength = self._shared_strength(one, others)
        place = int(index.get_indexer(pd.Index([unit_id]))[0])
        both = told.fired[rows] & told.fired[own]
        return [
            LookAlike(
                unit_id=unit,
                how=NODE if found.tied[n] else METHOD,
                overall=float(found.overall[n]),
                aspects=dict(zip(ASPECTS, map(_known, aspects[n]), strict=True)),
                rules=[codes[code] for code in np.flatnonzero(both[n])],
                features=self._features(strength[n], told.values[[own, rows[n]]]),
                points=self._points(place, int(found.place[n])),
            )
            for n, unit in enumerate(ids)
        ]

    def _points(self, row: int, other: int) -> list[SharedPoint]:
        return self.points.shared(row, other, self.kinds) if self.points else []

    def _shared_strength(self, one: Traits, others: Traits) -> np.ndarray:
        """Others x features: what both have of each; 0 for sensitive ones."""
        spec, likeness = self.units.model.spec, self.likeness
        hidden = list(sensitive_columns(spec, spec.unit.source))
        aspects = [shared_traits(one, others, a) for a in likeness.columns_]
        common = np.abs(np.hstack(aspects))
        common[:, np.isin(likeness.features_, hidden)] = 0.0
        return common

    def _features(
        self, strength: np.ndarray, values: np.ndarray
    ) -> list[SharedFeature]:
        """The features that both have most of.

        Args:
            values: two rows, of the asked unit and of the other one.
        """
        order = np.argsort(-strength, kind="stable")[:FEATURES_NAMED]
        return [self._in_words(i, values) for i in order if strength[i] > 0]

    def _in_words(self, number: int, values: np.ndarray) -> SharedFeature:
        likeness = self.likeness
        name = likeness.features_[number]
        medians = np.concatenate([likeness.medians_[a] for a in likeness.columns_])
        column = self.units.features[name]
        numbers = [*values[:, number], medians[number]]
        en, zh = (
            [shown(column, float(v), language) for v in numbers] for language in (0, 1)
        )
        return SharedFeature(
            name,
            f"{column.meaning.en}: {en[0]} and {en[1]}; median {en[2]}",
            f"{column.meaning.zh}：{zh[0]}与{zh[1]}；中位数{zh[2]}",
        )


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told of some units: rows of features, traits and rules that fired."""

    row: Mapping[str, int]
    values: np.ndarray
    traits: Traits
    fired: np.ndarray

    @classmethod
    def of(cls, units: Population, likeness: Likeness, ids: Sequence[str]) -> "_Told":
        X, H = units.rows(likeness.features_, ids), units.flags.loc[list(ids)]
        fired = H[likeness.codes_].fillna(False).to_numpy(dtype=bool)
        rows = {unit: row for row, unit in enumerate(ids)}
        return cls(rows, X.to_numpy(), likeness.traits(X, H), fired)


@dataclass(frozen=True, slots=True)
class _Found:
    """Units compared with one: their rows, how alike, and whether of the same node."""

    place: np.ndarray
    overall: np.ndarray
    tied: np.ndarray

    @classmethod
    def none(cls) -> "_Found":
        return cls(np.array([], np.intp), np.array([]), np.array([], np.bool_))

    @property
    def score(self) -> np.ndarray:
        """Orders the ones of the same node before all others."""
        return np.asarray(self.overall + self.tied)

    def where(self, kept: np.ndarray) -> "_Found":
        """The chosen ones, or all in another order."""
        return _Found(self.place[kept], self.overall[kept], self.tied[kept])

    def first(self, top: int, index: pd.Index) -> "_Found":
        """The most alike, same node first; ties by unit_id."""
        found, score = self, self.score
        if len(score) > top:
            found = self.where(score >= np.partition(score, -top)[-top])
        ids = index[found.place].to_numpy(dtype=str)
        order = np.lexsort((ids, -found.overall, ~found.tied))
        return found.where(order[:top])

    def along(self, others: "_Found", top: int, index: pd.Index) -> "_Found":
        """The most alike of both, without others whose likeness is below 0."""
        # Of most it is soon seen that they are less alike than the last of these.
        floor = self.score[-1] if 0 < top == len(self.place) else 0.0
        other = others.where(others.score >= floor)
        both = _Found(
            np.concatenate([self.place, other.place]),
            np.concatenate([self.overall, other.overall]),
            np.concatenate([self.tied, other.tied]),
        )
        return both.first(top, index)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
