"""Which faces of a region something is done to: all of them, those that look one way, or those near a surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.spatial import cKDTree

from ..errors import GeometryError
from ..mesh.mesh import Mesh
from ..mesh.split import split_triangles
from ..mesh.weld import welded
from .along import Point, point_of
from .attached import Arrays, Surface

_PIECE_MM = 0.4  # large faces are cut into pieces of this size before it is asked which of them are near a surface


class Faces(Protocol):
    """A choice of faces."""

    def of(self, domain: Mesh) -> Mesh:
        """The chosen part of a closed domain's border, open or closed. Raises GeometryError where there is none."""

    def moved(self, matrix: np.ndarray) -> Faces:
        """The choice moved by a 4x4 rigid matrix."""

    def record(self) -> dict[str, Any]:
        """As JSON values, as `faces_from_record` reads them."""

    def arrays(self) -> dict[str, np.ndarray]:
        """What the record names and does not hold."""


@dataclass(frozen=True)
class Everywhere:
    """The whole border."""

    def of(self, domain: Mesh) -> Mesh:
        """As `Faces`."""
        return domain

    def moved(self, matrix: np.ndarray) -> Everywhere:
        """As `Faces`."""
        return self

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"faces": "everywhere"}

    def arrays(self) -> dict[str, np.ndarray]:
        """None."""
        return {}


@dataclass(frozen=True)
class Facing:
    """Faces that look in a direction, RAS, or no more than within_deg away from it; beyond 90 degrees all but those
    that look the other way: 135 leaves one end of a block open."""

    direction: Point
    within_deg: float = 45.0

    def __post_init__(self) -> None:
        if not np.linalg.norm(self.direction) > 0.0 or not 0.0 < self.within_deg <= 180.0:
            raise GeometryError(
                f"faces are chosen by a direction and an angle of up to 180°, not {self.direction} and "
                f"{self.within_deg:g}°"
            )

    def of(self, domain: Mesh) -> Mesh:
        """As `Faces`."""
        a, b, c = domain.triangles.transpose(1, 0, 2)
        normals = np.cross(b - a, c - a)
        way = np.array(self.direction) / np.linalg.norm(self.direction)
        # A little slack, so that a face at just that angle does not fall to rounding.
        least = np.cos(np.radians(self.within_deg)) - 1e-6
        chosen = normals @ way >= least * np.linalg.norm(normals, axis=1)
        if not chosen.any():
            raise GeometryError(
                f"no face of the region looks towards {self.direction} within {self.within_deg:g}°: choose another "
                "direction or a wider angle"
            )
        return Mesh(domain.vertices, domain.faces[chosen])

    def moved(self, matrix: np.ndarray) -> Facing:
        """As `Faces`."""
        return Facing(point_of(matrix[:3, :3] @ np.array(self.direction, float)), self.within_deg)

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"faces": "facing", "direction": list(self.direction), "within_deg": self.within_deg}

    def arrays(self) -> dict[str, np.ndarray]:
        """None."""
        return {}


@dataclass(frozen=True)
class Near:
    """Faces no further than within_mm from a surface, the patch where bone is touched for example."""

    surface: Surface
    within_mm: float = 0.5

    def __post_init__(self) -> None:
        if not self.within_mm > 0.0:
            raise GeometryError(f"faces near a surface need a distance above 0 mm, not {self.within_mm:g} mm")

    def of(self, domain: Mesh) -> Mesh:
        """As `Faces`."""
        patch = split_triangles(self.surface.mesh.triangles, _PIECE_MM)
        tree = cKDTree(np.concatenate([patch.reshape(-1, 3), patch.mean(axis=1)]))
        pieces = split_triangles(domain.triangles, _PIECE_MM)
        chosen = tree.query(pieces.mean(axis=1), distance_upper_bound=self.within_mm)[0] <= self.within_mm
        if not chosen.any():
            raise GeometryError(
                f"no face of the region is within {self.within_mm:g} mm of the given surface: move it, or allow more"
            )
        corners = pieces[chosen].reshape(-1, 3)
        index = welded(corners.astype(np.float32))[1]
        first = np.zeros(int(index.max()) + 1, np.int64)
        first[index[::-1]] = np.arange(len(index))[::-1]
        return Mesh(corners[first], index.reshape(-1, 3))

    def moved(self, matrix: np.ndarray) -> Near:
        """As `Faces`."""
        return Near(self.surface.moved(matrix), self.within_mm)

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"faces": "near", "surface": self.surface.name, "within_mm": self.within_mm}

    def arrays(self) -> dict[str, np.ndarray]:
        """The surface."""
        return self.surface.arrays()


def faces_from_record(record: dict[str, Any], arrays: Arrays) -> Faces:
    """What `record` wrote. Raises GeometryError for any other record."""
    if record["faces"] == "everywhere":
        return Everywhere()
    if record["faces"] == "facing":
        return Facing(point_of(record["direction"]), float(record["within_deg"]))
    if record["faces"] == "near":
        return Near(Surface.named(record["surface"], arrays), float(record["within_mm"]))
    raise GeometryError(f"the faces '{record['faces']}' are not known: choose everywhere, facing or near")
