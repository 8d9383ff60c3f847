"""Ordinary wage claims, and how planted groups are sized and marked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.simulation.sampling import (
    Bools,
    Floats,
    Ints,
    Rng,
    Times,
    between,
    chance,
    days,
    lognormal,
    pick,
    uneven_sizes,
)
from training.simulation.wages_world import (
    EVASION_FROM,
    FIRST_DAY,
    LATE_STAFF_RATE,
    World,
)

Draw = Callable[[Rng, World, int, int], pd.DataFrame]

KIND_NAMES = ("wage", "severance", "double_pay", "injury", "bonus", "expense")
KIND_SHARES = (0.80, 0.11, 0.01, 0.02, 0.03, 0.03)
ARBITRATED_RATE = 0.55  # the others are listed by the administrator without filing
AGENT_RATE = 0.45
IOU_RATES = {"builder": 0.12, "factory": 0.03, "freight": 0.04}
WORKMATE_ACCOUNT_RATE = 0.02
NOBODY = -1
NO_DAY = np.datetime64("NaT")
IOU_STYLES = 216  # ways to word an IOU; a group has its own


@dataclass(frozen=True, slots=True)
class Planted:
    """One kind of planted group: how much of it, in groups of what size, and when."""

    name: str
    share: float  # of all claims
    group_size: int  # mean claims per group; 0 = claims stand alone
    minimum: int  # claims planted even in the smallest simulation
    draw: Draw
    fraud: bool = False
    before: bool | None = None  # of the regime change; None: at any time
    kinds: tuple[str, ...] = ("factory", "builder", "freight")


def column(rows: pd.DataFrame, name: str) -> Ints:
    """A column of positions."""
    return np.asarray(rows[name].to_numpy(), dtype=np.int64)


def debtor_column(world: World, rows: pd.DataFrame, name: str) -> np.ndarray:
    """What is known about the debtor of each claim."""
    return np.asarray(world.debtors[name].to_numpy()[column(rows, "debtor")])


def draft(rng: Rng, world: World, staff: pd.DataFrame) -> pd.DataFrame:
    """One honest claim for each of the given members of staff."""
    size = len(staff)
    rows = staff.reset_index(drop=True)
    rows = rows.assign(bulk=flags(rows, "insured") & chance(rng, size, LATE_STAFF_RATE))
    stop = debtor_column(world, rows, "stop")
    months = lognormal(rng, 5, 0.5, size).round().clip(1, 14).astype(np.int64)
    rows = rows.assign(
        end=stop - days(between(rng, 0, 20, size)),
        months=months,
        monthly=np.round(rows["pay"] * lognormal(rng, 1.0, 0.06, size), -1),
        kind=pick(rng, KIND_NAMES, size, KIND_SHARES),
        docs=_documents(rng, world, rows),
    )
    rows["start"] = claimed_from(rows)
    rows["amount"] = amounts(rng, rows)
    rows = rows.assign(
        group=NOBODY, fraud=0, typology="", hard_negative="", style=NOBODY
    )
    return with_iou(rng, _filed(rng, world, rows))


def claimed_from(rows: pd.DataFrame) -> Times:
    """The first day of the claimed period."""
    start = rows["end"].to_numpy() - days(column(rows, "months") * 30)
    return np.asarray(np.maximum(start.astype("datetime64[D]"), FIRST_DAY))


def amounts(rng: Rng, rows: pd.DataFrame) -> Floats:
    """Months times pay for wages, other measures for other kinds; some rounded."""
    size = len(rows)
    monthly = rows["monthly"].to_numpy(dtype=float)
    wage = rows["months"].to_numpy() * monthly * rng.normal(1, 0.10, size).clip(0.6)
    factor = {
        "severance": rows["tenure"].to_numpy() * 1.0,
        "double_pay": between(rng, 3, 11, size) * 1.0,
        "injury": lognormal(rng, 9, 0.6, size),
        "bonus": lognormal(rng, 2, 0.5, size),
        "expense": lognormal(rng, 0.5, 0.5, size),
    }
    kind = rows["kind"].to_numpy(dtype=object)
    amount = wage
    for name, times in factor.items():
        amount = np.where(kind == name, times * monthly, amount)
    hundred, thousand = chance(rng, size, 0.25), chance(rng, size, 0.08)
    amount = np.where(hundred, np.round(amount, -2), amount)
    amount = np.where(thousand, np.round(amount, -3), amount)
    return np.asarray(np.round(amount.clip(500), 2), dtype=np.float64)


def _documents(rng: Rng, world: World, rows: pd.DataFrame) -> Ints:
    """Bits: 1 contract, 2 payslip, 4 bank record, 8 IOU."""
    size = len(rows)
    insured = flags(rows, "insured")
    debtor_kind = debtor_column(world, rows, "kind")
    owed = pd.Series(debtor_kind).map(IOU_RATES).to_numpy(dtype=float)
    iou = chance(rng, size, np.where(insured, owed / 2, owed * 3))
    contract = chance(rng, size, np.where(insured, 0.82, 0.25))
    payslip = chance(rng, size, np.where(insured, 0.6, 0.3))
    bank = chance(rng, size, np.where(insured, 0.65, 0.35))
    bits = contract * 1 + payslip * 2 + bank * 4 + iou * 8
    return np.where(bits == 0, np.where(iou, 8, 2), bits).astype(np.int64)


def flags(rows: pd.DataFrame, name: str) -> Bools:
    return np.asarray(rows[name].to_numpy(), dtype=np.bool_)


def _filed(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Whether, when and through whom it came to arbitration; when it was listed."""
    size = len(rows)
    stop, accepted = (debtor_column(world, rows, n) for n in ("stop", "accepted"))
    room = (accepted - stop).astype("timedelta64[D]").astype(np.int64) - 8
    # Workers go together: three days per debtor bring most of them.
    tides = rng.random((len(world.debtors), 3))
    tide = tides[column(rows, "debtor"), rng.integers(0, 3, size)]
    place = np.where(chance(rng, size, 0.6), tide, rng.random(size))
    filed = stop + days((place * room).astype(np.int64) + between(rng, 5, 7, size))
    usual = world.debtor_agents[column(rows, "debtor"), (rng.random(size) < 0.25) * 1]
    asked = chance(rng, size, AGENT_RATE)
    return settled(
        rng,
        rows.assign(
            arbitrated=chance(rng, size, ARBITRATED_RATE),
            filed=np.minimum(filed, accepted - days(np.array(1))),
            close_kind=pick(rng, ("award", "mediation"), size, (0.55, 0.45)),
            quick=chance(rng, size, 0.10),
            body=chance(rng, size, 0.1) * 1,
            agent=np.where(asked, usual, NOBODY),
            phone_of=np.where(asked & chance(rng, size, 0.03), usual, rows["person"]),
            account_of=_accounts(rng, rows),
            cut=1.0,
            cut_reason=False,
            listed=accepted + days(between(rng, 10, 60, size)),
        ),
    )


def _accounts(rng: Rng, rows: pd.DataFrame) -> Ints:
    """One's own account, seldom that of a workmate of the same debtor."""
    person, debtor = column(rows, "person"), column(rows, "debtor")
    order = np.argsort(debtor, kind="stable")
    mate = np.empty(len(rows), dtype=np.int64)
    mate[order] = person[np.roll(order, 1)]
    return np.where(chance(rng, len(rows), WORKMATE_ACCOUNT_RATE), mate, person)


def settled(rng: Rng, rows: pd.DataFrame) -> pd.DataFrame:
    """When cases were closed and what was recognised of the claim."""
    size = len(rows)
    award = (rows["close_kind"] == "award").to_numpy()
    lasts = np.where(award, between(rng, 25, 60, size), between(rng, 4, 28, size))
    lasts = np.where(~award & flags(rows, "quick"), between(rng, 0, 3, size), lasts)
    hardship = chance(rng, size, 0.012) & ~award
    cut = np.where(award, rng.uniform(0.8, 1.0, size), rng.uniform(0.7, 1.0, size))
    cut = np.where(hardship, rng.uniform(0.3, 0.6, size), cut)
    return rows.assign(
        closed=rows["filed"].to_numpy() + days(lasts),
        cut=np.where(chance(rng, size, 0.55), 1.0, cut),
        cut_reason=hardship & chance(rng, size, 0.7),
    )


def with_iou(rng: Rng, rows: pd.DataFrame) -> pd.DataFrame:
    """Day, sum and wording of the IOU, where there is one."""
    size = len(rows)
    has = (column(rows, "docs") & 8) > 0
    day = rows["end"].to_numpy() + days(between(rng, -10, 60, size))
    dated = has & ~chance(rng, size, 0.1)
    amount = rows["amount"].to_numpy(dtype=float)
    less = chance(rng, size, 0.03)
    written = np.where(less, amount * rng.uniform(0.7, 0.97, size), amount)
    style = column(rows, "style")
    drawn = rng.integers(0, IOU_STYLES, size)
    return rows.assign(
        iou_day=np.where(dated, day, NO_DAY),
        iou_amount=np.where(has, np.round(written), np.nan),
        style=np.where(has, np.where(style >= 0, style, drawn), NOBODY),
    )


def group_sizes(rng: Rng, planted: Planted, claims: int) -> list[int]:
    """Sizes of the groups, uneven by about a third."""
    total = max(planted.minimum, round(planted.share * claims))
    if not planted.group_size:
        return [total]
    count = max(1, round(total / planted.group_size))
    return uneven_sizes(rng, total, count, 0.25, 2)


def plant(
    rng: Rng, world: World, kinds: Sequence[Planted], claims: int
) -> pd.DataFrame:
    """Draw all groups of all kinds, marked with what they are."""
    parts: list[pd.DataFrame] = []
    taken = np.zeros(len(world.debtors), dtype=np.int64)
    for planted in kinds:
        for size in group_sizes(rng, planted, claims):
            debtor = _debtor_for(rng, world, planted, taken)
            taken[debtor] += planted.group_size > 0
            part = planted.draw(rng, world, debtor, size)
            parts.append(_marked(part, planted, len(parts)))
    return pd.concat(parts, ignore_index=True)


def _debtor_for(rng: Rng, world: World, planted: Planted, taken: Ints) -> int:
    """A debtor of the right time and kind, preferably one without a planted group."""
    rows = world.debtors
    fits = rows["kind"].isin(planted.kinds).to_numpy().copy()
    early = rows["accepted"].to_numpy() < EVASION_FROM
    if planted.before is not None:
        fits &= early == planted.before
    if not fits.any():
        fits = np.ones(len(rows), dtype=np.bool_)
    fresh = np.flatnonzero(fits & (taken == taken[fits].min()))
    large = fresh[np.argsort(rows["size"].to_numpy()[fresh])][len(fresh) // 3 :]
    return int(rng.choice(large))


def _marked(rows: pd.DataFrame, planted: Planted, group: int) -> pd.DataFrame:
    return rows.assign(
        fraud=int(planted.fraud),
        typology=planted.name if planted.fraud else "",
        hard_negative="" if planted.fraud else planted.name,
        group=group if planted.group_size and planted.fraud else NOBODY,
    )


def styled(rng: Rng, size: int) -> Ints:
    """One wording for all IOUs of a group."""
    return np.full(size, int(rng.integers(0, IOU_STYLES)))
