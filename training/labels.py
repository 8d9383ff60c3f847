"""What dispositions teach: of each unit that people decided on, the label that holds."""

import numpy as np
import pandas as pd

from configs.tables import LABELS

CONFIRMED, EXCLUDED, WITHDRAWN = "confirmed", "excluded", "withdrawn"
OTHER = "other"
_KEY = ["run_id", "unit_id"]


def standing_labels(
    dispositions: pd.DataFrame, slots: pd.DataFrame, groups: pd.DataFrame
) -> pd.DataFrame:
    """The LABELS that hold, one row per labelled unit, by unit_id.

    The last disposition of a unit holds: confirmed is 1, excluded 0, and a withdrawn one
    0 where the decision that it withdraws was a confirmation. Whatever else stands last
    gives no label: an answer that is awaited is no negative.

    A label is of the run in which its review began, whose features were looked at:
    that of the first disposition of the standing verdict, or of the open ones (needs
    information, transferred) that led to it; a withdrawal is of the run of what it
    withdraws. `decided_at` is when the verdict was first given, `reviewer` who said last.

    Args:
        dispositions: run_id, unit_id, verdict, at, user; of two at one moment the later row
            is the later one.
        slots: run_id, unit_id, kind, propensity, of all runs concerned; a unit without
            a slot there came to be reviewed in another way.
        groups: run_id, unit_id, group_id; units that stand alone may be left out.
            Groups are numbered in each run anew.
    """
    history = _history(dispositions)
    last = history.groupby("unit_id", sort=True).tail(1)
    label = _label(last)
    found = last.assign(label=label)[label.notna()]
    found = found[["unit_id", "run_id", "label", "decided_at", "reviewer"]]
    found = _beside(found, groups[[*_KEY, "group_id"]])
    found = _beside(found, slots[[*_KEY, "kind", "propensity"]])
    found["kind"] = found["kind"].fillna(OTHER)
    found["propensity"] = found["propensity"].astype("float64")
    return found.sort_values("unit_id", ignore_index=True)[list(LABELS)]


def _beside(found: pd.DataFrame, further: pd.DataFrame) -> pd.DataFrame:
    # Without a row a column has lost its type.
    texts = dict.fromkeys(_KEY, "object")
    rows = further.astype(texts)
    return found.astype(texts).merge(rows, "left", _KEY, validate="1:1")


def _label(last: pd.DataFrame) -> pd.Series:
    flipped = (last["verdict"] == WITHDRAWN) & (last["decision"] == CONFIRMED)
    zero = (last["verdict"] == EXCLUDED) | flipped
    values = np.select([last["verdict"] == CONFIRMED, zero], [1.0, 0.0], np.nan)
    return pd.Series(values, last.index)


def _history(dispositions: pd.DataFrame) -> pd.DataFrame:
    """Dispositions by unit and time, each with the decision that stood by then.

    `decision` is the last confirmation or exclusion, `run_id` that in which its review
    began, `decided_at` the time of the first of equal verdicts in a row.
    """
    rows = dispositions.sort_values("at", kind="stable")
    rows = rows.sort_values("unit_id", kind="stable", ignore_index=True)
    unit, verdict = rows["unit_id"], rows["verdict"]
    before = verdict.groupby(unit).shift()
    changed = before.isna() | (verdict != before)
    closed = before.isin([CONFIRMED, EXCLUDED, WITHDRAWN])
    # An open verdict goes on to the decision that it waits for.
    begins = before.isna() | (closed & changed)
    decides = verdict.isin([CONFIRMED, EXCLUDED])
    began = rows["run_id"].groupby(begins.cumsum()).transform("first")
    return pd.DataFrame(
        {
            "unit_id": unit,
            "verdict": verdict,
            "decision": verdict.where(decides).groupby(unit).ffill(),
            "run_id": began.where(decides).groupby(unit).ffill(),
            "decided_at": rows["at"].groupby(changed.cumsum()).transform("first"),
            "reviewer": rows["user"],
        }
    )
