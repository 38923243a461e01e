"""An axis moved until nowhere along it more room can be had without losing some where it is narrowest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from ..plan.plan import Axis
from .free import NEAR_MM, left_of_each
from .moves import Moves, moves_about
from .path import EndRegion
from .prospect import Prospect
from .sweep import Curves, bends, curves

_POINTS_MM, _MOST_POINTS = 5.0, 60
_EVERY_MM = 0.75  # places at which the way is judged
_STEP_MM = 0.02  # of the control points, for the derivatives of curves
_SLOPE_MM = 0.1  # of the places, for the slopes of distances
_FIRST_MM, _LAST_MM = 2.0, 0.01  # how far control points may move at a time, at first and at the end
_ROUNDS = 80
_FAINT = 1e-3  # share of the largest effect that is left out
_NEARBY_MM = 4.0  # distances larger than the least by more than this are no limit in one round
# Of bending too sharply, in units of the sharpest allowed, and of ending too far away, in mm: against mm of room.
_BENT, _OUTSIDE = 20.0, 5.0
_EFFORT = 1e-4  # of moving a control point by a mm, against mm of room
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


def widened(view: Prospect, path: np.ndarray, radius_mm: float) -> Axis:
    """The axis near a path (n, 3) that leaves most room where it leaves least, bent no more sharply than to
    radius_mm, and ending in the ends' regions.

    The least of many distances is not smooth: in each round all of them are taken as straight, and the best step within
    a small reach is found by linear programming (sequential linear programming; Palacios-Gomez, Manage Sci
    1982;28:1106). A step that does not keep its promise is taken back, and the reach halved.
    """
    back = -view.room.frame.axes[1]
    moves = moves_about(path, back, *view.ends, _POINTS_MM, _MOST_POINTS)
    rows = int(np.linalg.norm(np.diff(moves.start, axis=0), axis=1).sum() / _EVERY_MM) + 2
    x, reach = moves.unmoved, _FIRST_MM
    here = _way(view, moves, x, rows, radius_mm)
    for _ in range(_ROUNDS):
        step = _best_step(view, moves, x, here, reach, radius_mm)
        there = _way(view, moves, x + step, rows, radius_mm)
        if there.merit > here.merit + 1e-4:
            x, here = x + step, there
        else:
            reach *= 0.5
        if reach < _LAST_MM:
            break
    return moves.axis(x)


def _way(view: Prospect, moves: Moves, x: np.ndarray, rows: int, radius_mm: float) -> _Way:
    made = curves(moves.control(x[None]), moves.backs(x[None]), rows)
    left, _ = left_of_each(view, made.points[0])
    outside = sum(
        float(end.outside(end.plate.to_local(made.points[0, [at]]))[0]) for end, at in zip(view.ends, (0, -1))
    )
    sharpest = float((bends(moves.control(x[None]))[0] @ _ALL_ROUND.T).max())
    bent = max(sharpest * radius_mm - 1.0, 0.0)
    return _Way(made, float(left.min(initial=NEAR_MM)) - _BENT * bent - _OUTSIDE * outside)


def _best_step(view: Prospect, moves: Moves, x: np.ndarray, here: _Way, reach: float, radius_mm: float) -> np.ndarray:
    """The step (k,) of the variables that promises most. The last variable, the back's turn, means nothing here."""
    size = len(x) - 1
    trials = x + _STEP_MM * np.eye(size, len(x))
    rows = here.curves.points.shape[1]
    made = curves(moves.control(trials), moves.backs(trials), rows)
    carried = (made.points - here.curves.points) / _STEP_MM  # (size, rows, 3)
    points = here.curves.points[0]
    # Unknowns: the step, the room that is left, how much too sharply it bends, how far outside each end lies.
    lines, most = [], []

    def limit(change: np.ndarray, extra: tuple[float, float, float], value: np.ndarray) -> None:
        """change · step + extra · (room, bent, outside) <= value."""
        lines.append(np.column_stack([change, np.tile(extra, (len(change), 1))]))
        most.append(value)

    left, slopes = _left_and_slopes(view, points)
    structure, place = np.nonzero(left < left.min(initial=np.inf) + _NEARBY_MM)
    change = np.einsum("pk,xpk->px", slopes[structure, place], carried[:, place])
    limit(-change, (1.0, 0.0, 0.0), left[structure, place])
    limit(*_bend_limits(bends(moves.control(np.concatenate([x[None], trials]))), radius_mm))
    for end, at in zip(view.ends, (0, -1)):
        limit(*_end_limits(end, points[at], carried[:, at]))
    asked = np.concatenate(lines)
    # A control point hardly moves what lies beyond its neighbours: without that the programme is sparse, and fast.
    asked[np.abs(asked) < _FAINT * np.abs(asked).max(axis=1, keepdims=True)] = 0.0
    steps, rest = asked[:, :size], asked[:, size:]
    # There and back apart, so that both cost: of steps that promise as much the shortest, or rounding would choose.
    solved = linprog(
        np.concatenate([np.full(2 * size, _EFFORT), [-1.0, _BENT, _OUTSIDE]]),
        csr_matrix(np.concatenate([steps, -steps, rest], axis=1)),
        np.concatenate(most),
        bounds=[(0.0, reach)] * (2 * size) + [(None, None), (0.0, None), (0.0, None)],
        method="highs",
    )
    return np.zeros(len(x)) if solved.x is None else np.append(solved.x[:size] - solved.x[size : 2 * size], 0.0)


def _bend_limits(found: np.ndarray, radius_mm: float) -> tuple[np.ndarray, tuple[float, float, float], np.ndarray]:
    """How much more the curve may bend at each control point, and each way: (n, variables) and (n,).

    found: (1 + variables, m, 3) bends of the curve as it is and after each step.
    """
    now, change = found[0], (found[1:] - found[0]) / _STEP_MM
    room = 1.0 / radius_mm - now @ _ALL_ROUND.T
    lines = np.einsum("xmi,si->msx", change, _ALL_ROUND)
    return lines.reshape(room.size, -1), (0.0, -1.0 / radius_mm, 0.0), room.ravel()


def _end_limits(
    end: EndRegion, point: np.ndarray, carried: np.ndarray
) -> tuple[np.ndarray, tuple[float, float, float], np.ndarray]:
    """How far an end may still move: (sides, variables) and (sides,)."""
    plate = np.stack([end.plate.right, end.plate.anterior])
    local = plate @ (point - end.plate.centre)
    room = np.append(np.full(len(_SIDES_OF_ROUND), end.reach_mm * np.cos(np.pi / len(_SIDES_OF_ROUND))), -end.behind_mm)
    ways = np.concatenate([_SIDES_OF_ROUND, [[0.0, -1.0]]])
    return ways @ plate @ carried.T, (0.0, 0.0, -1.0), room - ways @ local


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
