"""Whether a design is right: every check on every implant, measured on the finished geometry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from LatticeGeneratorLib.progress import Progress, silent

from ..build.design import Design
from ..case.model import Case
from ..errors import CaseError, GeometryError, PlanError
from ..plan.plan import Plan
from .finding import Finding
from .measured import Measured
from .registry import Check, checks


def verify(case: Case, plan: Plan, design: Design, progress: Progress = silent) -> tuple[Finding, ...]:
    """All findings, nominal implant first, in a stable order, with the plan's waivers applied.

    Raises PlanError where a waiver names no finding of this design, or where the design is not one of this case and
    plan.
    """
    if design.implants[0].situation.plan != plan:
        raise PlanError("the design was built from another plan than the one given; build again")
    if design.implants[0].situation.case.digest != case.digest:
        raise PlanError(f"the design was built from another case than '{case.name}'; build again")
    findings: list[Finding] = []
    steps = checks()
    done, total = 0, len(steps) * len(design.implants)
    nominal = None
    for implant in design.implants:
        measured = Measured(implant, nominal)
        nominal = nominal or measured
        for step in steps:
            progress(f"{implant.situation.name}: {step.name.replace('_', ' ')}", done / total)
            findings.extend(_measured(step, measured))
            done += 1
    progress("verified", 1.0)
    return _waived(findings, plan)


def blocked(findings: Iterable[Finding]) -> bool:
    """Whether anything forbids manufacture: a failing finding, or a critical one that was not evaluated."""
    return any(finding.blocks for finding in findings)


def _measured(step: Check, measured: Measured) -> Iterator[Finding]:
    """A check's findings; where the geometry does not let it measure, that is a finding, and blocks."""
    try:
        yield from step.measure(measured)
    except (CaseError, GeometryError) as error:
        yield measured.finding(
            f"check.{step.name}",
            f"The check '{step.name}' could not measure this implant",
            None,
            "",
            "measurable",
            "not_evaluated",
            "what cannot be measured is not known to be right",
            critical=True,
            detail=str(error),
        )


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
