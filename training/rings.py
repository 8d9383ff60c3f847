"""How well published groups meet known rings: pure functions from tables to tables."""

from collections.abc import Sequence

import pandas as pd

TOPS = (20, 50, 100)  # groups that an office opens in a week, a month, a quarter


def ring_quality(
    members: pd.DataFrame, truth: pd.DataFrame, tops: Sequence[int] = TOPS
) -> pd.DataFrame:
    """Per number of first groups, how the rings are found in them.

    Columns: `groups` (how many there are), `members`; `found` of `rings` with a member
    in one of the groups and their share `coverage`; `purity`, of the members of groups
    that hold somebody of a ring the share that belongs to their group's commonest ring;
    `planted`, of all members the share that belongs to a ring; `completeness`, the mean
    over all rings of the largest share of a ring that stands in one group.

    Args:
        members: `unit_id` and `rank` of the unit's group; a unit stands once.
        truth: `unit_id` and `ring` of every unit; no ring is empty or null.
        tops: how many groups are opened, from rank 1 on.
    """
    known = truth.assign(ring=truth["ring"].replace("", pd.NA))
    sizes = known["ring"].value_counts()
    placed = members.merge(known, on="unit_id", how="left", validate="one_to_one")
    return pd.DataFrame([_at(placed, sizes, top) for top in tops])


def _at(placed: pd.DataFrame, sizes: pd.Series, top: int) -> dict[str, float]:
    first = placed[placed["rank"] <= top]
    together = first.groupby(["rank", "ring"]).size()
    commonest = together.groupby("rank").max()
    touched = first.groupby("rank").size().reindex(commonest.index)
    largest = together.groupby("ring").max().reindex(sizes.index, fill_value=0)
    found = int((largest > 0).sum())
    return {
        "top": top,
        "groups": int(first["rank"].nunique()),
        "members": len(first),
        "found": found,
        "rings": len(sizes),
        "coverage": _share(found, len(sizes)),
        "purity": _share(commonest.sum(), touched.sum()),
        "planted": _share(int(first["ring"].notna().sum()), len(first)),
        "completeness": float((largest / sizes).mean()),
    }


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
