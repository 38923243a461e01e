"""One check taken on one implant, or on the rest of a design, whatever becomes of it."""

from __future__ import annotations

from ..build.design import Design
from ..errors import CaseError, GeometryError
from .finding import Finding
from .measured import Measured, finding_in
from .registry import Check, DesignCheck


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


def taken_on_design(step: DesignCheck, design: Design) -> tuple[Finding, ...]:
    """The same of a check of a design's guides and other parts."""
    found: list[Finding] = []
    try:
        found.extend(step.measure(design))
    except (CaseError, GeometryError) as error:
        found.append(
            finding_in(
                design.implants[0].situation,
                f"check.{step.name}",
                f"The check '{step.name}' could not measure the guides",
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
