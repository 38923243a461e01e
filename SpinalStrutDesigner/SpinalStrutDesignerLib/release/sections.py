"""Sections along the axis on the CT: curved sheets that follow the strut, with the cut of the implant drawn on them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import vtk
from scipy.ndimage import gaussian_filter, map_coordinates
from vtk.util.numpy_support import numpy_to_vtk

from ..build.design import Implant
from ..case.model import Structure, Volume
from .palette import SCREW, TITANIUM, legend_name, look_of
from .render import Camera, Colour, Label, Layer, Swatch, View, rgb_image, scale_bar
from .surfaces import screw_surface, surface_arrays

_SIZE = (860, 1200)
_STEP_MM = 0.4
_SMOOTH_MM = 0.5
# A bone window: air is black, dense cortex white.
_WINDOW_HU = (-450.0, 1250.0)
_WHITE: Colour = (1.0, 1.0, 1.0)
# Beyond the scan: bluish, so that it is not taken for air, and dark, so that what is written on it can be read.
_OUTSIDE: Colour = (0.17, 0.20, 0.27)


@dataclass(frozen=True, eq=False)
class Sheet:
    """A sheet through the axis, upright in the patient: across (x or y) runs the picture, depth follows the axis.

    across, depth: which RAS coordinate each is; heights, depths: (n,) RAS mm of the axis, heights increasing.
    """

    across: int
    depth: int
    heights: np.ndarray
    depths: np.ndarray

    def behind(self, points: np.ndarray) -> np.ndarray:
        """(n,) mm that points (n, 3) lie off the sheet."""
        return points[:, self.depth] - np.interp(points[:, 2], self.heights, self.depths)

    def flat(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) picture coordinates, mm: the patient's front or right lies left."""
        return np.stack([-points[:, self.across], points[:, 2]], axis=1)

    def places(self, flat: np.ndarray) -> np.ndarray:
        """(n, 3) RAS mm on the sheet at picture coordinates (n, 2)."""
        points = np.empty((len(flat), 3))
        points[:, self.across], points[:, 2] = -flat[:, 0], flat[:, 1]
        points[:, self.depth] = np.interp(flat[:, 1], self.heights, self.depths)
        return points


def section_views(implant: Implant) -> dict[str, View]:
    """The sagittal and the coronal section along the axis."""
    return {
        "section_sagittal": _view(implant, _sheet(implant, across=1), ("A", "P")),
        "section_coronal": _view(implant, _sheet(implant, across=0), ("R", "L")),
    }


def _sheet(implant: Implant, across: int) -> Sheet:
    depth = 1 - across
    order = np.argsort(implant.axis.points[:, 2], kind="stable")
    points = implant.axis.points[order]
    return Sheet(across, depth, points[:, 2], points[:, depth])


def _view(implant: Implant, sheet: Sheet, ends: tuple[str, str]) -> View:
    low, high = implant.part.mesh.bounds
    height = 1.12 * (high[2] - low[2]) + 24.0
    middle = sheet.flat(0.5 * (low + high)[None])[0]
    camera = Camera(np.array([*middle, 0.0]), np.array([0.0, 0.0, -1.0]), np.array([0.0, 1.0, 0.0]), height)
    grid = _grid(middle, height)
    situation = implant.situation
    spots = _spots(sheet, grid)
    layers: list[Layer] = []
    named: dict[str, Colour] = {}
    for structure in situation.case.having("keepout_critical", "keepout_soft", "metal"):
        outline = _outline(structure, spots, sheet, grid)
        if outline is not None:
            layers.append(Layer(outline, look_of(structure)[0], shine=None, line_px=2.0))
            named[legend_name(structure)] = look_of(structure)[0]
    for screw in situation.plan.screws:
        layers += _cut(*surface_arrays(screw_surface(screw)), sheet, SCREW, 0.35)
    layers += _cut(implant.part.mesh.vertices, implant.part.mesh.faces, sheet, TITANIUM, 0.40)
    labels, swatches = _names(named, ends)
    labels += _levels(implant, sheet, camera)
    length, bar = scale_bar(camera, _SIZE, 10.0, _WHITE)
    return View(
        tuple(layers), camera, _SIZE, (*labels, length), (*swatches, bar), _slice(situation.case.ct, spots, grid)
    )


def _grid(middle: np.ndarray, height: float) -> tuple[np.ndarray, np.ndarray]:
    """Picture coordinates of the sheet's samples: (columns,), (rows,) mm, both increasing."""
    half = 0.5 * height * np.array([_SIZE[0] / _SIZE[1], 1.0])
    columns, rows = (np.arange(m - h - _STEP_MM, m + h + 2.0 * _STEP_MM, _STEP_MM) for m, h in zip(middle, half))
    return columns, rows


def _spots(sheet: Sheet, grid: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """(rows, columns, 3) RAS mm: where the samples lie."""
    x, y = np.meshgrid(*grid)
    return sheet.places(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(*x.shape, 3)


def _slice(ct: Volume, spots: np.ndarray, grid: tuple[np.ndarray, np.ndarray]) -> vtk.vtkImageData:
    """The CT on the sheet as an image in the plane z = 0."""
    hu = ct.sample(spots.reshape(-1, 3)).reshape(spots.shape[:2])
    low, high = _WINDOW_HU
    grey = np.clip((hu - low) / (high - low), 0.0, 1.0)
    rgb = np.where(np.isfinite(hu)[..., None], grey[..., None], _OUTSIDE)
    image = rgb_image(np.round(255.0 * np.nan_to_num(rgb[::-1])).astype(np.uint8))
    image.SetOrigin(grid[0][0], grid[1][0], 0.0)
    image.SetSpacing(_STEP_MM, _STEP_MM, 1.0)
    return image


def _outline(
    structure: Structure, spots: np.ndarray, sheet: Sheet, grid: tuple[np.ndarray, np.ndarray]
) -> vtk.vtkPolyData | None:
    """Where the sheet cuts a structure, posed and resected; None where it does not."""
    matrix = structure.pose @ structure.mask.ijk_to_ras
    shape = np.array(structure.mask.voxels.shape[::-1])
    corners = np.array(list(product(*structure.box.T)))
    # The part of the sheet that the structure's block can reach, smoothed.
    reach = 4.0 * _SMOOTH_MM
    columns, rows = (
        slice(*np.searchsorted(places, (flat.min() - reach, flat.max() + reach)))
        for places, flat in zip(grid, sheet.flat(corners).T)
    )
    spots = spots[rows, columns]
    if not spots.size:
        return None
    inverse = np.linalg.inv(matrix)
    spots = structure.brought_back(spots.reshape(-1, 3)).reshape(spots.shape)
    ijk = spots @ inverse[:3, :3].T + inverse[:3, 3]
    near = np.all((ijk > -1.0) & (ijk < shape), axis=-1)
    if not near.any():
        return None
    inside = np.zeros(spots.shape[:2], dtype=np.float32)
    voxels = structure.mask.voxels
    inside[near] = map_coordinates(voxels, ijk[near][:, ::-1].T, np.float32, order=1, mode="grid-constant")
    for point, normal in structure.cuts:
        inside[(spots - point) @ normal > 0.0] = 0.0
    inside = gaussian_filter(inside, _SMOOTH_MM / _STEP_MM)
    if inside.max() < 0.5:
        return None
    image = vtk.vtkImageData()
    image.SetDimensions(inside.shape[1], inside.shape[0], 1)
    image.SetOrigin(grid[0][columns.start], grid[1][rows.start], 0.2)
    image.SetSpacing(_STEP_MM, _STEP_MM, 1.0)
    image.GetPointData().SetScalars(numpy_to_vtk(inside.ravel(), deep=True))
    contour = vtk.vtkFlyingEdges2D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.5)
    contour.Update()
    return contour.GetOutput()


def _cut(vertices: np.ndarray, faces: np.ndarray, sheet: Sheet, colour: Colour, opacity: float) -> list[Layer]:
    """Where the sheet cuts a closed surface: its area, tinted, and its edge."""
    segments = _segments(vertices, faces, sheet)
    if not len(segments):
        return []
    lines = vtk.vtkPolyData()
    points = vtk.vtkPoints()
    flat = np.concatenate([segments.reshape(-1, 2), np.full((2 * len(segments), 1), 0.5)], axis=1)
    points.SetData(numpy_to_vtk(np.ascontiguousarray(flat), deep=True))
    lines.SetPoints(points)
    cells = vtk.vtkCellArray()
    for i in range(len(segments)):
        cells.InsertNextCell(2)
        cells.InsertCellPoint(2 * i)
        cells.InsertCellPoint(2 * i + 1)
    lines.SetLines(cells)
    joined = vtk.vtkCleanPolyData()
    joined.SetInputData(lines)
    joined.SetAbsoluteTolerance(1e-6)
    joined.ToleranceIsAbsoluteOn()
    area = vtk.vtkContourTriangulator()
    area.SetInputConnection(joined.GetOutputPort())
    area.TriangulationErrorDisplayOff()
    area.Update()
    # In one piece: where short lines meet end to end, thick ones leave gaps.
    strips = vtk.vtkStripper()
    strips.SetInputConnection(joined.GetOutputPort())
    strips.SetMaximumLength(len(segments) + 1)
    strips.JoinContiguousSegmentsOn()
    strips.Update()
    return [
        Layer(area.GetOutput(), colour, opacity, shine=None),
        Layer(strips.GetOutput(), colour, shine=None, line_px=2.6),
    ]


def _segments(vertices: np.ndarray, faces: np.ndarray, sheet: Sheet) -> np.ndarray:
    """(m, 2, 2) picture coordinates of the edges along which the sheet cuts the faces."""
    off = sheet.behind(vertices)
    off = np.where(np.abs(off) < 1e-9, 1e-9, off)
    side = off[faces] > 0.0
    faces = faces[side.any(axis=1) & ~side.all(axis=1)]
    side = off[faces] > 0.0
    # The corner that lies alone on its side; the cut runs across the two edges that leave it.
    alone = np.where(side.sum(axis=1) == 1, side.argmax(axis=1), (~side).argmax(axis=1))
    rows = np.arange(len(faces))
    ends = []
    for turn in (1, 2):
        # The two neighbours in ascending vertex number, so that both faces of an edge give the same point.
        a, b = faces[rows, alone], faces[rows, (alone + turn) % 3]
        a, b = np.minimum(a, b), np.maximum(a, b)
        share = (off[a] / (off[a] - off[b]))[:, None]
        ends.append(sheet.flat(vertices[a] + share * (vertices[b] - vertices[a])))
    return np.stack(ends, axis=1) if len(faces) else np.empty((0, 2, 2))


def _names(named: dict[str, Colour], ends: tuple[str, str]) -> tuple[tuple[Label, ...], tuple[Swatch, ...]]:
    """The legend over the picture's upper left, and the patient's sides."""
    rows = [("implant", TITANIUM), *named.items()]
    heights = [0.975 - 0.021 * i for i in range(len(rows))]
    labels = tuple(Label(name, 0.055, y, 18, _WHITE) for (name, _), y in zip(rows, heights))
    swatches = tuple(Swatch(0.02, y - 0.005, 0.022, 0.010, colour) for (_, colour), y in zip(rows, heights))
    sides = tuple(Label(t, x, 0.5, 30, _WHITE, a, True) for t, x, a in zip(ends, (0.02, 0.98), ("left", "right")))
    return labels + sides, swatches


def _levels(implant: Implant, sheet: Sheet, camera: Camera) -> tuple[Label, ...]:
    """The docking levels' names, inside their bodies."""
    labels = []
    for plate in (implant.situation.upper, implant.situation.lower):
        flat = sheet.flat((plate.centre - 9.0 * plate.normal - 4.0 * plate.anterior)[None])[0]
        x, y = camera.seen(np.array([*flat, 0.0]), _SIZE)[0]
        labels.append(Label(plate.level, float(x), float(y), 24, (1.0, 0.92, 0.55), "centre", True))
    return tuple(labels)
