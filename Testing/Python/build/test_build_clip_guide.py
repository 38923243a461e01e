"""Drill guides in an implant's holes: they lead the drill, slide on straight, stand upright, or are refused."""

from __future__ import annotations

import numpy as np
import pytest
from build_toy import UPPER_Z
from drill_toy import CLEARANCE, MIDDLE_Z, drill, off_hole, off_plate, plate_with_holes, screw, world
from LatticeGeneratorLib.mesh.boolean import common_volume, difference
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, components
from LatticeGeneratorLib.mesh.samples import first_in_cells, surface_points
from LatticeGeneratorLib.mesh.solids import cylinder
from SpinalStrutDesignerLib.build.drill_guide import guide_on_implant
from SpinalStrutDesignerLib.case.model import Mask, Structure
from SpinalStrutDesignerLib.errors import GeometryError
from SpinalStrutDesignerLib.plan.plan import ScrewType
from SpinalStrutDesignerLib.verify.plastic import thinnest_mm

WAY_MM = 30.0


def filled(name: str, role: str, low, high) -> Structure:
    """A structure that fills a box in voxels of half a millimetre."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    count = np.rint((high - low) / 0.5).astype(int)
    affine = np.diag([0.5, 0.5, 0.5, 1.0])
    affine[:3, 3] = low + 0.25
    return Structure(name, role, Mask(np.ones(count[::-1], dtype=bool), affine))  # type: ignore[arg-type]


def made(*screws, **given):
    """A world with its guide."""
    situation = world(*screws, drill="implant", **given)
    return situation, guide_on_implant(situation, plate_with_holes(situation), "upper")


@pytest.mark.parametrize("screws", [(screw(0.0),), (screw(-6.0, 0.15), screw(6.0, -0.1))], ids=["one", "two"])
def test_a_guide_fills_the_implants_holes_and_leads_the_drill_as_planned(screws):
    situation = world(*screws)
    implant = plate_with_holes(situation)
    guide = guide_on_implant(situation, implant, "upper")
    assert len(components(guide.part.mesh)) == 1
    for planned, sleeve in zip(screws, guide.sleeves):
        bore = planned.type.pilot_mm + CLEARANCE
        assert common_volume(guide.part.mesh, drill(planned, sleeve, bore - 0.02)) == 0.0
        assert common_volume(guide.part.mesh, drill(planned, sleeve, bore - 0.02, 0.03)) > 0.1
        # Of the sphere under the head, less the gap, the plug fills the part outside the bore.
        at, along = np.array(planned.entry), np.array(planned.direction)
        seat = cylinder(at - 0.5 * along, at + 1.0 * along, ScrewType().seat_radius_mm - 0.4)
        seat = difference(seat, [cylinder(at - along, at + 2.0 * along, 0.5 * bore + 0.05)])
        assert common_volume(guide.part.mesh, seat) > (0.9 if len(screws) == 1 else 0.7) * seat.volume
    # It enters on its way in without meeting the metal.
    for out in (0.0, 0.5, 1.0, 2.0, 4.0):
        matrix = np.eye(4)
        matrix[:3, 3] = -out * guide.insertion
        assert common_volume(guide.part.mesh.transformed(matrix), implant) < 0.01


CONVERGING = [
    (screw(-6.0, 0.15), screw(6.0, -0.1)),
    tuple(s.with_(entry=(s.entry[0], 11.0, MIDDLE_Z)) for s in (screw(-6.0, 0.35), screw(6.0, -0.3, to_z=0.15))),
]


@pytest.mark.parametrize("screws", CONVERGING, ids=["little", "much"])
def test_converging_plugs_slide_in_straight(screws):
    """Against the flange as it was drawn, every quarter of a millimetre of the way from 30 mm outside."""
    _, guide = made(*screws)
    points = surface_points(guide.part.mesh, 0.3)
    points = points[first_in_cells(points, 0.2)]
    places = np.arange(0.0, WAY_MM, 0.25)
    assert min(off_plate(points - out * guide.insertion, screws).min() for out in places) > 0.0
    # A plug that fills its hole to the fit gap at its seat would not come out: this is what was taken off.
    ball = cylinder(screws[0].entry, np.array(screws[0].entry) - 0.8 * np.array(screws[0].direction), 2.85, 96).vertices
    assert off_hole(ball, screws[0]).max() < 0.0
    if screws is CONVERGING[1]:
        assert min(off_plate(ball - out * guide.insertion, screws).min() for out in places) < -0.1
    assert closed_manifold_fault(guide.part.mesh) is None
    assert thinnest_mm(guide.part.mesh) >= 0.9


def test_bone_before_the_holes_is_passed_beside():
    """A bar 22 mm in front, a little above the way straight in: the guide comes in under it."""
    screws = (screw(-6.0, 0.1), screw(6.0, -0.1))
    bar = filled("hyoid", "bone", (-14.0, 34.0, MIDDLE_Z + 2.0), (14.0, 38.0, MIDDLE_Z + 6.0))
    _, guide = made(*screws, others=(bar,))
    mean = np.mean([s.direction for s in guide.sleeves], axis=0)
    assert 5.0 < np.degrees(np.arccos(guide.insertion @ mean / np.linalg.norm(mean))) < 21.0
    low, high = np.array([-14.0, 34.0, MIDDLE_Z + 2.0]), np.array([14.0, 38.0, MIDDLE_Z + 6.0])
    points = surface_points(guide.part.mesh, 0.5)
    for out in np.arange(0.0, WAY_MM, 0.5):
        moved = points - out * guide.insertion
        assert not np.all((moved > low) & (moved < high), axis=1).any()
        assert off_plate(moved, screws).min() > 0.0


def test_a_saddle_holds_a_lone_guide_upright():
    """A ball in a round seat would turn freely: plastic lies on the flange around, as wide as asked."""
    for wide in (3.0, 6.0):
        _, guide = made(screw(0.0), zone_diameter_mm=wide)
        points = surface_points(guide.part.mesh, 0.3)
        low = points[np.abs(points[:, 1] - 13.5) < 0.1]
        reach = 0.5 * guide.sleeves[0].outer_mm + wide
        assert np.abs(low[:, 0]).max() == pytest.approx(reach, abs=1.6)
        assert low[:, 2].max() - MIDDLE_Z == pytest.approx(reach, abs=1.6)
        # Towards the strut, which hangs below, it reaches on.
        assert low[:, 2].min() - MIDDLE_Z < -9.0


BEFORE = ((-14.0, 15.0, UPPER_Z - 6.0), (14.0, 18.0, UPPER_Z + 20.0))
SHEET = ((-1.0, 4.5, UPPER_Z - 30.0), (1.0, 28.5, UPPER_Z + 40.0))
TWO = (screw(-6.0, 0.3), screw(6.0, -0.3))


@pytest.mark.parametrize(
    ("screws", "given", "words", "remedy"),
    [
        ((screw(0.0),), {"insert_diameter_mm": 4.5}, "insert_diameter_mm", {"insert_diameter_mm": None}),
        ((screw(-5.0, -0.3), screw(5.0, 0.3)), {}, "shorten guides.sleeve_length_mm", {"sleeve_length_mm": 5.0}),
        (
            TWO,
            {"others": (filled("mandible", "bone", (-30.0, 30.0, -20.0), (30.0, 34.0, 60.0)),)},
            "bone lies in the way of the sleeves .* shorten guides.sleeve_length_mm",
            {"others": (filled("mandible", "bone", (-30.0, 42.0, 30.0), (30.0, 46.0, 60.0)),)},
        ),
        ((screw(0.0),), {"others": (filled("dural_sac", "keepout_critical", *BEFORE),)}, "keep off", None),
        (
            TWO,
            {"others": (filled("clip", "metal", *SHEET),)},
            "lengthen guides.sleeve_length_mm",
            {"sleeve_length_mm": 40.0},
        ),
    ],
    ids=["insert", "crossing", "bone", "keep-out", "parted"],
)
def test_what_cannot_be_made_is_refused_with_what_helps(screws, given, words, remedy):
    situation = world(*screws, drill="implant", **given)
    with pytest.raises(GeometryError, match=words):
        guide_on_implant(situation, plate_with_holes(situation), "upper")
    if remedy is not None:
        assert made(*screws, **{**given, **remedy})[1].sleeves
