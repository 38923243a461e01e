"""The strut's axis as a markups curve, and back. Points are taken in world coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import PlanError
from ..plan.plan import Axis


def show_axis(scene: Any, axis: Axis, node: Any = None) -> Any:
    """The curve node whose control points are the axis as shifted: the one given, or else a new one."""
    import vtk

    if node is None:
        node = scene.AddNewNodeByClass("vtkMRMLMarkupsCurveNode", "Strut axis")
        node.CreateDefaultDisplayNodes()
    points = vtk.vtkPoints()
    points.SetDataTypeToDouble()
    for point in axis.control_points:
        points.InsertNextPoint(*np.add(point, axis.offset))
    node.SetControlPointPositionsWorld(points)
    return node


def axis_of(node: Any, axis: Axis) -> Axis:
    """The axis with the curve's control points, its offset and back direction kept.

    Raises PlanError where fewer than three points are placed.
    """
    points = [
        node.GetNthControlPointPositionWorld(n)
        for n in range(node.GetNumberOfControlPoints())
        if node.GetNthControlPointPositionStatus(n) == node.PositionDefined
    ]
    if len(points) < 3:
        raise PlanError(f"axis.control_points: the curve '{node.GetName()}' has {len(points)} points; place at least 3")
    return axis.with_(control_points=tuple(_vec(np.subtract(point, axis.offset)) for point in points))


def _vec(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return x, y, z
