"""An implant on its way in: where it is, and what lies beside it there, by what was built so."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from SpinalStrutDesignerLib.build.design import Implant
from SpinalStrutDesignerLib.plan.entries import RetractionRule
from SpinalStrutDesignerLib.plan.insertion import Insertion, Way, Waypoint
from SpinalStrutDesignerLib.verify.on_way import OnWay

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "propose"))
from insertion_toy import SPACING, filled, toy

FRONT = Way(0.0, (Waypoint((0.0, 60.0, 0.0)), Waypoint()))
ASIDE = RetractionRule("oesophagus", "aside", 30.0, "made up")


def on_way(implant: Implant) -> OnWay:
    return OnWay.of(implant.situation, FRONT, implant.part.mesh)


def test_the_way_begins_outside_and_ends_in_its_place() -> None:
    shown = on_way(toy())
    np.testing.assert_allclose(shown.pose(0.0)[:3, 3], (0.0, 60.0, 0.0), atol=1e-12)
    np.testing.assert_allclose(shown.pose(0.5)[:3, 3], (0.0, 30.0, 0.0), atol=0.3)
    np.testing.assert_allclose(shown.pose(1.0), np.eye(4), atol=1e-12)
    assert shown.beside(0.5) == ()  # bone is not told of


def test_what_lies_before_it_is_in_the_way_where_it_is_passed_and_nowhere_else() -> None:
    """A wall 20 to 24 mm in front; the implant is 10 mm deep, from 4 mm behind its middle to 6 mm before it."""
    wall = filled("oesophagus", "keepout_critical", (-12.0, 20.0, -30.0), (12.0, 24.0, 30.0))
    shown = on_way(toy(wall, insertion=Insertion(retractions=(ASIDE,))))
    at = ((1.0, 14.0, False), (0.8, 2.0, False), (1.0 - 22.0 / 60.0, None, True), (0.0, 32.0, False))
    for share, distance, in_way in at:
        (one,) = shown.beside(share)
        assert one.structure == "oesophagus" and one.rule == ASIDE and one.in_way is in_way, share
        assert one.at_place_mm == pytest.approx(14.0, abs=SPACING)
        if distance is not None and distance < 25.0:  # farther off a distance is a lower bound
            assert one.distance_mm == pytest.approx(distance, abs=SPACING)


def test_the_deepest_comes_first() -> None:
    near = filled("oesophagus", "keepout_critical", (5.0, -4.0, -10.0), (9.0, 4.0, 10.0))
    nearer = filled("carotids", "keepout_critical", (-3.0, 12.0, -10.0), (3.0, 16.0, 10.0))
    names = [one.structure for one in on_way(toy(near, nearer)).beside(46 / 60)]
    assert names == ["carotids", "oesophagus"]


def test_metal_that_touches_the_implant_in_its_place_is_in_the_way_only_where_it_comes_deeper() -> None:
    plate = filled("metal", "metal", (-4.0, 5.2, -3.2), (4.0, 12.0, 3.2))
    shown = on_way(toy(plate))
    (placed,) = shown.beside(1.0)
    assert placed.distance_mm < 0.0 and placed.rule is None and not placed.in_way
    assert shown.beside(1.0 - 5.0 / 60.0)[0].in_way
