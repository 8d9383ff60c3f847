"""Tokens: what stands for a person's number, phone or account in indexes and addresses.

A token is the same in every run and supervision model of one installation, and says
nothing without its key: HMAC-SHA256 over the kind and the value.
"""

import hmac
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from configs.settings import Settings
from serving.secret import kept_key

LENGTH = 24  # hex digits: 96 bits, so that no two of 10^9 values fall together


def key_of(settings: Settings) -> bytes:
    """The installation's key: LEADLINE_TOKEN_KEY, else `<var>/token_key`.

    With another key tokens of former runs are not found again: keep it with the store.
    """
    return kept_key(settings, "token_key").encode()


def token(key: bytes, kind: str, value: str) -> str:
    """The token of a value of a kind of node, such as `person` or `phone`."""
    said = _keyed(key).copy()
    said.update(f"{kind}\x00{plain_value(value)}".encode())
    return said.hexdigest()[:LENGTH]


@lru_cache(maxsize=1)
def _keyed(key: bytes) -> hmac.HMAC:
    """What has taken in the key alone: to copy it saves a quarter of a token."""
    return hmac.new(key, digestmod="sha256")


def tokens(key: bytes, kind: str, values: Iterable[str]) -> list[str]:
    """The tokens of many values of one kind, in their order."""
    return [token(key, kind, value) for value in values]


def plain_value(text: str) -> str:
    """A value as people may type it: full-width, spaced or in small letters."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()
