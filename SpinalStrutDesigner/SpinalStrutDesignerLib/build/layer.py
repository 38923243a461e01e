"""Where an end may be porous: under its contact face, or on the bone side of its flange, as fields on a fine grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.field.grid import Grid

from ..case.model import Endplate
from ..plan.curve import AxisCurve
from ..plan.plan import Flange, InterfacePlan
from .blocks import block_points, blocks_holding
from .bone import bone_distance
from .design import Face
from .end import DOME_MM, FLANGE_OVER_PLATE_MM, EndShape, along_and_away, flange_limits, foot_plug
from .solid import end_rest

# Sampling of the region and its lattice, mm: a third of the 0.30 mm strut of the default cell, within the
# wall / 1.5 that the measured porosity error allows.
STEP_MM = 0.1
# How far around the layer its limits are evaluated, mm: beyond the overlap and the two voxels a lattice's fill
# looks at.
AROUND_MM = 0.6
# Blocks of grid points in which it is tried whether the layer is near, coarse ones first.
_BLOCKS = (16, 4)
# A distance to bone, sampled and swept, may rise faster than distance, as much faster as this.
_STEEPEST = 1.5


@dataclass(frozen=True, eq=False)
class LayerSpace:
    """Where one surface of an end may be porous.

    face: what it rests on. frame: 4x4 from the grid to RAS. held: (n,) places, in a flat array on the grid, of the
    points near the surface; of each, in mm: off: (n,) how far it lies off the contact face, growing into the metal;
    kept: (n,) negative inside the solid frame and in front of the metal that stays solid.
    """

    face: Face
    frame: np.ndarray
    grid: Grid
    held: np.ndarray
    off: np.ndarray
    kept: np.ndarray

    def on_grid(self, values: np.ndarray) -> np.ndarray:
        """[k, j, i]: values (n,) of the held points, outside everywhere else."""
        block = np.full(self.grid.array_shape, AROUND_MM)
        block.reshape(-1)[self.held] = values
        return block


def under_foot(end: EndShape, axis: AxisCurve, interface: InterfacePlan) -> LayerSpace:
    """The foot's side of its contact face, inside a solid frame, with at least minimum_solid_mm of metal between it
    and any other bone the foot meets."""
    gap, frame_mm, solid = end.foot.fit_gap_mm, interface.frame_mm, interface.minimum_solid_mm
    frame = plate_matrix(end.endplate, end.endplate.anterior)
    low, high = end.footprint.points.min(axis=0), end.footprint.points.max(axis=0)
    reach = max(abs(low[0]), abs(high[0]))
    whole = Grid.around(np.array([-reach, low[1], -DOME_MM]), np.array([reach, high[1], end.base_mm + 2.0]), STEP_MM)

    def away(local: np.ndarray, reach_mm: float) -> np.ndarray:
        off = np.abs(end.docking.at_local(local) - gap - 0.5 * interface.depth_mm) - 0.5 * interface.depth_mm
        near = np.flatnonzero(off < reach_mm)
        off[near] = np.maximum(off[near], end.footprint.distance(local[near, :2]))
        return off

    grid, held, local = _points_near(end.endplate, frame, whole, away)
    inside = end.footprint.distance(local[:, :2])
    distance, others = end.docking.at_local(local), end.others.at_local(local)
    behind = np.maximum(gap + solid - others, distance - gap - interface.depth_mm)
    kept = np.maximum(behind, inside + frame_mm)
    kept = np.maximum(kept, _off_screws(end, end.endplate.to_ras(local), 0.0, frame_mm))
    # The foot's material is evaluated only where its own border may be what limits the layer: it reaches at least as
    # far as its plug.
    bound = np.maximum(foot_plug(end, inside, local[:, 2]), gap - others) + frame_mm
    some = np.flatnonzero((bound > kept) & (bound > -AROUND_MM) & (kept < AROUND_MM))
    rest = end_rest(end, axis, end.endplate.to_ras(local[some]), local[some])
    kept[some] = np.maximum(kept[some], rest + frame_mm)
    return LayerSpace("endplate", frame, grid, held, distance - gap, kept)


def on_flange(end: EndShape, flange: Flange, interface: InterfacePlan) -> LayerSpace:
    """The bone side of the flange below the endplate's rim, inside a solid frame.

    minimum_solid_mm of the flange stays solid behind it, and before any bone that the flange gives way to; what a screw
    head presses on stays solid throughout.
    """
    gap, frame_mm, solid = end.foot.fit_gap_mm, interface.frame_mm, interface.minimum_solid_mm
    depth = min(interface.depth_mm, flange.thickness_mm - solid)
    angle = np.deg2rad(flange.azimuth_deg)
    outward = np.sin(angle) * end.endplate.right + np.cos(angle) * end.endplate.anterior
    frame = plate_matrix(end.endplate, outward)
    front = end.footprint.extent(angle) - FLANGE_OVER_PLATE_MM
    half, high = 0.5 * flange.width_mm, end.docking.high[:2] @ np.abs([np.sin(angle), np.cos(angle)])
    whole = Grid.around(np.array([-half, front, -flange.height_mm]), np.array([half, high, -frame_mm]), STEP_MM)

    def away(local: np.ndarray, reach_mm: float) -> np.ndarray:
        off: np.ndarray = np.abs(end.docking.at_local(local) - gap - 0.5 * depth) - 0.5 * depth
        return off

    grid, held, local = _points_near(end.endplate, frame, whole, away)
    points = end.endplate.to_ras(local)
    window, inset = flange_limits(end, flange, local)
    sides = np.maximum(np.maximum(window, inset), local[:, 2]) + frame_mm
    sides = np.maximum(sides, _off_screws(end, points, 1.0, frame_mm))
    # The flange is as thick as planned off the bone itself; its face may lie farther off, where undercuts are removed.
    distance, plain = end.docking.at_local(local), end.docking_plain.at_local(local)
    standing = bone_distance(end.around, points, gap + solid + AROUND_MM)
    solid_behind = np.maximum(plain - gap - (flange.thickness_mm - solid), gap + solid - standing)
    kept = np.maximum(np.maximum(sides, solid_behind), distance - gap - depth)
    return LayerSpace("flange", frame, grid, held, distance - gap, kept)


def plate_matrix(endplate: Endplate, ahead: np.ndarray) -> np.ndarray:
    """4x4 from a right-handed frame (across, ahead, out) on the plate to RAS; ahead: (3,) unit, in the plate."""
    matrix = np.eye(4)
    matrix[:3, 0] = np.cross(ahead, endplate.normal)
    matrix[:3, 1] = ahead
    matrix[:3, 2] = endplate.normal
    matrix[:3, 3] = endplate.centre
    return matrix


def _off_screws(end: EndShape, points: np.ndarray, heads: float, frame_mm: float) -> np.ndarray:
    """(n,) negative away from every screw by frame_mm: from its hole, and from as much of its head as heads, 0 to 1."""
    values = np.full(len(points), -np.inf)
    for screw in end.screws:
        _, away = along_and_away(screw, points)
        radius = max(screw.type.clearance_hole_mm, heads * screw.type.head_diameter_mm) / 2.0
        values = np.maximum(values, radius + frame_mm - away)
    return values


def _points_near(
    plate: Endplate, frame: np.ndarray, whole: Grid, away: Callable[[np.ndarray, float], np.ndarray]
) -> tuple[Grid, np.ndarray, np.ndarray]:
    """The part of a grid that holds a layer and what is around it, the places of the points there in a flat array on
    that part (n,), and where they are (n, 3) in (right, anterior, out).

    frame: 4x4 from the grid to RAS; away: (m,) mm from places (m, 3) to the layer, right where less than a reach.
    """
    turn = frame[:3, :3].T @ np.stack([plate.right, plate.anterior, plate.normal], axis=1)

    def may_hold(centres: np.ndarray, radius: float) -> np.ndarray:
        reach = AROUND_MM + _STEEPEST * radius
        near: np.ndarray = away(centres @ turn, reach) < reach
        return near

    places, points = block_points(whole, blocks_holding(whole, _BLOCKS, may_hold), _BLOCKS[-1])
    local = points @ turn
    near = np.flatnonzero(away(local, AROUND_MM) < AROUND_MM)
    if not len(near):
        return whole, near, local[near]
    rows, i = np.divmod(places[near], whole.shape[0])
    k, j = np.divmod(rows, whole.shape[1])
    index = np.stack([i, j, k])
    first = index.min(axis=1) - 1
    nx, ny, nz = index.max(axis=1) + 2 - first
    i, j, k = index - first[:, None]
    return Grid(whole.origin + STEP_MM * first, STEP_MM, (nx, ny, nz)), (k * ny + j) * nx + i, local[near]
