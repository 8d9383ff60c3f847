"""What several models declare alike: sources and windows of `common.yaml`, by name."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from configs.errors import DeclarationError, nearest

NAME = "common.yaml"
PACKAGED = Path(__file__).parent / NAME


def common_file(folder: Path) -> Path:
    """The file that a model's folder takes its common parts from: its own one, if any."""
    own = folder / NAME
    return own if own.is_file() else PACKAGED


def with_common(path: Path, content: Any) -> Any:
    """A model's content with the common sources and windows that it names written out.

    Raises:
        DeclarationError: a name is not in the common file, or is declared twice.
    """
    if not isinstance(content, dict):
        return content
    known = _read(common_file(path.parent))
    own = dict(content)
    named = own.pop("common", [])
    problems = []
    if not isinstance(named, list):
        raise DeclarationError(f"{path}: common: must be a list of names")
    taken = {}
    for name in named:
        if name not in known["sources"]:
            hint = nearest(str(name), known["sources"])
            problems.append(f"{path}: common: no common source {name!r}{hint}")
        elif name in (own.get("sources") or {}):
            problems.append(f"{path}: common: {name!r} is declared here, too")
        else:
            taken[name] = known["sources"][name]
    if problems:
        raise DeclarationError("\n".join(problems))
    if taken:
        own["sources"] = {**(own.get("sources") or {}), **taken}
    if isinstance(own.get("features"), list):
        own["features"] = [_written_out(s, known["windows"]) for s in own["features"]]
    return own


def _written_out(step: Any, windows: dict[str, list[str]]) -> Any:
    """A feature step whose `windows` is a name, with the windows of that name."""
    if not isinstance(step, dict):
        return step
    return {
        kind: (
            {**said, "windows": windows[said["windows"]]}
            if isinstance(said, dict)
            and isinstance(said.get("windows"), str)
            and said["windows"] in windows
            else said
        )
        for kind, said in step.items()
    }


@cache
def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(
        path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return content
