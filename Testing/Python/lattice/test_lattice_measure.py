"""Surface per volume, mean intercepts, one call, micro-CT volumes and the command, against formulas and plain rays."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice_shapes import inverted, joined, rigid, voxels_inside, without_numba
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.infill.fill import fill
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.measure.compare import WORDS, compared
from LatticeGeneratorLib.measure.interface import Interface, intercept, interface
from LatticeGeneratorLib.measure.measures import Measures, measured, measures_from_json
from LatticeGeneratorLib.measure.thickness import pore_size
from LatticeGeneratorLib.measure.volume import Volume, measured_volume, read_volume, threshold_between
from LatticeGeneratorLib.mesh.boolean import difference
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder, sphere
from LatticeGeneratorLib.mesh.stl import write_stl
from scipy.ndimage import distance_transform_edt

RIGHT_MM = 0.015


@settings(max_examples=3, deadline=None, derandomize=True)
@given(st.floats(0.3, 0.8), st.floats(0.2, 0.5))
def test_parallel_walls(slit, wall):
    """Lines across them find the slit's and the wall's width; over all directions the means are twice that."""
    period = slit + wall
    walls = joined(*(box([-1, -1, n * period - wall], [3, 3, n * period]) for n in range(5)))
    # Four periods that begin and end in the middle of a slit.
    domain = box([0, 0, -wall - 0.5 * slit], [2, 2, 4 * period - wall - 0.5 * slit])
    found = interface(walls, domain)
    assert found.per_volume == pytest.approx(2.0 / period, rel=0.02)
    lines = intercept(slit / period, found)
    assert lines.void_along_mm[2] == pytest.approx(slit, rel=0.02)
    assert lines.void_along_mm[0] == lines.void_along_mm[1] == np.inf
    assert lines.void_mm == pytest.approx(2.0 * slit, rel=0.02)
    assert lines.metal_mm == pytest.approx(2.0 * wall, rel=0.02)


def test_an_array_of_rods_that_the_domain_cuts():
    """The mean chord of a long round rod is its diameter, of a circle π/4 of it; their cut ends do not count."""
    d, step, n = 0.3, 0.6, 3
    ends = [(step * i, step * j) for i in range(n) for j in range(n)]
    rods = [cylinder(np.array([x, y, -0.3]), np.array([x, y, 1.0]), d / 2, 64) for x, y in ends]
    domain = box([-step / 2, -step / 2, 0.0], [(n - 0.5) * step, (n - 0.5) * step, 0.7])
    found = interface(joined(*rods), domain)
    assert found.per_volume == pytest.approx(np.pi * d / step**2, rel=0.02)
    void = 1.0 - np.pi * d**2 / 4.0 / step**2
    lines = intercept(void, found)
    assert lines.metal_mm == pytest.approx(d, rel=0.02)
    assert lines.void_along_mm[0] * (1.0 - void) / void == pytest.approx(np.pi / 4.0 * d, rel=0.02)


@cache
def lattice() -> tuple[Mesh, Mesh]:
    """A lattice, and a block within it."""
    return fill(box([0] * 3, [3.2] * 3), LatticeSpec()).mesh, box([0.4] * 3, [2.8] * 3)


@cache
def numbers() -> Measures:
    return measured(*lattice())


def test_a_lattice_s_intercepts_by_drawing_lines():
    """Runs of voxels along the three axes, each cut run with the ends that it has within the block."""
    body, domain = lattice()
    metal = voxels_inside(body, *domain.bounds, 0.02)
    lengths = []
    for axis in range(3):
        ends = np.diff(metal.astype(np.int8), axis=axis) != 0
        lengths.append(0.02 * 2.0 * (~metal).sum() / ends.sum())
    found = intercept(float(1.0 - metal.mean()), interface(body, domain))
    assert found.void_along_mm[::-1] == pytest.approx(lengths, rel=0.02)
    # A gyroid looks nearly the same from all sides.
    assert found.void_mm == pytest.approx(np.mean(lengths), rel=0.05)


def test_cut_faces_on_the_domain_s_border_do_not_count():
    body, domain = fill(box([0] * 3, [3.0] * 3), LatticeSpec(pore_mm=0.8)).mesh, box([0] * 3, [3.0] * 3)
    middles = body.triangles.mean(axis=1)
    cut = ((middles < 1e-3) | (middles > 3.0 - 1e-3)).any(axis=1)
    a, b, c = body.triangles.transpose(1, 0, 2)
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2.0
    found = interface(body, domain).per_volume
    assert found == pytest.approx(areas[~cut].sum() / 27.0, rel=0.05)
    # The rims, bevelled by a voxel, are counted in part; the cut faces would make it a quarter more.
    assert areas.sum() / 27.0 > 1.1 * found


@pytest.mark.parametrize(("body", "domain", "words"), [
    (box([-0.6] * 3, [0.6] * 3), box([-0.3] * 3, [0.3] * 3), "no surface"),
    (box([-2] * 3, [2] * 3), inverted(box([-1] * 3, [1] * 3)), "turn its faces"),
])  # fmt: skip
def test_without_a_surface_there_are_no_intercepts(body, domain, words):
    with pytest.raises(GeometryError, match=words):
        intercept(0.5, interface(body, domain))


def test_one_call_gives_what_voxels_give():
    body, domain = lattice()
    metal = voxels_inside(body, *domain.bounds, 0.02)
    found = numbers()
    assert found.porosity == pytest.approx(1.0 - metal.mean(), abs=0.002)
    assert found.metal_mm3 == pytest.approx(metal.mean() * 2.4**3, rel=0.01)
    assert found.interconnected == 1.0 and found.closed_pores == 0
    assert found.throat_mm < found.pore_mm < found.pore_p95_mm <= found.largest_mm
    assert found.thinnest_mm < found.strut_mm
    assert found.void_intercept_mm / found.metal_intercept_mm == pytest.approx(found.porosity / (1 - found.porosity))


def porespy_thickness(part: np.ndarray) -> np.ndarray:
    """[k, j, i] radii in voxels by the algorithm of porespy's local_thickness: every whole radius, distances between
    middles of voxels. Compared with porespy 3.2.0 on noise of 60³ voxels: the same in every voxel. (porespy itself asks
    for dask, pyvista and fifteen more.)"""
    distance, sizes = distance_transform_edt(part), np.zeros(part.shape)
    for radius in range(1, int(distance.max()) + 1):
        sizes[part & (distance_transform_edt(distance < radius) < radius)] = radius
    return sizes


def test_pores_and_struts_agree_with_porespy_within_its_voxels():
    body = lattice()[0]
    step = 0.04
    metal = voxels_inside(body, np.zeros(3), np.full(3, 3.2), step)
    inner = np.zeros(metal.shape, bool)
    inner[10:70, 10:70, 10:70] = True
    for part, mean in ((~metal, numbers().pore_mm), (metal, numbers().strut_mm)):
        # It counts from the middle of one voxel to that of the first beyond the part: one voxel either way.
        assert 2.0 * step * porespy_thickness(part)[part & inner].mean() == pytest.approx(mean, abs=step + RIGHT_MM)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.floats(0.4, 1.2), st.tuples(*[st.floats(-0.05, 0.05)] * 3))
def test_one_round_pore_wherever_it_lies(size, place):
    body = difference(box([-1.2] * 3, [1.2] * 3), [sphere(np.array(place), 0.5 * size, 64)])
    found = pore_size(body, box([-0.9] * 3, [0.9] * 3))
    for value in (found.mean_mm, found.p5_mm, found.largest_mm):
        assert value == pytest.approx(size, abs=RIGHT_MM)


def scan(mesh: Mesh, step: float) -> tuple[Volume, float]:
    """The mesh as a scanner sees it: the share of metal in each voxel, from 5 x 5 x 5 points, as grey 100 to 900.

    i runs along -x, j along z and k along y: a frame that is not upright.
    """
    low, high = mesh.bounds
    low, count = low - 3 * step, np.ceil((high - low) / step).astype(int) + 6
    fine = voxels_inside(mesh, low, low + step * count, step / 5)
    share = fine.reshape(count[2], 5, count[1], 5, count[0], 5).mean(axis=(1, 3, 5))
    share = share.transpose(1, 0, 2)[:, :, ::-1]
    matrix = np.array([[-step, 0, 0, 0], [0, 0, step, 0], [0, step, 0, 0], [0, 0, 0, 1.0]])
    matrix[:3, 3] = low + 0.5 * step
    matrix[0, 3] += step * (count[0] - 1)
    return Volume(np.ascontiguousarray(100 + 800 * share).astype(np.float32), matrix), 500.0


def test_a_lattice_scanned_measures_as_its_mesh():
    body, domain = lattice()
    volume, threshold = scan(body, 0.05)
    assert threshold_between(volume.values) == pytest.approx(threshold, abs=20.0)
    again = measured_volume(volume, threshold, domain)
    changes = {d.name: d for d in compared(numbers(), again)}
    assert list(changes) == list(WORDS)
    for name in ("pore_mm", "strut_mm", "throat_mm", "largest_mm"):
        assert abs(changes[name].change) < RIGHT_MM, name
    assert abs(changes["porosity"].change) < 0.5
    assert abs(changes["area_per_mm"].share) < 0.04


@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_bodies_of_mirrored_volumes_are_not_inside_out(mirror):
    values = np.zeros((7, 7, 7), np.float32)
    values[2:5, 2:5, 2:5] = 1.0
    volume = Volume(values, np.diag([0.1 * mirror, 0.2, 0.3, 1.0]))
    # Halfway to the next voxels, less bevelled edges and corners.
    assert 0.7 * 0.3 * 0.6 * 0.9 < volume.body(0.5).volume < 0.3 * 0.6 * 0.9
    assert volume.box.volume == pytest.approx(0.6 * 1.2 * 1.8)


def test_a_scan_of_a_slit_is_sub_voxel():
    size = 0.47
    plates = joined(box([0, 0, 0], [2, 2, 0.5]), box([0, 0, 0.5 + size], [2, 2, 1.0 + size]))
    volume, threshold = scan(plates, 0.08)
    domain = box([0.4, 0.4, 0.3], [1.6, 1.6, 0.7 + size])
    assert pore_size(volume.body(threshold), domain).mean_mm == pytest.approx(size, abs=RIGHT_MM)


def test_files_of_volumes_keep_their_frame(tmp_path):
    image = sitk.GetImageFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    image.SetOrigin((10.0, -20.0, 30.0))
    image.SetSpacing((0.1, 0.2, 0.3))
    image.SetDirection((0, 0, 1, 1, 0, 0, 0, 1, 0))
    sitk.WriteImage(image, str(tmp_path / "scan.nrrd"))
    volume = read_volume(tmp_path / "scan.nrrd")
    for i, j, k in ((0, 0, 0), (3, 2, 1), (1, 0, 1)):
        x, y, z = image.TransformIndexToPhysicalPoint((i, j, k))
        assert np.allclose(volume.ijk_to_ras @ [i, j, k, 1], [-x, -y, z, 1])
        assert volume.values[k, j, i] == image.GetPixel(i, j, k)


def test_what_is_no_volume_or_tells_nothing_apart_is_refused(tmp_path):
    (tmp_path / "scan.nrrd").write_text("nothing")
    with pytest.raises(GeometryError, match="cannot be read as a volume"):
        read_volume(tmp_path / "scan.nrrd")
    with pytest.raises(GeometryError, match="three axes"):
        Volume(np.zeros((3, 3)), np.eye(4))
    with pytest.raises(GeometryError, match="three different axes"):
        Volume(np.zeros((3, 3, 3)), np.zeros((4, 4)))
    with pytest.raises(GeometryError, match="values go from 0 to 0"):
        Volume(np.zeros((3, 3, 3)), np.eye(4)).body(1.0)


def test_the_record_is_read_again_and_other_text_refused():
    assert measures_from_json(numbers().to_json()) == numbers()
    with pytest.raises(GeometryError, match="cannot be read"):
        measures_from_json("{}")


def test_numbers_are_the_same_without_numba_and_every_time_and_progress_rises_to_one():
    seen: list[float] = []
    assert measured(*lattice(), lambda stage, fraction: seen.append(fraction)) == numbers()
    with without_numba():
        plain = measured(*lattice())
    # Distances are then in single precision (1e-5 of a voxel).
    assert asdict(plain) == pytest.approx(asdict(numbers()), rel=1e-6)
    assert seen == sorted(seen) and seen[0] == 0.0 and seen[-1] == 1.0


def test_the_command_measures_and_compares(tmp_path: Path):
    body, domain = lattice()
    turn = rigid(1)
    write_stl(tmp_path / "body.stl", body.transformed(turn))
    write_stl(tmp_path / "domain.stl", domain.transformed(turn))
    (tmp_path / "design.json").write_text(numbers().to_json())
    command = [sys.executable, "-m", "LatticeGeneratorLib", "measure", "body.stl", "domain.stl"]
    done = subprocess.run(
        [*command, "--designed", "design.json"], cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()
    assert len(rows) == 1 + len(WORDS)
    for row, (title, unit, _) in zip(rows[1:], WORDS.values()):
        assert row.startswith(title) and row.endswith(unit)
        designed, here, change = (float(word) for word in row[len(title) :].split()[:3])
        assert change == pytest.approx(here - designed, abs=0.01)
        # Turned, other points are measured.
        assert here == pytest.approx(designed, rel=0.03, abs=0.001), title


@pytest.mark.parametrize(("names", "words"), [
    (["none.stl"], "none.stl' cannot be read: No such file"),
    (["open.stl", "open.stl"], "cannot take part"),
    (["text.nrrd"], "cannot be read as a volume"),
])  # fmt: skip
def test_the_command_tells_a_fault_in_one_line(names, words, tmp_path, capsys, monkeypatch):
    from LatticeGeneratorLib.measure_cli import main

    monkeypatch.chdir(tmp_path)
    cube = box([0] * 3, [1] * 3)
    write_stl(tmp_path / "open.stl", Mesh(cube.vertices, cube.faces[:-1]))
    (tmp_path / "text.nrrd").write_text("nothing")
    assert main(names) == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1 and words in told[0]


def test_crossings_of_a_tilted_wall_follow_its_shadow():
    """A wall at 30 degrees: lines along x and z cross it as often as its area seen from there says."""
    turn = np.eye(4)
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    turn[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    wall = box([-5, -5, -0.2], [5, 5, 0.2]).transformed(turn)
    found = interface(wall, box([-1] * 3, [1] * 3))
    assert isinstance(found, Interface)
    # Of each of its faces 2 / cos 30° by 2 mm lies in the block of 8 mm³.
    assert found.per_volume == pytest.approx(2 * 2 * 2 / c / 8, rel=0.01)
    assert found.shadow == pytest.approx([found.per_volume * s, 0.0, found.per_volume * c], abs=1e-6)
