"""What a strut may use, found again from the label maps alone: surfaces, distances and ways by other means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import vtk
from scipy import ndimage
from scipy.spatial import cKDTree
from SpinalStrutDesignerLib.case.model import Case, Structure
from SpinalStrutDesignerLib.plan.curve import AxisCurve
from SpinalStrutDesignerLib.plan.plan import Plan, Section
from SpinalStrutDesignerLib.plan.rules import rule_for
from SpinalStrutDesignerLib.plan.section import section_polygon
from SpinalStrutDesignerLib.propose.nodes import REACH_MM, Frame
from SpinalStrutDesignerLib.propose.path import EndRegion
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

# Voxels are made about cubic, then blurred by this deviation: the stairs go, and a vessel of 3 mm radius loses 0.08 mm.
_CUBE_MM, _BLUR_MM = 0.7, 0.7
_FAR_MM, _DEEP_MM = 12.0, 2.0  # slack is told from deep inside to far outside
_BEYOND_MM = 15.0  # past the docking endplates
# What the program adds to the displacements that it plans with, so that its own check of a shift as a whole passes; and
# how far it stays from what must not be touched at all.
_SHIFT_MM, _APART_MM = 0.7, 0.5
_CLOSE_MM = 0.02
_SCAN_MM, WIDEST_MM = 0.1, 40.0
# Where the nodes tell a size, sizes so much smaller and larger are looked at on the surfaces, at so many places of the
# section's edge: between nodes, what bone closes behind it ends anywhere.
_UNSURE_MM, _COARSE_MM, _EDGE = 1.6, 0.4, 32
_ACROSS_MM = 1.5  # an axis may end this far from its plane


@dataclass(frozen=True, eq=False)
class Surface:
    """A structure's smooth surface. tree: of points on it, RAS; shares: (k, j, i) blurred voxels; ras_to_ijk: theirs;
    need_mm: the least signed distance that a strut keeps."""

    name: str
    need_mm: float
    closes_what_is_behind: bool
    tree: cKDTree
    shares: np.ndarray
    ras_to_ijk: np.ndarray

    def slack(self, points: np.ndarray) -> np.ndarray:
        """(n,) mm left over at points (n, 3) RAS, at most _FAR_MM."""
        kji = (points @ self.ras_to_ijk[:3, :3].T + self.ras_to_ijk[:3, 3])[:, ::-1]
        inside = ndimage.map_coordinates(self.shares, kji.T, order=1, mode="constant") >= 0.5
        away = np.empty(len(points))
        for side, sign, reach in ((~inside, 1.0, _FAR_MM), (inside, -1.0, _DEEP_MM)):
            away[side] = (
                sign * self.tree.query(points[side], distance_upper_bound=max(sign * self.need_mm, 0.0) + reach)[0]
            )
        return np.clip(away - self.need_mm, -_DEEP_MM, _FAR_MM)

    def at_least(self, points: np.ndarray) -> np.ndarray:
        """(n,) mm that the slack cannot be less than, from the box about the structure; -inf in it."""
        outside = np.linalg.norm(np.maximum(np.maximum(self.tree.mins - points, points - self.tree.maxes), 0.0), axis=1)
        return np.where(outside > 0.0, outside - self.need_mm, -np.inf)


@dataclass(frozen=True, eq=False)
class Space:
    """Slack in mm after every rule, float32, on nodes of corridor coordinates [down, anterior, right].

    start: (3,) the first node's right, anterior, down; shapes: what leaves it.
    """

    frame: Frame
    start: np.ndarray
    step_mm: float
    slack: np.ndarray
    shapes: tuple[Surface, ...]

    def along(self, points: np.ndarray) -> np.ndarray:
        """(n,) slack at points (n, 3) RAS from the surfaces themselves."""
        front = np.arange(0.0, 2.0 * REACH_MM, self.step_mm)
        marched = (points[:, None] + front[:, None] * self.frame.axes[1]).reshape(-1, 3)
        least = np.full(len(points), _FAR_MM)
        for shape in self.shapes:
            asked = marched if shape.closes_what_is_behind else points
            if (shape.at_least(asked).reshape(len(points), -1).min(axis=1) > least).all():
                continue
            left = shape.slack(asked)
            least = np.minimum(least, left.reshape(len(points), -1).min(axis=1))
        return least

    def at(self, points: np.ndarray) -> np.ndarray:
        """Trilinear slack at points (..., 3) RAS."""
        local = self.frame.to_corridor(points.reshape(-1, 3))
        index = ((local - self.start) / self.step_mm)[:, ::-1]
        return ndimage.map_coordinates(self.slack, index.T, order=1, mode="nearest").reshape(points.shape[:-1])


def surfaces(labels: Path, case: Case, plan: Plan) -> list[Surface]:
    """Every structure of a case for which there is a rule, from the file of its labels."""
    image = sitk.DICOMOrient(sitk.ReadImage(str(labels)), "LPS")
    voxels = sitk.GetArrayFromImage(image)
    ijk_to_ras = np.eye(4)
    ijk_to_ras[:3, :3] = np.diag([-1.0, -1.0, 1.0]) @ np.diag(image.GetSpacing())
    ijk_to_ras[:3, 3] = np.array(image.GetOrigin()) * [-1.0, -1.0, 1.0]
    assert np.allclose(np.reshape(image.GetDirection(), (3, 3)), np.eye(3)), "only upright images are read here"
    boxes = ndimage.find_objects(voxels)
    found = []
    for structure in case.structures:
        need = _need_mm(plan, structure)
        if need is not None and structure.value is not None and boxes[structure.value - 1] is not None:
            box = boxes[structure.value - 1]
            found.append(_surface(structure, need, voxels[box] == structure.value, _moved(ijk_to_ras, box)))
    return found


def space(frame: Frame, shapes: list[Surface], step_mm: float) -> Space:
    """The slack on a grid about the column line."""
    length = float(frame.line[-1, 2])
    side, down = np.arange(-REACH_MM, REACH_MM, step_mm), np.arange(-_BEYOND_MM, length + _BEYOND_MM, step_mm)
    shape = (len(down), len(side), len(side))
    local = np.stack(np.meshgrid(down, side, side, indexing="ij")[::-1], axis=-1).reshape(-1, 3)
    points = frame.to_ras(local)
    slack = np.full(len(points), _FAR_MM, dtype=np.float32)
    bones = [one for one in shapes if one.closes_what_is_behind]
    others = sorted((one for one in shapes if not one.closes_what_is_behind), key=lambda one: -one.need_mm)
    for number, surface in enumerate([*bones, *others]):
        if number == len(bones):
            _close_behind(slack.reshape(shape))
        # Only where it is nearer than what has been met, and nothing has been entered deeply.
        near = np.flatnonzero((slack > -_DEEP_MM) & (surface.at_least(points) < slack))
        slack[near] = np.minimum(slack[near], surface.slack(points[near]))
    start = np.array([-REACH_MM, -REACH_MM, -_BEYOND_MM])
    return Space(frame, start, step_mm, slack.reshape(shape), tuple(shapes))


def _close_behind(slack: np.ndarray) -> None:
    """From the front backwards: what has once been met stays in the way. slack: (down, anterior, right), changed."""
    for row in range(slack.shape[1] - 2, -1, -1):
        slack[:, row] = np.minimum(slack[:, row], slack[:, row + 1])


def widest_mm(room: Space, upper: EndRegion, lower: EndRegion) -> float:
    """The diameter of the largest ball that passes over the nodes from one end to the other, on any way: no strut, bent
    however sharply, can be wider."""
    down, anterior, right = (room.start[k] + room.step_mm * np.arange(n) for k, n in zip((2, 1, 0), room.slack.shape))
    local = np.stack(np.meshgrid(down, anterior, right, indexing="ij")[::-1], axis=-1).reshape(-1, 3)
    points = room.frame.to_ras(local)
    ends = []
    for end in (upper, lower):
        x, y, z = end.plate.to_local(points).T
        at = (abs(z - end.out_mm) <= _ACROSS_MM) & (np.hypot(x, y) <= end.reach_mm) & (y >= -2.0)
        ends.append(at.reshape(room.slack.shape))
    low, high = 0.0, _FAR_MM
    while high - low > _CLOSE_MM:
        middle = 0.5 * (low + high)
        parts, _ = ndimage.label(room.slack >= middle, structure=np.ones((3, 3, 3)))
        shared = set(np.unique(parts[ends[0]])) & set(np.unique(parts[ends[1]])) - {0}
        low, high = (middle, high) if shared else (low, middle)
    return 2.0 * low


def free_sizes(room: Space, curve: AxisCurve, section: Section) -> tuple[np.ndarray, np.ndarray]:
    """(n,) widths and depths that are free at the curve's samples: no blocked point of a fine raster across the axis
    lies in the section, the other size as it is there. For ellipses and rounded rectangles."""
    ticks = np.arange(-0.5 * WIDEST_MM, 0.5 * WIDEST_MM + 1e-6, _SCAN_MM)
    u, v = (grid.ravel() for grid in np.meshgrid(ticks, ticks))
    wide, deep = [], []
    for i in range(len(curve.arc)):
        blocked = room.at(curve.points[i] + u[:, None] * curve.rights[i] + v[:, None] * curve.backs[i]) < 0.0
        x, y = np.abs(u[blocked]), np.abs(v[blocked])
        width, depth = float(curve.widths[i]), float(curve.depths[i])
        about = _met_at(section, x, y, 0.5 * depth), _met_at(section, y, x, 0.5 * width)
        wide.append(_on_surfaces(room, curve, i, about[0], lambda size, other=depth: (size, other)))
        deep.append(_on_surfaces(room, curve, i, about[1], lambda size, other=width: (other, size)))
    return np.array(wide), np.array(deep)


def _on_surfaces(
    room: Space, curve: AxisCurve, at: int, about: float, sized: Callable[[float], tuple[float, float]]
) -> float:
    """The size at which the section at a sample first meets something, near what the nodes tell."""
    least = _SCAN_MM if curve.section.shape == "ellipse" else 2.0 * curve.section.corner_radius_mm
    low, high = max(about - _UNSURE_MM, least), min(about + _UNSURE_MM, WIDEST_MM)
    for step in (_COARSE_MM, _SCAN_MM):
        sizes = np.arange(low, high + 0.5 * step, step)
        if not len(sizes):
            return about
        flat = np.stack([section_polygon(curve.section, *sized(float(size)), _EDGE) for size in sizes])
        points = curve.points[at] + flat[..., :1] * curve.rights[at] + flat[..., 1:] * curve.backs[at]
        met = (room.along(points.reshape(-1, 3)).reshape(len(sizes), _EDGE) < 0.0).any(axis=1)
        if not met.any():
            return WIDEST_MM if high >= WIDEST_MM else high
        first = int(np.argmax(met))
        low, high = float(sizes[max(first - 1, 0)]), float(sizes[first])
    return high


def _met_at(section: Section, along: np.ndarray, across: np.ndarray, half: float) -> float:
    """The size at which a growing section first holds one of the points, the other half size fixed; or WIDEST_MM."""
    if section.shape == "ellipse":
        beside = across < half
        size = 2.0 * along[beside] / np.sqrt(1.0 - (across[beside] / half) ** 2)
    else:
        beside = across <= half
        into = np.maximum(across[beside] - (half - section.corner_radius_mm), 0.0)
        size = 2.0 * (along[beside] + section.corner_radius_mm - np.sqrt(section.corner_radius_mm**2 - into**2))
    return min(float(size.min(initial=WIDEST_MM)), WIDEST_MM)


def _need_mm(plan: Plan, structure: Structure) -> float | None:
    if structure.role == "bone":
        return plan.upper_foot.fit_gap_mm
    rule = rule_for(plan, "metal" if structure.role == "metal" else structure.name)
    if rule is None:
        return None
    budget = plan.budget.segmentation_to_print_mm
    if rule.kind == "clearance":
        return max(rule.limit_mm, rule.warn_mm) + budget
    air = "trachea" in structure.name or "airway" in structure.name
    return _APART_MM if air else budget + _SHIFT_MM - min(rule.limit_mm, rule.warn_mm)


def _surface(structure: Structure, need: float, voxels: np.ndarray, ijk_to_ras: np.ndarray) -> Surface:
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    shares = np.pad(voxels.astype(np.float32), 3)
    matrix = ijk_to_ras.copy()
    matrix[:3, 3] -= matrix[:3, :3] @ np.full(3, 3.0)
    parts = np.maximum(np.round(spacing[::-1] / _CUBE_MM), 1).astype(int)
    if (parts > 1).any():
        fine = [np.arange(0.0, n - 1 + 1e-9, 1.0 / p) for n, p in zip(shares.shape, parts)]
        shares = ndimage.map_coordinates(shares, np.meshgrid(*fine, indexing="ij"), order=1)
        matrix[:3, :3] = matrix[:3, :3] / parts[::-1]
    inside = shares >= 0.5
    shares = ndimage.gaussian_filter(shares, _BLUR_MM / np.linalg.norm(matrix[:3, :3], axis=0)[::-1])
    # No voxel changes sides, or small remnants would vanish.
    shares = np.where(inside, np.maximum(shares, 0.55), np.minimum(shares, 0.45))
    points = _iso_points(shares) @ matrix[:3, :3].T + matrix[:3, 3]
    closes = structure.role == "bone" and structure.of_column
    return Surface(structure.name, need, closes, cKDTree(points), shares, np.linalg.inv(matrix))


def _iso_points(shares: np.ndarray) -> np.ndarray:
    """(n, 3) continuous voxel coordinates (i, j, k) of the surface where half is reached."""
    image = vtk.vtkImageData()
    image.SetDimensions(*shares.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(shares.ravel(), deep=True))
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.5)
    contour.Update()
    return vtk_to_numpy(contour.GetOutput().GetPoints().GetData()).astype(float)


def _moved(ijk_to_ras: np.ndarray, box: tuple[slice, ...]) -> np.ndarray:
    """The matrix of a block of the image."""
    matrix = ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, :3] @ np.array([part.start for part in box[::-1]], dtype=float)
    return matrix
