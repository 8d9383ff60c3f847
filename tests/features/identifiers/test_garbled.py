"""Text in a wrong encoding: found when it is, and never where a name is right."""

import numpy as np
import pytest

from features.identifiers import looks_garbled
from tests.features.identifiers.reading import computed
from training.simulation import names

PEOPLE = [s + g for s in names.SURNAMES[:100] for g in names.GIVEN[:60]] + [
    s + g + h
    for s in names.SURNAMES[:100]
    for g, h in zip(names.GIVEN[:30], names.GIVEN[7:37], strict=True)
]
# how a name is misread, and the share that must be found
MISREAD = {
    "UTF-8 as Latin-1": lambda name: name.encode().decode("latin-1"),
    "UTF-8 as Windows-1252": lambda name: name.encode().decode("cp1252", "replace"),
    "UTF-8 as Windows-1252, bytes lost": lambda name: name.encode().decode(
        "cp1252", "ignore"
    ),
    "UTF-8 as GBK": lambda name: name.encode().decode("gbk", "replace"),
    "UTF-8 as GBK, bytes lost": lambda name: name.encode().decode("gbk", "ignore"),
    "UTF-8 as Latin-1 twice": lambda name: (
        name.encode().decode("latin-1").encode().decode("latin-1")
    ),
    "GBK as Latin-1": lambda name: name.encode("gbk").decode("latin-1"),
    "GBK as UTF-8": lambda name: name.encode("gbk").decode("utf-8", "replace"),
}
GARBLED = [
    "寮犱笁",
    "å¼ ä¸‰",
    "ÕÅÈý",
    "锟斤拷",
    "烫烫烫",
    "张\ufffd",
    "å¼\u00a0ä¸\u0089",
]
RIGHT = [
    *(
        "张三",
        "欧阳涵淇",
        "阿依古丽·买买提",
        "张××××",
        "张****",
        "张某某",
        "····",
        "§§§§",
    ),
    *("André Paul", "João Ñandú", "Zoë – Åsa", "José’s café", "25°C ±0.5", ""),
]


@pytest.mark.parametrize("reading", MISREAD)
def test_nine_in_ten_misread_names_are_found(catalog, reading):
    misread = [MISREAD[reading](person) for person in PEOPLE]
    assert np.mean(computed(catalog, looks_garbled, misread)) >= 0.9


def test_right_names_and_addresses_are_not_called_garbled(catalog):
    rng = np.random.default_rng(11)
    size = 20_000
    right = [
        *(names.surnames(rng, size) + names.given_names(rng, size)),
        *names.minority_names(rng, 1000),
        *names.home_addresses(rng, rng.integers(0, 6, size)),
        *names.company_names(rng, "garage", rng.integers(0, 6, 5000)),
    ]
    assert np.mean(computed(catalog, looks_garbled, right)) < 0.001


def test_known_traces_are_told_from_names_with_accents_and_masks(catalog):
    assert computed(catalog, looks_garbled, GARBLED) == [True] * len(GARBLED)
    assert computed(catalog, looks_garbled, RIGHT) == [False] * len(RIGHT)
    assert computed(catalog, looks_garbled, [None]) == [None]
