"""A published list, and services and people who ask for it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from serving.access.tokens import new_token
from serving.publication import Publication
from tests.serving.console.conftest import (
    Browser,
    as_role,
    lead,
    listed,
    make_user,
    run,
)

__all__ = ["as_role", "lead", "listed", "run"]

Ask = Callable[..., Any]


def service(name: str, *grants: tuple[str, ...]) -> Client:
    """A client that shows the token of a service with these grants."""
    user = make_user(name, *grants)
    user.is_service = True
    user.save()
    token = new_token(user, "tests", by="admin")
    return Browser(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {token}")


@pytest.fixture(autouse=True)
def nobody_asked_before() -> None:
    """The users of one test have the numbers of those of another."""
    cache.clear()


@pytest.fixture
def analyst(listed: Publication) -> Client:
    """A service with the rights of an analyst for every model and office."""
    return service("feeder", ("analyst",))


@pytest.fixture
def anyone(listed: Publication) -> Client:
    """Not signed in."""
    return Browser(HTTP_HOST="localhost")
