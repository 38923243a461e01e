"""Strut lattices as beams: the same metal as the cell's own field, and what lib3mf reads back from their files."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from lattice_shapes import rigid
from LatticeGeneratorLib import cli
from LatticeGeneratorLib.cells import CELLS, cell_named
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.export.three_mf import read_3mf, write_beams_3mf, write_mesh_3mf
from LatticeGeneratorLib.files import BEAMS, BODY, ORDER, read_made, write_made, write_order
from LatticeGeneratorLib.infill.beams import Beams, beams_in, beams_of, radius_for
from LatticeGeneratorLib.infill.fill import fill
from LatticeGeneratorLib.infill.order import Order
from LatticeGeneratorLib.infill.region import Whole
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.boolean import union
from LatticeGeneratorLib.mesh.inside import winding_number
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.nearest import Nearest
from LatticeGeneratorLib.mesh.solids import box, cylinder, extruded, sphere
from scipy.spatial import cKDTree

CELL, RADIUS = 1.1, 0.15
ELL = extruded(np.array([[0, 0], [5, 0], [5, 2], [2, 2], [2, 4], [0, 4]]), np.eye(4), -1.0, 1.5)
# The four diagonals of a cube, whole: they cross in its middle.
BCC = np.array([[[0.0, 0, 0], [1, 1, 1]], [[1, 0, 0], [0, 1, 1]], [[0, 1, 0], [1, 0, 1]], [[0, 0, 1], [1, 1, 0]]])
STRUTS = [cell for cell in CELLS.values() if cell.beams is not None]
CUBIC = np.array([[[0.0, 0, 0], [1, 0, 0]], [[0, 0, 0], [0, 1, 0]], [[0, 0, 0], [0, 0, 1]]])


def within(beams: Beams, points: np.ndarray) -> np.ndarray:
    """(n,) how far points are from the beams' axes, by points every 0.02 mm along them: right to 0.4 µm at 0.15 mm."""
    start, way = beams.nodes[beams.pairs[:, 0]], np.subtract(*beams.nodes[beams.pairs[:, ::-1].T])
    steps = np.linspace(0.0, 1.0, int(np.linalg.norm(way, axis=1).max() / 0.02) + 2)
    axes = (start[:, None] + steps[None, :, None] * way[:, None]).reshape(-1, 3)
    return cKDTree(axes).query(points)[0]


def places_in(domain: Mesh, count: int) -> np.ndarray:
    points = np.random.default_rng(3).uniform(*domain.bounds, (count, 3))
    return points[winding_number(domain, points) > 0.5]


@pytest.mark.parametrize("name", ["crossing", *(cell.name for cell in STRUTS)])
def test_beams_clipped_to_the_domain_are_the_metal_of_the_cells_field(name: str) -> None:
    domain, frame = ELL.transformed(rigid(4)), rigid(9)
    cell = cell_named("bcc" if name == "crossing" else name)
    axes = BCC if name == "crossing" else cell.beams / cell.period
    beams = beams_in(domain, axes, CELL * cell.period, RADIUS, frame)
    points = places_in(domain, 6_000)
    own = (points - frame[:3, 3]) @ frame[:3, :3] / CELL
    truth = CELL * cell.field(*own.T)[0]
    # A stochastic cell looks its field up in a table.
    clear = np.abs(truth - RADIUS) > (0.01 if name == "voronoi" else 5e-4)
    assert clear.mean() > 0.9 and 0.05 < (truth < RADIUS).mean() < 0.95
    metal = within(beams, points) < RADIUS
    assert not (metal & (truth >= RADIUS) & clear).any()
    # What is missing was loose: chips of beams that graze the domain.
    missing = points[(truth < RADIUS) & ~metal & clear]
    assert len(missing) < 0.05 * metal.sum() and (beams.loose > 0 or len(missing) == 0)
    assert (Nearest.of(domain).to(missing)[0] < 2.0 * RADIUS).all()
    assert beams.clip is domain


def test_no_beam_is_far_from_the_domain_and_none_is_there_twice() -> None:
    beams = beams_in(box([0.0] * 3, [4.0] * 3), BCC, CELL, RADIUS, np.eye(4))
    start, way = beams.nodes[beams.pairs[:, 0]], np.subtract(*beams.nodes[beams.pairs[:, ::-1].T])
    length = np.linalg.norm(way, axis=1)
    # From the middle of a cell to its corner, eight times a cell.
    assert length == pytest.approx(0.5 * np.sqrt(3.0) * CELL, abs=1e-5)
    axes = start[:, None] + np.linspace(0.0, 1.0, 200)[None, :, None] * way[:, None]
    gap = np.linalg.norm(np.maximum(np.maximum(-axes, axes - 4.0), 0.0), axis=2).min(axis=1)
    assert gap.max() < 2.0 * RADIUS
    assert len(np.unique(np.sort(beams.pairs, axis=1), axis=0)) == len(beams.pairs)
    assert cKDTree(beams.nodes).query(beams.nodes, 2)[0][:, 1].min() > 0.5 * CELL
    assert set(beams.pairs.ravel().tolist()) == set(range(len(beams.nodes)))


def test_the_number_of_beams_of_a_block_of_cells() -> None:
    # Just larger than four cells, so that no axis lies in its surface: 5³ nodes, and 3 · 4 · 5² beams between them;
    # from each node in the surface a beam leads out, of which the root lies inside.
    block = box([-0.05] * 3, [4.05] * 3)
    beams = beams_in(block, CUBIC, 1.0, 0.2, np.eye(4))
    inner = ((beams.nodes > -0.01) & (beams.nodes < 4.01)).all(axis=1)
    assert inner.sum() == 125
    assert inner[beams.pairs].all(axis=1).sum() == 3 * 4 * 25
    assert (inner[beams.pairs].sum(axis=1) == 1).sum() == 6 * 25


def test_porosity_is_that_of_the_mesh_of_the_same_lattice() -> None:
    domain = box([0.0] * 3, [4.7, 5.0, 5.3]).transformed(rigid(1))
    made = fill(domain, LatticeSpec("bcc", 0.7, 0.55))
    frame = np.eye(4)
    frame[:3, 3] = 0.5 * sum(domain.bounds)
    radius = radius_for(domain, cell_named("bcc"), made.cell_mm, 0.7, frame)
    # The law of body-centred struts in an unbounded lattice.
    assert radius / made.cell_mm == pytest.approx(0.3232 - 0.2692 * 0.7, abs=0.003)
    beams = beams_in(domain, BCC, made.cell_mm, radius, frame)
    points = places_in(domain, 150_000)
    porosity = 1.0 - (within(beams, points) < radius).mean()
    # 80 000 points tell a share of 0.7 to 0.0016 (standard deviation).
    assert porosity == pytest.approx(made.porosity, abs=0.005)


@pytest.mark.parametrize("name", ["bcc", "diamond_cubic"])
def test_the_beams_of_a_lattice_lie_in_its_struts(name: str) -> None:
    domain = box([0.0] * 3, [3.3, 3.6, 3.1])
    made = fill(domain, LatticeSpec(name, 0.7, 0.6))
    beams = beams_of(made, domain)
    assert beams is not None
    middle = (np.abs(made.mesh.vertices - [1.65, 1.8, 1.55]) < 1.2).all(axis=1)
    away = within(beams, made.mesh.vertices[middle])
    # The facets' corners lie on struts that are thicker by what facets take away.
    assert np.percentile(away, 90) - np.percentile(away, 10) < 0.01
    assert np.median(away) == pytest.approx(beams.radii[0], abs=0.02)


def test_a_lattice_of_surfaces_has_no_beams() -> None:
    domain = box([0.0] * 3, [2.5] * 3)
    assert beams_of(fill(domain, LatticeSpec(pore_mm=0.8)), domain) is None


def test_what_hangs_on_nothing_is_left_out_and_counted() -> None:
    # Two blocks of 4 and 3 mm, joined by a wire through the void between struts.
    one, two = box([0.0] * 3, [4.0] * 3), box([6.0, 0, 0], [9.0, 3.0, 3.0])
    wire = cylinder(np.array([3.5, 0.5 * CELL + CELL, CELL]), np.array([7.0, 0.5 * CELL + CELL, CELL]), 0.04, 12)
    both, first, second = (
        beams_in(domain, BCC, CELL, RADIUS, np.eye(4)) for domain in (union([one, two, wire]), one, two)
    )
    assert first.loose == 0
    # The second block has chips of its own, along the edge that no strut of its inside reaches.
    assert both.loose == second.loose + 1
    assert np.array_equal(both.nodes, first.nodes) and np.array_equal(both.pairs, first.pairs)


@pytest.mark.parametrize("make, words", [
    (lambda: beams_in(ELL, BCC, 0.0, 0.1, np.eye(4)), "above 0 mm"),
    (lambda: beams_in(ELL, BCC, 1.0, -0.1, np.eye(4)), "above 0 mm"),
    (lambda: beams_in(sphere(np.array([10.0, 50, 0]), 0.3, 16), CUBIC, 20.0, 0.3, np.eye(4)), "reaches into its dom"),
    (lambda: beams_in(box([0] * 3, [1900] * 3), BCC, 1.0, 0.1, np.eye(4)), "smaller region"),
])  # fmt: skip
def test_what_cannot_be_is_refused(make, words: str) -> None:
    with pytest.raises(GeometryError, match=words):
        make()


@cache
def small() -> Beams:
    return beams_in(ELL.transformed(rigid(4)), BCC, CELL, RADIUS, rigid(9))


def test_lib3mf_reads_back_the_beams_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("lib3mf")
    write_beams_3mf(tmp_path / "struts.3mf", small(), "body-centred cubic")
    assert [path.name for path in tmp_path.iterdir()] == ["struts.3mf"]
    held = read_3mf(tmp_path / "struts.3mf")
    assert held.unit == "MilliMeter" and held.warnings == () and held.meshes == ()
    assert held.note.startswith("SPACE=LPS UNIT=mm ")
    ((nodes, pairs, radii, clip),) = held.lattices
    assert nodes == pytest.approx(small().nodes, abs=5e-6)
    assert np.array_equal(pairs, small().pairs)
    assert radii == pytest.approx(RADIUS) and radii.shape == (len(pairs), 2)
    assert clip is not None and clip.volume == pytest.approx(ELL.volume, rel=1e-5)


def test_the_file_itself_is_in_lps_and_says_what_the_extension_asks(tmp_path: Path) -> None:
    pytest.importorskip("lib3mf")
    import xml.etree.ElementTree as Tree
    import zipfile

    write_beams_3mf(tmp_path / "struts.3mf", small(), "struts")
    with zipfile.ZipFile(tmp_path / "struts.3mf") as held:
        root = Tree.fromstring(held.read("3D/3dmodel.model"))
    core = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
    beam = "{http://schemas.microsoft.com/3dmanufacturing/beamlattice/2017/02}"
    assert root.get("unit") == "millimeter" and root.get("requiredextensions")
    domain, built = root.findall(f".//{core}object")
    lattice = built.find(f".//{beam}beamlattice")
    assert lattice is not None
    assert lattice.get("clippingmode") == "inside" and lattice.get("clippingmesh") == domain.get("id")
    assert float(lattice.get("minlength", "0")) > 0.0 and lattice.get("cap", "sphere") == "sphere"
    assert [item.get("objectid") for item in root.findall(f".//{core}item")] == [built.get("id")]
    first = built.find(f".//{core}vertex")
    assert first is not None
    x, y, z = (float(first.get(axis, "nan")) for axis in "xyz")
    assert (-x, -y, z) == pytest.approx(tuple(small().nodes[0]), abs=5e-6)
    one = lattice.find(f".//{beam}beam")
    assert one is not None and [int(one.get(end, "-1")) for end in ("v1", "v2")] == small().pairs[0].tolist()
    assert float(one.get("r1", lattice.get("radius", "0"))) == pytest.approx(RADIUS)


def test_a_mesh_comes_back_as_it_was(tmp_path: Path) -> None:
    pytest.importorskip("lib3mf")
    write_mesh_3mf(tmp_path / "ell.3mf", ELL, "ell")
    held = read_3mf(tmp_path / "ell.3mf")
    (mesh,) = held.meshes
    assert held.warnings == () and held.lattices == () and held.note == "SPACE=LPS UNIT=mm ell"
    assert mesh.vertices == pytest.approx(ELL.vertices, abs=1e-6) and np.array_equal(mesh.faces, ELL.faces)


def test_what_is_faulty_leaves_no_file(tmp_path: Path) -> None:
    pytest.importorskip("lib3mf")
    point = Beams(np.zeros((2, 3)), np.array([[0, 1]]), np.array([0.1]), ELL, 0)
    with pytest.raises(GeometryError, match=r"beams below 0\.001 mm"):
        write_beams_3mf(tmp_path / "point.3mf", point, "point")
    for faces in ([[0, 1, 99]], [[0, 1, 1]]):
        with pytest.raises(GeometryError, match=r"bad\.3mf' cannot be written"):
            write_mesh_3mf(tmp_path / "bad.3mf", Mesh(np.eye(3), np.array(faces)), "bad")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "none.3mf").write_bytes(b"PK nothing")
    with pytest.raises(GeometryError, match=r"'none\.3mf' is no 3MF file"):
        read_3mf(tmp_path / "none.3mf")


def test_without_lib3mf_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lib3mf", None)
    for act in (lambda: write_mesh_3mf(tmp_path / "a.3mf", ELL, "a"), lambda: read_3mf(tmp_path / "a.3mf")):
        with pytest.raises(GeometryError, match="pip install lib3mf"):
            act()
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_beams_of_strut_cells_and_none_of_surfaces(tmp_path: Path) -> None:
    pytest.importorskip("lib3mf")
    block = box([0.0] * 3, [2.6] * 3)
    write_order(tmp_path, block, Order(LatticeSpec("bcc", 0.7, 0.7), Whole()))
    arguments = [str(tmp_path / BODY), str(tmp_path / ORDER), str(tmp_path / "made")]
    assert cli.main(arguments) == 0
    held = read_3mf(tmp_path / "made" / BEAMS)
    assert held.warnings == () and len(held.lattices) == 1
    # What an earlier order left would be taken for this one's.
    made = read_made(tmp_path / "made")
    write_made(tmp_path / "made", made)
    assert made.beams is None and not (tmp_path / "made" / BEAMS).exists()
