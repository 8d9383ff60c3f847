"""Reason templates: text with `{name}`, `{name:.1f}` or `{name:.0%}` placeholders."""

import re
from dataclasses import dataclass

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_FIELD = re.compile(r"([a-z_][a-z0-9_]*)(?::(?:\.(\d)([f%])))?")


class TemplateError(ValueError):
    """A placeholder that cannot be read."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One placeholder: which column, how many decimals (None: as it is), a percentage?"""

    name: str
    decimals: int | None = None
    percent: bool = False


def split(template: str) -> list[str | Slot]:
    """The template as literal text and slots, in order.

    Raises:
        TemplateError: a placeholder is not one of the three allowed forms.
    """
    parts: list[str | Slot] = []
    for index, part in enumerate(_PLACEHOLDER.split(template)):
        if index % 2:
            parts.append(_slot(part))
        elif "{" in part or "}" in part:
            raise TemplateError(f"a brace without its pair in {template!r}")
        elif part:
            parts.append(part)
    return parts


def placeholders(template: str) -> list[str]:
    """The column names that a template uses."""
    return [part.name for part in split(template) if isinstance(part, Slot)]


def _slot(text: str) -> Slot:
    match = _FIELD.fullmatch(text)
    if match is None:
        raise TemplateError(
            f"cannot read {{{text}}}: allowed are {{name}}, {{name:.1f}}, {{name:.0%}}"
        )
    name, decimals, style = match.groups()
    return Slot(name, None if decimals is None else int(decimals), style == "%")
