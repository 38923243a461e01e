"""Where in a body the lattice goes: everywhere, in a shell of given depth under its surface, next to a given surface,
or within a box."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from ..errors import GeometryError
from ..field.distance import Distances, signed_distance
from ..field.grid import Grid
from ..field.isosurface import isosurface
from ..mesh.boolean import Solid, intersection
from ..mesh.mesh import Mesh
from ..mesh.solids import box
from .attached import Arrays, Surface

# The inner face of a region is exact where it is flat. Where it is round, a field sampled at this share of the depth
# puts it off by (0.1 depth)² / (8 radius): 6 µm for 2 mm deep in a ball of 5 mm.
_SHARE_OF_DEPTH = 0.1
_FINEST_MM, _MOST_POINTS = 0.1, 60_000_000
_BAND_VOXELS = 2.5


class Region(Protocol):
    """A choice of where."""

    def of(self, body: Mesh) -> Mesh:
        """The part of a closed body that the lattice shall fill, closed. Raises GeometryError where there is none."""

    def beyond(self, body: Mesh) -> Mesh | None:
        """The rest of a closed body, closed; None where nothing is left."""

    def depth(self, body: Mesh, grid: Grid, reach: float) -> np.ndarray:
        """[k, j, i] float32 mm: how far within the region a place lies from the rest of the body, negative beyond; cut
        off at reach. The body's own border plays no part."""

    def grown(self, by_mm: float) -> Region:
        """The region that reaches so much further into the body."""

    def moved(self, matrix: np.ndarray) -> Region:
        """The region moved by a 4x4 rigid matrix."""

    def record(self) -> dict[str, Any]:
        """The choice as JSON values, as `region_from_record` reads them."""

    def arrays(self) -> dict[str, np.ndarray]:
        """What the record names and does not hold."""


@dataclass(frozen=True)
class Whole:
    """All of the body."""

    def of(self, body: Mesh) -> Mesh:
        """The body."""
        return body

    def beyond(self, body: Mesh) -> None:
        """Nothing."""
        return None

    def depth(self, body: Mesh, grid: Grid, reach: float) -> np.ndarray:
        """Nothing is beyond."""
        return np.full(grid.array_shape, reach, np.float32)

    def grown(self, by_mm: float) -> Whole:
        """As `Region`: there is no further."""
        return self

    def moved(self, matrix: np.ndarray) -> Whole:
        """As `Region`."""
        return self

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"where": "whole"}

    def arrays(self) -> dict[str, np.ndarray]:
        """None."""
        return {}


@dataclass(frozen=True)
class Shell:
    """All that lies no deeper under the body's surface than depth_mm."""

    depth_mm: float

    def __post_init__(self) -> None:
        if not self.depth_mm > 0.0:
            raise GeometryError(f"a shell needs a depth above 0 mm, not {self.depth_mm:g} mm")

    def of(self, body: Mesh) -> Mesh:
        """The shell: the body's own surface, and inside it that of the core, turned inwards; all of a thin body."""
        core = self.beyond(body)
        if core is None:
            return body
        faces = np.concatenate([body.faces, core.faces[:, ::-1] + len(body.vertices)])
        return Mesh(np.concatenate([body.vertices, core.vertices]), faces)

    def beyond(self, body: Mesh) -> Mesh | None:
        """The core: what lies deeper."""
        grid = _grid(*body.bounds, self.depth_mm)
        values = self.depth(body, grid, _BAND_VOXELS * grid.spacing)
        return isosurface(values, grid) if (values < 0).any() else None

    def depth(self, body: Mesh, grid: Grid, reach: float) -> np.ndarray:
        """As `Region`."""
        values = signed_distance(body, grid, self.depth_mm + reach)
        values += np.float32(self.depth_mm)
        return np.clip(values, -reach, reach, out=values)

    def grown(self, by_mm: float) -> Shell:
        """As `Region`."""
        return Shell(self.depth_mm + by_mm)

    def moved(self, matrix: np.ndarray) -> Shell:
        """As `Region`."""
        return self

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"where": "shell", "depth_mm": self.depth_mm}

    def arrays(self) -> dict[str, np.ndarray]:
        """None."""
        return {}


@dataclass(frozen=True)
class Beside:
    """All that lies no further than depth_mm from a surface, open or closed: the face where bone is touched, say."""

    surface: Surface
    depth_mm: float

    def __post_init__(self) -> None:
        if not self.depth_mm > 0.0:
            raise GeometryError(f"a layer next to a surface needs a depth above 0 mm, not {self.depth_mm:g} mm")

    def of(self, body: Mesh) -> Mesh:
        """The layer of the body next to the surface."""
        return _cut_out(body, self._reached(), "the surface that it lies next to")

    def beyond(self, body: Mesh) -> Mesh | None:
        """What lies further from the surface."""
        return _left_of(body, self._reached())

    def depth(self, body: Mesh, grid: Grid, reach: float) -> np.ndarray:
        """As `Region`."""
        away = Distances(self.surface.mesh).unsigned(grid, self.depth_mm + reach)
        return np.clip(np.float32(self.depth_mm) - away, -reach, reach)

    def grown(self, by_mm: float) -> Beside:
        """As `Region`."""
        return replace(self, depth_mm=self.depth_mm + by_mm)

    def moved(self, matrix: np.ndarray) -> Beside:
        """As `Region`."""
        return replace(self, surface=self.surface.moved(matrix))

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"where": "beside", "surface": self.surface.name, "depth_mm": self.depth_mm}

    def arrays(self) -> dict[str, np.ndarray]:
        """The surface."""
        return self.surface.arrays()

    def _reached(self) -> Mesh:
        """All of space so near the surface, closed."""
        low, high = self.surface.mesh.bounds
        grid = _grid(low - self.depth_mm, high + self.depth_mm, self.depth_mm)
        away = Distances(self.surface.mesh).unsigned(grid, self.depth_mm + _BAND_VOXELS * grid.spacing)
        return isosurface(away - np.float32(self.depth_mm), grid)


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
        return _cut_out(body, self.box, "the box")

    def beyond(self, body: Mesh) -> Mesh | None:
        """The part of the body outside the box."""
        return _left_of(body, self.box)

    def depth(self, body: Mesh, grid: Grid, reach: float) -> np.ndarray:
        """As `Region`."""
        from_ras = np.linalg.inv(np.array(self.box_to_ras))
        excess = np.abs(grid.points() @ from_ras[:3, :3].T + from_ras[:3, 3]) - 0.5 * np.array(self.size_mm)
        outside = np.linalg.norm(np.maximum(excess, 0.0), axis=1) + np.minimum(excess.max(axis=1), 0.0)
        return np.clip(-outside, -reach, reach).astype(np.float32).reshape(grid.array_shape)

    def grown(self, by_mm: float) -> Within:
        """As `Region`."""
        x, y, z = (edge + 2.0 * by_mm for edge in self.size_mm)
        return replace(self, size_mm=(x, y, z))

    def moved(self, matrix: np.ndarray) -> Within:
        """As `Region`."""
        placed = matrix @ np.array(self.box_to_ras)
        return replace(self, box_to_ras=tuple(tuple(float(value) for value in row) for row in placed))

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"where": "box", "box_to_ras": [list(row) for row in self.box_to_ras], "size_mm": list(self.size_mm)}

    def arrays(self) -> dict[str, np.ndarray]:
        """None."""
        return {}


def region_from_record(record: dict[str, Any], arrays: Arrays) -> Region:
    """The region that `record` wrote. Raises GeometryError for any other record."""
    try:
        if record["where"] == "whole":
            return Whole()
        if record["where"] == "shell":
            return Shell(float(record["depth_mm"]))
        if record["where"] == "beside":
            return Beside(Surface.named(record["surface"], arrays), float(record["depth_mm"]))
        if record["where"] == "box":
            x, y, z = (float(edge) for edge in record["size_mm"])
            return Within(tuple(tuple(float(v) for v in row) for row in record["box_to_ras"]), (x, y, z))
    except (KeyError, TypeError, ValueError) as error:
        raise GeometryError(f"the region {record} cannot be read: {error!r}") from error
    raise GeometryError(f"the region '{record['where']}' is not known: choose whole, shell, beside or box")


def _grid(low: np.ndarray, high: np.ndarray, depth_mm: float) -> Grid:
    """A grid around a box, on which a face so deep can be found."""
    voxel = max(_FINEST_MM, _SHARE_OF_DEPTH * depth_mm)
    return Grid.around(low, high, max(voxel, float(np.cbrt(np.prod(high - low) / _MOST_POINTS))))


def _cut_out(body: Mesh, tool: Mesh, name: str) -> Mesh:
    try:
        return intersection(body, tool)
    except GeometryError as error:
        raise GeometryError(f"no part of the body can be cut out with {name} ({error}): move it") from error


def _left_of(body: Mesh, tool: Mesh) -> Mesh | None:
    rest = Solid.of(body).less([tool])
    return None if rest.empty else rest.mesh()
