"""The motion that a way means: rigid poses of an implant from outside the body to its place."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.spatial.transform import Rotation

from .insertion import Waypoint


def pose_of(point: Waypoint, middle: np.ndarray) -> np.ndarray:
    """4x4 of a waypoint; middle: (3,) RAS mm about which it turns."""
    return matrix_about(middle, np.deg2rad(np.array(point.turn_deg)), np.array(point.shift_mm))


def waypoint_of(pose: np.ndarray, middle: np.ndarray) -> Waypoint:
    """The waypoint of a rigid 4x4, to 0.1 µm and 0.00001 degrees."""
    turn = np.rad2deg(Rotation.from_matrix(pose[:3, :3]).as_rotvec())
    shift = pose[:3, :3] @ middle + pose[:3, 3] - middle
    (a, b, c), (x, y, z) = np.round(turn, 5) + 0.0, np.round(shift, 4) + 0.0
    return Waypoint((float(x), float(y), float(z)), (float(a), float(b), float(c)))


def matrix_about(middle: np.ndarray, turn: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """4x4 that turns by a rotation vector (3,) rad about a point (3,) and then shifts by (3,) mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(turn).as_matrix()
    matrix[:3, 3] = middle + shift - matrix[:3, :3] @ middle
    return matrix


def motion(points: tuple[Waypoint, ...], middle: np.ndarray, reach_mm: float, step_mm: float) -> np.ndarray:
    """(n, 4, 4) poses along waypoints, between which no point within reach_mm of the middle moves by more than step_mm.

    Between two waypoints the middle moves straight and the turn is the shortest one, both evenly.
    """
    parts = [pose_of(points[0], middle)[None]]
    for one, two in pairwise(points):
        first, last = (Rotation.from_rotvec(np.deg2rad(np.array(p.turn_deg))) for p in (one, two))
        turn = (last * first.inv()).as_rotvec()
        shifts = np.array(one.shift_mm), np.array(two.shift_mm)
        travel = float(np.linalg.norm(shifts[1] - shifts[0]) + np.linalg.norm(turn) * reach_mm)
        share = np.linspace(0.0, 1.0, max(int(np.ceil(travel / step_mm)), 1) + 1)[1:, None]
        turned = (Rotation.from_rotvec(share * turn) * first).as_matrix()
        part = np.tile(np.eye(4), (len(share), 1, 1))
        part[:, :3, :3] = turned
        part[:, :3, 3] = middle + shifts[0] + share * (shifts[1] - shifts[0]) - turned @ middle
        parts.append(part)
    return np.concatenate(parts)
