"""Outlines in an endplate's plane: distances against brute force, margins against geometry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from SpinalStrutDesignerLib.build.outline import Outline, bridgehead, convex_hull, inset_outline, polygon_distance
from SpinalStrutDesignerLib.case.model import Endplate
from SpinalStrutDesignerLib.errors import GeometryError


def _ellipse(width: float, depth: float, count: int = 96) -> np.ndarray:
    angle = 2 * np.pi * np.arange(count) / count
    return np.column_stack([0.5 * width * np.cos(angle), 0.5 * depth * np.sin(angle)])


def _plate(width: float, depth: float) -> Endplate:
    edge = np.column_stack([_ellipse(width, depth), np.zeros(96)])
    axes = np.eye(3)
    return Endplate("T2", "superior", np.zeros(3), axes[2], axes[1], axes[0], width, depth, edge, edge)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30)), min_size=1, max_size=20))
def test_polygon_distance_is_that_to_a_densely_sampled_edge(points):
    polygon = np.array([[-10.0, -8], [12, -6], [9, 7], [0, 2], [-9, 9]])
    query = np.array(points)
    t = np.linspace(0, 1, 2001)[:, None]
    edge = np.vstack([a + t * (b - a) for a, b in zip(polygon, np.roll(polygon, -1, axis=0))])
    nearest = np.linalg.norm(query[:, None] - edge, axis=2).min(axis=1)
    assert np.allclose(np.abs(polygon_distance(polygon, query)), nearest, atol=0.01)


def test_polygon_distance_is_negative_inside_only():
    square = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
    inside = polygon_distance(square, np.array([[2.0, 1.0], [5.0, 2.0]]))
    assert inside == pytest.approx([-1.0, 1.0])


def test_footprint_keeps_the_ring_and_posterior_margins():
    footprint = inset_outline(_plate(24.0, 18.0), ring_margin_mm=1.0, posterior_margin_mm=3.0)
    assert footprint.distance(np.array([[11.0, 0.0], [0.0, 8.0], [0.0, -6.0]])) == pytest.approx([0, 0, 0], abs=0.05)
    edge = footprint.edge()
    assert edge[:, 1].min() == pytest.approx(-6.0, abs=0.05)
    assert np.abs(footprint.distance(edge)).max() < 0.02


def test_a_footprint_eaten_up_by_its_margins_is_refused_with_the_remedy():
    with pytest.raises(GeometryError, match=r"T2 superior.*24\.0 x 18\.0.*reduce the margins"):
        inset_outline(_plate(24.0, 18.0), ring_margin_mm=1.0, posterior_margin_mm=19.0)


def test_the_hull_holds_both_the_footprint_and_what_it_reaches_for():
    outside = np.array([[3.0, 14.0], [-3.0, 14.0]])
    hull = convex_hull(np.vstack([_ellipse(20, 16), outside]))
    assert (hull.distance(outside) < 0.05).all()
    assert hull.distance(np.array([[0.0, 11.0]]))[0] < -2.0


def test_extent_follows_the_azimuth():
    outline = Outline(_ellipse(20, 16))
    assert outline.extent(0.0) == pytest.approx(8.0, abs=0.01)
    assert outline.extent(np.pi / 2) == pytest.approx(10.0, abs=0.01)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.0, 2.0 * np.pi), st.floats(0.0, 30.0), st.floats(0.5, 20.0), st.floats(16.0, 30.0), st.floats(8.0, 24.0)
)
def test_a_bridgehead_is_what_of_the_footprint_lies_near_the_strut(angle, off, bridge, width, depth):
    edge = _ellipse(width, depth)
    section = _ellipse(10.0, 6.0, 48) + off * np.array([np.cos(angle), np.sin(angle)])
    head = bridgehead(edge, section, bridge)
    away = np.maximum(polygon_distance(section, edge), 0.0)
    over = polygon_distance(edge, section.mean(axis=0)[None])[0] < 0.0
    allowed = bridge if over else away.min() + bridge
    assert np.maximum(polygon_distance(section, head), 0.0).max() <= allowed + 0.05
    assert polygon_distance(edge, head).max() < 1e-6
    within = away <= allowed
    assert np.allclose(head[within], edge[within])


def test_a_bridge_wider_than_the_foot_starts_from_all_of_it():
    edge = _ellipse(24.0, 18.0)
    assert np.array_equal(bridgehead(edge, _ellipse(10.0, 6.0) + 12.0, 60.0), edge)
