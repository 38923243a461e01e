"""The made-up spine, drawn once in a process for all rooms' tests, and a plan for it: what is measured on it is kept
with it."""

from __future__ import annotations

from functools import cache

from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.case.phantom import make_phantom
from SpinalStrutDesignerLib.plan.plan import Axis, Flange, FootPlan, Plan, Screw, Section
from SpinalStrutDesignerLib.plan.presets import preset, preset_screws


@cache
def shared_phantom() -> Case:
    """The phantom; nobody may change its voxels."""
    return make_phantom()


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
