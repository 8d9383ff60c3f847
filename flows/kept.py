"""Finished work of a stage, found again by what it was made from.

A stage writes its files into the work folder of its run. When it is done they are linked
into a folder that is named by the digest of everything they depend on: inputs, the part
of the declaration that matters, the program. A later run that would do the same work
links them into its own folder instead, so a run that was killed goes on after its last
finished stage, and a changed input or declaration does again what depends on it and no
more.
"""

import hashlib
import shutil
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flows import shelf
from flows.job import Job, digest_of

_PROGRAM = ("configs", "features", "flows", "training")
_LIBRARIES = (
    *("duckdb", "ibis-framework", "igraph", "lightgbm", "numba", "numpy", "pandas"),
    *("pyarrow", "pypinyin", "rensa", "scikit-learn", "scipy", "splink"),
)
Still = Callable[[Path], bool]


def kept(
    job: Job,
    stage: str,
    made_of: Any,
    work: Callable[[], Any],
    still: Still = lambda folder: True,
) -> bool:
    """Do a stage's work, or link what the same work wrote before; True if it was there.

    Args:
        stage: names the folder, for people.
        made_of: plain data; all that the outcome depends on besides the program.
        still: asked with the folder of earlier work whether it holds today, too.

    A list that is made again to be compared (`Job.version`) is made of nothing kept.
    """
    if job.version is not None:
        work()
        return False
    digest = digest_of([stage, made_of, program(), job.engine])
    place = job.settings.work / job.model_id / shelf.FOLDER / f"{stage}-{digest[:24]}"
    there = shelf.is_whole(place) and still(place)
    if there:
        shelf.take(place, job.folder)
    else:
        shutil.rmtree(place, ignore_errors=True)
        before = shelf.files(job.folder)
        work()
        shelf.keep(job.folder, before, place)
    shelf.note_use(job.folder, place.name)
    return there


def made_by(job: Job, *stages: str) -> list[str]:
    """The work that these stages of a run have done or found, each by its digest."""
    used = shelf.used_by(job.folder)
    return [name for name in used if name.rpartition("-")[0] in stages]


@cache
def program() -> str:
    """Digest of the program's own text and of the libraries that compute."""
    root = Path(__file__).parent.parent
    found = hashlib.sha256()
    for package in _PROGRAM:
        for path in sorted((root / package).rglob("*.py")):
            found.update(path.relative_to(root).as_posix().encode())
            found.update(path.read_bytes())
    for name in _LIBRARIES:
        found.update(f"{name} {version(name)}".encode())
    return found.hexdigest()
