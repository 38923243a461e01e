"""What a screw takes out: volume and places by formula."""

from __future__ import annotations

import numpy as np
import pytest
from SpinalStrutDesignerLib.build.screws import BEYOND_TIP_MM, DRIVER_WAY_MM, finished_cutter
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
