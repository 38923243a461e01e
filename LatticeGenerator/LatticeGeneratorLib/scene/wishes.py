"""What the choices in a parameter node mean: which body, and what lattice where.

`parameters` is the module's wrapped parameter node, of whose fields these are read: source, domain, segmentation,
segmentID, cell, wish, porosity, poreSize, cellSize, thickness, printer, compensate, where, shellDepth, patch, roi,
thinning, and those of `gradings`, `lying` and `finishes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import GeometryError
from ..infill.design import Design
from ..infill.feasible import cell_size_mm, spec_of_cell
from ..infill.graded import Graded
from ..infill.laid import Laid
from ..infill.order import Order
from ..infill.region import Beside, Region, Shell, Whole
from ..infill.spec import LatticeSpec
from ..mesh.mesh import Mesh
from ..printing.catalogue import printer_named
from ..printing.predicted import compensated
from ..printing.printer import Printer
from .attached import remembered, scalars_of, surface_of
from .bodies import (
    body_of_model,
    body_of_segment,
    box_of,
    fingerprint_of_model,
    fingerprint_of_segment,
    segment_name,
    segment_state,
)
from .finishes import finish_of, joined_of
from .gradings import along_of, end_of
from .lying import laid_of, own_axes
from .models import mesh_of
from .place import to_world


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
    return printer_named(parameters.printer)


def wish_of(parameters: Any) -> LatticeSpec:
    """The lattice wished for, whoever can print it. Raises GeometryError where the cell cannot be like that."""
    if parameters.wish == "cell":
        return LatticeSpec.made(parameters.cell, parameters.cellSize, parameters.thickness)
    return LatticeSpec(parameters.cell, parameters.porosity / 100.0, parameters.poreSize / 1000.0)


def spec_of(parameters: Any) -> LatticeSpec:
    """The lattice to be made for the wish. Raises GeometryError, naming the nearest that can be had, where there is
    none."""
    printer = printer_of(parameters)
    if parameters.wish == "cell":
        return _ordered(spec_of_cell(parameters.cell, parameters.cellSize, parameters.thickness, printer), parameters)
    spec = wish_of(parameters)
    cell_size_mm(spec, printer)
    return _ordered(spec, parameters)


def graded_of(parameters: Any) -> Graded | None:
    """What the lattice becomes along something; None where it stays the same. Raises GeometryError with the remedy."""
    if parameters.grading == "none":
        return None
    end, printer = end_of(parameters, wish_of(parameters)), printer_of(parameters)
    if parameters.wish == "cell":
        spec_of_cell(end.cell, end.cell_mm, end.thickness_mm, printer)  # which refuses in the same language
    cell_size_mm(end, printer)
    graded = Graded(_ordered(end, parameters), along_of(parameters, _bounds(parameters)))
    Design(spec_of(parameters), graded).check_printable(printer)
    return graded


def region_of(parameters: Any) -> Region:
    """Where the lattice goes. Raises GeometryError with the remedy."""
    if parameters.where == "whole":
        return Whole()
    if parameters.where == "shell":
        return Shell(parameters.shellDepth)
    if parameters.where == "beside":
        if parameters.patch is None:
            raise GeometryError("choose the model of the surface that the lattice lies next to")
        return Beside(surface_of(parameters.patch), parameters.shellDepth)
    if parameters.roi is None:
        raise GeometryError("choose the region of interest to fill, or make one")
    return box_of(parameters.roi)


def lying_of(parameters: Any) -> Laid:
    """How the cells lie. Raises GeometryError with the remedy."""
    return laid_of(parameters, _own_axes(parameters) if parameters.lying == "body" else np.eye(3))


def order_of(parameters: Any) -> Order:
    """What is ordered. Raises GeometryError with the remedy."""
    spec, graded = spec_of(parameters), graded_of(parameters)
    return Order(
        spec,
        region_of(parameters),
        graded,
        lying_of(parameters),
        finish_of(parameters),
        joined_of(parameters),
        thinned_mm=parameters.thinning / 1000.0 or None,
        printer=parameters.printer,
    )


def watched_nodes(parameters: Any) -> tuple[Any, ...]:
    """What changes what is ordered, or of what, when it is edited; None among it where a node is not chosen."""
    graded_by = parameters.gradingVolume if parameters.grading == "volume" else None
    return (
        source_node(parameters),
        {"roi": parameters.roi, "beside": parameters.patch}.get(parameters.where),
        parameters.gradingLine if parameters.grading == "axis" else None,
        graded_by,
        # Scripts that write numbers in place tell of the array, and not of the volume's image.
        scalars_of(graded_by),
        {"transform": parameters.lyingTransform, "face": parameters.lyingFace}.get(parameters.lying),
        {"plane": parameters.sidePlane, "model": parameters.sideModel}.get(parameters.side)
        if parameters.finish != "none"
        else None,
    )


def _ordered(spec: LatticeSpec, parameters: Any) -> LatticeSpec:
    """What is ordered for a lattice to come out of the printer: itself, or thinner by what the printer adds."""
    return compensated(spec, printer_of(parameters)) if parameters.compensate else spec


def _bounds(parameters: Any) -> np.ndarray:
    """(2, 3) RAS mm, of the node that holds the body."""
    bounds = [0.0] * 6
    _chosen(parameters).GetRASBounds(bounds)
    return np.array(bounds).reshape(3, 2).T


def _own_axes(parameters: Any) -> np.ndarray:
    node = _chosen(parameters)
    if parameters.source == "model":
        state = 0 if node.GetPolyData() is None else node.GetPolyData().GetMTime()
        return remembered(("axes", state, to_world(node).tobytes()), lambda: own_axes(mesh_of(node)))
    state = segment_state(node, parameters.segmentID)
    return remembered(("axes", state), lambda: own_axes(body_of_segment(node, parameters.segmentID)))


def _chosen(parameters: Any) -> Any:
    node = source_node(parameters)
    if node is None:
        what = "a closed surface model" if parameters.source == "model" else "a segmentation and a segment"
        raise GeometryError(f"choose {what} to fill")
    if parameters.source == "model" and node is parameters.lattice:
        raise GeometryError(f"'{node.GetName()}' is to be filled and to be overwritten: choose another output model")
    return node
