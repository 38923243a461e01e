"""A finding: what was measured on the finished geometry, and whether it is right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Verdict = Literal["pass", "warn", "fail", "not_evaluated", "waived"]


@dataclass(frozen=True)
class Finding:
    """One measurement with its limit and verdict.

    id: dotted and stable ("clearance.oesophagus", "plus2mm.clearance.oesophagus"); value None when not evaluated.
    limit: the rule in words with its number ("≥ 5 mm less 0.8 mm budget"); basis: where the limit comes from;
    location: RAS mm of the place measured; critical: blocks manufacture while not evaluated.
    """

    id: str
    title: str
    value: float | str | None
    unit: str
    limit: str
    verdict: Verdict
    basis: str
    location: tuple[float, float, float] | None = None
    critical: bool = False
    detail: str = ""

    @property
    def blocks(self) -> bool:
        """True when the design must not be manufactured because of this finding."""
        return self.verdict == "fail" or (self.verdict == "not_evaluated" and self.critical)

    def waived(self, name: str, reason: str) -> Finding:
        """The finding as accepted by a named person; the measured value stays."""
        return replace(self, verdict="waived", detail=f"{self.detail} Waived by {name}: {reason}".strip())
