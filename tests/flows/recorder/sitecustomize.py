"""Records whom a process and its children speak to; Python imports it at its start."""

import os
import sys
from typing import Any

_EVENTS = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0}


def _record(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _EVENTS:
        line = f"{event}\t{arguments[_EVENTS[event]]!r}\n"
        os.write(_FILE, line.encode())


if os.environ.get("LEADLINE_TEST_SOCKETS"):
    _FILE = os.open(
        os.environ["LEADLINE_TEST_SOCKETS"], os.O_CREAT | os.O_APPEND | os.O_WRONLY
    )
    sys.addaudithook(_record)
