"""Booleans of closed meshes, by manifold3d: of those measured the one that neither fails nor returns open meshes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import GeometryError
from .check import closed_manifold_fault
from .inside import winding_number
from .mesh import Mesh
from .pieces import pieces_of
from .relax import relaxed
from .weld import as_stl_reads, merged_by_rounding, without_flattened

# Together the 0.02 mm by which an implant's STL may depart (clinical facts, chord error).
_RELAXATIONS, _RELAXATION_MM = 20, 1e-3


def union(meshes: Sequence[Mesh]) -> Mesh:
    """One closed mesh of all that any of the meshes encloses; each must not pass through itself."""
    import manifold3d

    if not meshes:
        raise GeometryError("a union needs at least one mesh; none was given")
    solids = [_solid(mesh, f"mesh {number} of the union") for number, mesh in enumerate(meshes, 1)]
    return _mesh(manifold3d.Manifold.batch_boolean(solids, manifold3d.OpType.Add), "the union")


def difference(mesh: Mesh, cutters: Sequence[Mesh]) -> Mesh:
    """What remains of the mesh when all that the cutters enclose is taken away.

    Raises GeometryError if nothing remains.
    """
    import manifold3d

    solids = [_solid(mesh, "the mesh to cut")]
    solids += [_solid(cutter, f"cutter {number}") for number, cutter in enumerate(cutters, 1)]
    return _mesh(manifold3d.Manifold.batch_boolean(solids, manifold3d.OpType.Subtract), "the difference")


def intersection(a: Mesh, b: Mesh) -> Mesh:
    """What both meshes enclose; raises GeometryError if they have nothing in common."""
    return _mesh(_solid(a, "the first mesh") ^ _solid(b, "the second mesh"), "the intersection")


def common_volume(a: Mesh, b: Mesh) -> float:
    """Volume in mm³ that both meshes enclose; 0 where they are apart."""
    return common_volumes(a, [b])[0]


def common_volumes(mesh: Mesh, others: Sequence[Mesh]) -> tuple[float, ...]:
    """Volume in mm³ that the mesh shares with each other one."""
    if not others:
        return ()
    solid = _solid(mesh, "the first mesh")
    return tuple(float((solid ^ _solid(other, f"mesh {n} with it")).volume()) for n, other in enumerate(others, 1))


def simplified(mesh: Mesh, tolerance_mm: float, kept: np.ndarray | None = None) -> Mesh:
    """The mesh with fewer faces, its surface moved by about the tolerance: mostly less than twice that, though 18 times
    were measured; `thin.thinned` keeps a limit.

    kept: (m,) bool, faces to leave as they are but for corners on straight edges.
    """
    return _mesh(_solid(mesh, "the mesh to simplify", kept).simplify(tolerance_mm), "the simplified mesh")


def printable(mesh: Mesh) -> Mesh:
    """The mesh with vertices at STL (float32) precision, still closed: what is held is exactly what is written.

    Vertices that rounding makes equal become one and the faces this flattens are dropped. Where that leaves a fault,
    sheets have met that should not: their vertices are drawn towards their neighbours, by 0.02 mm in all at most, until
    they are apart. Raises GeometryError where that does not help.
    """
    for _ in range(_RELAXATIONS):
        candidate = without_flattened(as_stl_reads(mesh))
        fault = closed_manifold_fault(candidate)
        if fault is None:
            return candidate
        mesh = relaxed(mesh, merged_by_rounding(mesh), _RELAXATION_MM)
    raise GeometryError(f"the mesh cannot be written to STL and stay closed: {fault}; coarsen or move its parts")


def widened(outlines: Sequence[np.ndarray], by_mm: float) -> tuple[np.ndarray, ...]:
    """What closed polygons (n, 2) enclose by the non-zero rule, grown by by_mm on all sides.

    As polygons that do not cross, outer ones counter-clockwise, holes clockwise. Raises GeometryError where they
    enclose nothing.
    """
    import manifold3d

    section = manifold3d.CrossSection(list(outlines), manifold3d.FillRule.NonZero)
    grown = section.offset(by_mm, manifold3d.JoinType.Miter, 2.0) if by_mm > 0.0 else section
    if grown.is_empty():
        raise GeometryError(f"the {len(outlines)} outlines enclose nothing: close them")
    return tuple(np.array(outline) for outline in grown.to_polygons())


def prisms(outlines: Sequence[np.ndarray], low_mm: float, high_mm: float, longest_mm: float) -> Mesh:
    """What closed polygons (n, 2) enclose by the non-zero rule, from low to high along the third axis, as one closed
    mesh with edges no longer than longest_mm."""
    import manifold3d

    section = manifold3d.CrossSection(list(outlines), manifold3d.FillRule.NonZero)
    solid = section.extrude(high_mm - low_mm).translate((0.0, 0.0, low_mm))
    return _mesh(solid.refine_to_length(longest_mm), "the prisms")


@dataclass(frozen=True, eq=False)
class Solid:
    """A body for several steps in a row: turning a mesh into one that manifold3d can cut takes as long as cutting it.

    held: the manifold3d solid, which each step leaves as it is.
    """

    held: Any

    @classmethod
    def of(cls, mesh: Mesh) -> Solid:
        """The body that a closed mesh encloses."""
        return cls(_solid(mesh, "the mesh"))

    @property
    def empty(self) -> bool:
        """Whether nothing is left of it."""
        return bool(self.held.is_empty())

    def less(self, cutters: Sequence[Mesh]) -> Solid:
        """What remains when all that the cutters enclose is taken away."""
        return self._with(cutters, "cutter", "Subtract")

    def joined(self, others: Sequence[Mesh]) -> Solid:
        """All that the body or any of the others encloses; each must not pass through itself."""
        return self._with(others, "mesh to join", "Add")

    def shared(self, other: Mesh) -> Solid:
        """What the body and another closed mesh both enclose; it may be empty."""
        return Solid(self.held ^ _solid(other, "the other mesh"))

    def mesh(self) -> Mesh:
        """Its mesh."""
        return _mesh(self.held, "the body")

    def thinned(self, tolerance_mm: float, longest_mm: float) -> Mesh:
        """Its mesh with fewer faces, the surface moved by no more than about the tolerance; edges that are longer than
        longest_mm are cut into equal pieces."""
        # As one original: edges between faces of different origin would be kept, and with them the slivers at joints.
        return _mesh(self.held.as_original().simplify(tolerance_mm).refine_to_length(longest_mm), "the body")

    def _with(self, meshes: Sequence[Mesh], name: str, step: str) -> Solid:
        import manifold3d

        solids = [_solid(mesh, f"{name} {number}") for number, mesh in enumerate(meshes, 1)]
        return Solid(manifold3d.Manifold.batch_boolean([self.held, *solids], getattr(manifold3d.OpType, step)))


def largest_component(mesh: Mesh) -> tuple[Mesh, int]:
    """The largest connected body with its inner voids, and how many other bodies (chips) were removed."""
    pieces = pieces_of(mesh)
    largest = int(np.argmax(pieces.volumes))
    if len(mesh.faces) == 0 or pieces.volumes[largest] <= 0.0:
        raise GeometryError("the mesh encloses nothing: its faces point inwards or it is empty")
    kept = np.arange(len(pieces.volumes)) == largest
    body = pieces.only(kept)
    for void in np.flatnonzero(pieces.volumes < 0.0):
        corner = mesh.vertices[mesh.faces[np.argmax(pieces.of_face == void), 0]]
        kept[void] = winding_number(body, corner[None])[0] > 0.5
    return pieces.only(kept), int((pieces.volumes > 0.0).sum()) - 1


def _solid(mesh: Mesh, name: str, kept: np.ndarray | None = None) -> Any:
    """The mesh as a manifold3d solid, refused unless closed. kept: (m,) bool, the faces of which each stays its own."""
    import manifold3d

    fault = closed_manifold_fault(mesh)
    if fault:
        raise GeometryError(f"{name} cannot take part in a boolean: {fault}")
    # Edges between faces of different numbers are kept.
    numbers = None if kept is None else np.where(kept, np.arange(1, len(mesh.faces) + 1), 0).astype(np.uint64)
    solid = manifold3d.Manifold(manifold3d.Mesh64(mesh.vertices.copy(), mesh.faces.astype(np.uint64), face_id=numbers))
    if solid.status() != manifold3d.Error.NoError:
        raise GeometryError(f"{name} cannot take part in a boolean: {solid.status().name}")
    return solid


def _mesh(solid: Any, name: str) -> Mesh:
    """The closed mesh of a manifold3d solid."""
    import manifold3d

    if solid.status() != manifold3d.Error.NoError:
        raise GeometryError(f"{name} failed: {solid.status().name}")
    if solid.is_empty():
        raise GeometryError(f"{name} is empty: the meshes do not lie as intended")
    raw = solid.to_mesh64()
    mesh = Mesh(np.array(raw.vert_properties)[:, :3], np.array(raw.tri_verts))
    fault = closed_manifold_fault(mesh)
    if fault:
        raise GeometryError(f"{name} is not closed: {fault}")
    return mesh
