"""What every template knows."""

from typing import Any

from django.http import HttpRequest

from serving.access.rights import may
from serving.console.language import language


def console(request: HttpRequest) -> dict[str, Any]:
    """`lang` is `en` or `zh`, as the texts of the store end; `can` says what is allowed."""
    user = getattr(request, "user", None)
    return {
        "lang": language(),
        "can": _Can(user),
    }


class _Can:
    """`can.audit` in a template: may the user do this anywhere at all?"""

    def __init__(self, user: Any) -> None:
        self._user = user

    def __getitem__(self, action: Any) -> bool:
        return self._user is not None and may(self._user, action)
