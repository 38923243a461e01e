"""Where a domain is hollow a surface between grid points would leave it: there its distances are drawn back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..mesh.half_edges import twins
from ..mesh.mesh import Mesh

# A cube that the border passes has no corner farther from it than its own diagonal, 1.7321 steps.
BAND_STEPS = 1.74
# Places of the border lie so many to a step.
_PLACES_PER_STEP = int(__import__('os').environ.get('PP','4'))
_PLACES_AT_ONCE = 200_000
_DRAWN_BACK = float(__import__('os').environ.get('DB','1.0'))
# How deep places of the border may seem to lie: of the 1 µm allowed.
_ALLOWED_MM = 0.3e-3
_NOISE_MM = 2e-5  # what rounding a coordinate of 200 mm to float32 may raise a corner by


def is_hollow(mesh: Mesh) -> bool:
    """Whether a closed mesh turns inwards anywhere, or is in several pieces: whether it is anything but convex."""
    twin = twins(mesh.faces, len(mesh.vertices))
    if twin is None or 2 * len(mesh.vertices) - len(mesh.faces) != 4:  # one piece without holes: Euler
        return True
    corners = mesh.triangles
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1), 1e-300)[:, None]
    # The corner across each edge, in the face beyond it.
    across = mesh.vertices[mesh.faces[:, [2, 0, 1]].ravel()[twin]].reshape(-1, 3, 3)
    return bool((np.einsum("fi,fei->fe", normal, across - corners[:, :1]) > _NOISE_MM).any())


def draw_back(values: np.ndarray, border: np.ndarray, spacing: float) -> None:
    """Raises distances [k, j, i] mm to a mesh where they say that its border lies inside, in place.

    border: (n, 3, 3) its triangles near the grid, in steps of the grid from its first point. 
    """
    raised = np.zeros(values.shape, np.float32)
    nz, ny, nx = values.shape
    flat, lifted = values.reshape(-1), raised.reshape(-1)
    corners = np.array([(k * ny + j) * nx + i for k, j, i in np.ndindex(2, 2, 2)])
    for places in _places(border):
        cube = np.floor(places).astype(np.int64)
        held = ((cube >= 0) & (cube < np.array([nx - 1, ny - 1, nz - 1]))).all(axis=1)
        cube, places = cube[held], places[held]
        first = (cube[:, 2] * ny + cube[:, 1]) * nx + cube[:, 0]
        v = _least(flat[first[:, None] + corners].T.reshape(2, 2, 2, -1), (places - cube).astype(np.float32).T[::-1])
        deep = np.flatnonzero(v < np.float32(-_ALLOWED_MM))
        for corner in corners:
            np.maximum.at(lifted, first[deep] + corner, np.float32(-_DRAWN_BACK) * v[deep])
    values += raised


def _least(values: np.ndarray, within: np.ndarray) -> np.ndarray:
    """(n,) the least that values (2, 2, 2, n) at the corners of cubes [k, j, i] may mean at places within them.

    within: (3, n), k, j and i from 0 to 1. Along each axis in turn values go straight; across it the square that is
    left is parted along either diagonal, as a surface parts it. A product of two shares is then one of its bounds.
    """
    least = np.full(values.shape[-1], np.inf, np.float32)
    for axis in range(3):
        low, high = values.take(0, axis), values.take(1, axis)
        (a, b), (c, d) = low + within[axis] * (high - low)
        y, x = (within[other] for other in range(3) if other != axis)
        twist = a - b - c + d
        both = np.where(twist > 0.0, np.maximum(x + y - 1.0, 0.0), np.minimum(x, y))
        np.minimum(least, a + x * (b - a) + y * (c - a) + twist * both, out=least)
    return least


def _places(triangles: np.ndarray) -> Iterator[np.ndarray]:
    """Places (n, 3) on triangles (m, 3, 3) in steps, less than a part of a step apart, their corners among them."""
    longest = np.linalg.norm(np.roll(triangles, -1, axis=1) - triangles, axis=2).max(axis=1)
    parts = np.maximum(1, np.ceil(_PLACES_PER_STEP * longest)).astype(int)
    for number in np.unique(parts):
        weights = np.array([(a, b, number - a - b) for a in range(number + 1) for b in range(number + 1 - a)]) / number
        some = triangles[parts == number]
        at_once = max(1, _PLACES_AT_ONCE // len(weights))
        for begin in range(0, len(some), at_once):
            yield np.einsum("pc,tci->tpi", weights, some[begin : begin + at_once]).reshape(-1, 3)
