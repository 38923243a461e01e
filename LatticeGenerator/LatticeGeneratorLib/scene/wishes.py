"""What the choices in a parameter node mean: which body, and what lattice where.

`parameters` is the module's wrapped parameter node, of whose fields only these are read: source, domain, segmentation,
segmentID, cell, wish, porosity, poreSize, cellSize, thickness, printer, compensate, where, shellDepth, roi.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import GeometryError
from ..infill.feasible import cell_size_mm, spec_of_cell
from ..infill.order import Order
from ..infill.region import Region, Shell, Whole
from ..infill.spec import LatticeSpec
from ..mesh.mesh import Mesh
from ..printing.catalogue import default_printer, load_printers
from ..printing.printer import Printer
from .bodies import (
    body_of_model,
    body_of_segment,
    box_of,
    fingerprint_of_model,
    fingerprint_of_segment,
    segment_name,
)


def source_node(parameters: Any) -> Any:
    """The node that holds the body to fill, None where none is chosen."""
    return parameters.domain if parameters.source == "model" else parameters.segmentation


@dataclass(frozen=True, eq=False)
class Body:
    """The body to fill as it stood in the scene when it was asked for.

    mesh: RAS mm; node: that holds it; segment_id: empty for a model; fingerprint: as `fingerprint_of`.
    """

    mesh: Mesh
    name: str
    node: Any
    segment_id: str
    fingerprint: str


def body_of(parameters: Any) -> Body:
    """The body to fill. Raises GeometryError with the remedy."""
    node, name = _chosen(parameters), body_name(parameters)
    if parameters.source == "model":
        return Body(body_of_model(node), name, node, "", fingerprint_of(parameters))
    segment_id = parameters.segmentID
    return Body(body_of_segment(node, segment_id), name, node, segment_id, fingerprint_of(parameters))


def body_name(parameters: Any) -> str:
    """What the body is called. Raises GeometryError where none is chosen."""
    node = _chosen(parameters)
    return str(node.GetName()) if parameters.source == "model" else segment_name(node, parameters.segmentID)


def fingerprint_of(parameters: Any) -> str:
    """A digest by which it is seen that the body has been edited; empty where none is chosen."""
    node = source_node(parameters)
    if node is None:
        return ""
    if parameters.source == "model":
        return fingerprint_of_model(node)
    return fingerprint_of_segment(node, parameters.segmentID)


def printer_of(parameters: Any) -> Printer:
    """The printer whose limits count. Raises GeometryError with the known ones where the catalogue lacks it."""
    if not parameters.printer:
        return default_printer()
    printers = load_printers()
    if parameters.printer not in printers:
        raise GeometryError(
            f"there is no printer '{parameters.printer}' in the catalogue: choose one of {', '.join(printers)}"
        )
    return printers[parameters.printer]


def wish_of(parameters: Any) -> LatticeSpec:
    """The lattice wished for, whoever can print it. Raises GeometryError where the cell cannot be like that."""
    if parameters.wish == "cell":
        return LatticeSpec.made(parameters.cell, parameters.cellSize, parameters.thickness)
    return LatticeSpec(parameters.cell, parameters.porosity / 100.0, parameters.poreSize / 1000.0)


def spec_of(parameters: Any) -> LatticeSpec:
    """The lattice wished for. Raises GeometryError, naming the nearest that can be had, where it cannot be made."""
    printer = printer_of(parameters)
    if parameters.wish == "cell":
        return spec_of_cell(parameters.cell, parameters.cellSize, parameters.thickness, printer)
    spec = wish_of(parameters)
    cell_size_mm(spec, printer)
    return spec


def region_of(parameters: Any) -> Region:
    """Where the lattice goes. Raises GeometryError with the remedy."""
    if parameters.where == "whole":
        return Whole()
    if parameters.where == "shell":
        return Shell(parameters.shellDepth)
    if parameters.roi is None:
        raise GeometryError("choose the region of interest to fill, or make one")
    return box_of(parameters.roi)


def order_of(parameters: Any) -> Order:
    """What is ordered. Raises GeometryError with the remedy."""
    return Order(spec_of(parameters), region_of(parameters))


def _chosen(parameters: Any) -> Any:
    node = source_node(parameters)
    if node is None:
        what = "a closed surface model" if parameters.source == "model" else "a segmentation and a segment"
        raise GeometryError(f"choose {what} to fill")
    if parameters.source == "model" and node is parameters.lattice:
        raise GeometryError(f"'{node.GetName()}' is to be filled and to be overwritten: choose another output model")
    return node
