"""Open-cell trabecular struts along the edges of a periodic Voronoi tessellation of seeded random points."""

from __future__ import annotations

import functools

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial import Voronoi, cKDTree

from .cell import Cell, Laws

PERIOD = 3  # cells along each axis after which the tessellation repeats; one seed a cell
SEED = 1
_PER_CELL = 24  # points of the table of distances
_DENSE = 0.01  # cells between points that stand for the axes while the table is made


def edges(seed: int = SEED, period: int = PERIOD) -> np.ndarray:
    """(n, 2, 3) the edges between three cells of a tessellation of period³ points, each edge of one period once."""
    points = period * np.random.default_rng(seed).random((period**3, 3))
    steps = period * np.array(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij")).reshape(3, -1).T
    tessellation = Voronoi((points + steps[:, None]).reshape(-1, 3))
    found = []
    for ridge in tessellation.ridge_vertices:
        if min(ridge) >= 0:
            found += list(zip(ridge, [*ridge[1:], ridge[0]]))
    pairs = np.unique(np.sort(found, axis=1), axis=0)
    segments = tessellation.vertices[pairs]
    middle = segments.mean(axis=1)
    return segments[((middle >= 0.0) & (middle < period)).all(axis=1)]


@functools.cache
def _table() -> np.ndarray:
    """[z, y, x] float32: the distance to the nearest edge at the points of one period, the first of them repeated."""
    segments = edges()
    lengths = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1)
    counts = np.ceil(lengths / _DENSE).astype(int) + 1
    which = np.repeat(np.arange(len(segments)), counts)
    along = np.concatenate([np.linspace(0.0, 1.0, n) for n in counts])[:, None]
    places = segments[which, 0] * (1.0 - along) + segments[which, 1] * along
    tree = cKDTree(places % PERIOD, boxsize=PERIOD)
    axis = np.arange(PERIOD * _PER_CELL) / _PER_CELL
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    distance = tree.query(np.stack([x, y, z], axis=-1).reshape(-1, 3))[0].reshape(x.shape)
    return np.pad(distance.astype(np.float32), (0, 1), mode="wrap")


def voronoi(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distance to the nearest edge, between the points of a table, with slope 1.

    Where surfaces of struts lie it is right to 0.0015 of a cell (root mean square), and in the creases between two
    struts, which the table rounds off, to 0.013.
    """
    table = _table()
    x, y, z = ((c % PERIOD) * x.dtype.type(_PER_CELL) for c in (x, y, z))
    if x.ndim == 3 and x.shape[:2] == (1, 1) and y.shape[::2] == (1, 1) and z.shape[1:] == (1, 1):
        # On a block of points most of the work is done before the last axis is spread out.
        for axis, places in enumerate((z, y, x)):
            table = _between(table, places.ravel(), axis)
        return table, np.ones((), x.dtype)
    value = map_coordinates(table, np.broadcast_arrays(z, y, x), order=1, output=x.dtype)
    return value, np.ones((), x.dtype)


def _between(table: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """A 3-D table along one axis at (n,) places counted in its points."""
    before = np.minimum(places.astype(int), table.shape[axis] - 2)
    shape = [1, 1, 1]
    shape[axis] = -1
    share = (places - before).astype(places.dtype).reshape(shape)
    result = np.take(table, before + 1, axis=axis) * share
    result += np.take(table, before, axis=axis) * (share.dtype.type(1.0) - share)
    return result


VORONOI = Cell(
    name="voronoi",
    title="Voronoi struts, trabecular",
    kind="struts",
    field=voronoi,
    porosities=(0.40, 0.90),
    laws=Laws(
        level=(0.040867, -0.10456, 1.1534, -1.5157, 0.87104),
        pore=(0.80712, 2.1743, -8.4513, 10.638, -4.9697),
        strut=(-0.01444, 0.27881, 1.4919, -2.5904, 1.8604),
        least=(-0.39996, 3.0279, -5.8036, 5.8956, -1.8966),
        throat=(0.61923, 1.4699, -6.2774, 8.3725, -4.3567),
    ),
    beams=edges(),
    period=PERIOD,
)
