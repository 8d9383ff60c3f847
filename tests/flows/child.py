"""A process that scores, stopping where a test wants it.

    python -m tests.flows.child POINT DATA

It says `blocked` when the point is reached and waits there to be killed.
"""

import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from flows import intake, score
from flows.cli import main
from serving import publish

POINTS: dict[str, tuple[ModuleType, str]] = {
    "reading": (intake, "core"),
    "scoring": (score, "explained"),
    "publishing": (publish, "insert_run"),
}


def blocking(function: Callable[..., Any]) -> Callable[..., Any]:
    def block(*arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        sys.stdout.write("blocked\n")
        sys.stdout.flush()
        time.sleep(600)
        return result

    return block


if __name__ == "__main__":
    module, name = POINTS[sys.argv[1]]
    setattr(module, name, blocking(getattr(module, name)))
    sys.argv = ["leadline", "score", "tiny", "--data", sys.argv[2]]
    main()
