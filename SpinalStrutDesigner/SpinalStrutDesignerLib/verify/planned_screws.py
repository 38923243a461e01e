"""What can be said of a planned screw before anything is made: while it is dragged, and in the table of screws.

The same measurements as `screws` and `screw_risk` take of a finished implant. What needs the metal, such as the wall
around a head, is left to them.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..build.design import Situation
from .finding import Finding, Verdict
from .measured import Planned
from .placement import deviations
from .screw_risk import canal_breach, pullout
from .screws import screw_in_bone, screw_lines, to_screw

# From what forbids manufacture to what is well.
_WORST_FIRST: tuple[Verdict, ...] = ("fail", "not_evaluated", "warn", "waived", "pass")


def planned_screw(situation: Situation, number: int) -> tuple[Finding, ...]:
    """The findings of one screw of the situation's plan, numbered from 1 in its order, and of those beside it.

    Raises CaseError where the vertebra is not there.
    """
    planned = Planned(situation)
    lines = screw_lines(planned)
    line = lines[number - 1]
    found = [*screw_in_bone(planned, line), pullout(planned, line)]
    found.append(canal_breach(planned, line, deviations(planned.plan.budget)))
    for other in lines:
        if other is not line and other.screw.level == line.screw.level:
            # As in the check: between two screws it is the first one that is followed.
            first, second = sorted((line, other), key=lambda one: one.number)
            found.append(to_screw(planned, first, second))
    return tuple(found)


def grade_of(findings: Iterable[Finding]) -> Verdict:
    """The worst of some findings' verdicts: not evaluated counts only where it forbids manufacture, and where there is
    nothing else."""
    verdicts = {f.verdict for f in findings if f.verdict != "not_evaluated" or f.critical}
    return next((verdict for verdict in _WORST_FIRST if verdict in verdicts), "not_evaluated")
