"""A process that decides on the first leads of a run, as fast as it can.

    python -m tests.serving.console.deciding_child HOME STORE_URL RUN USER LEADS

It says `ready`, waits for a line, and says how many leads it decided on and on how many
somebody else was first.
"""

import sys
from pathlib import Path

from configs.settings import Settings
from serving.connect import open_store


def main(home: str, store_url: str, run_id: str, username: str, leads: str) -> None:
    open_store(Settings(home=Path(home), store_url=store_url))
    from serving.access.models import User  # noqa: PLC0415  needs the store
    from serving.leads.models import Lead  # noqa: PLC0415
    from serving.review.deciding import Conflict, decide  # noqa: PLC0415

    user = User.objects.get(username=username)
    found = Lead.objects.filter(run_id=run_id).select_related("run")
    first = list(found.order_by("rank_fused")[: int(leads)])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    done = late = 0
    said = {"verdict": "needs_information", "cause": "", "seen": 0}
    for lead in first:
        try:
            decide(lead, user=user, reason=f"said by {username}", **said)
            done += 1
        except Conflict:
            late += 1
    sys.stdout.write(f"{done} {late}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
