"""The digest of a run: one SHA-256 over everything that the store holds about it.

It is fed with rows, so that the same function serves the tables that are published and
the rows that are read back: section by section, each row as JSON without spaces.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from configs.tables import PUBLISHED

# The tables that others hang on, and the column that ranks and numbers their rows.
NUMBERED = {"leads": "rank_fused", "groups": "rank"}
# In a table that hangs on them a rank stands for the lead or the group: column -> the
# table that it ranks, and the id that it stands for.
KEYS = {"lead": ("leads", "unit_id"), "group": ("groups", "group_id")}

_RANKED = {named: key for key, (_, named) in KEYS.items()}
SECTIONS = {
    name: tuple(
        column if name in NUMBERED else _RANKED.get(column, column)
        for column in columns
        if column != "as_of"
    )
    for name, columns in PUBLISHED.items()
}

# A run is digested in the form of its time: what a later form added, a run of an earlier
# one does not have. `table` is a whole section, `table.column` a column of an older one.
FORM = 3
_SINCE = {
    2: {
        *("slots", "parts", "counterfactuals"),
        *("leads.band_low", "leads.band_high", "reasons.kind"),
        *("run.files", "run.form", "run.model_digest"),
    },
    3: {
        *("leads.office", "leads.peer_percentile"),
        *("rule_hits.says_en", "rule_hits.says_zh"),
        "run.about",
    },
}

# digest itself is left out, and units: the scores file, whose SHA-256 is here, has so many
# rows
RUN_FIELDS = (
    "id",
    "model_id",
    "as_of",
    "inputs",
    "config_hash",
    "mlflow_run",
    "model_version",
    "model_digest",
    "counts",
    "funnel",
    "coverage",
    "fingerprints",
    "files",
    "form",
    "kinds",
    "links",
    "about",
    "scores_path",
    "scores_sha256",
    "published_at",
)
RULE_FIELDS = ("code", "layer", "lawful_en", "lawful_zh", "hits")

_EXACT = 2**53  # floats hold every integer below


def sections(form: int) -> dict[str, tuple[str, ...]]:
    """The sections and their columns of a run of this form."""
    later = _later(form)
    return {
        name: tuple(c for c in columns if f"{name}.{c}" not in later)
        for name, columns in SECTIONS.items()
        if name not in later
    }


def _later(form: int) -> set[str]:
    return {name for since, names in _SINCE.items() if since > form for name in names}


def _bare(time: datetime) -> str:
    """A time without its zone: PostgreSQL gives the zone UTC back, SQLite none."""
    return time.replace(tzinfo=None).isoformat()


_encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True, default=_bare).encode


class RunDigest:
    """Collects the rows of a run, in the order of SECTIONS, then the run's own fields.

    Args:
        form: of the run; one that is published now has the newest.
    """

    def __init__(self, form: int = FORM) -> None:
        self._hash = hashlib.sha256()
        self._form = form
        self._sections = sections(form)

    def begin(self, section: str) -> None:
        """Start a section; its name and columns are part of the digest."""
        self._hash.update(f"\n{section}{_encode(self._sections[section])}\n".encode())

    def add(self, rows: Sequence[Sequence[object]]) -> None:
        """Add rows of the section; how they are cut into batches does not matter."""
        if rows:
            self._hash.update(_encode(rows)[1:-1].encode() + b",")

    def so_far(self) -> str:
        """The digest of what was added until now."""
        return self._hash.copy().hexdigest()

    def finish(self, run: dict[str, Any], rules: Iterable[dict[str, Any]]) -> str:
        """Add the run's own fields and its rules; the digest in hex."""
        later = _later(self._form)
        names = [name for name in RUN_FIELDS if f"run.{name}" not in later]
        own = {name: _plain(run[name]) for name in names}
        listed = [[rule[name] for name in RULE_FIELDS] for rule in rules]
        self._hash.update(f"\nrun\n{_encode([own, sorted(listed)])}".encode())
        return self._hash.hexdigest()


def _plain(value: Any) -> Any:
    """The value in a form that both databases give back.

    PostgreSQL writes 1.0e16 as an integer: whole numbers become integers as far as both
    types are exact, and larger ones floats.
    """
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        whole = abs(value) < _EXACT and value == int(value)
        return int(value) if whole else float(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
