"""What the choices in a parameter node mean for how a lattice changes along something.

`parameters` is the module's wrapped parameter node, of whose fields these are read: wish, cellSize, grading,
gradingLine, fromDepth, toDepth, gradingVolume, fromValue, toValue, endCells, endPorosity, endPoreSize, endCellSize,
endThickness.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import GeometryError
from ..infill.along import Along, Axis, Depth, Scalar, point_of
from ..infill.spec import LatticeSpec
from .attached import volume_of


def end_of(parameters: Any, start: LatticeSpec) -> LatticeSpec:
    """The lattice wished for at the end of the change. Raises GeometryError where the cell cannot be like that."""
    if parameters.wish == "cell":
        size = parameters.endCellSize if parameters.endCells else parameters.cellSize
        return LatticeSpec.made(start.cell, size, parameters.endThickness)
    end = LatticeSpec(start.cell, parameters.endPorosity / 100.0, parameters.endPoreSize / 1000.0)
    return end if parameters.endCells else replace(end, pore_mm=end.pore_mm * start.cell_mm / end.cell_mm)


def along_of(parameters: Any, bounds: np.ndarray) -> Along:
    """Along what the lattice changes. bounds: (2, 3) RAS mm, of the body.

    Raises GeometryError with the remedy.
    """
    if parameters.grading == "axis":
        return _axis(parameters.gradingLine)
    if parameters.grading == "depth":
        return Depth(parameters.fromDepth, parameters.toDepth)
    if parameters.gradingVolume is None:
        raise GeometryError("choose the volume whose values the lattice shall go by")
    return Scalar(volume_of(parameters.gradingVolume, bounds), parameters.fromValue, parameters.toValue)


def _axis(line: Any) -> Axis:
    if line is None:
        raise GeometryError("choose the line along which the lattice shall change, or place one")
    if line.GetNumberOfDefinedControlPoints() < 2:
        raise GeometryError(f"place both ends of the line '{line.GetName()}'")
    ends = [point_of(line.GetNthControlPointPositionWorld(place)) for place in (0, 1)]
    return Axis(*ends)
