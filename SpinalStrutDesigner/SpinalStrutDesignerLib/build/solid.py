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
from .blocks import block_points, blocks_holding
from .bone import bone_distance, bone_near
from .design import Situation
from .end import EndShape, bone_in_the_way, boss_field, flange_field, foot_field, loft_rise, within_boss
from .neighbour import BEYOND_FOOT_MM, disc_space_mm
from .thin import without_fins
from .tongue import disc_room, refuse

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
# An end keeps its own fit gap in the block it is shaped in; over this much inside the block's border it turns into the
# strut's, so that no step is left where the strut runs along bone, mm.
OWN_GAP_MM = 2.0
# Blocks of grid points in which it is tried whether they may hold material, coarse ones first.
BLOCKS = (8, 4)
# A surface passes between points nearer to it than the diagonal of a cell (0.43 mm).
SHELL_MM = 0.5
# A loft's field may rise faster than distance, as much faster as this.
STEEPEST = 2.2


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


def end_material(
    end: EndShape, points: np.ndarray, local: np.ndarray, strut: np.ndarray, continued: np.ndarray
) -> np.ndarray:
    """The end's blended material, strut included, before any bone is cut away.

    points, local: (n, 3) the same places within reach in RAS and in the plate's frame; strut, continued: (n,) the
    strut's field there, and the same with the strut continued into the foot.
    """
    foot = foot_field(end, local, continued)
    # Where the loft has become the strut the two coincide, and a fillet between them would only be a ledge.
    values = smooth_union(strut, foot, end.foot.blend_mm * (1.0 - loft_rise(end, local)))
    if end.flange is not None:
        values = smooth_union(values, flange_field(end, end.flange, local), FLANGE_BLEND_MM)
    for screw in end.screws:
        near = np.flatnonzero(within_boss(screw, points, end.under_head_mm, BOSS_BLEND_MM))
        boss = boss_field(screw, points[near], end.under_head_mm)
        values[near] = smooth_union(values[near], boss, BOSS_BLEND_MM)
    return values


def end_rest(end: EndShape, axis: AxisCurve, points: np.ndarray, local: np.ndarray) -> np.ndarray:
    """The end as if the docking vertebra were absent: material less all other bone. points, local: as above."""
    material = end_material(end, points, local, *axis.fields(points, (0.0, CONTINUED_MM)))
    return np.maximum(material, end.foot.fit_gap_mm - end.others.at_local(local))


def solid_field(shape: SolidShape, points: np.ndarray) -> np.ndarray:
    """The solid implant at points (n, 3) RAS: mm, negative inside."""
    values, continued = shape.axis.fields(points, (0.0, CONTINUED_MM))
    gap = np.full(len(points), shape.fit_gap_mm)
    for end in shape.ends:
        near, local = end.docking.covered(points)
        if len(near):
            within = np.minimum(local - end.docking.low, end.docking.high - local).min(axis=1)
            own = np.clip(within / OWN_GAP_MM, 0.0, 1.0)
            gap[near] = own * end.foot.fit_gap_mm + (1.0 - own) * shape.fit_gap_mm
            material = end_material(end, points[near], local, values[near], continued[near])
            bone = end.foot.fit_gap_mm - bone_in_the_way(end, local)
            values[near] = smooth_maximum(material, bone, CONTACT_EDGE_MM)
    return _off_all_bone(shape, points, values, gap)


def _off_all_bone(shape: SolidShape, points: np.ndarray, values: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Material kept at a gap (n,) mm from every bone, ribs and remnants included."""
    inside = np.flatnonzero(values < 1.0)
    if len(inside):
        places = points[inside]
        bones = bone_near(shape.situation.case, places.min(axis=0), places.max(axis=0))
        distance = bone_distance(bones, places, shape.fit_gap_mm + 2.0)
        values[inside] = np.maximum(values[inside], gap[inside] - distance)
    return values


def solid_mesh(shape: SolidShape) -> tuple[Mesh, int]:
    """The solid implant as one closed mesh, and how many loose pieces were cut off by bone and dropped.

    Raises GeometryError when a foot has no room in its disc space, or bone cuts the implant in two.
    """
    for end in shape.ends:
        _check_room(shape.situation, end)
    grid = _grid_around(shape)
    flat = np.ones(int(np.prod(grid.shape)), dtype=np.float32)
    cells, points = block_points(grid, _active_blocks(shape, grid), BLOCKS[-1])
    flat[cells] = solid_field(shape, points)
    values = flat.reshape(grid.array_shape)
    for end in shape.ends:
        block = _block_of(end, grid)
        values[block] = without_fins(values[block], STEP_MM)
    mesh, dropped = largest_component(isosurface(values, grid))
    _check_whole(shape, mesh)
    return simplified(mesh, SIMPLIFY_MM), dropped


def _grid_around(shape: SolidShape) -> Grid:
    """The grid over the strut, as wide as its section reaches, and the blocks in which the ends are shaped."""
    axis = shape.axis
    reach = 0.5 * float(np.hypot(axis.widths.max(), axis.depths.max()))
    corners = (end.docking.corners for end in shape.ends)
    points = np.vstack([axis.points - reach, axis.points + reach, *corners])
    return Grid.around(points.min(axis=0), points.max(axis=0), STEP_MM)


def _block_of(end: EndShape, grid: Grid) -> tuple[slice, slice, slice]:
    """The part of arrays [k, j, i] on the grid that holds an end."""
    index = grid.indices(end.docking.corners)
    low, high = np.floor(index.min(axis=0)).astype(int), np.ceil(index.max(axis=0)).astype(int) + 1
    i, j, k = (slice(max(int(a), 0), int(b)) for a, b in zip(low, high))
    return k, j, i


def _active_blocks(shape: SolidShape, grid: Grid) -> np.ndarray:
    """(n, 3) first (i, j, k) of the smallest blocks of grid points that may hold some of the strut or of an end."""

    def may_hold(centres: np.ndarray, radius: float) -> np.ndarray:
        strut, continued = shape.axis.fields(centres, (0.0, CONTINUED_MM))
        found = strut < radius + SHELL_MM
        for end in shape.ends:
            near, local = end.docking.covered(centres, radius)
            if len(near):
                material = end_material(end, centres[near], local, strut[near], continued[near])
                found[near] |= material < STEEPEST * radius + SHELL_MM
        return found

    return blocks_holding(grid, BLOCKS, may_hold)


def _check_room(situation: Situation, end: EndShape) -> None:
    """Raise where a standing neighbour leaves no height for the least tongue, before anything is made."""
    plate, foot = end.endplate, end.foot
    between = disc_space_mm(situation.case, plate, foot.height_mm + BEYOND_FOOT_MM)
    if between is not None:
        space = disc_room(situation.case, plate, between, end.footprint.edge(), end.base_mm)
        refuse(space, foot.fit_gap_mm, foot.approach)


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
