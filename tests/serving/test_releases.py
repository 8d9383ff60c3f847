"""Two persons release a version; what they said stays, and leads back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError

from configs.errors import StoreError
from configs.settings import Settings
from serving import releases
from serving.connect import close_store
from serving.leads.models import Release
from serving.releases import ReleaseRecord, champions, open_proposals


def steps(*named: str) -> list[ReleaseRecord]:
    """Records from words such as `promoted 2`."""
    return [
        ReleaseRecord("claims", version, action, "why", "li", None)  # type: ignore[arg-type]
        for action, version in map(str.split, named)
    ]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ((), []),
        (("promoted 1", "proposed 2", "approved 2"), ["1"]),
        (("promoted 1", "promoted 2", "promoted 3"), ["1", "2", "3"]),
        (("promoted 1", "promoted 2", "promoted 3", "rolled_back 2"), ["1", "2"]),
        (("promoted 1", "promoted 2", "promoted 3", "rolled_back 1"), ["1"]),
        (("promoted 1", "promoted 2", "rolled_back 1", "rolled_back 2"), ["1", "2"]),
        (("promoted 1", "promoted 2", "rolled_back 1", "promoted 3"), ["1", "3"]),
    ],
)
def test_the_line_of_champions_leads_back(
    said: tuple[str, ...], line: list[str]
) -> None:
    assert champions(steps(*said)) == line


def test_a_proposal_lapses_when_the_champion_changes() -> None:
    proposed = steps("promoted 1", "proposed 2", "proposed 3")

    assert [r.version for r in open_proposals(proposed, "2")] == ["2"]
    assert open_proposals([*proposed, *steps("promoted 3")], "2") == []
    assert open_proposals([*proposed, *steps("rolled_back 1")], "2") == []


def say(step: Callable[..., ReleaseRecord], version: int | None, user: str) -> str:
    record = step("claims", version, user=user, reason=f"因为 {user}")
    assert record in releases.releases("claims")
    return f"{record.action} {record.version} {record.user}"


@pytest.mark.usefixtures("store")
def test_two_persons_release_and_one_rolls_back() -> None:
    said = [
        say(releases.promote, 1, "li"),
        say(releases.propose, 2, "li"),
        say(releases.approve, 2, "wang"),
        say(releases.roll_back, None, "zhao"),
    ]

    assert said == [
        "promoted 1 li",
        "proposed 2 li",
        "promoted 2 wang",
        "rolled_back 1 zhao",
    ]
    kept = releases.releases("claims")
    assert [r.action for r in kept][2:4] == ["approved", "promoted"]
    assert {r.reason for r in kept[2:4]} == {"因为 wang"}
    assert releases.releases("wages") == []


@pytest.mark.usefixtures("store")
def test_nobody_approves_their_own_proposal() -> None:
    say(releases.propose, 2, "li")

    with pytest.raises(StoreError, match="li proposed it, so li cannot approve it"):
        say(releases.approve, 2, "li")
    with pytest.raises(StoreError, match="no open proposal"):
        say(releases.approve, 3, "wang")
    assert [r.action for r in releases.releases("claims")] == ["proposed"]
    say(releases.propose, 2, "wang")  # two who both want it are two persons
    assert say(releases.approve, 2, "li") == "promoted 2 li"


@pytest.mark.usefixtures("store")
def test_what_is_done_is_not_done_again() -> None:
    say(releases.propose, 2, "li")
    first = releases.approve("claims", 2, user="wang", reason="checked")

    assert releases.approve("claims", 2, user="li", reason="again") == first
    assert releases.promote("claims", 2, user="li", reason="again") == first
    with pytest.raises(StoreError, match="champion already"):
        say(releases.propose, 2, "li")


@pytest.mark.usefixtures("store")
def test_a_roll_back_needs_a_former_champion() -> None:
    with pytest.raises(StoreError, match="former champions: none"):
        say(releases.roll_back, None, "li")
    say(releases.promote, 1, "li")
    say(releases.promote, 2, "li")
    for version in (2, 7):
        with pytest.raises(StoreError, match="former champions: 1"):
            say(releases.roll_back, version, "li")
    assert say(releases.roll_back, 1, "li") == "rolled_back 1 li"
    assert say(releases.roll_back, 2, "li") == "rolled_back 2 li"


@pytest.mark.usefixtures("store")
def test_a_release_cannot_be_changed() -> None:
    say(releases.promote, 1, "li")

    with pytest.raises(IntegrityError, match="release cannot be changed"):
        Release.objects.update(user="wang")


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("name", ["reason", "user"])
def test_an_empty_text_is_refused(name: str) -> None:
    given = {"user": "li", "reason": "why", name: " "}

    with pytest.raises(StoreError, match=f"release.{name}: got ' '"):
        releases.add_release("claims", 1, "promoted", **given)


def test_of_several_who_approve_at_once_one_does(store: Settings) -> None:
    say(releases.propose, 2, "li")

    def approve(user: str) -> str:
        try:
            return releases.approve("claims", 2, user=user, reason="checked").user
        finally:
            close_store()

    with ThreadPoolExecutor(4) as pool:
        said = set(pool.map(approve, ("wang", "zhao", "chen", "sun")))

    assert len(said) == 1
    actions = [r.action for r in releases.releases("claims")]
    assert actions == ["proposed", "approved", "promoted"]
