"""As printed beside as designed."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .measures import Measures

# What a person reads: the measure, its unit, and how many of that unit the record's own holds.
WORDS: dict[str, tuple[str, str, float]] = {
    "porosity": ("Porosity", "%", 100.0),
    "pore_mm": ("Pore size, mean", "mm", 1.0),
    "pore_p5_mm": ("Pore size, 5th percentile", "mm", 1.0),
    "pore_p95_mm": ("Pore size, 95th percentile", "mm", 1.0),
    "largest_mm": ("Largest inscribed sphere", "mm", 1.0),
    "strut_mm": ("Strut thickness, mean", "mm", 1.0),
    "thinnest_mm": ("Strut thickness, 5th percentile", "mm", 1.0),
    "throat_mm": ("Throat", "mm", 1.0),
    "interconnected": ("Interconnected void", "%", 100.0),
    "closed_pores": ("Closed pores", "", 1.0),
    "area_per_mm": ("Surface per volume", "mm²/mm³", 1.0),
    "void_intercept_mm": ("Mean void intercept (ASTM F1854)", "mm", 1.0),
    "metal_intercept_mm": ("Mean metal intercept (ASTM F1854)", "mm", 1.0),
    "region_mm3": ("Volume of the domain", "mm³", 1.0),
    "metal_mm3": ("Volume of the metal in it", "mm³", 1.0),
}


@dataclass(frozen=True)
class Difference:
    """One measure of two bodies, in the unit that `WORDS` names. share: of the first's value, None where that is 0."""

    name: str
    designed: float
    printed: float

    @property
    def change(self) -> float:
        """Printed less designed."""
        return self.printed - self.designed

    @property
    def share(self) -> float | None:
        """The change over the designed value; None where that is 0."""
        return self.change / self.designed if self.designed else None


def compared(designed: Measures, printed: Measures) -> tuple[Difference, ...]:
    """Every measure of a body as designed and as printed, in the record's order.

    Both must have been measured in the same domain, each in its own frame: a domain that is not registered to the scan
    compares different pieces.
    """
    return tuple(
        Difference(field.name, *(WORDS[field.name][2] * float(getattr(m, field.name)) for m in (designed, printed)))
        for field in fields(Measures)
    )
