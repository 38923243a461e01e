"""An implant seen along an axis of its datum frame: greys and outline, and where places lie in the view."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Mesh

from ..build.design import Implant
from ..verify.raster import cast
from .sheet import outlines

# Between the rays by which a view is seen, mm of the implant: 170 dpi at 1:1, and a pore is 0.5 mm wide.
STEP_MM = 0.15
# The greys of faces seen edge-on and square, 0 to 1: light, so that lines can be read on them.
_EDGE_ON, _SQUARE = 0.55, 0.95


@dataclass(frozen=True, eq=False)
class DatumFrame:
    """The frame of a drawing. origin: (3,) RAS mm, the middle of the upper docking endplate; axes: rows are X to the
    patient's right, Y to the front, Z up, square to the endplate's plane (datum A)."""

    origin: np.ndarray
    axes: np.ndarray

    @classmethod
    def of(cls, implant: Implant) -> DatumFrame:
        """That of an implant."""
        plate = implant.situation.upper
        up = -plate.normal / np.linalg.norm(plate.normal)
        front = plate.anterior - (plate.anterior @ up) * up
        front = front / np.linalg.norm(front)
        return cls(plate.centre, np.stack([np.cross(front, up), front, up]))

    def points(self, places: np.ndarray) -> np.ndarray:
        """Places (n, 3) or (3,) RAS in the frame, mm."""
        local: np.ndarray = (np.asarray(places, dtype=float) - self.origin) @ self.axes.T
        return local

    def directions(self, ways: np.ndarray) -> np.ndarray:
        """Directions (n, 3) or (3,) RAS in the frame."""
        local: np.ndarray = np.asarray(ways, dtype=float) @ self.axes.T
        return local


@dataclass(frozen=True, eq=False)
class View:
    """A mesh in the datum frame seen from afar. across, up: (3,) the page's directions in that frame."""

    name: str
    mesh: Mesh
    across: np.ndarray
    up: np.ndarray

    @cached_property
    def low(self) -> np.ndarray:
        """(2,) the least place across and up, mm."""
        return self.flat(self.mesh.vertices).min(axis=0)

    @cached_property
    def high(self) -> np.ndarray:
        """(2,) the greatest."""
        return self.flat(self.mesh.vertices).max(axis=0)

    def flat(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) where points (n, 3) of the datum frame lie in the view."""
        return np.asarray(points, dtype=float) @ np.stack([self.across, self.up]).T

    @cached_property
    def greys(self) -> np.ndarray:
        """(rows from above, columns) of the first face that each ray meets; 1 where none."""
        away = np.cross(self.up, self.across)
        frame = np.stack([self.across, self.up, away])
        rays = cast(self.mesh, frame, np.zeros(3), STEP_MM, self.low, self.high)
        grey = np.ones(int(np.prod(rays.shape)))
        first = np.unique(rays.ray, return_index=True)
        grey[first[0]] = _EDGE_ON + (_SQUARE - _EDGE_ON) * rays.steep[first[1]]
        return grey.reshape(rays.shape).T[::-1]

    def lines(self) -> list[np.ndarray]:
        """(n, 2) outlines in mm across and up."""
        mask = self.greys < 1.0
        top = self.low[1] + (mask.shape[0] - 1) * STEP_MM
        return [np.column_stack([self.low[0], top]) + line * [STEP_MM, -STEP_MM] for line in outlines(mask)]


def views(implant: Implant, frame: DatumFrame) -> tuple[View, View, View]:
    """From the front, from the patient's right, from above: as they stand on a sheet in first-angle projection."""
    mesh = Mesh(frame.points(implant.part.mesh.vertices), implant.part.mesh.faces)
    x, y, z = np.eye(3)
    return (
        View("FROM THE FRONT", mesh, -x, z),
        View("FROM THE PATIENT'S RIGHT", mesh, y, z),
        View("FROM ABOVE", mesh, -x, -y),
    )
