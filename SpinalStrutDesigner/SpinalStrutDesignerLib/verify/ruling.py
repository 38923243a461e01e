"""What a keep-out rule says of a measured distance or displacement: one ruling for findings and live previews."""

from __future__ import annotations

from ..plan.plan import KeepoutRule
from .finding import Verdict


def distance_verdict(rule: KeepoutRule, left_mm: float) -> Verdict:
    """left_mm: the distance less the error budget."""
    return "fail" if left_mm < rule.limit_mm else "warn" if left_mm < rule.warn_mm else "pass"


def needed_displacement_mm(pushed_mm: float, distance_mm: float, budget_mm: float) -> float:
    """How far a structure must give way with the error budget: pushed_mm as measured (0 where nothing lies in it),
    distance_mm: the least distance."""
    return pushed_mm + budget_mm if pushed_mm > 0.0 else max(0.0, budget_mm - distance_mm)


def displacement_verdict(rule: KeepoutRule, needed_mm: float) -> Verdict:
    """needed_mm: by how much the structure must give way, error budget included."""
    return "pass" if needed_mm <= rule.warn_mm else "warn" if needed_mm <= rule.limit_mm else "fail"
