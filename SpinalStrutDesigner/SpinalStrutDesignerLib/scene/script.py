"""The work on nodes for scripts, without panel and child process: everything is done when a call returns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..build.build import build
from ..plan.json import plan_from_json, plan_to_json
from ..propose.propose import propose_plan
from ..release.release import release
from ..verify.finding import Finding
from ..verify.verify import verify
from .case_of import case_of


def propose_for(parameters: Any, upper: str, lower: str, preset: str) -> None:
    """Puts a proposed plan into a parameter node. Raises CaseError and PlanError as `propose_plan` does."""
    case = case_of(parameters)
    parameters.plan = plan_to_json(propose_plan(case, upper, lower, preset))
    parameters.plannedOn = case.digest


def release_of(parameters: Any, folder: str | Path) -> tuple[Finding, ...]:
    """Builds, verifies and releases a parameter node's plan; returns the findings. Raises as those do."""
    plan = plan_from_json(parameters.plan)
    case = case_of(parameters, plan.corrections)
    design = build(case, plan)
    findings = verify(case, plan, design)
    release(case, plan, design, findings, folder)
    return findings
