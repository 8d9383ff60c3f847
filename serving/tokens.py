"""Tokens: what stands for a person's number, phone or account in indexes and addresses.

A token is the same in every run and supervision model of one installation, and says
nothing without its key: HMAC-SHA256 over the kind and the value.
"""

import hmac
import unicodedata
from collections.abc import Iterable

from configs.settings import Settings
from serving.secret import kept_key

DIGEST = 12  # bytes: 96 bits, so that no two of 10^9 values fall together
LENGTH = 2 * DIGEST  # as hexadecimal digits


def key_of(settings: Settings) -> bytes:
    """The installation's key: LEADLINE_TOKEN_KEY, else `<var>/token_key`.

    With another key tokens of former runs are not found again: keep it with the store.
    """
    return kept_key(settings, "token_key").encode()


def token(key: bytes, kind: str, value: str) -> str:
    """The token of a value of a kind of node, such as `person` or `phone`."""
    return digests(key, [(kind, value)]).hex()


def tokens(key: bytes, kind: str, values: Iterable[str]) -> list[str]:
    """The tokens of many values of one kind, in their order."""
    found = digests(key, ((kind, value) for value in values)).hex()
    return [found[start : start + LENGTH] for start in range(0, len(found), LENGTH)]


def digests(key: bytes, nodes: Iterable[tuple[str, str]]) -> bytes:
    """The tokens of nodes by kind and value, DIGEST bytes each, in their order."""
    # What has taken in the key alone: to copy it saves a quarter of a token.
    keyed, found = hmac.new(key, digestmod="sha256"), []
    for kind, value in nodes:
        said = keyed.copy()
        said.update(f"{kind}\x00{plain_value(value)}".encode())
        found.append(said.digest()[:DIGEST])
    return b"".join(found)


def plain_value(text: str) -> str:
    """A value as people may type it: full-width, spaced or in small letters."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()
