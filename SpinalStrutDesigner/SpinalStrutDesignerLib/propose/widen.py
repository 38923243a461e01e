"""An axis moved until nowhere along it more room can be had without losing some where it is narrowest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..plan.plan import Axis
from .free import NEAR_MM, left_of_each
from .moves import Moves, moves_about
from .path import EndRegion
from .prospect import Prospect
from .quadratic import least_quadratic
from .sweep import Curves, bends, curves

_POINTS_MM, _MOST_POINTS = 5.0, 60
_EVERY_MM = 0.75  # places at which the way is judged
_WAY_MM = 3.0  # between those from which it goes on
_WORTH_MM = 3e-3  # that a step must bring: with smaller ones, rounding would lead the axis where nothing limits it
_STEP_MM = 0.02  # of the control points, for the derivatives of curves
_SLOPE_MM = 0.1  # of the places, for the slopes of distances
_FIRST_MM, _LAST_MM = 2.0, 0.01  # how far control points may move at a time, at first and at the end
_ROUNDS = 80
_NEARBY_MM = 4.0  # distances larger than the least by more than this are no limit in one round
# Of bending too sharply, in units of the sharpest allowed, and of ending too far away, in mm: against mm of room.
_BENT, _OUTSIDE = 20.0, 5.0
_EFFORT = 1e-3  # of half the square of a control point's move in mm, against mm of room: the least move is one alone
_CURVED = np.array([1e-2, _BENT, _OUTSIDE])  # the same of room gained, of bending too sharply, of ending outside
_GAINED = 2.0  # mm of room at most for a mm of reach: no place moves farther
# What is round is kept within a polygon of so many sides, and what is so in space within a body of so many faces, which
# reaches 3 % beyond.
_TURN = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
_SIDES_OF_ROUND = np.column_stack([np.cos(_TURN), np.sin(_TURN)])
_FACES = 80
_HEIGHT, _AZIMUTH = 1.0 - (2.0 * np.arange(_FACES) + 1.0) / _FACES, np.pi * (3.0 - np.sqrt(5.0)) * np.arange(_FACES)
_ALL_ROUND = np.column_stack([np.sqrt(1.0 - _HEIGHT**2) * f for f in (np.cos(_AZIMUTH), np.sin(_AZIMUTH))] + [_HEIGHT])


@dataclass(frozen=True, eq=False)
class _Way:
    """A curve alone among curves, and how good it is: mm that it leaves where it leaves least, less what it breaks."""

    curves: Curves
    merit: float


def widened(view: Prospect, path: np.ndarray, radii_mm: Sequence[float]) -> Axis:
    """The axis near a path (n, 3) that leaves most room where it leaves least, ending in the ends' regions, and bent no
    more sharply than to radii_mm, one after the other: at first it may bend as the path does."""
    for radius in radii_mm:
        moves = moves_about(path, -view.room.frame.axes[1], *view.ends, _POINTS_MM, _MOST_POINTS)
        x, curve = _widest_near(view, moves, radius)
        count = max(int(curve.lengths[0] / _WAY_MM) + 2, 5)
        path = curve.points[0, np.linspace(0, curve.points.shape[1] - 1, count).astype(int)]
    return moves.axis(x)


def _widest_near(view: Prospect, moves: Moves, radius_mm: float) -> tuple[np.ndarray, Curves]:
    """The variables (k,) that leave most room, and their curve.

    The least of many distances is not smooth: in each round all of them are taken as straight, and the best step within
    a small reach is found by quadratic programming, which of equally good steps takes the shortest. A step that
    does not keep its promise is taken back, and the reach halved.
    """
    rows = int(np.linalg.norm(np.diff(moves.start, axis=0), axis=1).sum() / _EVERY_MM) + 2
    x, reach = moves.unmoved, _FIRST_MM
    here = _way(view, moves, x, rows, radius_mm)
    for _ in range(_ROUNDS):
        step = _best_step(view, moves, x, here, reach, radius_mm)
        there = _way(view, moves, x + step, rows, radius_mm)
        if there.merit > here.merit + _WORTH_MM:
            x, here = x + step, there
        else:
            reach *= 0.5
        if reach < _LAST_MM:
            break
    return x, here.curves


def _way(view: Prospect, moves: Moves, x: np.ndarray, rows: int, radius_mm: float) -> _Way:
    made = curves(moves.control(x[None]), moves.backs(x[None]), rows)
    left, _ = left_of_each(view, made.points[0])
    outside = sum(
        float(end.outside(end.plate.to_local(made.points[0, [at]]))[0]) for end, at in zip(view.ends, (0, -1))
    )
    sharpest = float((bends(moves.control(x[None]))[0] @ _all_round(view).T).max())
    bent = max(sharpest * radius_mm - 1.0, 0.0)
    return _Way(made, float(left.min(initial=NEAR_MM)) - _BENT * bent - _OUTSIDE * outside)


def _all_round(view: Prospect) -> np.ndarray:
    """(faces, 3) directions all round, RAS, that turn with the anatomy."""
    ways: np.ndarray = _ALL_ROUND @ view.room.frame.axes
    return ways


def _best_step(view: Prospect, moves: Moves, x: np.ndarray, here: _Way, reach: float, radius_mm: float) -> np.ndarray:
    """The step (k,) of the variables that promises most. The last variable, the back's turn, means nothing here.

    Unknowns besides: the room that is gained, how much too sharply it bends, how far outside an end lies.
    """
    size = len(x) - 1
    trials = x + _STEP_MM * np.eye(size, len(x))
    made = curves(moves.control(trials), moves.backs(trials), here.curves.points.shape[1])
    carried = (made.points - here.curves.points) / _STEP_MM  # (size, rows, 3)
    points = here.curves.points[0]
    edge, besides = np.eye(size, size + 3), np.eye(3, size + 3, size)
    lines = [edge, -edge, -besides[:1], besides[1:]]
    least = [np.full(2 * size, -reach), np.full(1, -_GAINED * reach), np.zeros(2)]
    for (left, change), extra in (
        (_gain_limits(view, points, carried), (-1.0, 0.0, 0.0)),
        (_bend_limits(view, bends(moves.control(np.concatenate([x[None], trials]))), radius_mm), (0.0, 1.0, 0.0)),
        *((_end_limits(end, points[at], carried[:, at]), (0.0, 0.0, 1.0)) for end, at in zip(view.ends, (0, -1))),
    ):
        near = left < reach * (np.abs(change).sum(axis=1) + _GAINED)  # others no step breaks
        lines.append(np.column_stack([change, np.tile(extra, (len(change), 1))])[near])
        least.append(-left[near])
    curvature = np.diag(np.append(np.full(size, _EFFORT), _CURVED))
    slope = np.append(np.zeros(size), [-1.0, _BENT, _OUTSIDE])
    return np.append(least_quadratic(curvature, slope, np.concatenate(lines), np.concatenate(least))[:size], 0.0)


def _gain_limits(view: Prospect, points: np.ndarray, carried: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By how many mm places (n, 3) leave more than where least is left, (m,), and how that changes, (m, variables)."""
    left, slopes = _left_and_slopes(view, points)
    more = left - left.min(initial=np.inf)
    structure, place = np.nonzero(more < _NEARBY_MM)
    return more[structure, place], np.einsum("pk,xpk->px", slopes[structure, place], carried[:, place])


def _bend_limits(view: Prospect, found: np.ndarray, radius_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """How much more the curve may bend at each control point, and each way, as a share of the sharpest allowed: (m,),
    and how that changes, (m, variables).

    found: (1 + variables, points, 3) bends of the curve as it is and after each step.
    """
    ways = radius_mm * _all_round(view)
    room = 1.0 - found[0] @ ways.T
    change = np.einsum("xmi,si->msx", (found[1:] - found[0]) / _STEP_MM, ways)
    return room.ravel(), -change.reshape(room.size, -1)


def _end_limits(end: EndRegion, point: np.ndarray, carried: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many mm an end may still move each way, (sides,), and how that changes, (sides, variables)."""
    plate = np.stack([end.plate.right, end.plate.anterior])
    local = plate @ (point - end.plate.centre)
    room = np.append(np.full(len(_SIDES_OF_ROUND), end.reach_mm * np.cos(np.pi / len(_SIDES_OF_ROUND))), -end.behind_mm)
    ways = np.concatenate([_SIDES_OF_ROUND, [[0.0, -1.0]]])
    return room - ways @ local, -ways @ plate @ carried.T


def _left_and_slopes(view: Prospect, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k, n) mm that points (n, 3) leave of each structure, and (k, n, 3) how it grows for a mm along each axis."""
    count = len(points)
    axes = view.room.frame.axes
    beside = [points + sign * _SLOPE_MM * way for way in axes for sign in (1.0, -1.0)]
    found, _ = left_of_each(view, np.concatenate([points, *beside]))
    if not len(found):
        return np.zeros((0, count)), np.zeros((0, count, 3))
    ahead, behind = found[:, count:].reshape(len(found), 3, 2, count).transpose(2, 0, 3, 1)
    return found[:, :count], (ahead - behind) @ axes / (2.0 * _SLOPE_MM)
