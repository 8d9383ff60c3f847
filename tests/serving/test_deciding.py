"""Two who decide on one unit at the same moment: one is recorded, the other is told."""

import threading
from collections.abc import Callable

import pytest

from configs.settings import Settings
from serving.access.models import Grant, User
from serving.audit.chain import findings
from serving.connect import close_store
from serving.dispositions import dispositions
from serving.leads.models import Lead
from serving.publication import Publication
from serving.publish import publish
from serving.review.deciding import Conflict, Outcome, Refused, answer, decide, waiting
from serving.review.models import Proposal, UnitState
from serving.review.states import move
from serving.review.taking import take

MODEL = "vehicle_insurance"


def analyst(name: str) -> User:
    user = User.objects.create_user(name)
    Grant.objects.create(user=user, role="analyst")
    return user


def first_lead() -> Lead:
    return Lead.objects.select_related("run").get(rank_fused=1)


def at_once(*works: Callable[[], object]) -> list[object]:
    """What the works answer, or the error that each ended with; all start together."""
    start = threading.Barrier(len(works))
    answers: list[object] = [None] * len(works)

    def run(number: int, work: Callable[[], object]) -> None:
        try:
            start.wait()
            answers[number] = work()
        except (Conflict, Refused) as error:
            answers[number] = error
        finally:
            close_store()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def deciding(lead: Lead, user: User, reason: str) -> Callable[[], Outcome]:
    return lambda: decide(
        lead, verdict="confirmed", cause="", reason=reason, user=user, seen=0
    )


def test_of_several_at_once_one_decides_and_the_others_learn_what(
    store: Settings, published: Publication
) -> None:
    lead = first_lead()
    users = [analyst(f"user {number}") for number in range(4)]

    answers = at_once(*(deciding(lead, user, f"says {user}") for user in users))

    won = [one for one in answers if isinstance(one, Outcome)]
    lost = [one for one in answers if isinstance(one, Conflict)]
    assert (len(won), len(lost)) == (1, 3)
    (kept,) = dispositions(MODEL)
    for conflict in lost:
        (moved,) = conflict.moved
        assert moved.said
        assert (moved.said.user, moved.said.reason) == (kept.user, kept.reason)
        assert moved.version == 1
    assert UnitState.objects.get(unit_id=lead.unit_id).version == 1
    assert findings() == []


def test_one_request_that_arrives_twice_at_once_is_recorded_once(
    store: Settings, published: Publication
) -> None:
    lead, user = first_lead(), analyst("li")

    answers = at_once(*(deciding(lead, user, "the same") for _ in range(3)))

    assert all(isinstance(one, Outcome) for one in answers)
    assert len(dispositions(MODEL)) == 1


def test_of_two_answers_at_once_one_counts(
    store: Settings, published: Publication
) -> None:
    lead, author = first_lead(), analyst("li")
    proposal = Proposal.objects.create(
        model=MODEL,
        run=lead.run,
        unit_id=lead.unit_id,
        verdict="confirmed",
        reason="ring",
        user=author.username,
        at=lead.run.published_at,
    )
    move(MODEL, {lead.unit_id: "awaiting"})
    seconds = [analyst(name) for name in ("wang", "zhao")]

    answers = at_once(
        lambda: answer(proposal, agreed=True, reason="", user=seconds[0]),
        lambda: answer(proposal, agreed=False, reason="no", user=seconds[1]),
    )

    assert sorted(type(one).__name__ for one in answers) == ["Outcome", "Refused"]
    assert waiting(MODEL, lead.unit_id) is None
    agreed = isinstance(answers[0], Outcome)
    assert len(dispositions(MODEL)) == (1 if agreed else 0)


def test_one_lead_is_taken_by_one_of_several(
    store: Settings, published: Publication
) -> None:
    lead = first_lead()
    users = [analyst(f"user {number}") for number in range(4)]

    answers = at_once(*(lambda user=user: take([lead], user=user) for user in users))  # type: ignore[misc]

    assert sorted(map(str, answers)) == sorted([str([lead.unit_id]), "[]", "[]", "[]"])


@pytest.mark.parametrize("seen", [-1, 1, 2])
def test_a_version_that_never_was_decides_nothing(
    seen: int, sqlite_store: Settings, publication: Publication
) -> None:
    publish(publication, sqlite_store)
    user = analyst("li")

    with pytest.raises(Conflict) as caught:
        decide(
            first_lead(),
            verdict="confirmed",
            cause="",
            reason="x",
            user=user,
            seen=seen,
        )

    assert caught.value.moved[0].said is None
    assert dispositions(MODEL) == []
