"""Which way a vertebra faces, from its own shape.

The canal is its largest through-hole, the body lies before it, and the midplane is the plane of best mirror symmetry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from ..errors import CaseError
from .frame import Frame, projected, unit
from .model import Mask

CELL = 1.0
"""mm, of the silhouettes in which the canal is sought."""
LEAST_CANAL = 60.0
"""mm²; an adult's canal has 150 to 300 (measured on the test cases), a transverse foramen 20 to 40."""
LARGEST_TILT = 70.0
"""degrees between a vertebra's axis and the image's; curves of 60 degrees and more are operated."""
MIRRORED = 30.0
"""mm about the canal within which the vertebra's symmetry is measured."""
LARGEST_TURN = 60
"""degrees between a vertebra's front and the image's."""
CORD_PIECE = 15.0
"""mm, radius of the piece of cord whose direction is taken."""
_SURE_TURN = 29.0
"""degrees; of an image that is tilted by 60, which must not matter, the wrong axis lies 30 off the patient's."""
_TIED = 1e-6
"""cells; what lies on the border of two belongs to the upper one, whatever the last bit of its place."""


@dataclass(frozen=True, eq=False)
class Canal:
    """centre: (3,) a point of the canal at the body's height; frame: in the midplane at the body's middle, out is up.

    radius: mm, the largest circle that fits the body in the silhouette; area: mm² of the canal; width, depth: mm, its
    extents from side to side and from front to back, None where its ring is open.
    """

    centre: np.ndarray
    frame: Frame
    radius: float
    area: float
    width: float | None = None
    depth: float | None = None


def image_axes(mask: Mask) -> np.ndarray:
    """(3, 3) unit rows: those of the image's own axes that point most to the right, forwards and upwards.

    What is sought along them is found the same wherever the image lies in space, and however a little turned. Of an
    image that is turned much it is not sure which of its axes that is: the patient's are taken.
    """
    sides = (mask.ijk_to_ras[:3, :3] / np.linalg.norm(mask.ijk_to_ras[:3, :3], axis=0)).T
    _, chosen = linear_sum_assignment(-np.abs(sides.T))
    axes = np.stack([np.copysign(1.0, sides[k, i]) * sides[k] for i, k in enumerate(chosen)])
    return axes if np.trace(axes) > 1.0 + 2.0 * np.cos(np.radians(_SURE_TURN)) else np.eye(3)


def find_canal(points: np.ndarray, axes: np.ndarray, name: str, neural: Mask | None = None) -> Canal:
    """The canal and the rough body frame of one vertebra; neither the patient's posture nor neighbours are relied on.

    points: (n, 3) RAS mm, see bone_points; axes: see image_axes; neural: the cord or dural sac, followed where the ring
    is open (after a laminectomy). Raises CaseError where the ring is open and no neural structure passes.
    """
    _, anterior, superior = axes
    axis, area = _clearest_view(points, superior, anterior)
    if area >= LEAST_CANAL:
        return seen_along(points, axis, anterior, name)
    course = _neural_course(points, neural, superior) if neural is not None else None
    if course is None:
        raise CaseError(
            f"{name}: no spinal canal found in its label (largest through-hole {area:.0f} mm², needs "
            f"{LEAST_CANAL:.0f} mm²); label the whole vertebra with its arch, or the cord where that is gone"
        )
    return seen_along(points, course[1], anterior, name, course[0])


def _neural_course(points: np.ndarray, neural: Mask, superior: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """A point of the cord beside the vertebra and its direction upwards, both (3,); None where it does not pass."""
    cord = neural.points
    middle = points.mean(axis=0)
    nearest = cord[np.linalg.norm(cord - middle, axis=1).argmin()]
    near = cord[np.linalg.norm(cord - nearest, axis=1) < CORD_PIECE]
    if np.linalg.norm(nearest - middle) > 2 * CORD_PIECE or len(near) < 3:
        return None
    _, _, axes = np.linalg.svd(near - near.mean(axis=0), full_matrices=False)
    return near.mean(axis=0), axes[0] if axes[0] @ superior > 0 else -axes[0]


def bone_points(mask: Mask) -> np.ndarray:
    """(n, 3) RAS mm: the bone on a grid of about CELL, without islands smaller than 1 % of the largest piece."""
    labels, count = ndimage.label(mask.voxels)
    if count == 0:
        raise CaseError("a vertebra's label is empty; check the label map")
    sizes = np.bincount(labels.ravel())[1:]
    keep = np.concatenate([[False], sizes >= 0.01 * sizes.max()])
    kji = np.argwhere(keep[labels]).astype(float)
    spacing = np.linalg.norm(mask.ijk_to_ras[:3, :3], axis=0)
    for axis, size in enumerate(spacing[::-1]):
        parts = int(np.ceil(size / CELL))
        offsets = (np.arange(parts) + 0.5) / parts - 0.5
        kji = np.repeat(kji, parts, axis=0)
        kji[:, axis] += np.tile(offsets, len(kji) // parts)
    ras = kji[:, ::-1] @ mask.ijk_to_ras[:3, :3].T + mask.ijk_to_ras[:3, 3]
    # Counted from the left, from behind and from below, whichever way the image's axes run.
    along = np.where((_runs(mask) > 0.0)[::-1], kji - kji.min(axis=0), kji.max(axis=0) - kji)
    cells = np.floor(along * spacing[::-1] / (0.75 * CELL) + _TIED).astype(np.int64)
    _, first = np.unique(np.ravel_multi_index(tuple(cells.T), tuple(cells.max(axis=0) + 1)), return_index=True)
    return ras[np.sort(first)]


def _runs(mask: Mask) -> np.ndarray:
    """(3,) for i, j and k whether the axis runs mostly right, forwards or upwards (1), or against that (-1)."""
    sides = mask.ijk_to_ras[:3, :3] / np.linalg.norm(mask.ijk_to_ras[:3, :3], axis=0)
    rows, columns = linear_sum_assignment(-np.abs(sides))
    runs = np.empty(3)
    runs[columns] = np.sign(sides[rows, columns])
    return runs


def seen_along(
    points: np.ndarray, axis: np.ndarray, anterior: np.ndarray, name: str, else_centre: np.ndarray | None = None
) -> Canal:
    """The canal and the body as they look along axis: (3,) unit. points: (n, 3) RAS mm of the vertebra.

    anterior: (3,) roughly; else_centre: (3,) the canal's centre to use where no closed ring is seen; without one
    CaseError is raised.
    """
    view = Frame.along(points.mean(axis=0), axis, anterior)
    picture = _Silhouette.of(points, view)
    hole = picture.largest_hole()
    closed = hole is not None
    if hole is None and else_centre is not None:
        hole = picture.free_circle(view.to_local(else_centre)[:2])
    if hole is None:
        raise CaseError(f"{name}: its canal is closed from view; label the whole vertebra with its arch")
    local = view.to_local(points)
    canal = picture.local(np.array(ndimage.center_of_mass(hole)))
    ahead, middle = _mirror_line(local[:, :2] - canal)
    middle += canal
    body, radius = _body_before(picture, middle, ahead)
    body = middle + ahead * ((body - middle) @ ahead)
    column = local[np.hypot(*(local[:, :2] - body).T) < radius]
    height = float(np.median(column[:, 2])) if len(column) else 0.0
    centre = view.to_ras(np.array([*canal, height]))
    origin = view.to_ras(np.array([*body, height]))
    forwards = view.to_ras(np.array([*ahead, 0.0])) - view.origin
    cells = picture.local(np.argwhere(hole).astype(float))
    width, depth = (float(np.ptp(cells @ side)) + CELL for side in (np.array([ahead[1], -ahead[0]]), ahead))
    size = (width, depth) if closed else (None, None)
    return Canal(centre, Frame.along(origin, axis, forwards), radius, float(hole.sum()) * CELL**2, *size)


def _mirror_line(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The line about which the bone is most symmetric: its forward direction and a point, both (right, anterior).

    flat: (n, 2) bone seen along the canal, about the canal's centre. Only bone near the canal counts: the tips of
    spinous and transverse processes are often bent.
    """
    count = int(2 * MIRRORED / CELL)
    thickness, *_ = np.histogram2d(flat[:, 1], flat[:, 0], bins=count, range=[(-MIRRORED, MIRRORED)] * 2)
    thickness = ndimage.gaussian_filter(np.minimum(thickness, np.percentile(thickness, 98)), 1.0)
    ticks = (np.arange(count) + 0.5) * CELL - MIRRORED
    v, u = np.meshgrid(ticks, ticks, indexing="ij")
    inside = np.hypot(u, v) < MIRRORED - 1.0
    u, v, here = u[inside], v[inside], thickness[inside]

    def mismatch(turn: float, shift: float) -> float:
        across = np.array([np.cos(np.radians(turn)), np.sin(np.radians(turn))])
        off = 2 * (u * across[0] + v * across[1] - shift)
        index = (np.stack([v - off * across[1], u - off * across[0]]) + MIRRORED) / CELL - 0.5
        return float(np.abs(ndimage.map_coordinates(thickness, index, order=1) - here).sum())

    turn, shift = 0.0, 0.0
    for step, span in ((6.0, LARGEST_TURN // 6), (1.5, 4), (0.375, 4)):
        turns = turn + step * np.arange(-span, span + 1)
        shifts = shift + 0.25 * step * np.arange(-2, 3)
        turn, shift = min(((t, s) for t in turns for s in shifts), key=lambda pair: mismatch(*pair))
    sine, cosine = np.sin(np.radians(turn)), np.cos(np.radians(turn))
    return np.array([-sine, cosine]), shift * np.array([cosine, sine])


def _body_before(picture: _Silhouette, canal: np.ndarray, ahead: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (right, anterior) and radius in mm of the largest circle of bone ahead of the canal."""
    depth = ndimage.distance_transform_edt(picture.occupied) * CELL
    v, u = np.meshgrid(*(np.arange(n) for n in depth.shape), indexing="ij")
    away = np.stack([u, v], axis=-1) * CELL + picture.corner - canal
    forward, sideways = away @ ahead, away @ np.array([ahead[1], -ahead[0]])
    depth[np.abs(sideways) > 0.3 * forward] = 0.0
    best = np.unravel_index(depth.argmax(), depth.shape)
    return picture.local(np.array(best, dtype=float)), float(depth[best])


@dataclass(frozen=True, eq=False)
class _Silhouette:
    """occupied: (nv, nu) bool on CELL; corner: (2,) local (right, anterior) of its first cell."""

    occupied: np.ndarray
    corner: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, view: Frame) -> _Silhouette:
        flat = projected(points - view.origin, view.rows[:2])
        corner = flat.min(axis=0) - 2 * CELL
        u, v = np.floor((flat - corner) / CELL + 0.5 + _TIED).astype(int).T
        occupied = np.zeros((v.max() + 3, u.max() + 3), dtype=bool)
        occupied[v, u] = True
        occupied = ndimage.binary_closing(np.pad(occupied, 2), iterations=1)
        return cls(occupied, corner - 2 * CELL)

    def local(self, cell: np.ndarray) -> np.ndarray:
        """(row, column), one or (n, 2) of them, to local (right, anterior) mm."""
        return self.corner + cell[..., ::-1] * CELL

    def largest_hole(self) -> np.ndarray | None:
        """The largest patch of background that bone encloses, as a bool image; None where it is no canal."""
        labels, count = ndimage.label(~self.occupied)
        if count < 2:
            return None
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        sizes[0] = sizes[labels[0, 0]] = 0
        return labels == sizes.argmax() if sizes.max() * CELL**2 >= LEAST_CANAL else None

    def free_circle(self, centre: np.ndarray) -> np.ndarray:
        """The largest circle about centre (right, anterior) that is free of bone, as a bool image."""
        v, u = np.meshgrid(*(np.arange(n) for n in self.occupied.shape), indexing="ij")
        away = np.hypot(*(np.stack([u, v]) * CELL + (self.corner - centre)[:, None, None]))
        return away <= max(away[self.occupied].min(), CELL)


def _hole_area(points: np.ndarray, axis: np.ndarray, anterior: np.ndarray) -> float:
    hole = _Silhouette.of(points, Frame.along(points[0], axis, anterior)).largest_hole()
    return 0.0 if hole is None else float(hole.sum()) * CELL**2


def _around(axis: np.ndarray, anterior: np.ndarray, tilt: float, count: int) -> Iterator[np.ndarray]:
    """Unit vectors at tilt (degrees) from axis, at count azimuths."""
    frame = Frame.along(np.zeros(3), axis, anterior)
    sideways = np.sin(np.radians(tilt))
    for azimuth in np.arange(count) * 2 * np.pi / count:
        lean = np.cos(azimuth) * frame.right + np.sin(azimuth) * frame.anterior
        yield unit(np.cos(np.radians(tilt)) * frame.out + sideways * lean)


def _clearest_view(points: np.ndarray, superior: np.ndarray, anterior: np.ndarray) -> tuple[np.ndarray, float]:
    """The direction along which the through-hole looks largest, and its area in mm²."""
    best, area = superior, _hole_area(points, superior, anterior)
    rings = [(tilt, max(6, round(tilt / 2.5))) for tilt in np.arange(14.0, LARGEST_TILT + 1, 14.0)]
    candidates = [axis for tilt, count in rings for axis in _around(superior, anterior, tilt, count)]
    for step in (0.0, 7.0, 3.5, 1.75):
        tried = candidates if step == 0.0 else list(_around(best, anterior, step, 6))
        areas = [_hole_area(points, axis, anterior) for axis in tried]
        if max(areas) > area:
            best, area = tried[int(np.argmax(areas))], max(areas)
    return best, area
