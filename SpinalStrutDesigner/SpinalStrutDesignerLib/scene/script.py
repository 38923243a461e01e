"""The work on nodes for scripts, without panel and child process: everything is done when a call returns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..build.build import build
from ..errors import CaseError
from ..plan.json import plan_from_json, plan_to_json
from ..propose.propose import propose_plan
from ..release.release import release
from ..verify.finding import Finding
from ..verify.verify import verify
from .case_nodes import case_from_nodes


def propose_for(parameters: Any, upper: str, lower: str, preset: str) -> None:
    """Puts a proposed plan into a parameter node. Raises CaseError and PlanError as `propose_plan` does."""
    case = case_from_nodes(*_sources(parameters))
    parameters.plan = plan_to_json(propose_plan(case, upper, lower, preset))
    parameters.plannedOn = case.digest


def release_of(parameters: Any, folder: str | Path) -> tuple[Finding, ...]:
    """Builds, verifies and releases a parameter node's plan; returns the findings. Raises as those do."""
    plan = plan_from_json(parameters.plan)
    case = case_from_nodes(*_sources(parameters), corrections=plan.corrections)
    design = build(case, plan)
    findings = verify(case, plan, design)
    release(case, plan, design, findings, folder)
    return findings


def _sources(parameters: Any) -> tuple[Any, Any]:
    for node, words in ((parameters.volume, "CT volume"), (parameters.segmentation, "segmentation")):
        if not node:
            raise CaseError(f"no {words} is chosen: choose the {words}")
    return parameters.volume, parameters.segmentation
