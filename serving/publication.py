"""What a finished run hands to the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from configs.schema import LISTED


@dataclass(frozen=True, slots=True)
class Publication:
    """One finished run: all that `publish` writes, in one transaction.

    `rules` lists dicts with code, layer, lawful_en, lawful_zh and hits. `tables` has the
    names of `configs.tables.PUBLISHED`. Its leads are of the first `listed` units of each
    of the three orders, and of any others. `scores_file` is a finished Parquet file with
    one row for each scored unit, and so is each of `files`, the inputs that are frozen
    with the run: feature_matrix, rule_flags and units. `hits` count all scored units.
    `kinds` holds the titles, en and zh, of every kind of node that ties and paths name.
    `links` sums up the resolution of entities: records, entities, links accepted, for
    review and flagged, warnings; it is kept as it is given. `dossier` has files of the
    columns of `configs.tables.DOSSIER`, any of them; `about` is as `serving.about` reads it.
    """

    model_id: str
    title_en: str
    title_zh: str
    run_id: str
    as_of: datetime  # without a time zone, like every time of the tables
    inputs: (
        str  # sha256 of the data fingerprints, the configuration and the model version
    )
    config_hash: str
    mlflow_run: str
    model_version: str
    funnel: Any
    coverage: Any  # per source: rows, rejects, first and last known_at, share of units
    fingerprints: Any
    rules: Sequence[Mapping[str, Any]]
    scores_file: Path
    tables: Mapping[str, pa.Table]
    files: Mapping[str, Path] = field(default_factory=dict)
    kinds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    links: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    dossier: Mapping[str, Path] = field(default_factory=dict)
    listed: int = LISTED
    model_digest: str = ""  # SHA-256 over the files of the model that scored


@dataclass(frozen=True, slots=True)
class PublishedRun:
    """The run that now stands in the store; `new` is False when it stood there before."""

    run_id: str
    new: bool
