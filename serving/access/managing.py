"""Which users an administrator manages, and which offices there are to grant.

An administrator of some models or offices gives rights within them alone, and manages
nobody who holds rights beyond them: else a password reset would be a way to those.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from axes.models import AccessAttempt
from django.conf import settings
from django_otp.plugins.otp_totp.models import TOTPDevice

from serving.access.models import User
from serving.access.rights import grants_for
from serving.leads.models import Lead, Run, SupervisionModel

MOST_USERS = 5_000  # read for a page
MOST_OFFICES = 500  # offered of one list


def covers(admin: User, model: str, office: str) -> bool:
    """May the administrator give and take roles of this model and office?

    Args:
        model: empty for all of them, as in a grant; so is `office`.
    """
    return any(
        grant.model in ("", model) and grant.office in ("", office)
        for grant in grants_for(admin, "manage")
    )


def manages(admin: User, person: User) -> bool:
    """Does the administrator cover all that this user was granted?"""
    return all(covers(admin, held.model, held.office) for held in person.grants.all())


def managed(admin: User, word: str = "") -> list[User]:
    """The users that an administrator manages, by name; those with a word in it."""
    found = User.objects.order_by("username").prefetch_related("grants")
    if word:
        found = found.filter(username__icontains=word) | found.filter(
            name__icontains=word
        )
    return [one for one in found[:MOST_USERS] if manages(admin, one)]


def with_factor() -> set[int]:
    """Ids of the users who set up a second factor."""
    devices = TOTPDevice.objects.filter(confirmed=True)
    return set(devices.values_list("user_id", flat=True))


def locked_out() -> set[str]:
    """Names that cannot be signed in with just now, after too many wrong passwords."""
    since = datetime.now(UTC) - timedelta(hours=settings.AXES_COOLOFF_TIME)
    tried = AccessAttempt.objects.filter(
        attempt_time__gt=since, failures_since_start__gte=settings.AXES_FAILURE_LIMIT
    )
    return set(tried.values_list("username", flat=True))


def offices_offered() -> dict[str, list[str]]:
    """model -> the offices of its newest list, of all models that have published."""
    return {
        model.id: list(_offices(newest))
        for model in SupervisionModel.objects.order_by("id")
        if (newest := _newest(model)) is not None
    }


def _newest(model: SupervisionModel) -> str | None:
    runs = Run.objects.filter(model=model).order_by("-as_of", "-published_at", "-id")
    return runs.values_list("id", flat=True).first()


def _offices(run_id: str) -> Iterator[str]:
    """From one office to the next in the index, not through all leads of the run."""
    leads = Lead.objects.filter(run_id=run_id).order_by("office")
    last = leads.filter(office__gt="").values_list("office", flat=True).first()
    for _ in range(MOST_OFFICES):
        if last is None:
            return
        yield last
        last = leads.filter(office__gt=last).values_list("office", flat=True).first()
