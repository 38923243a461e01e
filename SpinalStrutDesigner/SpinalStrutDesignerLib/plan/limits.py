"""What each field of a plan may be, and where its default comes from: one table, `Class.field` to a row."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..case.levels import LEVELS
from ..errors import PlanError

_JUDGED = "engineering judgement; verify locally"
_RECALLED = "recalled for this screw family, not read at its source; verify locally against the hospital's set"
_CT = "measured on the patient's CT or chosen by a person; no default"
_PAPER = "Willemsen et al., Lancet Digital Health 2019"


@dataclass(frozen=True)
class Range:
    """A number, or each of several, between low and high (both allowed)."""

    low: float
    high: float
    source: str

    def checked(self, value: float, path: str) -> float:
        """The value itself. Raises PlanError with the field, the value and the range."""
        if math.isfinite(value) and self.low <= value <= self.high:
            return value
        unit = unit_of(path)
        raise PlanError(f"{path}: {value:g}{unit} is outside {self.low:g} to {self.high:g}{unit}")


@dataclass(frozen=True)
class Text:
    """A text of a given form."""

    pattern: str
    form: str
    source: str

    def checked(self, value: str, path: str) -> str:
        """The value itself. Raises PlanError with the field, the value and the form."""
        if re.fullmatch(self.pattern, value) and value.isprintable():
            return value
        raise PlanError(f"{path}: {value!r} is not {self.form}")


@dataclass(frozen=True)
class Level:
    """The name of a vertebra."""

    source: str = _CT

    def checked(self, value: str, path: str) -> str:
        """The value itself. Raises PlanError with the field, the value and the names there are."""
        if value in LEVELS:
            return value
        raise PlanError(f"{path}: {value!r} is no vertebra; levels are C1 to C7, T1 to T12 (T13), L1 to L5 (L6)")


@dataclass(frozen=True)
class Direction:
    """A vector whose length does not matter; kept with length 1."""

    source: str

    def checked(self, value: tuple[float, ...], path: str) -> tuple[float, ...]:
        """The unit vector. Raises PlanError where the vector has no direction."""
        length = math.hypot(*value)
        if not math.isfinite(length) or length < 1e-6:
            raise PlanError(f"{path}: {value} has no direction; give a vector longer than 0.000001 and finite")
        # A vector that is already a unit one is kept to the bit, so that reading a written plan changes nothing.
        return value if abs(length - 1.0) < 1e-12 else tuple(x / length for x in value)


Row = Range | Text | Level | Direction


def unit_of(path: str) -> str:
    """The unit a field's name ends with, with a space before it; empty where it has none."""
    name = path.rstrip("0123456789.").rsplit(".", 1)[-1]
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            return f" {unit}"
    return ""


_UNITS = {
    "_um": "µm", "_mm": "mm", "_deg": "°", "_Nmm": "N·mm", "_N": "N", "_MPa": "MPa", "_kg": "kg", "_g_cm3": "g/cm³",
    "_percent": "%",
}  # fmt: skip

_PLACE = Range(-5000.0, 5000.0, _CT)
_NAMED = Text(r".*\S.*", "a text; it must not be empty", _CT)


def _safety(value: str) -> Range:
    return Range(0.0, 20.0, f"surgical safety distance {value}, recalled; verify locally")


LIMITS: dict[str, Row] = {
    "EndplateOverride.level": Level(),
    "EndplateOverride.centre": _PLACE,
    "EndplateOverride.normal": Direction(_CT),
    "EndplateOverride.width_mm": Range(4.0, 90.0, _CT),
    "EndplateOverride.depth_mm": Range(4.0, 70.0, _CT),
    "Corrections.levels": _NAMED,
    "Corrections.roles": _NAMED,
    "Pose.distraction_mm": Range(-30.0, 60.0, "0: the posture of the CT is kept"),
    "Pose.lordosis_deg": Range(-60.0, 60.0, "0: the posture of the CT is kept"),
    "Pose.coronal_deg": Range(-60.0, 60.0, "0: the posture of the CT is kept"),
    "Pose.rotation_deg": Range(-45.0, 45.0, "0: the posture of the CT is kept"),
    "Resection.level": Level(),
    "Resection.point": _PLACE,
    "Resection.normal": Direction(_CT),
    "Axis.control_points": _PLACE,
    "Axis.offset": Range(-100.0, 100.0, "0: the axis runs through its control points"),
    "Axis.back": Direction("straight posterior in RAS until the column's direction is measured"),
    "Section.width_mm": Range(2.0, 40.0, f"{_PAPER}, case 2: about 10 mm wide"),
    "Section.depth_mm": Range(2.0, 40.0, f"{_PAPER}, case 2: 5 mm deep"),
    "Section.corner_radius_mm": Range(0.0, 20.0, f"no sharp edge next to dura and oesophagus; {_JUDGED}"),
    "Section.back_radius_mm": Range(2.0, 500.0, f"about the front of a cervicothoracic body; {_JUDGED}"),
    "Section.lower_width_mm": Range(2.0, 40.0, "none: no taper"),
    "Section.lower_depth_mm": Range(2.0, 40.0, "none: no taper"),
    "FootPlan.height_mm": Range(0.5, 60.0, _JUDGED),
    "FootPlan.ring_margin_mm": Range(0.0, 10.0, f"the ring is strongest, the foot reaches it; {_JUDGED}"),
    "FootPlan.posterior_margin_mm": Range(0.0, 20.0, f"distance kept from the posterior wall; {_JUDGED}"),
    "FootPlan.fit_gap_mm": Range(0.0, 2.0, f"median print error 0.26 mm (Schulze 2024), rounded up; {_JUDGED}"),
    "FootPlan.blend_mm": Range(0.0, 10.0, _JUDGED),
    "FootPlan.bridge_mm": Range(0.0, 60.0, f"wider than any endplate: from all of the foot; {_JUDGED}"),
    "InterfacePlan.cell": Text(r"[a-z][a-z0-9_]*", "a cell's name in small letters", "the only cell measured with a "
                               "throat above 0.5 mm and a strut of 0.3 mm at 70 % porosity"),
    "InterfacePlan.pore_um": Range(100.0, 2000.0, f"{_PAPER}: pores 500-600 µm"),
    "InterfacePlan.porosity": Range(0.2, 0.9, f"{_PAPER}: overall porosity 70 %"),
    "InterfacePlan.depth_mm": Range(0.0, 10.0, "ceiling of 21 CFR 888.3358 (500-1500 µm), a hip-cup rule used as a "
                                    "comparator"),
    "InterfacePlan.frame_mm": Range(0.0, 5.0, f"recommended titanium wall 1.0 mm for laser powder bed; {_JUDGED}"),
    "InterfacePlan.minimum_solid_mm": Range(0.0, 10.0, f"root strength of a thin foot; {_JUDGED}"),
    "Flange.azimuth_deg": Range(-180.0, 180.0, "in front: the direction of an anterior approach"),
    "Flange.width_mm": Range(4.0, 60.0, f"two 3.5 mm heads side by side; {_JUDGED}"),
    "Flange.height_mm": Range(3.0, 60.0, f"within a C4 body's height of 11.4 mm (Panjabi, recalled); {_JUDGED}"),
    "Flange.thickness_mm": Range(1.0, 12.0, _JUDGED),
    "ScrewType.name": _NAMED,
    "ScrewType.diameter_mm": Range(1.0, 12.0, f"{_PAPER}: 3.5 mm small-fragment cancellous"),
    "ScrewType.core_mm": Range(0.5, 11.0, _RECALLED),
    "ScrewType.pitch_mm": Range(0.2, 8.0, _RECALLED),
    "ScrewType.head_diameter_mm": Range(1.0, 20.0, _RECALLED),
    "ScrewType.head_radius_mm": Range(0.5, 10.0, _RECALLED),
    "ScrewType.pilot_mm": Range(0.5, 11.0, "pilot drill 2.5 mm for the 3.5 mm screw; verify locally"),
    "ScrewType.clearance_hole_mm": Range(1.0, 13.0, _RECALLED),
    "ScrewType.seat_radius_mm": Range(0.5, 11.0, _RECALLED),
    "ScrewType.seat_angle_deg": Range(30.0, 150.0, f"countersunk heads have 90°; {_RECALLED}"),
    "ScrewType.drive": _NAMED,
    "ScrewType.driver_diameter_mm": Range(0.5, 20.0, f"of the shaft or holding sleeve of the driver: {_RECALLED}"),
    "ScrewType.lengths_mm": Range(4.0, 200.0, _RECALLED),
    "Screw.level": Level(),
    "Screw.entry": _PLACE,
    "Screw.direction": Direction(_CT),
    "Screw.length_mm": Range(4.0, 200.0, _CT),
    "Variant.amount_mm": Range(0.1, 30.0, f"{_PAPER}: +2 and +4 mm (case 1), +3 mm (case 2)"),
    "Waypoint.shift_mm": Range(-1000.0, 1000.0, "found by the program or moved by a person; no default"),
    "Waypoint.turn_deg": Range(-360.0, 360.0, "found by the program or moved by a person; no default"),
    "Way.amount_mm": Range(0.0, 30.0, "the nominal implant's, or a variant's extra length"),
    "Insertion.give_mm": Range(0.0, 3.0, f"lips of bone trimmed in preparing the disc space; {_JUDGED}"),
    "Insertion.relief_mm": Range(0.0, 2.0, "undercuts along the way in are removed; 0.8 mm, below which contact "
                                 f"cannot be told (Schulze 2024): {_JUDGED}"),
    "RetractionRule.structure": _NAMED,
    "RetractionRule.limit_mm": Range(0.0, 200.0, "the plan's table of retractions names the source of each"),
    "RetractionRule.source": _NAMED,
    "KeepoutRule.structure": _NAMED,
    "KeepoutRule.limit_mm": Range(0.0, 100.0, "the plan's rule table names the source of each"),
    "KeepoutRule.warn_mm": Range(0.0, 100.0, "the plan's rule table names the source of each"),
    "KeepoutRule.source": _NAMED,
    "ErrorBudget.segmentation_to_print_mm": Range(0.0, 5.0, "Schulze 2024: total median 0.825 mm"),
    "ErrorBudget.screw_entry_mm": Range(0.0, 10.0, "76 cervicothoracic screws with printed guides, Groningen: "
                                        "1.40 ± 0.81 mm"),
    "ErrorBudget.screw_angle_deg": Range(0.0, 30.0, "76 cervicothoracic screws with printed guides, Groningen: "
                                         "6.70 ± 3.77°"),
    "ErrorBudget.screw_entry_sd_mm": Range(0.0, 10.0, "76 cervicothoracic screws with printed guides, Groningen: "
                                           "1.40 ± 0.81 mm"),
    "ErrorBudget.screw_angle_sd_deg": Range(0.0, 30.0, "76 cervicothoracic screws with printed guides, Groningen: "
                                            "6.70 ± 3.77°"),
    "ScrewRules.canal_mm": _safety("screw to canal at least 2 mm"),
    "ScrewRules.endplate_mm": _safety("screw to endplate at least 2 mm"),
    "ScrewRules.cortex_mm": _safety("screw to lateral cortex at least 1-2 mm"),
    "ScrewRules.screw_mm": _safety("screw to screw at least 2 mm"),
    "ScrewRules.metal_mm": Range(0.0, 20.0, f"metal 2 mm; {_JUDGED}"),
    "ScrewRules.under_head_mm": Range(0.3, 10.0, "metal under the head at least 1.5-2 mm, recalled; verify locally"),
    "ScrewRules.around_head_mm": Range(0.0, 10.0, f"recommended titanium wall 1.0 mm for laser powder bed; {_JUDGED}"),
    "ScrewRules.canal_breach_percent": Range(0.1, 100.0, "at most one of twenty screws placed as with printed guides "
                                             f"may reach the canal; {_JUDGED}"),
    "ScrewRules.least_convergence_deg": Range(0.0, 60.0, "each of two screws converges by 5-15°, recalled; verify "
                                              "locally"),
    "ScrewRules.most_convergence_deg": Range(0.0, 60.0, "each of two screws converges by 5-15°, recalled; verify "
                                             "locally"),
    "ScrewRules.driver_length_mm": Range(10.0, 400.0, f"length of a straight driver beyond the head; {_JUDGED}"),
    "ScrewRules.proud_mm": Range(0.0, 5.0, f"heads facing the oesophagus at most 0.5 mm proud; {_JUDGED}"),
    "HolePlan.undersize_mm": Range(0.0, 3.0, "holes are printed 0.5-1 mm too small and milled, recalled; verify "
                                   "locally"),
    "HolePlan.seat_stock_mm": Range(0.0, 3.0, "0.5-1 mm of stock on seats, milled off after printing, recalled; verify "
                                    "locally"),
    "GuidePlan.fit_gap_mm": Range(0.0, 1.0, "contact offset 0.1-0.3 mm, recalled; verify locally"),
    "GuidePlan.tool_clearance_mm": Range(0.0, 2.0, "bore of a sleeve = drill + 0.3-0.4 mm, recalled; verify locally"),
    "GuidePlan.print_tolerance_mm": Range(0.0, 2.0, "laser-sintered PA12: ±0.3 mm below 100 mm"),
    "GuidePlan.sleeve_length_mm": Range(3.0, 60.0, "10-20 mm, recalled; verify locally"),
    "GuidePlan.sleeve_wall_mm": Range(0.5, 10.0, "at least 2 mm, recalled; verify locally"),
    "GuidePlan.insert_diameter_mm": Range(1.0, 30.0, "none: the plastic guides the drill; outer diameter of the "
                                          "hospital's metal sleeve"),
    "GuidePlan.stop_step_mm": Range(0.5, 20.0, f"steps of a drill's depth stop; {_JUDGED}"),
    "GuidePlan.base_thickness_mm": Range(1.0, 15.0, f"three times the 1.0 mm PA12 wall; {_JUDGED}"),
    "GuidePlan.zone_diameter_mm": Range(2.0, 30.0, f"of each contact zone; {_JUDGED}"),
    "GuidePlan.window_mm": Range(0.0, 20.0, f"of a window to see the seat; {_JUDGED}"),
    "GuidePlan.grip_mm": Range(0.0, 200.0, f"a finger's length out of the wound; {_JUDGED}"),
    "MarkPlan.plastic_height_mm": Range(1.0, 20.0, "PA12: text at least 2 mm high"),
    "MarkPlan.plastic_depth_mm": Range(0.1, 5.0, "PA12: text 1 mm deep"),
    "MarkPlan.metal_height_mm": Range(0.5, 20.0, "engraving after polishing: at least 2 mm high, recalled; verify "
                                      "locally"),
    "MarkPlan.metal_depth_mm": Range(0.05, 3.0, "engraving 0.3-0.5 mm deep, recalled; verify locally"),
    "Material.name": _NAMED,
    "Material.elastic_modulus_MPa": Range(10.0, 500000.0, "printed and HIPed Ti6Al4V ELI: 118.5 GPa (PMC7867014)"),
    "Material.poisson": Range(0.0, 0.499, "Ti6Al4V: 0.342; verify locally"),
    "Material.yield_MPa": Range(1.0, 3000.0, "ASTM F3001 minimum 795 MPa, recalled; verify locally (measured printed "
                                "and HIPed: 976 ± 19, PMC7867014)"),
    "Material.tensile_MPa": Range(1.0, 4000.0, "ASTM F3001 minimum 860 MPa, recalled; verify locally (measured printed "
                                  "and HIPed: 1090 ± 18, PMC7867014)"),
    "Material.porous_strength_ratio": Range(0.001, 1.0, "porous or surface-porous: about 10 % of tensile (Kelly 2019)"),
    "Material.density_g_cm3": Range(0.5, 25.0, "Ti6Al4V: 4.43 g/cm³; verify locally"),
    "Material.source": _NAMED,
    "Loads.patient_weight_kg": Range(2.0, 400.0, "the patient's record; no default"),
    "Loads.axial_N": Range(1.0, 20000.0, f"{_PAPER}: 500 N axial"),
    "Loads.envelope_N": Range(1.0, 20000.0, "in-vivo lumbar vertebral body replacements: up to 1650 N (Dreischarf "
                              "2015)"),
    "Loads.flexion_Nmm": Range(0.0, 200000.0, "7.5 N·m, usual in spine bench tests; verify locally"),
    "Loads.lateral_Nmm": Range(0.0, 200000.0, "7.5 N·m, usual in spine bench tests; verify locally"),
    "Loads.torsion_Nmm": Range(0.0, 200000.0, "7.5 N·m, usual in spine bench tests; verify locally"),
    "Printer.name": _NAMED,
    "Printer.envelope_mm": Range(10.0, 2000.0, "275 × 275 × 420 mm (DMP320), recalled; verify locally"),
    "Printer.least_wall_mm": Range(0.05, 10.0, "laser powder bed, Ti6Al4V ELI: wall 0.4 mm minimum"),
    "Printer.structural_wall_mm": Range(0.05, 10.0, "laser powder bed, Ti6Al4V ELI: 0.6 mm structural"),
    "Printer.recommended_wall_mm": Range(0.05, 10.0, "laser powder bed, Ti6Al4V ELI: 1.0 mm recommended"),
    "Printer.least_strut_mm": Range(0.05, 10.0, f"struts of 0.3 mm need a validated coupon; {_JUDGED}"),
    "Printer.detail_mm": Range(0.01, 10.0, "laser powder bed, Ti6Al4V ELI: detail 0.5 mm"),
    "Printer.overhang_deg": Range(0.0, 90.0, "below 45° from horizontal needs support"),
    "Printer.channel_mm": Range(0.1, 50.0, "horizontal round channels at least 8 mm, or a teardrop"),
    "Printer.powder_hole_mm": Range(0.1, 20.0, "powder exit holes at least 2-3 mm, recalled; verify locally"),
    "Printer.source": _NAMED,
    "Waiver.finding": _NAMED,
    "Waiver.name": _NAMED,
    "Waiver.reason": _NAMED,
    "Plan.upper": Level(),
    "Plan.lower": Level(),
    "Plan.case_code": Text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", "a code of 1 to 40 letters, digits, '.', '_' or '-' "
                           "beginning with a letter or digit", "a code, never the patient's name"),
    "Plan.design_version": Text(r"[A-Za-z0-9][A-Za-z0-9.-]{0,11}", "a version of 1 to 12 letters, digits, '.' or '-' "
                                "beginning with a letter or digit", "the first version of a design"),
    "Plan.preset": Text(r"[A-Za-z0-9][A-Za-z0-9_.-]*", "a preset's name", f"{_PAPER}, case 2"),
    "Plan.schema": Range(2, 2, "the version of the plan's file format"),
}  # fmt: skip
