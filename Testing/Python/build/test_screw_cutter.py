"""What a screw takes out: volume and places by formula."""

from __future__ import annotations

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import common_volume
from LatticeGeneratorLib.mesh.inside import winding_number
from SpinalStrutDesignerLib.build.screws import BEYOND_TIP_MM, DRIVER_WAY_MM, finished_cutter, printed_cutter
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.guides import HolePlan
from SpinalStrutDesignerLib.plan.plan import Screw, ScrewType


def test_bore_seat_and_driver_way_have_the_catalogue_sizes():
    kind = ScrewType()
    screw = Screw(kind, "C4", (1.0, 2.0, 3.0), (0.0, 0.6, 0.8), 16.0)
    cutter = finished_cutter(screw)
    r, seat = kind.clearance_hole_mm / 2, kind.seat_radius_mm
    reach = np.sqrt(seat**2 - r**2)
    # Cylinder from the seat's lower half on, half a sphere with its cap cut by the bore, and the driver's way.
    cap = np.pi * (seat - reach) ** 2 * (2 * seat + reach) / 3
    expected = (
        np.pi * r**2 * (screw.length_mm + BEYOND_TIP_MM - reach)
        + 2 / 3 * np.pi * seat**3
        - cap
        + np.pi * seat**2 * DRIVER_WAY_MM
    )
    assert cutter.volume == pytest.approx(expected, rel=0.01)
    along = (cutter.vertices - np.array(screw.entry)) @ np.array(screw.direction)
    assert along.min() == pytest.approx(-DRIVER_WAY_MM, abs=1e-9)
    assert along.max() == pytest.approx(screw.length_mm + BEYOND_TIP_MM, abs=1e-9)


def _away(screw: Screw) -> tuple[np.ndarray, np.ndarray]:
    unit = np.array(screw.direction)
    across = np.cross(unit, [1.0, 0.0, 0.0])
    return unit, across / np.linalg.norm(across)


def _holds(mesh, screw: Screw, depth: float, off: float) -> bool:
    """Whether a place by its depth along the axis and distance from it lies in a closed mesh: turns of a full angle."""
    unit, across = _away(screw)
    return bool(winding_number(mesh, (np.array(screw.entry) + depth * unit + off * across)[None])[0] > 0.5)


@pytest.mark.parametrize("angle", [60.0, 90.0, 120.0])
def test_a_conical_seat_has_its_angle_and_its_diameter_in_the_plane_of_the_head_s_top(angle: float):
    kind = ScrewType(seat="conical", seat_angle_deg=angle)
    screw = Screw(kind, "C4", (1.0, 2.0, 3.0), (0.0, 0.6, 0.8), 16.0)
    r, seat = kind.clearance_hole_mm / 2, kind.seat_radius_mm
    deep = (seat - r) / np.tan(np.deg2rad(angle / 2))
    expected = np.pi * (
        seat**2 * DRIVER_WAY_MM
        + deep / 3 * (seat**2 + seat * r + r**2)
        + r**2 * (screw.length_mm + BEYOND_TIP_MM - deep)
    )
    cutter = finished_cutter(screw)
    # A polygon of 64 corners holds 0.16 % less than its circle.
    assert cutter.volume == pytest.approx(expected, rel=0.002)
    for depth in (0.1 * deep, 0.5 * deep, 0.9 * deep):
        at = seat - depth * np.tan(np.deg2rad(angle / 2))
        assert _holds(cutter, screw, depth, at - 0.02) and not _holds(cutter, screw, depth, at + 0.02)


@pytest.mark.parametrize("seat", ["spherical", "conical"])
def test_a_printed_hole_leaves_the_stock_square_to_the_seat_and_half_the_undersize_around_the_bore(seat: str):
    kind = ScrewType(seat=seat)
    screw = Screw(kind, "C4", (1.0, 2.0, 3.0), (0.0, 0.6, 0.8), 16.0)
    holes = HolePlan(undersize_mm=0.6, seat_stock_mm=0.4)
    printed, made = printed_cutter(screw, holes), finished_cutter(screw)
    assert common_volume(printed, made) == pytest.approx(printed.volume, rel=2e-3)
    for cutter, left in ((made, 0.0), (printed, 1.0)):
        bore = kind.clearance_hole_mm / 2 - left * 0.3
        assert _holds(cutter, screw, 10.0, bore - 0.02) and not _holds(cutter, screw, 10.0, bore + 0.02)
        # A place on the seat, and the way square to it out of the hole.
        if seat == "spherical":
            depth, off, outwards = 3.05 * 0.5, 3.05 * np.sqrt(0.75), (0.5, np.sqrt(0.75))
        else:
            depth, off, outwards = 0.6, 3.05 - 0.6, (np.sqrt(0.5), np.sqrt(0.5))
        for beyond, held in ((-0.03, True), (0.03, False)):
            step = beyond - left * 0.4
            assert _holds(cutter, screw, depth + step * outwards[0], off + step * outwards[1]) is held
        # The driver's way is the same.
        assert _holds(cutter, screw, -5.0, 3.0) and not _holds(cutter, screw, -5.0, 3.1)


def test_a_printed_hole_without_a_seat_left_is_a_bore_below_the_driver_s_way():
    kind = ScrewType()
    screw = Screw(kind, "C4", (0.0, 0.0, 0.0), (0.0, 0.6, 0.8), 16.0)
    cutter = printed_cutter(screw, HolePlan(undersize_mm=0.5, seat_stock_mm=2.0))
    expected = np.pi * (3.05**2 * DRIVER_WAY_MM + 1.6**2 * (16.0 + BEYOND_TIP_MM))
    assert cutter.volume == pytest.approx(expected, rel=0.002)


def test_an_undersize_that_leaves_no_bore_is_refused_with_the_numbers():
    kind = ScrewType(clearance_hole_mm=3.0, diameter_mm=2.7, pilot_mm=2.0)
    screw = Screw(kind, "C4", (0.0, 0.0, 0.0), (0.0, 0.6, 0.8), 16.0)
    with pytest.raises(PlanError, match=r"holes.undersize_mm: 2.8 mm leaves 0.2 mm of the 3 mm bore of '3.5 mm small"):
        printed_cutter(screw, HolePlan(undersize_mm=2.8))
