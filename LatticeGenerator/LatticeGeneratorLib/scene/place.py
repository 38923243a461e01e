"""Where a node stands in the world: its parent transforms, applied if they are rigid and refused if not."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import GeometryError


def to_world(node: Any) -> np.ndarray:
    """4x4 from a transformable node's own coordinates to RAS mm of the world.

    Raises GeometryError where a parent transform is not rigid: sizes measured under it would be wrong.
    """
    import vtk

    parent = node.GetParentTransformNode()
    if parent is None:
        return np.eye(4)
    if not parent.IsTransformToWorldLinear():
        raise GeometryError(
            f"'{node.GetName()}' stands under the warping transform '{parent.GetName()}': harden the transform on it, "
            "or take it out of the transform"
        )
    matrix = vtk.vtkMatrix4x4()
    parent.GetMatrixTransformToWorld(matrix)
    found = matrix_of(matrix)
    turn = found[:3, :3]
    if not np.allclose(turn.T @ turn, np.eye(3), atol=1e-5) or np.linalg.det(turn) < 0:
        raise GeometryError(
            f"'{node.GetName()}' stands under '{parent.GetName()}', which scales, shears or mirrors: use a rigid "
            "transform, or take it out of the transform"
        )
    return found


def matrix_of(matrix: Any) -> np.ndarray:
    """A vtkMatrix4x4 as a 4x4 array."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
