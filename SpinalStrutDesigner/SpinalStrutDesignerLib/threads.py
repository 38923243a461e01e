"""Work by several threads: numpy, scipy and compiled loops let other threads run while they compute."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock, RLock
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")

_LOOK_AGAIN_S = 0.1
_guard = Lock()
_locks: WeakKeyDictionary[object, dict[str, Any]] = WeakKeyDictionary()


def side_by_side(tasks: Sequence[Callable[[], T]], waiting: Callable[[], None] = lambda: None) -> list[T]:
    """What each task gives, in their order; begun in that order, as many at a time as there are cores.

    The calling thread works too, and begins with the first task. When nothing is left to begin, it calls `waiting`
    again and again until the others have ended, which may raise to break off. Where tasks fail, what is not begun is
    left undone, and the error of the first of them in their order is raised.
    """
    left, made, failed = deque(enumerate(tasks)), cast("list[T]", [None] * len(tasks)), dict[int, Exception]()

    def work() -> None:
        """Does tasks until none is left to begin."""
        while left:
            try:
                number, task = left.popleft()
            except IndexError:  # another thread was quicker
                return
            try:
                made[number] = task()
            except Exception as error:
                left.clear()
                failed[number] = error

    others = min(os.cpu_count() or 1, len(tasks)) - 1
    pool = ThreadPoolExecutor(max_workers=max(others, 1))
    try:
        working = [pool.submit(work) for _ in range(others)]
        work()
        while wait(working, _LOOK_AGAIN_S).not_done:
            waiting()
    finally:
        left.clear()
        # Native code cannot be broken off: whoever must not wait for it ends the process.
        pool.shutdown(wait=False)
    if failed:
        raise failed[min(failed)]
    return made


def both(one: Callable[[], A], two: Callable[[], B], waiting: Callable[[], None] = lambda: None) -> tuple[A, B]:
    """What two tasks give, worked on as by `side_by_side`; the calling thread begins with the first."""
    tasks: list[Callable[[], Any]] = [one, two]
    first, second = side_by_side(tasks, waiting)
    return first, second


def kept(owner: object, values: dict[str, Any], name: str, make: Callable[[], T]) -> T:
    """values[name], made by make() at the first call. Threads that ask for the same value of the same owner wait for
    the one that makes it."""
    if name not in values:
        with _lock_of(owner, name):
            if name not in values:
                values[name] = make()
    made: T = values[name]
    return made


class made_once(Generic[T]):
    """A property that is computed at the first read and kept, also where several threads read it at once.

    functools.cached_property lets each of them compute it (from Python 3.12 on), or makes those wait that read it on
    another object (before).
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> T:
        return kept(instance, instance.__dict__, self._name, lambda: self._make(instance))


def _lock_of(owner: object, name: str) -> Any:
    with _guard:
        return _locks.setdefault(owner, {}).setdefault(name, RLock())
