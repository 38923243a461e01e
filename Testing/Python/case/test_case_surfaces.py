"""Closed STL surfaces as structures."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import sphere
from LatticeGeneratorLib.mesh.stl import read_stl, write_stl
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.case.surfaces import voxelised
from SpinalStrutDesignerLib.errors import CaseError

# In the middle of the scan: LPS (-12 … 1.8, 34 … 47.3, 560 … 573), so RAS (-1.8 … 12, -47.3 … -34, 560 … 573).
CENTRE = np.array([5.0, -41.0, 566.0])


def stl(scan, mesh: Mesh, name: str = "ball.stl") -> Path:
    path = scan.folder / name
    write_stl(path, mesh)
    return path


def test_a_ball_keeps_its_place_and_size(scan) -> None:
    case = read_case(scan.write("ct.nrrd", scan.hu), surfaces=[(stl(scan, sphere(CENTRE, 4.0)), "Trachea")])
    ball = case.structure("Trachea")
    assert (ball.role, ball.level, ball.value) == ("keepout_critical", None, None)
    np.testing.assert_allclose(ball.mask.points.mean(axis=0), CENTRE, atol=0.1)
    points = CENTRE + np.random.default_rng(0).uniform(-6, 6, (4000, 3))
    wrong = ball.distance(points) - (np.linalg.norm(points - CENTRE, axis=1) - 4.0)
    assert np.abs(wrong).mean() < 0.12


def test_names_come_from_the_file_and_roles_from_the_caller(scan) -> None:
    path = stl(scan, sphere(CENTRE, 3.0), "vertebrae_C6.stl")
    other = stl(scan, sphere(CENTRE, 2.0), "thing.stl")
    case = read_case(scan.write("ct.nrrd", scan.hu), surfaces=[path, (other, "thing", "keepout_soft")])
    assert case.levels == ("C6",)
    assert case.structure("thing").role == "keepout_soft"


def test_an_unknown_name_is_reported(scan) -> None:
    path = stl(scan, sphere(CENTRE, 3.0), "thing.stl")
    case = read_case(scan.write("ct.nrrd", scan.hu), surfaces=[path])
    assert case.structures == () and case.unknown == (f"'thing' (surface '{path}')",)


def test_an_open_surface_is_refused(scan) -> None:
    ball = sphere(CENTRE, 3.0)
    path = stl(scan, Mesh(ball.vertices, ball.faces[1:]))
    with pytest.raises(CaseError, match=r"ball.stl' is not closed \(.*\); close its holes"):
        read_case(scan.write("ct.nrrd", scan.hu), surfaces=[(path, "trachea")])


@pytest.mark.parametrize(
    "mesh, hint",
    [
        (sphere(CENTRE * [-1, -1, 1], 2.0), r"names the wrong frame \(LPS or RAS\)"),
        (sphere(CENTRE / 1000, 0.002), r"in metres; export it in millimetres"),
        (sphere(CENTRE + np.array([0, 0, 200]), 2.0), r"export it in the frame of this CT"),
    ],
)
def test_a_surface_outside_the_ct_is_refused_with_both_boxes(scan, mesh: Mesh, hint: str) -> None:
    path = stl(scan, mesh)
    message = (
        r"ball.stl' lies outside the CT: it reaches from \[.*\] to \[.*\] RAS mm, the CT from \[-1.8, -47.3, 560.0\]"
    )
    with pytest.raises(CaseError, match=message + r" to \[12.0, -34.0, 573.0\]; .*" + hint):
        read_case(scan.write("ct.nrrd", scan.hu), surfaces=[(path, "trachea")])


def test_files_that_are_no_stl(scan) -> None:
    ct = scan.write("ct.nrrd", scan.hu)
    with pytest.raises(CaseError, match=r"there is no surface file '.*gone.stl'"):
        read_case(ct, surfaces=[scan.folder / "gone.stl"])
    bad = scan.folder / "bad.stl"
    bad.write_bytes(b"nonsense")
    with pytest.raises(CaseError, match=r"the surface '.*bad.stl' cannot be read: "):
        read_case(ct, surfaces=[bad])


def test_the_surface_and_the_label_cannot_both_be_a_level(scan) -> None:
    path = stl(scan, sphere(CENTRE, 3.0), "C4.stl")
    with pytest.raises(CaseError, match=r"'C4' and 'C4' are both 'C4': keep one"):
        read_case(scan.write("ct.nrrd", scan.hu), scan.write("l.nrrd", scan.labels), scan.table(), surfaces=[path])


def test_a_real_vertebra_keeps_its_volume(data: Path, tmp_path: Path) -> None:
    with tarfile.open(data / "real" / "bodyparts3d_c1_l1_meshes.tar.gz") as archive:
        member = next(m for m in archive.getmembers() if "T5" in m.name or "fifth_thoracic" in m.name.lower())
        archive.extract(member, tmp_path)
    mesh = read_stl(tmp_path / member.name)
    mask = voxelised(mesh, 0.6)
    assert mask.volume == pytest.approx(mesh.volume, rel=0.01)
    low, high = mesh.bounds
    assert (mask.points.min(axis=0) >= low).all() and (mask.points.max(axis=0) <= high).all()
