"""STL files byte by byte: what is written is LPS millimetres and says so; what is read comes back in RAS."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice_shapes import joined, moved, rigid, tetrahedron
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.mesh.check import closed_manifold_fault
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, sphere
from LatticeGeneratorLib.mesh.stl import read_stl, write_stl


def parsed(content: bytes) -> tuple[str, list[tuple[tuple[float, ...], np.ndarray, int]]]:
    """Header and (normal, corners (3, 3), attribute) of each facet, by struct alone."""
    header = content[:80].decode("ascii")
    (count,) = struct.unpack_from("<I", content, 80)
    assert len(content) == 84 + 50 * count
    facets = []
    for n in range(count):
        numbers = struct.unpack_from("<12fH", content, 84 + 50 * n)
        facets.append((numbers[:3], np.array(numbers[3:12]).reshape(3, 3), numbers[12]))
    return header, facets


def ascii_stl(mesh: Mesh, name: str) -> str:
    """The mesh, coordinates as they are, as an ASCII STL file."""
    lines = [f"solid {name}"]
    for corners in mesh.triangles:
        lines += ["  facet normal 0 0 0", "    outer loop"]
        lines += [f"      vertex {x:.9e} {y:.9e} {z:.9e}" for x, y, z in corners]
        lines += ["    endloop", "  endfacet"]
    return "\n".join([*lines, f"endsolid {name}", ""])


def test_the_file_holds_lps_float32_and_says_so(tmp_path):
    mesh = sphere(np.array([10.0, -20.0, 30.0]), 2.0, 12)
    write_stl(tmp_path / "a.stl", mesh, "case 2")
    header, facets = parsed((tmp_path / "a.stl").read_bytes())
    assert header.startswith("SPACE=LPS UNIT=mm case 2") and len(header) == 80
    assert not header.lower().startswith("solid")
    assert len(facets) == len(mesh.faces)
    for (normal, corners, attribute), ras in zip(facets, mesh.triangles):
        assert np.array_equal(corners, (ras * [-1, -1, 1]).astype(np.float32))
        across = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        assert np.allclose(normal, across / np.linalg.norm(across), atol=1e-6)
        assert attribute == 0
    # Faces still look outwards: half a turn about z does not mirror.
    volume = sum(np.linalg.det(corners.astype(float)) for _, corners, _ in facets) / 6.0
    assert volume == pytest.approx(mesh.volume, rel=1e-5)


def test_trimesh_reads_what_is_written(tmp_path):
    import trimesh

    mesh = moved(tetrahedron(), [5.0, 6.0, 7.0])
    write_stl(tmp_path / "a.stl", mesh)
    peer = trimesh.load(tmp_path / "a.stl")
    assert peer.is_watertight and peer.volume == pytest.approx(1.0 / 6.0, rel=1e-5)
    assert np.allclose(peer.bounds, [[-6, -7, 7], [-5, -6, 8]])


@given(st.integers(0, 10_000), st.floats(0.01, 100.0))
@settings(max_examples=15, deadline=None)
def test_read_returns_what_was_written(tmp_path_factory, seed, size):
    mesh = Mesh(tetrahedron().vertices * size, tetrahedron().faces).transformed(rigid(seed))
    path = tmp_path_factory.mktemp("stl") / "a.stl"
    write_stl(path, mesh)
    back = read_stl(path)
    assert len(back.vertices) == 4
    assert np.array_equal(back.triangles, mesh.triangles.astype(np.float32))


@pytest.mark.parametrize("form", ["binary", "ascii"])
@pytest.mark.parametrize(("title", "turned"), [("SPACE=RAS", False), ("SPACE=LPS", True), ("no frame named", True)])
def test_the_header_decides_the_frame(tmp_path, form, title, turned):
    mesh = moved(tetrahedron(), [1.0, 2.0, 3.0])
    path = tmp_path / "a.stl"
    if form == "ascii":
        path.write_text(ascii_stl(mesh, title))
    else:
        facets = b"".join(struct.pack("<12fH", 0, 0, 0, *corners.ravel(), 0) for corners in mesh.triangles)
        path.write_bytes(title.encode().ljust(80) + struct.pack("<I", 4) + facets)
    back = read_stl(path)
    assert len(back.vertices) == 4 and closed_manifold_fault(back) is None
    assert np.allclose(back.triangles, mesh.triangles * ([-1, -1, 1] if turned else [1, 1, 1]))


def test_a_note_that_names_another_frame_changes_nothing(tmp_path):
    mesh = moved(tetrahedron(), [1.0, 2.0, 3.0])
    write_stl(tmp_path / "a.stl", mesh, "from SPACE=RAS")
    assert np.allclose(read_stl(tmp_path / "a.stl").triangles, mesh.triangles)


def test_a_binary_file_that_begins_with_solid_is_read_as_binary(tmp_path):
    mesh = tetrahedron()
    facets = b"".join(struct.pack("<12fH", 0, 0, 0, *corners.ravel(), 7) for corners in mesh.triangles)
    (tmp_path / "a.stl").write_bytes(b"solid SPACE=RAS".ljust(80, b"\0") + struct.pack("<I", 4) + facets)
    assert read_stl(tmp_path / "a.stl").volume == pytest.approx(1.0 / 6.0)


def test_minus_zero_is_zero_when_vertices_are_merged(tmp_path):
    write_stl(tmp_path / "a.stl", box([0, 0, 0], [1, 1, 1]))
    back = read_stl(tmp_path / "a.stl")
    assert len(back.vertices) == 8
    assert not np.signbit(back.vertices[back.vertices == 0.0]).any()


def test_facets_without_area_are_left_out(tmp_path):
    mesh = Mesh(tetrahedron().vertices, np.vstack([tetrahedron().faces, [[1, 2, 2]]]))
    write_stl(tmp_path / "a.stl", mesh)
    assert len(read_stl(tmp_path / "a.stl").faces) == 4


def test_separate_bodies_stay_separate(tmp_path):
    write_stl(tmp_path / "a.stl", joined(tetrahedron(), moved(tetrahedron(), [3, 0, 0])))
    assert len(read_stl(tmp_path / "a.stl").vertices) == 8


@pytest.mark.parametrize("note", ["x" * 63, "Größe"])
def test_a_note_that_does_not_fit_is_refused(tmp_path, note):
    with pytest.raises(GeometryError, match="shorten"):
        write_stl(tmp_path / "a.stl", tetrahedron(), note)
    assert not (tmp_path / "a.stl").exists()


def test_the_longest_note_fits(tmp_path):
    write_stl(tmp_path / "a.stl", tetrahedron(), "x" * 62)
    assert len(parsed((tmp_path / "a.stl").read_bytes())[0]) == 80


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an STL file",
        b"x" * 100,
        b"solid a\nfacet normal 0 0 0\nouter loop\nvertex 0 0",
        b"solid a\nvertex 1 2 z\nendsolid a",
        b"solid a\nvertex 1 2 3\nvertex 1 2 3\nendsolid a",
    ],
)
def test_what_is_not_stl_is_refused_by_name(tmp_path, content):
    (tmp_path / "broken.stl").write_bytes(content)
    with pytest.raises(GeometryError, match=r"broken\.stl"):
        read_stl(tmp_path / "broken.stl")


def test_a_file_cut_short_is_refused(tmp_path):
    write_stl(tmp_path / "a.stl", tetrahedron())
    content = (tmp_path / "a.stl").read_bytes()
    (tmp_path / "cut.stl").write_bytes(content[:-1])
    with pytest.raises(GeometryError, match=r"cut\.stl"):
        read_stl(tmp_path / "cut.stl")
    text = ascii_stl(tetrahedron(), "a")
    (tmp_path / "cut.stl").write_text(text[: len(text) // 2])
    with pytest.raises(GeometryError, match=r"cut\.stl"):
        read_stl(tmp_path / "cut.stl")


def test_a_file_without_faces_is_refused(tmp_path):
    (tmp_path / "none.stl").write_bytes(b" " * 80 + struct.pack("<I", 0))
    with pytest.raises(GeometryError, match="no triangles"):
        read_stl(tmp_path / "none.stl")
    (tmp_path / "none.stl").write_text("solid a\nendsolid a\n")
    with pytest.raises(GeometryError, match="no triangles"):
        read_stl(tmp_path / "none.stl")


def test_the_same_mesh_gives_the_same_bytes(tmp_path):
    for name in ("a.stl", "b.stl"):
        write_stl(tmp_path / name, sphere(np.ones(3), 1.0), "same")
    assert (tmp_path / "a.stl").read_bytes() == (tmp_path / "b.stl").read_bytes()
