"""What all declarations are built from: the frozen base, texts, names, expressions."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from configs.errors import nearest
from configs.expressions import ExpressionError, parse


def _expression(text: str) -> str:
    try:
        parse(text)
    except ExpressionError as error:
        raise PydanticCustomError(
            "expression", "{reason}", {"reason": str(error)}
        ) from error
    return text


def _identifier(text: str) -> str:
    # Columns are handed to Ibis as keyword arguments, of which one name is taken.
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text) or text == "self":
        raise PydanticCustomError(
            "identifier",
            "a name starts with a small letter and holds small letters, digits and _"
            " (and is not 'self')",
        )
    return text


def _window(text: str) -> str:
    if text != "all" and not re.fullmatch(r"[1-9][0-9]*d", text):
        raise PydanticCustomError(
            "window", "a window is a number of days (180d) or all"
        )
    return text


def one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


ExpressionText = Annotated[str, AfterValidator(_expression)]
Identifier = Annotated[str, AfterValidator(_identifier)]
Window = Annotated[str, AfterValidator(_window)]


class Spec(BaseModel):
    """Base of all declarations: frozen; an unknown key is answered with the nearest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        known = {field.alias or name for name, field in cls.model_fields.items()}
        for key in value:
            if key not in known:
                hint = nearest(str(key), known)
                raise PydanticCustomError(
                    "unknown_key", "unknown key {key}{hint}", {"key": key, "hint": hint}
                )
        return value


class Text(Spec):
    """One sentence in both languages."""

    en: str
    zh: str
