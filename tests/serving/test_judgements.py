"""What people judged of two records is kept, and the last word holds."""

import pytest

from configs.errors import StoreError
from configs.settings import Settings
from serving.judgements import JudgementRecord, judge, judgements
from serving.leads.models import LinkJudgement
from serving.publication import Publication
from serving.verify import verify

PAIR = ("7f3a", "19bc")


def judged(verdict: str = "same", **changes: object) -> JudgementRecord:
    given = {"model": "claims", "entity": "person", "records": PAIR, "user": "li"}
    return judge(**{**given, "note": "seen", "verdict": verdict, **changes})  # type: ignore[arg-type]


@pytest.mark.usefixtures("store")
def test_judgement_needs_no_run_and_comes_back_as_it_was_given() -> None:
    given = judged(note="同一人，见卷宗")

    assert judgements("claims") == [given]
    assert (given.left, given.right) == ("19bc", "7f3a")
    assert (given.verdict, given.user, given.note) == ("same", "li", "同一人，见卷宗")


@pytest.mark.usefixtures("store")
def test_later_judgement_of_the_same_records_holds_in_whatever_order() -> None:
    judged("same")
    judged("different", records=PAIR[::-1], user="wang")
    judged("same", entity="company")

    held = judgements("claims")

    assert [(j.entity, j.verdict, j.user) for j in held] == [
        ("company", "same", "li"),
        ("person", "different", "wang"),
    ]
    assert LinkJudgement.objects.count() == 3


@pytest.mark.usefixtures("store")
def test_judgements_of_another_model_are_not_mixed_in() -> None:
    judged("same", model="wages")

    assert judgements("claims") == []


BAD = {
    "one record": ({"records": ("a", "a")}, "got record 'a' twice"),
    "verdict": ({"verdict": "diferent"}, "got 'diferent'; did you mean 'different'"),
    "no record": ({"records": ("a", "")}, "judgement.left: got ''"),
    "no reason": ({"note": "  "}, "judgement.note: got '  '; give"),
    "nobody": ({"user": ""}, "judgement.user: got ''"),
    "no model": ({"model": ""}, "judgement.model: got ''"),
    "NUL": ({"note": "a\x00"}, "judgement.note"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_judgement_is_refused(name: str, store: Settings) -> None:
    changes, message = BAD[name]

    with pytest.raises(StoreError, match=message):
        judged(**changes)

    assert judgements("claims") == []


def test_judgements_do_not_touch_published_runs(
    store: Settings, published: Publication
) -> None:
    judged(model=published.model_id)

    assert verify(store) == []
    assert len(judgements(published.model_id)) == 1
