"""How far a unit's number lies from its peers'.

Robust z: Iglewicz and Hoaglin (1993), (x - median) / (1.4826 MAD), with 1.2533 times the
mean absolute deviation where the MAD is 0. Group statistics are shrunk towards those of
all units with weight n / (n + shrink), and not used at all under `min_size` peers.

A robust z is told in steps of a twentieth, so that it is off by a fortieth at most; the
median of 2,500 peers errs by as much (1.2533 / sqrt(n)). When few rows change, medians and
scales move a little, and with steps most of the peers still keep their z.
"""

from collections.abc import Iterator
from typing import Any

import ibis
from ibis.expr.types import Table, Value

from configs.schema import PeersSpec
from features.builders.aggregates import EXACT, TOO_LARGE, ratio
from features.found import Found

_MAD_TO_SD = 1.4826
_MEAN_DEVIATION_TO_SD = 1.2533
_STEPS = 20  # of 1
_WHOLE = 2.0**52  # from here on every float is a whole number
_NO_GROUP = "(unknown)"


def peers_found(units: Table, step: PeersSpec) -> Iterator[Found]:
    """One column per value and statistic.

    Args:
        units: computed, with the values and what groups are made of.
    """
    known = units.select("unit_id", *step.value, _group=_group(units, step.within))
    for value in step.value:
        peers = known.select("unit_id", "_group", _x=known[value].cast("float64"))
        peers = peers.filter(peers["_x"].notnull())
        if "robust_z" in step.stat:
            yield _robust_z(peers, value, step)
        if "percentile" in step.stat:
            yield _percentile(peers, value, step)


def peer_medians(units: Table, step: PeersSpec, value: str) -> Table:
    """Per unit with a known value: `value`, the peers' `median` and their number `peers`.

    Under `min_size` peers the median is that of all units, and `peers` is 0.
    """
    grouped = units.mutate(_group=_group(units, step.within))
    known = grouped.select("unit_id", "_group", value=grouped[value].cast("float64"))
    known = known.filter(known["value"].notnull())
    group = known.group_by("_group").aggregate(
        _n=known.count(), _median=known["value"].median()
    )
    whole = known.aggregate(_all=known["value"].median())
    joined = known.left_join(group, "_group").cross_join(whole)
    enough = joined["_n"] >= step.min_size
    return joined.select(
        "unit_id",
        "value",
        median=ibis.ifelse(enough, joined["_median"], joined["_all"]),
        peers=ibis.ifelse(enough, joined["_n"], 0),
    )


def peer_percentiles(
    units: Table, within: tuple[str, ...], value: str, min_size: int
) -> Table:
    """`unit_id` and `percentile`: the share of the unit's peers with a smaller value.

    Peers are the other units of its group; what is equal is not smaller, so the lowest of
    a group have 0 and a single highest one has 1. Every unit needs a value; those in a
    group of fewer than `min_size` units are left out.
    """
    grouped = units.select("unit_id", _group=_group(units, within), _x=units[value])
    ranked = grouped.select(
        "unit_id",
        percentile=ibis.percent_rank().over(
            ibis.window(group_by="_group", order_by="_x")
        ),
        _n=grouped.count().over(ibis.window(group_by="_group")),
    )
    enough = ranked.filter(ranked["_n"] >= min_size)
    return enough.select("unit_id", "percentile")


def _group(units: Table, within: tuple[str, ...]) -> Value:
    parts = [units[name].cast("string").fill_null(_NO_GROUP) for name in within]
    return ibis.literal("\x1f").join(parts)


def _robust_z(peers: Table, value: str, step: PeersSpec) -> Found:
    name = f"{value}_robust_z_{step.named}"
    centre, scale = f"_centre_{name}", f"_scale_{name}"
    group = peers.group_by("_group").aggregate(
        _n=peers.count(), _median=peers["_x"].median()
    )
    whole = peers.aggregate(_median_all=peers["_x"].median())
    centred = peers.left_join(group, "_group").cross_join(whole)
    deviation = (centred["_x"] - centred["_median"]).abs()
    deviation_all = (centred["_x"] - centred["_median_all"]).abs()
    centred = centred.select("_group", _d=deviation, _d_all=deviation_all)
    spread = centred.group_by("_group").aggregate(_spread=_scale(centred["_d"]))
    spread_all = centred.aggregate(_spread_all=_scale(centred["_d_all"]))
    # Small: a row per group. What a unit without a value lacks there, it does not need.
    found = group.left_join(spread, "_group").drop("_group_right")
    found = found.cross_join(whole).cross_join(spread_all)
    weight = _weight(found["_n"], step)
    middle = _mixed(weight, found["_median"], found["_median_all"])
    width = _mixed(weight, found["_spread"], found["_spread_all"])
    found = found.select("_group", **{centre: middle, scale: width.nullif(0.0)})
    return Found(
        found,
        lambda units: {"_group": _group(units, step.within)},
        frozenset((value, *step.within)),
        lambda units: {
            name: _in_steps(
                (units[value].cast("float64") - units[centre]) / units[scale]
            )
        },
    )


def _in_steps(z: Any) -> Value:
    """To the nearest step; what is too large for a whole number of them stays as it is."""
    steps = z * _STEPS
    whole = steps.round().cast("float64") / _STEPS
    return ibis.ifelse(steps.abs() < _WHOLE, whole, z)


def _scale(deviation: Any) -> Value:
    mad = deviation.median()
    exact = ibis.ifelse(deviation < TOO_LARGE, deviation, ibis.null()).cast(EXACT)
    mean = ratio(exact.sum(), exact.count())
    return ibis.ifelse(mad > 0, mad * _MAD_TO_SD, mean * _MEAN_DEVIATION_TO_SD)


def _percentile(peers: Table, value: str, step: PeersSpec) -> Found:
    name = f"{value}_percentile_{step.named}"
    within = ibis.window(group_by="_group", order_by="_x")
    smaller = ibis.percent_rank()
    ranked = peers.select(
        "unit_id",
        _within=smaller.over(within),
        _n=peers.count().over(ibis.window(group_by="_group")),
        _all=smaller.over(ibis.window(order_by="_x")),
    )
    share = _mixed(_weight(ranked["_n"], step), ranked["_within"], ranked["_all"])
    ranked = ranked.select("unit_id", **{name: share})
    return Found.by_unit(ranked, lambda units: {name: units[name]})


def _weight(size: Any, step: PeersSpec) -> Value:
    enough = size.fill_null(0) >= step.min_size
    shrunk = size.cast("float64") / (size.cast("float64") + step.shrink)
    return ibis.ifelse(enough, shrunk, 0.0)


def _mixed(weight: Any, group: Any, whole: Any) -> Value:
    return weight * group.fill_null(0.0) + (1.0 - weight) * whole
