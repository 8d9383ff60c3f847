"""Bands, slots, parts and counterfactuals that break the contract are refused."""

import pytest

from configs.errors import StoreError
from serving.contract import exact_tables
from serving.publication import Publication
from tests.serving.changes import Change, column, rows

BROKEN: dict[str, tuple[Change, str]] = {
    "band above one": (
        column("leads", "band_high", [1.5, *[None] * 11]),
        r"leads.band_high: got values from 1.5 to 1.5; every share lies in \[0, 1\]",
    ),
    "half a band": (
        column("leads", "band_low", [None] * 12),
        "unit 'CLM-000001' has None to 0.0; give both, the lower one first, or null",
    ),
    "band upside down": (
        column("leads", "band_low", [0.9 if n % 2 == 0 else None for n in range(12)]),
        "unit 'CLM-000001' has 0.9 to 0.0; give both, the lower one first",
    ),
    "kind of reason": (
        column("reasons", "kind", ["peer", *["value"] * 23]),
        "reasons.kind: got 'peer'; did you mean 'peers'",
    ),
    "part": (
        rows("parts", 0, part="ruler:V6"),
        "parts.part: got 'ruler'; did you mean 'rule'",
    ),
    "part without contribution": (
        rows("parts", 0, contribution=None),
        "parts.contribution: 1 of 16 rows are null",
    ),
    "rank": (
        rows("counterfactuals", 0, rank=0),
        "counterfactuals.rank: got 0; ranks begin at 1",
    ),
    "kind of slot": (
        rows("slots", 5, kind="random"),
        "slots.kind: got 'random'; known: explore, top",
    ),
    "stratum": (
        rows("slots", 5, stratum="nears"),
        "slots.stratum: got 'nears'; did you mean 'near'",
    ),
    "no propensity": (
        rows("slots", 5, propensity=0.0),
        r"slots.propensity: got values from 0.0 to 1.0; .* lies in \(0, 1\]",
    ),
    "propensity above one": (
        rows("slots", 5, propensity=1.2),
        "slots.propensity: got values from 0.25 to 1.2",
    ),
    "propensity null": (
        rows("slots", 5, propensity=None),
        "slots.propensity: 1 of 6 rows are null",
    ),
    "slots with a hole": (
        rows("slots", 5, position=9),
        "slots.position: got 6 rows ranked from 1 to 9",
    ),
    "slot of no lead": (
        rows("slots", 5, unit_id="CLM-X"),
        "'slots': 1 rows are about units that are no leads, such as 'CLM-X'",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_review_tables_that_break_the_contract_are_refused(
    name: str, publication: Publication
) -> None:
    change, message = BROKEN[name]

    with pytest.raises(StoreError, match=message):
        exact_tables(change(publication))


def test_a_unit_has_one_slot(publication: Publication) -> None:
    first = publication.tables["slots"]["unit_id"][0].as_py()

    with pytest.raises(StoreError, match="'slots': 1 values of lead stand there more"):
        exact_tables(rows("slots", 5, unit_id=first)(publication))
