"""The axis made smooth and exact: control points moved until the swept section holds every rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import least_squares

from ..errors import PlanError
from ..plan.curve import AxisCurve, axis_curve
from ..plan.plan import Axis, Section, Vec
from .corridor import Corridor
from .path import EndRegion, Probe, section_probe

MARGIN_MM = 0.3  # kept beyond every rule, for the grid and the voxels
_MARGINS_MM = (0.5, MARGIN_MM, 0.5)  # for what may never be touched, for rules, and for what may be displaced
_SPACING_MM = 2.0
_ROWS = 96  # places along the strut at which it is judged
_CONTROL_SPACING_MM = 11.0
_LEAST_RADIUS_MM = 22.0  # of the axis; far above half a section, so that the sweep stays smooth
_FIRMNESS = (0.05, 0.3, 1.0)  # the rules harden step by step, so that the curve can still cross a small remnant early
_ORIGIN = 20.0  # the optimiser's steps are relative to its variables: these stay far from zero
_TURN = 10.0  # mm of variable for one radian of the back's turn
_NEVER, _RULE, _SOFT, _ECCENTRIC, _BEND, _CURVE, _END, _BACK = 240.0, 60.0, 1.0, 0.06, 25.0, 8.0, 0.3, 0.4


@dataclass(frozen=True, eq=False)
class _Frame:
    """What the optimiser moves: control points (m, 3), two directions each (m, 2, 3), and the back's plane."""

    start: np.ndarray
    moves: np.ndarray
    back: np.ndarray
    aside: np.ndarray

    def axis(self, x: np.ndarray) -> Axis:
        points = self.start + np.einsum("ij,ijk->ik", (x[:-1] - _ORIGIN).reshape(-1, 2), self.moves)
        turn = (x[-1] - _ORIGIN) / _TURN
        back = np.cos(turn) * self.back + np.sin(turn) * self.aside
        return Axis(control_points=tuple(map(tuple, points)), back=tuple(back))

    @property
    def unmoved(self) -> np.ndarray:
        return np.full(2 * len(self.start) + 1, _ORIGIN)


def refined_axis(
    room: Corridor, section: Section, path: np.ndarray, back: np.ndarray, upper: EndRegion, lower: EndRegion
) -> tuple[Axis, float]:
    """The best smooth axis near a path (n, 3), and its cost. back: (3,) direction towards the column at the top."""
    frame = _frame(path, back, upper, lower)
    probe = section_probe(section)

    def residual(x: np.ndarray, firmness: float) -> np.ndarray:
        axis = frame.axis(x)
        try:
            curve = axis_curve(axis, section, _SPACING_MM)
        except PlanError:  # a trial so bent that its sweep folds is simply the worst of trials
            return np.full(size, 1e3)
        return np.append(_residual(room, curve, probe, (upper, lower), firmness), _BACK * (x[-1] - _ORIGIN))

    curve = axis_curve(frame.axis(frame.unmoved), section, _SPACING_MM)
    size = len(_residual(room, curve, probe, (upper, lower), 1.0)) + 1
    x = frame.unmoved
    for firmness in _FIRMNESS:
        found = least_squares(
            residual, x, diff_step=0.05 / _ORIGIN, max_nfev=40, ftol=1e-3, xtol=1e-5, args=(firmness,)
        )
        x = found.x
    return _rounded(frame.axis(found.x)), float(found.cost)


def _rounded(axis: Axis) -> Axis:
    return Axis(tuple(as_vec(np.array(p)) for p in axis.control_points), back=as_vec(np.array(axis.back)))


def sweep_points(curve: AxisCurve, offsets: np.ndarray) -> np.ndarray:
    """(stations, n, 3) RAS points of section offsets (stations, n, 2) along the curve."""
    return curve.points[:, None] + offsets[..., :1] * curve.rights[:, None] + offsets[..., 1:] * curve.backs[:, None]


def as_vec(values: np.ndarray) -> Vec:
    """A plan's vector, rounded to what a plan needs (0.1 µm)."""
    x, y, z = (round(float(v), 4) for v in values)
    return (x, y, z)


def _frame(path: np.ndarray, back: np.ndarray, upper: EndRegion, lower: EndRegion) -> _Frame:
    path = np.concatenate(
        [_onto(path[:1], upper), gaussian_filter1d(path, 1.5, axis=0, mode="nearest")[1:-1], _onto(path[-1:], lower)]
    )
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    count = int(np.clip(round(arc[-1] / _CONTROL_SPACING_MM) + 1, 5, 9))
    smooth = CubicSpline(arc, path)
    at = np.linspace(0.0, arc[-1], count)
    tangents = smooth(at, 1)
    tangents = tangents / np.linalg.norm(tangents, axis=1)[:, None]
    first = np.cross(tangents, np.cross(back, tangents))
    first /= np.linalg.norm(first, axis=1)[:, None]
    moves = np.stack([first, np.cross(tangents, first)], axis=1)
    moves[0] = [upper.plate.right, upper.plate.anterior]
    moves[-1] = [lower.plate.right, lower.plate.anterior]
    return _Frame(smooth(at), moves, back, np.cross(tangents[0], back))


def _onto(point: np.ndarray, end: EndRegion) -> np.ndarray:
    """The point moved onto the plane where the axis ends."""
    local = end.plate.to_local(point)
    local[:, 2] = end.out_mm
    return end.plate.to_ras(local)


def _residual(
    room: Corridor, curve: AxisCurve, probe: Probe, ends: tuple[EndRegion, EndRegion], firmness: float
) -> np.ndarray:
    # The same number of rows whatever the length, so that the optimiser sees one vector.
    rows = np.linspace(0, len(curve.points) - 1, _ROWS).round().astype(int)
    offsets, needs = probe.at(curve.arc / curve.length_mm)
    swept = sweep_points(curve, offsets)
    flat = swept[rows].reshape(-1, 3)
    share = np.sqrt(curve.length_mm / _ROWS / needs.shape[1])
    parts = []
    fields = room.never, room.rules, room.soft
    for values, margin, weight in zip(room.samples(fields, flat), _MARGINS_MM, (_NEVER, _RULE, _SOFT)):
        slack = values - needs[rows].ravel()
        parts.append(firmness * share * weight * np.maximum(margin - slack, 0.0))
    aside = room.frame.to_corridor(curve.points[rows])[:, :2]
    along = np.sqrt(curve.length_mm / _ROWS)
    parts.append(_ECCENTRIC * along * aside.ravel())
    bend = curve.curvature[rows]
    parts.append(_CURVE * along * bend)
    parts.append(_BEND * along * np.maximum(bend * _LEAST_RADIUS_MM - 1.0, 0.0))
    for end, place in zip(ends, (0, -1)):
        parts.append(_END * end.plate.to_local(curve.points[place][None])[0, :2])
        bridge = end.bridge(swept[place, probe.inner :: 2])
        for values, weight in zip(room.samples((room.rules, room.soft), bridge), (_RULE, _SOFT)):
            share = firmness * weight / np.sqrt(len(bridge) / 4.0)
            parts.append(share * np.maximum(MARGIN_MM - values, 0.0))
    return np.concatenate(parts)
