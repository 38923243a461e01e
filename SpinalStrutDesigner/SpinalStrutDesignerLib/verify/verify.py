"""Whether a design is right: every check on every implant, measured on the finished geometry."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from LatticeGeneratorLib.progress import Progress, silent

from ..build.design import Design, Implant
from ..case.model import Case
from ..errors import PlanError
from ..plan.plan import Plan
from ..threads import both
from .finding import Finding
from .measured import Measured
from .registry import Check, checks, design_checks
from .take import taken, taken_on_design

Task = tuple[Measured, Check]
# By the implant's situation and the check's name.
Found = dict[tuple[str, str], tuple[Finding, ...]]


def verify(case: Case, plan: Plan, design: Design, progress: Progress = silent) -> tuple[Finding, ...]:
    """All findings, nominal implant first, guides last, in a stable order, with the plan's waivers applied.

    Raises PlanError where a waiver names no finding of this design, or where the design is not one of this case and
    plan.
    """
    if design.implants[0].situation.plan != plan:
        raise PlanError("the design was built from another plan than the one given; build again")
    if design.implants[0].situation.case.digest != case.digest:
        raise PlanError(f"the design was built from another case than '{case.name}'; build again")
    steps = checks()
    found = _found(design.implants, steps, progress)
    progress("guides", 0.97)
    guides = [finding for step in design_checks() for finding in taken_on_design(step, design)]
    progress("verified", 1.0)
    names = [implant.situation.name for implant in design.implants]
    return _waived([*(f for name in names for step in steps for f in found[name, step.name]), *guides], plan)


def _found(implants: Sequence[Implant], steps: Sequence[Check], progress: Progress) -> Found:
    """The findings of every check on every implant."""
    nominal = Measured(implants[0])
    measured = (nominal, *(Measured(implant, nominal) for implant in implants[1:]))
    own = [(one, step) for one in measured for step in steps if not step.apart]
    apart = [(one, step) for step in steps if step.apart for one in measured]
    left, total = deque(own + apart), len(own) + len(apart)
    found: Found = {}

    # Two threads take from the two ends, so that they seldom wait for a measurement that the other one makes.
    def take(next_task: Callable[[], Task], told: Progress) -> None:
        while left:
            try:
                one, step = next_task()
            except IndexError:  # the other thread took the last one
                return
            told(f"{one.implant.situation.name}: {step.name.replace('_', ' ')}", len(found) / total)
            found[one.implant.situation.name, step.name] = taken(step, one)

    both(lambda: take(left.popleft, progress), lambda: take(left.pop, silent), lambda: progress("last checks", 0.95))
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
