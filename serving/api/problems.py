"""The one form in which the API says that it does not answer as asked."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

_Handler = Callable[[HttpRequest, Any], HttpResponse]


class Problem(Schema):
    """What is wrong, and which part of the request it is about."""

    detail: str
    where: list[str] = Field(
        description="the parts concerned, such as `query.limit` or `body.verdict`; "
        "empty when it is the request as a whole"
    )


# What every operation may answer; those on one object add 404.
ANY = frozenset({401, 403, 422, 429})
ON_ONE = ANY | {404}


def handle_problems(api: NinjaAPI) -> None:
    """Let the API answer in this form whatever goes wrong on the asker's side."""
    for error, handler in _HANDLERS.items():
        api.add_exception_handler(error, _answering(api, handler))


def _answering(
    api: NinjaAPI, handler: Callable[[Any], tuple[int, Problem]]
) -> _Handler:
    def answer(request: HttpRequest, error: Any) -> HttpResponse:
        status, problem = handler(error)
        response = api.create_response(request, problem.model_dump(), status=status)
        if status == 401:
            response["WWW-Authenticate"] = 'Bearer realm="Leadline"'
        return response

    return answer


def _invalid(error: ValidationError) -> tuple[int, Problem]:
    said = [
        (_place(e["loc"]), e["msg"].removeprefix("Value error, ")) for e in error.errors
    ]
    detail = "; ".join(f"{where}: {message}" for where, message in said)
    return 422, Problem(detail=detail, where=[where for where, _ in said])


def _place(loc: tuple[Any, ...]) -> str:
    kind, *rest = map(str, loc)
    # In these the second part is only the name that all of them have in the code.
    return ".".join([kind, *(rest[1:] if kind in ("query", "body") else rest)])


def _refused(error: HttpError) -> tuple[int, Problem]:
    return error.status_code, Problem(detail=error.message, where=[])


def _unknown_user(_: AuthenticationError) -> tuple[int, Problem]:
    detail = (
        "sign in, or give the token of a service as `Authorization: Bearer <token>`"
    )
    return 401, Problem(detail=detail, where=["header.Authorization"])


def _not_found(_: Http404) -> tuple[int, Problem]:
    # The same whether it never was or may not be seen.
    return 404, Problem(detail="not found", where=["path"])


def _forbidden(_: PermissionDenied) -> tuple[int, Problem]:
    return 403, Problem(detail="your role does not allow this", where=[])


def _too_big(_: RequestDataTooBig) -> tuple[int, Problem]:
    return 413, Problem(detail="the body is too large", where=["body"])


@csrf_exempt
def nothing_there(request: HttpRequest, **_: Any) -> HttpResponse:
    """For addresses that are none of the API's."""
    status, problem = _not_found(Http404())
    return JsonResponse(problem.model_dump(), status=status)


_HANDLERS: dict[type[Exception], Callable[[Any], tuple[int, Problem]]] = {
    ValidationError: _invalid,
    HttpError: _refused,
    AuthenticationError: _unknown_user,
    Http404: _not_found,
    PermissionDenied: _forbidden,
    RequestDataTooBig: _too_big,
}
