"""How the rivals of repeated contests take turns at winning.

In bid rotation the members of a cartel all go on bidding but take turns at being the
winner (OECD 2009, Guidelines for Fighting Bid Rigging in Public Procurement); that it
shows in who wins against whom, over many tenders, Imhof, Karagoek and Rutz (2018,
Journal of Competition Law & Economics 14:235).

Cost: `win_share` and `turns` are linear in the entries, `rivals` and `rotation` in the
pairs of each contest. All four take 3.5 CPU seconds for a million entries in contests of
8 and 17 for five times that (3.7 GB); in contests of 50, 8 for a million.
"""

import ibis
from ibis.expr.types import Table, Value

from configs.network import RotationSpec
from features.builders.aggregates import FRACTION, number, ratio
from features.expressions import compile_text
from features.links import Link, strong
from features.sources import EVENT

_PARTY, _CONTEST, _WON, _AT, _SIZE = "_party", "_contest", "_won", "_at", "_size"
_PAIR = ["_one", "_other"]
_NONE_IS_0 = frozenset({"rivals", "turns"})


def rotation_features(
    units: Table, rows: Table, step: RotationSpec, link: Link, contest: str
) -> Table:
    """The units with one more column `<named>_<stat>` per statistic.

    Null where the unit's party is unknown; `win_share` also where the outcome of none
    of its contests is known, `rotation` where no two contests were won by either it or
    the same rival. A party that met nobody twice has 0 rivals and took 0 turns.

    Args:
        rows: of the source, already limited to what was known at `as_of`.
        link: from the unit's party to the source's.
        contest: a column of the source.

    An entry whose `won` is null has no known outcome: where only winners are marked,
    `won` is to say so (`coalesce(won, false)`).
    """
    entries = _entries(rows, step, link, contest)
    paired = entries.filter(entries[_SIZE] <= step.max_parties)
    party = link.unit_keys(units)[link.keys[0]]
    joined = units.mutate(**{_PARTY: party})
    for stat in step.stats:
        found = _STATS[stat](entries if stat == "win_share" else paired)
        joined = joined.left_join(found, _PARTY).drop(f"{_PARTY}_right")
    features = {f"{step.named}_{stat}": _feature(joined, stat) for stat in step.stats}
    return joined.select(*units.columns, **features)


def _feature(joined: Table, stat: str) -> Value:
    value = number(joined[f"_{stat}"])
    if stat not in _NONE_IS_0:
        return value
    return ibis.ifelse(joined[_PARTY].notnull(), value.fill_null(0.0), ibis.null())


def _entries(rows: Table, step: RotationSpec, link: Link, contest: str) -> Table:
    """One row per party and contest, whatever number of bids it made there."""
    if step.where is not None:
        rows = rows.filter(compile_text(step.where, rows))
    taken = rows.select(
        **{_PARTY: link.source_keys(rows)[link.keys[0]]},
        **{_CONTEST: strong(rows, contest).cast("string")},
        **{_WON: compile_text(step.won, rows).cast("int64")},
        **{_AT: rows[EVENT].epoch_seconds()},
    )
    taken = taken.filter(taken[_PARTY].notnull() & taken[_CONTEST].notnull())
    entries = taken.group_by(_CONTEST, _PARTY).aggregate(
        **{_WON: taken[_WON].max(), _AT: taken[_AT].max()}
    )
    whole = ibis.window(group_by=_CONTEST)
    return entries.mutate(
        **{_AT: entries[_AT].max().over(whole), _SIZE: entries.count().over(whole)}
    )


def _win_share(entries: Table) -> Table:
    """Contests won, of those of known outcome."""
    return entries.group_by(_PARTY).aggregate(
        _win_share=ratio(entries[_WON].sum(), entries[_WON].count())
    )


def _rivals(entries: Table) -> Table:
    """Different others that were met in at least two contests."""
    sides = _both_sides(_met(entries))
    return sides.group_by(_PARTY).aggregate(_rivals=sides.count())


def _turns(entries: Table) -> Table:
    """The most switches of the winner with any one rival."""
    sides = _both_sides(_switches(entries))
    return sides.group_by(_PARTY).aggregate(_turns=sides["_switches"].max())


def _rotation(entries: Table) -> Table:
    """Mean share of switches over the rivals, weighted by the contests together.

    The weight counts the contests that a third one won, too: in a ring of many, its
    members meet more often than they beat each other.
    """
    pairs = _switches(entries).inner_join(_met(entries), _PAIR)
    share = ratio(pairs["_switches"], pairs["_won"] - 1)
    pairs = pairs.mutate(_part=(share * pairs["_met"]).cast(FRACTION))
    sides = _both_sides(pairs)
    return sides.group_by(_PARTY).aggregate(
        _rotation=ratio(sides["_part"].sum(), sides["_met"].sum())
    )


def _met(entries: Table) -> Table:
    """One row per pair that met at least twice, with the number of contests."""
    again = entries.count().over(ibis.window(group_by=_PARTY)) >= 2
    often = entries.mutate(_again=again)
    often = often.filter(often["_again"])
    one = often.select(_CONTEST, _one=often[_PARTY])
    other = often.select(_CONTEST, _other=often[_PARTY])
    met = one.inner_join(other, [_CONTEST, one["_one"] < other["_other"]])
    pairs = met.group_by(_PAIR).aggregate(_met=met.count())
    return pairs.filter(pairs["_met"] >= 2)


def _switches(entries: Table) -> Table:
    """One row per pair that won at least two of its contests, and how it took turns."""
    duels = _duels(entries)
    # The contest makes the order total: many are dated by the year alone.
    before = ibis.window(group_by=_PAIR, order_by=[_AT, _CONTEST])
    duels = duels.mutate(_before=duels["_one_won"].lag().over(before))
    duels = duels.mutate(
        _switched=(duels["_before"] != duels["_one_won"]).cast("int64")
    )
    pairs = duels.group_by(_PAIR).aggregate(
        _won=duels.count(), _switches=duels["_switched"].sum()
    )
    return pairs.filter(pairs["_won"] >= 2)


def _duels(entries: Table) -> Table:
    """Per contest and winner one row for each loser; contests without date left out.

    Joining the winners alone keeps this linear in the entries where a contest has one.
    """
    dated = entries.filter(entries[_AT].notnull())
    won = dated[_WON].fill_null(0) == 1
    winners = dated.filter(won).select(_CONTEST, _AT, _winner=dated[_PARTY])
    losers = dated.filter(~won).select(_CONTEST, _loser=dated[_PARTY])
    met = winners.inner_join(losers, _CONTEST)
    return met.select(
        _CONTEST,
        _AT,
        _one=ibis.least(met["_winner"], met["_loser"]),
        _other=ibis.greatest(met["_winner"], met["_loser"]),
        _one_won=met["_winner"] < met["_loser"],
    )


def _both_sides(pairs: Table) -> Table:
    """Each pair once for either party, as `_party`."""
    one = pairs.rename({_PARTY: "_one"}).drop("_other")
    other = pairs.rename({_PARTY: "_other"}).drop("_one")
    return one.union(other)


_STATS = {
    "rivals": _rivals,
    "win_share": _win_share,
    "rotation": _rotation,
    "turns": _turns,
}
