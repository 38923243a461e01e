"""Holes that are not free, seats that are not cut or not to the plan's shape, and what the plan wants against backing
out: each told on the finished mesh."""

from __future__ import annotations

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder
from SpinalStrutDesignerLib.build.screws import finished_cutter
from SpinalStrutDesignerLib.plan.plan import Flange, Screw, ScrewType
from SpinalStrutDesignerLib.verify.finding import Finding
from SpinalStrutDesignerLib.verify.measured import Measured
from SpinalStrutDesignerLib.verify.screw_access import screw_access
from SpinalStrutDesignerLib.verify.seat_shape import seat_shape
from SpinalStrutDesignerLib.verify.seats import seats
from verify_toy import design_of, toy_case, toy_plan

# A plate 4.5 mm thick before C4's front (y = 8); the head's flat top lies in its outer face. Depth counts inwards.
FRONT, THICK = 12.5, 4.5
ENTRY, WAY = np.array([0.0, FRONT, 37.0]), np.array([0.0, -1.0, 0.0])


def planned(kind: ScrewType | None = None, **changes: object) -> Screw:
    return Screw(kind or ScrewType(), "C4", tuple(ENTRY), tuple(WAY), 14.0).with_(**changes)


def drilled(screw: Screw | None = None) -> Mesh:
    """The plate with a tab that stands out beside the driver's way, drilled."""
    plate = box([-9.0, FRONT - THICK, 29.0], [9.0, FRONT, 45.0])
    tab = box([5.0, FRONT - 1.0, 34.0], [9.0, FRONT + 70.0, 40.0])
    return difference(union([plate, tab]), [finished_cutter(screw or planned())])


def lid(first: float, last: float, radius: float = 6.0) -> Mesh:
    """A round plug across the hole, between two depths; as wide as to meet plate or tab."""
    return cylinder(ENTRY + first * WAY, ENTRY + last * WAY, radius, 64)


def found(mesh: Mesh, screw: Screw | None = None) -> dict[str, Finding]:
    plan = toy_plan(screws=(screw or planned(),), upper_flange=Flange(width_mm=18.0, height_mm=12.0))
    measured = Measured(design_of(toy_case(), plan, mesh).implants[0])
    findings = [*seats(measured), *seat_shape(measured), *screw_access(measured)]
    return {f.id.removeprefix("screw.1."): f for f in findings}


def test_a_free_hole_passes_and_is_measured():
    made = found(drilled())
    assert made["bore"].verdict == made["seat"].verdict == "pass"
    assert made["bore"].value == pytest.approx(1.85, abs=0.12)
    assert abs(made["seat"].value) < 0.03


@pytest.mark.parametrize(
    ("first", "last", "radius"),
    [(4.2, 4.5, 2.5), (4.45, 4.5, 2.5), (3.0, 3.4, 2.5), (3.0, 3.05, 2.5)],
    ids=["bottom", "film at the bottom", "middle", "film in the middle"],
)
def test_a_bore_that_does_not_go_through_the_metal_fails(first: float, last: float, radius: float):
    made = found(union([drilled(), lid(first, last, radius)]))["bore"]
    assert made.verdict == "fail" and made.blocks
    assert made.value < 0.15, "nothing is free about its axis"


def test_what_reaches_into_a_bore_from_its_side_fails_by_what_it_leaves():
    """As a strut of a porous layer, 0.3 mm thick, or the edge of another screw's boss."""
    strut = cylinder(ENTRY + 3.5 * WAY + [1.0, 0.0, -4.0], ENTRY + 3.5 * WAY + [1.0, 0.0, 4.0], 0.15, 24)
    made = found(union([drilled(), strut]))["bore"]
    assert made.verdict == "fail" and made.value == pytest.approx(0.85, abs=0.15)
    boss = box([1.2, FRONT - THICK, 33.0], [4.0, FRONT - 3.5, 41.0])
    made = found(union([drilled(), boss]))["bore"]
    assert made.verdict == "fail" and made.value == pytest.approx(1.2, abs=0.15)


@pytest.mark.parametrize("above", [1.0, 5.0, 20.0, 29.0, 39.0, 60.0])
@pytest.mark.parametrize("thick", [0.3, 4.0])
def test_metal_across_the_drivers_way_fails(above: float, thick: float):
    made = found(union([drilled(), lid(-above - thick, -above)]))
    told = [made[key] for key in ("bore", "access") if made[key].verdict == "fail"]
    assert told, {key: (f.verdict, f.value) for key, f in made.items()}


def test_a_lid_right_on_the_head_and_into_its_seat_fails():
    assert found(union([drilled(), lid(-1.0, 0.5, 3.5)]))["bore"].verdict == "fail"


def test_a_ring_over_the_seat_that_leaves_the_bore_free_fails():
    ring = difference(lid(-1.0, 4.5, 3.5), [lid(-2.0, 5.0, 1.85)])
    made = found(union([drilled(), ring]))
    assert made["bore"].value > 1.75, "the thread goes through"
    assert made["seat"].verdict == "fail" and "metal stands where the head goes" in made["seat"].detail


@pytest.mark.parametrize("seat", ["spherical", "conical"])
def test_a_hole_without_its_seat_fails(seat: str):
    screw = planned(ScrewType(seat=seat))
    whole = box([-9.0, FRONT - THICK, 29.0], [9.0, FRONT, 45.0])
    bare = difference(whole, [lid(-1.0, 10.0, 1.85)])
    made = found(bare, screw)["seat"]
    assert made.verdict == "fail" and made.value < -0.5
    assert found(drilled(screw), screw)["seat"].verdict == "pass"


def test_a_seat_of_the_other_shape_fails_both_ways():
    ball, cone = planned(), planned(ScrewType(seat="conical"))
    # The cone lies within the ball: a ball's head does not go in, a cone's has nothing to rest on.
    kept_out, loose = found(drilled(cone), ball)["seat"], found(drilled(ball), cone)["seat"]
    assert kept_out.verdict == "fail" and "metal stands" in kept_out.detail and kept_out.value < -0.3
    assert loose.verdict == "fail" and loose.value > 0.3
    assert "sphere of 3.05 mm" in kept_out.title and "90° cone of 6.1 mm" in loose.title


def test_stock_left_on_a_seat_is_told_by_how_much():
    kind = ScrewType()
    shallow = planned(kind.with_(seat_radius_mm=kind.seat_radius_mm - 0.04, head_radius_mm=3.0))
    shifted = difference(drilled(shallow), [lid(-40.0, 0.0, 3.05)])
    assert found(shifted)["seat"].verdict == "pass", "0.04 mm are within what is told"
    small = ScrewType(head_diameter_mm=5.4, head_radius_mm=2.7, seat_radius_mm=2.75)
    stock = found(difference(drilled(planned(small)), [lid(-40.0, 0.0, 3.05)]))["seat"]
    assert stock.verdict == "fail" and stock.value == pytest.approx(-0.3, abs=0.03)


def test_a_seat_of_which_a_side_is_cut_away_is_told():
    gone = difference(drilled(), [box([1.0, FRONT - 6.0, 30.0], [9.5, FRONT + 1.0, 44.0])])
    made = found(gone)["seat"]
    assert made.verdict in ("warn", "fail") and "deeper or is not there" in made.detail


def test_nothing_against_backing_out_needs_no_finding():
    assert "backout" not in found(drilled())


@pytest.mark.parametrize("means", ["cover_plate", "locking_ring", "locking_thread"])
def test_what_the_plan_wants_against_backing_out_and_the_implant_has_not_is_told(means: str):
    made = found(drilled(), planned(anti_backout=means))["backout"]
    assert made.verdict == "warn" and made.value == "not part of this implant"
    assert means.replace("_", " ") in made.title
    assert ("round head" in made.detail) == (means == "locking_thread")
    cone = planned(ScrewType(seat="conical"), anti_backout=means)
    assert "round head" not in found(drilled(cone), cone)["backout"].detail
