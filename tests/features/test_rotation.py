"""Rivals, wins and turns against a plain walk over the contests, and in real auctions."""

import os
from collections import Counter, defaultdict
from datetime import datetime
from itertools import combinations, pairwise
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.network import RotationSpec
from features.builders.rotation import rotation_features
from features.links import Link
from tests.factories import BOTH, claim, frame_of, model, units_of, visit

SHARED = Path(os.environ.get("LEADLINE_SHARED_DATA", "../shared/data")).absolute()
SCHOOL_MILK = (
    SHARED / "auctions/garcia_rodriguez_2022/DB_Collusion_America_processed.csv"
)
STATS = ["rivals", "win_share", "rotation", "turns"]
ROWS = {
    "p": "string",
    "c": "string",
    "won": "boolean",
    "_event_at": "timestamp(6)",
}
PARTIES = ("a", "b", "c", "d", "nobody")
DAYS = (None, *(datetime(2024, 1, day) for day in range(1, 5)))
NAMES = ("", *(f"t{number * 7 % 20:02}" for number in range(19)))
ENTRY = st.tuples(st.sampled_from((None, *PARTIES[:4])), st.sampled_from((None, 1, 0)))
CONTEST = st.tuples(st.sampled_from(DAYS), st.lists(ENTRY, min_size=1, max_size=6))


def built(catalog, rows, **options) -> pd.DataFrame:
    step = RotationSpec.model_validate(
        {"of": "x", "by": "k", "party": "p", "contest": "c", "won": "won"}
        | {"named": "r", "stats": STATS}
        | options
    )
    units = [(party or "unknown", party) for party in (*PARTIES, None)]
    table = rotation_features(
        ibis.memtable(units, schema={"unit_id": "string", "k": "string"}),
        ibis.memtable(rows, schema=ROWS),
        step,
        Link((("k", "p"),)),
        "c",
    )
    return frame_of(catalog, table).drop(columns="k")


def expected(rows, max_parties: int) -> dict[str, list[float]]:
    """The four statistics of each party, one contest after the other."""
    contests, days = defaultdict(dict), defaultdict(list)
    for party, contest, won, day in rows:
        if party and contest:
            known = [x for x in (contests[contest].get(party), won) if x is not None]
            contests[contest][party] = any(known) if known else None
            days[contest] += [day] if day else []
    met, winners, results = Counter(), defaultdict(list), defaultdict(list)
    for contest in contests.values():
        for party, won in contest.items():
            results[party] += [] if won is None else [won]
    paired = {c: e for c, e in contests.items() if len(e) <= max_parties}
    for contest in paired.values():
        met.update(combinations(sorted(contest), 2))
    for contest in sorted(
        (c for c in paired if days[c]), key=lambda c: (max(days[c]), c)
    ):
        for pair in combinations(sorted(paired[contest]), 2):
            won = [party for party in pair if paired[contest][party]]
            winners[pair] += won if len(won) == 1 else []
    return {p: _of_party(p, met, winners, results[p]) for p in PARTIES}


def _of_party(party, met, winners, results) -> list[float]:
    rivals = [pair for pair, count in met.items() if party in pair and count >= 2]
    switches = {
        pair: [a != b for a, b in pairwise(winners[pair])]
        for pair in rivals
        if len(winners[pair]) >= 2
    }
    shares = [np.mean(found) for found in switches.values()]
    weights = [met[pair] for pair in switches]
    return [
        len(rivals),
        np.mean(results) if results else np.nan,
        np.average(shares, weights=weights) if shares else np.nan,
        max((sum(found) for found in switches.values()), default=0),
    ]


@settings(max_examples=15, deadline=None)
@given(contests=st.lists(CONTEST, max_size=20), max_parties=st.integers(2, 4))
def test_every_statistic_agrees_with_a_plain_walk(catalog, contests, max_parties):
    rows = [
        (party, name or None, None if won is None else bool(won), day)
        for name, (day, entries) in zip(NAMES, contests, strict=False)
        for party, won in entries
    ]
    got = built(catalog, rows, max_parties=max_parties)
    for party, want in expected(rows, max_parties).items():
        assert got.loc[party].tolist() == pytest.approx(want, nan_ok=True), party
    assert got.loc["unknown"].isna().all()


def bids(winners: str, parties: str = "ab", day=DAYS[1]):
    """One contest after the other among the same parties, named in their order."""
    return [
        (party, f"t{number:03}", party == winner, day)
        for number, winner in enumerate(winners)
        for party in parties
    ]


def test_perfect_turns_and_no_turns(catalog):
    assert built(catalog, bids("ababab")).loc["a"].tolist() == [1, 0.5, 1.0, 5]
    rarely = built(catalog, bids("aaaaab")).loc["b"].tolist()
    assert rarely == pytest.approx([1, 1 / 6, 0.2, 1])
    assert built(catalog, bids("aaaaaa")).loc["b"].tolist() == [1, 0.0, 0.0, 0]


def test_contests_that_a_third_one_won_break_no_turns(catalog):
    got = built(catalog, bids("acbcacb", parties="abc"))
    assert got.loc["a", "r_turns"] == 3  # against c: a c c a c
    assert got.loc["a", "r_rotation"] == pytest.approx((2 / 2 + 3 / 4) / 2)


def test_contests_on_one_day_follow_each_other_by_their_names(catalog):
    rows = bids("aabb")
    assert built(catalog, rows)["r_turns"].tolist()[:2] == [1, 1]
    assert built(catalog, rows[::-1])["r_turns"].tolist()[:2] == [1, 1]


def test_turns_follow_the_dates_and_leave_out_contests_without_one(catalog):
    days = {"t000": DAYS[1], "t001": DAYS[3], "t002": DAYS[2], "t003": DAYS[4]}
    dated = [(party, c, w, days[c]) for party, c, w, _ in bids("aabb")]
    assert built(catalog, dated)["r_turns"].tolist()[:2] == [3, 3]
    undated = [(p, c, w, None if c == "t001" else day) for p, c, w, day in dated]
    assert built(catalog, undated)["r_turns"].tolist()[:2] == [1, 1]
    assert built(catalog, undated)["r_rivals"].tolist()[:2] == [1, 1]


def test_contests_of_many_pair_nobody_but_count_as_won(catalog):
    rows = bids("aba", parties="abcd")
    got = built(catalog, rows, max_parties=3)
    assert got.loc["a", ["r_rivals", "r_turns"]].tolist() == [0, 0]
    assert got.loc["a", "r_win_share"] == pytest.approx(2 / 3)
    assert built(catalog, rows, max_parties=4).loc["a", "r_rivals"] == 3


def test_several_bids_of_a_party_are_one_entry(catalog):
    rows = [*bids("ab"), ("a", "t000", False, DAYS[1]), ("a", "t000", False, DAYS[1])]
    assert built(catalog, rows).loc["a"].tolist() == [1, 0.5, 1.0, 1]


def test_one_chosen_statistic_and_a_condition(catalog):
    rows = [*bids("ab"), ("a", "t009", True, DAYS[2])]
    got = built(catalog, rows, stats="win_share", where="c < 't005'")
    assert list(got.columns) == ["r_win_share"]
    assert got.loc["a"].tolist() == [0.5]


STEP = {"of": "visits", "by": "claimant", "party": "patient", "contest": "place"}


def test_a_contest_posted_later_changes_nothing(catalog):
    def entry(person: str, place: str, won: bool, **values):
        paid = "是" if won else "否"
        return visit("2024-05-01", person=person, place=place, paid=paid, **values)

    visits = [
        entry(p, c, p == w) for c, w in (("x", "p1"), ("y", "p2")) for p in PEOPLE
    ]
    late = [entry(p, "z", p == "p1", posted="2024-07-02") for p in PEOPLE]
    loaded = model({"rotation": {**STEP, "won": "paid", "stats": STATS, "named": "r"}})
    claims = [claim(1), claim(2, person="p2"), claim(3, person=None)]

    def found(rows, as_of=datetime(2024, 7, 1)):
        data = {"claims": claims, "visits": rows}
        return frame_of(catalog, units_of(catalog, loaded, data, as_of)).filter(
            like="r_"
        )

    before = found(visits)
    pd.testing.assert_frame_equal(found(visits + late), before)
    assert before["r_turns"].fillna(-1).tolist() == [1, 1, -1]
    later = found(visits + late, datetime(2024, 8, 1))
    assert later["r_turns"].fillna(-1).tolist() == [2, 2, -1]


PEOPLE = ("p1", "p2")
AUCTIONS = {
    "table": "bids",
    "title": BOTH,
    "department": BOTH,
    "key": "claim_no",
    "at": "day",
    "known_at": "day",
    "columns": {
        "claim_no": {"type": "id"},
        "bidder": {"type": "id"},
        "tender": {"type": "id"},
        "day": {"type": "timestamp"},
        "won": {"type": "boolean"},
    },
}


def test_convicted_bidders_of_real_auctions_took_more_turns(catalog):
    if not SCHOOL_MILK.is_file():
        pytest.skip(f"no real auctions in {SCHOOL_MILK}; set LEADLINE_SHARED_DATA")
    frame = pd.read_csv(SCHOOL_MILK)
    rows = pd.DataFrame(
        {
            "claim_no": [f"b{number:05}" for number in range(len(frame))],
            "bidder": frame["Competitors"].map("f{:.0f}".format),
            "tender": frame["Tender"].map("t{:05.0f}".format),
            "day": frame["Date"].map("{:.0f}-01-01".format),
            "won": frame["Winner"].map({1: "是", 0: "否"}),
        }
    )
    unit = {"name": "bid", "title": BOTH, "source": "bids", "key": "claim_no"}
    step = {"of": "bids", "by": "bidder", "party": "bidder", "contest": "tender"}
    loaded = model(
        {"rotation": {**step, "won": "won", "stats": STATS, "named": "r"}},
        sources={"bids": AUCTIONS},
        entities={},
        unit=unit,
    )
    data = {"bids": rows.to_dict("records")}
    got = frame_of(catalog, units_of(catalog, loaded, data))
    colluded = frame["Collusive_competitor"].to_numpy() == 1
    turns = got["r_turns"].to_numpy()
    assert np.median(turns[colluded]) > np.median(turns[~colluded])
    assert (got["r_rotation"].dropna().between(0, 1)).all()
