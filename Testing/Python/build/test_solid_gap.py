"""Each end keeps its own fit gap to bone."""

from __future__ import annotations

import pytest
from build_toy import off_lower, off_upper, situation
from SpinalStrutDesignerLib.build.end import end_shape
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
