"""Fixtures that several packages' tests share."""

import gc

from flows.cli import COLLECT
from tests.postgres import database, server

__all__ = ["database", "server"]

gc.set_threshold(*COLLECT)
