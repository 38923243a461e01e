"""Section distances against brute force over sampled shapes, outlines against closed formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from SpinalStrutDesignerLib.plan.plan import Section
from SpinalStrutDesignerLib.plan.section import section_distance, section_polygon, section_reach

ROUNDED = Section(shape="rounded_rectangle", width_mm=10, depth_mm=5, corner_radius_mm=1.5)
CONCAVE = Section(shape="concave_back", width_mm=12, depth_mm=5, corner_radius_mm=1.2, back_radius_mm=9)


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return 0.5 * float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def grid(half: float, step: float) -> np.ndarray:
    ticks = np.arange(-half, half + step / 2, step)
    return np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)


def far(count: int = 3000) -> np.ndarray:
    return np.random.default_rng(4).uniform(-11, 11, (count, 2))


def concave_by_definition(section: Section, points: np.ndarray, step: float = 0.02) -> np.ndarray:
    """Signed distance from the definition alone: a sharp shape inset by the rounding radius, sampled, grown again."""
    r, big = section.corner_radius_mm, section.back_radius_mm + section.corner_radius_mm
    cloud = grid(14.0, step)
    inset = (
        (np.abs(cloud[:, 0]) <= section.width_mm / 2 - r)
        & (cloud[:, 1] >= -section.depth_mm / 2 + r)
        & (cloud[:, 1] <= section.depth_mm / 2 + section.back_radius_mm)
        & (np.hypot(cloud[:, 0], cloud[:, 1] - section.depth_mm / 2 - section.back_radius_mm) >= big)
    )
    # Beyond the back circle's own reach there is no shape: above its centre line nothing belongs to the section.
    outside, inside = (cKDTree(cloud[~inset]), cKDTree(cloud[inset]))
    to_shape, to_rest = inside.query(points)[0], outside.query(points)[0]
    return np.where(to_shape > to_rest, to_shape, -to_rest) - r


def test_rounded_rectangle_is_the_distance_to_its_core_less_the_radius():
    points = far()
    core = np.maximum(np.abs(points) - np.array([3.5, 1.0]), 0.0)
    outside = np.hypot(*core.T) > 0
    value = section_distance(ROUNDED, points[:, 0], points[:, 1], np.float64(10), np.float64(5))
    assert np.allclose(value[outside], np.hypot(*core.T)[outside] - 1.5, atol=1e-12)
    assert section_distance(ROUNDED, np.zeros(1), np.zeros(1), np.float64(10), np.float64(5))[0] == pytest.approx(-2.5)


@settings(max_examples=15, deadline=None)
@given(st.floats(2, 40), st.floats(2, 40))
def test_ellipse_distance_is_within_a_micrometre_of_brute_force(width: float, depth: float):
    angle = np.linspace(0, 2 * np.pi, 60001)
    edge = np.column_stack([width / 2 * np.cos(angle), depth / 2 * np.sin(angle)])
    points = np.random.default_rng(1).uniform(-1.3, 1.3, (400, 2)) * max(width, depth) / 2
    value = section_distance(Section(shape="ellipse"), points[:, 0], points[:, 1], np.float64(width), np.float64(depth))
    truth = cKDTree(edge).query(points)[0]
    within = (points[:, 0] / width) ** 2 + (points[:, 1] / depth) ** 2 < 0.25
    assert np.abs(value - np.where(within, -truth, truth)).max() < 1e-3


@pytest.mark.parametrize("back_radius", [6.0, 9.0, 20.0, 200.0])
def test_concave_back_distance_follows_its_definition(back_radius: float):
    section = CONCAVE.with_(back_radius_mm=back_radius)
    points = far()
    points = points[points[:, 1] < section.depth_mm / 2 + min(back_radius, 10.0) - 0.5]
    value = section_distance(section, points[:, 0], points[:, 1], np.float64(12), np.float64(5))
    assert np.abs(value - concave_by_definition(section, points)).max() < 0.045


def test_concave_back_has_its_depth_in_the_middle_its_width_and_its_back_radius():
    polygon = section_polygon(CONCAVE, 12.0, 5.0, 20000)
    assert np.ptp(polygon[:, 0]) == pytest.approx(12.0, abs=1e-3)
    middle = polygon[np.abs(polygon[:, 0]) < 0.01]
    assert np.ptp(middle[:, 1]) == pytest.approx(5.0, abs=1e-3)
    back = polygon[(np.abs(polygon[:, 0]) < 3.0) & (polygon[:, 1] > 0.0)]
    assert np.allclose(np.hypot(back[:, 0], back[:, 1] - 2.5 - 9.0), 9.0, atol=1e-3)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (ROUNDED, 10 * 5 - (4 - np.pi) * 1.5**2),
        (Section(shape="ellipse", width_mm=10, depth_mm=5), np.pi * 5 * 2.5),
        (ROUNDED.with_(corner_radius_mm=0.0), 50.0),
    ],
)
def test_outline_area_is_the_closed_formula(section: Section, expected: float):
    assert area(section_polygon(section, 10.0, 5.0, 4000)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("section", [ROUNDED, CONCAVE, Section(shape="ellipse"), CONCAVE.with_(corner_radius_mm=0)])
def test_outline_lies_on_the_zero_of_the_distance_evenly_spaced(section: Section):
    polygon = section_polygon(section, 12.0, 5.0, 4800)
    value = section_distance(section, polygon[:, 0], polygon[:, 1], np.float64(12), np.float64(5))
    assert np.abs(value).max() < 2e-3
    steps = np.linalg.norm(np.diff(polygon, axis=0, append=polygon[:1]), axis=1)
    assert steps.max() / np.median(steps) < 1.01
    assert polygon[0] == pytest.approx([6.0, 0.0])


@pytest.mark.parametrize("section", [ROUNDED, CONCAVE, Section(shape="ellipse")])
def test_reach_is_the_outline_s_extent_in_every_direction(section: Section):
    polygon = section_polygon(section, 12.0, 5.0, 20000)
    for angle in np.linspace(0, 2 * np.pi, 33):
        u, v = np.cos(angle), np.sin(angle)
        reach = float(section_reach(section, np.float64(12), np.float64(5), np.float64(u), np.float64(v)))
        assert reach == pytest.approx(float((polygon @ [u, v]).max()), abs=2e-3)
