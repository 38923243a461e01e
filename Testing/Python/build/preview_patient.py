"""Patients for the preview's tests: the patient of blocks, and the phantom with the plan that was proposed for it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from build_toy import plate
from LatticeGeneratorLib.mesh.boolean import Solid
from LatticeGeneratorLib.mesh.mesh import Mesh
from shared_phantom import phantom_plan, shared_phantom
from SpinalStrutDesignerLib.build import preview_ground
from SpinalStrutDesignerLib.build.end import end_shape
from SpinalStrutDesignerLib.build.preview import Preview
from SpinalStrutDesignerLib.build.screws import finished_cutter
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.build.solid import SolidShape, solid_mesh
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Plan


def on_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks have no canal by which their endplates could be found: they are given."""
    plates = {"C4": plate("C4", 18.0, -1.0), "C7": plate("C7", -16.0, 1.0)}
    monkeypatch.setattr(preview_ground, "docking_endplate", lambda case, plan, level, face: plates[level])


@cache
def phantom_preview() -> Preview:
    return Preview(shared_phantom())


@cache
def phantom_solid() -> Mesh:
    """The solid that a build makes, drilled."""
    made = situation(shared_phantom(), phantom_plan())
    axis = axis_curve(made.plan.axis, made.plan.section)
    ends = (end_shape(made, axis, "upper"), end_shape(made, axis, "lower"))
    mesh, _ = solid_mesh(SolidShape(made, axis, ends))
    return Solid.of(mesh).less([finished_cutter(screw) for screw in made.plan.screws]).thinned(1e-3, 2.0)


def dragged(plan: Plan, number: int, by: tuple[float, float, float]) -> Plan:
    """The plan with one control point moved by (3,) mm."""
    points = list(plan.axis.control_points)
    points[number] = tuple(float(v) for v in np.add(points[number], by))  # type: ignore[call-overload]
    return plan.with_(axis=plan.axis.with_(control_points=tuple(points)))
