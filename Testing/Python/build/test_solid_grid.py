"""The grid on which the solid is made holds the whole of it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from SpinalStrutDesignerLib.build.solid import STEP_MM, _grid_around
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Axis, Section


def test_grid_holds_a_strut_that_bows_out_farther_than_its_ends():
    """In a kyphosis the apex lies behind both ends: the strut's far side must not be cut off there."""
    section = Section(shape="ellipse", width_mm=10.0, depth_mm=10.0)
    curve = axis_curve(Axis(((0.0, 0.0, 0.0), (0.0, -40.0, -60.0), (0.0, 0.0, -120.0))), section)
    blocks = [np.array([[x, y, z] for x in (-30.0, 30.0) for y in (-30.0, 30.0)]) for z in (-10.0, -110.0)]
    ends = [SimpleNamespace(docking=SimpleNamespace(corners=corners)) for corners in blocks]
    grid = _grid_around(SimpleNamespace(axis=curve, ends=ends))
    edge = np.concatenate([curve.section_outline(i) for i in range(len(curve.points))])
    assert (edge > grid.origin + STEP_MM).all()
    assert (edge < grid.upper - STEP_MM).all()
