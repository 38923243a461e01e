"""The axis' curve against analytic circles and helices, and its swept field against formulas and dense surfaces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.curve import AxisCurve, axis_curve
from SpinalStrutDesignerLib.plan.plan import Axis, Section

RADIUS, SPAN = 60.0, 1.4
SHAPES = ["rounded_rectangle", "ellipse", "concave_back"]


def arc_axis(radius: float = RADIUS, span: float = SPAN, count: int = 41, **changes) -> Axis:
    """Down and backwards along a circle in the sagittal plane, starting straight down."""
    angle = np.linspace(0.0, span, count)
    points = np.column_stack([0 * angle, radius * (np.cos(angle) - 1.0), -radius * np.sin(angle)])
    return Axis(control_points=points, **changes)


def straight_axis(length: float = 40.0) -> Axis:
    return Axis(control_points=[(0, 0, 0), (0, 0, -length / 3), (0, 0, -length)])


def volume(curve: AxisCurve, step: float = 0.25) -> float:
    """mm³ where the field is negative, by smoothed counting on a grid."""
    reach = 10.0
    low, high = curve.points.min(axis=0) - reach, curve.points.max(axis=0) + reach
    axes = [np.arange(a, b, step) for a, b in zip(low, high)]
    total = 0.0
    for z in axes[2]:
        x, y = np.meshgrid(axes[0], axes[1])
        points = np.column_stack([x.ravel(), y.ravel(), np.full(x.size, z)])
        near = cKDTree(curve.points).query(points, distance_upper_bound=reach)[0] < reach
        value = curve.field(points[near])
        total += float(np.clip(0.5 - value / step, 0.0, 1.0).sum())
    return total * step**3


def test_a_circle_s_length_and_curvature():
    curve = axis_curve(arc_axis(), Section())
    assert curve.length_mm == pytest.approx(RADIUS * SPAN, abs=0.005)
    middle = slice(30, -30)  # natural ends are straight by definition, and the spline ripples a few points on
    assert np.allclose(curve.curvature[middle], 1 / RADIUS, rtol=2e-3)
    assert np.abs(np.hypot(curve.points[:, 1] + RADIUS, curve.points[:, 2]) - RADIUS).max() < 5e-3


def test_samples_lie_evenly_and_close_enough():
    curve = axis_curve(arc_axis(count=5), Section(), spacing_mm=0.5)
    steps = np.diff(curve.arc)
    assert np.allclose(steps, steps[0]) and steps[0] <= 0.5
    chords = np.linalg.norm(np.diff(curve.points, axis=0), axis=1)
    assert np.abs(chords - steps).max() < 1e-5


def test_the_curve_passes_through_its_shifted_control_points():
    axis = Axis(control_points=[(0, 0, 0), (6, 5, -20), (3, 9, -50), (0, 0, -80)], offset=(1, 2, 3))
    curve = axis_curve(axis, Section(width_mm=4, depth_mm=4), spacing_mm=0.02)
    wanted = np.array(axis.control_points) + np.array([1.0, 2.0, 3.0])
    assert cKDTree(curve.points).query(wanted)[0].max() < 0.011
    assert curve.points[0] == pytest.approx(wanted[0]) and curve.points[-1] == pytest.approx(wanted[-1])


def test_frames_are_right_handed_unit_and_across_the_curve():
    axis = Axis(control_points=[(0, 0, 0), (6, 5, -20), (3, 9, -50), (0, 0, -80)])
    curve = axis_curve(axis, Section())
    for vectors in (curve.tangents, curve.backs, curve.rights):
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0)
    assert np.allclose(np.cross(curve.rights, curve.backs), curve.tangents)
    assert curve.rights[0] @ [1, 0, 0] > 0.9 and curve.backs[0] @ [0, -1, 0] > 0.9


def test_in_a_plane_the_right_direction_never_turns():
    curve = axis_curve(arc_axis(), Section())
    assert np.allclose(curve.rights, [1, 0, 0], atol=1e-9)


def test_on_a_helix_the_frame_turns_back_by_the_torsion():
    radius, rise, turns = 20.0, 8.0, 1.5  # Frenet: curvature a/(a²+b²), torsion b/(a²+b²)
    angle = np.linspace(0, 2 * np.pi * turns, 121)
    points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), rise * angle])
    curve = axis_curve(Axis(control_points=points, back=(-1, 0, 0)), Section(width_mm=5, depth_mm=5), spacing_mm=0.25)
    scale = np.hypot(radius, rise)
    assert curve.length_mm == pytest.approx(scale * angle[-1], rel=1e-4)
    inner = slice(60, -60)
    assert np.allclose(curve.curvature[inner], radius / scale**2, rtol=1e-3)
    turn = curve.arc / scale
    normal = np.column_stack([-np.cos(turn), -np.sin(turn), 0 * turn])
    binormal = np.cross(curve.tangents, normal)
    twist = np.unwrap(np.arctan2((curve.backs * binormal).sum(axis=1), (curve.backs * normal).sum(axis=1)))
    expected = -rise / scale**2 * (curve.arc[-60] - curve.arc[60])
    assert twist[-60] - twist[60] == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_swept_volume_by_pappus(shape: str):
    """The section's middle lies on the curve, so the volume is area times length where the centroid does too."""
    section = Section(shape=shape, width_mm=10, depth_mm=6, corner_radius_mm=0.0, back_radius_mm=12)
    curve = axis_curve(arc_axis(radius=40.0, span=0.9), section)
    polygon = curve.section_outline(10.0, 4000) - curve.at(10.0).point
    u, v = polygon @ curve.at(10.0).right, polygon @ curve.at(10.0).back
    cross = u * np.roll(v, -1) - np.roll(u, -1) * v
    area = 0.5 * cross.sum()
    centroid = (cross * (v + np.roll(v, -1))).sum() / (6.0 * area)
    # backs point towards the circle's centre, so a centroid behind the curve travels a shorter way
    assert volume(curve) == pytest.approx(area * (40.0 - centroid) * 0.9, rel=3e-3)


def test_tapered_volume():
    section = Section(width_mm=12, depth_mm=8, corner_radius_mm=0.0, lower_width_mm=8, lower_depth_mm=5)
    curve = axis_curve(straight_axis(), section)
    mean_area = 12 * 8 - (12 * 3 + 8 * 4) / 2 + 4 * 3 / 3  # of (12 - 4t)(8 - 3t) over t from 0 to 1
    assert volume(curve) == pytest.approx(mean_area * 40.0, rel=3e-3)
    assert curve.widths[-1] == 8 and curve.depths[-1] == 5


@pytest.mark.parametrize("shape", SHAPES)
def test_field_is_the_distance_to_the_dense_surface(shape: str):
    section = Section(shape=shape, width_mm=10, depth_mm=5, corner_radius_mm=1.0)
    axis = Axis(control_points=[(0, 0, 0), (4, 8, -25), (-3, 10, -55), (0, 0, -85)])
    curve = axis_curve(axis, section)
    surface = np.concatenate([curve.section_outline(s, 500) for s in np.arange(0, curve.length_mm, 0.1)])
    random = np.random.default_rng(2)
    at = random.uniform(10, curve.length_mm - 10, 4000)
    outline = np.array([curve.section_outline(float(s), 64)[random.integers(64)] for s in at])
    points = outline + random.normal(size=(4000, 3)) * 1.2
    value = curve.field(points)
    distance = cKDTree(surface).query(points)[0]
    clear = np.abs(value) > 0.3  # nearer, the sampled surface's own spacing of 0.1 mm would be measured
    assert clear.sum() > 2000 and np.abs(np.abs(value) - distance)[clear].max() < 0.01
    assert np.abs(curve.field(outline)).max() < 1e-3
    inward = np.array([curve.at(float(s)).point for s in at]) - outline
    assert (curve.field(outline + 0.05 * inward) < 0).all() and (curve.field(outline - 0.05 * inward) > 0).all()


def test_ends_are_flat_with_a_rounded_edge():
    """A round bar of radius 5 with edges rounded by 1: distances from the formula of a capped cylinder."""
    curve = axis_curve(straight_axis(), Section(shape="ellipse", width_mm=10, depth_mm=10, corner_radius_mm=1.0))
    points = np.random.default_rng(3).uniform([-9, -9, -50], [9, 9, 10], (5000, 3))
    radial = np.hypot(points[:, 0], points[:, 1])
    for extension in (0.0, 4.0):
        axial = np.abs(points[:, 2] + 20.0) - (20.0 + extension)
        outer = np.hypot(np.maximum(radial - 4.0, 0), np.maximum(axial + 1.0, 0))
        truth = np.where(outer > 0, outer, np.maximum(radial - 4.0, axial + 1.0)) - 1.0
        assert np.abs(curve.field(points, extension) - truth).max() < 1e-9


def test_the_field_is_continuous_along_a_bent_curve():
    axis = Axis(control_points=[(0, 0, 0), (4, 8, -25), (-3, 10, -55), (0, 0, -85)])
    curve = axis_curve(axis, Section())
    line = np.linspace([3, 2, 5], [1, 5, -90], 20001)
    value = curve.field(line)
    step = float(np.linalg.norm(line[1] - line[0]))
    assert np.abs(np.diff(value)).max() < 1.05 * step + 1e-4


def test_at_and_outline_agree_with_the_samples():
    curve = axis_curve(arc_axis(count=6), Section(lower_width_mm=8.0))
    for i in (0, 17, len(curve.arc) - 1):
        station = curve.at(curve.arc[i])
        assert station.point == pytest.approx(curve.points[i], abs=1e-9)
        assert station.back == pytest.approx(curve.backs[i], abs=1e-9)
        assert curve.section_outline(i) == pytest.approx(curve.section_outline(float(curve.arc[i])), abs=1e-9)
    before = curve.at(-2.0)
    assert before.point == pytest.approx(curve.points[0] - 2.0 * curve.tangents[0])
    outline = curve.section_outline(20.0, 64)
    assert outline.shape == (64, 3)
    assert np.abs((outline - curve.at(20.0).point) @ curve.at(20.0).tangent).max() < 1e-9


def test_local_coordinates_return_to_the_point():
    curve = axis_curve(arc_axis(count=6), Section())
    random = np.random.default_rng(5)
    s, u, v = random.uniform(-3, curve.length_mm + 3, 200), random.uniform(-6, 6, 200), random.uniform(-4, 4, 200)
    stations = [curve.at(float(x)) for x in s]
    points = np.array([st.point + a * st.right + b * st.back for st, a, b in zip(stations, u, v)])
    found = curve.local(points)
    assert np.abs(found[0] - s).max() < 0.02
    assert np.abs(found[1] - u).max() < 2e-3 and np.abs(found[2] - v).max() < 2e-3


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(-4, 4), st.floats(-4, 4)), min_size=3, max_size=6), st.floats(-20, 20))
def test_any_gentle_axis_keeps_its_ends_and_its_signs(sideways: list[tuple[float, float]], shift: float):
    points = [(x, y, -25.0 * i) for i, (x, y) in enumerate(sideways)]
    curve = axis_curve(Axis(control_points=points, offset=(shift, 0, 0)), Section())
    chords = np.linalg.norm(np.diff(np.array(points), axis=0), axis=1).sum()
    assert chords - 1e-6 <= curve.length_mm < 1.2 * chords
    assert (curve.field(curve.points[2:-2]) < -0.5).all()
    assert (curve.field(curve.points + 8.0 * curve.rights) > 0).all()


def test_two_builds_are_the_same_to_the_bit():
    first, second = (axis_curve(arc_axis(count=7), Section()) for _ in range(2))
    points = np.random.default_rng(6).uniform(-40, 20, (1000, 3))
    assert first.field(points).tobytes() == second.field(points).tobytes()


def test_a_bend_too_sharp_for_the_section_is_refused_with_its_place():
    tight = arc_axis(radius=8.0, span=1.5)
    axis_curve(tight, Section(depth_mm=5, width_mm=10))  # 2.5 mm towards the centre: allowed
    with pytest.raises(PlanError, match=r"axis\.control_points: .*radius of 7\.\d mm at .*\(RAS .* reaches 9\.0 mm"):
        axis_curve(tight, Section(shape="ellipse", width_mm=10, depth_mm=18))


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        (Axis(), "axis.control_points: 0 points; a strut's axis needs at least 3"),
        (Axis(control_points=[(0, 0, 0), (0, 0, -0.01), (0, 0, -9)]), "control_points.0 and .1 lie 0.010 mm apart"),
        (Axis(control_points=[(0, 0, 0), (0, 0, -9), (0, 0, -19)], back=(0, 0, 1)), "axis.back: .* along the strut"),
    ],
)
def test_unusable_axes_are_refused(axis: Axis, message: str):
    with pytest.raises(PlanError, match=message):
        axis_curve(axis, Section())
