"""Who asks: a service by its token, or a person who is signed in to the console."""

from django.conf import settings
from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.throttling import AuthRateThrottle
from ninja.utils import check_csrf

from serving.access.models import User
from serving.access.tokens import user_of_token

RATE = "1200/m"  # a service that pages through a million leads is not slowed down


class ServiceToken(HttpBearer):
    """`Authorization: Bearer <token>`, with a token that the administrator made."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        """The service, which from here on is the user of the request."""
        user = user_of_token(token)
        if user is not None:
            request.user = user
        return user


class SignedIn(APIKeyCookie):
    """The console's session; a write needs the header X-CSRFToken as well."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        # Checked below: who is not signed in is told so, not that a header is missing.
        super().__init__(csrf=False)

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        """The user of the session; HttpError 403 when the page is not the console's."""
        user = request.user
        if not isinstance(user, User):
            return None
        if check_csrf(request):
            raise HttpError(
                403, "the header X-CSRFToken is missing or not of the session"
            )
        return user


class PerUser(AuthRateThrottle):
    """Counts the requests of each user, in each process of the server."""

    def get_cache_key(self, request: HttpRequest) -> str:
        """By number: names of users may be the same."""
        return f"api-rate-{request.user.pk}"


WAYS_IN = [ServiceToken(), SignedIn()]
