"""Work slab by slab: the same as on the whole, in so little memory that a large CT fits."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from shared_phantom import shared_phantom
from SpinalStrutDesignerLib.case import slabs
from SpinalStrutDesignerLib.case.bone import find_bone
from SpinalStrutDesignerLib.case.model import Mask
from SpinalStrutDesignerLib.case.phantom import phantom_truth
from SpinalStrutDesignerLib.case.soft import find_keepouts
from SpinalStrutDesignerLib.case.spinal_canal import find_canal_course

# A CT of 512x512x600 voxels is to be worked on within 4 GiB: a quarter is left to the CT itself and the program.
LARGE_VOXELS, MOST_BYTES = 512 * 512 * 600, 3 * 2**30
# A large CT makes so many slabs.
SLABS = 26


@pytest.fixture
def thin_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slabs, "_SLAB_VOXELS", 7 * 6 * 2)


@pytest.mark.usefixtures("thin_slabs")
def test_slabs_cover_every_slice_once_and_margins_end_at_the_image() -> None:
    parts = list(slabs.slabs((9, 7, 6), 3))
    assert [k for part, _ in parts for k in range(9)[part]] == list(range(9))
    assert len(parts) == 5
    assert [(halo.start, halo.stop) for _, halo in parts] == [(0, 5), (0, 7), (1, 9), (3, 9), (5, 9)]


@pytest.mark.usefixtures("thin_slabs")
def test_slab_by_slab_is_as_at_once() -> None:
    chance = np.random.default_rng(5)
    numbers = chance.integers(0, 12, (9, 7, 6)).astype(np.int32)
    numbers[numbers == 11] = 0  # the last number is borne by none
    table = chance.random(12) > 0.5
    assert slabs.counted(numbers, 11).tolist() == [int((numbers == n).sum()) for n in range(12)]
    found = slabs.looked_up(table, numbers)
    assert found.dtype == bool
    assert all(found[kji] == table[numbers[kji]] for kji in np.ndindex(9, 7, 6))

    matrix = np.array([[0.0, 0.0, 2.0, 5.0], [0.7, 0.0, 0.0, -3.0], [0.0, 0.7, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0]])
    held = list(slabs.held_by(found, matrix))
    voxels = {tuple(kji): place for part, places in held for kji, place in zip(part.tolist(), places, strict=True)}
    assert set(voxels) == {kji for kji in np.ndindex(9, 7, 6) if found[kji]}
    for (k, j, i), place in voxels.items():
        assert place == pytest.approx([2.0 * k + 5.0, 0.7 * i - 3.0, 0.7 * j + 1.0])


def test_bone_and_keepouts_of_a_large_ct_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    case, bodies = shared_phantom(), phantom_truth().bodies
    ct, seeds = case.ct, {level: bodies[level] for level in ("C4", "T2")}
    monkeypatch.setattr(slabs, "_SLAB_VOXELS", ct.voxels.size // SLABS)
    tracemalloc.start()
    try:
        found = find_bone(ct)
        course = find_canal_course(Mask(found.bone, ct.ijk_to_ras), seeds)
        find_keepouts(ct, found, course, seeds)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak / ct.voxels.size * LARGE_VOXELS <= MOST_BYTES
