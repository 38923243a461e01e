"""The implant's solid as one field: strut, feet, flanges and bosses, blended, and kept off the bone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.combine import smooth_maximum, smooth_union
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.mesh.boolean import largest_component, simplified
from LatticeGeneratorLib.mesh.mesh import Mesh

from ..plan.curve import AxisCurve
from .bone import bone_distance, bone_near
from .design import Situation
from .end import EndShape, bone_in_the_way, boss_field, flange_field, foot_field, loft_rise
from .thin import without_fins

# Sampling of the solid, mm: on the tightest default radius (0.5 mm edges) a linear iso-surface departs by
# step² / (8 r) = 0.016 mm, within the 0.02 mm chord error that clinical-facts sets for an implant STL.
STEP_MM = 0.25
# The mesh may leave the iso-surface by this much when flat regions are thinned out, mm (half the chord error above).
SIMPLIFY_MM = 0.008
# Blend radii, mm: flange and boss into their surroundings.
FLANGE_BLEND_MM = 1.5
BOSS_BLEND_MM = 1.0
# Edges where a foot or flange leaves the bone are rounded with this radius, mm (sharp edges cannot be polished).
CONTACT_EDGE_MM = 0.4
# The strut's field is continued this far into a foot so that the loft has something to turn into.
CONTINUED_MM = 30.0
_BLOCK = 8


@dataclass(frozen=True, eq=False)
class SolidShape:
    """Everything the solid of one implant is made from."""

    situation: Situation
    axis: AxisCurve
    ends: tuple[EndShape, EndShape]

    @property
    def fit_gap_mm(self) -> float:
        """The gap to bone away from the feet."""
        return max(end.foot.fit_gap_mm for end in self.ends)


def end_material(end: EndShape, axis: AxisCurve, points: np.ndarray) -> np.ndarray:
    """The end's blended material, strut included, before any bone is cut away; points (n, 3) RAS within reach."""
    local = end.endplate.to_local(points)
    strut = axis.field(points)
    foot = foot_field(end, local, axis.field(points, CONTINUED_MM))
    # Where the loft has become the strut the two coincide, and a fillet between them would only be a ledge.
    values = smooth_union(strut, foot, end.foot.blend_mm * (1.0 - loft_rise(end, local)))
    if end.flange is not None:
        values = smooth_union(values, flange_field(end, end.flange, local), FLANGE_BLEND_MM)
    for screw in end.screws:
        values = smooth_union(values, boss_field(screw, points, end.under_head_mm), BOSS_BLEND_MM)
    return values


def end_rest(end: EndShape, axis: AxisCurve, points: np.ndarray) -> np.ndarray:
    """The end as if the docking vertebra were absent: material less all other bone."""
    others = end.others.at_local(end.endplate.to_local(points))
    return np.maximum(end_material(end, axis, points), end.foot.fit_gap_mm - others)


def solid_field(shape: SolidShape, points: np.ndarray) -> np.ndarray:
    """The solid implant at points (n, 3) RAS: mm, negative inside."""
    values = shape.axis.field(points)
    for end in shape.ends:
        local = end.endplate.to_local(points)
        near = end.docking.covers(local)
        if near.any():
            material = end_material(end, shape.axis, points[near])
            bone = end.foot.fit_gap_mm - bone_in_the_way(end, local[near])
            values[near] = smooth_maximum(material, bone, CONTACT_EDGE_MM)
    return _off_all_bone(shape, points, values)


def _off_all_bone(shape: SolidShape, points: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Material kept at the fit gap from every bone, ribs and remnants included."""
    inside = values < 1.0
    if inside.any():
        bones = bone_near(shape.situation.case, points[inside].min(axis=0), points[inside].max(axis=0))
        distance = bone_distance(bones, points[inside], shape.fit_gap_mm + 2.0)
        values[inside] = np.maximum(values[inside], shape.fit_gap_mm - distance)
    return values


def solid_mesh(shape: SolidShape) -> tuple[Mesh, int]:
    """The solid implant as one closed mesh, and how many loose pieces were cut off by bone and dropped.

    Raises GeometryError when bone cuts the implant in two.
    """
    grid = _grid_around(shape)
    flat = np.ones(int(np.prod(grid.shape)), dtype=np.float32)
    cells, points = _active_points(shape, grid)
    flat[cells] = solid_field(shape, points)
    values = flat.reshape(grid.array_shape)
    for end in shape.ends:
        block = _block_of(end, grid)
        values[block] = without_fins(values[block], STEP_MM)
    mesh, dropped = largest_component(isosurface(values, grid))
    _check_whole(shape, mesh)
    return simplified(mesh, SIMPLIFY_MM), dropped


def _grid_around(shape: SolidShape) -> Grid:
    """The grid over the strut and the blocks in which the ends are shaped."""
    points = np.vstack([shape.axis.points, *(_corners(end) for end in shape.ends)])
    return Grid.around(points.min(axis=0), points.max(axis=0), STEP_MM)


def _corners(end: EndShape) -> np.ndarray:
    """(8, 3) RAS corners of the block in which an end is shaped."""
    sides = np.stack([end.docking.low, end.docking.high])
    return end.endplate.to_ras(
        np.array([[sides[a, 0], sides[b, 1], sides[c, 2]] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    )


def _block_of(end: EndShape, grid: Grid) -> tuple[slice, slice, slice]:
    """The part of arrays [k, j, i] on the grid that holds an end."""
    index = grid.indices(_corners(end))
    low, high = np.floor(index.min(axis=0)).astype(int), np.ceil(index.max(axis=0)).astype(int) + 1
    i, j, k = (slice(max(int(a), 0), int(b)) for a, b in zip(low, high))
    return k, j, i


def _active_points(shape: SolidShape, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Flat cell numbers and positions of the grid points in blocks near the strut or an end's material."""
    size = np.array(grid.shape)
    axes = grid.axes()
    starts = [np.arange(0, n, _BLOCK) for n in size]
    middles = [axis[np.minimum(start + _BLOCK // 2, len(axis) - 1)] for axis, start in zip(axes, starts)]
    centres = np.stack(np.meshgrid(*middles, indexing="ij"), axis=-1)
    flat = centres.reshape(-1, 3)
    radius = STEP_MM * _BLOCK * np.sqrt(3.0) / 2.0 + 1.0
    active = shape.axis.field(flat) < radius
    for end in shape.ends:
        near = end.docking.covers(end.endplate.to_local(flat))
        if near.any():
            # A loft's field may rise faster than distance; half as much again keeps every block that holds material.
            active[near] |= end_material(end, shape.axis, flat[near]) < 1.5 * radius
    first = np.argwhere(active.reshape(centres.shape[:3])) * _BLOCK
    offsets = np.stack(np.meshgrid(*[np.arange(_BLOCK)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    index = (first[:, None, :] + offsets).reshape(-1, 3)
    index = index[np.all(index < size, axis=1)]
    cells = (index[:, 2] * size[1] + index[:, 1]) * size[0] + index[:, 0]
    return cells, np.column_stack([axis[i] for axis, i in zip(axes, index.T)])


def _check_whole(shape: SolidShape, mesh: Mesh) -> None:
    """Raise when a foot has been cut off the strut: the largest piece must reach both endplates."""
    for end in shape.ends:
        local = end.endplate.to_local(mesh.vertices)
        inside = end.footprint.distance(local[:, :2]) < 0.0
        if not np.any(inside & (np.abs(local[:, 2]) < end.base_mm)):
            plate = end.endplate
            raise GeometryError(
                f"bone cuts the {end.end} foot at {plate.level} {plate.face} off the strut; move the axis, change the "
                "approach side, or plan a resection"
            )
