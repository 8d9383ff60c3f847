"""A process that scores, stopping where a test wants it.

    python -m tests.flows.child POINT DATA

It says `blocked` when the point is reached and waits there to be killed.
"""

import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from flows import engineer, group, intake, link, part_tables, score
from flows import publish as publish_stage
from flows.cli import main
from serving import publish

# In the order of a run: stage -> a function that it calls midway.
POINTS: dict[str, tuple[ModuleType, str]] = {
    "reading": (part_tables, "core"),
    "sources": (intake, "all_rejects"),
    "linking": (link, "report"),
    "features": (engineer, "feature_matrix"),
    "rules": (engineer, "rule_hits"),
    "scoring": (score, "explained"),
    "groups": (group, "association_tables"),
    "list": (publish_stage, "dossier_files"),
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
