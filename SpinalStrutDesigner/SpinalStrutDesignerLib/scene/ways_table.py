"""What a search for ways in found, as a case's table node, and what it is true of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from LatticeGeneratorLib.scene.hierarchy import put_in_folder

from ..verify.finding import Finding
from .belongings import Belongings
from .findings_table import Row, rows_of, show_findings

_ROLE = "waysFound"
# The attribute that holds the digest of the case and plan whose ways they are.
_FOR = "SpinalStrutDesigner.WaysFor"


def show_ways(owner: Any, folder: int, findings: Iterable[Finding], digest: str) -> Any:
    """The table node with one row a finding: the case's own, made where there is none."""
    belongings = Belongings(owner)
    before = belongings.get(_ROLE)
    node = show_findings(owner.GetScene(), findings, before)
    node.SetAttribute(_FOR, digest)
    if before is None:
        node.SetName("Ways in")
        put_in_folder(node, folder)
        belongings.put(_ROLE, node)
    return node


def ways_in(owner: Any) -> tuple[Row, ...]:
    """What was found; nothing before a search."""
    return rows_of(Belongings(owner).get(_ROLE))


def are_for(owner: Any, digest: str) -> bool:
    """Whether what was found is true of this case and plan."""
    node = Belongings(owner).get(_ROLE)
    return node is not None and bool(node.GetAttribute(_FOR) == digest)
