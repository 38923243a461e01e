"""Words as solid letters: as high and as bold as asked, holes open, closed, and refused in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, components
from LatticeGeneratorLib.mesh.text import draped, lettering

LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+.", min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(LETTERS, st.floats(1.5, 6.0))
def test_capitals_are_as_high_as_asked_and_letters_are_closed(words: str, height: float) -> None:
    letters = lettering((f"H{words}H",), height)
    ends = [o for o in letters.outlines if np.isclose(o[:, 0].min(), -0.5 * letters.width_mm, atol=1e-6)]
    assert np.ptp(ends[0][:, 1]) == pytest.approx(height, rel=1e-6)  # the first H
    solid = letters.solid(-0.5, 1.0, 0.5)
    assert closed_manifold_fault(solid) is None
    assert solid.volume == pytest.approx(1.5 * letters.area_mm2, rel=1e-6)


def test_letters_have_their_holes_and_are_not_mirrored() -> None:
    letters = lettering(("BO1",), 3.0)
    left = letters.outlines
    turns = [np.sign(o[:, 0] @ np.roll(o[:, 1], -1) - np.roll(o[:, 0], -1) @ o[:, 1]) for o in left]
    assert turns.count(-1.0) == 3  # two in B, one in O
    # B stands on the left with its stem at its left edge; 1 has no hole and stands on the right.
    holes = np.array([o.mean(axis=0) for o, turn in zip(left, turns) if turn < 0.0])
    assert (np.sort(holes[:, 0])[:2] < 0.0).all()
    stem = np.array([[-0.5 * letters.width_mm + 0.1, y] for y in np.linspace(-1.2, 1.2, 9)])
    assert letters.within(stem).all()
    assert not letters.within(holes).any()


def test_the_area_is_that_of_points_found_within() -> None:
    """Against counting on a grid."""
    letters = lettering(("CASE-8",), 4.0)
    x, y = np.arange(-letters.width_mm, letters.width_mm, 0.03), np.arange(-3.0, 3.0, 0.03)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    assert letters.within(grid).sum() * 0.03**2 == pytest.approx(letters.area_mm2, rel=0.01)


def test_thin_lines_are_drawn_bolder_and_what_cannot_be_is_refused() -> None:
    thin = lettering(("CASE-001",), 2.0)
    assert thin.stroke_mm < 0.4
    bold = lettering(("CASE-001",), 2.0, 0.4)
    assert bold.stroke_mm == 0.4 and bold.area_mm2 > thin.area_mm2
    with pytest.raises(GeometryError, match="at least"):
        lettering(("CASE-001",), 0.8, 0.4)


@pytest.mark.parametrize("lines", [(), ("",), ("A", " ")])
def test_nothing_to_write_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(GeometryError, match="at least one character"):
        lettering(lines, 2.0)


def test_a_character_that_the_face_lacks_is_named() -> None:
    with pytest.raises(GeometryError, match="漢"):
        lettering(("A漢",), 2.0)


def test_letters_laid_on_a_cylinder_keep_their_depth() -> None:
    radius = 5.0

    def height(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rise = np.sqrt(radius**2 - at[:, 1] ** 2)
        return rise - radius, np.column_stack([np.zeros(len(at)), -at[:, 1] / rise])

    letters = lettering(("HI",), 3.0).solid(-0.5, 0.0, 0.4)
    laid = draped(letters, height)
    assert closed_manifold_fault(laid) is None and len(components(laid)) == 2
    off = np.hypot(laid.vertices[:, 1], laid.vertices[:, 2] + radius) - radius
    # To first order in the curvature: exact on the surface, 0.02 mm off at 0.5 mm under it.
    assert np.abs(off - letters.vertices[:, 2]).max() < 0.02
    on = letters.vertices[:, 2] == 0.0
    assert on.any() and np.abs(off[on]).max() < 1e-9
