"""A model node filled with a lattice."""

from __future__ import annotations

from typing import Any

from ..errors import GeometryError
from ..infill.fill import fill
from ..infill.lattice import Lattice
from ..infill.spec import LatticeSpec
from ..mesh.check import closed_manifold_fault
from ..progress import Progress, silent
from .models import mesh_of, show_mesh

_TITANIUM = (0.72, 0.74, 0.78)


def fill_node(
    scene: Any, domain_node: Any, spec: LatticeSpec, output_node: Any = None, progress: Progress = silent
) -> tuple[Any, Lattice]:
    """Fill the closed surface of a model node and show the lattice: in output_node if given, else in a new node.

    Raises GeometryError where the surface is not closed or the lattice cannot be made.
    """
    domain = mesh_of(domain_node)
    fault = closed_manifold_fault(domain)
    if fault:
        raise GeometryError(f"the model '{domain_node.GetName()}' cannot be filled: {fault}; repair it first")
    lattice = fill(domain, spec, progress)
    node = show_mesh(scene, lattice.mesh, f"{domain_node.GetName()} lattice", _TITANIUM, output_node)
    return node, lattice
