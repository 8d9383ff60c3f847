"""Parameters of several operations: what they hold, and what is refused at once."""

from typing import Annotated, Any, Self

from ninja import Path, Schema
from pydantic import ConfigDict, Field, ValidationInfo, model_validator

# PostgreSQL keeps no NUL, and no id or name has one.
NO_NUL = r"^[^\x00]*$"
LARGEST = 2**63 - 1  # of a number in the store
MOST = 500  # items of a page

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
Number = Annotated[int, Field(ge=0, le=LARGEST)]
RunId = Annotated[str, Path(min_length=1, max_length=200, pattern=NO_NUL)]
RowId = Annotated[int, Path(ge=1, le=LARGEST)]


class Asked(Schema):
    """Parameters after the question mark; one that is not known is refused."""

    @model_validator(mode="after")
    def _none_unknown(self, info: ValidationInfo) -> Self:
        asked: Any = (info.context or {}).get("request")
        if asked is not None:
            known = type(self).model_fields
            unknown = sorted(set(asked.GET) - set(known))
            if unknown:
                raise ValueError(
                    f"{unknown[0][:100]!r} is not one of {', '.join(known)}"
                )
        return self


class Paged(Asked):
    """A page of a long answer."""

    after: Number = Field(0, description="`next` of the page before")
    limit: int = Field(100, ge=1, le=MOST, description="items of a page")


class Given(Schema):
    """A body; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid")
