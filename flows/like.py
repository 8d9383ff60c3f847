"""From one unit to its nearest in the same list: same node first, then same method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from configs.privacy import sensitive_columns
from configs.settings import Settings
from flows.archive import archived
from flows.frozen import (
    FrozenRun,
    flat_points,
    frozen_run,
    likeness_of,
    points_of_run,
)
from flows.job import Progress, silent
from flows.reasons import shown
from serving import queries
from serving.dispositions import dispositions
from serving.records import RunRecord
from training.likeness import ASPECTS, MIX, Likeness, Traits, shared_traits
from training.shared_points import closeness, same_node

FEATURES_NAMED = 4
NODE, METHOD = "node", "method"


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
class LikeUnit:
    """A unit that is like another one.

    Attributes:
        how: 'node' where both are tied to the same points and are alike, else 'method'.
        aspects: similarity in [0, 1] by aspect; null where the asked unit has no trait.
        disposition: the verdict that stands, if any.
    """

    unit_id: str
    rank_fused: int
    how: str
    overall: float
    aspects: dict[str, float | None]
    rules: list[str]
    features: list[SharedFeature]
    points: list[SharedPoint]
    disposition: str | None


@dataclass(frozen=True, slots=True)
class Alike:
    """The nearest units of one unit.

    Attributes:
        mix: how much each aspect counts.
        knows_points: did the run keep its association points?
    """

    run: RunRecord
    unit_id: str
    mix: dict[str, float]
    knows_points: bool
    left_out: int  # units that were reviewed already and were not asked for
    units: list[LikeUnit]


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

    def closeness(self, row: int, units: int) -> np.ndarray:
        """How closely each unit is tied to one; 0 to itself."""
        mine = self.point[self.of(row)]
        found = closeness(mine, self.unit, self.point, self.size, units)
        found[row] = 0.0
        return found

    def shared(
        self, row: int, other: int, kinds: Mapping[str, Mapping[str, str]]
    ) -> list[SharedPoint]:
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


@dataclass(frozen=True, slots=True)
class Asked:
    """Which unit, of which run (default: the newest), and how many like it."""

    unit_id: str
    run_id: str = ""
    top: int = 20
    only_open: bool = False  # leave out what was reviewed already


def like(
    name: str, asked: Asked, settings: Settings, progress: Progress = silent
) -> Alike:
    """The units of a published list that are most like one of its units.

    Raises:
        StoreError: nothing is published, the unit is not in the run, or the run froze
            no features.
    """
    frozen, unit_id = frozen_run(name, settings, asked.run_id), asked.unit_id
    queries.lead(frozen.run.id, unit_id)  # names the nearest where there is none
    progress("learning what is ordinary")
    likeness, points = likeness_of(frozen), _points(frozen)
    progress(f"comparing {len(frozen.flags):,} units")
    found = _compared(frozen, likeness, unit_id)
    row, units = int(frozen.flags.index.get_indexer(pd.Index([unit_id]))[0]), len(found)
    close = points.closeness(row, units) if points else np.zeros(units)
    tied = same_node(close, found["overall"].to_numpy())
    others = found.assign(how=np.where(tied, NODE, METHOD)).drop(index=unit_id)
    said = {d.unit_id: d.verdict for d in dispositions(name)}
    reviewed = others.index.isin(list(said)) & asked.only_open
    nearest = _nearest(others[~reviewed], asked.top)
    return Alike(
        run=frozen.run,
        unit_id=unit_id,
        mix=dict(MIX),
        knows_points=points is not None,
        left_out=int(reviewed.sum()),
        units=_described(frozen, likeness, nearest, unit_id, points, said),
    )


def _compared(frozen: FrozenRun, likeness: Likeness, unit_id: str) -> pd.DataFrame:
    """Similarity of every unit, by aspect and `overall`, indexed by unit_id."""
    names = likeness.features_
    own = frozen.rows(names, [unit_id])
    one = likeness.traits(own, frozen.flags.loc[[unit_id]])
    return pd.concat(
        likeness.compare(one, part, frozen.flags.loc[part.index])
        for part in frozen.parts(names)
    ).loc[frozen.flags.index]


def _points(frozen: FrozenRun) -> Points | None:
    table = points_of_run(frozen)
    if table is None:
        return None
    unit, values = flat_points(table)
    point, size = (values.field(n).to_numpy() for n in ("point", "units"))
    return Points(unit, point, size, values)


def _nearest(found: pd.DataFrame, top: int) -> pd.DataFrame:
    """Same node first, then by similarity; ties by unit_id."""
    order = np.lexsort(
        (
            found.index.to_numpy(dtype=str),
            -found["overall"].to_numpy(),
            found["how"].to_numpy() == METHOD,
        )
    )
    return found.iloc[order[:top]]


def _described(
    frozen: FrozenRun,
    likeness: Likeness,
    nearest: pd.DataFrame,
    unit_id: str,
    points: Points | None,
    said: Mapping[str, str],
) -> list[LikeUnit]:
    ids = [unit_id, *nearest.index]
    X, H = frozen.rows(likeness.features_, ids), frozen.flags.loc[ids]
    traits = likeness.traits(X, H)
    ranks = _ranks(frozen, ids)
    place = dict(zip(frozen.flags.index, range(len(frozen.flags)), strict=True))
    own = place[unit_id]
    fired = H[likeness.codes_].fillna(False).to_numpy(dtype=bool)
    features = _shared_features(frozen, likeness, traits, X)
    return [
        LikeUnit(
            unit_id=str(other),
            rank_fused=ranks[str(other)],
            how=str(row["how"]),
            overall=float(row["overall"]),
            aspects={a: _known(row[a]) for a in ASPECTS},
            rules=[
                c for c, both in zip(likeness.codes_, fired[0] & f, strict=True) if both
            ],
            features=named,
            points=points.shared(own, place[other], frozen.run.kinds) if points else [],
            disposition=said.get(str(other)),
        )
        for (other, row), f, named in zip(
            nearest.iterrows(), fired[1:], features, strict=True
        )
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _ranks(frozen: FrozenRun, ids: Sequence[str]) -> dict[str, int]:
    path = archived(frozen.run, frozen.settings, "scores")
    scores = pd.read_parquet(path, columns=["unit_id", "rank_fused"])
    some = scores[scores["unit_id"].isin(ids)]
    return dict(zip(some["unit_id"], some["rank_fused"].astype(int), strict=True))


def _shared_features(
    frozen: FrozenRun, likeness: Likeness, traits: Traits, X: pd.DataFrame
) -> list[list[SharedFeature]]:
    """Of each other unit the features that both have most of; none that are sensitive."""
    spec = frozen.model.spec
    hidden = sensitive_columns(spec, spec.unit.source)
    names = np.array(likeness.features_)
    common = np.hstack(
        [shared_traits(traits.row(0), traits, a) for a in likeness.columns_]
    )
    common[:, np.isin(names, list(hidden))] = 0.0
    medians = np.concatenate([likeness.medians_[a] for a in likeness.columns_])
    found = []
    for other in range(1, len(X)):
        strength = np.abs(common[other])
        order = np.argsort(-strength, kind="stable")[:FEATURES_NAMED]
        chosen = [int(i) for i in order if strength[i] > 0]
        found.append(
            [
                _in_words(frozen, str(names[i]), X, other, float(medians[i]))
                for i in chosen
            ]
        )
    return found


def _in_words(
    frozen: FrozenRun, name: str, X: pd.DataFrame, other: int, median: float
) -> SharedFeature:
    column = frozen.features[name]
    here, there = float(X[name].iloc[0]), float(X[name].iloc[other])
    en, zh = (
        [shown(column, v, language) for v in (here, there, median)]
        for language in (0, 1)
    )
    return SharedFeature(
        name,
        f"{column.meaning.en}: {en[0]} and {en[1]}; median {en[2]}",
        f"{column.meaning.zh}：{zh[0]}与{zh[1]}；中位数{zh[2]}",
    )
