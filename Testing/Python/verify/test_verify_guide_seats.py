"""What verification says of guides' seats: a smooth one is none, a keyed one is, and drills are off by what slack and
levers come to."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import difference, intersection, union
from LatticeGeneratorLib.mesh.mesh import Mesh, Part
from LatticeGeneratorLib.mesh.solids import box
from scipy.optimize import linprog
from scipy.spatial import ConvexHull
from SpinalStrutDesignerLib.build.design import Design, DrillGuide
from SpinalStrutDesignerLib.build.drill_guide import guide_on_implant
from SpinalStrutDesignerLib.build.screws import finished_cutter
from SpinalStrutDesignerLib.build.sleeves import Sleeve
from SpinalStrutDesignerLib.case.model import Mask
from SpinalStrutDesignerLib.plan.guides import GuidePlan
from SpinalStrutDesignerLib.plan.plan import ErrorBudget, Screw, ScrewType
from SpinalStrutDesignerLib.verify.finding import Finding
from SpinalStrutDesignerLib.verify.guide_seats import budget_at_tip_mm, seat_of, seats
from verify_toy import UPPER, ball, block, column_mesh, design_of, toy_case, toy_plan

GAP, TOLERANCE, RADIUS = 0.2, 0.1, 12.0
MIDDLE = np.array([0.0, 0.0, 37.0])


def sleeve(length: float = 15.0, tip: float = 14.0) -> Sleeve:
    """Before the middle of the front, a millimetre off it, straight backwards."""
    return Sleeve(
        1, 2.5, 2.85, 6.85, (0.0, 9.0 + length, 37.0), (0.0, 9.0, 37.0), (0.0, 8.0, 37.0), (0.0, 8.0 - tip, 37.0),
        (0.0, -1.0, 0.0), length + 1.0 + tip,
    )  # fmt: skip


def design_with(mesh: Mesh, zones: np.ndarray, bones: tuple = (), **plan: object) -> Design:
    """Toy blocks, or other bones, with a mesh as the upper end's guide."""
    guides = GuidePlan(docking="none", fit_gap_mm=GAP, print_tolerance_mm=TOLERANCE)
    case = toy_case()
    if bones:
        case = case.with_structures([*bones, *(s for s in case.structures if s.level != "C4")])
    screws = (Screw(ScrewType(), "C4", (0.0, 8.0, 37.0), (0.0, -1.0, 0.0), 14.0),)
    made = design_of(case, toy_plan(**{"screws": screws, "guides": guides, **plan}), column_mesh())
    guide = DrillGuide(
        Part(mesh, "drill_proximal", "guide", "PA12"), "upper", (sleeve(),), np.array([0.0, -1.0, 0.0]), zones
    )
    return replace(made, guides=(guide,))


def sphere(radius: float) -> Mesh:
    """About the upper body's middle, of many small faces."""
    count = 3000
    turn, height = np.arange(count) * 2.399963, 1.0 - 2.0 * (np.arange(count) + 0.5) / count  # the golden angle
    flat = np.sqrt(1.0 - height**2)
    points = np.stack([flat * np.cos(turn), flat * np.sin(turn), height], axis=1)
    faces = ConvexHull(points).simplices
    a, b, c = points[faces].transpose(1, 0, 2)
    inward = np.einsum("ij,ij->i", np.cross(b - a, c - a), a) < 0.0
    faces[inward] = faces[inward][:, ::-1]
    return Mesh(MIDDLE + radius * points, faces)


@cache
def smooth() -> Design:
    """A cap on a bone that is a ball."""
    shell = difference(sphere(RADIUS + 3.0), [sphere(RADIUS + GAP)])
    cap = intersection(shell, box([-9.0, 4.0, 28.0], [9.0, 20.0, 46.0]))
    bone = replace(ball("C4", "bone", tuple(MIDDLE), RADIUS), level="C4")
    zones = MIDDLE + RADIUS * np.array([[0.0, 1.0, 0.0], [0.5, 0.8, 0.3], [-0.5, 0.8, -0.3]])
    return design_with(cap, zones, (bone,))


def pads() -> list[tuple[np.ndarray, np.ndarray]]:
    """Low and high corners of blocks that touch the upper body: two in front, two on each side, two under it."""
    (x, y, _), z = UPPER[1], UPPER[0][2]
    front = [([a, y + GAP, 32.0], [a + 3.0, y + 3.0, 42.0]) for a in (-8.0, 5.0)]
    right = [([x + GAP, b, 32.0], [x + 3.0, b + 3.0, 42.0]) for b in (-4.0, 4.0)]
    left = [([-low[0] - 2.8, low[1], low[2]], [-low[0], high[1], high[2]]) for low, high in right]
    under = [([a, 0.0, z - 3.0], [a + 3.0, 6.0, z - GAP]) for a in (-8.0, 5.0)]
    return [(np.array(low), np.array(high)) for low, high in (*front, *right, *left, *under)]


@cache
def keyed() -> Design:
    """A frame round the upper body that touches it on pads alone."""
    frame = difference(box([-14.0, -5.0, 26.0], [14.0, 12.0, 43.0]), [box([-12.0, -6.0, 28.0], [12.0, 10.0, 44.0])])
    zones = np.array([[0.5 * (low[i] + high[i]) for i in range(3)] for low, high in pads()])
    return design_with(union([frame, *(box(*pad) for pad in pads())]), zones)


def found(design: Design) -> dict[str, Finding]:
    return {f.id.removeprefix("guide.drill_proximal."): f for f in seats(design)}


def test_a_smooth_cap_on_a_ball_is_no_seat():
    seat = found(smooth())["seat"]
    assert seat.verdict == "fail" and "at least" in seat.detail and "must not rock" in seat.detail
    assert found(smooth())["contact"].verdict == "warn"  # one zone


def test_a_keyed_guide_has_one_seat():
    told = found(keyed())
    assert told["seat"].verdict == "pass" and told["seat"].value < 0.6
    assert told["contact"].verdict == "pass" and "8 zones" in told["contact"].detail
    area = 2 * 30.0 + 4 * 30.0 + 2 * 18.0
    assert told["contact"].value == pytest.approx(area, rel=0.03)
    assert told["drill_error.1"].verdict == "pass"


def first_order(motion: np.ndarray) -> float:
    """The farthest that the guide's pads, each touching in its corners, let it move along a motion (6,), shift at the
    origin and turn: |n · (v + w × r)| ≤ slack, as a linear programme."""
    x, y, z = 0, 1, 2
    rows = []
    for (low, high), axis in zip(pads(), (y, y, x, x, x, x, z, z)):
        for corner in np.stack(np.meshgrid(*np.stack([low, high], axis=1), indexing="ij"), axis=-1).reshape(-1, 3):
            rows.append(np.r_[np.eye(3)[axis], np.cross(corner - MIDDLE, np.eye(3)[axis])])
    both = np.vstack([rows, -np.array(rows)])
    return -float(linprog(-motion, A_ub=both, b_ub=np.full(len(both), GAP + TOLERANCE), bounds=[(None, None)] * 6).fun)


def test_the_drills_error_is_what_slack_and_levers_come_to():
    design = keyed()
    (error,) = seat_of(design.guides[0], design).seating.errors
    # How far its tip goes: v + w × r along every way across the drill and along it, the farthest.
    tip, ways = np.array(sleeve().tip) - MIDDLE, []
    for azimuth in np.radians(np.arange(0.0, 360.0, 15.0)):
        for height in np.radians(np.arange(-75.0, 90.0, 15.0)):
            way = np.array([np.cos(azimuth) * np.cos(height), np.sin(azimuth) * np.cos(height), np.sin(height)])
            ways.append(first_order(np.r_[way, np.cross(tip, way)]))
    # Contact is followed by the middles of faces half a millimetre large: they hold a little less than corners.
    assert error.seat_mm == pytest.approx(max(ways), rel=0.12)
    assert error.seat_mm >= 0.97 * max(ways)
    # The drill lies askew in its bore, 0.175 mm off at either end; its tip is 1 + 14 mm past the end of 15 mm.
    assert error.tool_mm == pytest.approx(0.175 * (7.5 + 15.0) / 7.5)
    assert error.tool_deg == pytest.approx(np.degrees(np.arctan(0.35 / 15.0)))
    assert error.print_mm == pytest.approx(TOLERANCE * (7.5 + 15.0) / 7.5)
    told = found(design)["drill_error.1"]
    assert told.value == pytest.approx(np.sqrt(error.seat_mm**2 + error.tool_mm**2 + error.print_mm**2), abs=1e-5)


def test_an_error_beyond_the_budget_warns():
    design = keyed()
    small = design_with(design.guides[0].part.mesh, design.guides[0].zones, budget=ErrorBudget(screw_entry_mm=0.1))
    assert found(small)["drill_error.1"].verdict == "pass"
    none = ErrorBudget(screw_entry_mm=0.1, screw_angle_deg=0.5)
    told = found(design_with(design.guides[0].part.mesh, design.guides[0].zones, budget=none))["drill_error.1"]
    assert told.verdict == "warn" and "0.5°" in told.limit
    # 14 mm deep, half a degree is 0.122 mm.
    assert budget_at_tip_mm(none, 14.0) == pytest.approx(np.hypot(0.1, 0.1222), abs=1e-3)


def test_a_guide_that_touches_nothing_fails():
    design = keyed()
    guide = design.guides[0]
    loose = replace(guide, part=guide.part.with_mesh(box([-5.0, 10.0, 32.0], [5.0, 14.0, 42.0])))
    (told,) = seats(replace(design, guides=(loose,)))
    assert (told.id, told.verdict) == ("guide.drill_proximal.seat", "fail") and "no contact" in told.detail


def test_a_tolerance_at_which_it_would_be_unique_is_told_and_is_true():
    design = keyed()
    guide = design.guides[0]
    rough = GuidePlan(docking="none", fit_gap_mm=GAP, print_tolerance_mm=0.9)
    loose = design_with(guide.part.mesh, guide.zones, guides=rough)
    seat = seat_of(guide, loose)
    assert not seat.seating.unique and seat.unique_tolerance_mm is not None
    assert f"true to {seat.unique_tolerance_mm:g} mm" in found(loose)["seat"].detail
    true = design_with(guide.part.mesh, guide.zones, guides=rough.with_(print_tolerance_mm=seat.unique_tolerance_mm))
    assert found(true)["seat"].verdict == "pass"


def test_plugs_in_an_implants_holes_have_the_play_of_their_gap():
    guides = GuidePlan(docking="none", drill="implant", fit_gap_mm=GAP, print_tolerance_mm=TOLERANCE)
    places = ((-6.0, 0.2), (6.0, -0.2))
    screws = tuple(Screw(ScrewType(), "C4", (x, 12.0, 37.0), (a, -1.0, 0.0), 14.0) for x, a in places)
    flange = difference(box([-10.0, 8.3, 32.0], [10.0, 13.3, 42.0]), [finished_cutter(s) for s in screws])
    design = design_of(toy_case(), toy_plan(guides=guides, screws=screws), flange)
    design = replace(design, guides=(guide_on_implant(design.implants[0].situation, flange, "upper"),))
    told = found(design)
    slack = GAP + TOLERANCE
    # Two plugs 12 mm apart: across, along and up they have the slack; one up and one down, they turn by 2 · slack / 12.
    assert told["seat"].value >= 0.9 * slack
    assert seat_of(design.guides[0], design).seating.tilt_deg >= 0.9 * np.degrees(2.0 * slack / 12.0)
    assert set(told) == {"seat", "contact", "drill_error.1", "drill_error.2"}


def test_bone_that_is_bared_beside_the_body_is_told():
    assert found(keyed())["bared"].verdict == "pass" and found(keyed())["bared"].value < 0.5  # all on the body
    # A ledge beside the body, 12 mm wide, on which one more pad rests.
    ledge = block("ledge", "bone", np.array([-22.0, -8.0, 32.0]), np.array([-10.0, 8.0, 42.0]))
    upper = next(s for s in toy_case().structures if s.level == "C4")
    wide = replace(upper, mask=Mask(upper.mask.voxels | ledge.mask.voxels, upper.mask.ijk_to_ras))
    pad = box([-20.0, 8.0 + GAP, 34.0], [-17.0, 11.0, 40.0])
    told = found(design_with(pad, np.array([[-18.5, 8.0, 37.0]]), (wide,)))["bared"]
    assert told.verdict == "warn" and told.value == pytest.approx(10.0, abs=0.4)
