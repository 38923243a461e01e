"""Slice views that show a place, or lie across the axis or along a screw."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..plan.curve import AxisCurve
from ..plan.plan import Screw


def jump_to(scene: Any, point: tuple[float, float, float]) -> None:
    """Moves every slice view to a point, RAS mm, centred on it."""
    for node in slice_nodes(scene):
        node.JumpSliceByCentering(*point)


def lie_across(slice_node: Any, axis: AxisCurve, share: float) -> None:
    """Lays a slice view across the axis. share: 0 at the upper end to 1 at the lower one."""
    station = axis.at(share * axis.length_mm)
    _lie(slice_node, station.tangent, station.right, station.point)


def lie_along(slice_node: Any, screw: Screw) -> None:
    """Lays a slice view along a screw, as far towards the patient's sagittal plane as the screw allows."""
    direction = np.asarray(screw.direction)
    across = np.cross(direction, (0.0, 0.0, 1.0))
    if np.linalg.norm(across) < 0.1:  # a screw along the patient's long axis
        across = np.cross(direction, (0.0, 1.0, 0.0))
    middle = np.asarray(screw.entry) + 0.5 * screw.length_mm * direction
    _lie(slice_node, across / np.linalg.norm(across), direction, middle)


def stand_straight(slice_node: Any) -> None:
    """Gives a slice view back the orientation that its name says (axial, sagittal or coronal)."""
    slice_node.SetOrientationToDefault()


def slice_nodes(scene: Any) -> list[Any]:
    """The slice views' nodes, in the scene's order."""
    count = scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")
    return [scene.GetNthNodeByClass(n, "vtkMRMLSliceNode") for n in range(count)]


def _lie(slice_node: Any, normal: np.ndarray, right: np.ndarray, point: np.ndarray) -> None:
    slice_node.SetSliceToRASByNTP(*normal.tolist(), *right.tolist(), *point.tolist(), 0)
