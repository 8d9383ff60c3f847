"""Which label holds for a unit, after all that people said of it."""

import time
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from configs.tables import LABELS
from training.labels import standing_labels

START = datetime(2025, 1, 1)
WORDS = {
    "c": "confirmed",
    "x": "excluded",
    "n": "needs_information",
    "t": "transferred",
    "w": "withdrawn",
}


def said(unit: str, *story: str) -> pd.DataFrame:
    """Dispositions of one unit a day apart; `cA` = confirmed in run A."""
    rows = [
        {
            "model": "m",
            "run_id": word[1:],
            "unit_id": unit,
            "verdict": WORDS[word[0]],
            "reason": "r",
            "user": "li",
            "at": START + timedelta(days=day),
        }
        for day, word in enumerate(story)
    ]
    return pd.DataFrame(rows)


def slots(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["run_id", "unit_id", "kind", "propensity"])


def groups(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["run_id", "unit_id", "group_id"])


STORIES = {
    # what people said -> label, the run of the review, the day of the verdict
    "cA": (1, "A", 0),
    "xA": (0, "A", 0),
    "nA": None,
    "tA": None,
    "wA": None,
    "cA cB": (1, "A", 0),  # said again: the first time counts
    "cA xB": (0, "B", 1),
    "xA cB": (1, "B", 1),
    "cA xB cC": (1, "C", 2),
    "cA xB cC cD": (1, "C", 2),
    "cA wB": (0, "A", 1),  # a withdrawn confirmation flips
    "cA wB wC": (0, "A", 1),
    "cA cB wC": (0, "A", 2),
    "xA wB": None,  # an exclusion that no longer holds says nothing
    "cA xB wC": None,
    "cA tB wC": (0, "A", 2),
    "cA nB": None,  # opened again
    "cA tB": None,
    "nA cB": (1, "A", 1),  # the review began in A
    "tA nB xC": (0, "A", 2),
    "cA nB cC": (1, "B", 2),
    "cA wB cC": (1, "C", 2),
    "wA cB": (1, "B", 1),
}


@pytest.mark.parametrize("story", STORIES)
def test_the_last_disposition_holds(story: str) -> None:
    found = standing_labels(said("u", *story.split()), slots(), groups())

    if STORIES[story] is None:
        assert found.empty
        return
    label, run, day = STORIES[story]  # type: ignore[misc]
    (row,) = found.to_dict("records")
    assert (row["label"], row["run_id"]) == (label, run)
    assert row["decided_at"] == START + timedelta(days=day)


def test_time_and_not_the_order_of_rows_says_what_is_last() -> None:
    story = said("u", "cA", "xB")

    assert standing_labels(story[::-1], slots(), groups())["label"].item() == 0
    story["at"] = START  # at one moment: the later row
    assert standing_labels(story, slots(), groups())["label"].item() == 0
    assert standing_labels(story[::-1], slots(), groups())["label"].item() == 1


def test_labels_tell_how_a_unit_came_to_be_reviewed_and_its_ring() -> None:
    dispositions = pd.concat(
        [said("b", "nA", "cB"), said("a", "xA"), said("c", "xB"), said("d", "nA")]
    )
    drawn = slots(
        ("A", "a", "explore", 0.02), ("A", "b", "top", 1.0), ("B", "b", "explore", 0.5)
    )
    rings = groups(
        ("A", "a", None), ("A", "b", "G1"), ("B", "b", "G7"), ("B", "c", "G1")
    )

    found = standing_labels(dispositions, drawn, rings)

    assert list(found) == list(LABELS)
    assert list(found["unit_id"]) == ["a", "b", "c"]
    assert list(found["kind"]) == ["explore", "top", "other"]
    assert list(found["propensity"].fillna(-1)) == [0.02, 1.0, -1]
    assert list(found["group_id"].fillna("")) == ["", "G1", "G1"]


def test_a_label_names_who_said_the_last_word() -> None:
    story = said("u", "nA", "cB", "cB").assign(user=["li", "wang", "zhao"])

    found = standing_labels(story, slots(), groups())

    assert found["reviewer"].item() == "zhao"
    assert found["decided_at"].item() == START + timedelta(days=1)


def test_without_dispositions_there_are_no_labels() -> None:
    found = standing_labels(said("u")[:0].reindex(columns=DISPOSED), slots(), groups())

    assert list(found) == list(LABELS)
    assert found.empty


DISPOSED = ["model", "run_id", "unit_id", "verdict", "reason", "user", "at"]


def plainly(story: pd.DataFrame) -> dict[str, float]:
    """The same, unit by unit."""
    found = {}
    for name, rows in story.sort_values("at", kind="stable").groupby("unit_id"):
        unit, verdicts = str(name), list(rows["verdict"])
        decided = [v for v in verdicts if v in ("confirmed", "excluded")]
        if verdicts[-1] in ("confirmed", "excluded"):
            found[unit] = float(verdicts[-1] == "confirmed")
        elif verdicts[-1] == "withdrawn" and decided[-1:] == ["confirmed"]:
            found[unit] = 0.0
    return found


def test_many_units_get_the_same_labels_as_one_by_one_and_fast() -> None:
    chance = np.random.default_rng(2)
    number = 200_000
    story = pd.DataFrame(
        {
            "run_id": chance.choice(["A", "B", "C"], number),
            "unit_id": chance.integers(0, 60_000, number).astype(str),
            "verdict": chance.choice(list(WORDS.values()), number),
            "user": chance.choice(["li", "wang"], number),
            "at": START + pd.to_timedelta(chance.permutation(number), "s"),
        }
    )
    start = time.process_time()
    found = standing_labels(story, slots(), groups())
    spent = time.process_time() - start

    few = story[story["unit_id"].astype(int) < 600]
    expected = plainly(few)
    labels = found.set_index("unit_id")["label"]
    assert {u: labels[u] for u in labels.index if int(u) < 600} == expected
    assert spent < 5
