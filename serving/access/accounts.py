"""Making users, and changing what they may do; each change stands in the audit log.

`by` is always who did it: an administrator, or on the command line the login name.
"""

import secrets
import string
import unicodedata
from typing import Literal

from axes.utils import reset as forget_failures
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from configs.errors import StoreError, nearest
from serving.access.models import Grant, User
from serving.access.rights import ROLES
from serving.audit.chain import record

Language = Literal["zh-hans", "en"]
LENGTH = 16  # of a password that is made here: 94 bits
# Without what is misread when a password is passed on by hand.
_LETTERS = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))


def user_named(username: str) -> User:
    """The user, or an error that names the nearest one."""
    user = User.objects.filter(username=username).first()
    if user is None:
        known = User.objects.order_by("username").values_list("username", flat=True)
        raise StoreError(f"no user {username!r}{nearest(username, known[:1000])}")
    return user


def random_password() -> str:
    """A password for a person to change at the first sign-in."""
    return "".join(secrets.choice(_LETTERS) for _ in range(LENGTH))


def add_person(
    username: str,
    password: str,
    *,
    by: str,
    name: str = "",
    language: Language = "zh-hans",
) -> User:
    """A user who signs in with a password; may do nothing until granted a role.

    Raises:
        StoreError: the name is taken or empty, or the password too weak.
    """
    user = User(username=_free(username), name=name.strip(), language=language)
    _check_password(password, user)
    user.set_password(password)
    with transaction.atomic():
        user.save()
        record("made a user", user=by, whom=user.username)
    return user


def add_service(username: str, *, by: str) -> User:
    """A user without a password, which signs in by token alone."""
    user = User(username=_free(username), is_service=True)
    user.set_unusable_password()
    with transaction.atomic():
        user.save()
        record("made a service", user=by, whom=user.username)
    return user


def set_password(user: User, password: str, *, by: str) -> None:
    """Give a person another password; whoever is signed in as them is signed out.

    Raises:
        StoreError: the user is a service, or the password too weak.
    """
    if user.is_service:
        raise StoreError(f"{user.username} is a service: it has tokens, no password")
    _check_password(password, user)
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        record("set a password", user=by, whom=user.username)


def grant(user: User, role: str, model: str, office: str, *, by: str) -> Grant:
    """Give a role for a model and office, empty for all; given already it stays."""
    if role not in ROLES:
        raise StoreError(f"no role {role!r}{nearest(role, ROLES)}")
    with transaction.atomic():
        found, new = Grant.objects.get_or_create(
            user=user, role=role, model=model, office=office
        )
        if new:
            record("granted", user=by, whom=user.username, **_granted(found))
    return found


def revoke(held: Grant, *, by: str) -> None:
    """Take a role away."""
    with transaction.atomic():
        record("revoked", user=by, whom=held.user.username, **_granted(held))
        held.delete()


def grant_of(user: User, role: str, model: str, office: str) -> Grant:
    """The grant that a user holds, or an error that lists those held."""
    held = list(user.grants.order_by("role", "model", "office"))
    for one in held:
        if (one.role, one.model, one.office) == (role, model, office):
            return one
    listed = "; ".join(shown(one) for one in held) or "none at all"
    raise StoreError(f"{user.username} does not hold this role; held: {listed}")


def shown(held: Grant) -> str:
    """A grant in words, such as `analyst of vehicle_insurance, all offices`."""
    return (
        f"{held.role} of {held.model or 'all models'}, {held.office or 'all offices'}"
    )


def set_active(user: User, active: bool, *, by: str) -> None:
    """Let a user in again, or out at once: sessions and tokens open nothing more."""
    with transaction.atomic():
        changed = User.objects.filter(id=user.id, is_active=not active)
        if changed.update(is_active=active):
            done = "activated" if active else "deactivated"
            record(done, user=by, whom=user.username)
    user.is_active = active


def reset_factor(user: User, *, by: str) -> int:
    """Remove the second factor of a user who lost it; how many devices there were."""
    with transaction.atomic():
        devices = TOTPDevice.objects.devices_for_user(user)
        removed = len(devices)
        if removed:
            devices.delete()
            record("reset a second factor", user=by, whom=user.username)
    return removed


def unlock(user: User, *, by: str) -> int:
    """Forget a user's wrong passwords, so that a lock-out ends; how many places."""
    with transaction.atomic():
        found: int = forget_failures(username=user.username)
        record("unlocked", user=by, whom=user.username)
    return found


def _granted(held: Grant) -> dict[str, str]:
    return {"role": held.role, "model": held.model, "office": held.office}


def _free(username: str) -> str:
    name = username.strip()
    if not name or name != username or "\x00" in name or len(name) > 100:
        raise StoreError(
            f"user name {username!r}: give 1 to 100 characters, no space around them"
        )
    if name != unicodedata.normalize("NFKC", name) or any(map(_is_unseen, name)):
        raise StoreError(
            f"user name {username!r}: full-width and invisible characters make it look "
            "like another one; type it anew"
        )
    if User.objects.filter(username__iexact=name).exists():
        raise StoreError(f"there is a user {name!r} already, perhaps in other letters")
    return name


def _is_unseen(character: str) -> bool:
    """Controls and marks of direction, which show nothing or turn the text around."""
    return unicodedata.category(character).startswith("C")


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise StoreError(
            f"the password is too weak: {' '.join(error.messages)}"
        ) from error
