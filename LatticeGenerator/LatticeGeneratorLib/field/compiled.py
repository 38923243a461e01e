"""Loops compiled by numba where it is installed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


@functools.cache
def compiled(loop: Callable[..., Any]) -> Callable[..., Any] | None:
    """The plain-Python loop as machine code, kept on disk between runs; None where numba is not installed.

    The loop must call nothing but numpy and math. Strict IEEE arithmetic, so both ways give the same numbers.
    """
    try:
        import numba
    except ImportError:
        return None
    return numba.njit(cache=True, nogil=True)(loop)
