"""Along what a lattice changes from one kind to another: an axis, the depth under a surface, or a density.

Each choice says what share of the change has been made at a place, 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..errors import GeometryError
from ..field.grid import Grid
from ..field.sampled import Sampled, coarse_grid, distance_to
from ..mesh.mesh import Mesh
from .attached import Arrays, Surface, Volume

Point = tuple[float, float, float]

# A share is sampled no finer than this, and at no more points; distances between them are wrong only at the ridges
# where two faces are equally near, by a third of a step.
_FINEST_MM, _MOST_POINTS = 0.2, 1_000_000


class Share(Protocol):
    """Of the change from one lattice to another, how much has been made: 0 to 1."""

    def on(self, grid: Grid) -> np.ndarray:
        """[k, j, i] float32 at the points of a grid; of size 1 along an axis on which it does not change."""

    def at(self, points: np.ndarray) -> np.ndarray:
        """(n,) at (n, 3) points, mm."""


class Along(Protocol):
    """A choice of what a lattice changes along."""

    def over(self, domain: Mesh) -> Share:
        """The share over a closed domain. Raises GeometryError where the choice has no meaning there."""

    def moved(self, matrix: np.ndarray) -> Along:
        """The choice moved by a 4x4 rigid matrix."""

    def record(self) -> dict[str, Any]:
        """As JSON values, as `along_from_record` reads them."""

    def arrays(self) -> dict[str, np.ndarray]:
        """What the record names and does not hold."""


@dataclass(frozen=True)
class Axis:
    """From start to end, RAS mm: nothing of the change before start, all of it beyond end."""

    start: Point
    end: Point

    def __post_init__(self) -> None:
        if not np.isfinite([self.start, self.end]).all() or not self.length > 0.0:
            raise GeometryError(f"a grading needs two different points to go between, not {self.start} and {self.end}")

    @property
    def length(self) -> float:
        """mm from start to end."""
        return float(np.linalg.norm(np.subtract(self.end, self.start)))

    @property
    def direction(self) -> np.ndarray:
        """(3,) unit vector."""
        return np.subtract(self.end, self.start) / self.length

    def over(self, domain: Mesh) -> Ramp:
        """As `Along`."""
        return Ramp(np.array(self.start, float), self.direction, self.length)

    def moved(self, matrix: np.ndarray) -> Axis:
        """As `Along`."""
        return Axis(_moved(self.start, matrix), _moved(self.end, matrix))

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"along": "axis", "start": list(self.start), "end": list(self.end)}

    def arrays(self) -> dict[str, np.ndarray]:
        """None."""
        return {}


@dataclass(frozen=True)
class Depth:
    """From one distance to another, mm, of a surface; None: of the border of what is filled."""

    from_mm: float
    to_mm: float
    surface: Surface | None = None

    def __post_init__(self) -> None:
        if not (min(self.from_mm, self.to_mm) >= 0.0 and self.from_mm != self.to_mm):
            raise GeometryError(
                f"a grading by depth needs two different depths of 0 mm or more, not {self.from_mm:g} and "
                f"{self.to_mm:g} mm"
            )

    def over(self, domain: Mesh) -> Between:
        """As `Along`."""
        grid = coarse_grid(*domain.bounds, _FINEST_MM, _MOST_POINTS)
        surface = domain if self.surface is None else self.surface.mesh
        reach = max(self.from_mm, self.to_mm) + 2.0 * grid.spacing
        return Between(distance_to(surface, grid, reach), self.from_mm, self.to_mm)

    def moved(self, matrix: np.ndarray) -> Depth:
        """As `Along`."""
        return self if self.surface is None else Depth(self.from_mm, self.to_mm, self.surface.moved(matrix))

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        name = None if self.surface is None else self.surface.name
        return {"along": "depth", "from_mm": self.from_mm, "to_mm": self.to_mm, "surface": name}

    def arrays(self) -> dict[str, np.ndarray]:
        """The surface."""
        return {} if self.surface is None else self.surface.arrays()


@dataclass(frozen=True)
class Scalar:
    """From where a volume, bone density for example, is as low as `low` to where it is as high as `high`."""

    volume: Volume
    low: float
    high: float

    def __post_init__(self) -> None:
        if not np.isfinite([self.low, self.high]).all() or self.low == self.high:
            raise GeometryError(f"a grading by a volume needs two different values, not {self.low:g} and {self.high:g}")

    def over(self, domain: Mesh) -> Between:
        """As `Along`."""
        low, high = domain.bounds
        grid = coarse_grid(low, high, max(_FINEST_MM, 0.5 * self.volume.numbers.step_mm), _MOST_POINTS)
        values = self.volume.numbers.at(grid.points()).astype(np.float32).reshape(grid.array_shape)
        return Between(Sampled(values, grid), self.low, self.high)

    def moved(self, matrix: np.ndarray) -> Scalar:
        """As `Along`."""
        return Scalar(self.volume.moved(matrix), self.low, self.high)

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"along": "scalar", "volume": self.volume.name, "low": self.low, "high": self.high}

    def arrays(self) -> dict[str, np.ndarray]:
        """The volume."""
        return self.volume.arrays()


@dataclass(frozen=True, eq=False)
class Ramp:
    """A share that rises evenly along a unit direction (3,), from start (3,) mm over a length, mm."""

    start: np.ndarray
    direction: np.ndarray
    length: float

    def on(self, grid: Grid) -> np.ndarray:
        """As `Share`."""
        return self.of(self.along(*grid.axes()))

    def at(self, points: np.ndarray) -> np.ndarray:
        """As `Share`."""
        return self.of((points - self.start) @ self.direction)

    def along(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """[k, j, i] float32 mm from start along the direction, on axes; of size 1 along those it is square to."""
        result = np.zeros((1, 1, 1), np.float32)
        for axis, shape, start, part in zip(
            (x, y, z), ((1, 1, -1), (1, -1, 1), (-1, 1, 1)), self.start, self.direction
        ):
            if abs(part) > 1e-12:
                result = result + ((axis - start) * part).astype(np.float32).reshape(shape)
        return result

    def of(self, along: np.ndarray) -> np.ndarray:
        """The share so many mm along."""
        return np.clip(along / np.asarray(self.length, along.dtype), 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Between:
    """A share that rises evenly with a field, from one value of it to another."""

    field: Sampled
    start: float
    end: float

    def on(self, grid: Grid) -> np.ndarray:
        """As `Share`."""
        return self._of(self.field.on(grid))

    def at(self, points: np.ndarray) -> np.ndarray:
        """As `Share`."""
        return self._of(self.field.at(points))

    def _of(self, values: np.ndarray) -> np.ndarray:
        values -= values.dtype.type(self.start)
        values *= values.dtype.type(1.0 / (self.end - self.start))
        return np.clip(values, 0.0, 1.0, out=values)


def along_from_record(record: dict[str, Any], arrays: Arrays) -> Along:
    """What `record` wrote. Raises GeometryError for any other record."""
    try:
        if record["along"] == "axis":
            return Axis(point_of(record["start"]), point_of(record["end"]))
        if record["along"] == "depth":
            surface = None if record["surface"] is None else Surface.named(record["surface"], arrays)
            return Depth(float(record["from_mm"]), float(record["to_mm"]), surface)
        if record["along"] == "scalar":
            return Scalar(Volume.named(record["volume"], arrays), float(record["low"]), float(record["high"]))
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, GeometryError):
            raise
        raise GeometryError(f"the grading {record} cannot be read: {error!r}") from error
    raise GeometryError(f"a grading along '{record['along']}' is not known: choose axis, depth or scalar")


def point_of(values: Any) -> Point:
    """Three numbers."""
    x, y, z = (float(value) for value in values)
    return x, y, z


def _moved(point: Point, matrix: np.ndarray) -> Point:
    return point_of(matrix[:3, :3] @ np.array(point) + matrix[:3, 3])
