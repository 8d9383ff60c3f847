"""A peer feature's own value beside the median of the peers, from the units table."""

import re

import pandas as pd

from configs.column import Column
from configs.loading import LoadedModel
from configs.schema import PeersSpec
from features.builders.peers import peer_medians
from flows.catalog import Catalog
from flows.engineer import UNITS
from flows.frames import frame_of

# A median stands at the same unit on either scale, so people are shown the plain one.
_RISING = re.compile(r"\s*(?:log1p|ln|sqrt)\(\s*(\w+)\s*\)\s*")
COLUMNS = ("unit_id", "feature", "plain", "value", "median", "peers")


def peer_groups(
    catalog: Catalog, model: LoadedModel, reasons: pd.DataFrame
) -> pd.DataFrame:
    """For each reason of the family peers: unit_id, feature, plain, value, median, peers.

    `plain` is the column that is compared, or the one that it is the logarithm or root
    of; `peers` is 0 where the group is too small and all units stand in for it.
    """
    compared = compared_columns(model)
    wanted = reasons[reasons["feature"].isin(compared)]
    parts = []
    for feature, asked in wanted.groupby("feature", sort=False):
        step, plain = compared[str(feature)]
        found = peer_medians(catalog.read(UNITS), step, plain)
        chosen = found.filter(found["unit_id"].isin(asked["unit_id"].tolist()))
        parts.append(frame_of(catalog, chosen).assign(feature=feature, plain=plain))
    known = [part for part in parts if len(part)]
    return pd.concat(known)[list(COLUMNS)] if known else pd.DataFrame(columns=COLUMNS)


def compared_columns(model: LoadedModel) -> dict[str, tuple[PeersSpec, str]]:
    """Peer feature -> its step, and the plain column that it compares."""
    return {
        f"{value}_{stat}_{step.peers.named}": (step.peers, _plain(model, value))
        for step in model.spec.features
        if step.peers is not None
        for value in step.peers.value
        for stat in step.peers.stat
    }


def _plain(model: LoadedModel, name: str) -> str:
    """The number that a column is a rising function of, where its declaration says so."""
    derived = {
        key: step.expression
        for entry in model.spec.features
        for key, step in (entry.derive or {}).items()
    }
    found = _RISING.fullmatch(derived.get(name, ""))
    inner: Column | None = model.known.columns.get(found[1]) if found else None
    return inner.name if inner is not None and inner.kind == "number" else name
