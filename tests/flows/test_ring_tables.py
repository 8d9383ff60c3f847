"""Known rings, from the labels file to the table that `leadline evaluate` shows."""

import pandas as pd
import pytest

from configs.errors import DeliveryError
from flows import evaluate
from tests.factories import model

LABELS = {"table": "truth", "key": "claim", "value": "fraud", "ring": "ring_id"}


@pytest.fixture
def truth(tmp_path):
    rows = "claim,fraud,ring_id\na,1,x\nb,1,x\nc,0,\n"
    (tmp_path / "truth.csv").write_text(rows, encoding="utf-8")
    return tmp_path


@pytest.fixture
def groups(monkeypatch):
    """One published group of a and c."""
    found = pd.DataFrame({"unit_id": ["a", "c"], "rank": [1, 1]})
    monkeypatch.setattr(evaluate, "published_groups", lambda run: found)
    return found


def test_rings_of_the_labels_are_looked_for_in_the_groups(truth, groups):
    labels = evaluate.read_labels(model(labels=LABELS), None, str(truth))
    (table,) = evaluate.ring_tables(labels, None).values()
    assert (table[0]["found"], table[0]["rings"]) == (1, 1)
    assert table[0]["completeness"] == pytest.approx(0.5)


def test_without_rings_in_the_labels_nothing_is_shown(truth, groups):
    plain = {name: value for name, value in LABELS.items() if name != "ring"}
    labels = evaluate.read_labels(model(labels=plain), None, str(truth))
    assert evaluate.ring_tables(labels, None) == {}


def test_a_run_without_groups_shows_no_rings(truth, monkeypatch):
    none = pd.DataFrame(columns=["unit_id", "rank"])
    monkeypatch.setattr(evaluate, "published_groups", lambda run: none)
    labels = evaluate.read_labels(model(labels=LABELS), None, str(truth))
    assert evaluate.ring_tables(labels, None) == {}


def test_a_ring_column_that_is_missing_is_named(truth):
    declared = model(labels={**LABELS, "ring": "rnig_id"})
    with pytest.raises(DeliveryError, match="did you mean 'ring_id'"):
        evaluate.read_labels(declared, None, str(truth))
