"""How near the implant comes to everything it must stay clear of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from LatticeGeneratorLib.mesh.samples import Nearest

from ..case.model import Structure
from ..plan.plan import KeepoutRule
from ..plan.rules import expected_critical, rule_for
from .displacement import displacement_needed
from .finding import Finding
from .measured import Measured
from .registry import check
from .ruling import displacement_verdict, distance_verdict, needed_displacement_mm

# Distances are exact to about this far from a structure and a lower bound beyond.
_EXACT_MM = 25.0

# What lies in front of and beside the spine and does not show on CT (clinical facts, "Cannot be seen on CT").
_UNSEEN = (
    ("segmental_vessels", "Segmental vessels at every level of the span: found and preserved or tied"),
    ("thoracic_duct", "Thoracic duct (left, lower neck and thorax)"),
    ("recurrent_nerve", "Recurrent laryngeal nerve on the side of the approach"),
    ("dura", "Dura, where it is not labelled: adhesions, ectasia"),
)


@check(order=20, apart=True)
def clearance(measured: Measured) -> Iterator[Finding]:
    """Least distance or displacement for each keep-out structure and metal, against its rule less the error budget."""
    for structure in measured.case.having("keepout_critical", "keepout_soft", "metal"):
        nearest = measured.nearest(structure)
        rule = rule_for(measured.plan, "metal" if structure.role == "metal" else structure.name)
        if rule is None:
            yield _without_rule(measured, structure, nearest)
        elif rule.kind == "clearance":
            yield _distance(measured, structure, nearest, rule)
        else:
            yield _displacement(measured, structure, nearest, rule)


@check(order=21, apart=True)
def expected(measured: Measured) -> Iterator[Finding]:
    """Critical structures that belong to the span but were not given."""
    if measured.prefix:
        return
    given = [s.name for s in measured.case.having("keepout_critical", "keepout_soft")]
    for wanted in expected_critical(measured.plan.upper, measured.plan.lower):
        if not wanted.covered_by(given):
            yield measured.finding(
                f"clearance.missing.{wanted.name.replace(' ', '_')}",
                f"Clearance to {wanted.name}",
                None,
                "mm",
                "must be labelled, or waived by name",
                "not_evaluated",
                f"lies beside {wanted.first}–{wanted.last}; a critical structure that was not given blocks manufacture",
                critical=True,
                detail="not in the label map",
            )


@check(order=22, apart=True)
def unseen(measured: Measured) -> Iterator[Finding]:
    """What CT cannot show, for a person to tick; and labels nobody could place."""
    if measured.prefix:
        return
    dura = any("dura" in s.name.lower() for s in measured.case.structures)
    for key, title in _UNSEEN:
        if key == "dura" and dura:
            continue
        yield measured.finding(
            f"checklist.{key}",
            title,
            "to be ticked by the surgeon",
            "",
            "a person looks",
            "warn",
            "cannot be seen on CT",
        )
    for name in measured.case.unknown:
        yield measured.finding(
            f"labels.unknown.{name}",
            f"Label '{name}' has no known meaning",
            name,
            "",
            "every label has a role",
            "warn",
            "an unknown structure is not checked for clearance: correct its role in the plan, or leave it out",
        )


def _distance(measured: Measured, structure: Structure, nearest: Nearest, rule: KeepoutRule) -> Finding:
    budget = measured.plan.budget.segmentation_to_print_mm
    left = nearest.distance_mm - budget
    limit = f"≥ {rule.limit_mm:g} mm after {budget:g} mm error budget"
    if rule.warn_mm > rule.limit_mm:
        limit += f", warns below {rule.warn_mm:g} mm"
    at_least = "at least this far; " if nearest.distance_mm > _EXACT_MM else ""
    return measured.finding(
        f"clearance.{_key(structure)}",
        f"Distance to {_spoken(structure)}",
        nearest.distance_mm,
        "mm",
        limit,
        distance_verdict(rule, left),
        rule.source,
        nearest.point,
        structure.role == "keepout_critical",
        f"{at_least}{left:.2f} mm after the budget"
        + (", the implant lies inside it" if left + budget < 0 else "")
        + _registered(structure),
    )


def _displacement(measured: Measured, structure: Structure, nearest: Nearest, rule: KeepoutRule) -> Finding:
    budget = measured.plan.budget.segmentation_to_print_mm
    situation = measured.implant.situation
    run = situation.lower.centre - situation.upper.centre
    pushed = displacement_needed(structure, measured.samples, nearest, run / np.linalg.norm(run))
    needed = needed_displacement_mm(pushed, nearest.distance_mm, budget)
    return measured.finding(
        f"clearance.{_key(structure)}",
        f"Displacement of {_spoken(structure)} at rest",
        needed,
        "mm",
        _displacement_limit(rule, budget),
        displacement_verdict(rule, needed),
        rule.source,
        nearest.point,
        structure.role == "keepout_critical",
        f"least distance {nearest.distance_mm:.2f} mm (negative: inside){_registered(structure)}",
    )


def _displacement_limit(rule: KeepoutRule, budget_mm: float) -> str:
    """The rule in words; where it passes as much as it warns at, it has one number."""
    warns = f", warns above {rule.warn_mm:g} mm" if rule.warn_mm < rule.limit_mm else ""
    return f"≤ {rule.limit_mm:g} mm{warns}, {budget_mm:g} mm error budget included"


def _without_rule(measured: Measured, structure: Structure, nearest: Nearest) -> Finding:
    return measured.finding(
        f"clearance.{_key(structure)}",
        f"Distance to {_spoken(structure)}",
        None,
        "mm",
        "the plan has no rule for it",
        "not_evaluated",
        "add a rule for this structure, or waive it by name",
        nearest.point,
        structure.role == "keepout_critical",
        f"measured {nearest.distance_mm:.2f} mm, no verdict without a rule{_registered(structure)}",
    )


def _registered(structure: Structure) -> str:
    """What a distance has been lessened by for a structure that a second image gave."""
    if not structure.error_mm:
        return ""
    return f"; {structure.error_mm:.2f} mm are taken off for the registration of the image it was drawn on"


def _key(structure: Structure) -> str:
    """The name as part of an id."""
    return structure.name.replace(" ", "_")


def _spoken(structure: Structure) -> str:
    return structure.name.replace("_", " ")
