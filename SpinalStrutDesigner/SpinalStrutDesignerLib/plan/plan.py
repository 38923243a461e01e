"""Every human decision about one implant, frozen, typed and JSON-able. RAS millimetres, newtons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Vec = tuple[float, float, float]
FaceName = Literal["superior", "inferior"]
Approach = Literal["anterior", "right", "left"]


class _With:
    """Frozen records that return changed copies."""

    def with_(self, **changes: Any) -> Any:
        """A copy with other values; validated like any other."""
        return replace(self, **changes)  # type: ignore[type-var]


@dataclass(frozen=True)
class EndplateOverride(_With):
    """A person's correction of a measured endplate."""

    level: str
    face: FaceName
    centre: Vec
    normal: Vec
    width_mm: float | None = None
    depth_mm: float | None = None


@dataclass(frozen=True)
class Corrections(_With):
    """Names and roles as a person corrected them: (structure name, new value) pairs, and endplates."""

    levels: tuple[tuple[str, str], ...] = ()
    roles: tuple[tuple[str, str], ...] = ()
    endplates: tuple[EndplateOverride, ...] = ()


@dataclass(frozen=True)
class Pose(_With):
    """Rigid correction of the upper block (upper docking level and all above), about the upper docking endplate."""

    distraction_mm: float = 0.0
    lordosis_deg: float = 0.0
    coronal_deg: float = 0.0
    rotation_deg: float = 0.0


@dataclass(frozen=True)
class Resection(_With):
    """Bone of a level that the surgeon will remove: everything on the normal's side of the plane."""

    level: str
    point: Vec
    normal: Vec


@dataclass(frozen=True)
class Axis(_With):
    """The strut's centreline: control points from the upper foot to the lower (at least 3), all shifted by offset.

    back: the direction from the strut towards the column at the upper end; the section's depth lies along it.
    """

    control_points: tuple[Vec, ...] = ()
    offset: Vec = (0.0, 0.0, 0.0)
    back: Vec = (0.0, -1.0, 0.0)


@dataclass(frozen=True)
class Section(_With):
    """The strut's cross-section: width across, depth towards the column; lower_* taper it linearly to the lower end."""

    shape: Literal["ellipse", "rounded_rectangle", "concave_back"] = "rounded_rectangle"
    width_mm: float = 10.0
    depth_mm: float = 5.0
    corner_radius_mm: float = 1.5
    back_radius_mm: float = 20.0
    lower_width_mm: float | None = None
    lower_depth_mm: float | None = None


@dataclass(frozen=True)
class FootPlan(_With):
    """One end: how it rests on its endplate and from where it comes.

    margins are kept inside the endplate's rim; height is from the contact face into the span; fit gap is the distance
    to bone; approach is the side from which this foot slides into place.
    """

    approach: Approach = "anterior"
    height_mm: float = 9.0
    ring_margin_mm: float = 1.0
    posterior_margin_mm: float = 3.0
    fit_gap_mm: float = 0.3
    blend_mm: float = 2.0


@dataclass(frozen=True)
class InterfacePlan(_With):
    """The porous layer of both feet and its solid frame."""

    cell: str = "gyroid_skeletal"
    pore_um: float = 550.0
    porosity: float = 0.70
    depth_mm: float = 1.5
    frame_mm: float = 1.0
    minimum_solid_mm: float = 1.5


@dataclass(frozen=True)
class Flange(_With):
    """A tab on the docking vertebra. azimuth: 0 in front, +90 at the patient's right, -90 left, about the body's axis;
    height: from the endplate's rim over the body."""

    azimuth_deg: float = 0.0
    width_mm: float = 16.0
    height_mm: float = 10.0
    thickness_mm: float = 2.5


@dataclass(frozen=True)
class ScrewType(_With):
    """A catalogue entry, embedded as used. Head: a hemisphere of head_radius; length: top of the head to tip (ASTM F543)."""

    name: str = "3.5 mm small-fragment cancellous"
    diameter_mm: float = 3.5
    core_mm: float = 1.9
    pitch_mm: float = 1.75
    head_diameter_mm: float = 6.0
    head_radius_mm: float = 3.0
    pilot_mm: float = 2.5
    clearance_hole_mm: float = 3.7
    seat_radius_mm: float = 3.05
    lengths_mm: tuple[float, ...] = tuple(float(x) for x in range(10, 52, 2))


@dataclass(frozen=True)
class Screw(_With):
    """A screw as planned. entry: centre of the head's flat top; direction: unit, towards the tip."""

    type: ScrewType
    level: str
    entry: Vec
    direction: Vec
    length_mm: float
    bicortical: bool = False
    anti_backout: Literal["none", "cover_plate", "locking_ring", "locking_thread"] = "none"
    locked: bool = False


@dataclass(frozen=True)
class Variant(_With):
    """An oversized copy, and whether it fills a gap larger than measured or distracts the spine."""

    amount_mm: float = 2.0
    mode: Literal["fills", "distracts"] = "fills"


@dataclass(frozen=True)
class KeepoutRule(_With):
    """The rule for one kind of structure. kind 'clearance': at least limit_mm away (warn below warn_mm);
    kind 'displacement': pushed by at most warn_mm (pass) or limit_mm (warn), beyond that fail."""

    structure: str
    kind: Literal["clearance", "displacement"]
    limit_mm: float
    warn_mm: float
    source: str


@dataclass(frozen=True)
class ErrorBudget(_With):
    """What segmentation, print and placement may add up to."""

    segmentation_to_print_mm: float = 0.8
    screw_entry_mm: float = 1.4
    screw_angle_deg: float = 6.7


@dataclass(frozen=True)
class ScrewRules(_With):
    """Least distances of a screw before the error budget."""

    canal_mm: float = 2.0
    endplate_mm: float = 2.0
    cortex_mm: float = 1.0
    screw_mm: float = 2.0
    metal_mm: float = 2.0
    under_head_mm: float = 1.5
    proud_mm: float = 0.5


@dataclass(frozen=True)
class Material(_With):
    """Mechanical properties with their source."""

    name: str = "Ti6Al4V ELI (grade 23), laser powder bed, HIP"
    elastic_modulus_MPa: float = 118500.0
    poisson: float = 0.342
    yield_MPa: float = 795.0
    tensile_MPa: float = 860.0
    porous_strength_ratio: float = 0.10
    density_g_cm3: float = 4.43
    source: str = ""


@dataclass(frozen=True)
class Loads(_With):
    """Axial design load and the level's envelope, with bending and torsion, and the patient's weight."""

    patient_weight_kg: float | None = None
    axial_N: float = 500.0
    envelope_N: float = 1650.0
    flexion_Nmm: float = 7500.0
    lateral_Nmm: float = 7500.0
    torsion_Nmm: float = 7500.0


@dataclass(frozen=True)
class Waiver(_With):
    """A finding accepted by a named person, with the reason."""

    finding: str
    name: str
    reason: str


@dataclass(frozen=True)
class Plan(_With):
    """Every decision about one implant."""

    upper: str
    lower: str
    case_code: str = "CASE-001"
    preset: str = "case2"
    corrections: Corrections = Corrections()
    pose: Pose = Pose()
    resections: tuple[Resection, ...] = ()
    axis: Axis = Axis()
    section: Section = Section()
    upper_foot: FootPlan = FootPlan()
    lower_foot: FootPlan = FootPlan()
    interface: InterfacePlan = InterfacePlan()
    upper_flange: Flange | None = None
    lower_flange: Flange | None = None
    screws: tuple[Screw, ...] = ()
    variants: tuple[Variant, ...] = ()
    rules: tuple[KeepoutRule, ...] = ()
    screw_rules: ScrewRules = ScrewRules()
    budget: ErrorBudget = ErrorBudget()
    material: Material = Material()
    loads: Loads = Loads()
    waivers: tuple[Waiver, ...] = ()
    schema: int = 1
