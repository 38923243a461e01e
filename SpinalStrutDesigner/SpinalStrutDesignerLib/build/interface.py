"""The porous interface of a foot: its region, the lattice in it, and the way both join the solid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.infill.fill import fill_field
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.boolean import simplified
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.progress import Progress, silent

from ..case.model import Endplate
from ..plan.curve import AxisCurve
from ..plan.plan import InterfacePlan
from .end import DOME_MM, EndShape, layer_sides
from .solid import end_rest

# Sampling of the region and its lattice, mm: a third of the 0.30 mm strut of the default cell, within the
# wall / 1.5 that the measured porosity error allows.
STEP_MM = 0.1
# The lattice reaches this far into the solid around it, so that both become one body.
OVERLAP_MM = 0.15
# In a thin layer the solid behind it cuts pores short: measured on finished layers of 1.08 and 1.45 mm for 550 µm,
# the mean pore fell short by 52 and 34 µm, that is by 0.05 mm² over the depth. The cells are made larger by as much.
SHORTFALL_MM2 = 0.05
# The region is thinned out to this deviation, mm: a tenth of the sampling.
SIMPLIFY_MM = 0.01
# How far around the layer its limits are evaluated, mm: beyond the overlap and the two voxels a lattice's fill
# looks at.
AROUND_MM = 0.6
# Where the layer is thinner than this it holds no whole pore (550 µm) and stays solid.
THINNEST_MM = 0.6


@dataclass(frozen=True, eq=False)
class PorousLayer:
    """A foot's porous layer as made. domain: trimmed closed region; cutter: domain and the gap in front of it."""

    domain: Mesh
    cutter: Mesh
    lattice: Mesh
    spec: LatticeSpec
    depth_mm: float


def porous_layer(
    end: EndShape, axis: AxisCurve, interface: InterfacePlan, progress: Progress = silent
) -> PorousLayer | None:
    """Makes the porous layer of one foot, or None where the foot is too thin to keep solid metal behind it.

    The layer lies under the contact face, inside a solid frame, with at least minimum_solid_mm of metal between it and
    any other bone the foot meets.
    """
    grid, held, local, inside = _layer_points(end, interface)
    points = end.endplate.to_ras(local)
    sides = layer_sides(end, points, end_rest(end, axis, points, local), inside, interface.frame_mm)
    gap, distance = end.foot.fit_gap_mm, end.docking.at_local(local)
    depth = distance - gap - interface.depth_mm
    behind = np.maximum(gap + interface.minimum_solid_mm - end.others.at_local(local), depth)
    kept, contact = np.maximum(sides, behind), gap - distance

    def on_grid(values: np.ndarray) -> np.ndarray:
        # Away from the layer only the sign matters, and the solid need not be evaluated there.
        block = np.full(grid.array_shape, AROUND_MM)
        block.reshape(-1)[held] = values
        return block

    region = on_grid(np.maximum(kept, contact))
    if -region.min() * 2.0 < THINNEST_MM:
        return None
    joined = on_grid(np.maximum(kept - OVERLAP_MM, contact))
    # The cutter also clears the fit gap in front, so that no film of solid stays before the lattice.
    cutter = on_grid(kept)
    depth_mm = float((region < 0.0).sum() * STEP_MM / (region < 0.0).any(axis=0).sum())
    spec = LatticeSpec(interface.cell, interface.porosity, interface.pore_um / 1000.0 + SHORTFALL_MM2 / depth_mm)
    # Only lattice that meets the solid around the region is held; that solid is what the region was grown into.
    anchor = np.where((joined < 0.0) & (region > 0.25 * OVERLAP_MM), -1.0, 1.0)
    lattice = fill_field(joined, grid, spec, anchor_values=anchor, progress=progress)
    matrix = plate_matrix(end.endplate)
    return PorousLayer(
        domain=simplified(isosurface(region, grid), SIMPLIFY_MM).transformed(matrix),
        cutter=simplified(isosurface(cutter, grid), SIMPLIFY_MM).transformed(matrix),
        lattice=lattice.mesh.transformed(matrix),
        spec=spec,
        depth_mm=depth_mm,
    )


def plate_matrix(endplate: Endplate) -> np.ndarray:
    """4x4 from a right-handed frame (across, anterior, out) on the plate to RAS."""
    matrix = np.eye(4)
    matrix[:3, 0] = np.cross(endplate.anterior, endplate.normal)
    matrix[:3, 1] = endplate.anterior
    matrix[:3, 2] = endplate.normal
    matrix[:3, 3] = endplate.centre
    return matrix


def _layer_points(end: EndShape, interface: InterfacePlan) -> tuple[Grid, np.ndarray, np.ndarray, np.ndarray]:
    """A fine grid in the plate's frame around the layer, and its points near the layer.

    Returns the grid, and of those points the places in a flat array on it (n,), where they are (n, 3) in (right,
    anterior, out), and the footprint's field there (n,).
    """
    low, high = end.footprint.points.min(axis=0), end.footprint.points.max(axis=0)
    reach = max(abs(low[0]), abs(high[0]))
    whole = Grid.around(np.array([-reach, low[1], -DOME_MM]), np.array([reach, high[1], end.base_mm + 2.0]), STEP_MM)
    across, anterior, out = whole.axes()
    right = across * np.sign(plate_matrix(end.endplate)[:3, 0] @ end.endplate.right)
    plane = np.stack(np.meshgrid(right, anterior), axis=-1).reshape(-1, 2)
    inside = end.footprint.distance(plane)
    columns = np.flatnonzero(inside < AROUND_MM)
    local = np.column_stack([np.tile(plane[columns], (len(out), 1)), np.repeat(out, len(columns))])
    half = 0.5 * interface.depth_mm
    off = np.abs(end.docking.at_local(local) - end.foot.fit_gap_mm - half) - half
    near = np.flatnonzero(off < AROUND_MM)
    k, column = np.divmod(near, len(columns))
    j, i = np.divmod(columns[column], len(across))
    index = np.stack([i, j, k])
    first = index.min(axis=1) - 1
    nx, ny, nz = index.max(axis=1) + 2 - first
    grid = Grid(whole.origin + STEP_MM * first, STEP_MM, (nx, ny, nz))
    i, j, k = index - first[:, None]
    return grid, (k * ny + j) * nx + i, local[near], inside[columns[column]]
