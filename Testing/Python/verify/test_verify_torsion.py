"""Torsion of solid sections against closed solutions (Timoshenko & Goodier, ch. 10)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from SpinalStrutDesignerLib.verify.torsion import torsion


def _closed(points: np.ndarray, turn: float = 0.0):
    c, s = np.cos(turn), np.sin(turn)
    points = points @ np.array([[c, s], [-s, c]])
    return torsion(points, np.roll(points, -1, axis=0))


def _rectangle(width: float, depth: float) -> np.ndarray:
    return 0.5 * np.array([[-width, -depth], [width, -depth], [width, depth], [-width, depth]])


def _rectangle_truth(a: float, b: float) -> tuple[float, float]:
    """J and J / greatest slope of a rectangle a >= b, by its series."""
    n = np.arange(1, 60, 2)
    constant = a * b**3 * (1 / 3 - 64 / np.pi**5 * b / a * np.sum(np.tanh(n * np.pi * a / 2 / b) / n**5))
    slope = b * (1 - 8 / np.pi**2 * np.sum(1 / (n**2 * np.cosh(np.minimum(n * np.pi * a / 2 / b, 300.0)))))
    return constant, constant / slope


@settings(max_examples=30, deadline=None)
@given(st.floats(1.0, 20.0), st.floats(0.1, 1.0), st.floats(0.0, 3.0))
def test_rectangles_at_any_angle(width, ratio, turn):
    constant, modulus = _rectangle_truth(width, ratio * width)
    found = _closed(_rectangle(width, ratio * width), turn)
    assert found.constant_mm4 == pytest.approx(constant, rel=0.01)
    assert found.modulus_mm3 == pytest.approx(modulus, rel=0.03)


@pytest.mark.parametrize(("width", "depth"), [(10.0, 5.0), (12.0, 12.0), (16.0, 2.0)])
def test_ellipses(width, depth):
    angle = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    found = _closed(0.5 * np.column_stack([width * np.cos(angle), depth * np.sin(angle)]))
    a, b = width / 2, depth / 2
    assert found.constant_mm4 == pytest.approx(np.pi * a**3 * b**3 / (a**2 + b**2), rel=0.01)
    assert found.modulus_mm3 == pytest.approx(np.pi * a * b**2 / 2, rel=0.02)


def test_two_separate_pieces_add_up():
    one = _rectangle(6.0, 3.0)
    both = [one - np.array([8.0, 0.0]), one + np.array([8.0, 1.0])]
    starts = np.concatenate(both)
    ends = np.concatenate([np.roll(p, -1, axis=0) for p in both])
    assert torsion(starts, ends).constant_mm4 == pytest.approx(2 * _rectangle_truth(6.0, 3.0)[0], rel=0.01)


def test_a_hole_never_adds_stiffness():
    outer, inner = _rectangle(10.0, 6.0), _rectangle(3.0, 3.0)[::-1]
    starts = np.concatenate([outer, inner])
    ends = np.concatenate([np.roll(outer, -1, axis=0), np.roll(inner, -1, axis=0)])
    assert torsion(starts, ends).constant_mm4 < _closed(outer).constant_mm4


def test_nothing_has_no_stiffness():
    assert torsion(np.zeros((0, 2)), np.zeros((0, 2))).constant_mm4 == 0.0
