"""One check taken on one implant, whatever becomes of it."""

from __future__ import annotations

from ..errors import CaseError, GeometryError
from .finding import Finding
from .measured import Measured
from .registry import Check


def taken(step: Check, measured: Measured) -> tuple[Finding, ...]:
    """A check's findings; where the geometry does not let it measure, that is a finding, and blocks."""
    found: list[Finding] = []
    try:
        found.extend(step.measure(measured))
    except (CaseError, GeometryError) as error:
        found.append(
            measured.finding(
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
        )
    return tuple(found)
