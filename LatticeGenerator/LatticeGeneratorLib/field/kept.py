"""Arrays kept for when they are asked for again, as far as memory allows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


class Kept:
    """Arrays by number, of most_bytes in all; what does not fit is made anew each time."""

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes
        self._arrays: dict[int, np.ndarray] = {}

    def get(self, number: int, make: Callable[[], np.ndarray]) -> np.ndarray:
        """The array of that number, which is not to be changed."""
        if number not in self._arrays:
            array = make()
            if array.nbytes > self._left:
                return array
            self._left -= array.nbytes
            self._arrays[number] = array
        return self._arrays[number]

    def take(self, number: int, make: Callable[[], np.ndarray]) -> np.ndarray:
        """The array of that number, kept no longer, for the caller to change."""
        if number not in self._arrays:
            return make()
        array = self._arrays.pop(number)
        self._left += array.nbytes
        return array
