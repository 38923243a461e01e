"""Parts of a design as model nodes in their case's folder of the subject hierarchy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from LatticeGeneratorLib.mesh import shown
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.stl import read_stl
from LatticeGeneratorLib.scene.hierarchy import put_in_folder
from LatticeGeneratorLib.scene.models import shade, show_mesh

from ..build.design import Design
from ..errors import ReleaseError
from .belongings import Belongings

# The attribute by which a part's node is found again, whatever a person has called it since.
PART = "SpinalStrutDesigner.Part"
_COLORS = {
    "implant": (0.72, 0.74, 0.78), "as_printed": (0.62, 0.64, 0.70), "guide": (0.93, 0.80, 0.45),
    "trial": (0.55, 0.75, 0.90), "model": (0.93, 0.87, 0.75),
}  # fmt: skip
_SHOWN_AT_FIRST = ("implant",)
ROLE, WHOLE = "part", "wholePart"


@dataclass(frozen=True, eq=False)
class ShownPart:
    """A part as the scene needs it. mesh: RAS mm."""

    name: str
    role: str
    mesh: Mesh


def parts_of(design: Design) -> tuple[ShownPart, ...]:
    """The parts of a design."""
    return tuple(ShownPart(part.name, part.role, part.mesh) for part in design.parts)


def parts_in(directory: str | Path) -> Iterator[ShownPart]:
    """The parts of a release folder, each read from its STL file when it is asked for.

    Raises ReleaseError where there is no design in it.
    """
    folder = Path(directory)
    index = folder / "design.json"
    if not index.is_file():
        raise ReleaseError(f"'{folder}' holds no design.json, so it is no release; choose the folder of a release")
    rows = json.loads(index.read_text(encoding="utf-8"))["parts"]
    return (ShownPart(row["name"], row["role"], read_stl(folder / row["file"])) for row in rows)


def implant_nodes(owner: Any) -> list[Any]:
    """The nodes of a case's nominal implant; none before there is one."""
    return [node for node in Belongings(owner).all(ROLE) if node.GetAttribute(PART) == "implant"]


def show_parts(owner: Any, folder: int, parts: Iterable[ShownPart]) -> list[Any]:
    """As `showing_parts`, at once; returns the nodes."""
    for _ in showing_parts(owner, folder, parts):
        pass
    return Belongings(owner).all(ROLE)


def showing_parts(owner: Any, folder: int, parts: Iterable[ShownPart]) -> Iterator[str]:
    """Shows a case's parts as model nodes, one a step, and tells the name of each; a node that is there is used again.

    owner: the case's parameter node; folder: its item in the subject hierarchy. At first only the nominal implant and
    the spine are visible; what a person shows, hides or makes translucent later is kept. Nodes of parts that are no
    longer made are removed. A part of more than SHOWN_FACES faces is shown thinned out; the files hold it whole.
    """
    belongings = Belongings(owner)
    before = {node.GetAttribute(PART): node for node in belongings.all(ROLE)}
    nodes = []
    for part in parts:
        known = before.pop(part.name, None)
        color = _COLORS.get(part.role, (0.8, 0.8, 0.8))
        node = show_mesh(owner.GetScene(), shown.shown_mesh(part.mesh), part.name, color, known)
        shade(node)
        if known is None:
            _dress(node, part, folder)
        nodes.append(node)
        yield part.name
    for node in before.values():
        owner.GetScene().RemoveNode(node)
    belongings.put(ROLE, *nodes)


def keep_whole(owner: Any, folder: int, parts: Iterable[ShownPart]) -> None:
    """Keeps the whole mesh of every part that is shown thinned out, in hidden nodes that are saved with the scene."""
    belongings = Belongings(owner)
    belongings.removed(WHOLE)
    nodes = []
    for part in parts:
        if len(part.mesh.faces) > shown.SHOWN_FACES:
            color = _COLORS.get(part.role, (0.8, 0.8, 0.8))
            node = show_mesh(owner.GetScene(), part.mesh, f"{part.name} (whole)", color)
            node.GetDisplayNode().SetVisibility(False)
            put_in_folder(node, folder)
            nodes.append(node)
    belongings.put(WHOLE, *nodes)


def _dress(node: Any, part: ShownPart, folder: int) -> None:
    node.SetAttribute(PART, part.name)
    display = node.GetDisplayNode()
    display.SetVisibility(part.name in _SHOWN_AT_FIRST)
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(2)
    if part.role == "model":
        display.SetOpacity(0.35)
    put_in_folder(node, folder)
