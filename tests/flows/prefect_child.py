"""Nightly flows in one process: good, broken delivery, passing fault, then learning.

    python -m tests.flows.prefect_child DATA BROKEN

The last line says, for each, the exit code and how often the delivery was read.
"""

import json
import sys
from typing import Any

from configs.settings import Settings, silence_telemetry

silence_telemetry(Settings())  # Prefect reads its settings as it is imported

from flows import intake as intake_stage  # noqa: E402
from flows import orchestrate  # noqa: E402
from flows.cli import main  # noqa: E402
from flows.dispose import dispose  # noqa: E402
from serving import queries  # noqa: E402

really_intake = intake_stage.intake
reads: list[str] = []


def counted(job: Any) -> Any:
    reads.append(job.location)
    return really_intake(job)


def failing_once(job: Any) -> Any:
    reads.append(job.location)
    if len(reads) == 1:
        raise OSError("the share is away")
    return really_intake(job)


def run(flow: str, data: str, intake: Any) -> tuple[int, int]:
    """Exit code and number of reads."""
    reads.clear()
    intake_stage.intake = intake
    sys.argv = ["leadline", "run", flow, "tiny", *(["--data", data] if data else [])]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0), len(reads)
    return 0, len(reads)


if __name__ == "__main__":
    good, broken = sys.argv[1:]
    orchestrate.read_delivery.retry_delay_seconds = [0, 0]
    results = [
        run("daily", good, counted),
        run("daily", broken, counted),
        run("score", good, failing_once),
    ]
    first = queries.leads(queries.latest_run("tiny").id, 1)[0]
    dispose("tiny", Settings(), first.unit_id, "excluded", "查过", "")
    results += [run("learn", "", counted), run("learn", good, counted)]
    sys.stdout.write(f"\n{json.dumps(results)}\n")
