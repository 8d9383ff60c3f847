"""Keeps a run's scores and frozen inputs, Parquet files, beside the store."""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SCORES = "scores"
# What a run was scored from; points only where the model declares associations.
FROZEN = ("feature_matrix", "rule_flags", "units", "points")
PART = ".part"  # ending of a copy that is not finished or not yet published
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileCopy:
    """A finished copy under a temporary name; `keep` gives it its own."""

    part: Path
    path: Path
    sha256: str

    def keep(self) -> None:
        """Rename the copy. What stood there belonged to no published run."""
        self.part.replace(self.path)
        _sync_folder(self.path.parent)


@contextmanager
def copied_files(
    sources: Mapping[str, Path], folder: Path
) -> Iterator[dict[str, FileCopy]]:
    """Copy the files into the run's folder as `<name>.parquet`.

    Copies that were not kept are removed.
    """
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(_copied(source, folder / f"{name}.parquet"))
            for name, source in sources.items()
        }


@contextmanager
def _copied(source: Path, path: Path) -> Iterator[FileCopy]:
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}.", suffix=PART
    )
    try:
        with os.fdopen(handle, "wb") as target, source.open("rb") as file:
            sha256 = copy_bytes(file, target)
        Path(name).chmod(0o440)  # values stand in it unmasked
        yield FileCopy(Path(name), path, sha256)
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
