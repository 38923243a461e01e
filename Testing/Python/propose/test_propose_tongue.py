"""Feet proposed in disc spaces between blocks: from which side they come, with which gap, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from SpinalStrutDesignerLib.case.model import Case, Structure
from SpinalStrutDesignerLib.errors import GeometryError
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Axis, FootPlan, Plan, Section
from SpinalStrutDesignerLib.propose.foot import find_site, fitted_foot
from test_propose_feet import SIDE, block, case, plate, solid

PLAN = Plan("C6", "T11")


def roof(height_mm: float) -> Structure:
    """T10, so far over the block T11."""
    return solid(
        "T10",
        "bone",
        lambda x, y, z: (np.abs(x) < SIDE) & (np.abs(y) < SIDE) & (z > height_mm - 0.25) & (z < height_mm + 14.0),
        "T10",
    )


def with_lip(patient: Case, high_mm: float) -> Case:
    """T11 with a lip along all of its front edge, so high over its face."""
    whole = solid("T11", "bone", lambda x, y, z: block(x, y, z) | (block(x, y, z - high_mm) & (y > SIDE - 2.0)), "T11")
    return patient.with_structures([whole if s.level == "T11" else s for s in patient.structures])


def fitted(patient: Case, place: tuple[float, float]) -> FootPlan:
    """The foot of a strut that ends there, (right, anterior) mm from the plate's middle."""
    site = find_site(patient, plate(), FootPlan(), PLAN.interface)
    points = tuple((*place, z) for z in (80.0, 40.0, 1.0))
    curve = axis_curve(Axis(points), Section(shape="ellipse", width_mm=10.0, depth_mm=10.0))
    return fitted_foot(patient, PLAN, site, curve, -1)


def test_a_disc_space_too_low_is_refused_before_a_strut_is_sought() -> None:
    """A wall of 1 mm and twice the print's error of 0.26 mm (Schulze 2024) do not fit into 1 mm."""
    with pytest.raises(GeometryError, match=r"T11 superior .* to T10, which stands: a height of 1\.52 mm is needed"):
        find_site(case(roof(1.0)), plate(), FootPlan(), PLAN.interface)


def test_between_flat_faces_a_foot_comes_from_where_the_strut_ends() -> None:
    assert fitted(case(roof(3.0)), (4.0, 22.0)).approach == "anterior"
    assert fitted(case(roof(3.0)), (22.0, 4.0)).approach == "right"


def test_a_lip_across_the_front_sends_the_foot_round_to_the_strut_s_side() -> None:
    """Over a lip of 2 mm there is 1 mm of 3: none comes in from the front."""
    patient = with_lip(case(roof(3.0)), 2.0)
    assert fitted(patient, (4.0, 22.0)).approach == "right"
    assert fitted(patient, (-4.0, 22.0)).approach == "left"
