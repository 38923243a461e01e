"""Screws that a hole may hold, many at once: the lines that they lie on, what ruled lines out, and what is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import numpy as np

from ..plan.entries import ScrewType

SPARE_MM = 0.03
"""Kept beyond every limit, so that what is found in bulk holds when it is measured finely."""


@dataclass(frozen=True)
class Fit:
    """What a screw of a hole is: its type, whether it passes the far wall, and how many mm its head may be lifted."""

    kind: ScrewType
    bicortical: bool
    lifts: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Lines:
    """places, ways: (n, 3) RAS mm and unit."""

    places: np.ndarray
    ways: np.ndarray

    def chosen(self, which: np.ndarray | slice) -> Lines:
        """Those of numbers or truth values (n,)."""
        return Lines(self.places[which], self.ways[which])


@dataclass
class Tally:
    """What ruled lines out, in the order in which it was asked: how many came, how many were left, and by how little
    the nearest missed (mm)."""

    came: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    missed: dict[str, float] = field(default_factory=dict)

    def asked(self, what: str, slack: np.ndarray) -> np.ndarray:
        """(n,) bool, whether slack (n,) is not negative; counted."""
        good = slack >= 0.0
        self.came[what] = self.came.get(what, 0) + len(slack)
        self.left[what] = self.left.get(what, 0) + int(good.sum())
        best = float(slack.max()) if len(slack) else -inf
        self.missed[what] = min(self.missed.get(what, inf), -best)
        return good

    @property
    def blocked(self) -> str | None:
        """The first that left nothing, None where something is left."""
        return next((what for what, count in self.left.items() if count == 0), None)


@dataclass(frozen=True, eq=False)
class Shots:
    """Screws along lines. line: (n,) number of the line; entries, ways (n, 3); lifts, lengths, purchase (N), spare (mm
    left after the error budget where least is left), unlikely (how many standard deviations off the canal): (n,)."""

    line: np.ndarray
    entries: np.ndarray
    ways: np.ndarray
    lifts: np.ndarray
    lengths: np.ndarray
    purchase: np.ndarray
    spare: np.ndarray
    unlikely: np.ndarray

    def chosen(self, which: np.ndarray | slice) -> Shots:
        """Those of numbers or truth values (n,)."""
        return Shots(*(getattr(self, name)[which] for name in _FIELDS))

    def __len__(self) -> int:
        return len(self.line)


_FIELDS = ("line", "entries", "ways", "lifts", "lengths", "purchase", "spare", "unlikely")


def nothing() -> Shots:
    """No screws."""
    none = np.zeros(0)
    return Shots(none.astype(int), *[none.reshape(0, 3)] * 2, *[none] * 5)


def joined(parts: list[Shots]) -> Shots:
    """One after the other."""
    return Shots(*(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS))
