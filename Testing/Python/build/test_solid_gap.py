"""Each end keeps its own fit gap to bone, and a bridge takes nothing from a foot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from build_toy import off_lower, off_upper, situation, tongued
from SpinalStrutDesignerLib.build.end import end_shape, foot_field
from SpinalStrutDesignerLib.build.solid import SolidShape, solid_mesh
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import FootPlan


@pytest.mark.parametrize(("upper", "lower"), [(0.3, 0.9), (0.9, 0.3)])
def test_a_foot_rests_at_its_own_gap_whatever_the_other_end_has(upper, lower):
    made = situation(upper_foot=FootPlan(fit_gap_mm=upper), lower_foot=FootPlan(fit_gap_mm=lower))
    axis = axis_curve(made.plan.axis, made.plan.section)
    ends = (end_shape(made, axis, "upper"), end_shape(made, axis, "lower"))
    mesh, _ = solid_mesh(SolidShape(made, axis, ends))
    assert off_upper(mesh.vertices).min() == pytest.approx(upper, abs=0.1)
    assert off_lower(mesh.vertices).min() == pytest.approx(lower, abs=0.1)


def test_a_narrower_bridge_takes_metal_beside_the_strut_and_none_from_the_footprint():
    """The strut stands 13 mm in front of the middle; rear of the bridge's 3 mm a tongue alone is left."""
    made = tongued()
    axis = axis_curve(made.plan.axis, made.plan.section)
    narrow = made.plan.upper_foot.with_(height_mm=4.0, bridge_mm=3.0)
    wide = narrow.with_(bridge_mm=60.0)
    right, ahead, out = np.meshgrid(
        np.arange(-9.0, 9.1, 0.5), np.arange(-7.0, 15.1, 0.5), np.arange(0.1, 4.0, 0.3), indexing="ij"
    )
    local = np.column_stack([right.ravel(), ahead.ravel(), out.ravel()])
    fields = {}
    for foot in (narrow, wide):
        shape = end_shape(replace(made, plan=made.plan.with_(upper_foot=foot)), axis, "upper")
        fields[foot] = foot_field(shape, local, axis.field(shape.endplate.to_ras(local), 30.0)) < 0.0
    assert not (fields[narrow] & ~fields[wide]).any(), "no metal where the wider bridge has none"
    lost = local[fields[wide] & ~fields[narrow]]
    inside = (np.abs(lost[:, 0]) < 8.5) & (lost[:, 1] < 6.5) & (lost[:, 1] > -4.5)
    assert not (inside & (lost[:, 2] < shape.base_mm - 0.1)).any(), "the footprint keeps its metal up to there"
    assert len(lost) > 100
    assert (np.abs(lost[:, 0]) > 2.0).sum() > 50, "and it is the flanks that go"
