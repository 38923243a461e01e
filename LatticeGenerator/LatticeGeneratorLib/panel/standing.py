"""Where a step of a panel stands, and the sign for it in the step's header."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """Where a step stands; the value is its sign in the header."""

    NOTHING = "○"
    READY = "✓"
    STALE = "↻"
    WARNING = "⚠"
    FAILED = "✗"


@dataclass(frozen=True)
class Standing:
    """A step's state, and it in a few words for its header."""

    state: State
    words: str

    def head(self, title: str) -> str:
        """The header of the step of that title."""
        return f"{self.state.value}  {title}: {self.words}"
