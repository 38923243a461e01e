"""What a search moves: control points, each in a plane of its own, and the way the section faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from ..plan.curve import AxisCurve
from ..plan.plan import Axis, Vec
from .nodes import Frame
from .path import EndRegion

TURN_MM = 10.0
"""mm of variable for one radian of the back's turn."""


@dataclass(frozen=True, eq=False)
class Moves:
    """start: control points (m, 3); moves: two directions each (m, 2, 3); back, aside: the plane of the back's turn."""

    start: np.ndarray
    moves: np.ndarray
    back: np.ndarray
    aside: np.ndarray

    def control(self, x: np.ndarray) -> np.ndarray:
        """(n, m, 3) control points of trials (n, 2 m + 1)."""
        shifts = x[:, :-1].reshape(len(x), -1, 2)
        moved: np.ndarray = self.start + np.einsum("nij,ijk->nik", shifts, self.moves)
        return moved

    def backs(self, x: np.ndarray) -> np.ndarray:
        """(n, 3) back directions of trials."""
        turn = x[:, -1:] / TURN_MM
        turned: np.ndarray = np.cos(turn) * self.back + np.sin(turn) * self.aside
        return turned

    def axis(self, x: np.ndarray) -> Axis:
        points, back = self.control(x[None])[0], self.backs(x[None])[0]
        return Axis(tuple(as_vec(p) for p in points), back=as_vec(back))

    def of(self, axis: Axis) -> np.ndarray:
        """(2 m + 1,) the variables of an axis that such variables gave."""
        away = np.array(axis.control_points) - self.start
        shifts = np.einsum("ik,ijk->ij", away, self.moves)
        back = np.array(axis.back)
        return np.append(shifts.ravel(), TURN_MM * np.arctan2(back @ self.aside, back @ self.back))

    def onto(self, path: np.ndarray) -> np.ndarray:
        """(2 m + 1,) the variables for which the control points lie where a path (n, 3) meets their planes, or come
        nearest to it."""
        found = []
        for at, (one, other) in zip(self.start, self.moves):
            ahead = (path - at) @ np.cross(one, other)
            met = np.flatnonzero(np.diff(np.sign(ahead)) != 0)
            if len(met):
                k = met[np.argmin(np.linalg.norm(path[met] - at, axis=1))]
                place = path[k] + ahead[k] / (ahead[k] - ahead[k + 1]) * (path[k + 1] - path[k])
            else:
                place = path[np.argmin(np.abs(ahead))]
            found.append([(place - at) @ one, (place - at) @ other])
        return np.append(np.ravel(found), 0.0)

    @property
    def unmoved(self) -> np.ndarray:
        return np.zeros(2 * len(self.start) + 1)


def moves_in_planes(frame: Frame, back: np.ndarray, upper: EndRegion, lower: EndRegion, count: int) -> Moves:
    """Control points on the column line, each free in its plane: those at the ends in the planes where the axis ends,
    the others in planes that turn evenly from one to the other.

    They depend on the anatomy alone: whatever a search starts from, it seeks among the same curves.
    """
    ends = [end.plate.centre + end.out_mm * end.plate.normal for end in (upper, lower)]
    first, last = frame.axes[2] @ (np.array(ends) - frame.origin).T
    share = np.linspace(0.0, 1.0, count)
    down = first + share * (last - first)
    start = frame.to_ras(np.column_stack([np.zeros((count, 2)), down]))
    start[0], start[-1] = ends
    right, anterior = (
        (1.0 - share[:, None]) * getattr(upper.plate, side) + share[:, None] * getattr(lower.plate, side)
        for side in ("right", "anterior")
    )
    right /= np.linalg.norm(right, axis=1)[:, None]
    anterior -= np.einsum("ni,ni->n", anterior, right)[:, None] * right
    anterior /= np.linalg.norm(anterior, axis=1)[:, None]
    return Moves(start, np.stack([right, anterior], axis=1), back, np.cross(frame.axes[2], back))


def moves_about(
    path: np.ndarray, back: np.ndarray, upper: EndRegion, lower: EndRegion, spacing_mm: float, most: int
) -> Moves:
    """A path (n, 3) made smooth, with control points about so far apart, but 5 at least."""
    path = np.concatenate(
        [_onto(path[:1], upper), gaussian_filter1d(path, 1.5, axis=0, mode="nearest")[1:-1], _onto(path[-1:], lower)]
    )
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    count = int(np.clip(round(arc[-1] / spacing_mm) + 1, 5, most))
    smooth = CubicSpline(arc, path)
    at = np.linspace(0.0, arc[-1], count)
    tangents = smooth(at, 1)
    tangents = tangents / np.linalg.norm(tangents, axis=1)[:, None]
    first = np.cross(tangents, np.cross(back, tangents))
    first /= np.linalg.norm(first, axis=1)[:, None]
    moves = np.stack([first, np.cross(tangents, first)], axis=1)
    moves[0] = [upper.plate.right, upper.plate.anterior]
    moves[-1] = [lower.plate.right, lower.plate.anterior]
    return Moves(smooth(at), moves, back, np.cross(tangents[0], back))


def _onto(point: np.ndarray, end: EndRegion) -> np.ndarray:
    """The point moved onto the plane where the axis ends."""
    local = end.plate.to_local(point)
    local[:, 2] = end.out_mm
    return end.plate.to_ras(local)


def sweep_points(curve: AxisCurve, offsets: np.ndarray) -> np.ndarray:
    """(stations, n, 3) RAS points of section offsets (stations, n, 2) along the curve."""
    return curve.points[:, None] + offsets[..., :1] * curve.rights[:, None] + offsets[..., 1:] * curve.backs[:, None]


def as_vec(values: np.ndarray) -> Vec:
    """A plan's vector, rounded to what a plan needs (0.1 µm)."""
    x, y, z = (round(float(v), 4) for v in values)
    return (x, y, z)
