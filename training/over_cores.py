"""Parts of a long table worked on by all cores, without all of them being in memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from joblib import cpu_count  # type: ignore[import-untyped]

Part = TypeVar("Part")
Result = TypeVar("Result")


def over_cores(
    work: Callable[[Part], Result], parts: Iterable[Part], threads: int = 0
) -> Iterator[Result]:
    """The result of each part, in the order of the parts.

    Threads, because the compiled loops and NumPy let go of Python's lock. Besides the
    parts in work one is read ahead; an error of any part is raised in its turn.

    Args:
        threads: at work at once; 0 for one a core that this process may use.
    """
    threads = threads or cpu_count()
    if threads == 1:
        yield from map(work, parts)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for part in parts:
                waiting.append(pool.submit(work, part))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
