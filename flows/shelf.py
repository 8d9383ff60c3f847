"""Folders of finished work: files linked from a work folder, complete or not there at all.

Files are never changed in place, only replaced: a link stays what it was.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

FOLDER = "kept"  # beside the work folders of a model's runs
USED, _SIZES = "kept.json", "sizes.json"
_PART = ".part-"  # in the name of a place that is still being filled
# Of a work folder, but no work of a stage.
_NOT_KEPT = frozenset({"spill", USED})


def files(folder: Path) -> dict[Path, int]:
    """Finished files below a work folder -> their inodes."""
    return {path: path.stat().st_ino for path in _walk(folder)}


def keep(folder: Path, before: dict[Path, int], place: Path) -> None:
    """Link the files of a work folder that are new since `before` into a new `place`."""
    part = place.with_name(f"{place.name}{_PART}{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    sizes = {}
    for path, node in files(folder).items():
        if before.get(path) != node:
            name = path.relative_to(folder)
            link(path, part / name)
            sizes[name.as_posix()] = path.stat().st_size
    (part / _SIZES).write_text(json.dumps(sizes))
    part.rename(place)


def is_whole(place: Path) -> bool:
    """Is everything there as it was written? A loss of power may cut a file."""
    try:
        sizes = json.loads((place / _SIZES).read_text())
        return all((place / name).stat().st_size == n for name, n in sizes.items())
    except (OSError, ValueError):
        return False


def having(shelf: Path, file: str) -> list[Path]:
    """Whole places of a shelf with that file, the newest first."""
    found = [
        (path.parent.stat().st_mtime_ns, path.parent)
        for path in shelf.glob(f"*/{file}")
        if _PART not in path.parent.name and is_whole(path.parent)
    ]
    return [place for _, place in sorted(found, reverse=True)]


def take(place: Path, folder: Path) -> None:
    """Link what lies at `place` into a work folder."""
    for name in json.loads((place / _SIZES).read_text()):
        link(place / name, folder / name)


def note_use(folder: Path, name: str) -> None:
    """A work folder was made with this work, among others."""
    used = sorted({*used_by(folder), name})
    (folder / USED).write_text(json.dumps(used))


def used_by(folder: Path) -> list[str]:
    """Names of the finished work that a work folder was made with."""
    try:
        found: list[str] = json.loads((folder / USED).read_text())
    except (OSError, ValueError):
        return []
    return found


def forget_unused(work: Path) -> None:
    """Remove what none of a model's work folders was made with."""
    used = {name for folder in work.iterdir() for name in used_by(folder)}
    shelf = work / FOLDER
    for place in shelf.iterdir() if shelf.is_dir() else ():
        if place.name not in used:
            shutil.rmtree(place, ignore_errors=True)


def link(source: Path, target: Path) -> None:
    """Give a finished file a second name, in place of what has that name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:  # a file system without links
        part = target.with_suffix(".part")
        shutil.copyfile(source, part)
        part.replace(target)


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _NOT_KEPT or path.suffix == ".part":
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path
