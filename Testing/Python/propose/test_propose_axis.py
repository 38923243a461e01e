"""The proposed strut against the voxels of the label maps: nothing here uses the program's own distances."""

from __future__ import annotations

import numpy as np
import pytest
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Plan
from SpinalStrutDesignerLib.propose.free import FreeStation, free_stations

NEVER = {
    "case2": ("spinal_cord", "dural_sac", "trachea_airway", "carotids", "jugulars", "vertebral_arteries", "metal"),
    "case1": (
        "spinal_cord",
        "dural_sac",
        "trachea_airway",
        "carotids",
        "jugulars",
        "vertebral_arteries",
        "great_vessels",
        "heart",
        "metal",
    ),
    "chest": ("spinal_cord", "trachea", "aorta", "heart", "pulmonary_vein", "superior_vena_cava", "inferior_vena_cava"),
}
# Least distance after nothing but the rule and its 0.8 mm budget (engineering judgement of the clinical facts).
CLEARANCES = {
    "dural_sac": 3.8,
    "spinal_cord": 3.8,
    "vertebral_arteries": 3.8,
    "carotids": 5.8,
    "jugulars": 5.8,
    "great_vessels": 5.8,
    "metal": 2.8,
}
# Trilinear distances and voxel stairs differ by up to a third of a voxel's diagonal.
STAIRS_MM = 0.35


def swept(plan: Plan) -> np.ndarray:
    """(n, 3) points that fill the swept section, half a millimetre apart, made from the bare section's own shape."""
    curve = axis_curve(plan.axis, plan.section, 0.5)
    share = curve.arc / curve.arc[-1]
    section = plan.section
    lower_width = section.lower_width_mm or section.width_mm
    lower_depth = section.lower_depth_mm or section.depth_mm
    points = []
    for i, t in enumerate(share):
        width = section.width_mm + t * (lower_width - section.width_mm)
        depth = section.depth_mm + t * (lower_depth - section.depth_mm)
        u, v = np.meshgrid(
            np.arange(-0.5 * width, 0.5 * width + 0.01, 0.5), np.arange(-0.5 * depth, 0.5 * depth + 0.01, 0.5)
        )
        u, v = u.ravel(), v.ravel()
        if section.shape == "ellipse":
            keep = (2.0 * u / width) ** 2 + (2.0 * v / depth) ** 2 <= 1.0
        else:
            r = section.corner_radius_mm
            a, b = np.abs(u) - 0.5 * width + r, np.abs(v) - 0.5 * depth + r
            keep = np.hypot(np.maximum(a, 0.0), np.maximum(b, 0.0)) <= r
        points.append(curve.points[i] + u[keep, None] * curve.rights[i] + v[keep, None] * curve.backs[i])
    return np.concatenate(points)


@pytest.fixture(params=["case2", "case1", "chest"])
def any_case(request):
    """Each case with its name."""
    return request.param, request.getfixturevalue(request.param)


def test_strut_never_enters_a_critical_structure(any_case):
    name, proposed = any_case
    points = swept(proposed.plan)
    for structure in NEVER[name]:
        assert not proposed.labels.inside(structure, points).any(), f"the strut enters {structure}"


def test_strut_leaves_standing_bone_alone(any_case):
    _, proposed = any_case
    bones = [s.name for s in proposed.case.having("bone")]
    points = swept(proposed.plan)
    assert not proposed.labels.any_inside([b for b in bones if b in proposed.labels.values], points).any()


def test_case2_holds_every_clearance_rule(case2):
    points = swept(case2.plan)
    for structure, least in CLEARANCES.items():
        assert case2.labels.distance(structure, points).min() >= least - STAIRS_MM, structure


def test_case2_displaces_the_oesophagus_within_its_rule(case2):
    # 3 mm pass, less the 0.8 mm budget.
    assert case2.labels.distance("oesophagus", swept(case2.plan)).min() >= -(3.0 - 0.8)


def test_case2_leans_on_no_airway(case2):
    assert case2.labels.distance("trachea_airway", swept(case2.plan)).min() > 0.0


def test_case1_goes_round_oesophagus_and_vessels(case1):
    """The straight chord passes within 0.3 mm of airway, oesophagus and great vessels; the strut may lean on the
    oesophagus within its rule, with its centreline outside."""
    curve = axis_curve(case1.plan.axis, case1.plan.section)
    assert case1.truth["chord_clearance_mm"]["oesophagus"] < 0.5
    assert case1.labels.distance("oesophagus", curve.points).min() > 2.0
    assert case1.labels.distance("oesophagus", swept(case1.plan)).min() >= -(3.0 - 0.8)
    assert case1.labels.distance("great_vessels", swept(case1.plan)).min() >= 5.8 - STAIRS_MM
    assert case1.labels.distance("vertebral_arteries", swept(case1.plan)).min() >= 3.8 - STAIRS_MM


def test_case2_ends_lie_over_both_plates(case2):
    """At the height of the foot, its centreline over the true endplates (ellipses as large as they are known to be)."""
    for place, level, face in ((0, "C4", "inferior"), (-1, "T2", "superior")):
        plate = case2.truth["vertebrae"][level]["endplates"][face]
        flip = np.array([-1.0, -1.0, 1.0])
        centre, normal = np.array(plate["centre"]) * flip, np.array(plate["normal"]) * flip
        away = np.array(case2.plan.axis.control_points[place]) - centre
        height = float(away @ normal)
        assert 4.0 < height < 9.0
        across = float(away[0])
        ahead = float(np.linalg.norm(away - height * normal - [across, 0.0, 0.0]))
        half = 0.5 * (np.array([plate["width"], plate["depth"]]) + plate["uncertainty_extent_mm"])
        assert np.linalg.norm([across, ahead] / half) < 1.0


def test_standing_neighbours_put_the_ends_beside_the_disc_space(case1):
    """In front of or beside the discs, at their height, and outside the true plates."""
    flip = np.array([-1.0, -1.0, 1.0])
    for place, level, face in ((0, "C6", "inferior"), (-1, "T11", "superior")):
        plate = case1.truth["vertebrae"][level]["endplates"][face]
        centre, normal = np.array(plate["centre"]) * flip, np.array(plate["normal"]) * flip
        away = np.array(case1.plan.axis.control_points[place]) - centre
        height = float(away @ normal)
        assert -1.0 < height < 8.0
        assert np.linalg.norm(away - height * normal) > 0.5 * plate["depth"]
    # What the disc space leaves, 3.4 mm less a fit gap on both sides; or half, or as much, taller for its root's sake.
    foot = case1.plan.upper_foot
    times = foot.height_mm / (3.4 - 2.0 * foot.fit_gap_mm)
    assert min(abs(times - taller) for taller in (1.0, 1.5, 2.0)) < 0.15


def test_case1_follows_the_column(case1):
    """Near the true bodies' centres, also where they are gone; the chord leaves them by 40 mm."""
    flip = np.array([-1.0, -1.0, 1.0])
    levels = [f"T{i}" for i in range(3, 10)]
    bodies = np.array([case1.truth["vertebrae"][x]["body_centre"] for x in levels]) * flip
    curve = axis_curve(case1.plan.axis, case1.plan.section)
    nearest = np.linalg.norm(curve.points[:, None] - bodies, axis=2).min(axis=0)
    assert nearest.max() < 25.0
    chord = np.linspace(curve.points[0], curve.points[-1], 300)
    assert np.linalg.norm(chord[:, None] - bodies, axis=2).min(axis=0).max() > 30.0


def test_long_side_faces_the_column(case2):
    curve = axis_curve(case2.plan.axis, case2.plan.section)
    assert (curve.backs[:, 1] < -0.7).all()


def test_axis_is_smooth(any_case):
    _, proposed = any_case
    plan = proposed.plan
    curve = axis_curve(plan.axis, plan.section)
    assert 5 <= len(plan.axis.control_points) <= 9
    assert curve.curvature.max() < 1.0 / (1.5 * max(plan.section.width_mm, plan.section.depth_mm))


def grown_edge(plan: Plan, station: FreeStation, width: float, depth: float) -> np.ndarray:
    """(96, 3) RAS: the edge of a section of that size at a station."""
    curve = axis_curve(plan.axis, plan.section)
    here = curve.at(station.arc_mm)
    turn = np.linspace(0.0, 2.0 * np.pi, 96, endpoint=False)
    radius = plan.section.corner_radius_mm
    corner = np.sign(np.column_stack([np.cos(turn), np.sin(turn)])) * [0.5 * width - radius, 0.5 * depth - radius]
    edge = corner + radius * np.column_stack([np.cos(turn), np.sin(turn)])
    return here.point + edge[:, :1] * here.right + edge[:, 1:] * here.back


def test_what_limits_a_section_is_named_and_lies_where_the_free_size_ends(case2):
    """Against plain voxel distances; of structures that only their own rule keeps away."""
    stations = free_stations(case2.case, case2.plan)
    assert stations[-1].arc_mm == pytest.approx(axis_curve(case2.plan.axis, case2.plan.section).length_mm)
    told = 0
    for station in stations:
        for width, depth, limit in (
            (station.free_width_mm, station.depth_mm, station.width_limit),
            (station.width_mm, station.free_depth_mm, station.depth_limit),
        ):
            edge = grown_edge(case2.plan, station, width, depth)
            for name, least in CLEARANCES.items():
                assert case2.labels.distance(name, edge).min() >= least - 2.0 * STAIRS_MM, (name, station)
            if limit in CLEARANCES:
                told += 1
                assert case2.labels.distance(limit, edge).min() <= CLEARANCES[limit] + 2.0 * STAIRS_MM, station
    assert told > 5


def test_a_plan_without_an_axis_leaves_nothing_to_measure(case2):
    with pytest.raises(PlanError, match=r"axis\.control_points: 0 points"):
        free_stations(case2.case, Plan("C4", "T2"))
