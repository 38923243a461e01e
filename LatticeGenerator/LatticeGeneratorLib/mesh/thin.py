"""Meshes with fewer faces, and a promise how far their surface has moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..errors import GeometryError
from .boolean import simplified
from .check import closed_manifold_fault
from .deviation import deviation
from .intersections import pierced_places, piercings
from .mesh import Mesh
from .weld import as_stl_reads, merged_by_rounding, without_flattened

# Measured on balls and lattices: manifold3d moves most of the surface by up to 1.7 times the tolerance it is given, and
# single places by far more: by 0.1 mm at one of 6 µm.
_FIRST_SHARE = 0.6
_ATTEMPTS, _LESS = 5, 0.5
# Around a fault so many rings of faces are kept, and in each attempt more.
_RINGS, _WIDER = 2.0, 1.5


@dataclass(frozen=True, eq=False)
class Thinned:
    """A mesh and what thinning it out did. mesh: closed as held and as STL; deviation_mm: no point of its surface or
    of the one before is farther than this from the other; faces_before, faces_after: their numbers."""

    mesh: Mesh
    deviation_mm: float
    faces_before: int
    faces_after: int


def thinned(mesh: Mesh, deviation_mm: float) -> Thinned:
    """A closed mesh with fewer faces, no point of either surface farther from the other than deviation_mm.

    That is measured on the result as it is written to STL (see `deviation`), which passes through itself nowhere.
    Around places where either fails the faces are kept, and the rest is thinned out again; where that does not help,
    or the mesh passes through itself to begin with, it comes back as it was. Raises GeometryError for a mesh that is
    not closed, or a deviation that is not above 0.
    """
    if not deviation_mm > 0.0:
        raise GeometryError(f"thinning out needs a deviation above 0 mm, not {deviation_mm:g} mm")
    before = len(mesh.faces)
    kept, centres = np.zeros(before, bool), mesh.triangles.mean(axis=1)
    near = _RINGS * float(np.sqrt(mesh.area / before))
    tolerance = _FIRST_SHARE * deviation_mm
    for attempt in range(_ATTEMPTS):
        # Very short edges are drawn together even among kept faces, which a smaller tolerance prevents.
        tolerance *= _LESS if attempt > 1 else 1.0
        moved = simplified(mesh, tolerance, kept)
        if len(moved.faces) >= before:
            break
        candidate = without_flattened(as_stl_reads(moved))
        if closed_manifold_fault(candidate):
            faults, reach = moved.vertices[merged_by_rounding(moved)], near
        else:
            apart = deviation(mesh, candidate, deviation_mm)
            faults = np.concatenate([pierced_places(candidate, *piercings(candidate)), apart.beyond])
            if len(faults) == 0:
                return Thinned(candidate, apart.most_mm, before, len(candidate.faces))
            reach = near + apart.most_mm
        kept |= np.isfinite(cKDTree(faults).query(centres, distance_upper_bound=reach)[0])
        near *= _WIDER
    return Thinned(mesh, 0.0, before, before)
