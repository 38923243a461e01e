"""The porous layer of a finished foot in numbers, measured once for all implants that share it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.field.combine import sample
from LatticeGeneratorLib.field.compiled import compiled
from LatticeGeneratorLib.field.distance import signed_distance
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.measure.balls import faces_near
from LatticeGeneratorLib.measure.interface import Intercept, intercept, interface
from LatticeGeneratorLib.measure.pores import closed_pores, connected_fraction
from LatticeGeneratorLib.measure.thickness import Layer, PoreSize, Thickness
from LatticeGeneratorLib.measure.throat import throat
from LatticeGeneratorLib.mesh.boolean import intersection
from LatticeGeneratorLib.mesh.box_tree import LEAF, box_tree, leaves_reached
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
# Two lattices are the same where their surfaces lie no farther apart than slivers are thinned out by (2 µm), seen from
# this far inside the layer on: at its border it joins a solid that a variant's longer strut shapes a little anew. Of a
# hundred vertices one may lie up to 5 µm off: no mean changes by more than 0.1 µm.
_SAME_MM, _STRAY_MM, _STRAY_SHARE = 2e-3, 5e-3, 0.01
_BORDER_MM = 0.05
_SAME_VOLUME = 1e-3
# Fewer vertices than this do not tell one lattice from another; more strays than this are another lattice.
_LEAST_VERTICES, _MOST_STRAYS = 1000, 1000


@dataclass(frozen=True)
class LatticeAsMade:
    """porosity and reached: shares 0 to 1 of the whole layer; closed: voids in it that are closed all round; pores,
    struts, throat_mm, intercept in mm; area_per_mm: mm² of surface per mm³; block: what those stand for."""

    porosity: float
    reached: float
    closed: int
    pores: PoreSize
    struts: Thickness
    throat_mm: float
    area_per_mm: float
    intercept: Intercept
    block: str


def lattice_as_made(measured: Measured, foot: Foot, domain: Mesh) -> LatticeAsMade:
    """The foot's layer on the finished mesh; taken over from the nominal implant where this one's is the same."""

    def make() -> LatticeAsMade:
        """The layer measured, or the nominal implant's."""
        nominal = measured.nominal
        if nominal is not None:
            other = nominal.foot(foot.end)
            if other.domain is not None and _same(measured, foot, domain, nominal, other, other.domain):
                return lattice_as_made(nominal, other, other.domain)
        part, block = _middle(domain)
        mesh, share = measured.mesh, measured.porosities[foot.end]
        layer = Layer.of(mesh, part)
        surface = interface(mesh, part, layer)
        return LatticeAsMade(
            share,
            connected_fraction(mesh, domain, POWDER_MM),
            closed_pores(mesh, domain),
            layer.pores(),
            layer.struts(),
            throat(mesh, part, layer),
            surface.per_volume,
            intercept(share, surface),
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
    """Whether two finished feet hold the same metal in the same layer, one moved from the other with its plate."""
    turned = np.abs([foot.endplate.normal - other.endplate.normal, foot.endplate.anterior - other.endplate.anterior])
    if turned.max() > 1e-9 or abs(domain.volume / other_domain.volume - 1.0) > _SAME_VOLUME:
        return False
    shift = foot.endplate.centre - other.endplate.centre
    grid = Grid.around(*other_domain.bounds, 2.0 * _BORDER_MM)
    field = signed_distance(other_domain, grid, 4.0 * _BORDER_MM)
    # At sharp edges a field between grid points is off by up to half their distance.
    if np.abs(sample(field, grid, domain.vertices - shift)).max() > grid.spacing:
        return False
    a, b = (_near(mesh, *other_domain.bounds) for mesh in (Mesh(one.mesh.vertices - shift, one.mesh.faces), two.mesh))
    inner = [mesh.vertices[sample(field, grid, mesh.vertices) < -_BORDER_MM] for mesh in (a, b)]
    if min(len(points) for points in inner) < _LEAST_VERTICES:
        return False
    return _lies_on(inner[0], b) and _lies_on(inner[1], a)


def _near(mesh: Mesh, low: np.ndarray, high: np.ndarray) -> Mesh:
    """The faces of a mesh that reach into the box from low to high or lie beside it, with the vertices they use."""
    faces = mesh.faces[faces_near(mesh, low - _BORDER_MM, high + _BORDER_MM)]
    used = np.zeros(len(mesh.vertices), bool)
    used[faces] = True
    return Mesh(mesh.vertices[used], (np.cumsum(used) - 1)[faces])


def _lies_on(points: np.ndarray, mesh: Mesh) -> bool:
    """Whether the points (n, 3) lie on the surface: most on its vertices, the rest on its triangles."""
    tree = cKDTree(mesh.vertices, compact_nodes=False, balanced_tree=False)
    strays = points[~np.isfinite(tree.query(points, distance_upper_bound=_SAME_MM)[0])]
    if len(strays) > _MOST_STRAYS:
        return False
    if not len(strays):
        return True
    triangles, away = mesh.triangles, np.empty(len(strays))
    boxes, order = box_tree(triangles)
    leaves, starts = (compiled(leaves_reached) or leaves_reached)(boxes, strays - _STRAY_MM, strays + _STRAY_MM)
    for number, point in enumerate(strays):
        places = LEAF * leaves[starts[number] : starts[number + 1], None] + np.arange(LEAF)
        near = order[places[places < len(order)]]
        if not len(near):
            return False
        away[number] = _to_triangles(point, triangles[near])
    return bool(away.max() <= _STRAY_MM and (away > _SAME_MM).sum() <= _STRAY_SHARE * len(points))


def _to_triangles(point: np.ndarray, triangles: np.ndarray) -> float:
    """Least distance of a point (3,) to triangles (n, 3, 3)."""
    edges = np.roll(triangles, -1, axis=1) - triangles
    away = point - triangles
    share = np.clip((away * edges).sum(axis=2) / np.maximum((edges * edges).sum(axis=2), 1e-18), 0.0, 1.0)
    nearest = np.linalg.norm(away - share[:, :, None] * edges, axis=2).min(axis=1)
    normal = np.cross(edges[:, 0], edges[:, 1])
    normal = normal / np.maximum(np.linalg.norm(normal, axis=1), 1e-18)[:, None]
    # Over the triangle's face the plane is nearest: the point lies left of all three edges.
    over = (np.einsum("nij,nj->ni", np.cross(edges, away), normal) >= 0.0).all(axis=1)
    height = np.abs(np.einsum("nj,nj->n", away[:, 0], normal))
    return float(np.where(over, height, nearest).min())
