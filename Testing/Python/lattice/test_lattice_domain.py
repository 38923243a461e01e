"""Bodies that cannot be filled: good ones spoilt in known ways, each refused in words that name what was done to it."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice_shapes import inverted, joined, moved, rigid, without_numba
from LatticeGeneratorLib import cli, files
from LatticeGeneratorLib.cells import CELLS
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.files import BODY, ORDER, Made, read_made, write_made, write_order
from LatticeGeneratorLib.infill import domain
from LatticeGeneratorLib.infill.as_made import AsMade
from LatticeGeneratorLib.infill.domain import checked_body, checked_domain, estimated_triangles, thickest_mm
from LatticeGeneratorLib.infill.fill import fill, voxel_mm_for
from LatticeGeneratorLib.infill.order import Order
from LatticeGeneratorLib.infill.region import Shell, Whole
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.boolean import intersection
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder, extruded, sphere

SPEC = LatticeSpec(pore_mm=0.6)
VOXEL = voxel_mm_for(SPEC)
CUBE = box([0.0] * 3, [5.0] * 3)
BALL = sphere(np.zeros(3), 4.0, 16)
ELL = extruded(np.array([[0, 0], [9, 0], [9, 2], [2, 2], [2, 7], [0, 7]]), np.eye(4), -1.0, 2.0)
ROD = cylinder(np.array([0.0, 0, 0]), np.array([0.0, 0, 8]), 1.5, 12)
HOLLOW = joined(CUBE, inverted(box([1.5] * 3, [2.5] * 3)))
GOOD = [CUBE, BALL, ELL, ROD, HOLLOW]


def _flipped(mesh: Mesh, rng: np.random.Generator) -> Mesh:
    """Some faces turned round, but not all of one closed surface."""
    faces = mesh.faces.copy()
    some = rng.choice(len(faces), int(rng.integers(1, 6)), replace=False)
    faces[some] = faces[some, ::-1]
    return Mesh(mesh.vertices, faces)


def _number(mesh: Mesh, rng: np.random.Generator) -> Mesh:
    vertices = mesh.vertices.copy()
    vertices[rng.integers(len(vertices)), rng.integers(3)] = rng.choice([np.nan, np.inf, -np.inf])
    return Mesh(vertices, mesh.faces)


def _open(mesh: Mesh, rng: np.random.Generator) -> Mesh:
    gone = rng.choice(len(mesh.faces), int(rng.integers(1, 4)), replace=False)
    return Mesh(mesh.vertices, np.delete(mesh.faces, gone, axis=0))


def _pulled(mesh: Mesh, rng: np.random.Generator) -> Mesh:
    """One corner of a convex body pulled through it and out on the other side."""
    vertices = mesh.vertices.copy()
    corner = int(rng.integers(len(vertices)))
    vertices[corner] += rng.uniform(2.5, 3.5) * (vertices.mean(axis=0) - vertices[corner])
    return Mesh(vertices, mesh.faces)


def _pieces(mesh: Mesh, rng: np.random.Generator) -> Mesh:
    return joined(mesh, moved(mesh, [float(rng.uniform(12.0, 30.0)), 0.0, 0.0]))


def _lost_void(mesh: Mesh, rng: np.random.Generator) -> Mesh:
    return joined(mesh, inverted(box(np.full(3, 12.0), np.full(3, rng.uniform(12.5, 14.0)))))


SPOILT = [
    (_open, GOOD, r"open edges, one at \(.*repair its surface: close the holes"),
    (lambda mesh, rng: inverted(mesh), GOOD, r"inside out \(its volume is -.*turn its faces round"),
    (_flipped, GOOD, "inconsistently directed edges, one at .*turn all its faces outwards"),
    (_number, GOOD, r"1 of its vertices are not finite numbers \(vertex \d+ is at \(.*(nan|inf).*export"),
    (_pulled, [BALL, ROD], r"passes through itself: \d+ edges .*, one at \(.*joined into one body"),
    (_pieces, GOOD, "2 separate pieces.*keep one"),
    (_lost_void, GOOD, "1 of its pieces are inside out and lie outside the body, one at .*remove"),
    (lambda mesh, rng: Mesh(mesh.vertices * 1e-3, mesh.faces), GOOD, "looks like metres .*scale it by 1000"),
    (lambda mesh, rng: Mesh(mesh.vertices * 1e3, mesh.faces), GOOD, r"looks like micrometres .*scale it by 0\.001"),
    (lambda mesh, rng: Mesh(mesh.vertices, mesh.faces[:0]), GOOD, "it is empty; load, paint or select"),
]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(way=st.integers(0, len(SPOILT) - 1), which=st.integers(0, 99), seed=st.integers(0, 2**32 - 1))
def test_what_is_spoilt_is_refused_with_what_was_done_to_it(way: int, which: int, seed: int) -> None:
    spoil, shapes, words = SPOILT[way]
    mesh = spoil(shapes[which % len(shapes)], np.random.default_rng(seed)).transformed(rigid(seed % 1000))
    with pytest.raises(GeometryError, match=f"the thing cannot be filled: .*{words}"):
        checked_domain(mesh, SPEC, VOXEL, "the thing")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(which=st.integers(0, len(GOOD) - 1), seed=st.integers(0, 1000))
def test_what_is_good_passes_as_it_is(which: int, seed: int) -> None:
    mesh = GOOD[which].transformed(rigid(seed))
    assert checked_domain(mesh, SPEC, VOXEL) is mesh


def test_surfaces_that_cross_by_less_than_a_micrometre_pass() -> None:
    # The lid of a box drawn in at one point, until it comes out of the floor by so much.
    corners = np.array([[x, y, z] for z in (0.0, 3.0) for x, y in ((0, 0), (4, 0), (4, 4), (0, 4))])
    faces = [face for face in box([0.0] * 3, [4.0, 4.0, 3.0]).faces.tolist() if min(face) < 4]
    faces += [[4 + n, 4 + (n + 1) % 4, 8] for n in range(4)]

    def drawn(beyond: float) -> Mesh:
        return Mesh(np.vstack([corners, [[1.3, 2.1, -beyond]]]), np.array(faces)).transformed(rigid(4))

    for beyond in (-0.1, 0.9e-3):
        assert checked_body(drawn(beyond), "the box")
    with pytest.raises(GeometryError, match="passes through itself: 4 edges") as refused:
        checked_body(drawn(1.1e-3), "the box")
    place = [float(v) for v in str(refused.value).split("one at (")[1].split(")")[0].split(", ")]
    assert np.linalg.norm(place - drawn(0.0).vertices[8]) < 5e-3


def test_two_bodies_that_overlap_in_one_mesh_and_what_a_boolean_leaves() -> None:
    with pytest.raises(GeometryError, match="2 separate pieces"):
        checked_body(joined(BALL, moved(BALL, [1.0, 0.5, 0.2])), "the pair")
    for seed in range(20):
        slab = box([-2.0, -9, -9], [1.0, 9, 9]).transformed(rigid(seed + 50, 1.0))
        part = intersection(BALL.transformed(rigid(seed, 0.0)), slab)
        assert checked_body(part, "the part") is part


@pytest.mark.parametrize("shape, truth", [
    (box([0.0] * 3, [9.0, 1.3, 7.0]), 1.3),
    (sphere(np.zeros(3), 2.0, 128), 4.0),
    (cylinder(np.zeros(3), np.array([0.0, 0, 9]), 1.1, 128), 2.2),
    (joined(box([0.0] * 3, [9.0] * 3), inverted(box([0.8] * 3, [8.2] * 3))), 2.0 * 0.8 * np.sqrt(3) / (1 + np.sqrt(3))),
])  # fmt: skip
def test_the_thickest_place(shape: Mesh, truth: float) -> None:
    # Facets lie within the true ball; a shell is thickest in its corners, between three faces and the inner corner.
    assert thickest_mm(shape.transformed(rigid(7)), 9.0) == pytest.approx(truth, rel=2e-3)
    assert thickest_mm(shape, 0.5 * truth) >= 0.5 * truth


def test_the_thickest_place_is_the_same_without_numba() -> None:
    slab = box([0.0] * 3, [5.0, 1.3, 4.0]).transformed(rigid(3))
    with without_numba():
        slow = thickest_mm(slab, 9.0)
    assert slow == pytest.approx(thickest_mm(slab, 9.0), abs=1e-9)


def test_what_a_cell_does_not_fit_into_is_told_the_largest_that_would() -> None:
    for shape, words in [
        (box([0.0] * 3, [9.0, 9.0, 0.8]), "a cell of .* larger than it .*cells are at most"),
        (box([0.0] * 3, [9.0, 9.0, 0.8]).transformed(rigid(5)), r"it is 0\.80 mm thick where .*cells are at most"),
    ]:
        with pytest.raises(GeometryError, match=words) as refused:
            checked_domain(shape, SPEC, VOXEL)
        most = float(str(refused.value).split("at most ")[1].split(" mm")[0])
        assert 0.79 <= most <= 0.8
        fitting = LatticeSpec(porosity=0.6, pore_mm=most * CELLS["gyroid_skeletal"].pore_per_cell(0.6))
        assert checked_domain(shape, fitting, VOXEL) is shape


@pytest.mark.parametrize("spec", [LatticeSpec(), LatticeSpec("bcc", 0.6, 0.6), LatticeSpec("gyroid_sheet", 0.6, 1.2)])
def test_the_number_of_triangles_is_foreseen(spec: LatticeSpec) -> None:
    made = fill(CUBE, spec)
    assert estimated_triangles(125.0, spec, made.voxel_mm) == pytest.approx(len(made.mesh.faces), rel=0.33)


def test_more_than_the_memory_holds_is_refused_with_how_much_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    large = box([0.0] * 3, [900.0, 800.0, 700.0])
    words = r"its 504,000 cm³ would make about [\d,]+ million triangles.*GiB"
    with pytest.raises(GeometryError, match=words) as refused:
        checked_domain(large, SPEC, VOXEL)
    most = float(str(refused.value).split("fill at most ")[1].split(" cm³")[0])
    edge = 10.0 * np.cbrt(0.999 * most)
    assert checked_domain(box([0.0] * 3, [edge] * 3), SPEC, VOXEL).volume < 504e6
    monkeypatch.setattr(domain, "memory_bytes", lambda: 1e6)
    with pytest.raises(GeometryError, match="fill at most"):
        checked_domain(CUBE, SPEC, VOXEL)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("body, order, words", [
    (Mesh(CUBE.vertices * 1e-3, CUBE.faces), Order(SPEC, Whole()), "the body .*metres"),
    (box([0.0] * 3, [9.0, 9.0, 0.5]), Order(SPEC, Whole()), "the region to fill .*larger"),
    (box([0.0] * 3, [9.0] * 3), Order(SPEC, Shell(0.3)), "the region to fill .*thick"),
])  # fmt: skip
def test_the_command_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body: Mesh, order: Order, words: str
) -> None:
    write_order(tmp_path, body, order)
    before = _names(tmp_path)
    arguments = [str(tmp_path / BODY), str(tmp_path / ORDER), str(tmp_path / "made"), "--progress", "json"]
    assert cli.main(arguments) == 1
    error = json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    assert error["type"] == "GeometryError"
    assert re.search(words, error["message"])
    assert _names(tmp_path) == before


def test_what_cannot_be_written_to_its_end_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = AsMade(**{field.name: 1 for field in fields(AsMade)})
    write_made(tmp_path / "made", Made(CUBE, BALL, values))
    assert len(read_made(tmp_path / "made").shown.faces) == len(BALL.faces)

    def full(path: Path, mesh: Mesh) -> None:
        if path.name == "shown.npz":
            raise OSError("no space left on device")
        path.write_bytes(b"begun")

    with monkeypatch.context() as patched:
        patched.setattr(files, "write_npz", full)
        for folder in ("made", "new"):
            with pytest.raises(OSError, match="no space"):
                write_made(tmp_path / folder, Made(ELL, ROD, values))
    assert _names(tmp_path) == {"made"}
    assert len(read_made(tmp_path / "made").mesh.faces) == len(CUBE.faces)
    # A smaller lattice after a large one is not shown as the large one.
    write_made(tmp_path / "made", Made(ELL, ELL, values))
    again = read_made(tmp_path / "made")
    assert again.shown is again.mesh and len(again.mesh.faces) == len(ELL.faces)
