"""The plan as the text of a node. Nothing of it is stored twice: the text is the plan's JSON."""

from __future__ import annotations

from typing import Any

from ..errors import PlanError
from ..plan.json import plan_from_json, plan_to_json
from ..plan.plan import Plan


def show_plan(scene: Any, plan: Plan, node: Any = None) -> Any:
    """The text node that holds the plan: the one given, or else a new one."""
    if node is None:
        node = scene.AddNewNodeByClass("vtkMRMLTextNode", "Strut plan")
    node.SetText(plan_to_json(plan))
    return node


def plan_of(node: Any) -> Plan:
    """The plan in a text node. Raises PlanError where there is none or it is not valid."""
    text = node.GetText()
    if not text:
        raise PlanError(f"the text '{node.GetName()}' is empty; load a plan.json")
    return plan_from_json(text)
