"""Whether a design is right: every check on every implant, measured on the finished geometry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from LatticeGeneratorLib.progress import Progress, silent

from ..build.design import Design, Implant
from ..build.worker import can_work_beside
from ..case.model import Case
from ..errors import PlanError
from ..plan.plan import Plan
from .beside import Found, Task, start_beside
from .finding import Finding
from .measured import Measured
from .registry import Check, checks
from .take import taken


def verify(case: Case, plan: Plan, design: Design, progress: Progress = silent) -> tuple[Finding, ...]:
    """All findings, nominal implant first, in a stable order, with the plan's waivers applied.

    Raises PlanError where a waiver names no finding of this design, or where the design is not one of this case and
    plan.
    """
    if design.implants[0].situation.plan != plan:
        raise PlanError("the design was built from another plan than the one given; build again")
    if design.implants[0].situation.case.digest != case.digest:
        raise PlanError(f"the design was built from another case than '{case.name}'; build again")
    steps = checks()
    found = _found(design.implants, steps, progress)
    progress("verified", 1.0)
    numbers = range(len(design.implants))
    return _waived([f for number in numbers for step in steps for f in found[Task(number, step.name)]], plan)


def _found(implants: Sequence[Implant], steps: Sequence[Check], progress: Progress) -> Found:
    """The findings of every check on every implant, measured by two processes where there is a core for another."""
    nominal = Measured(implants[0])
    measured = (nominal, *(Measured(implant, nominal) for implant in implants[1:]))
    numbers = range(len(implants))
    own = [Task(number, step.name) for number in numbers for step in steps if not step.apart]
    # The other process starts at the report's end. What it has not begun when this one is through is taken from the
    # report's start, where checks need nothing but the mesh.
    apart = [Task(number, step.name) for step in reversed(steps) if step.apart for number in numbers]
    beside = start_beside(implants, apart) if can_work_beside() else None
    by_name, total = {step.name: step for step in steps}, len(own) + len(apart)
    found: Found = {}
    try:
        for done, task in enumerate((*own, *reversed(apart))):
            if done < len(own) or beside is None or beside.claims(task):
                name = measured[task.implant].implant.situation.name
                progress(f"{name}: {task.check.replace('_', ' ')}", done / total)
                found[task] = taken(by_name[task.check], measured[task.implant])
        if beside is not None:
            found |= beside.found(progress, (total - 1) / total)
    finally:
        if beside is not None:
            beside.stop()
    return found


def blocked(findings: Iterable[Finding]) -> bool:
    """Whether anything forbids manufacture: a failing finding, or a critical one that was not evaluated."""
    return any(finding.blocks for finding in findings)


def _waived(findings: list[Finding], plan: Plan) -> tuple[Finding, ...]:
    known = {finding.id for finding in findings}
    by_id = {waiver.finding: waiver for waiver in plan.waivers}
    unknown = sorted(set(by_id) - known)
    if unknown:
        raise PlanError(
            f"waivers: '{unknown[0]}' is no finding of this design; waive a finding by its id, such as "
            f"'{findings[0].id}', or remove the waiver"
        )
    return tuple(
        finding.waived(by_id[finding.id].name, by_id[finding.id].reason) if finding.id in by_id else finding
        for finding in findings
    )
