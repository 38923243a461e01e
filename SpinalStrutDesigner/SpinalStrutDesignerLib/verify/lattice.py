"""The porous layer of a finished foot in numbers, measured once for all implants that share it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.measure.pores import connected_fraction
from LatticeGeneratorLib.measure.porosity import porosity
from LatticeGeneratorLib.measure.thickness import PoreSize, Thickness, pore_size, strut_thickness
from LatticeGeneratorLib.mesh.boolean import intersection
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box
from scipy.spatial import cKDTree

from ..build.design import Foot
from .measured import Measured

# Pores and struts of a larger layer are measured in a block in its middle: at 1.5 mm depth 9 mm wide, 80 cells of 1 mm.
_BLOCK_MM = 9.0
_WHOLE_MM3 = 130.0
# Just over the coarsest powder in use (15-53 µm): what a ball of this size leaves, powder leaves.
POWDER_MM = 0.06
# Two lattices are the same where no vertex differs by more than what STL rounding may move it.
_SAME_MM = 1e-3
# Fewer vertices than this do not tell one lattice from another.
_LEAST_VERTICES = 1000


@dataclass(frozen=True)
class LatticeAsMade:
    """porosity and reached: shares 0 to 1 of the whole layer; pores and struts in mm; block: what those stand for."""

    porosity: float
    reached: float
    pores: PoreSize
    struts: Thickness
    block: str


def lattice_as_made(measured: Measured, foot: Foot, domain: Mesh) -> LatticeAsMade:
    """The foot's layer on the finished mesh; taken over from the nominal implant where this one's is the same, vertex
    by vertex in the endplate's frame."""

    def make() -> LatticeAsMade:
        nominal = measured.nominal
        if nominal is not None:
            other = nominal.foot(foot.end)
            if other.domain is not None and _same(measured, foot, domain, nominal, other, other.domain):
                return lattice_as_made(nominal, other, other.domain)
        part, block = _middle(domain)
        return LatticeAsMade(
            porosity(measured.mesh, domain),
            connected_fraction(measured.mesh, domain, POWDER_MM),
            pore_size(measured.mesh, part),
            strut_thickness(measured.mesh, part),
            block,
        )

    return measured.once(f"lattice {foot.end}", make)


def _middle(domain: Mesh) -> tuple[Mesh, str]:
    if domain.volume <= _WHOLE_MM3:
        return domain, "the whole layer"
    centre = 0.5 * (domain.bounds[0] + domain.bounds[1])
    nearest = domain.vertices[np.argmin(np.linalg.norm(domain.vertices - centre, axis=1))]
    half = np.full(3, _BLOCK_MM / 2.0)
    return intersection(domain, box(nearest - half, nearest + half)), f"a {_BLOCK_MM:g} mm block in its middle"


def _same(one: Measured, foot: Foot, domain: Mesh, two: Measured, other: Foot, other_domain: Mesh) -> bool:
    """Whether two finished feet hold the same vertices in and around their layers, each in its plate's frame."""
    a, b = _local(one.mesh, foot, domain), _local(two.mesh, other, other_domain)
    if len(a) != len(b) or len(a) < _LEAST_VERTICES:
        return False
    shifts = cKDTree(a).query(b, distance_upper_bound=_SAME_MM)[0]
    back = cKDTree(b).query(a, distance_upper_bound=_SAME_MM)[0]
    return bool(np.isfinite(shifts).all() and np.isfinite(back).all())


def _local(mesh: Mesh, foot: Foot, domain: Mesh) -> np.ndarray:
    """Vertices of the mesh within the domain's bounds, in the plate's frame, which moves with a variant."""
    local = foot.endplate.to_local(domain.vertices)
    low, high = local.min(axis=0) + 0.05, local.max(axis=0) - 0.05
    points = foot.endplate.to_local(mesh.vertices)
    return points[((points > low) & (points < high)).all(axis=1)]
