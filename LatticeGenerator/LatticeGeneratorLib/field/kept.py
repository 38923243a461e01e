"""What is kept for when it is asked for again, as far as memory allows."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """An array, or what stands for one."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""


Thing = TypeVar("Thing", bound=Sized)


class Kept(Generic[Thing]):
    """Arrays by name, of most_bytes in all; what does not fit is made anew each time. Threads may share it, each
    with names of its own."""

    def __init__(self, most_bytes: int) -> None:
        self._left, self._lock = most_bytes, Lock()
        self._arrays: dict[Hashable, Thing] = {}

    def get(self, name: Hashable, make: Callable[[], Thing]) -> Thing:
        """The array of that name, which is not to be changed."""
        if name in self._arrays:
            return self._arrays[name]
        array = make()
        with self._lock:
            if array.nbytes <= self._left:
                self._left -= array.nbytes
                self._arrays[name] = array
        return array

    def take(self, name: Hashable, make: Callable[[], Thing]) -> Thing:
        """The array of that name, kept no longer, for the caller to change."""
        with self._lock:
            array = self._arrays.pop(name, None)
            if array is not None:
                self._left += array.nbytes
        return make() if array is None else array
