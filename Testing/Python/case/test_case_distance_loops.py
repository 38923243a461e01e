"""The distance field's compiled loops against scipy, and the way without them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from SpinalStrutDesignerLib.case import blur, distance, nearest, trilinear
from SpinalStrutDesignerLib.case.distance import distance_field
from SpinalStrutDesignerLib.case.model import Mask

SHAPES = st.tuples(*[st.integers(1, 12)] * 3)
SPACINGS = st.tuples(*[st.floats(0.3, 3.0)] * 3)
# They leave many nodes equally near, and none of their sums is rounded: which is taken does not depend on the machine.
EVEN_SPACINGS = st.tuples(*[st.sampled_from([0.5, 0.625, 1.0, 2.5])] * 3)


@contextmanager
def without_numba() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (blur, distance, nearest, trilinear):
            patch.setattr(module, "compiled", lambda loop: None)
        yield


def scattered(shape: tuple[int, int, int], seed: int, share: float) -> np.ndarray:
    """(k, j, i) bool: nodes to be found, one of them at least."""
    rng = np.random.default_rng(seed)
    nodes = rng.random(shape) < share
    nodes.flat[rng.integers(nodes.size)] = True
    return nodes


@settings(max_examples=100, deadline=None)
@given(SHAPES, st.one_of(SPACINGS, EVEN_SPACINGS), st.integers(0, 2**32 - 1), st.floats(0.0, 0.5))
def test_the_nearest_is_as_near_as_scipy_finds(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], seed: int, share: float
) -> None:
    nodes = scattered(shape, seed, share)
    at = np.nonzero(nodes)
    found = nearest.nearest_numbers(at, np.arange(len(at[0])), shape, np.array(spacing))
    off = (np.indices(shape) - np.stack(at)[:, found]) * np.array(spacing)[:, None, None, None]
    expected = ndimage.distance_transform_edt(~nodes, sampling=spacing)
    assert np.allclose(np.linalg.norm(off, axis=0), expected, rtol=0, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(SHAPES, EVEN_SPACINGS, st.integers(0, 2**32 - 1), st.floats(0.0, 0.5))
def test_of_nodes_equally_near_the_same_is_taken_without_numba(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], seed: int, share: float
) -> None:
    at = np.nonzero(scattered(shape, seed, share))
    number = np.random.default_rng(seed).integers(0, 1000, len(at[0]))
    found = nearest.nearest_numbers(at, number, shape, np.array(spacing))
    with without_numba():
        assert np.array_equal(found, nearest.nearest_numbers(at, number, shape, np.array(spacing)))


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.integers(4, 40)] * 3), st.integers(0, 2**32 - 1))
def test_a_block_is_blurred_as_scipy_does(shape: tuple[int, int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(shape) < 0.02, rng.random(shape), 0.0).astype(np.float32)
    expected = ndimage.gaussian_filter(values, 1.0, truncate=3.5)
    assert np.allclose(blur.blurred(values, 1.0), expected, rtol=0, atol=1e-6)
    assert np.allclose(blur.blurred(np.asfortranarray(values), 1.0), expected, rtol=0, atol=1e-6)


def test_the_opened_mask_is_scipys() -> None:
    inside = np.pad(np.random.default_rng(0).random((20, 21, 22)) < 0.9, 1)
    assert np.array_equal(distance._opened(inside), ndimage.binary_opening(inside))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.625, 0.625, 2.5), (0.4375, 0.4375, 0.625)])
def test_the_field_is_the_same_without_numba_and_however_the_mask_lies_in_memory(
    spacing: tuple[float, float, float],
) -> None:
    """Of things with many voxels equally near to others: a ball, a sheet and a thread."""
    k, j, i = np.indices((24, 30, 40))
    inside = (k - 10) ** 2 + (j - 12) ** 2 + (i - 11) ** 2 < 70
    inside |= i == 30
    inside[:, 25, 20] = True
    matrix = np.diag([*spacing, 1.0])
    usual = distance_field(Mask(inside, matrix))
    turned = distance_field(Mask(np.asfortranarray(inside), matrix))
    with without_numba():
        plain = distance_field(Mask(inside, matrix))
    for other in (turned, plain):
        assert np.allclose(usual.values, other.values, rtol=0, atol=1e-4)
        assert np.allclose(usual.far_values, other.far_values, rtol=0, atol=1e-4)


@settings(max_examples=100, deadline=None)
@given(st.tuples(*[st.integers(1, 9)] * 3), st.integers(0, 2**32 - 1))
def test_values_between_nodes_are_scipys_to_the_last_bit(shape: tuple[int, int, int], seed: int) -> None:
    """In a turned and sheared block; places on its nodes, between them, on its faces and outside."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape).astype(np.float32)
    inverse = np.eye(4)
    inverse[:3, :3] += 0.2 * rng.normal(size=(3, 3))
    inverse[:3, 3] = rng.normal(size=3)
    ijk = rng.uniform(-1.0, 1.0, size=(200, 3)) + rng.integers(0, shape[::-1], size=(200, 3))
    ijk[::2] = np.round(ijk[::2])
    points = np.ascontiguousarray(np.linalg.solve(inverse[:3, :3], (ijk - inverse[:3, 3]).T).T)
    found = trilinear.interpolated(values, inverse, points)
    with without_numba():
        assert np.array_equal(found, trilinear.interpolated(values, inverse, points), equal_nan=True)
    at = points @ inverse[:3, :3].T + inverse[:3, 3]
    well_inside = ((at > 1e-9) & (at < np.array(shape[::-1]) - 1.0 - 1e-9)).all(axis=1)
    assert np.isfinite(found[well_inside]).all()
    outside = ((at < -1e-9) | (at > np.array(shape[::-1]) - 1.0 + 1e-9)).any(axis=1)
    assert np.isnan(found[outside]).all()
    expected = ndimage.map_coordinates(values.astype(float), at[well_inside][:, ::-1].T, order=1)
    assert np.allclose(found[well_inside], expected, rtol=0, atol=1e-6)
