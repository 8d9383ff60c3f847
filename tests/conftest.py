"""Fixtures that several packages' tests share."""

from tests.postgres import database, server

__all__ = ["database", "server"]
