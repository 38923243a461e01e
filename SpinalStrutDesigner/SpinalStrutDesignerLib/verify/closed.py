"""Whether the implant is one closed body that a printer reads as meant."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, components, stl_fault
from LatticeGeneratorLib.mesh.intersections import pierced_places, piercings

from .finding import Finding
from .measured import Measured
from .registry import check

_BASIS = (
    "a slicer needs one closed, oriented surface; FDA 2017 additive manufacturing guidance: file-conversion integrity"
)


@check(order=10, apart=True)
def closed(measured: Measured) -> Iterator[Finding]:
    """Closed before and after STL rounding, of one piece, without passing through itself."""
    fault = closed_manifold_fault(measured.mesh) or stl_fault(measured.mesh)
    yield measured.finding(
        "mesh.closed",
        "Closed, oriented manifold, also after rounding to STL",
        "closed" if fault is None else "not closed",
        "",
        "closed",
        "pass" if fault is None else "fail",
        _BASIS,
        detail=fault or f"{len(measured.mesh.faces)} triangles",
    )
    pieces = components(measured.mesh)
    bodies = [piece for piece in pieces if piece.volume > 0.0]
    voids = [piece for piece in pieces if piece.volume <= 0.0]
    loose = bodies[1:]
    yield measured.finding(
        "mesh.bodies",
        "Separate bodies",
        float(len(bodies)),
        "",
        "1",
        "pass" if len(bodies) == 1 else "fail",
        "loose pieces detach in the patient",
        loose[0].vertices.mean(axis=0) if loose else None,
    )
    yield measured.finding(
        "mesh.voids",
        "Closed inner voids",
        float(len(voids)),
        "",
        "0",
        "pass" if not voids else "fail",
        "powder cannot leave a closed cavity; it must be removed before heat treatment",
        voids[0].vertices.mean(axis=0) if voids else None,
    )
    edges, faces = piercings(measured.mesh)
    crossings = len(np.unique(edges, axis=0))
    yield measured.finding(
        "mesh.self_intersections",
        "Edges that pierce the surface",
        float(crossings),
        "",
        "0",
        "pass" if crossings == 0 else "fail",
        "a slicer fills or leaves out where a surface passes through itself",
        pierced_places(measured.mesh, edges[:1], faces[:1])[0] if crossings else None,
    )
