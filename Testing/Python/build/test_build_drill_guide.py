"""Drill guides: they lead the drill as planned, slide on, rest on their zones alone, and are refused in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from build_toy import LOW, SPACING, TALL, UPPER_Z, block, off_upper
from drill_toy import CLEARANCE, MIDDLE_Z, drill, mushroom, off_both, off_mushroom, screw, two_screws, with_upper, world
from LatticeGeneratorLib.mesh.boolean import common_volume, difference
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, components
from LatticeGeneratorLib.mesh.samples import first_in_cells, surface_points
from LatticeGeneratorLib.mesh.solids import cylinder
from SpinalStrutDesignerLib.build.drill_guide import drill_guides, guide_on_bone
from SpinalStrutDesignerLib.case.model import Mask, Structure
from SpinalStrutDesignerLib.errors import GeometryError


def test_a_drill_goes_through_each_sleeve_where_planned_and_nowhere_else():
    situation, guide = two_screws()
    assert [s.screw for s in guide.sleeves] == [1, 2]
    for planned, sleeve in zip(situation.plan.screws, guide.sleeves):
        bore = planned.type.pilot_mm + CLEARANCE
        assert sleeve.bore_mm == pytest.approx(bore)
        mesh = guide.part.mesh
        # Chords of 64 sides reach 2 µm into the circle: 0.02 mm less than the bore passes, shifted by 0.03 it does not.
        assert common_volume(mesh, drill(planned, sleeve, bore - 0.02)) == 0.0
        assert common_volume(mesh, drill(planned, sleeve, bore - 0.02, 0.03)) > 0.1
        # The wall is there all round over the upper half, so that the bore is a bore.
        along, top = np.array(planned.direction), np.array(sleeve.top)
        tube = difference(
            cylinder(top + 0.2 * along, top + 7.0 * along, 0.5 * bore + 1.8),
            [cylinder(top, top + 8.0 * along, 0.5 * bore + 0.1)],
        )
        assert common_volume(mesh, tube) == pytest.approx(tube.volume, rel=0.01)


def test_the_stop_is_a_whole_number_of_steps_from_the_top_to_the_screws_tip():
    for step in (1.0, 5.0):
        made = world(screw(0.0), stop_step_mm=step)
        sleeve = guide_on_bone(made, "upper").sleeves[0]
        planned = made.plan.screws[0]
        tip = np.array(planned.entry) + planned.length_mm * np.array(planned.direction)
        stop = float(np.linalg.norm(tip - sleeve.top))
        assert stop == pytest.approx(sleeve.stop_mm) == pytest.approx(step * round(stop / step))
        assert 15.0 <= sleeve.length_mm < 15.0 + step
        # The block's front lies 4 mm under the head, and the bore ends a millimetre before it.
        assert sleeve.entry == pytest.approx((0.0, 8.0, MIDDLE_Z), abs=0.1)
        assert sleeve.foot == pytest.approx((0.0, 9.0, MIDDLE_Z), abs=0.1)


def test_the_stop_is_told_with_the_part():
    _, guide = two_screws()
    assert guide.part.name == "drill_proximal" and guide.part.role == "guide" and guide.part.material == "PA12"
    assert guide.part.provenance["screw 1"] == f"drill 2.5 mm, stop {guide.sleeves[0].stop_mm:g} mm"


def test_it_is_one_closed_body():
    _, guide = two_screws()
    assert closed_manifold_fault(guide.part.mesh) is None
    assert len(components(guide.part.mesh)) == 1


def test_it_slides_on_without_meeting_bone():
    _, guide = two_screws()
    points = surface_points(guide.part.mesh, 0.5)
    points = points[first_in_cells(points, 0.3)]
    for out in np.arange(0.0, 30.5, 0.5):
        assert off_both(points - out * guide.insertion).min() > 0.0


def test_it_rests_on_separate_zones_and_stays_off_bone_elsewhere():
    _, guide = two_screws()
    zones = guide.zones
    assert len(zones) >= 3
    apart = np.linalg.norm(zones[:, None] - zones[None], axis=2)[np.triu_indices(len(zones), 1)]
    assert apart.min() >= 5.0 + 1.0
    assert np.abs(off_upper(zones)).max() < 0.15
    # One hook at least lies on the endplate, the others in front.
    assert (np.abs(zones[:, 2] - UPPER_Z) < 0.2).any() and (np.abs(zones[:, 1] - 8.0) < 0.2).sum() >= 3
    points = surface_points(guide.part.mesh, 0.4)
    away = np.linalg.norm(points[:, None] - zones, axis=2)
    off = off_both(points)
    assert off[away.min(axis=1) > 2.5 + 0.6].min() > 1.0
    # On a sharp edge, where a zone may lie, distances between places half a millimetre apart err by 0.1 mm.
    for zone in range(len(zones)):
        assert off[away[:, zone] < 1.5].min() == pytest.approx(0.2, abs=0.12)


def test_an_undercut_bone_is_slid_onto_from_the_front():
    made = with_upper(world(screw(-4.0, 0.1), screw(4.0, -0.1)), mushroom())
    guide = guide_on_bone(made, "upper")
    points = surface_points(guide.part.mesh, 0.5)
    for out in np.arange(0.0, 20.0, 0.5):
        assert off_mushroom(points - out * guide.insertion).min() > 0.0


def test_what_is_not_asked_for_is_not_made():
    made = world(screw(0.0), window_mm=0.0, grip_mm=0.0)
    plain = guide_on_bone(made, "upper").part
    assert plain.provenance["windows"] == "0" and plain.provenance["grip"] == "none"
    whole = guide_on_bone(world(screw(0.0)), "upper").part
    assert whole.provenance["windows"] != "0" and whole.provenance["grip"] == "made"
    assert whole.mesh.bounds[1][1] > 40.0 > plain.mesh.bounds[1][1]
    assert drill_guides(world(screw(0.0), drill="none")).made == ()


def test_a_metal_sleeve_sets_the_bore():
    sleeve = guide_on_bone(world(screw(0.0), insert_diameter_mm=4.0, tool_clearance_mm=0.1), "upper").sleeves[0]
    assert (sleeve.bore_mm, sleeve.outer_mm, sleeve.drill_mm) == pytest.approx((4.1, 8.1, 2.5))


def front_tube(name: str, role: str) -> Structure:
    """An upright column from side to side, 6 to 10 mm before the front, where sleeves lie."""
    from build_toy import HIGH

    count = np.ceil((HIGH - LOW) / SPACING).astype(int)
    filled = np.zeros(count[::-1], dtype=bool)
    first = int((14.0 - LOW[1]) / SPACING)
    filled[:, first : first + 4] = True
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    affine[:3, 3] = LOW + SPACING / 2.0
    return Structure(name, role, Mask(filled, affine))  # type: ignore[arg-type]


def hollow() -> Structure:
    """The upper body as a shell of a millimetre."""
    whole = block("C4", UPPER_Z, UPPER_Z + TALL)
    from scipy.ndimage import binary_erosion

    shell = whole.mask.voxels & ~binary_erosion(whole.mask.voxels, iterations=2)
    return replace(whole, mask=Mask(shell, whole.mask.ijk_to_ras))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: world(screw(13.5)), "meets no bone of C4"),
        (lambda: with_upper(world(screw(0.0)), hollow()), "hollow or absent"),
        (lambda: world(screw(-5.0), screw(5.0), zone_diameter_mm=12.0), "zone_diameter_mm"),
        (lambda: world(screw(-1.5), screw(1.5)), "shorten guides.sleeve_length_mm"),
        (lambda: world(screw(-5.0, -0.5), screw(5.0, 0.5)), "shorten guides.sleeve_length_mm"),
        (lambda: world(screw(0.0), others=(front_tube("dural_sac", "keepout_critical"),)), "insertion.retractions"),
        (lambda: world(screw(0.0), insert_diameter_mm=2.5), "insert_diameter_mm"),
    ],
    ids=["no bone", "hollow", "large zones", "parallel", "crossing", "keep-out", "insert"],
)
def test_what_cannot_be_made_is_refused_with_what_to_change(made, words):
    with pytest.raises(GeometryError, match=words):
        guide_on_bone(made(), "upper")
    found = drill_guides(made())
    assert found.made == () and found.unmade[0][0] == "drill_proximal" and words in found.unmade[0][1]


def test_what_may_be_held_aside_is_no_hindrance():
    made = world(screw(0.0), others=(front_tube("oesophagus", "keepout_critical"),))
    assert guide_on_bone(made, "upper").sleeves


def test_a_grip_keeps_off_bone_that_stands_before_the_guide():
    """A bone 45 mm in front, past the guide's base and sleeves: a grip where the middle is free would meet it."""
    count = (20, 20, 20)
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    affine[:3, 3] = (-2.5, 45.0, MIDDLE_Z - 5.0)
    far = Structure("mandible", "bone", Mask(np.ones(count, dtype=bool), affine))
    guide = guide_on_bone(world(screw(0.0), others=(far,)), "upper")
    points = surface_points(guide.part.mesh, 1.0)
    points = points[first_in_cells(points, 0.5)]
    for out in np.arange(0.0, 30.0, 1.0):
        moved = points - out * guide.insertion
        assert not np.all((moved > affine[:3, 3]) & (moved < affine[:3, 3] + 9.5), axis=1).any()
