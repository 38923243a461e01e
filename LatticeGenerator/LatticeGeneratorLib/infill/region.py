"""Where in a body the lattice goes: everywhere, in a shell of given depth under its surface, or within a box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..errors import GeometryError
from ..field.distance import signed_distance
from ..field.grid import Grid
from ..field.isosurface import isosurface
from ..mesh.boolean import intersection
from ..mesh.mesh import Mesh
from ..mesh.solids import box

# The inner face of a shell is exact where it is flat. Where it is round, a field sampled at this share of the depth
# puts it too deep by (0.1 depth)² / (8 radius): 6 µm for 2 mm deep in a ball of 5 mm.
_SHARE_OF_DEPTH = 0.1
_FINEST_MM, _MOST_POINTS = 0.1, 60_000_000
_BAND_VOXELS = 2.5


class Region(Protocol):
    """A choice of where."""

    def of(self, body: Mesh) -> Mesh:
        """The part of a closed body that the lattice shall fill, closed. Raises GeometryError where there is none."""

    def record(self) -> dict[str, Any]:
        """The choice as JSON values, as `region_from_record` reads them."""


@dataclass(frozen=True)
class Whole:
    """All of the body."""

    def of(self, body: Mesh) -> Mesh:
        """The body."""
        return body

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"where": "whole"}


@dataclass(frozen=True)
class Shell:
    """All that lies no deeper under the body's surface than depth_mm."""

    depth_mm: float

    def __post_init__(self) -> None:
        if not self.depth_mm > 0.0:
            raise GeometryError(f"a shell needs a depth above 0 mm, not {self.depth_mm:g} mm")

    def of(self, body: Mesh) -> Mesh:
        """The shell: the body's own surface, and inside it the surface at that depth, turned inwards."""
        return shell_of(body, self.depth_mm)

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"where": "shell", "depth_mm": self.depth_mm}


@dataclass(frozen=True)
class Within:
    """What lies in a box. box_to_ras: 4x4, rigid, from the box's own axes, with the middle as origin, to RAS mm;
    size_mm: its edges."""

    box_to_ras: tuple[tuple[float, ...], ...]
    size_mm: tuple[float, float, float]

    def __post_init__(self) -> None:
        if not min(self.size_mm) > 0.0:
            size = " × ".join(f"{edge:g}" for edge in self.size_mm)
            raise GeometryError(f"the box has no volume ({size} mm): place it round the part to fill")

    @property
    def box(self) -> Mesh:
        """The box as a closed mesh, RAS mm."""
        half = 0.5 * np.array(self.size_mm)
        return box(-half, half).transformed(np.array(self.box_to_ras))

    def of(self, body: Mesh) -> Mesh:
        """The part of the body inside the box."""
        try:
            return intersection(body, self.box)
        except GeometryError as error:
            raise GeometryError(f"no part of the body can be cut out with the box ({error}): move it") from error

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"where": "box", "box_to_ras": [list(row) for row in self.box_to_ras], "size_mm": list(self.size_mm)}


def region_from_record(record: dict[str, Any]) -> Region:
    """The region that `record` wrote. Raises GeometryError for any other record."""
    try:
        if record["where"] == "whole":
            return Whole()
        if record["where"] == "shell":
            return Shell(float(record["depth_mm"]))
        if record["where"] == "box":
            x, y, z = (float(edge) for edge in record["size_mm"])
            return Within(tuple(tuple(float(v) for v in row) for row in record["box_to_ras"]), (x, y, z))
    except (KeyError, TypeError, ValueError) as error:
        raise GeometryError(f"the region {record} cannot be read: {error!r}") from error
    raise GeometryError(f"the region '{record['where']}' is not known: choose whole, shell or box")


def shell_of(body: Mesh, depth_mm: float) -> Mesh:
    """The layer of a closed body that lies no deeper under its surface than depth_mm; all of it where it is thinner.

    The outer face is the body's own; the inner one is the level of the exact distance, and lies wholly within.
    """
    voxel = max(_FINEST_MM, _SHARE_OF_DEPTH * depth_mm)
    low, high = body.bounds
    voxel = max(voxel, float(np.cbrt(np.prod(high - low) / _MOST_POINTS)))
    grid = Grid.around(low, high, voxel)
    values = signed_distance(body, grid, depth_mm + _BAND_VOXELS * voxel)
    values += np.float32(depth_mm)
    if not (values < 0).any():
        return body
    core = isosurface(values, grid)
    faces = np.concatenate([body.faces, core.faces[:, ::-1] + len(body.vertices)])
    return Mesh(np.concatenate([body.vertices, core.vertices]), faces)
