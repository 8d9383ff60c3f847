"""Keeps a run's scores, a Parquet file, beside the store."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

NAME = "scores.parquet"
PART = ".part"  # ending of a copy that is not finished or not yet published
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ScoresCopy:
    """A finished copy under a temporary name; `keep` gives it its own."""

    part: Path
    path: Path
    sha256: str

    def keep(self) -> None:
        """Rename the copy. What stood there belonged to no published run."""
        self.part.replace(self.path)
        _sync_folder(self.path.parent)


@contextmanager
def copied_scores(source: Path, folder: Path) -> Iterator[ScoresCopy]:
    """Copy the file into the run's folder; a copy that was not kept is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{NAME}.", suffix=PART)
    try:
        with os.fdopen(handle, "wb") as target, source.open("rb") as file:
            sha256 = copy_bytes(file, target)
        Path(name).chmod(0o444)
        yield ScoresCopy(Path(name), folder / NAME, sha256)
    finally:
        Path(name).unlink(missing_ok=True)


def copy_bytes(source: IO[bytes], target: IO[bytes]) -> str:
    """Copy to the disk itself; the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        target.write(chunk)
    target.flush()
    os.fsync(target.fileno())
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows opens no folder, and orders renames itself
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
