"""From one unit to its nearest in the same list: same node first, then same method."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from configs.settings import Settings
from flows.archive import archived
from flows.frozen import FrozenRun, frozen_run
from flows.job import Progress, silent
from flows.look_alikes import LookAlikes, SharedFeature, SharedPoint, points_of
from serving import queries
from serving.dispositions import dispositions
from serving.records import RunRecord
from training.likeness import MIX


@dataclass(frozen=True, slots=True)
class LikeUnit:
    """A unit that is like another one; see `flows.look_alikes.LookAlike`.

    Attributes:
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
    if unit_id not in frozen.flags.index:
        queries.lead(frozen.run.id, unit_id)  # names the nearest where there is none
    progress("learning what is ordinary")
    points = points_of(frozen)
    compared = LookAlikes.among(frozen, points, frozen.run.kinds)
    progress(f"comparing {len(frozen.flags):,} units")
    said = {d.unit_id: d.verdict for d in dispositions(name)}
    left_out = set(said) & set(frozen.flags.index) - {unit_id}
    if not asked.only_open:
        left_out = set()
    found = compared.of([unit_id], asked.top, left_out)[unit_id]
    ranks = _ranks(frozen, [one.unit_id for one in found])
    return Alike(
        run=frozen.run,
        unit_id=unit_id,
        mix=dict(MIX),
        knows_points=points is not None,
        left_out=len(left_out),
        units=[
            LikeUnit(
                unit_id=one.unit_id,
                rank_fused=ranks[one.unit_id],
                how=one.how,
                overall=one.overall,
                aspects=one.aspects,
                rules=one.rules,
                features=one.features,
                points=one.points,
                disposition=said.get(one.unit_id),
            )
            for one in found
        ],
    )


def _ranks(frozen: FrozenRun, ids: Sequence[str]) -> dict[str, int]:
    path = archived(frozen.run, frozen.settings, "scores")
    scores = pd.read_parquet(path, columns=["unit_id", "rank_fused"])
    some = scores[scores["unit_id"].isin(ids)]
    return dict(zip(some["unit_id"], some["rank_fused"].astype(int), strict=True))
