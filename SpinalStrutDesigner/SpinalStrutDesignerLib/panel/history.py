"""Undo and redo: the plans a person had, each with what was decided."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

# Decisions kept; far beyond the 50 that are promised, a plan's text is some 10 kB.
DEEPEST = 500
# Moves of the same thing this soon after one another are one decision, s: a slider that is being dragged.
ONE_MOVE_S = 1.0


@dataclass
class History:
    """Plans as JSON text, before and after the present one, and what led from each to the next.

    clock: seconds, monotonic.
    """

    clock: Callable[[], float] = time.monotonic
    _past: list[tuple[str, str]] = field(default_factory=list)
    _future: list[tuple[str, str]] = field(default_factory=list)
    _last: tuple[str, float] = ("", float("-inf"))

    def record(self, before: str, what: str) -> None:
        """Remembers the plan that a decision leaves."""
        self._past = [*self._past, (before, what)][-DEEPEST:]
        self._future = []
        self._last = ("", float("-inf"))

    def record_move(self, before: str, what: str) -> None:
        """As `record`, for something that is being dragged: soon after a move of the same it is part of that one."""
        now = self.clock()
        if what != self._last[0] or now - self._last[1] >= ONE_MOVE_S:
            self.record(before, what)
        self._future = []
        self._last = (what, now)

    def work_done(self) -> None:
        """What the last move set going is done: a slow machine's work is no rest of the hand."""
        self._last = (self._last[0], self.clock())

    def undone(self, present: str) -> str:
        """The plan before the last decision. Raises IndexError where there is none."""
        before, what = self._past.pop()
        self._future.append((present, what))
        self._last = ("", float("-inf"))
        return before

    def redone(self, present: str) -> str:
        """The plan after the decision last undone. Raises IndexError where there is none."""
        after, what = self._future.pop()
        self._past.append((present, what))
        self._last = ("", float("-inf"))
        return after

    @property
    def undo_words(self) -> str:
        """What undo would take back; empty where there is nothing."""
        return self._past[-1][1] if self._past else ""

    @property
    def redo_words(self) -> str:
        """What redo would bring again; empty where there is nothing."""
        return self._future[-1][1] if self._future else ""
