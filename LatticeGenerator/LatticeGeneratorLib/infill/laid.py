"""How the cells of a lattice lie: along the patient's axes, turned with the implant or the print, or along a face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.interpolate import LinearNDInterpolator
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.spatial import QhullError

from ..errors import GeometryError
from ..field.grid import Grid
from ..field.sampled import Sampled
from ..mesh.mesh import Mesh
from .along import Point, point_of
from .attached import Arrays, Surface
from .places import InCells, Places, Regular

_ROTATION_TOLERANCE = 1e-6
# Cells lean with the face: at this slope they are sheared by their own length, and layers lie 0.7 of it apart.
MOST_SLOPE_DEG = 45.0
_HEIGHT_STEP_SHARE, _FINEST_MM, _MOST_POINTS = 0.2, 0.05, 250_000
_EDGE_SMOOTHINGS = 3.0  # how far beyond the face its heights are kept, in smoothing lengths


class Laid(Protocol):
    """A way for cells to lie."""

    @property
    def lattice_to_ras(self) -> np.ndarray:
        """4x4, a rotation about the origin: from the axes of the cells to RAS."""

    def places(self, domain: Mesh, cell_mm: float, origin: np.ndarray) -> Places:
        """The cells over a domain and round an origin (3,), both along the axes of the cells."""

    def record(self) -> dict[str, Any]:
        """As JSON values, as `laid_from_record` reads them."""

    def arrays(self) -> dict[str, np.ndarray]:
        """What the record names and does not hold."""


@dataclass(frozen=True)
class Turned:
    """Cells along given axes. axes: the three of them, unit vectors at right angles and right-handed, RAS."""

    axes: tuple[Point, Point, Point] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

    def __post_init__(self) -> None:
        axes = np.array(self.axes, float)
        if axes.shape != (3, 3) or not (
            np.abs(axes @ axes.T - np.eye(3)).max() < _ROTATION_TOLERANCE and np.linalg.det(axes) > 0.0
        ):
            raise GeometryError(
                f"cells lie along three unit vectors, right-handed and at right angles, not along {self.axes}"
            )

    @classmethod
    def towards(cls, direction: Point) -> Turned:
        """Cells whose third axis is a direction, of the print for example; turned from RAS by the least angle."""
        x, y, z = _rotation_to(direction).T
        return cls((point_of(x), point_of(y), point_of(z)))

    @property
    def lattice_to_ras(self) -> np.ndarray:
        """As `Laid`."""
        return _matrix(np.array(self.axes).T)

    def places(self, domain: Mesh, cell_mm: float, origin: np.ndarray) -> Places:
        """As `Laid`."""
        return Regular(cell_mm, origin)

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"laid": "turned", "axes": [list(axis) for axis in self.axes]}

    def arrays(self) -> dict[str, np.ndarray]:
        """None."""
        return {}


UNTURNED = Turned()
"""Along the axes of the patient."""


@dataclass(frozen=True)
class Conformal:
    """Cells in layers along a face. face: a surface patch that, seen from the direction it looks in, nowhere hides
    itself and slopes by no more than MOST_SLOPE_DEG; direction: RAS; smoothing_mm: its heights are smoothed over."""

    face: Surface
    direction: Point
    smoothing_mm: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.smoothing_mm < np.inf:
            raise GeometryError(f"a face is smoothed over 0 mm or more, not {self.smoothing_mm:g} mm")
        _rotation_to(self.direction)

    @property
    def lattice_to_ras(self) -> np.ndarray:
        """As `Laid`."""
        return _matrix(_rotation_to(self.direction))

    def places(self, domain: Mesh, cell_mm: float, origin: np.ndarray) -> Places:
        """As `Laid`. Raises GeometryError where the face is too steep for cells to follow it."""
        face = self.face.mesh.transformed(self.lattice_to_ras.T)
        _check_slope(face)
        step = max(_FINEST_MM, _HEIGHT_STEP_SHARE * cell_mm)
        return Bent(cell_mm, origin, _heights(face, domain, step, self.smoothing_mm))

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "laid": "conformal",
            "face": self.face.name,
            "direction": list(self.direction),
            "smoothing_mm": self.smoothing_mm,
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """The face."""
        return self.face.arrays()


@dataclass(frozen=True, eq=False)
class Bent:
    """Cells of one size, mm, in layers over a face. Along x and y they are counted from origin (3,) mm, along z from
    the face. heights: of the face, mm, on a grid of one plane.

    Cells are sheared along z and keep their volume, so that their porosity stays what it was.
    """

    cell_mm: float
    origin: np.ndarray
    heights: Sampled

    def on(self, grid: Grid) -> InCells:
        """As `Places`."""
        x, y, z = grid.axes()
        height = self.heights.on(grid.planes(slice(0, 1)))
        return (
            ((x - self.origin[0]) / self.cell_mm).astype(np.float32)[None, None, :],
            ((y - self.origin[1]) / self.cell_mm).astype(np.float32)[None, :, None],
            (z[:, None, None].astype(np.float32) - height) * np.float32(1.0 / self.cell_mm),
            self.cell_mm,
        )

    def at(self, points: np.ndarray) -> InCells:
        """As `Places`."""
        x, y = ((points[:, :2] - self.origin[:2]) / self.cell_mm).astype(np.float32).T
        z = ((points[:, 2] - self.heights.at(points)) / self.cell_mm).astype(np.float32)
        return x, y, z, self.cell_mm


def laid_from_record(record: dict[str, Any], arrays: Arrays) -> Laid:
    """What `record` wrote. Raises GeometryError for any other record."""
    if record["laid"] == "turned":
        x, y, z = (point_of(axis) for axis in record["axes"])
        return Turned((x, y, z))
    if record["laid"] == "conformal":
        face = Surface.named(record["face"], arrays)
        return Conformal(face, point_of(record["direction"]), float(record["smoothing_mm"]))
    raise GeometryError(f"cells laid '{record['laid']}' are not known: choose turned or conformal")


def _check_slope(face: Mesh) -> None:
    """face: along the axes of the cells, so that it should look along z."""
    a, b, c = face.triangles.transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    areas = np.linalg.norm(normals, axis=1)
    used = areas > 0.0
    if not used.any():
        raise GeometryError("the face that the cells should follow has no area: choose another surface")
    upright = normals[used, 2] / areas[used]
    # A patch is often cut from a body on the one side, or from bone on the other.
    upright = upright if np.sum(upright * areas[used]) >= 0.0 else -upright
    steepest = float(np.degrees(np.arccos(np.clip(upright.min(), -1.0, 1.0))))
    if steepest > MOST_SLOPE_DEG:
        raise GeometryError(
            f"the face slopes by {steepest:.0f}° against the direction it is seen from, more than "
            f"{MOST_SLOPE_DEG:.0f}°, and cells cannot follow it: choose a flatter part of it, or another direction"
        )


def _heights(face: Mesh, domain: Mesh, step: float, smoothing: float) -> Sampled:
    """z of a face over all of a domain: beyond the face as at its nearest place, and smoothed."""
    corners = face.vertices[np.unique(face.faces)]
    low, high = domain.bounds
    apart = max(step, float(np.sqrt(np.prod((high - low)[:2]) / _MOST_POINTS)))
    low, high = low.copy(), high.copy()
    low[2] = high[2] = corners[:, 2].min()
    margin = int(np.ceil(_EDGE_SMOOTHINGS * smoothing / apart)) + 2
    grid = Grid.around(low, high, apart, margin)
    plane = Grid(grid.lower, apart, (*grid.shape[:2], 1))
    x, y, _ = plane.axes()
    try:
        height = LinearNDInterpolator(corners[:, :2], corners[:, 2])(x[None, :], y[:, None])
    except (QhullError, ValueError) as error:
        raise GeometryError(
            "the face that the cells should follow is too small or narrow: choose another surface"
        ) from error
    missing = np.isnan(height)
    if missing.all():
        raise GeometryError("the face that the cells should follow is not over the region: choose another surface")
    if missing.any():
        nearest = distance_transform_edt(missing, return_distances=False, return_indices=True)
        height = height[tuple(nearest)]
    smooth = gaussian_filter(height, smoothing / apart) if smoothing > 0.0 else height
    return Sampled(smooth.astype(np.float32)[None], plane)


def _rotation_to(direction: Point) -> np.ndarray:
    """3x3: the rotation by the least angle that takes the z axis to a direction."""
    length = float(np.linalg.norm(direction))
    if not 0.0 < length < np.inf:
        raise GeometryError(f"a direction needs a length, not {direction}")
    way = np.array(direction) / length
    if way[2] < -1.0 + 1e-9:
        return np.diag([1.0, -1.0, -1.0])
    # Rodrigues' formula, with the axis z × way.
    cross = np.array([[0.0, 0.0, way[0]], [0.0, 0.0, way[1]], [-way[0], -way[1], 0.0]])
    return np.eye(3) + cross + cross @ cross / (1.0 + way[2])


def _matrix(rotation: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    return matrix
