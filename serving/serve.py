"""`leadline serve`: the console on a production server.

Nothing of Django is imported here, because its settings read the variables that `prepare`
sets.
"""

import ipaddress
import os
import socket
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from configs.errors import LeadlineError

# Of each worker. While a large list is published to SQLite, decisions wait for seconds, at
# most BUSY_SECONDS; with 4 threads all of them waited, and nobody could read.
THREADS = 16
_LOOPBACK_HOSTS = "localhost,127.0.0.1,[::1]"


class ServeError(LeadlineError):
    """The console cannot be served as asked."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Where the console listens, and what keeps others from listening in."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def address(self) -> str:
        """What a person types into the browser."""
        if self.behind_proxy:
            return f"https://{_named_host()}"
        scheme = "https" if self.certificate else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host if self.is_loopback else _named_host()}:{self.port}"


def _named_host() -> str:
    return os.environ.get("LEADLINE_HOSTS", "localhost").split(",")[0]


def default_workers() -> int:
    """One for each processor, four at most."""
    return 1 if sys.platform == "win32" else min(4, os.cpu_count() or 1)


def prepare(place: Place) -> None:
    """Check that the place can be served safely, and tell Django's settings how.

    Raises:
        ServeError: it would carry passwords in the clear, names no host, its
            certificate cannot be read, or something listens there already.
    """
    _check_safe(place)
    _check_certificate(place)
    _check_free(place)
    # Cookies marked `Secure` do not travel over plain http, where only this machine may
    # listen; behind a proxy and over TLS they must be.
    plain = place.is_loopback and not place.certificate and not place.behind_proxy
    os.environ["LEADLINE_INSECURE"] = "1" if plain else "0"
    os.environ["LEADLINE_BEHIND_PROXY"] = "1" if place.behind_proxy else "0"
    if place.is_loopback and place.host not in _LOOPBACK_HOSTS.split(","):
        os.environ.setdefault("LEADLINE_HOSTS", f"{_LOOPBACK_HOSTS},{place.host}")


def serve(place: Place, workers: int, ready: Callable[[], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; `prepare` has been called.

    Args:
        ready: called when the port is this server's, before the first request.
    """
    # Imported here: the command line must answer `--help` without it.
    from granian.constants import Interfaces  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415
    from granian.server import Server  # noqa: PLC0415

    server = Server(
        "serving.wsgi:application",
        address="127.0.0.1" if place.host == "localhost" else place.host,
        port=place.port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        log_level=LogLevels.error,
        ssl_cert=place.certificate,
        ssl_key=place.key,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    )
    server.on_startup(ready)
    server.serve()


def _check_safe(place: Place) -> None:
    if bool(place.certificate) != bool(place.key):
        raise ServeError("give --certificate and --key together, both PEM files")
    if place.certificate and place.behind_proxy:
        raise ServeError("TLS ends here or in the proxy: give one of the two")
    if place.is_loopback and not place.behind_proxy:
        return
    if not place.certificate and not place.behind_proxy:
        raise ServeError(
            f"{place.host} can be reached by others, so passwords must not travel in "
            "the clear: give --certificate FILE --key FILE, or --behind-proxy when a "
            "proxy in front of this port speaks TLS"
        )
    if not os.environ.get("LEADLINE_HOSTS"):
        raise ServeError(
            "say in LEADLINE_HOSTS by which names the console is reached, such as "
            "LEADLINE_HOSTS=leadline.office.example"
        )


def _check_certificate(place: Place) -> None:
    if place.certificate and place.key:
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(place.certificate, place.key, password="")
        except (OSError, ValueError) as error:
            raise ServeError(
                f"{place.certificate} and {place.key} are no certificate and its key "
                f"without a password: {error}"
            ) from error


def _check_free(place: Place) -> None:
    """Several processes share the port later: the server itself would not notice."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        family, kind, _proto, _name, address = found[0]
        with socket.socket(family, kind) as probe:
            if os.name == "posix":  # elsewhere it would let in a second listener
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise ServeError(
            f"cannot listen on {place.host}, port {place.port}: {error.strerror}; stop "
            "what listens there or give another --port"
        ) from error
