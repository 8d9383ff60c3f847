"""What a process uses, read from the system while it runs."""

import re
from pathlib import Path
from typing import Literal

_KIB_PER_GIB = 1024**2


def memory(pid: int, kind: Literal["VmRSS", "VmHWM"]) -> float:
    """Resident GiB of a process now, or the most so far; 0 once it has ended.

    Raises:
        FileNotFoundError, ProcessLookupError: nobody waits for it any more.
    """
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"{kind}:\s+(\d+)", status)
    return int(found[1]) / _KIB_PER_GIB if found else 0.0
