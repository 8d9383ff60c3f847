"""Every number of the dashboards, on a small store of which all is known."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import binomtest

from configs.settings import Settings
from serving.access.models import User
from serving.console.boards.board import Board, run_lines
from serving.console.boards.calendar import days_of, mondays_of, month, months_of
from serving.console.boards.drift import (
    decile_index,
    feature_drift,
    score_drift,
    stability_index,
)
from serving.console.boards.figures import figures
from serving.console.boards.intervals import share, weighted_share, wilson
from serving.console.boards.lists import freshness, funnel, spot_columns, spots
from serving.console.boards.precision import lift, precision, rule_precision
from serving.console.boards.work import backlog, conversions, waits
from serving.dispositions import add_dispositions
from serving.leads.models import Lead, RuleHit, Run
from serving.publication import Publication
from serving.publish import publish
from serving.records import DispositionRecord
from serving.review.models import Answer, Proposal, UnitState
from tests.serving.console.conftest import make_user
from tests.serving.dossiers import with_dossier
from tests.serving.publications import make_publication

MODEL = "vehicle_insurance"
CAPACITY = 4  # as the publication declares it


@pytest.fixture
def lead_user(listed: Publication) -> User:
    """Somebody who sees all offices."""
    return make_user("lead", ("office_lead",))


def board_of(user: User, days: int = 30, *, later: int = 10, run: int = 0) -> Board:
    """The board as it is `later` days after now; of the run in that place."""
    runs = run_lines(MODEL)
    now = datetime.now(UTC) + timedelta(days=later)
    return Board(user, MODEL, runs[run], runs, days, now)


def at_rank(rank: int, order: str = "fused") -> Lead:
    return Lead.objects.filter(**{f"rank_{order}": rank}).latest("id")


def said(*verdicts: tuple[Lead, str]) -> None:
    """These verdicts, one after the other, each a second apart and now."""
    begin = datetime.now(UTC)
    add_dispositions(
        [
            DispositionRecord(
                *(MODEL, lead.run_id, lead.unit_id, verdict, "because", "ana"),
                begin + timedelta(seconds=n),
            )
            for n, (lead, verdict) in enumerate(verdicts)
        ]
    )


def test_wilson_intervals_are_those_of_scipy() -> None:
    for hits, of in ((0, 1), (0, 12), (1, 4), (7, 20), (20, 20), (133, 1000)):
        expected = binomtest(hits, of).proportion_ci(method="wilson")
        assert share(hits, of)[2:] == pytest.approx((expected.low, expected.high))


def test_an_interval_of_nothing_is_unknown_and_no_error() -> None:
    assert share(0, 0) == (0, None, None, None)
    low, high = wilson([0, 1], [0, 2])
    assert np.isnan([low[0], high[0]]).all()
    assert high[1] > 0.5 > low[1]


def test_drawn_units_speak_for_as_many_as_their_chance_says() -> None:
    found = weighted_share(np.array([1.0, 0.0, 0.0]), np.array([0.5, 0.1, 0.1]))
    # 2 of 2 + 10 + 10 units; worth 22^2 / (4 + 100 + 100) cases.
    assert found.of == 3
    assert found.value == pytest.approx(2 / 22)
    low, high = wilson(2 / 22 * (484 / 204), 484 / 204)
    assert (found.low, found.high) == pytest.approx((float(low), float(high)))


def test_precision_counts_reviewed_leads_within_the_capacity(lead_user: User) -> None:
    said(
        (at_rank(1), "confirmed"),
        (at_rank(2), "excluded"),
        (at_rank(3), "needs_information"),  # nothing is decided yet
        (at_rank(5), "confirmed"),  # below the capacity, and not drawn
    )
    found = precision(board_of(lead_user))
    assert [(p.at, p.share.hits, p.share.of) for p in found.points] == [
        (date(2025, 6, 30), 1, 2)
    ]
    assert found.all == share(1, 2)
    assert found.drawn.of == 0


def test_the_last_word_on_a_unit_holds(lead_user: User) -> None:
    said(
        (at_rank(1), "excluded"),
        (at_rank(1), "confirmed"),
        (at_rank(2), "confirmed"),
        (at_rank(2), "withdrawn"),
        (at_rank(3), "excluded"),
        (at_rank(3), "withdrawn"),  # as if nothing had been said
        (at_rank(4), "confirmed"),
        (at_rank(4), "transferred"),  # on its way, and no label any more
    )
    assert precision(board_of(lead_user)).all == share(1, 2)


def test_draws_are_kept_apart_and_weighted(lead_user: User) -> None:
    drawn = list(Lead.objects.filter(slot__kind="explore").order_by("rank_fused"))
    said((at_rank(1), "confirmed"), (drawn[0], "confirmed"), (drawn[1], "excluded"))
    found = precision(board_of(lead_user))
    assert found.all == share(1, 1)
    assert (found.drawn.of, found.drawn.value) == (2, pytest.approx(0.5))
    chances = np.array([2 / 16, 2 / 16])
    assert found.drawn == weighted_share(np.array([1.0, 0.0]), chances)


def test_reviews_before_the_period_are_left_out(lead_user: User) -> None:
    said((at_rank(1), "confirmed"))
    late = board_of(lead_user, later=40)
    assert precision(late).points == ()
    assert rule_precision(late).rows == ()
    assert waits(late).all is None
    assert conversions(late).listed == 0


def test_lift_compares_what_each_order_would_have_shown(lead_user: User) -> None:
    tops = {
        order: [at_rank(rank, order) for rank in range(1, CAPACITY + 1)]
        for order in ("fused", "rules", "score")
    }
    confirmed = {lead.unit_id for lead in tops["fused"][:3]}
    said(*((lead, "confirmed") for lead in tops["fused"][:3]))
    others = {lead.unit_id: lead for lead in tops["rules"] + tops["score"]}
    cleared = [lead for unit, lead in others.items() if unit not in confirmed][:2]
    said(*((lead, "excluded") for lead in cleared))
    found = lift(board_of(lead_user))
    for order in found.orders:
        units = {lead.unit_id for lead in tops[order.order]}
        hits = len(units & confirmed)
        clear = len(units & {lead.unit_id for lead in cleared})
        assert (order.units, order.confirmed, order.cleared) == (CAPACITY, hits, clear)
        assert order.unreviewed == CAPACITY - hits - clear
        assert order.share == share(hits, hits + clear)
    by_rules = found.orders[1].confirmed
    assert found.over("rules") == (3 / by_rules if by_rules else None)


def test_precision_of_a_rule_counts_the_leads_that_it_fired_on(lead_user: User) -> None:
    hit = list(Lead.objects.filter(hits__code="V6").order_by("id"))
    clear = Lead.objects.exclude(hits__code="V6").first()
    assert clear is not None
    said((hit[0], "confirmed"), (hit[1], "confirmed"), (hit[2], "excluded"))
    said((clear, "confirmed"))
    found = rule_precision(board_of(lead_user, 365))
    assert [row.code for row in found.rows] == ["V6"]
    row = found.rows[0]
    assert row.all == share(2, 3)
    assert sum(cell.of for cell in row.months) == 3
    assert len(found.months) == len(row.months)


def test_rules_of_the_scope_are_no_finding(lead_user: User) -> None:
    hit = Lead.objects.filter(hits__code="V1").first()
    assert hit is not None
    said((hit, "confirmed"))
    assert RuleHit.objects.filter(lead=hit, layer=1).exists()
    assert [row.code for row in rule_precision(board_of(lead_user)).rows] == ["V6"]


def test_time_to_disposition_begins_with_the_list(
    lead_user: User, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = board_of(lead_user)
    leads = [at_rank(rank) for rank in range(1, 5)]
    said(*((lead, "confirmed") for lead in leads))
    days = [1.0, 2.0, 3.0, 10.0]
    held = board.standing
    shown = run.published_at.timestamp()
    later = np.array([shown + day * 86_400 for day in days])
    board.standing = replace(held, decided_at=later)
    found = waits(board)
    assert found.all is not None
    assert found.all.units == 4
    assert found.all.median == pytest.approx(2.5)
    assert found.all.late == pytest.approx(np.quantile(days, 0.9))
    assert sum(week.units for week in found.weeks) == 4
    assert all(week.week.weekday() == 0 for week in found.weeks)


def test_backlog_is_what_is_assigned_overdue_and_awaited(
    lead_user: User, run: Run
) -> None:
    now = datetime.now(UTC)
    units = [at_rank(rank).unit_id for rank in range(1, 6)]
    for unit, state, due in (
        (units[0], "open", 20),  # in time
        (units[1], "open", 2),  # overdue by then
        (units[2], "needs_information", 2),  # and so is this one
        (units[3], "confirmed", 2),  # closed
        (units[4], "awaiting", 20),
    ):
        UnitState.objects.create(
            model=MODEL,
            unit_id=unit,
            state=state,
            assignee="ana",
            assigned_at=now,
            due=(now + timedelta(days=due)).date(),
            changed_at=now,
        )
    asked = [
        Proposal.objects.create(
            **{"model": MODEL, "run": run, "unit_id": unit, "verdict": "confirmed"},
            **{"reason": "because", "user": "ana", "at": now},
        )
        for unit in units[3:]
    ]
    Answer.objects.create(proposal=asked[0], agreed=True, user="bo", at=now)
    load = backlog(board_of(lead_user)).now
    assert (load.assigned, load.overdue, load.awaiting) == (4, 2, 1)
    before = backlog(board_of(lead_user)).weeks[0]
    assert (before.assigned, before.overdue, before.awaiting) == (0, 0, 0)


def test_each_step_of_a_listed_unit_is_counted_once(lead_user: User) -> None:
    said(
        (at_rank(1), "confirmed"),
        (at_rank(1), "transferred"),
        (at_rank(2), "excluded"),
        (at_rank(9), "confirmed"),  # not listed
    )
    UnitState.objects.create(
        model=MODEL,
        unit_id=at_rank(3).unit_id,
        assignee="ana",
        changed_at=datetime.now(UTC),
    )
    found = conversions(board_of(lead_user))
    assert dict(found.steps) == {
        "listed": CAPACITY,
        "taken": 3,
        "decided": 2,
        "confirmed": 1,
        "transferred": 1,
    }


def test_offices_restrict_every_number_of_reviews(listed: Publication) -> None:
    mine, all_of_it = (
        make_user("one", ("analyst", MODEL, "office 1")),
        make_user("all", ("analyst",)),
    )
    leads = [at_rank(rank) for rank in range(1, CAPACITY + 1)]
    said(*((lead, "confirmed") for lead in leads))
    units = [lead.unit_id for lead in leads]
    UnitState.objects.filter(unit_id__in=units).update(
        state="open", assignee="ana", assigned_at=datetime.now(UTC)
    )
    own = [lead for lead in leads if lead.office in (None, "office 1")]
    assert 0 < len(own) < CAPACITY
    for user, count in ((mine, len(own)), (all_of_it, CAPACITY)):
        board = board_of(user)
        assert precision(board).all == share(count, count)
        assert lift(board).orders[0].units == count
        assert conversions(board).listed == conversions(board).confirmed == count
        assert backlog(board).now.assigned == count
        whole = waits(board).all
        assert whole is not None
        assert whole.units == count
        fired = Lead.objects.filter(id__in=[lead.id for lead in leads], hits__code="V6")
        if user is mine:
            fired = fired.exclude(office="office 0")
        assert sum(row.all.of for row in rule_precision(board).rows) == fired.count()


def test_the_funnel_is_read_in_both_forms(lead_user: User) -> None:
    board = board_of(lead_user)
    assert [(s.layer, s.hit, s.left) for s in funnel(board).steps] == [
        (0, None, 24),
        (1, None, 24),
        (3, None, 8),
    ]
    board.chosen.funnel = {
        **{"as_of": "2025-06-30T00:00:00", "units": 24},
        **{"hit_1": 24, "left_1": 24, "hit_3": 8, "left_3": 7},
    }
    assert [(s.layer, s.hit, s.left) for s in funnel(board).steps] == [
        (0, None, 24),
        (1, 24, 24),
        (3, 8, 7),
    ]


def spot(value: str, units: int, top: int) -> dict[str, object]:
    return {
        **{"column": "region", "en": "region", "zh": "地区", "value": value},
        **{"units": units, "top": top, "hits": 1, "money": None},
    }


def test_small_places_do_not_shout(lead_user: User) -> None:
    board = board_of(lead_user)
    board.chosen.about["spots"] = [
        spot("tiny", 2, 1),
        spot("large", 300, 60),
        spot("usual", 698, 39),
    ]
    found = spots(board, "region")
    assert found.average == pytest.approx(3 / 24)
    assert [row.value for row in found.rows] == ["large", "tiny", "usual"]
    large = found.rows[0]
    ends = binomtest(60, 300).proportion_ci(method="wilson")
    assert large.excess == pytest.approx(0.2 - 0.125)
    by_hand = (ends.low - 0.125, ends.high - 0.125)
    assert (large.low, large.high) == pytest.approx(by_hand)
    assert found.rows[1].low < 0 < large.low


def test_who_sees_one_office_sees_no_small_places(listed: Publication) -> None:
    board = board_of(make_user("one", ("analyst", MODEL, "office 1")))
    board.chosen.about["spots"] = [spot("tiny", 2, 1), spot("large", 300, 60)]
    assert [row.value for row in spots(board, "region").rows] == ["large"]
    board.chosen.about["spots"] = [
        {**spot(office, 50, 5), "en": "office", "zh": "办案单位"}
        for office in ("office 0", "office 1")
    ]
    assert [row.value for row in spots(board, "region").rows] == ["office 1"]


def test_the_stability_index_is_the_sum_over_bins() -> None:
    then, now = np.array([0.5, 0.5]), np.array([0.8, 0.2])
    by_hand = 0.3 * np.log(1.6) - 0.3 * np.log(0.4)
    assert stability_index(then, now, 0.001) == pytest.approx(by_hand)
    assert stability_index(now, now, 0.001) == 0


def test_deciles_tell_much_the_same_as_the_values() -> None:
    chance = np.random.default_rng(1)
    then, same, moved = (chance.normal(m, 1, 50_000) for m in (0, 0, 0.5))
    deciles = [np.quantile(v, np.arange(11) / 10).tolist() for v in (then, same, moved)]
    edges = np.quantile(then, np.arange(1, 10) / 10)
    old, new = (
        np.bincount(np.searchsorted(edges, v), minlength=10) / len(v)
        for v in (then, moved)
    )
    exact = stability_index(old, new, 0.001)
    assert decile_index(deciles[0], deciles[1], (0, 0)) < 0.01
    assert decile_index(deciles[0], deciles[2], (0, 0)) == pytest.approx(exact, rel=0.1)


def test_rare_ones_among_zeros_are_no_drift() -> None:
    rare, none = [0.0] * 10 + [1.0], [0.0] * 11
    assert decile_index(rare, none, (0, 0)) < 0.1
    assert decile_index([5.0] * 11, [7.0] * 11, (0, 0)) > 0.25


def test_what_is_missing_is_a_bin_of_its_own() -> None:
    deciles = [float(n) for n in range(11)]
    by_hand = 0.2 * np.log(0.3 / 0.1) - 0.2 * np.log(0.7 / 0.9)
    assert decile_index(None, None, (0.1, 0.3)) == pytest.approx(by_hand)
    assert decile_index(deciles, deciles, (0.1, 0.3)) == pytest.approx(by_hand)


@pytest.fixture
def second(listed: Publication, tmp_path: Path) -> str:
    """Another list of the same version, a week later, with other distributions."""
    about = {
        **listed.about,
        "scores": {"score": [1] * 20, "rules": [1] * 20, "fused": [2] * 10 + [0] * 10},
        "features": {
            "claimant_claims_count_1d": {
                **listed.about["features"]["claimant_claims_count_1d"],
                "deciles": [float(n + 4) for n in range(11)],
            }
        },
    }
    as_of = listed.as_of + timedelta(days=7)
    hits = listed.tables["rule_hits"]
    times = [[as_of] * hits.num_rows]
    place = hits.column_names.index("as_of")
    tables = {**listed.tables, "rule_hits": hits.set_column(place, "as_of", times)}
    scores = _later(listed, tmp_path, as_of)
    later = replace(
        listed,
        **{"run_id": "later", "as_of": as_of, "inputs": "9" * 64, "about": about},
        **{"tables": tables, "scores_file": scores},
    )
    publish(later, Settings(home=tmp_path, store_url=""))
    return "later"


def _later(listed: Publication, folder: Path, as_of: datetime) -> Path:
    scores = pq.read_table(listed.scores_file)
    times = pa.array([as_of] * scores.num_rows, pa.timestamp("us"))
    place = scores.column_names.index("as_of")
    path = folder / "work" / "later.parquet"
    pq.write_table(scores.set_column(place, "as_of", times), path)
    return path


def test_drift_is_against_the_list_before(lead_user: User, second: str) -> None:
    board = board_of(lead_user)
    assert board.run.id == second
    fused, rules, _score = score_drift(board).histograms
    assert rules.index == pytest.approx(0)
    half = 10 * 0.05 * np.log(0.1 / 0.05)
    none = 10 * (0.001 - 0.05) * np.log(0.001 / 0.05)
    assert fused.index == pytest.approx(half + none)
    row = feature_drift(board).rows[0]
    assert row.before is not None
    assert row.before > 0.25
    assert row.first == row.before  # the list before is the version's first one


def test_without_an_earlier_list_nothing_is_compared(lead_user: User) -> None:
    board = board_of(lead_user)
    assert [h.index for h in score_drift(board).histograms] == [None] * 3
    assert [row.index for row in feature_drift(board).rows] == [None]


def test_a_review_counts_in_the_list_in_which_it_began(
    lead_user: User, second: str
) -> None:
    unit = at_rank(1).unit_id
    first = Lead.objects.exclude(run_id=second).get(unit_id=unit)
    later = Lead.objects.get(run_id=second, unit_id=unit)
    said((first, "needs_information"), (later, "confirmed"))
    points = precision(board_of(lead_user)).points
    assert [(p.at, p.share.of) for p in points] == [(date(2025, 6, 30), 1)]


def test_many_lists_are_added_up_by_week(
    lead_user: User, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.console.boards.precision.SINGLE_RUNS", 1)
    first = Lead.objects.exclude(run_id=second).order_by("rank_fused")
    later = Lead.objects.filter(run_id=second).order_by("rank_fused")
    said((first[0], "confirmed"), (first[1], "excluded"), (later[2], "confirmed"))
    found = precision(board_of(lead_user))
    assert found.weekly
    assert [(p.at, p.lists, p.share) for p in found.points] == [
        (date(2025, 6, 30), 1, share(1, 2)),
        (date(2025, 7, 7), 1, share(1, 1)),
    ]


def test_days_begin_at_the_offices_own_midnight() -> None:
    at = [
        datetime(2025, 6, 30, 15, 59, tzinfo=UTC),  # still Monday in Shanghai
        datetime(2025, 6, 30, 16, 0, tzinfo=UTC),  # Tuesday, and July
        datetime(2025, 7, 6, 16, 0, tzinfo=UTC),  # Monday of the week after
    ]
    moments = np.array([moment.timestamp() for moment in at])
    assert [date.fromordinal(n) for n in days_of(moments)] == [
        date(2025, 6, 30),
        date(2025, 7, 1),
        date(2025, 7, 7),
    ]
    mondays = [date.fromordinal(n) for n in mondays_of(moments)]
    assert mondays == [date(2025, 6, 30), date(2025, 6, 30), date(2025, 7, 7)]
    assert [month(n).month for n in months_of(moments)] == [6, 7, 7]
    assert len(days_of(np.array([]))) == 0


def test_freshness_is_days_behind_the_list(lead_user: User) -> None:
    board = board_of(lead_user)
    board.chosen.coverage = {
        "source_1": {
            **{"rows": 24, "rejects": 2, "missing": False, "units": 0.5},
            **{
                "first_known": "2024-01-01T00:00:00",
                "last_known": "2025-06-20T00:00:00",
            },
        },
        "old": {"rows": 3, "missing": False, "last_known": "2025-05-01T00:00:00"},
        "gone": {"rows": 0, "missing": True, "last_known": None},
    }
    found = freshness(board)
    assert [(d.source, d.behind) for d in found.sources] == [
        ("gone", None),
        ("old", 60),
        ("source_1", 10),
    ]
    assert (found.missing, found.stale) == (1, 1)
    known = found.sources[2]
    assert (known.en, known.zh, known.department_zh) == (
        "Claims",
        "理赔",
        "保险行业协会",
    )
    assert (known.rows, known.rejects, known.units) == (24, 2, 0.5)


def test_columns_of_hot_spots_are_those_that_the_run_kept(lead_user: User) -> None:
    assert spot_columns(board_of(lead_user).chosen) == ["shop"]
    assert spot_columns(Run()) == []


def test_figures_are_the_same_on_either_database(
    store: Settings, tmp_path: Path
) -> None:
    publish(with_dossier(make_publication(tmp_path, units=24), tmp_path), store)
    user = make_user("one", ("analyst", MODEL, "office 0"))
    leads = [at_rank(rank) for rank in range(1, CAPACITY + 1)]
    said(*((lead, "confirmed") for lead in leads))
    own = sum(lead.office in (None, "office 0") for lead in leads)
    board = board_of(user)
    found = {one.name: one.data() for one in figures(board)}
    assert found["precision"].all == share(own, own)
    assert found["conversions"].confirmed == own
    assert len(found) == 11
    assert board.run.capacity == CAPACITY
