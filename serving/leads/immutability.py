"""Triggers by which the database itself refuses to change a published run.

A later migration that alters one of these tables must call `install_guards` again:
SQLite rebuilds an altered table, and its triggers are lost with the old one.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

OF_RUN = ("leads_lead", "leads_runrule")
OF_LEAD = ("leads_rulehit", "leads_reason", "leads_evidence")
GUARDED = ("leads_run", *OF_RUN, *OF_LEAD)

CHANGED = "a published run cannot be changed or deleted; publish a new run"
ADDED = "nothing can be added to a published run; publish a new run"

_EVENTS = {
    "sqlite": ("update", "delete"),
    "postgresql": ("update", "delete", "truncate"),
}
_PRESENT = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger"
    " WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')",
}
# `added` is the inserted row, on PostgreSQL the table of all rows of one statement: a
# look-up for each row there took as long as the insertion itself.
_RUN_PUBLISHED = "leads_run r WHERE r.id = {added}.run_id"
_LEAD_PUBLISHED = (
    "leads_lead l JOIN leads_run r ON r.id = l.run_id WHERE l.id = {added}.lead_id"
)


def missing_guards(connection: BaseDatabaseWrapper) -> list[str]:
    """The triggers that someone has dropped or disabled."""
    events = _EVENTS[connection.vendor]
    needed = {f"{table}_no_{event}" for table in GUARDED for event in events}
    needed |= {f"{table}_no_insert" for table in OF_RUN + OF_LEAD}
    with connection.cursor() as cursor:
        cursor.execute(_PRESENT[connection.vendor])
        return sorted(needed - {row[0] for row in cursor.fetchall()})


def install_guards(apps: Any, schema_editor: Any) -> None:
    """Migration step: create the triggers, anew where they stand already."""
    remove_guards(apps, schema_editor)
    sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in _sqlite_triggers() if sqlite else _postgresql_triggers():
        schema_editor.execute(statement, None)


def remove_guards(apps: Any, schema_editor: Any) -> None:
    """Migration step: drop the triggers."""
    vendor = schema_editor.connection.vendor
    for table in GUARDED:
        on = "" if vendor == "sqlite" else f" ON {table}"
        for event in (*_EVENTS[vendor], "insert"):
            schema_editor.execute(
                f"DROP TRIGGER IF EXISTS {table}_no_{event}{on}", None
            )


def _sqlite_triggers() -> list[str]:
    changes = [
        f"CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table}: {CHANGED}'); END"
        for table in GUARDED
        for event in _EVENTS["sqlite"]
    ]
    additions = [
        f"CREATE TRIGGER {table}_no_insert BEFORE INSERT ON {table}"
        f" WHEN EXISTS (SELECT 1 FROM {published.format(added='NEW')})"
        f" BEGIN SELECT RAISE(ABORT, '{table}: {ADDED}'); END"
        for table, published in _insert_guards()
    ]
    return changes + additions


def _postgresql_triggers() -> list[str]:
    functions = [_function("leads_refuse_change", _refusal(CHANGED))]
    changes = [
        f"CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table} FOR EACH"
        f" {'STATEMENT' if event == 'truncate' else 'ROW'}"
        " EXECUTE FUNCTION leads_refuse_change()"
        for table in GUARDED
        for event in _EVENTS["postgresql"]
    ]
    return functions + changes + _postgresql_additions()


def _postgresql_additions() -> list[str]:
    functions = [
        _function(
            f"{table}_refuse_insert",
            f"IF EXISTS (SELECT 1 FROM added, {published.format(added='added')})"
            f" THEN {_refusal(ADDED)} END IF;",
        )
        for table, published in _insert_guards()
    ]
    triggers = [
        f"CREATE TRIGGER {table}_no_insert AFTER INSERT ON {table}"
        " REFERENCING NEW TABLE AS added FOR EACH STATEMENT"
        f" EXECUTE FUNCTION {table}_refuse_insert()"
        for table, _ in _insert_guards()
    ]
    return functions + triggers


def _insert_guards() -> list[tuple[str, str]]:
    to_run = [(table, _RUN_PUBLISHED) for table in OF_RUN]
    return to_run + [(table, _LEAD_PUBLISHED) for table in OF_LEAD]


def _refusal(message: str) -> str:
    return (
        f"RAISE EXCEPTION '%: {message}', TG_TABLE_NAME"
        " USING ERRCODE = 'integrity_constraint_violation';"
    )


def _function(name: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
        f" AS $$ BEGIN {body} RETURN NEW; END $$"
    )
