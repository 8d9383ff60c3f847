"""What must hold of bands, of reasons and parts, and of the slots of a list."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from configs.errors import StoreError
from serving.checks import check_known, check_ranks, check_scale

REASON_KINDS = ("value", "relation", "peers", "network")
SLOT_KINDS = ("top", "explore")
STRATA = ("top", "near", "far", "below")
PARTS = ("detector", "rule", "neighbours", "reviews")


def check_bands(leads: pa.Table) -> None:
    """A band is known at both ends or at none; its ends lie in [0, 1], in order."""
    low, high = leads["band_low"], leads["band_high"]
    check_scale("leads.band_low", low, "every share lies")
    check_scale("leads.band_high", high, "every share lies")
    half = pc.not_equal(pc.is_null(low), pc.is_null(high))
    wrong = leads.filter(pc.or_(half, pc.fill_null(pc.greater(low, high), False)))
    if wrong.num_rows:
        first = wrong.slice(0, 1).to_pylist()[0]
        raise StoreError(
            f"columns leads.band_low and band_high: unit {first['unit_id']!r} has "
            f"{first['band_low']!r} to {first['band_high']!r}; give both, the lower one "
            "first, or null in both"
        )


def check_review(tables: Mapping[str, pa.Table]) -> None:
    """Kinds are known, slots are numbered and drawn, ranks begin at 1."""
    check_known("reasons.kind", _distinct(tables["reasons"], "kind"), REASON_KINDS)
    parts = {str(part).partition(":")[0] for part in _distinct(tables["parts"], "part")}
    check_known("parts.part", parts, PARTS)
    _check_slots(tables["slots"])
    ranks = tables["counterfactuals"]["rank"]
    if len(ranks) and pc.min(ranks).as_py() < 1:
        raise StoreError(
            f"column counterfactuals.rank: got {pc.min(ranks).as_py()}; ranks begin at 1"
        )


def _check_slots(slots: pa.Table) -> None:
    check_known("slots.kind", _distinct(slots, "kind"), SLOT_KINDS)
    check_known("slots.stratum", _distinct(slots, "stratum"), STRATA)
    check_ranks("slots.position", slots["position"])
    share = slots["propensity"]
    if len(share) and not (pc.min(share).as_py() > 0 and pc.max(share).as_py() <= 1):
        raise StoreError(
            f"column slots.propensity: got values from {pc.min(share).as_py()!r} to "
            f"{pc.max(share).as_py()!r}; the share drawn of a stratum lies in (0, 1]"
        )


def _distinct(table: pa.Table, column: str) -> list[str]:
    return [str(value or "") for value in table[column].unique().to_pylist()]
