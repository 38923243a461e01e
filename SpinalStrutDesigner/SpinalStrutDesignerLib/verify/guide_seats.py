"""How uniquely each drill guide seats, and by how much its drills may miss: measured on the finished meshes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from LatticeGeneratorLib.field.distance import inside
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.sampled import Sampled, distance_to
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.samples import first_in_cells
from scipy.spatial import cKDTree

from ..build.design import Design, DrillGuide
from ..build.drill_guide import docking_plate
from ..build.guide_zones import MOST_BARED_MM, beside_body_mm
from ..build.sleeves import Sleeve
from ..errors import GeometryError
from ..plan.plan import ErrorBudget
from .finding import Finding, Verdict
from .measured import finding_in
from .registry import design_check
from .seating import MOST_SLIP_MM, MOST_TILT_DEG, Bore, DrillError, Seating, Slop, seating
from .seating_contact import Contact, contact_of

# A face touches where it lies at the fit gap within this, mm: what undercuts of a zone may take (0.1) and the guide's
# own sampling (0.05). What is farther off is relief, a millimetre more.
_WITHIN_MM = 0.15
# What a guide sits on is sampled this densely, mm, and so far around its zones: a zone, and the way of a pose that is
# looked for (5 mm, and 15° over the guide's reach). Bone: as densely as guides are made on it; an implant's holes: a
# tenth of their radius.
_BONE_STEP_MM, _HOLE_STEP_MM = 0.5, 0.3
_AROUND_MM = 12.0
# Around where guide and implant may touch, mm. Of an implant only faces are seen that lie so near to a guide's surface,
# itself thinned so: as far as a pose moves that is looked for (5 mm). Farther from its faces by the last than a guide
# that looks seated, distances are alike.
_BESIDE_MM, _SEEN_MM, _THINNED_MM, _APART_MM = 2.0, 5.0, 0.5, 0.8
_LEAST_ZONES = 3  # separate contact zones (clinical facts)
_SPARE = 0.95  # of a slack that scales to the limits, since distances bend
_FINEST_MM = 0.05  # no print is asked to be finer; engineering judgement
_BASIS = (
    "slack between planned and real distance to bone: fit gap and print tolerance; engineering judgement, below the "
    "1.40 mm and 6.70° found with printed guides; verify locally"
)


@dataclass(frozen=True, eq=False)
class Seat:
    """A guide with how it sits. contact: its faces that touch; unique_tolerance_mm: a print tolerance at which it would
    seat uniquely, None where none was found or none is needed."""

    contact: Contact
    seating: Seating
    unique_tolerance_mm: float | None


@design_check(order=76)
def seats(design: Design) -> Iterator[Finding]:
    """Each guide's seat, its contact, and the error of each of its drills."""
    for guide in design.guides:
        try:
            seat = seat_of(guide, design)
        except GeometryError as fault:
            yield _finding(design, guide, "seat", "how uniquely it seats", None, "mm", _ONE_SEAT, "fail", str(fault))
            continue
        yield _seat(design, guide, seat)
        yield _contact(design, guide, seat)
        if design.implants[0].situation.plan.guides.drill == "bone":
            yield _bared(design, guide, seat)
        for sleeve, error in zip(guide.sleeves, seat.seating.errors):
            yield _drill_error(design, guide, sleeve, error)


_ONE_SEAT = f"one seat: slip ≤ {MOST_SLIP_MM:g} mm and tilt ≤ {MOST_TILT_DEG:g}° in any pose that looks seated"


def seat_of(guide: DrillGuide, design: Design) -> Seat:
    """How a guide sits on what the plan seats it on: the docking vertebra's bone, or the finished implant's holes.

    Raises GeometryError where it touches nothing.
    """
    plan = design.implants[0].situation.plan.guides
    ground = _ground(guide, design)
    contact = contact_of(guide.part.mesh, ground.at, plan.fit_gap_mm, _WITHIN_MM, guide.insertion)
    bores = [_bore(sleeve) for sleeve in guide.sleeves]
    shortest = min(sleeve.length_mm for sleeve in guide.sleeves)
    slop = Slop(plan.fit_gap_mm, plan.tool_clearance_mm, plan.print_tolerance_mm, shortest)
    found = seating(contact, ground.at, slop, bores, guide.insertion)
    if found.unique:
        return Seat(contact, found, None)
    share = _SPARE * min(MOST_SLIP_MM / found.slip_mm, MOST_TILT_DEG / found.tilt_deg)
    finer = math.floor(20.0 * (share * slop.seat_mm - slop.fit_gap_mm)) / 20.0
    if not found.bounded or finer < _FINEST_MM:
        return Seat(contact, found, None)
    again = seating(contact, ground.at, replace(slop, print_tolerance_mm=finer), (), guide.insertion)
    return Seat(contact, found, finer if again.unique else None)


def _ground(guide: DrillGuide, design: Design) -> Sampled:
    """The signed distance around a guide's zones to what it sits on."""
    implant = design.implants[0]
    if implant.situation.plan.guides.drill == "implant":
        plan = implant.situation.plan.guides
        farthest = 2.0 * plan.fit_gap_mm + plan.print_tolerance_mm + _APART_MM
        return _holes(guide.part.mesh, implant.part.mesh, farthest)
    low, high = guide.zones.min(axis=0) - _AROUND_MM, guide.zones.max(axis=0) + _AROUND_MM
    grid = Grid.around(low, high, _BONE_STEP_MM)
    bone = implant.situation.case.structure(docking_plate(implant.situation, guide.end).level)
    return Sampled(bone.distance(grid.points()).reshape(grid.array_shape), grid)


def _holes(guide: Mesh, implant: Mesh, farthest_mm: float) -> Sampled:
    """The signed distance to a finished implant, around where a guide on it may touch; cut off at the farthest."""
    ends = zip(guide.bounds, implant.bounds)
    low, high = (pick(both, axis=0) for pick, both in zip((np.max, np.min), ends))
    grid = Grid.around(low - _BESIDE_MM, np.maximum(low, high) + _BESIDE_MM, _HOLE_STEP_MM)
    # Which side a place is on is told along x, so by all faces beside the grid.
    corners = implant.triangles
    beside = (corners.min(axis=1) < grid.upper + _SEEN_MM) & (corners.max(axis=1) > grid.lower - _SEEN_MM)
    rows = np.flatnonzero(beside[:, 1] & beside[:, 2])
    within = inside(Mesh(implant.vertices, implant.faces[rows]), grid)
    faced = _faced(guide, corners[rows[beside[rows, 0]]])
    values = distance_to(Mesh(faced.reshape(-1, 3), np.arange(3 * len(faced)).reshape(-1, 3)), grid, farthest_mm).values
    return Sampled(np.where(within, -values, values), grid)


def _faced(guide: Mesh, corners: np.ndarray) -> np.ndarray:
    """(m, 3, 3) of triangles (n, 3, 3) those that a guide may come to: pores deep within, which have many, are nearest
    to none of its places."""
    middles = corners.mean(axis=1)
    reach = np.sqrt(((corners - middles[:, None]) ** 2).sum(axis=2).max(axis=1))
    few = guide.vertices[first_in_cells(guide.vertices, _THINNED_MM)]
    away = cKDTree(few).query(middles, distance_upper_bound=_SEEN_MM + float(reach.max(initial=0.0)))[0]
    return corners[away < _SEEN_MM + reach]


def _bore(sleeve: Sleeve) -> Bore:
    """The drill from its sleeve's foot to its tip."""
    standoff = float(np.linalg.norm(np.subtract(sleeve.entry, sleeve.foot)))
    return Bore(str(sleeve.screw), sleeve.tip, sleeve.direction, sleeve.entry, standoff)


def _seat(design: Design, guide: DrillGuide, seat: Seat) -> Finding:
    found, plan = seat.seating, design.implants[0].situation.plan.guides
    # A guide without a seat of its own leads nothing; one that rocks may still be held by whoever knows of it.
    verdict: Verdict = "pass" if found.unique else "warn" if found.bounded else "fail"
    least = "" if found.bounded else "at least "
    slack = plan.fit_gap_mm + plan.print_tolerance_mm
    words = (
        f"within a slack of {slack:g} mm it slips {least}{found.slip_mm:.2f} mm and tilts "
        f"{least}{found.tilt_deg:.1f}°; loosest: {found.loosest_words}"
    )
    return _finding(
        design, guide, "seat", "slip of its seat", found.slip_mm, "mm", _ONE_SEAT, verdict,
        words if found.unique else f"{words}. {_remedy(guide, design, seat)}", seat.contact.points.mean(axis=0),
    )  # fmt: skip


def _remedy(guide: DrillGuide, design: Design, seat: Seat) -> str:
    plan, tolerance = design.implants[0].situation.plan.guides, seat.unique_tolerance_mm
    told = "Try it on the printed spine before use: it must not rock. "
    if tolerance is not None:
        told += f"It would seat uniquely if its contact faces were true to {tolerance:g} mm "
        told += "(dressed, or printed finer: guides.print_tolerance_mm)"
    else:
        told += "Make guides.fit_gap_mm and print_tolerance_mm smaller"
    other = "" if plan.drill == "implant" else ', or seat it in the implant\'s holes: guides.drill "implant"'
    return f"{told}{other}"


def _contact(design: Design, guide: DrillGuide, seat: Seat) -> Finding:
    found = seat.seating
    each = np.sort(np.bincount(seat.contact.zones, seat.contact.areas))[::-1]
    few = design.implants[0].situation.plan.guides.drill == "bone" and found.zones < _LEAST_ZONES
    return _finding(
        design, guide, "contact", "area that touches", found.contact_mm2, "mm²",
        f"on at least {_LEAST_ZONES} separate zones on bone", "warn" if few else "pass",
        f"{found.zones} zones of {', '.join(f'{area:.0f}' for area in each)} mm²",
        seat.contact.points.mean(axis=0),
    )  # fmt: skip


def _bared(design: Design, guide: DrillGuide, seat: Seat) -> Finding:
    """How far beside the vertebral body, seen along the spine, a guide rests on bone."""
    plate, points = docking_plate(design.implants[0].situation, guide.end), seat.contact.points
    beside = beside_body_mm(plate, points)
    farthest = int(np.argmax(beside))
    value = max(float(beside[farthest]), 0.0)
    return _finding(
        design, guide, "bared", f"how far beside the body of {plate.level} it rests on bone", value, "mm",
        f"≤ {MOST_BARED_MM:g} mm", "pass" if value <= MOST_BARED_MM else "warn",
        "outside the outline of its endplate: soft tissue must come off so far; make guides.zone_diameter_mm smaller, "
        'or set guides.drill to "implant"',
        points[farthest], "engineering judgement; beside a cervical body runs the vertebral artery; verify locally",
    )  # fmt: skip


def _drill_error(design: Design, guide: DrillGuide, sleeve: Sleeve, error: DrillError) -> Finding:
    budget = design.implants[0].situation.plan.budget
    most = budget_at_tip_mm(budget, float(np.linalg.norm(np.subtract(sleeve.tip, sleeve.entry))))
    within = error.tip_mm <= most and error.angle_deg <= budget.screw_angle_deg
    return _finding(
        design, guide, f"drill_error.{sleeve.screw}", f"drill of screw {sleeve.screw} off plan at its tip",
        error.tip_mm, "mm", f"≤ {most:.2f} mm at the tip and ≤ {budget.screw_angle_deg:g}°",
        "pass" if within else "warn",
        f"{error.angle_deg:.1f}°. Seat {error.seat_mm:.2f} mm, {error.seat_deg:.1f}°; drill in its sleeve "
        f"{error.tool_mm:.2f} mm, {error.tool_deg:.1f}°; sleeve as printed {error.print_mm:.2f} mm, "
        f"{error.print_deg:.1f}°: by squares, each at its worst. All the same way: {error.worst_tip_mm:.2f} mm, "
        f"{error.worst_angle_deg:.1f}°",
        np.asarray(sleeve.tip),
        "the error budget by which the screws' breach was judged: budget.screw_entry_mm and screw_angle_deg over the "
        "depth, by squares",
    )  # fmt: skip


def budget_at_tip_mm(budget: ErrorBudget, depth_mm: float) -> float:
    """What the plan's error budget of entry and angle comes to at a tip so deep: independent parts add by squares."""
    return math.hypot(budget.screw_entry_mm, depth_mm * math.tan(math.radians(budget.screw_angle_deg)))


def _finding(
    design: Design,
    guide: DrillGuide,
    key: str,
    what: str,
    value: float | None,
    unit: str,
    limit: str,
    verdict: Verdict,
    detail: str,
    place: np.ndarray | None = None,
    basis: str = _BASIS,
) -> Finding:
    spoken = guide.part.name.replace("_", " ").capitalize()
    id_, title = f"guide.{guide.part.name}.{key}", f"{spoken}: {what}"
    nominal = design.implants[0].situation
    return finding_in(nominal, id_, title, value, unit, limit, verdict, basis, place, detail=detail)
