"""The canal's course as a guide along the spine: it tells the spine's direction where bodies are hard to see."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

# Directions are those of so much of the canal: half a thoracic vertebra. Rings are seen with gaps of that length.
_ALONG_MM = 10.0
_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class Course:
    """points: (n, 3) RAS mm along the canal's middle, upwards, as `find_canal_course` gives them."""

    points: np.ndarray

    def up(self, point: np.ndarray) -> np.ndarray:
        """(3,) unit vector towards the head along the canal, where a plane across it holds the point (3,) RAS mm."""
        return self._ups[self._station(point)]

    def above(self, point: np.ndarray) -> np.ndarray:
        """(n,) mm: how far up the canal each point of the course lies from the plane across it that holds the point."""
        return np.asarray(self._lengths - self._lengths[self._station(point)])

    def moved(self, point: np.ndarray, by_mm: float) -> np.ndarray:
        """(3,) RAS mm: the point carried so far up the spine, down where negative, at the same place beside the canal.

        Beyond the course's ends it goes straight on.
        """
        start = self._station(point)
        offset = self.frames[start] @ (point - self.points[start])
        along = by_mm
        for _ in range(_ROUNDS):
            target = self._carried(start, along, offset)
            # A line in front of the canal is shorter or longer than the canal by its curve.
            along *= abs(by_mm) / max(float(np.linalg.norm(target - point)), 1e-6)
        return self._carried(start, along, offset)

    def _carried(self, start: int, along: float, offset: np.ndarray) -> np.ndarray:
        at = self._lengths[start] + along
        inside = float(np.clip(at, 0.0, self._lengths[-1]))
        station = int(np.abs(self._lengths - inside).argmin())
        beyond = at - self._lengths[station]
        return np.asarray(self.points[station] + beyond * self._ups[station] + offset @ self.frames[station])

    def _station(self, point: np.ndarray) -> int:
        away = point - self.points
        # Of two planes across a curved canal that hold the point the nearer one counts.
        off = np.abs((away * self._ups).sum(axis=1))
        return int((off + 0.3 * np.linalg.norm(away, axis=1)).argmin())

    @cached_property
    def _ups(self) -> np.ndarray:
        step = self._lengths[-1] / max(len(self.points) - 1, 1)
        along = ndimage.gaussian_filter1d(np.gradient(self.points, axis=0), _ALONG_MM / step, axis=0, mode="nearest")
        return np.asarray(along / np.linalg.norm(along, axis=1, keepdims=True))

    @cached_property
    def _lengths(self) -> np.ndarray:
        return np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(self.points, axis=0), axis=1))]

    @cached_property
    def frames(self) -> np.ndarray:
        """(n, 3, 3): rows right, ahead and up at each station."""
        right = np.cross([0.0, 1.0, 0.0], self._ups)
        right /= np.linalg.norm(right, axis=1, keepdims=True)
        return np.stack([right, np.cross(self._ups, right), self._ups], axis=1)
