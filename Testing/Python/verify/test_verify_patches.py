"""Patches: whatever a plane or a beam meets among all faces it meets among those that patches leave, in their order."""

from __future__ import annotations

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import union
from LatticeGeneratorLib.mesh.solids import box, sphere
from SpinalStrutDesignerLib.verify.patches import Patches
from SpinalStrutDesignerLib.verify.raster import cast, cast_at
from SpinalStrutDesignerLib.verify.sections import cut

BODY = union([sphere((1.0, 2.0, -3.0), 4.0, 60), box([-9, 1, -4], [9, 2, -3])])


def _turned(random: np.random.Generator) -> np.ndarray:
    frame = np.linalg.qr(random.normal(size=(3, 3)))[0]
    return frame * np.linalg.det(frame)


@pytest.mark.parametrize("mesh", [BODY, box([0, 0, 0], [1, 2, 3])], ids=["thousands of faces", "twelve faces"])
def test_planes_and_beams_meet_the_same(mesh):
    patches, random = Patches.of(mesh), np.random.default_rng(5)
    low, high = mesh.bounds
    for _ in range(20):
        point, frame = random.uniform(low - 0.5, high + 0.5), _turned(random)
        near, whole = cut(patches.at_plane(point, frame[0]), point, frame[0]), cut(mesh, point, frame[0])
        assert np.array_equal(near.starts, whole.starts)
        assert np.array_equal(near.ends, whole.ends)
        assert np.array_equal(near.loop, whole.loop)
        corner = random.uniform(-2.0, 0.0, 2)
        beam = (frame, point, 0.2, corner, corner + random.uniform(0.1, 3.0, 2))
        near, whole = cast_at(patches, *beam), cast(mesh, *beam)
        assert np.array_equal(near.ray, whole.ray)
        assert np.array_equal(near.at, whole.at)


def test_a_plane_through_a_few_faces_leaves_few():
    left = Patches.of(BODY).at_plane(np.array([1.0, 2.0, 0.9]), np.array([0.0, 0.0, 1.0]))
    assert 0 < len(left.faces) < 0.2 * len(BODY.faces)
