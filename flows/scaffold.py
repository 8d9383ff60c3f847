"""A commented, valid starting folder for a new supervision model."""

import re
from pathlib import Path

import configs
from configs.errors import DeclarationError
from configs.loading import load_model

TEMPLATE = Path(configs.__file__).parent / "template"


def scaffold(name: str, models: Path) -> Path:
    """Copy the template to `models/<name>` and check that it loads.

    Raises:
        DeclarationError: the name cannot be one, or the folder is there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise DeclarationError(
            f"{name!r} cannot name a model: it starts with a small letter and holds "
            "small letters, digits and _"
        )
    folder = models / name
    if folder.exists():
        raise DeclarationError(f"{folder} is there already; choose another name")
    folder.mkdir(parents=True)
    for source in sorted(TEMPLATE.iterdir()):
        text = source.read_text(encoding="utf-8").replace("NAME", name)
        (folder / source.name).write_text(text, encoding="utf-8")
    load_model(name, models)
    return folder
