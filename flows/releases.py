"""Which version scores: proposed, approved, promoted, rolled back; the alias moves last.

What was decided stands in the store; MLflow's alias `champion` follows it. A process that
is killed between the two is found out by `unfinished`, and the same step again completes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from configs.loading import load_model
from configs.settings import Settings
from flows.judge import judging
from flows.served import check_recorded
from serving import releases as store
from serving.connect import explained, open_store
from serving.releases import ReleaseRecord, champions
from training.tracking import CHAMPION, Tracking, Version

AT_TRAINING, FIRST = "asked for at training", "first model"
BEFORE = "was champion before releases were recorded"
Role = Literal["champion", "proposed", "challenger"]


@dataclass(frozen=True, slots=True)
class Registered:
    """Where a training ended up."""

    version: int
    run_id: str
    role: Role


@dataclass(frozen=True, slots=True)
class Released:
    """What a step led to; `changed` is False when all of it was done before."""

    record: ReleaseRecord
    changed: bool = True


def release_trained(
    model: str, settings: Settings, trained: Version, *, promote: bool, approvals: int
) -> Registered:
    """The first version scores at once; a later one is proposed or promoted on request."""
    office = _Office(model, settings)
    role: Role = "challenger"
    if not office.tracking.has(model, CHAMPION):
        office.released(store.promote, trained.version, FIRST)
        role = "champion"
    elif promote and approvals == 1:
        office.released(store.promote, trained.version, AT_TRAINING)
        role = "champion"
    elif promote:
        office.say(store.propose, trained.version, AT_TRAINING)
        role = "proposed"
    return Registered(trained.version, trained.run_id, role)


def promote(model: str, settings: Settings, version: int, reason: str) -> Released:
    """Propose a version; where the model asks for one approval, make it champion.

    Raises:
        StoreError: no such version, its files changed, or it is champion already.
    """
    approvals = load_model(model, settings.models).spec.review.approvals
    office = _Office(model, settings)
    office.check(version)
    if approvals == 1 or office.unfinished() == version:
        return office.released(store.promote, version, reason)
    return Released(office.say(store.propose, version, reason))


def approve(model: str, settings: Settings, version: int, reason: str) -> Released:
    """The second person's word: the version becomes champion.

    Raises:
        StoreError: as `promote`, or there is no proposal by another person.
    """
    office = _Office(model, settings)
    office.check(version)
    return office.released(store.approve, version, reason)


def roll_back(
    model: str, settings: Settings, version: int | None, reason: str
) -> Released:
    """Make a former champion champion again, at once and by one person: it is urgent.

    Without a version it is the one before this champion.
    """
    office = _Office(model, settings)
    records = office.records()
    if records and records[-1].action == "rolled_back":
        unfinished = office.unfinished()
        if unfinished is not None and version in (None, unfinished):
            return office.moved(records[-1])
    wanted = version if version is not None else _former(records)
    if wanted is not None:
        office.check(wanted)
    return office.released(store.roll_back, wanted, reason)


def history(model: str, settings: Settings) -> dict[str, Any]:
    """`versions` and `releases` as rows for people, and what is `unfinished`, if any."""
    office = _Office(model, settings, adopting=False)
    records = office.records()
    versions = [
        {
            "version": v.version,
            "alias": ", ".join(v.aliases),
            "trained": f"{v.trained_at:%Y-%m-%d %H:%M}",
            "config": v.config_hash[:12],
            "files": v.digest[:12],
            "mlflow run": v.run_id,
            "rule says": v.verdict,
        }
        for v in office.tracking.versions(model)
    ]
    steps = [
        {
            "at": f"{r.at:%Y-%m-%d %H:%M}",
            "version": r.version,
            "action": r.action,
            "user": r.user,
            "reason": r.reason,
        }
        for r in records
    ]
    found = {"versions": versions, "releases": steps}
    return found | {"unfinished": _note(model, office.unfinished())}


def _note(model: str, version: int | None) -> str:
    if version is None:
        return ""
    return (
        f"version {version} was released, but the alias champion does not point to it yet: "
        f"repeat `leadline approve {model} {version} --reason ...` (or the roll-back)"
    )


def _former(records: list[ReleaseRecord]) -> int | None:
    line = champions(records)
    return int(line[-2]) if len(line) > 1 else None


class _Office:
    """One model's releases in the store and its versions in the registry."""

    def __init__(self, model: str, settings: Settings, adopting: bool = True) -> None:
        self.model, self.settings = model, settings
        self.tracking = Tracking(settings.mlruns)
        open_store(settings)
        if adopting and not self.records() and self.tracking.has(model, CHAMPION):
            known = self.tracking.behind(model, CHAMPION).version
            self.say(store.adopt, known, BEFORE)

    def records(self) -> list[ReleaseRecord]:
        return store.releases(self.model)

    def check(self, version: int) -> None:
        """Its files are those that were registered; before anybody lets it score."""
        found = self.tracking.version(self.model, version)
        check_recorded(found)
        self.tracking.verify(found)

    def unfinished(self) -> int | None:
        """The recorded champion, where the alias does not point to it."""
        line = champions(self.records())
        if not line or line[-1] == str(self._aliased()):
            return None
        return int(line[-1])

    def say(self, step: Callable[..., ReleaseRecord], version: Any, reason: str) -> Any:
        """Record a step in the store, under the name of who is at work."""
        user = judging(self.settings)
        with explained(self.settings, "written"):
            return step(self.model, version, user=user, reason=reason)

    def released(
        self, step: Callable[..., ReleaseRecord], version: int | None, reason: str
    ) -> Released:
        """Record a step that ends in a new champion, then move the alias."""
        return self.moved(self.say(step, version, reason))

    def moved(self, record: ReleaseRecord) -> Released:
        """Let the alias follow the record."""
        if record.version == str(self._aliased()):
            return Released(record, changed=False)
        self.tracking.promote(self.model, int(record.version), record.reason)
        return Released(record)

    def _aliased(self) -> int | None:
        if not self.tracking.has(self.model, CHAMPION):
            return None
        return self.tracking.behind(self.model, CHAMPION).version
