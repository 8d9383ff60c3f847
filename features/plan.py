"""Before which steps the units are computed: seldom, and where memory is short, narrow.

Steps become one query as long as it does not join too much and no step reads as rows what
the query itself makes. Between two queries all columns so far are written, which costs
more than most steps. Where memory is short they go to disk, and come back from there: then
the fewest columns are written, else queries are as long as can be. Of a million claims with
1.3 GB the first way took 130 and 150 CPU-seconds, the second 139 and 175; with 8 GB the
first 107, the second 99, on average of four runs. Of ten million with 10 GB, one run each,
what is planned here took 924 and 908.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from configs.schema import FeatureStep
from features.engine import Engine
from features.known import Known
from features.reads import reads

# Joins of one query at most: each holds a table in memory, and nests the text deeper.
_TOGETHER = 28
# Where there is less memory than so many bytes a unit, fewer, and a lookup counts twice: it
# holds each row of a register, with what is taken of it. A million claims need 1.5 GB with
# 28 joins and 1 GB with 16, but a fifth more time.
_ENOUGH, _WHERE_SHORT, _A_LOOKUP = 2_000, 16, 2


@dataclass(frozen=True, slots=True)
class _Step:
    """A step by its number.

    Attributes:
        joins: how many it counts as.
        needs: the units must not be computed last before an earlier step than this one.
    """

    number: int
    joins: int
    needs: int


def computed_before(known: Known, engine: Engine) -> frozenset[int]:
    """The numbers of the steps before which all columns so far are computed.

    Of all ways to cut the steps into queries it is the one that writes fewest columns where
    memory is short, elsewhere the fewest cuts, each as late as can be.
    """
    short = _is_short(known, engine)
    most = _WHERE_SHORT if short else _TOGETHER
    steps = [
        _Step(number, _joins(step, short), _needs(number, step, known))
        for number, step in enumerate(known.spec.features)
        if step.columns is None
    ]
    made = sorted(known.model.known.made.values())
    # For the steps so far: what is written, and the cuts, with a minus: later ones first.
    best: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    for end, step in enumerate(steps[1:], start=1):
        written, cuts = min(best[start] for start in _starts(steps[:end], most))
        columns = bisect_left(made, step.number) if short else 1
        best.append((written + columns, (*cuts, -step.number)))
    _, cuts = min((best[start] for start in _starts(steps, most)), default=best[0])
    return frozenset(-cut for cut in cuts)


def _starts(steps: Sequence[_Step], most: int) -> Iterator[int]:
    """Places of the steps that the last query, with all after them, can begin with."""
    joins = needs = 0
    for place in reversed(range(len(steps))):
        step = steps[place]
        joins, needs = joins + step.joins, max(needs, step.needs)
        alone = place == len(steps) - 1
        if needs > step.number or (joins > most and not alone):
            return
        yield place


def _needs(number: int, step: FeatureStep, known: Known) -> int:
    """The number of the first step with all that this one reads before it."""
    columns, made = reads(step, known), known.model.known.made
    if columns is None:
        return number
    return 1 + max((made.get(name, -1) for name in columns), default=-1)


def _is_short(known: Known, engine: Engine) -> bool:
    """Whether the engine has little memory for so many units, or does not know its own."""
    memory = engine.memory()
    return memory is None or memory < _ENOUGH * known.units


def _joins(step: FeatureStep, short: bool) -> int:
    """How many joins a step counts as."""
    if step.coverage:
        return len(step.coverage.sources)
    return _A_LOOKUP if short and step.lookup else 1
