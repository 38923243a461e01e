"""How long work reports where it is, and how it is stopped: one callable, passed from the edge down to the loops."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with the stage's name and the fraction done, 0 to 1; raises `Cancelled` to stop the work."""


class Cancelled(Exception):
    """Raised by a Progress callable when the user has asked to stop; nothing below the edge catches it."""


def silent(stage: str, fraction: float) -> None:
    """The Progress of those who do not ask."""


def portion(progress: Progress, start: float, end: float) -> Progress:
    """A Progress for a stage that is the part from `start` to `end` (fractions) of the whole that `progress` shows."""

    def within(stage: str, fraction: float) -> None:
        progress(stage, start + (end - start) * min(max(fraction, 0.0), 1.0))

    return within
