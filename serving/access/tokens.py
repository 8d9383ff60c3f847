"""Tokens of services: what a program shows the API in place of a password.

A token has 256 random bits, so its plain SHA-256 cannot be turned back. The token itself
is shown once, when it is made.
"""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from django.db import transaction

from configs.errors import StoreError
from serving.access.models import ServiceToken, User
from serving.audit.chain import record

PREFIX = "leadline_"  # by which scanners for leaked secrets know it
_NOTED_EVERY = timedelta(minutes=1)  # a request need not write more often than this


def user_of_token(text: str) -> User | None:
    """The service that a token belongs to; None when it is unknown, revoked or idle.

    Args:
        text: the token as the service sent it.
    """
    if not text.startswith(PREFIX):
        return None
    kept = ServiceToken.objects.select_related("user")
    found = kept.filter(digest=_digest(text), revoked_at=None, user__is_active=True)
    token = found.first()
    if token is None:
        return None
    _note_use(token)
    return token.user


def new_token(user: User, name: str, *, by: str) -> str:
    """Make a token for a service; the only time that it can be read.

    Raises:
        StoreError: the user is a person, inactive, or has a token of this name.
    """
    if not user.is_service or not user.is_active:
        raise StoreError(
            f"{user.username} is no active service: tokens are for services"
        )
    if user.tokens.filter(name=name, revoked_at=None).exists():
        raise StoreError(
            f"{user.username} has a token {name!r} already; revoke it first"
        )
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        ServiceToken.objects.create(user=user, name=name, digest=_digest(text))
        record("made a token", user=by, whom=user.username, token=name)
    return text


def revoke_token(token: ServiceToken, *, by: str) -> None:
    """From now on the token opens nothing; doing so again changes nothing."""
    with transaction.atomic():
        open_ = ServiceToken.objects.filter(id=token.id, revoked_at=None)
        if open_.update(revoked_at=datetime.now(UTC)):
            record(
                "revoked a token", user=by, whom=token.user.username, token=token.name
            )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _note_use(token: ServiceToken) -> None:
    now = datetime.now(UTC)
    if token.used_at is None or now - token.used_at > _NOTED_EVERY:
        ServiceToken.objects.filter(id=token.id).update(used_at=now)
