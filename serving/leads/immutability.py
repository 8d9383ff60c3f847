"""Triggers by which the database itself refuses to change a published run.

What a person judged cannot be changed either, but is added to at any time.

A later migration that alters or adds one of these tables must call `remove_guards` before
and `install_guards` after: SQLite rebuilds an altered table, its triggers are lost with
the old one, and those of others that name it stand in the way.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

OF_RUN = ("leads_lead", "leads_group", "leads_runrule")
OF_LEAD = (
    *("leads_rulehit", "leads_reason", "leads_evidence"),
    *("leads_groupmember", "leads_pathstep"),
    *("leads_slot", "leads_part", "leads_counterfactual"),
)
OF_GROUP = ("leads_groupmember", "leads_grouptie")

CHANGED = "a published run cannot be changed or deleted; publish a new run"
ADDED = "nothing can be added to a published run; publish a new run"
REJUDGED = "a judgement cannot be changed or deleted; judge the two records again"
DISPOSED = "a disposition cannot be changed or deleted; add another one, which holds"
RELEASED = "a release cannot be changed or deleted; add another one"
LOGGED = "an entry of the audit log cannot be changed or deleted"
PROPOSED = "what was said in a review cannot be changed or deleted; say it anew"

# Why no row of a table may be changed.
GUARDED = {
    "leads_run": CHANGED,
    **dict.fromkeys(OF_RUN + OF_LEAD + OF_GROUP, CHANGED),
    "leads_linkjudgement": REJUDGED,
    "leads_disposition": DISPOSED,
    "leads_release": RELEASED,
    "audit_entry": LOGGED,
    "review_proposal": PROPOSED,
    "review_answer": PROPOSED,
}

_EVENTS = {
    "sqlite": ("update", "delete"),
    "postgresql": ("update", "delete", "truncate"),
}
_PRESENT = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger"
    " WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')",
}
# What a row that is added must not belong to. `added` is the inserted row, on PostgreSQL
# the table of all rows of one statement: a look-up for each row there took as long as
# the insertion itself.
_RUN_PUBLISHED = "leads_run r WHERE r.id = {added}.run_id"
_LEAD_PUBLISHED = (
    "leads_lead l JOIN leads_run r ON r.id = l.run_id WHERE l.id = {added}.lead_id"
)
_GROUP_PUBLISHED = (
    "leads_group g JOIN leads_run r ON r.id = g.run_id WHERE g.id = {added}.group_id"
)


def missing_guards(connection: BaseDatabaseWrapper) -> list[str]:
    """The triggers that someone has dropped or disabled."""
    events = _EVENTS[connection.vendor]
    needed = {f"{table}_no_{event}" for table in GUARDED for event in events}
    needed |= {f"{table}_no_insert" for table in _insert_guards()}
    with connection.cursor() as cursor:
        cursor.execute(_PRESENT[connection.vendor])
        return sorted(needed - {row[0] for row in cursor.fetchall()})


def install_guards(apps: Any, schema_editor: Any) -> None:
    """Migration step: create the triggers, anew where they stand already.

    Tables that only a later migration makes are left to it.
    """
    remove_guards(apps, schema_editor)
    connection = schema_editor.connection
    there = set(connection.introspection.table_names())
    statements = (
        _sqlite_triggers(there)
        if connection.vendor == "sqlite"
        else _postgresql_triggers(there)
    )
    for statement in statements:
        schema_editor.execute(statement, None)


def remove_guards(apps: Any, schema_editor: Any) -> None:
    """Migration step: drop the triggers."""
    vendor = schema_editor.connection.vendor
    there = schema_editor.connection.introspection.table_names()
    for table in (table for table in GUARDED if table in there):
        on = "" if vendor == "sqlite" else f" ON {table}"
        for event in (*_EVENTS[vendor], "insert"):
            schema_editor.execute(
                f"DROP TRIGGER IF EXISTS {table}_no_{event}{on}", None
            )


def _sqlite_triggers(there: set[str]) -> list[str]:
    changes = [
        f"CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table}: {refusal}'); END"
        for table, refusal in GUARDED.items()
        if table in there
        for event in _EVENTS["sqlite"]
    ]
    additions = [
        f"CREATE TRIGGER {table}_no_insert BEFORE INSERT ON {table}"
        f" WHEN {_any_of('SELECT 1 FROM ', published, 'NEW')}"
        f" BEGIN SELECT RAISE(ABORT, '{table}: {ADDED}'); END"
        for table, published in _insert_guards().items()
        if table in there
    ]
    return changes + additions


def _postgresql_triggers(there: set[str]) -> list[str]:
    functions = [_function("leads_refuse_change", _refusal("TG_ARGV[0]"))]
    changes = [
        f"CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table} FOR EACH"
        f" {'STATEMENT' if event == 'truncate' else 'ROW'}"
        f" EXECUTE FUNCTION leads_refuse_change('{refusal}')"
        for table, refusal in GUARDED.items()
        if table in there
        for event in _EVENTS["postgresql"]
    ]
    return functions + changes + _postgresql_additions(there)


def _postgresql_additions(there: set[str]) -> list[str]:
    functions = [
        _function(
            f"{table}_refuse_insert",
            f"IF {_any_of('SELECT 1 FROM added, ', published, 'added')}"
            f" THEN {_refusal(repr(ADDED))} END IF;",
        )
        for table, published in _insert_guards().items()
        if table in there
    ]
    triggers = [
        f"CREATE TRIGGER {table}_no_insert AFTER INSERT ON {table}"
        " REFERENCING NEW TABLE AS added FOR EACH STATEMENT"
        f" EXECUTE FUNCTION {table}_refuse_insert()"
        for table in _insert_guards()
        if table in there
    ]
    return functions + triggers


def _insert_guards() -> dict[str, list[str]]:
    """table -> the conditions of which none may hold of a row that is added."""
    owners = ((OF_RUN, _RUN_PUBLISHED), (OF_LEAD, _LEAD_PUBLISHED))
    guards: dict[str, list[str]] = {}
    for tables, published in (*owners, (OF_GROUP, _GROUP_PUBLISHED)):
        for table in tables:
            guards.setdefault(table, []).append(published)
    return guards


def _any_of(select: str, conditions: list[str], added: str) -> str:
    found = (f"EXISTS ({select}{c.format(added=added)})" for c in conditions)
    return " OR ".join(found)


def _refusal(message: str) -> str:
    """Raise the message, an SQL expression."""
    return (
        f"RAISE EXCEPTION '%: %', TG_TABLE_NAME, {message}"
        " USING ERRCODE = 'integrity_constraint_violation';"
    )


def _function(name: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
        f" AS $$ BEGIN {body} RETURN NEW; END $$"
    )
