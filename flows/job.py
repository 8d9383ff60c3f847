"""One execution: which model, which delivery, which date, which work folder."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, time
from pathlib import Path
from typing import Any, Literal

from configs.loading import LoadedModel, load_model
from configs.settings import Settings
from flows.catalog import Catalog, Limits, opened
from flows.shelf import FOLDER, forget_unused
from flows.spark_session import check_installed

KEPT_WORK_FOLDERS = 3
Engine = Literal["duckdb", "spark"]
# Called with the name of a stage as it begins; the CLI shows it, flows log it.
Progress = Callable[[str], None]


def silent(_: str) -> None:
    """No progress shown."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every stage is given. Stages hand tables to each other through `folder`."""

    model: LoadedModel
    location: str
    settings: Settings
    folder: Path
    as_of: datetime | None = None
    progress: Progress = silent
    # A list that is made again: by this version, with what was judged until then.
    version: int | None = None
    judged_until: datetime | None = None
    engine: Engine = "duckdb"

    @property
    def model_id(self) -> str:
        return self.model.spec.id

    def quiet(self) -> "Job":
        """The same without progress, to be sent to another process."""
        return replace(self, progress=silent)

    def opened(self) -> AbstractContextManager[Catalog]:
        """The engine over the work folder, closed at the end of the block."""
        if self.engine == "spark":
            check_installed()
            from flows.spark_catalog import opened_on_spark  # noqa: PLC0415 (an extra)

            return opened_on_spark(self.folder, self.settings.spark, self.limits)
        return self.here()

    def here(self) -> AbstractContextManager[Catalog]:
        """An engine of this process over the same files, whatever the run's engine."""
        return opened(self.folder, self.limits)

    @property
    def limits(self) -> Limits:
        own = self.settings
        return Limits(own.memory, own.threads, own.spill)


def new_job(
    name: str,
    location: str,
    settings: Settings,
    as_of: datetime | None = None,
    progress: Progress = silent,
    engine: Engine = "duckdb",
) -> Job:
    """Load the model and open a work folder of its own for this execution.

    An `as_of` at midnight is a date without a time: the whole day counts as known.
    """
    if as_of is not None and as_of.time() == time.min:
        as_of = datetime.combine(as_of, time(23, 59, 59))
    model = load_model(name, settings.models)
    parent = settings.work / model.spec.id
    parent.mkdir(parents=True, exist_ok=True)
    _prune(parent)
    folder = parent / f"{datetime.now():%Y%m%d-%H%M%S-%f}-{os.getpid()}"
    folder.mkdir()
    return Job(model, location, settings, folder, as_of, progress, engine=engine)


def digest_of(content: Any) -> str:
    """SHA-256 of plain data, independent of the order of keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _prune(parent: Path) -> None:
    """Remove all but the newest work folders whose process has ended."""
    runs = (f for f in sorted(parent.iterdir()) if f.name != FOLDER)
    ended = [f for f in runs if not _is_running(f)]
    for folder in _all_but_last(ended, KEPT_WORK_FOLDERS):
        shutil.rmtree(folder, ignore_errors=True)
    forget_unused(parent)


def _all_but_last(folders: list[Path], kept: int) -> Iterable[Path]:
    return folders[:-kept] if len(folders) > kept else ()


def _is_running(folder: Path) -> bool:
    return Path("/proc", folder.name.rpartition("-")[2]).exists()
