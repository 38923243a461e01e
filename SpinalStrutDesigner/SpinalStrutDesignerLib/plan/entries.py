"""Entries of catalogues and tables, embedded in the plan as they were used: screws, materials, printers, rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from .record import Record, Vec


@dataclass(frozen=True)
class ScrewType(Record):
    """A catalogue entry, embedded as used. Head: a hemisphere of head_radius; length: top of the head to tip (ASTM
    F543). seat: what the implant is milled to under the head, a sphere of seat_radius or, within it, a cone of
    seat_angle between its sides. drive: the recess in the head; driver_diameter: of the straight tool that turns it."""

    _place: ClassVar[str] = "screw type"

    name: str = "3.5 mm small-fragment cancellous"
    diameter_mm: float = 3.5
    core_mm: float = 1.9
    pitch_mm: float = 1.75
    head_diameter_mm: float = 6.0
    head_radius_mm: float = 3.0
    pilot_mm: float = 2.5
    clearance_hole_mm: float = 3.7
    seat_radius_mm: float = 3.05
    seat: Literal["spherical", "conical"] = "spherical"
    seat_angle_deg: float = 90.0
    drive: str = "hexagon 2.5 mm"
    driver_diameter_mm: float = 5.0
    lengths_mm: tuple[float, ...] = tuple(float(x) for x in range(10, 52, 2))

    def _fault(self) -> tuple[str, str] | None:
        ordered = (
            ("core_mm", self.core_mm, "diameter_mm", self.diameter_mm),
            ("pilot_mm", self.pilot_mm, "diameter_mm", self.diameter_mm),
            ("diameter_mm", self.diameter_mm, "clearance_hole_mm", self.clearance_hole_mm),
            ("clearance_hole_mm", self.clearance_hole_mm, "head_diameter_mm", self.head_diameter_mm),
            ("head_radius_mm", self.head_radius_mm, "seat_radius_mm", self.seat_radius_mm),
            ("driver_diameter_mm", self.driver_diameter_mm, "twice seat_radius_mm", 2.0 * self.seat_radius_mm),
        )
        for small, less, large, more in ordered:
            if less > more:
                return small, f"{less:g} mm is more than {large}, {more:g} mm; correct the catalogue entry"
        if self.head_diameter_mm > 2.0 * self.head_radius_mm + 1e-9:
            return "head_diameter_mm", f"{self.head_diameter_mm:g} mm is more than twice head_radius_mm"
        if not self.lengths_mm or list(self.lengths_mm) != sorted(set(self.lengths_mm)):
            return "lengths_mm", f"{self.lengths_mm} must be given, each once, from short to long"
        return None


@dataclass(frozen=True)
class KeepoutRule(Record):
    """The rule for one kind of structure. kind 'clearance': at least limit_mm away (warn below warn_mm);
    kind 'displacement': pushed by at most warn_mm (pass) or limit_mm (warn), beyond that fail."""

    _place: ClassVar[str] = "rules"

    structure: str
    kind: Literal["clearance", "displacement"]
    limit_mm: float
    warn_mm: float
    source: str

    def _fault(self) -> tuple[str, str] | None:
        if self.kind == "clearance" and self.warn_mm < self.limit_mm:
            return "warn_mm", (
                f"{self.warn_mm:g} mm is less than limit_mm, {self.limit_mm:g} mm;"
                " a clearance warns at or above the distance at which it fails"
            )
        if self.kind == "displacement" and self.warn_mm > self.limit_mm:
            return "warn_mm", (
                f"{self.warn_mm:g} mm is more than limit_mm, {self.limit_mm:g} mm;"
                " a displacement warns at or below the push at which it fails"
            )
        return None


@dataclass(frozen=True)
class RetractionRule(Record):
    """How one kind of structure may give way while the implant is brought in. kind 'aside': held aside by at most
    limit_mm; 'collapsed': emptied, so that it leaves its place (a lung)."""

    _place: ClassVar[str] = "insertion.retractions"

    structure: str
    kind: Literal["aside", "collapsed"]
    limit_mm: float
    source: str


@dataclass(frozen=True)
class Material(Record):
    """Mechanical properties with their source."""

    _place: ClassVar[str] = "material"

    name: str = "Ti6Al4V ELI (grade 23), laser powder bed, HIP"
    elastic_modulus_MPa: float = 118500.0
    poisson: float = 0.342
    yield_MPa: float = 795.0
    tensile_MPa: float = 860.0
    porous_strength_ratio: float = 0.10
    density_g_cm3: float = 4.43
    source: str = (
        "E: printed and HIPed, PMC7867014; yield, tensile: ASTM F3001 minimum, verify locally; porous: Kelly 2019"
    )

    def _fault(self) -> tuple[str, str] | None:
        if self.yield_MPa > self.tensile_MPa:
            return "yield_MPa", f"{self.yield_MPa:g} MPa is more than tensile_MPa, {self.tensile_MPa:g} MPa"
        return None


@dataclass(frozen=True)
class Printer(Record):
    """What a printer and its process can make. overhang: from horizontal, below it a face needs support;
    channel: largest round horizontal hole that prints open without a teardrop is below it."""

    _place: ClassVar[str] = "printer"

    name: str = "DMP320-like laser powder bed, Ti6Al4V ELI"
    envelope_mm: Vec = (275.0, 275.0, 420.0)
    least_wall_mm: float = 0.4
    structural_wall_mm: float = 0.6
    recommended_wall_mm: float = 1.0
    least_strut_mm: float = 0.3
    detail_mm: float = 0.5
    overhang_deg: float = 45.0
    channel_mm: float = 8.0
    powder_hole_mm: float = 2.0
    source: str = "general laser powder bed limits for Ti6Al4V ELI; verify locally with the printer's own"

    def _fault(self) -> tuple[str, str] | None:
        if not self.least_wall_mm <= self.structural_wall_mm <= self.recommended_wall_mm:
            return "least_wall_mm", "least, structural and recommended wall must not decrease; correct the entry"
        return None
