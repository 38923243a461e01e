"""Where a screw may come to lie at the placement error that was measured: two cones about it, one in the other.

The inner one holds its thread at the mean error, the outer one in 95 of 100 screws. They are a view of the plan that a
person switches on; nothing is decided by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import cone
from LatticeGeneratorLib.scene.hierarchy import put_in_folder
from LatticeGeneratorLib.scene.models import polydata

from ..plan.plan import ErrorBudget, Screw
from ..verify.placement import deviations, spread_mm
from .belongings import Belongings
from .screw_lines import tip_of

ROLE = "screwError"
SHARE = 0.95
"""Of all screws, which the outer cone holds."""
_COLOR, _OPACITY = (0.20, 0.55, 0.95), 0.25  # of a screw's line, seen through
_SIDES = 32


def show_error_cones(owner: Any, folder: int, screws: Sequence[Screw], budget: ErrorBudget) -> list[Any]:
    """The model nodes of a case's screws, in their order: those there are, used again, more or fewer as needed.

    folder: the case's in the subject hierarchy.
    """
    scene, belongings = owner.GetScene(), Belongings(owner)
    nodes = belongings.all(ROLE)
    for extra in nodes[len(screws) :]:
        _remove(extra)
    nodes = nodes[: len(screws)]
    while len(nodes) < len(screws):
        nodes.append(_new_node(scene, folder))
    for number, (node, screw) in enumerate(zip(nodes, screws), 1):
        node.SetName(f"{screw.level} screw {number} placement error")
        node.SetAndObservePolyData(polydata(_both(error_cones(screw, budget))))
    belongings.put(ROLE, *nodes)
    return nodes


def hide_error_cones(owner: Any) -> None:
    """Takes them out of the scene."""
    for node in Belongings(owner).all(ROLE):
        _remove(node)
    Belongings(owner).removed(ROLE)


def error_cones_shown(owner: Any) -> bool:
    """Whether there are any."""
    return bool(Belongings(owner).all(ROLE))


def error_cones(screw: Screw, budget: ErrorBudget) -> tuple[Mesh, Mesh]:
    """From the head's top to the tip: the frustum that holds the thread at the mean error, and that of 95 %.

    Between the two ends the spread is a little less than a straight line says.
    """
    errors, thread = deviations(budget), 0.5 * screw.type.diameter_mm
    at_head, at_tip = (spread_mm(errors, depth, SHARE) for depth in (0.0, screw.length_mm))
    entry, tip = np.asarray(screw.entry, dtype=float), tip_of(screw)
    inner, outer = (cone(entry, tip, thread + a, thread + b, _SIDES) for a, b in zip(at_head, at_tip))
    return inner, outer


def _both(cones: tuple[Mesh, Mesh]) -> Mesh:
    inner, outer = cones
    faces = np.concatenate([inner.faces, outer.faces + len(inner.vertices)])
    return Mesh(np.concatenate([inner.vertices, outer.vertices]), faces)


def _remove(node: Any) -> None:
    scene, display = node.GetScene(), node.GetDisplayNode()
    for one in (node, display):
        if one is not None:
            scene.RemoveNode(one)


def _new_node(scene: Any, folder: int) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLModelNode")
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetColor(*_COLOR)
    display.SetOpacity(_OPACITY)
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(1)
    put_in_folder(node, folder)
    return node
