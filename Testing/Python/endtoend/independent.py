"""Measurements that share nothing with the program: label voxels by Euclidean distance transforms, meshes by VTK."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import vtk
from scipy.ndimage import distance_transform_edt, map_coordinates
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

RAS_LPS = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A label map as ITK reads it. voxels: (k, j, i); to_lps: 3x3 voxel steps in LPS mm; origin: (3,) LPS mm."""

    voxels: np.ndarray
    to_lps: np.ndarray
    origin: np.ndarray
    names: dict[str, int]
    roles: dict[str, str]

    @classmethod
    def read(cls, labels: Path, table: Path) -> LabelMap:
        image = sitk.ReadImage(str(labels))
        steps = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
        rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
        return cls(
            sitk.GetArrayFromImage(image),
            steps,
            np.array(image.GetOrigin()),
            {row["name"]: int(row["value"]) for row in rows},
            {row["name"]: row["role"] for row in rows},
        )

    @cached_property
    def half_diagonal(self) -> float:
        """mm: how far a surface may lie from the voxels that were made from it."""
        return 0.5 * float(np.linalg.norm(np.linalg.norm(self.to_lps, axis=0)))

    def having(self, role: str) -> list[str]:
        """Names of the labels of a role that have voxels."""
        present = set(np.unique(self.voxels).tolist())
        return [name for name, value in self.names.items() if self.roles[name] == role and value in present]

    def distance(self, names: list[str], points: np.ndarray) -> np.ndarray:
        """(n,) mm from points (n, 3) RAS to the labels' voxels, negative inside.

        Between the centres of voxels inside and outside, so that a flat face lies half-way; other surfaces are met to
        half a voxel's diagonal. Labels are looked at up to 12 mm around the points.
        """
        index = (points * RAS_LPS - self.origin) @ np.linalg.inv(self.to_lps).T
        kji = index[:, ::-1]
        spacing = np.linalg.norm(self.to_lps, axis=0)[::-1]
        low = np.maximum(np.floor(kji.min(axis=0) - 12.0 / spacing), 0).astype(int)
        high = np.minimum(np.ceil(kji.max(axis=0) + 12.0 / spacing) + 1, self.voxels.shape).astype(int)
        block = self.voxels[tuple(slice(a, b) for a, b in zip(low, high))]
        inside = np.isin(block, [self.names[name] for name in names])
        if not inside.any():
            return np.full(len(points), 12.0)
        signed = distance_transform_edt(~inside, spacing) - distance_transform_edt(inside, spacing)
        return map_coordinates(signed, (kji - low).T, order=1, mode="nearest")


@dataclass(frozen=True, eq=False)
class Raster:
    """Which points of a grid lie in a mesh, by VTK. filled: (k, j, i) bool; origin: (3,) RAS mm; step: mm."""

    filled: np.ndarray
    origin: np.ndarray
    step: float

    @classmethod
    def of(cls, vertices: np.ndarray, faces: np.ndarray, low: np.ndarray, high: np.ndarray, step: float) -> Raster:
        count = np.ceil((high - low) / step).astype(int) + 1
        stencil = vtk.vtkPolyDataToImageStencil()
        stencil.SetInputData(polydata(vertices, faces))
        stencil.SetOutputOrigin(*low)
        stencil.SetOutputSpacing(step, step, step)
        stencil.SetOutputWholeExtent(0, count[0] - 1, 0, count[1] - 1, 0, count[2] - 1)
        image = vtk.vtkImageStencilToImage()
        image.SetInputConnection(stencil.GetOutputPort())
        image.SetInsideValue(1)
        image.SetOutsideValue(0)
        image.SetOutputScalarTypeToUnsignedChar()
        image.Update()
        flat = vtk_to_numpy(image.GetOutput().GetPointData().GetScalars())
        return cls(flat.reshape(count[::-1]).astype(bool), np.asarray(low, dtype=float), step)

    @property
    def points(self) -> np.ndarray:
        """(n, 3) RAS mm of the filled grid points."""
        return np.argwhere(self.filled)[:, ::-1] * self.step + self.origin

    def holds(self, points: np.ndarray) -> np.ndarray:
        """(n,) whether the grid point nearest to each point (n, 3) is filled."""
        i, j, k = np.round((points - self.origin) / self.step).astype(int).T
        return self.filled[k, j, i]


def polydata(vertices: np.ndarray, faces: np.ndarray) -> vtk.vtkPolyData:
    """A mesh as VTK holds it."""
    points = vtk.vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(vertices, dtype=np.float64), deep=True))
    cells = vtk.vtkCellArray()
    cells.SetData(
        numpy_to_vtkIdTypeArray(np.arange(len(faces) + 1, dtype=np.int64) * 3, deep=True),
        numpy_to_vtkIdTypeArray(np.ascontiguousarray(faces, dtype=np.int64).ravel(), deep=True),
    )
    data = vtk.vtkPolyData()
    data.SetPoints(points)
    data.SetPolys(cells)
    return data


def area_samples(vertices: np.ndarray, faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points spread evenly over a surface, and the unit normals there; the same ones every time."""
    random = np.random.default_rng(7)
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    cross = np.cross(b - a, c - a)
    area = np.linalg.norm(cross, axis=1)
    chosen = random.choice(len(faces), count, p=area / area.sum())
    u, v = random.random((2, count, 1))
    flip = u + v > 1.0
    u, v = np.where(flip, 1.0 - u, u), np.where(flip, 1.0 - v, v)
    return a[chosen] + u * (b - a)[chosen] + v * (c - a)[chosen], cross[chosen] / area[chosen, None]


def in_polygon(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n,) whether points (n, 2) lie in a closed polygon (m, 2): an odd number of its sides lies to their right."""
    (x, y), (x0, y0) = points.T[:, :, None], polygon.T[:, None, :]
    x1, y1 = np.roll(polygon, -1, axis=0).T[:, None, :]
    spans = (y0 > y) != (y1 > y)
    at = x0 + (y - y0) * (x1 - x0) / np.where(y1 == y0, 1.0, y1 - y0)
    return (spans & (x < at)).sum(axis=1) % 2 == 1
