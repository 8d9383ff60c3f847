"""The database itself refuses to change a published run."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from configs.settings import Settings
from serving import queries
from serving.audit.chain import record
from serving.judgements import judge
from serving.leads.immutability import GUARDED
from serving.leads.models import (
    Counterfactual,
    Disposition,
    Evidence,
    Group,
    GroupMember,
    GroupTie,
    Lead,
    LinkJudgement,
    Part,
    PathStep,
    Reason,
    Release,
    RuleHit,
    Run,
    RunRule,
    Slot,
)
from serving.publication import Publication
from serving.publish import publish
from serving.review.models import Answer, Proposal
from serving.verify import verify

NOW = datetime(2025, 7, 1, tzinfo=UTC)
CHANGED = "a published run cannot be changed or deleted"
ADDED = "nothing can be added to a published run"


def first_lead() -> Lead:
    return Lead.objects.order_by("id")[0]


def alone() -> Lead:
    return Lead.objects.filter(group_id=None)[0]


ORM: dict[str, Callable[[], object]] = {
    "run": lambda: Run.objects.update(units=1),
    "lead": lambda: Lead.objects.update(score=0),
    "hit": lambda: RuleHit.objects.update(layer=1),
    "reason": lambda: Reason.objects.update(text_en=""),
    "evidence": lambda: Evidence.objects.update(line=1),
    "rule": lambda: RunRule.objects.update(hits=0),
    "group": lambda: Group.objects.update(score=0),
    "member": lambda: GroupMember.objects.update(position=9),
    "tie": lambda: GroupTie.objects.all().delete(),
    "path": lambda: PathStep.objects.update(probability=1),
    "slot": lambda: Slot.objects.update(propensity=1),
    "part": lambda: Part.objects.update(contribution=0),
    "fall": lambda: Counterfactual.objects.all().delete(),
    "band": lambda: Lead.objects.update(band_low=0.5),
    "frozen": lambda: Run.objects.update(files={}),
    "leave": lambda: Lead.objects.update(group_id=None),
    "save": lambda: first_lead().save(),
    "delete": lambda: Evidence.objects.all().delete(),
}
ADDITIONS: dict[str, Callable[[], object]] = {
    "hit": lambda: RuleHit.objects.create(
        lead=first_lead(), code="V0", layer=1, reason_en="", reason_zh=""
    ),
    "reason": lambda: Reason.objects.create(
        lead=first_lead(), position=99, feature="", text_en="", text_zh=""
    ),
    "evidence": lambda: Evidence.objects.create(lead=first_lead(), source="x"),
    "rule": lambda: RunRule.objects.create(
        run=Run.objects.get(), code="V0", layer=1, lawful_en="", lawful_zh="", hits=0
    ),
    "group": lambda: Group.objects.create(
        id=10**6,
        run=Run.objects.get(),
        group_id="x",
        rank=9,
        score=0,
        units=0,
        density=0,
    ),
    "member": lambda: GroupMember.objects.create(
        group=Group.objects.all()[0], lead=alone(), position=99
    ),
    "tie": lambda: GroupTie.objects.create(
        group=Group.objects.all()[0], position=99, rows=1, probability=1
    ),
    "path": lambda: PathStep.objects.create(
        lead=first_lead(), path=9, step=1, rows=1, probability=1
    ),
    "slot": lambda: Slot.objects.create(
        lead=Lead.objects.filter(slot=None)[0], position=99, propensity=1
    ),
    "part": lambda: Part.objects.create(lead=first_lead(), position=99, contribution=1),
    "fall": lambda: Counterfactual.objects.create(
        lead=first_lead(), position=99, rank=1
    ),
    "lead": lambda: Lead.objects.create(
        id=10**6,
        run=Run.objects.get(),
        unit_id="x",
        score=0,
        rules=0,
        fused=0,
        rank_score=99,
        rank_rules=99,
        rank_fused=99,
    ),
}


@pytest.mark.usefixtures("published")
def test_orm_changes_of_a_published_run_are_refused(store: Settings) -> None:
    for change in ORM.values():
        with pytest.raises(IntegrityError, match=CHANGED), transaction.atomic():
            change()
    assert verify(store) == []


@pytest.mark.usefixtures("published")
def test_orm_additions_to_a_published_run_are_refused(store: Settings) -> None:
    for add in ADDITIONS.values():
        with pytest.raises(IntegrityError, match=ADDED), transaction.atomic():
            add()
    assert verify(store) == []


@pytest.mark.usefixtures("published")
def test_raw_sql_changes_of_a_published_run_are_refused(store: Settings) -> None:
    judge_once()
    decide_once()
    with connection.cursor() as cursor:
        for table, refusal in GUARDED.items():
            for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id"):
                with pytest.raises(IntegrityError, match=f"{table}: {refusal}"):
                    cursor.execute(sql)
    for kept in (LinkJudgement, Disposition, Release):
        assert kept.objects.count() == 1
    assert verify(store) == []


def test_sqlite_replace_cannot_slip_past_the_guards(
    sqlite_store: Settings, publication: Publication
) -> None:
    publish(publication, sqlite_store)
    with connection.cursor() as cursor:
        for table in ("leads_run", "leads_rulehit", "leads_groupmember"):
            sql = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
            with pytest.raises(IntegrityError, match="published run"):
                cursor.execute(sql)
    assert verify(sqlite_store) == []


def test_postgresql_truncate_is_refused(
    database: str, publication: Publication
) -> None:
    settings = Settings(home=publication.scores_file.parent, store_url=database)
    publish(publication, settings)
    for table, refusal in GUARDED.items():
        with (
            connection.cursor() as cursor,
            pytest.raises(IntegrityError, match=refusal),
        ):
            cursor.execute(f"TRUNCATE {table} CASCADE")


def judge_once() -> None:
    judge("claims", "person", ("a", "b"), "same", user="li", note="same face")


def decide_once() -> None:
    told = {"model": "claims", "reason": "same face", "user": "li", "at": NOW}
    run = Run.objects.all()[0]
    Disposition.objects.create(run=run, unit_id="c1", verdict="confirmed", **told)
    Release.objects.create(version="2", action="approved", **told)
    proposal = Proposal.objects.create(
        run=run, unit_id="c2", verdict="confirmed", **told
    )
    Answer.objects.create(proposal=proposal, agreed=True, user="wang", at=NOW)
    record("decided", user="li", unit="c1")


def test_sqlite_replace_cannot_overwrite_a_judgement(sqlite_store: Settings) -> None:
    judge_once()
    with connection.cursor() as cursor:
        sql = "INSERT OR REPLACE INTO leads_linkjudgement SELECT * FROM leads_linkjudgement"
        with pytest.raises(IntegrityError, match="a judgement cannot be changed"):
            cursor.execute(sql)
    assert verify(sqlite_store) == []


def test_member_of_a_published_group_cannot_come_with_a_later_run(
    store: Settings, published: Publication
) -> None:
    """A lead of a run that is being published must not join a ring of an older one."""
    with pytest.raises(IntegrityError, match=ADDED), transaction.atomic():
        join_later(group=Group.objects.all()[0], position=99)
    assert verify(store) == []
    assert len(queries.group(published.run_id, "G0001").members) == 4


def join_later(**member: object) -> None:
    lead = Lead.objects.create(
        id=10**6, run_id="later", unit_id="x", score=0, rules=0, fused=0,
        rank_score=1, rank_rules=1, rank_fused=1,
    )  # fmt: skip
    GroupMember.objects.create(lead=lead, **member)


@pytest.mark.usefixtures("published")
def test_lead_of_an_unpublished_run_cannot_be_committed(store: Settings) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Lead.objects.create(
            id=10**6,
            run_id="never",
            unit_id="x",
            score=0,
            rules=0,
            fused=0,
            rank_score=1,
            rank_rules=1,
            rank_fused=1,
        )
    assert verify(store) == []
