"""Necks measured on the whole of a surface, where a few of its points have told where they are."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .network import circumcircles

_ROUNDS = 6
_BESIDE = 24  # points of the surface around each contact among which it may move
_FLAT = 0.2  # contacts nearer to each other than this share of the radius no longer fix a circle


def measured_necks(contacts: np.ndarray, necks: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n,) mm: radii of necks known by their (n, 3, 3) contacts on few points, measured on all points (m, 3).

    Each contact moves to where the surface beside it is nearest to the circle's middle, which moves the circle, until
    they agree. What remains free there is the neck; never more than it had, for few points leave more free than many.
    """
    tree = cKDTree(points)
    places, name = np.unique(contacts.reshape(-1, 3), axis=0, return_inverse=True)
    beside = points[tree.query(places, min(_BESIDE, len(points)))[1]][name.reshape(-1, 3)]
    touching = contacts
    middle, radius = circumcircles(touching)
    start = middle
    for _ in range(_ROUNDS):
        nearest = ((beside - middle[:, None, None]) ** 2).sum(axis=3).argmin(axis=2)
        moved = np.take_along_axis(beside, nearest[:, :, None, None], axis=2)[:, :, 0]
        apart = np.linalg.norm(moved - np.roll(moved, 1, axis=1), axis=2).min(axis=1) > _FLAT * radius
        touching = np.where(apart[:, None, None], moved, touching)
        middle, radius = circumcircles(touching)
    free = np.maximum(tree.query(start)[0], tree.query(middle)[0])
    return np.minimum(free, necks)
