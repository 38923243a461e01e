"""Every human decision about one implant, frozen, typed and JSON-able. RAS millimetres, newtons.

Each record is checked when it is made: types, ranges (`limits.py`, with the source of each default) and what must agree
within it. A wrong value raises PlanError with the field, the value and what is allowed. Sequences become tuples,
directions unit vectors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from LatticeGeneratorLib.cells.registry import CELLS

from ..case.levels import LEVELS, is_above
from ..case.model import ROLES
from .entries import KeepoutRule, Material, Printer, ScrewType
from .guides import GuidePlan, HolePlan, MarkPlan
from .insertion import Insertion
from .record import Record, Vec, given_twice

SCHEMA = 2  # raised with a migration in json.py whenever a written plan would be read differently

FaceName = Literal["superior", "inferior"]
Approach = Literal["anterior", "right", "left"]


@dataclass(frozen=True)
class EndplateOverride(Record):
    """A person's correction of a measured endplate, where the CT shows it; it moves with its vertebra in the pose."""

    _place: ClassVar[str] = "corrections.endplates"

    level: str
    face: FaceName
    centre: Vec
    normal: Vec
    width_mm: float | None = None
    depth_mm: float | None = None


@dataclass(frozen=True)
class Corrections(Record):
    """Names and roles as a person corrected them: (structure name, new value) pairs, and endplates."""

    _place: ClassVar[str] = "corrections"

    levels: tuple[tuple[str, str], ...] = ()
    roles: tuple[tuple[str, str], ...] = ()
    endplates: tuple[EndplateOverride, ...] = ()

    def _fault(self) -> tuple[str, str] | None:
        for pairs, name in ((self.levels, "levels"), (self.roles, "roles")):
            named = [structure for structure, _ in pairs]
            twice = {structure for structure in named if named.count(structure) > 1}
            if twice:
                return name, f"'{min(twice)}' is given more than once"
        for structure, level in self.levels:
            if level not in LEVELS:
                return "levels", f"'{level}' for '{structure}' is no vertebra; levels are C1 to C7, T1 to T13, L1 to L6"
        for structure, role in self.roles:
            if role not in ROLES:
                return "roles", f"'{role}' for '{structure}' is no role; roles are {', '.join(ROLES)}"
        faces = [(plate.level, plate.face) for plate in self.endplates]
        if len(set(faces)) < len(faces):
            return "endplates", "the same endplate is given more than once"
        return None


@dataclass(frozen=True)
class Pose(Record):
    """Rigid correction of the upper block (upper docking level and all above), about the upper docking endplate."""

    _place: ClassVar[str] = "pose"

    distraction_mm: float = 0.0
    lordosis_deg: float = 0.0
    coronal_deg: float = 0.0
    rotation_deg: float = 0.0


@dataclass(frozen=True)
class Resection(Record):
    """Bone of a level that the surgeon will remove: everything on the normal's side of the plane."""

    _place: ClassVar[str] = "resections"

    level: str
    point: Vec
    normal: Vec


@dataclass(frozen=True)
class Axis(Record):
    """The strut's centreline: control points from the upper foot to the lower (at least 3), all shifted by offset.

    back: the direction from the strut towards the column at the upper end; the section's depth lies along it.
    """

    _place: ClassVar[str] = "axis"

    control_points: tuple[Vec, ...] = ()
    offset: Vec = (0.0, 0.0, 0.0)
    back: Vec = (0.0, -1.0, 0.0)

    def _fault(self) -> tuple[str, str] | None:
        if 0 < len(self.control_points) < 3:
            return "control_points", f"{len(self.control_points)} points; an axis needs at least 3 (or none yet)"
        return None


@dataclass(frozen=True)
class Section(Record):
    """The strut's cross-section: width across, depth towards the column; lower_* taper it linearly to the lower end.

    sizing: what a proposal makes of these sizes. "stiffness" and "volume" go on to what the anatomy leaves free, by the
    stiffness against bending in the weaker plane that is won for each millimetre of clearance, or by volume; "fixed",
    as in the published cases, keeps to them, slimmer only where the anatomy asks for it and stouter where strength
    does.
    """

    _place: ClassVar[str] = "section"

    shape: Literal["ellipse", "rounded_rectangle", "concave_back"] = "rounded_rectangle"
    width_mm: float = 10.0
    depth_mm: float = 5.0
    corner_radius_mm: float = 1.5
    back_radius_mm: float = 20.0
    lower_width_mm: float | None = None
    lower_depth_mm: float | None = None
    sizing: Literal["fixed", "stiffness", "volume"] = "stiffness"

    def _fault(self) -> tuple[str, str] | None:
        if self.shape == "ellipse":
            return None
        widths = [self.width_mm, self.lower_width_mm or self.width_mm]
        depths = [self.depth_mm, self.lower_depth_mm or self.depth_mm]
        largest = min(widths + depths) / 2.0
        if self.corner_radius_mm > largest:
            return "corner_radius_mm", (
                f"{self.corner_radius_mm:g} mm is more than half the least width or depth, {largest:g} mm;"
                " make it smaller or the section larger"
            )
        if self.shape == "concave_back" and self.back_radius_mm < max(widths) / 2.0:
            return "back_radius_mm", (
                f"{self.back_radius_mm:g} mm is less than half the width, {max(widths) / 2.0:g} mm;"
                " make it larger or the section narrower"
            )
        return None


@dataclass(frozen=True)
class FootPlan(Record):
    """One end: how it rests on its endplate and from where it comes.

    margins are kept inside the endplate's rim; height is from the contact face into the span; fit gap is the distance
    to bone; approach is the side from which this foot slides into place. A bridge joins it to its strut: from the place
    of the footprint that is nearest to the strut, and so much farther over it as bridge says.
    """

    _place: ClassVar[str] = "foot"

    approach: Approach = "anterior"
    height_mm: float = 9.0
    ring_margin_mm: float = 1.0
    posterior_margin_mm: float = 3.0
    fit_gap_mm: float = 0.3
    blend_mm: float = 2.0
    bridge_mm: float = 60.0


@dataclass(frozen=True)
class InterfacePlan(Record):
    """The porous layer of both feet and its solid frame."""

    _place: ClassVar[str] = "interface"

    cell: str = "gyroid_skeletal"
    pore_um: float = 550.0
    porosity: float = 0.70
    depth_mm: float = 1.5
    frame_mm: float = 1.0
    minimum_solid_mm: float = 1.5

    def _fault(self) -> tuple[str, str] | None:
        if self.cell not in CELLS:
            return "cell", f"'{self.cell}' is no lattice cell; cells are {', '.join(CELLS)}"
        return None


@dataclass(frozen=True)
class Flange(Record):
    """A tab on the docking vertebra. azimuth: 0 in front, +90 at the patient's right, -90 left, about the body's axis;
    height: from the endplate's rim over the body."""

    _place: ClassVar[str] = "flange"

    azimuth_deg: float = 0.0
    width_mm: float = 16.0
    height_mm: float = 10.0
    thickness_mm: float = 2.5


@dataclass(frozen=True)
class Screw(Record):
    """A screw as planned. entry: centre of the head's flat top; direction: unit, towards the tip."""

    _place: ClassVar[str] = "screw"

    type: ScrewType
    level: str
    entry: Vec
    direction: Vec
    length_mm: float
    bicortical: bool = False
    anti_backout: Literal["none", "cover_plate", "locking_ring", "locking_thread"] = "none"
    locked: bool = False

    def _fault(self) -> tuple[str, str] | None:
        if self.length_mm not in self.type.lengths_mm:
            lengths = self.type.lengths_mm
            near = sorted(sorted(lengths, key=lambda length: (abs(length - self.length_mm), length))[:2])
            return "length_mm", (
                f"{self.length_mm:g} mm is not made for '{self.type.name}';"
                f" nearest lengths: {' and '.join(f'{length:g}' for length in near)} mm"
            )
        return None


@dataclass(frozen=True)
class Variant(Record):
    """An oversized copy, and whether it fills a gap larger than measured or distracts the spine."""

    _place: ClassVar[str] = "variants"

    amount_mm: float = 2.0
    mode: Literal["fills", "distracts"] = "fills"


@dataclass(frozen=True)
class ErrorBudget(Record):
    """What segmentation, print and placement may add up to. screw_*: mean and standard deviation of what was measured
    on placed screws."""

    _place: ClassVar[str] = "budget"

    segmentation_to_print_mm: float = 0.8
    screw_entry_mm: float = 1.4
    screw_angle_deg: float = 6.7
    screw_entry_sd_mm: float = 0.81
    screw_angle_sd_deg: float = 3.77


@dataclass(frozen=True)
class ScrewRules(Record):
    """Least distances of a screw before the error budget; the metal under and around its head; how likely the canal may
    be reached at the placement error; what half the angle between two screws of a level may be; the driver's length."""

    _place: ClassVar[str] = "screw_rules"

    canal_mm: float = 2.0
    endplate_mm: float = 2.0
    cortex_mm: float = 1.0
    screw_mm: float = 2.0
    metal_mm: float = 2.0
    under_head_mm: float = 1.5
    proud_mm: float = 0.5
    around_head_mm: float = 1.0
    canal_breach_percent: float = 5.0
    least_convergence_deg: float = 5.0
    most_convergence_deg: float = 15.0
    driver_length_mm: float = 100.0

    def _fault(self) -> tuple[str, str] | None:
        if self.least_convergence_deg > self.most_convergence_deg:
            return "least_convergence_deg", (
                f"{self.least_convergence_deg:g}° is more than most_convergence_deg, {self.most_convergence_deg:g}°"
            )
        return None


@dataclass(frozen=True)
class Loads(Record):
    """Axial design load and the level's envelope, with bending and torsion, and the patient's weight."""

    _place: ClassVar[str] = "loads"

    patient_weight_kg: float | None = None
    axial_N: float = 500.0
    envelope_N: float = 1650.0
    flexion_Nmm: float = 7500.0
    lateral_Nmm: float = 7500.0
    torsion_Nmm: float = 7500.0


@dataclass(frozen=True)
class Waiver(Record):
    """A finding accepted by a named person, with the reason."""

    _place: ClassVar[str] = "waivers"

    finding: str
    name: str
    reason: str


def _default_rules() -> tuple[KeepoutRule, ...]:
    from .rules import default_rules

    return default_rules()


@dataclass(frozen=True)
class Plan(Record):
    """Every decision about one implant."""

    _place: ClassVar[str] = ""

    upper: str
    lower: str
    case_code: str = "CASE-001"
    design_version: str = "1"
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
    insertion: Insertion = field(default_factory=Insertion)
    rules: tuple[KeepoutRule, ...] = field(default_factory=_default_rules)
    screw_rules: ScrewRules = ScrewRules()
    budget: ErrorBudget = ErrorBudget()
    holes: HolePlan = field(default_factory=HolePlan)
    guides: GuidePlan = field(default_factory=GuidePlan)
    marks: MarkPlan = field(default_factory=MarkPlan)
    material: Material = field(default_factory=Material)
    printer: Printer = field(default_factory=Printer)
    loads: Loads = Loads()
    waivers: tuple[Waiver, ...] = ()
    schema: int = SCHEMA

    def _fault(self) -> tuple[str, str] | None:
        if not is_above(self.upper, self.lower):
            return "lower", f"{self.lower} does not lie below upper, {self.upper}; give the upper docking level first"
        for i, screw in enumerate(self.screws):
            if screw.level not in (self.upper, self.lower):
                name = f"screws.{i}.level"
                return name, f"{screw.level} is no docking level; screws go into {self.upper} or {self.lower}"
        return given_twice(
            rules=[rule.structure for rule in self.rules],
            variants=[variant.amount_mm for variant in self.variants],
            waivers=[waiver.finding for waiver in self.waivers],
        )
