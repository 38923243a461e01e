"""Drawing a body along as far as walls let it: each step is the best small motion, by a linear programme."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from LatticeGeneratorLib.mesh.samples import first_in_cells
from scipy.optimize import linprog

from ..case.transform import moved_points
from ..plan.way import matrix_about
from .walls import Walls

_STEP_MM, _FREE_STEP_MM = 0.5, 3.0  # of a step among walls, and at most of one far from any
_AHEAD = 2.5  # walls within so many steps are looked at
_APART_MM = 0.4  # over which a wall's slope is measured
_BROAD_MM = 3.0  # cells of points that are looked at one by one only where walls are near
_CELL_MM = 1.5  # of points as near to each other the one with least slack speaks for all
_MEND_MM = 0.1  # by so much a step may have to make good what curved motion cost
_TURN_COST = 0.1  # of a gain: it is turned where that helps, not for its own sake
_STUCK = 0.02  # of a step, below which nothing is gained


@dataclass(frozen=True, eq=False)
class Body:
    """A rigid body: surface points (n, 3) RAS at its place, its middle (3,), how far it reaches from there, and the
    two places (2, 3) by which it is drawn."""

    points: np.ndarray
    middle: np.ndarray
    reach_mm: float
    holds: np.ndarray

    def placed(self, pose: np.ndarray) -> np.ndarray:
        """The points at a pose."""
        return moved_points(pose, self.points)

    def near(self, walls: Walls, pose: np.ndarray, within_mm: float) -> tuple[np.ndarray, float]:
        """(n, 3) the points, at a pose, that may have less slack than that on the grid; and what none has less than."""
        cell, centres, reach = self._cells
        least = walls.least_within(moved_points(pose, centres), reach)
        return moved_points(pose, self.points[(least < within_mm)[cell]]), float(least.min())

    @cached_property
    def _cells(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(n,) which cell each point lies in; (m, 3) and (m,) the cells' middles and reach."""
        _, cell = np.unique(np.floor(self.points / _BROAD_MM).astype(np.int64), axis=0, return_inverse=True)
        cell = cell.reshape(-1)
        count = np.bincount(cell)
        centres = np.stack([np.bincount(cell, column) / count for column in self.points.T], axis=1)
        reach = np.zeros(len(count))
        np.maximum.at(reach, cell, np.linalg.norm(self.points - centres[cell], axis=1))
        return cell, centres, reach


@dataclass(frozen=True, eq=False)
class Pull:
    """What a step should gain: towards (2, 3), for each hold the direction times its weight; lengthwise: (2, 3) the
    same, in directions that turn with the body; together: whether the hold that gains least counts, not their sum."""

    towards: np.ndarray
    lengthwise: np.ndarray = field(default_factory=lambda: np.zeros((2, 3)))
    together: bool = False

    def at(self, pose: np.ndarray) -> np.ndarray:
        """(2, 3) what each hold should gain with the body at a pose."""
        turned: np.ndarray = self.towards + self.lengthwise @ pose[:3, :3].T
        return turned


def pulled(walls: Walls, body: Body, pose: np.ndarray, pull: Pull, steps: int) -> tuple[list[np.ndarray], set[str]]:
    """The poses that follow one by one, and whose walls held the body at the last; empty where it was not held."""
    found: list[np.ndarray] = []
    for _ in range(steps):
        step = _step(walls, body, pose, pull)
        if isinstance(step, set):
            return found, step
        pose = step @ pose
        found.append(pose)
    return found, set()


def _step(walls: Walls, body: Body, pose: np.ndarray, pull: Pull) -> np.ndarray | set[str]:
    """The best small motion, 4x4, or whose walls leave none."""
    middle = moved_points(pose, body.middle[None])[0]
    points, least = body.near(walls, pose, _AHEAD * _FREE_STEP_MM + 0.5)
    step = float(np.clip(0.4 * (least - 1.0), _STEP_MM, _FREE_STEP_MM))
    points = points[walls.coarse(points) < _AHEAD * step + 0.5]
    slack = walls.at(points)
    chosen = _speakers(points, slack, _AHEAD * step)
    points, slack = points[chosen], slack[chosen]
    normals = _slopes(walls, points)
    # Turns are counted in mm at the body's reach, so that all six variables are alike.
    rows = np.hstack([normals, np.cross(points - middle, normals) / body.reach_mm])
    holds = moved_points(pose, body.holds)
    towards = pull.at(pose)
    gains = np.hstack([towards, np.cross(holds - middle, towards) / body.reach_mm])
    limits = slack - np.minimum(0.05, slack + _MEND_MM)
    # Variables: shift, turn, the turn's size about each axis, and the gain.
    turns = np.eye(3)
    sized = np.block([[np.zeros((3, 3)), sign * turns, -turns, np.zeros((3, 1))] for sign in (1.0, -1.0)])
    gain = gains if pull.together else gains.sum(axis=0, keepdims=True)
    gained = np.column_stack([-gain, np.zeros((len(gain), 3)), np.ones(len(gain))])
    found = linprog(
        np.concatenate([np.zeros(6), np.full(3, _TURN_COST), [-1.0]]),
        A_ub=np.vstack([np.column_stack([-rows, np.zeros((len(rows), 4))]), sized, gained]),
        b_ub=np.concatenate([limits, np.zeros(6 + len(gained))]),
        bounds=[(-step, step)] * 6 + [(None, None)] * 4,
        method="highs",
    )
    if found.status != 0:
        return walls.owners(points[slack < 0.0])
    if found.x[9] < _STUCK * step:
        return walls.owners(points[found.ineqlin.marginals[: len(points)] < 0.0])
    return matrix_about(middle, found.x[3:6] / body.reach_mm, found.x[:3])


def _speakers(points: np.ndarray, slack: np.ndarray, ahead: float) -> np.ndarray:
    """Of the points in each cell the one with least slack, of those with little."""
    near = np.flatnonzero(slack < ahead)
    order = near[np.argsort(slack[near], kind="stable")]
    return order[first_in_cells(points[order], _CELL_MM)]


def _slopes(walls: Walls, points: np.ndarray) -> np.ndarray:
    """(n, 3) how slack changes with place."""
    if not len(points):
        return np.empty((0, 3))
    aside = 0.5 * _APART_MM * np.vstack([np.eye(3), -np.eye(3)])
    values = walls.at((points[:, None] + aside).reshape(-1, 3)).reshape(-1, 2, 3)
    slopes: np.ndarray = (values[:, 0] - values[:, 1]) / _APART_MM
    return slopes
