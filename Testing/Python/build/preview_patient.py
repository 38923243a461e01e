"""Patients for the preview's tests: the patient of blocks, and the phantom with the plan that was proposed for it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from build_toy import plate
from LatticeGeneratorLib.mesh.boolean import Solid
from LatticeGeneratorLib.mesh.mesh import Mesh
from shared_phantom import shared_phantom
from SpinalStrutDesignerLib.build import preview_ground
from SpinalStrutDesignerLib.build.end import end_shape
from SpinalStrutDesignerLib.build.preview import Preview
from SpinalStrutDesignerLib.build.screws import screw_cutter
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.build.solid import SolidShape, solid_mesh
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Axis, Flange, FootPlan, Plan, Screw, Section
from SpinalStrutDesignerLib.plan.presets import preset, preset_screws


def on_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks have no canal by which their endplates could be found: they are given."""
    plates = {"C4": plate("C4", 18.0, -1.0), "C7": plate("C7", -16.0, 1.0)}
    monkeypatch.setattr(preview_ground, "docking_endplate", lambda case, plan, level, face: plates[level])


@cache
def phantom_plan() -> Plan:
    """As proposed by `propose_plan(shared_phantom(), "C4", "T2", "case2")`."""
    upper, lower = (types[0] for types in preset_screws("case2"))
    points = (
        (0.1522, 41.1347, 103.1851),
        (-0.0007, 37.5158, 91.7713),
        (0.067, 33.6556, 80.4155),
        (0.0002, 29.1264, 69.2905),
        (0.0749, 23.6134, 58.6605),
        (0.0242, 17.4043, 48.3424),
    )
    return preset("case2", "C4", "T2").with_(
        axis=Axis(points, back=(0.0126, -0.93038, 0.36639)),
        section=Section("rounded_rectangle", 10.0, 5.0, 1.5),
        upper_foot=FootPlan(),
        lower_foot=FootPlan(),
        upper_flange=Flange(6.0, 21.3, 9.8, 2.5),
        lower_flange=Flange(42.0, 12.0, 10.7, 2.5),
        screws=(
            Screw(upper, "C4", (9.8692, 50.4383, 114.5445), (-0.5771, -0.7991, 0.1685), 14.0),
            Screw(upper, "C4", (-7.4226, 52.2721, 114.0251), (0.2207, -0.953, 0.2075), 14.0),
            Screw(lower, "T2", (10.1917, 25.1059, 31.6792), (-0.39169, -0.88977, 0.23429), 20.0),
        ),
    )


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
    return Solid.of(mesh).less([screw_cutter(screw) for screw in made.plan.screws]).thinned(1e-3, 2.0)


def dragged(plan: Plan, number: int, by: tuple[float, float, float]) -> Plan:
    """The plan with one control point moved by (3,) mm."""
    points = list(plan.axis.control_points)
    points[number] = tuple(float(v) for v in np.add(points[number], by))  # type: ignore[call-overload]
    return plan.with_(axis=plan.axis.with_(control_points=tuple(points)))
