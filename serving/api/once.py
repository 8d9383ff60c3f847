"""A write that may be sent again: what was done once is not done twice.

The answer is kept in the transaction of what it tells of, under the key that the asker
chose; a write that fails keeps nothing, and its key can be used again.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from serving.access.models import User
from serving.api.models import KeptAnswer

Answered = tuple[int, dict[str, Any]]  # status, and the body as plain JSON
CREATED, AGAIN = 201, 200


class KeyUsed(Exception):
    """The key stands for another request."""


def once(
    user: User, key: str, asked: dict[str, Any], act: Callable[[], Answered]
) -> Answered:
    """What `act` answers, or what it answered when the same was asked before.

    Raises:
        KeyUsed: the user asked something else under this key.
    """
    digest = _digest(asked)
    kept = _kept(user, key)
    if kept is None:
        try:
            return _first(user, key, digest, act)
        except IntegrityError:
            # The same was sent twice at one moment: the other one is done by now.
            kept = _kept(user, key)
            if kept is None:
                raise
    if kept.digest != digest:
        raise KeyUsed
    return AGAIN if kept.status == CREATED else kept.status, kept.answer


def _first(user: User, key: str, digest: str, act: Callable[[], Answered]) -> Answered:
    with transaction.atomic():
        # Claimed before acting, so that of two at one moment one waits for the other.
        claim = KeptAnswer.objects.create(
            user=user.username,
            key=key,
            digest=digest,
            status=0,
            answer={},
            at=datetime.now(UTC),
        )
        claim.status, claim.answer = act()
        claim.save(update_fields=["status", "answer"])
    return claim.status, claim.answer


def _kept(user: User, key: str) -> KeptAnswer | None:
    return KeptAnswer.objects.filter(user=user.username, key=key).first()


def _digest(asked: dict[str, Any]) -> str:
    text = json.dumps(asked, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
