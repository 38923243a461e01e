"""The distance field's compiled loops against scipy, and the way without them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from SpinalStrutDesignerLib.case import blur, distance, nearest
from SpinalStrutDesignerLib.case.distance import distance_field
from SpinalStrutDesignerLib.case.model import DistanceField, Mask

SHAPES = st.tuples(*[st.integers(1, 12)] * 3)
# Those that are multiples of each other leave many nodes equally near.
SPACINGS = st.tuples(*[st.one_of(st.sampled_from([0.5, 1.0, 2.5]), st.floats(0.3, 3.0))] * 3)


@contextmanager
def without_numba() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (blur, distance, nearest):
            patch.setattr(module, "compiled", lambda loop: None)
        yield


@settings(max_examples=200, deadline=None)
@given(SHAPES, SPACINGS, st.integers(0, 2**32 - 1), st.floats(0.0, 0.5))
def test_the_nearest_is_as_near_as_scipy_finds_and_the_same_without_numba(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], seed: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    free = rng.random(shape) >= share
    free.flat[rng.integers(free.size)] = False
    at = np.nonzero(~free)
    number = rng.integers(0, 1000, len(at[0]))  # other numbers than their order: these are handed through

    def found() -> np.ndarray:
        return nearest.nearest_numbers(at, number, shape, np.array(spacing))

    order = nearest.nearest_numbers(at, np.arange(len(at[0])), shape, np.array(spacing))
    off = (np.indices(shape) - np.stack(at)[:, order]) * np.array(spacing)[:, None, None, None]
    assert np.allclose(np.linalg.norm(off, axis=0), ndimage.distance_transform_edt(free, sampling=spacing), atol=1e-9)
    assert np.array_equal(found(), number[order])
    with without_numba():
        assert np.array_equal(found(), number[order])


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.integers(4, 40)] * 3), st.integers(0, 2**32 - 1))
def test_a_block_is_blurred_as_scipy_does(shape: tuple[int, int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(shape) < 0.02, rng.random(shape), 0.0).astype(np.float32)
    expected = ndimage.gaussian_filter(values, 1.0, truncate=3.5)
    assert np.array_equal(blur.blurred(values, 1.0), expected)
    assert np.array_equal(blur.blurred(np.asfortranarray(values), 1.0), expected)


def test_the_opened_mask_is_scipys() -> None:
    inside = np.pad(np.random.default_rng(0).random((20, 21, 22)) < 0.9, 1)
    assert np.array_equal(distance._opened(inside), ndimage.binary_opening(inside))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.7, 2.5), (0.43, 0.43, 0.625)])
def test_the_field_is_the_same_without_numba_and_however_the_mask_lies_in_memory(
    spacing: tuple[float, float, float],
) -> None:
    """Of things with many voxels equally near to others: a ball, a sheet and a thread."""
    k, j, i = np.indices((24, 30, 40))
    inside = (k - 10) ** 2 + (j - 12) ** 2 + (i - 11) ** 2 < 70
    inside |= i == 30
    inside[:, 25, 20] = True
    matrix = np.diag([*spacing, 1.0])

    def bits(field: DistanceField) -> list[bytes]:
        return [field.values.tobytes(), field.far_values.tobytes()]

    usual = bits(distance_field(Mask(inside, matrix)))
    assert bits(distance_field(Mask(np.asfortranarray(inside), matrix))) == usual
    with without_numba():
        assert bits(distance_field(Mask(inside, matrix))) == usual
