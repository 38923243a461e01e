"""Whether a label is one sound body, on bodies whose pieces, holes and bridges were counted out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from SpinalStrutDesignerLib.case.soundness import soundness_of


def blocks(*sizes: tuple[int, int, int]) -> np.ndarray:
    """Solid blocks in a row, two voxels apart."""
    tall, deep = max(k for k, _, _ in sizes), max(j for _, j, _ in sizes)
    voxels = np.zeros((tall, deep, sum(i + 2 for _, _, i in sizes)), dtype=bool)
    start = 0
    for k, j, i in sizes:
        voxels[:k, :j, start : start + i] = True
        start += i + 2
    return voxels


def test_a_whole_body_is_sound() -> None:
    z, y, x = np.ogrid[-12:13, -12:13, -12:13]
    for body in (blocks((20, 20, 20)), x * x + y * y + z * z < 130):
        sound = soundness_of(body)
        assert (sound.loose, sound.hollow, sound.hanging, sound.pieces) == (0.0, 0.0, 0.0, 1)
        assert not sound.broken and sound.faults == ()


@settings(deadline=None, max_examples=30)
@given(st.integers(4, 12), st.integers(4, 12))
def test_the_smaller_piece_is_what_is_loose(one: int, other: int) -> None:
    sound = soundness_of(blocks((8, 8, one), (8, 8, other)))
    assert sound.loose == pytest.approx(min(one, other) / (one + other))
    assert sound.pieces == 2 and sound.broken
    assert f"2 pieces, and {100.0 * sound.loose:.0f} %" in sound.faults[0]


@pytest.mark.parametrize("shift", [(1, 1, 0), (1, 1, 1)], ids=["edge", "corner"])
def test_voxels_that_touch_at_an_edge_or_corner_are_apart(shift: tuple[int, int, int]) -> None:
    voxels = np.zeros((20, 20, 20), dtype=bool)
    voxels[:8, :8, :8] = True
    k, j, i = (8 * step for step in shift)
    voxels[k : k + 8, j : j + 8, i : i + 8] = True
    assert soundness_of(voxels).loose == 0.5


@pytest.mark.parametrize(("side", "broken"), [(4, False), (8, True)])
def test_closed_holes_are_counted_and_open_ones_are_not(side: int, broken: bool) -> None:
    voxels = blocks((20, 20, 20))
    voxels[6 : 6 + side, 6 : 6 + side, 6 : 6 + side] = False
    sound = soundness_of(voxels)
    whole = 8000 - side**3
    assert sound.hollow == pytest.approx(side**3 / whole)
    assert sound.broken == broken == (side**3 / whole > 0.05)
    # A way out of the hole makes it open.
    voxels[6 + side :, 8, 8] = False
    assert soundness_of(voxels).hollow == 0.0


def test_what_hangs_on_by_a_voxel_is_told_and_no_refusal() -> None:
    voxels = blocks((10, 10, 10), (10, 10, 10))
    voxels[5, 5, 10:12] = True
    sound = soundness_of(voxels)
    assert (sound.loose, sound.pieces) == (0.0, 1)
    assert sound.hanging == pytest.approx(0.5, abs=0.01)
    assert "hangs on" in sound.faults[0] and not sound.broken
    voxels[3:8, 3:8, 10:12] = True
    assert soundness_of(voxels).faults == ()

