"""The axis made smooth and exact: control points moved until the swept section holds every rule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from ..plan.curve import AxisCurve
from ..plan.plan import Axis, Section, Vec
from .corridor import Corridor
from .descent import least_squares
from .path import EndRegion, Probe, section_probe
from .sweep import Curves, curves

MARGIN_MM = 0.3  # kept beyond every rule, for the grid and the voxels
_MARGINS_MM = (0.5, MARGIN_MM, 0.5)  # for what may never be touched, for rules, and for what may be displaced
_SPACING_MM = 2.0
_ROWS = (32, 96)  # fewest and most places along the strut at which it is judged
_CONTROL_SPACING_MM, _MOST_POINTS = 11.0, 9
_LEAST_RADIUS_MM = 22.0  # of the axis; far above half a section, so that the sweep stays smooth
_FIRMNESS = (0.05, 0.3, 1.0)  # the rules harden step by step, so that the curve can still cross a small remnant early
_TURN = 10.0  # mm of variable for one radian of the back's turn
_STEP_MM = 0.02  # of variable, for the derivatives of curves
_FOLDED = 1e3  # residual of a trial so bent that its sweep folds: simply the worst of trials
_NEVER, _RULE, _SOFT, _ECCENTRIC, _BEND, _CURVE, _END, _BACK = 240.0, 60.0, 1.0, 0.06, 25.0, 8.0, 0.3, 0.4


@dataclass(frozen=True, eq=False)
class Moves:
    """What the optimiser moves: control points (m, 3), two directions each (m, 2, 3), and the back's plane."""

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
        turn = x[:, -1:] / _TURN
        turned: np.ndarray = np.cos(turn) * self.back + np.sin(turn) * self.aside
        return turned

    def axis(self, x: np.ndarray) -> Axis:
        points, back = self.control(x[None])[0], self.backs(x[None])[0]
        return Axis(tuple(as_vec(p) for p in points), back=as_vec(back))

    @property
    def unmoved(self) -> np.ndarray:
        return np.zeros(2 * len(self.start) + 1)


def refined_axis(
    room: Corridor, section: Section, path: np.ndarray, back: np.ndarray, upper: EndRegion, lower: EndRegion
) -> tuple[Axis, float]:
    """The best smooth axis near a path (n, 3), and its cost. back: (3,) direction towards the column at the top."""
    frame = moves_about(path, back, upper, lower, _CONTROL_SPACING_MM, _MOST_POINTS)
    length = float(np.linalg.norm(np.diff(frame.start, axis=0), axis=1).sum())
    rows = int(np.clip(np.ceil(length / _SPACING_MM), *_ROWS)) + 1
    judge = _Judge(room, section, section_probe(section), (upper, lower), frame, rows, length)
    x = frame.unmoved
    for firmness in _FIRMNESS:
        x, cost = least_squares(partial(judge.residual, firmness), partial(judge.jacobian, firmness), x)
    return frame.axis(x), cost


def sweep_points(curve: AxisCurve, offsets: np.ndarray) -> np.ndarray:
    """(stations, n, 3) RAS points of section offsets (stations, n, 2) along the curve."""
    return curve.points[:, None] + offsets[..., :1] * curve.rights[:, None] + offsets[..., 1:] * curve.backs[:, None]


def as_vec(values: np.ndarray) -> Vec:
    """A plan's vector, rounded to what a plan needs (0.1 µm)."""
    x, y, z = (round(float(v), 4) for v in values)
    return (x, y, z)


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


@dataclass(frozen=True, eq=False)
class _Judge:
    """Residuals of trial axes and their derivatives: one row for each point of the sweep and field, then the shape."""

    room: Corridor
    section: Section
    probe: Probe
    ends: tuple[EndRegion, EndRegion]
    frame: Moves
    rows: int
    length_mm: float

    def residual(self, firmness: float, x: np.ndarray) -> np.ndarray:
        """(rows,) what a trial misses, weighted: rules along the strut and on both bridges, by firmness, then shape."""
        trial = self._curves(x[None])
        swept = trial.swept(self._offsets[0])[0]
        room = self.room
        values = np.stack(room.samples((room.never, room.rules, room.soft), swept.reshape(-1, 3)))
        parts = [(firmness * self._weights[:, None] * self._missing(values)).ravel()]
        for end, place in zip(self.ends, (0, -1)):
            found = np.stack(room.samples((room.rules, room.soft), end.bridge(self._edge(swept, place))))
            parts.append((self._bridge_weights(firmness, found)[:, None] * np.maximum(MARGIN_MM - found, 0.0)).ravel())
        parts.append(self._shape(trial, x[None])[0])
        every = np.concatenate(parts)
        folded = trial.curvature.max() * 0.5 * np.hypot(*self._largest) >= 1.0
        return np.full(len(every), _FOLDED) if folded or not np.isfinite(every).all() else every

    def jacobian(self, firmness: float, x: np.ndarray) -> np.ndarray:
        """Curves by differences, all variables at once; fields by their own gradients where they are short."""
        trials = np.concatenate([x[None], x + _STEP_MM * np.eye(len(x))])
        made = self._curves(trials)
        swept = made.swept(self._offsets[0])
        points = swept[0].reshape(-1, 3)
        moves = ((swept[1:] - swept[0]) / _STEP_MM).reshape(len(x), -1, 3)
        room = self.room
        fields = (room.never, room.rules, room.soft)
        short = self._missing(np.stack(room.samples(fields, points))) > 0.0
        parts = []
        for field, weight, here in zip(fields, firmness * self._weights, short):
            part = np.zeros((len(points), len(x)))
            at = np.flatnonzero(here)
            part[at] = -weight * np.einsum("pk,xpk->px", room.gradient(field, points[at]), moves[:, at])
            parts.append(part)
        for end, place in zip(self.ends, (0, -1)):
            parts.append(self._bridge_jacobian(end, swept, place, firmness))
        shape = self._shape(made, trials)
        return np.concatenate([*parts, ((shape[1:] - shape[0]) / _STEP_MM).T])

    def _bridge_jacobian(self, end: EndRegion, swept: np.ndarray, place: int, firmness: float) -> np.ndarray:
        room = self.room
        edges = np.stack([self._edge(one, place) for one in swept])
        bridge = end.bridge(edges[0])
        found = np.stack(room.samples((room.rules, room.soft), bridge))
        carried = np.stack([end.bridge_moves(move) for move in (edges[1:] - edges[0]) / _STEP_MM])
        parts = []
        for field, values, weight in zip((room.rules, room.soft), found, self._bridge_weights(firmness, found)):
            part = np.zeros((len(bridge), len(swept) - 1))
            at = np.flatnonzero(values < MARGIN_MM)
            part[at] = -weight * np.einsum("pk,xpk->px", room.gradient(field, bridge[at]), carried[:, at])
            parts.append(part)
        return np.concatenate(parts)

    def _edge(self, swept: np.ndarray, place: int) -> np.ndarray:
        """(m, 3) every second point of the section's edge at an end."""
        return swept[place, self.probe.inner :: 2]

    def _bridge_weights(self, firmness: float, found: np.ndarray) -> np.ndarray:
        return firmness * np.array([_RULE, _SOFT]) / np.sqrt(found.shape[1] / 4.0)

    def _curves(self, x: np.ndarray) -> Curves:
        return curves(self.frame.control(x), self.frame.backs(x), self.rows)

    def _missing(self, values: np.ndarray) -> np.ndarray:
        """(3, n) by how much the fields' values (3, n) at the sweep's points fall short."""
        return np.maximum(np.array(_MARGINS_MM)[:, None] + self._offsets[1].ravel() - values, 0.0)

    def _shape(self, trials: Curves, x: np.ndarray) -> np.ndarray:
        """(n, k) residuals of the curves themselves: off the column, bent, off the plates' centres, turned."""
        count, along = len(x), np.sqrt(self.length_mm / self.rows)
        aside = self.room.frame.to_corridor(trials.points.reshape(-1, 3))[:, :2].reshape(count, -1)
        bend = trials.curvature
        parts = [_ECCENTRIC * along * aside, _CURVE * along * bend]
        parts.append(_BEND * along * np.maximum(bend * _LEAST_RADIUS_MM - 1.0, 0.0))
        for end, place in zip(self.ends, (0, -1)):
            parts.append(_END * end.plate.to_local(trials.points[:, place])[:, :2])
        return np.concatenate([*parts, _BACK * x[:, -1:]], axis=1)

    @cached_property
    def _offsets(self) -> tuple[np.ndarray, np.ndarray]:
        """Section points (rows, k, 2) and their needs (rows, k) along the strut."""
        return self.probe.at(np.linspace(0.0, 1.0, self.rows))

    @cached_property
    def _weights(self) -> np.ndarray:
        """(3,) weights of the fields at each of the sweep's points."""
        return np.sqrt(self.length_mm / self._offsets[1].size) * np.array([_NEVER, _RULE, _SOFT])

    @cached_property
    def _largest(self) -> tuple[float, float]:
        """Width and depth at the larger end."""
        section = self.section
        return (
            max(section.width_mm, section.lower_width_mm or section.width_mm),
            max(section.depth_mm, section.lower_depth_mm or section.depth_mm),
        )
