"""The porous layers of a preview: the regions that `interface` fills with pores, as closed blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.mesh.mesh import Mesh

from ..plan.plan import Flange, InterfacePlan, Screw
from .bone import bone_distance
from .end import DOME_MM, EndShape, along_and_away, flange_limits
from .interface import SMALLEST_MM3, THINNEST_MM
from .preview_ground import STEP_MM, Lattice

# What lies farther than this outside a layer is not looked at, mm: no surface passes there.
_AROUND_MM = 1.5


@dataclass(frozen=True, eq=False)
class LayerGround:
    """Where one surface of an end may be porous, without strut and screws. All arrays: (n,).

    flat: numbers of the lattice's points; limit: mm, negative in the layer; other: mm, negative off the bone that the
    end gives way to, None where the end's material does not limit the layer; heads: how much of a screw's head stays
    solid, 0 to 1; frame_mm: of solid metal around it.
    """

    flat: np.ndarray
    limit: np.ndarray
    other: np.ndarray | None
    heads: float
    frame_mm: float


def layer_grounds(
    shape: EndShape, flat: np.ndarray, local: np.ndarray, interface: InterfacePlan
) -> tuple[LayerGround, ...]:
    """The places for a porous layer, the preferred one first, as `interface.porous_layer` tries them."""
    if interface.depth_mm <= 0.0:
        return ()
    places = [_under_foot(shape, flat, local, interface)]
    flange = shape.flange
    if flange is not None and flange.thickness_mm - interface.minimum_solid_mm >= THINNEST_MM:
        places.append(_on_flange(shape, flange, flat, local, interface))
    return tuple(places)


def layer_block(
    places: Sequence[LayerGround], screws: Sequence[Screw], values: np.ndarray, lattice: Lattice
) -> Mesh | None:
    """The region of an end's layer; None where no place for it is thick enough. values: (lattice.size,) mm, the end's
    material before the docking bone is cut away."""
    for place in places:
        region = place.limit.copy()
        if place.other is not None:
            rest = np.maximum(values[place.flat], place.other)
            region = np.maximum(region, rest + place.frame_mm)
        near = np.flatnonzero(region < _AROUND_MM)
        points = lattice.points(place.flat[near])
        for screw in screws:
            _, away = along_and_away(screw, points)
            radius = max(screw.type.clearance_hole_mm, place.heads * screw.type.head_diameter_mm) / 2.0
            region[near] = np.maximum(region[near], radius + place.frame_mm - away)
        inside = np.count_nonzero(region < 0.0)
        # A point lies up to half a step beside the deepest place.
        if inside * STEP_MM**3 >= SMALLEST_MM3 and -region.min() * 2.0 + STEP_MM >= THINNEST_MM:
            return isosurface(*_block(lattice.points(place.flat), region))
    return None


def _block(points: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, Grid]:
    """The smallest block [k, j, i] of the lattice that holds points (n, 3), with their values, and its grid."""
    index = np.rint(points / STEP_MM).astype(np.int64)
    first = index.min(axis=0)
    nx, ny, nz = (int(n) for n in index.max(axis=0) - first + 1)
    block = np.full((nz, ny, nx), _AROUND_MM, np.float32)
    i, j, k = (index - first).T
    block[k, j, i] = values
    return block, Grid(STEP_MM * first, STEP_MM, (nx, ny, nz))


def _under_foot(shape: EndShape, flat: np.ndarray, local: np.ndarray, interface: InterfacePlan) -> LayerGround:
    """As `layer.under_foot`."""
    gap, frame, solid, depth = shape.foot.fit_gap_mm, interface.frame_mm, interface.minimum_solid_mm, interface.depth_mm
    out = local[:, 2]
    rows = np.flatnonzero((out > -DOME_MM - _AROUND_MM) & (out < shape.base_mm + 2.0 + _AROUND_MM))
    place = local[rows]
    inside = shape.footprint.distance(place[:, :2])
    distance, others = shape.docking.at_local(place), shape.others.at_local(place)
    limit = np.maximum(np.maximum(gap + solid - others, distance - gap - depth), inside + frame)
    limit = np.maximum(limit, gap - distance)
    near = np.flatnonzero(limit < _AROUND_MM)
    rows = rows[near]
    return LayerGround(flat[rows], limit[near], gap - others[near], 0.0, frame)


def _on_flange(
    shape: EndShape, flange: Flange, flat: np.ndarray, local: np.ndarray, interface: InterfacePlan
) -> LayerGround:
    """As `layer.on_flange`."""
    gap, frame, solid = shape.foot.fit_gap_mm, interface.frame_mm, interface.minimum_solid_mm
    depth = min(interface.depth_mm, flange.thickness_mm - solid)
    window, inset = flange_limits(shape, flange, local)
    sides = np.maximum(np.maximum(window, inset), local[:, 2]) + frame
    rows = np.flatnonzero(sides < _AROUND_MM)
    place = local[rows]
    distance, plain = shape.docking.at_local(place), shape.docking_plain.at_local(place)
    limit = np.maximum(sides[rows], np.maximum(distance - gap - depth, gap - distance))
    near = np.flatnonzero(limit < _AROUND_MM)
    rows, place, limit = rows[near], place[near], limit[near]
    standing = bone_distance(shape.around, shape.endplate.to_ras(place), gap + solid + _AROUND_MM)
    behind = np.maximum(plain[near] - gap - (flange.thickness_mm - solid), gap + solid - standing)
    return LayerGround(flat[rows], np.maximum(limit, behind), None, 1.0, frame)
