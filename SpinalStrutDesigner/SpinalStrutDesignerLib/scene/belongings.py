"""The nodes that one case owns in the scene, found through node references of its parameter node.

Names are the user's to change and ids change when scenes are merged; references survive both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_PREFIX = "SpinalStrutDesigner."


@dataclass(frozen=True)
class Belongings:
    """What belongs to a parameter node (vtkMRMLScriptedModuleNode), by role."""

    owner: Any

    def get(self, role: str) -> Any:
        """The node of a role, or None."""
        return self.owner.GetNodeReference(_PREFIX + role)

    def all(self, role: str) -> list[Any]:
        """The nodes of a role, in order; those that were deleted are left out."""
        count = self.owner.GetNumberOfNodeReferences(_PREFIX + role)
        found = (self.owner.GetNthNodeReference(_PREFIX + role, n) for n in range(count))
        return [node for node in found if node is not None]

    def put(self, role: str, *nodes: Any) -> None:
        """Makes these the nodes of a role, in place of those before."""
        self.owner.RemoveNodeReferenceIDs(_PREFIX + role)
        for node in nodes:
            self.owner.AddNodeReferenceID(_PREFIX + role, node.GetID())

    def removed(self, role: str) -> None:
        """Takes the nodes of a role out of the scene."""
        for node in self.all(role):
            self.owner.GetScene().RemoveNode(node)
        self.owner.RemoveNodeReferenceIDs(_PREFIX + role)
