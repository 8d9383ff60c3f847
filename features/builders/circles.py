"""Who pays whom, as arrays: what comes back and what goes round in a circle.

Reciprocity is that of weighted networks: of each pair the smaller amount comes back
(Squartini, Picciolo, Ruzzenenti and Garlaschelli 2013, Scientific Reports 3:2729). A
circle is a strongly connected component (Tarjan 1972), found by SciPy: what anybody in
it pays can come, through others, to anybody in it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from configs.network import FlowStat

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_WEDGES_AT_ONCE = 4_000_000  # about 0.3 GB


@dataclass(frozen=True, slots=True)
class Payments:
    """What each payer paid each payee, in all.

    Args:
        payer, payee: two different positions in [0, parties); every pair once, sorted
            by payer, then payee.
        amount: above 0.
    """

    payer: Ints
    payee: Ints
    amount: Floats
    parties: int

    def by_payer(self, amount: Floats) -> Floats:
        """Sum per party of an amount per payment; shape (parties,)."""
        total: Floats = np.bincount(self.payer, amount, self.parties).astype(np.float64)
        return total

    def share(self, amount: Floats) -> Floats:
        """Part of all that a party pays, in [0, 1]; NaN where it pays nothing."""
        out = self.by_payer(self.amount)
        part = np.minimum(self.by_payer(amount), out)
        return _ratio(part, out)

    def find(self, payer: Ints, payee: Ints) -> Ints:
        """Positions of these payments; -1 where nothing was paid."""
        keys = self.payer * self.parties + self.payee
        wanted = payer * self.parties + payee
        # In order, since looking up millions at random misses every cache.
        order = np.argsort(wanted)
        place = np.empty(len(wanted), np.int64)
        place[order] = np.searchsorted(keys, wanted[order])
        place = np.minimum(place, len(keys) - 1)
        return np.where(keys[place] == wanted, place, -1)

    def only(self, kept: Flags) -> "Payments":
        return Payments(
            self.payer[kept], self.payee[kept], self.amount[kept], self.parties
        )


@dataclass(frozen=True, slots=True)
class Circles:
    """The circles of payments, from which hubs are left out.

    A bank or a tax office has dealings with all and would make one circle of them.
    """

    payments: Payments
    is_hub: Flags  # of parties
    outside: Flags  # of payments: to or from a hub
    label: npt.NDArray[np.int32]  # of parties: their circle

    @property
    def inside(self) -> Flags:
        """Of payments: within one circle."""
        payer, payee = self.payments.payer, self.payments.payee
        same: Flags = self.label[payer] == self.label[payee]
        return same & ~self.outside


def circles(payments: Payments, hub: int) -> Circles:
    """Find the circles without parties of more than `hub` partners."""
    is_hub = _partners(payments) > hub
    outside = is_hub[payments.payer] | is_hub[payments.payee]
    _, label = connected_components(
        _matrix(payments.only(~outside)), directed=True, connection="strong"
    )
    return Circles(payments, is_hub, outside, label)


def flow_stats(
    payments: Payments, stats: Iterable[FlowStat], hub: int
) -> dict[FlowStat, Floats]:
    """Each statistic per party, shape (parties,); NaN where it has no meaning."""
    found = circles(payments, hub)
    return {stat: _STATS[stat](found) for stat in stats}


def _ratio(part: Floats, whole: Floats) -> Floats:
    """NaN where the whole is 0."""
    share = np.full(len(whole), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share


def _matrix(payments: Payments) -> csr_array:
    shape = (payments.parties, payments.parties)
    return csr_array((payments.amount, (payments.payer, payments.payee)), shape=shape)


def _partners(payments: Payments) -> Ints:
    """Different parties that one pays or is paid by; shape (parties,)."""
    matrix = _matrix(payments)
    partners: Ints = np.diff(csr_array(matrix + matrix.T).indptr)
    return partners


def _reciprocity(found: Circles) -> Floats:
    payments = found.payments
    return payments.share(np.minimum(payments.amount, _paid_back(payments)))


def _paid_back(payments: Payments) -> Floats:
    """What the payee of each payment pays to its payer."""
    back = payments.find(payments.payee, payments.payer)
    return np.where(back >= 0, payments.amount[back], 0.0)


def _circle_size(found: Circles) -> Floats:
    size = np.bincount(found.label)[found.label].astype(np.float64)
    return np.where(found.is_hub, np.nan, size)


def _circle_share(found: Circles) -> Floats:
    amount = np.where(found.inside, found.payments.amount, 0.0)
    return np.where(found.is_hub, np.nan, found.payments.share(amount))


def _hub_share(found: Circles) -> Floats:
    return found.payments.share(np.where(found.outside, found.payments.amount, 0.0))


def _round_trip_share(found: Circles) -> Floats:
    """What comes back in two or three payments, at most what the party is paid so."""
    inside = found.payments.only(found.inside)
    back = _paid_back(inside) + _through_one(inside)
    returned = inside.by_payer(np.minimum(inside.amount, back))
    income = np.bincount(inside.payee, inside.amount, inside.parties)
    out = found.payments.by_payer(found.payments.amount)
    return np.where(found.is_hub, np.nan, _ratio(np.minimum(returned, income), out))


def _through_one(payments: Payments) -> Floats:
    """What comes back to the payer of each payment through one party in between."""
    back = np.zeros(len(payments.amount))
    for sides in _triangles(payments):
        amounts = [payments.amount[side] for side in sides]
        for turn in range(3):
            rest = np.minimum(amounts[turn - 1], amounts[turn - 2])
            back += np.bincount(sides[turn], rest, len(back))
    return back


def _triangles(payments: Payments) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Every circle of three payments once, as their positions.

    Each is found at its corner of the fewest payments, which bounds the work by the
    power 1.5 of the payments however busy a party is (Chiba and Nishizeki 1985).
    """
    rank = _rank(payments)
    to_lower = np.flatnonzero(rank[payments.payee] < rank[payments.payer])
    to_higher = np.flatnonzero(rank[payments.payee] > rank[payments.payer])
    starts = np.searchsorted(payments.payer[to_higher], np.arange(payments.parties + 1))
    corner = payments.payee[to_lower]
    wedges = starts[corner + 1] - starts[corner]
    ends = np.cumsum(wedges)
    cuts = np.searchsorted(ends, np.arange(0, ends[-1:].sum(), _WEDGES_AT_ONCE))
    for part in np.split(np.arange(len(to_lower)), cuts[1:]):
        first = np.repeat(to_lower[part], wedges[part])
        nth = np.arange(len(first)) - np.repeat(
            np.cumsum(wedges[part]) - wedges[part], wedges[part]
        )
        second = to_higher[np.repeat(starts[corner[part]], wedges[part]) + nth]
        third = payments.find(payments.payee[second], payments.payer[first])
        closed = third >= 0
        yield first[closed], second[closed], third[closed]


def _rank(payments: Payments) -> Ints:
    """Parties by the number of their payments, ties by position."""
    ends = np.concatenate([payments.payer, payments.payee])
    rank = np.empty(payments.parties, np.int64)
    rank[np.argsort(np.bincount(ends, minlength=payments.parties), kind="stable")] = (
        np.arange(payments.parties)
    )
    return rank


_STATS = {
    "reciprocity": _reciprocity,
    "circle_size": _circle_size,
    "circle_share": _circle_share,
    "round_trip_share": _round_trip_share,
    "hub_share": _hub_share,
}
