"""Booleans: volumes by formula, closed results, and errors in place of empty or open ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice_shapes import inverted, joined, moved, rigid, trimesh_of
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.measure.porosity import porosity
from LatticeGeneratorLib.mesh.boolean import (
    Solid,
    common_volume,
    common_volumes,
    difference,
    intersection,
    largest_component,
    printable,
    simplified,
    union,
)
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, stl_fault
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder, sphere

CUBE = box([0, 0, 0], [1, 1, 1])
FAR = moved(CUBE, [5, 0, 0])
OPEN = Mesh(CUBE.vertices, CUBE.faces[1:])
SIZE = st.floats(0.1, 3.0)


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[SIZE] * 6), st.tuples(*[st.floats(-2.0, 2.0)] * 3), st.integers(0, 1000))
def test_two_boxes_by_formula(sizes, offset, seed):
    a_size, b_size, offset = np.array(sizes[:3]), np.array(sizes[3:]), np.array(offset)
    frame = rigid(seed)
    a = box(np.zeros(3), a_size).transformed(frame)
    b = box(offset, offset + b_size).transformed(frame)
    shared = np.prod(np.maximum(np.minimum(a_size, offset + b_size) - np.maximum(0.0, offset), 0.0))
    close = {"rel": 1e-6, "abs": 1e-6}
    assert common_volume(a, b) == pytest.approx(shared, **close)
    both = union([a, b])
    assert closed_manifold_fault(both) is None
    assert both.volume == pytest.approx(a.volume + b.volume - shared, **close)
    if shared > 1e-3:
        assert intersection(a, b).volume == pytest.approx(shared, **close)
        assert porosity(b, a) == pytest.approx(1.0 - shared / a.volume, abs=1e-5)
    if a.volume - shared > 1e-3:
        assert difference(a, [b]).volume == pytest.approx(a.volume - shared, **close)


def test_steps_in_a_row_by_formula():
    block = Solid.of(box([0, 0, 0], [4, 4, 4]))
    made = (
        block.less([box([1, 1, 3], [3, 3, 5])])
        .joined([box([1.5, 1.5, 2], [2.5, 2.5, 6])])
        .less([box([0, 0, -1], [4, 4, 1])])
    )
    mesh = made.thinned(1e-6, 1.5)
    assert closed_manifold_fault(mesh) is None
    assert mesh.volume == pytest.approx(64.0 - 4.0 + 3.0 - 16.0, rel=1e-9)
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    assert max(np.linalg.norm(side, axis=1).max() for side in (b - a, c - b, a - c)) <= 1.5 * np.sqrt(2.0)
    assert block.thinned(1e-6, 9.0).volume == pytest.approx(64.0, rel=1e-9)


def test_a_body_of_which_nothing_remains_or_that_is_open_is_an_error():
    with pytest.raises(GeometryError, match="empty"):
        Solid.of(CUBE).less([box([-1, -1, -1], [2, 2, 2])]).thinned(1e-6, 9.0)
    with pytest.raises(GeometryError, match="cutter 1"):
        Solid.of(CUBE).less([OPEN])
    with pytest.raises(GeometryError, match="open"):
        Solid.of(OPEN)


def test_three_cutters_at_once():
    plate = box([0, 0, 0], [10, 10, 2])
    bores = [cylinder(np.array([x, 5.0, -1.0]), np.array([x, 5.0, 3.0]), 1.0, 64) for x in (2.0, 5.0, 8.0)]
    cut = difference(plate, bores)
    area = 0.5 * 64 * np.sin(2.0 * np.pi / 64)
    assert cut.volume == pytest.approx(200.0 - 3 * 2.0 * area, rel=1e-9)
    assert trimesh_of(cut).is_volume
    assert trimesh_of(cut).euler_number == 2 - 2 * 3


def test_what_a_body_shares_with_each_of_several():
    plate = box([0, 0, 0], [10, 10, 2])
    whole, half = box([1, 1, -1], [2, 3, 5]), box([5, 5, 1], [6, 7, 3])
    shared = common_volumes(plate, [whole, half, FAR, moved(FAR, [90, 0, 0])])
    assert shared == pytest.approx((4.0, 2.0, 1.0, 0.0), abs=1e-9)
    assert common_volumes(plate, []) == ()


def test_a_difference_without_cutters_and_a_union_of_one_change_nothing():
    assert difference(CUBE, []).volume == pytest.approx(1.0)
    assert union([CUBE]).volume == pytest.approx(1.0)


def test_a_hollow_body_keeps_its_void():
    hollow = joined(CUBE, inverted(box([0.25] * 3, [0.75] * 3)))
    assert difference(hollow, [FAR]).volume == pytest.approx(1.0 - 0.125)
    assert porosity(hollow, CUBE) == pytest.approx(0.125)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: union([]), "at least one mesh"),
        (lambda: intersection(CUBE, FAR), "the intersection is empty"),
        (lambda: difference(CUBE, [box([-1] * 3, [2] * 3)]), "the difference is empty"),
        (lambda: union([CUBE, OPEN]), "mesh 2 of the union"),
        (lambda: difference(OPEN, [CUBE]), "the mesh to cut"),
        (lambda: difference(CUBE, [FAR, OPEN]), "cutter 2"),
        (lambda: intersection(CUBE, OPEN), "the second mesh"),
        (lambda: common_volume(OPEN, CUBE), "the first mesh"),
        (lambda: simplified(OPEN, 0.1), "the mesh to simplify"),
        (lambda: union([inverted(CUBE)]), "inwards"),
        (lambda: porosity(CUBE, inverted(CUBE)), "inwards"),
        (lambda: difference(CUBE, [Mesh(np.zeros((0, 3)), np.zeros((0, 3), int))]), "empty"),
        (lambda: largest_component(inverted(CUBE)), "encloses nothing"),
        (lambda: largest_component(Mesh(np.zeros((1, 3)), np.zeros((0, 3), int))), "encloses nothing"),
    ],
)
def test_nothing_empty_or_open_goes_in_or_out(make, words):
    with pytest.raises(GeometryError, match=words):
        make()


def test_an_operand_is_not_changed():
    before = CUBE.vertices.copy(), CUBE.faces.copy()
    union([CUBE, moved(CUBE, [0.5, 0.5, 0.5])])
    assert np.array_equal(before[0], CUBE.vertices) and np.array_equal(before[1], CUBE.faces)


def test_a_result_can_be_used_again_and_a_changed_copy_of_it_is_checked_again():
    made = union([CUBE, moved(CUBE, [0.5, 0.5, 0.5])])
    assert difference(made, [CUBE]).volume == pytest.approx(0.875)
    with pytest.raises(GeometryError, match="the mesh to cut"):
        difference(Mesh(made.vertices, made.faces[1:]), [CUBE])
    with pytest.raises(GeometryError, match="the mesh to cut"):
        difference(Mesh(made.vertices * np.nan, made.faces), [CUBE])


def test_the_same_operands_give_the_same_bytes():
    one, two = (union([sphere(np.zeros(3), 1.0), moved(CUBE, [0.2, 0.3, 0.1])]) for _ in range(2))
    assert one.vertices.tobytes() == two.vertices.tobytes() and one.faces.tobytes() == two.faces.tobytes()


def test_simplified_keeps_the_surface_within_the_tolerance():
    ball = sphere(np.zeros(3), 5.0, 256)
    fewer = simplified(ball, 0.02)
    assert len(fewer.faces) < 0.5 * len(ball.faces)
    assert closed_manifold_fault(fewer) is None
    assert fewer.volume == pytest.approx(ball.volume, rel=0.01)
    depth = 5.0 - np.linalg.norm(fewer.triangles.mean(axis=1), axis=1)
    assert depth.min() >= -1e-9 and depth.max() < 2 * 0.02 + 0.002


def test_largest_component_keeps_its_voids_and_drops_chips_with_theirs():
    body = joined(box([0] * 3, [4] * 3), inverted(box([1] * 3, [2] * 3)), inverted(box([2.5] * 3, [3] * 3)))
    chip = joined(moved(CUBE, [10, 0, 0]), inverted(box([10.2, 0.2, 0.2], [10.8, 0.8, 0.8])))
    kept, chips = largest_component(joined(chip, body, moved(CUBE, [20, 0, 0])))
    assert chips == 2
    assert kept.volume == pytest.approx(64.0 - 1.0 - 0.125)
    assert len(kept.vertices) == 3 * 8


def test_largest_component_of_one_body_is_the_body():
    kept, chips = largest_component(CUBE)
    assert chips == 0 and kept.volume == pytest.approx(1.0) and len(kept.faces) == 12


def _in_float32(mesh: Mesh) -> bool:
    return bool(np.array_equal(mesh.vertices, mesh.vertices.astype(np.float32)))


def test_printable_holds_what_stl_holds():
    made = printable(sphere(np.array([100.1, -200.3, 300.7]), 3.0))
    assert _in_float32(made)
    assert stl_fault(made) is None


def test_printable_drops_faces_that_rounding_flattens():
    sliver = CUBE.vertices + 1.0
    edge = np.vstack([sliver, sliver[-1] + [-1e-9, 0, 0]])
    # The face that holds the last vertex and the one beside it along an edge get a vertex a nanometre away.
    last = len(sliver) - 1
    faces = CUBE.faces.tolist()
    first = next(n for n, face in enumerate(faces) if last in face)
    while faces[first][0] != last:
        faces[first] = faces[first][1:] + faces[first][:1]
    a, b, c = faces[first]
    second = next(n for n, face in enumerate(faces) if b in face and a in face and n != first)
    while faces[second][0] != a:
        faces[second] = faces[second][1:] + faces[second][:1]
    other = faces[second][1] if faces[second][2] == b else faces[second][2]
    # The edge a-b is split at the new vertex beside a.
    mesh = [face for n, face in enumerate(faces) if n not in (first, second)]
    mesh += [[a, 8, c], [8, b, c], [b, 8, other], [8, a, other]]
    split = Mesh(edge, np.array(mesh))
    assert closed_manifold_fault(split) is None
    assert stl_fault(split) is not None
    made = printable(split)
    assert len(made.vertices) == 8 and len(made.faces) == 12
    assert stl_fault(made) is None


def test_printable_draws_apart_by_micrometres_what_rounding_would_join():
    arm = box([1.0 + 1e-9, 1.0 + 1e-9, -1.0], [2, 2, 1])
    body = union([box([0, 0, -1.0], [1, 1, 1]), arm, box([0, 0, -2.0], [2, 2, -0.9])])
    assert closed_manifold_fault(body) is None
    assert stl_fault(body) is not None
    made = printable(body)
    assert stl_fault(made) is None and _in_float32(made)
    assert made.volume == pytest.approx(2 * 1.9 + 4.0 * 1.1, rel=0.02)
    assert np.abs(np.array(made.bounds) - np.array(body.bounds)).max() <= 0.0201


def test_printable_refuses_what_micrometres_cannot_mend():
    with pytest.raises(GeometryError, match="cannot be written to STL"):
        printable(OPEN)
