"""How what is no bone of a moved block follows, where the spine is lengthened or its upper block is moved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.spatial.transform import Rotation

_POINTS = 401  # of the line, less than a millimetre apart on the longest spine


class Motion(Protocol):
    """Where points (n, 3) RAS mm come to lie, and where they came from."""

    def moved(self, points: np.ndarray) -> np.ndarray:
        """Where points of the patient as the CT shows him come to lie."""
        ...

    def unmoved(self, points: np.ndarray) -> np.ndarray:
        """The inverse of `moved`."""
        ...


@dataclass(frozen=True, eq=False)
class Stretch:
    """What lies along a span that grows: still at its origin, moved by the whole shift past its end, and in between
    smoothly (smoothstep over the middle half). origin: (3,) RAS; span: (3,) to the far end; shift: (3,) mm.

    A model of how cord, vessels and instruments follow a lengthened spine; how tissue really yields is not known.
    """

    origin: np.ndarray
    span: np.ndarray
    shift: np.ndarray

    def moved(self, points: np.ndarray) -> np.ndarray:
        """Where points (n, 3) of the unstretched patient come to lie."""
        middle = 2.0 * _along(points, self.origin, self.span) - 0.5
        return points + _smoothed(middle)[:, None] * self.shift

    def unmoved(self, points: np.ndarray) -> np.ndarray:
        """Where points (n, 3) of the stretched patient came from: the inverse of `moved`, by fixed-point iteration.

        The shift is a few per cent of the span, so that four rounds leave less than a micrometre.
        """
        found = points
        for _ in range(4):
            found = points - (self.moved(found) - found)
        return found


@dataclass(frozen=True, eq=False)
class Bend:
    """What lies along a span whose upper block is moved: with the block at its origin, still past its end, and in
    between turned by a part of it (smoothstep) about a line that bends as evenly. origin: (3,) RAS; span: (3,) to the
    far end; motion: 4x4 rigid, RAS to RAS, of the block.

    A model of how cord, vessels and remnants follow a corrected posture; how tissue really yields is not known. Where
    it bends distances are those of the tissue before, true but for its local strain.
    """

    origin: np.ndarray
    span: np.ndarray
    motion: np.ndarray

    @cached_property
    def _turn(self) -> np.ndarray:
        """(3,) rotation vector of the whole motion."""
        return np.asarray(Rotation.from_matrix(self.motion[:3, :3]).as_rotvec())

    @cached_property
    def _line(self) -> np.ndarray:
        """(n, 3) where points evenly along the span come to lie: a line as long as it was, led to its moved end."""
        at = np.linspace(0.0, 1.0, _POINTS)
        part = 1.0 - _smoothed(at)
        steps = Rotation.from_rotvec(part[:, None] * self._turn).apply(self.span / (_POINTS - 1))
        middles = 0.5 * (steps[1:] + steps[:-1])
        line = self.origin + self.span - np.concatenate([np.cumsum(middles[::-1], axis=0)[::-1], np.zeros((1, 3))])
        end = self.motion[:3, :3] @ self.origin + self.motion[:3, 3]
        return np.asarray(line + part[:, None] * (end - line[0]))

    @cached_property
    def _normals(self) -> np.ndarray:
        """(n, 3) unit vectors: which way along the span is at points of the moved line."""
        part = 1.0 - _smoothed(np.linspace(0.0, 1.0, _POINTS))
        way = self.span / np.linalg.norm(self.span)
        return np.asarray(Rotation.from_rotvec(part[:, None] * self._turn).apply(way))

    def moved(self, points: np.ndarray) -> np.ndarray:
        """Where points (n, 3) of the patient as the CT shows him come to lie."""
        at = _along(points, self.origin, self.span)
        before, after, turn = self._carriers(at)
        return np.asarray(after + turn.apply(points - before))

    def unmoved(self, points: np.ndarray) -> np.ndarray:
        """Where points (n, 3) of the corrected patient came from: the inverse of `moved`, nearer to the line than
        `folds_mm`.

        A point came from that place along the span whose plane, square to the line, it now lies in.
        """
        at = self._planes_through(points)
        before, after, turn = self._carriers(at)
        found = before + turn.inv().apply(points - after)
        # What is left after the search runs along the span, and there the planes hardly turn.
        before, after, turn = self._carriers(_along(found, self.origin, self.span))
        return np.asarray(before + turn.inv().apply(points - after))

    def _planes_through(self, points: np.ndarray) -> np.ndarray:
        """(n,) the places along the span, 0 to 1, whose moved planes points (n, 3) lie in; beyond the ends of it less
        or more."""
        line, normals = self._line, self._normals
        length = float(np.linalg.norm(self.span))

        def past(index: np.ndarray) -> np.ndarray:
            return np.asarray(np.einsum("ij,ij->i", points - line[index], normals[index]))

        low, high = np.zeros(len(points), int), np.full(len(points), _POINTS - 1)
        while (high - low).max(initial=0) > 1:
            middle = (low + high) // 2
            beyond = past(middle) > 0.0
            low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
        first, last = past(low), past(high)
        share = first / np.where(first == last, 1.0, first - last)
        within = (low + np.clip(share, 0.0, 1.0)) / (_POINTS - 1)
        # Before the first plane and past the last one all is rigid.
        return np.where(share < 0.0, first / length, np.where(share > 1.0, 1.0 + last / length, within))

    @property
    def folds_mm(self) -> float:
        """How far from the span's line tissue on the inner side of the bend would be folded: nothing is known there.

        Where it bends most a smoothstep turns by 1.5 times the angle over the span.
        """
        angle = float(np.linalg.norm(self._turn))
        return np.inf if angle == 0.0 else float(np.linalg.norm(self.span)) / (1.5 * angle)

    def _carriers(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, Rotation]:
        """Of places along the span, 0 to 1: points (n, 3) of the line before and after, and how it is turned there."""
        before = self.origin + at[:, None] * self.span
        within = np.clip(at, 0.0, 1.0)
        grid = np.linspace(0.0, 1.0, _POINTS)
        after = np.stack([np.interp(within, grid, axis) for axis in self._line.T], axis=1)
        turn = Rotation.from_rotvec((1.0 - _smoothed(at))[:, None] * self._turn)
        return before, after + turn.apply((at - within)[:, None] * self.span), turn


def _along(points: np.ndarray, origin: np.ndarray, span: np.ndarray) -> np.ndarray:
    """(n,) how far along the span: 0 at its origin, 1 at its end."""
    return np.asarray((points - origin) @ span / (span @ span))


def _smoothed(along: np.ndarray) -> np.ndarray:
    """(n,) from 0 at the span's origin to 1 at its end (smoothstep)."""
    t = np.clip(along, 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))
