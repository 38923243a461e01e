"""The porous interface of an end: its region, the lattice in it, and the way both join the solid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.field.combine import sample
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.infill.fill import fill_field
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.boolean import simplified
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.progress import Progress, silent

from ..plan.curve import AxisCurve
from ..plan.plan import InterfacePlan
from .design import Face
from .end import EndShape
from .layer import STEP_MM, LayerSpace, on_flange, under_foot

# The lattice reaches this far into the solid around it, so that both become one body.
OVERLAP_MM = 0.15
# Solid around a layer cuts pores short, the more of it there is to a volume: measured on six finished layers 0.66 to
# 1.48 mm deep (58 to 1215 mm³) that were asked for 584 to 631 µm, the mean pore fell short by 35 to 77 µm, that is by
# 0.036 to 0.049 mm² over the volume times the layer's border to the solid. The cells are made larger by as much.
SHORTFALL_MM2 = 0.04
# A layer is said to be shallower than wanted where it is so by more than this, mm: a step of the sampling.
SHALLOWER_MM = STEP_MM
# What of a layer's border lies no farther than this from where it may touch bone is its face, mm.
FACE_MM = 0.02
# The region is thinned out to this deviation, mm: a tenth of the sampling.
SIMPLIFY_MM = 0.01
# Where the layer is thinner than this it holds no whole pore (550 µm) and stays solid.
THINNEST_MM = 0.6
# A smaller layer, mm³, holds too few cells (1 mm) to have a porosity, or bone worth growing in; engineering judgement.
SMALLEST_MM3 = 20.0


@dataclass(frozen=True, eq=False)
class PorousLayer:
    """The porous layer of an end as made, and what it rests on.

    domain: trimmed closed region; cutter: domain and the gap in front of it.
    """

    face: Face
    domain: Mesh
    cutter: Mesh
    lattice: Mesh
    spec: LatticeSpec
    depth_mm: float


def porous_layer(
    end: EndShape, axis: AxisCurve, interface: InterfacePlan, progress: Progress = silent
) -> PorousLayer | None:
    """Makes the porous layer of one end: under its foot; where the foot is too thin or small to keep solid metal behind
    a layer, on the bone side of its flange; None where that is too thin as well."""
    for space in _spaces(end, axis, interface):
        region = space.on_grid(np.maximum(space.kept, -space.off))
        inside = region < 0.0
        if -region.min() * 2.0 >= THINNEST_MM and inside.sum() * STEP_MM**3 >= SMALLEST_MM3:
            return _filled(space, region, interface, progress)
    return None


def layer_notes(layer: PorousLayer | None, interface: InterfacePlan) -> tuple[str, ...]:
    """What a reader must know of where the layer lies and how deep it is."""
    solid = f"{interface.minimum_solid_mm:.1f} mm of solid metal is kept behind it"
    if interface.depth_mm <= 0.0:
        return ()
    if layer is None:
        return (f"no porous layer: neither the foot nor a flange is thick enough, since {solid}",)
    where = ("the foot is too thin for it: it lies on the bone side of the flange",) if layer.face == "flange" else ()
    if layer.depth_mm >= interface.depth_mm - SHALLOWER_MM:
        return where
    return (*where, f"porous depth {layer.depth_mm:.2f} mm instead of {interface.depth_mm:.2f} mm: {solid}")


def _spaces(end: EndShape, axis: AxisCurve, interface: InterfacePlan) -> Iterator[LayerSpace]:
    yield under_foot(end, axis, interface)
    if end.flange is not None and end.flange.thickness_mm - interface.minimum_solid_mm >= THINNEST_MM:
        yield on_flange(end, end.flange, interface)


def _filled(space: LayerSpace, region: np.ndarray, interface: InterfacePlan, progress: Progress) -> PorousLayer:
    grid = space.grid
    # Away from the layer only the sign matters, and the solid need not be evaluated there.
    joined = space.on_grid(np.maximum(space.kept - OVERLAP_MM, -space.off))
    # The cutter also clears the fit gap in front, so that no film of solid stays before the lattice.
    cutter = space.on_grid(space.kept)
    domain = isosurface(region, grid)
    short_mm = SHORTFALL_MM2 * _solid_border_mm2(space, domain) / domain.volume
    spec = LatticeSpec(interface.cell, interface.porosity, interface.pore_um / 1000.0 + short_mm)
    # Only lattice that meets the solid around the region is held; that solid is what the region was grown into.
    anchor = np.where((joined < 0.0) & (region > 0.25 * OVERLAP_MM), -1.0, 1.0)
    region_mesh = simplified(domain, SIMPLIFY_MM)
    # Where a lattice ends its grid bevels it: in the region, which it goes beyond, it is less porous than on the whole.
    lattice = fill_field(joined, grid, spec, anchor, progress, measured_in=region_mesh)
    return PorousLayer(
        face=space.face,
        domain=region_mesh.transformed(space.frame),
        cutter=simplified(isosurface(cutter, grid), SIMPLIFY_MM).transformed(space.frame),
        lattice=lattice.mesh.transformed(space.frame),
        spec=spec,
        depth_mm=_depth_mm(space, region),
    )


def _depth_mm(space: LayerSpace, region: np.ndarray) -> float:
    """Mean depth of the layer behind its face, over what is seen of it along the way that face looks."""
    off = np.where(region < 0.0, space.on_grid(space.off), 0.0).max(axis=0 if space.face == "endplate" else 1)
    return float(off[off > 0.0].mean()) + 0.5 * STEP_MM


def _solid_border_mm2(space: LayerSpace, domain: Mesh) -> float:
    """Area of a layer's border but its face; domain: in the space's own frame."""
    a, b, c = (domain.vertices[corner] for corner in domain.faces.T)
    off = sample(space.on_grid(space.off), space.grid, (a + b + c) / 3.0)
    return float(np.linalg.norm(np.cross(b - a, c - a)[off > FACE_MM], axis=1).sum() / 2.0)
