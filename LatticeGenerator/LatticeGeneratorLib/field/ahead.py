"""Work on one slab after the other, the next ones in other threads meanwhile."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# What is worked on is held in memory once for each thread.
_MOST_THREADS = 4


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """What work makes of each item, in their order; a few more are being worked on while one is looked at.

    work must be free to run in several threads at once; numpy, VTK and compiled loops let others run meanwhile.
    """
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # Whoever stops looking, or an error, ends what has not begun.
        pool.shutdown(cancel_futures=True)
