"""What the planning of screws found, runners-up too, kept in the scene as a text, and of which plan it is true."""

from __future__ import annotations

from typing import Any

from LatticeGeneratorLib.scene.hierarchy import put_in_folder

from ..build.build import input_digest
from ..case.model import Case
from ..plan.plan import Plan
from ..propose.screw_plan import EndScrews
from ..propose.screws_json import ends_from_json
from .belongings import Belongings

ROLE = "screwSets"
_FOR = "SpinalStrutDesigner.ScrewSetsFor"


def screws_digest(case: Case, plan: Plan) -> str:
    """What planned screws hang on: the case, the plan but its screws and waivers, and the algorithm."""
    return input_digest(case, plan.with_(screws=(), waivers=()))


def show_screw_sets(owner: Any, folder: int, text: str, digest: str) -> Any:
    """Keeps what was found (as `ends_from_json` reads it) in the case's text node, made where there is none."""
    belongings = Belongings(owner)
    node = belongings.get(ROLE)
    if node is None:
        node = owner.GetScene().AddNewNodeByClass("vtkMRMLTextNode", "Planned screws")
        put_in_folder(node, folder)
    node.SetText(text)
    node.SetAttribute(_FOR, digest)
    if belongings.get(ROLE) is None:
        belongings.put(ROLE, node)
    return node


def screw_sets_in(owner: Any) -> tuple[EndScrews, ...]:
    """What was found last; none where nothing was. Raises PlanError where the text cannot be read."""
    node = Belongings(owner).get(ROLE)
    return ends_from_json(node.GetText()) if node is not None and node.GetText() else ()


def screw_sets_are_for(owner: Any, digest: str) -> bool:
    """Whether what was found is true of a case and plan, by `screws_digest`."""
    node = Belongings(owner).get(ROLE)
    return node is not None and node.GetAttribute(_FOR) == digest
