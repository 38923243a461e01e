"""Parts as model nodes in one folder of the subject hierarchy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.stl import read_stl
from LatticeGeneratorLib.scene.models import show_mesh

from ..build.design import Design
from ..errors import ReleaseError

# The attribute by which a part's node is found again, whatever a person has called it since.
PART = "SpinalStrutDesigner.Part"
_COLORS = {
    "implant": (0.72, 0.74, 0.78), "guide": (0.93, 0.80, 0.45), "trial": (0.55, 0.75, 0.90),
    "model": (0.93, 0.87, 0.75),
}  # fmt: skip
_SHOWN_AT_FIRST = ("implant", "spine")


@dataclass(frozen=True, eq=False)
class ShownPart:
    """A part as the scene needs it. mesh: RAS mm."""

    name: str
    role: str
    mesh: Mesh


def parts_of(design: Design) -> tuple[ShownPart, ...]:
    """The parts of a design."""
    return tuple(ShownPart(part.name, part.role, part.mesh) for part in design.parts)


def parts_in(directory: str | Path) -> tuple[ShownPart, ...]:
    """The parts of a release folder, read from its STL files. Raises ReleaseError where there is no design in it."""
    folder = Path(directory)
    index = folder / "design.json"
    if not index.is_file():
        raise ReleaseError(f"'{folder}' holds no design.json, so it is no release; choose the folder of a release")
    rows = json.loads(index.read_text(encoding="utf-8"))["parts"]
    return tuple(ShownPart(row["name"], row["role"], read_stl(folder / row["file"])) for row in rows)


def show_parts(scene: Any, parts: Iterable[ShownPart], folder: str) -> list[Any]:
    """Show parts as model nodes in a folder of that name; nodes of the same folder and part are used again.

    At first only the nominal implant and the spine are visible; what a person shows or hides later is kept, and nodes
    of the folder's parts that are no longer made are removed.
    """
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = _folder(hierarchy, folder)
    before = _nodes_in(hierarchy, item)
    nodes = []
    for part in parts:
        known = before.pop(part.name, None)
        color = _COLORS.get(part.role, (0.8, 0.8, 0.8))
        node = show_mesh(scene, part.mesh, part.name, color, known)
        if known is None:
            node.SetAttribute(PART, part.name)
            node.GetDisplayNode().SetVisibility(part.name in _SHOWN_AT_FIRST)
            if part.role == "model":
                node.GetDisplayNode().SetOpacity(0.5)
            _put(hierarchy, node, item)
        nodes.append(node)
    for node in before.values():
        scene.RemoveNode(node)
    return nodes


def _folder(hierarchy: Any, name: str) -> int:
    root = hierarchy.GetSceneItemID()
    item = hierarchy.GetItemChildWithName(root, name)
    return item if item else hierarchy.CreateFolderItem(root, name)


def _put(hierarchy: Any, node: Any, folder: int) -> None:
    """In the application a node has an item as soon as it is in the scene; without it the item is made here."""
    item = hierarchy.GetItemByDataNode(node)
    if item:
        hierarchy.SetItemParent(item, folder)
    else:
        hierarchy.CreateItem(folder, node)


def _nodes_in(hierarchy: Any, item: int) -> dict[str, Any]:
    import vtk

    children = vtk.vtkIdList()
    hierarchy.GetItemChildren(item, children)
    nodes = [hierarchy.GetItemDataNode(children.GetId(n)) for n in range(children.GetNumberOfIds())]
    return {node.GetAttribute(PART): node for node in nodes if node is not None and node.GetAttribute(PART)}
