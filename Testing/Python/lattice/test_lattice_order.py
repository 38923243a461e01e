"""A lattice ordered, made and measured: as a call, and as the command that a child process runs."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from lattice_shapes import voxels_inside
from LatticeGeneratorLib import cli
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.files import BODY, ORDER, Made, read_body, read_made, read_order, write_made, write_order
from LatticeGeneratorLib.infill.as_made import as_made_from_json
from LatticeGeneratorLib.infill.order import Delivery, Order, deliver
from LatticeGeneratorLib.infill.region import Shell, Whole
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh import shown
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box
from LatticeGeneratorLib.mesh.stl import write_stl

LOW, HIGH = np.zeros(3), np.full(3, 4.0)
CUBE = box(LOW, HIGH)
COARSE = Order(LatticeSpec(pore_mm=1.0), Whole())


@cache
def cube() -> Delivery:
    return deliver(CUBE, COARSE)


def test_what_is_measured_is_what_voxels_say() -> None:
    made = cube().measured
    metal = voxels_inside(cube().lattice.mesh, LOW, HIGH, 0.04)
    assert made.porosity == pytest.approx(1.0 - metal.mean(), abs=0.003)
    assert made.metal_mm3 == pytest.approx(metal.mean() * 64.0, rel=0.01)
    assert made.region_mm3 == pytest.approx(64.0)
    # At the open faces of so small a block the void is wider than within it.
    assert 0.95 < made.pore_mm < 1.12
    assert 0.20 < made.thinnest_mm < made.strut_mm == pytest.approx(0.553, abs=0.03)
    assert made.cell_mm == pytest.approx(1.71, abs=0.01)


def test_progress_names_the_stages_and_rises_to_one() -> None:
    seen: list[tuple[str, float]] = []
    deliver(CUBE, COARSE, lambda stage, fraction: seen.append((stage, fraction)))
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions) and fractions[0] == 0.0 and fractions[-1] == 1.0
    assert list(dict.fromkeys(stage for stage, _ in seen)) == ["cutting", "filling", "measuring"]


def test_files_hold_everything_to_the_last_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order(LatticeSpec("bcc", 0.6, 0.9), Shell(1.1))
    body = Mesh(CUBE.vertices / 3.0, CUBE.faces)
    write_order(tmp_path, body, order)
    assert read_order(tmp_path / ORDER) == order
    assert read_body(tmp_path / BODY).vertices.tobytes() == body.vertices.tobytes()
    monkeypatch.setattr(shown, "SHOWN_FACES", 1000)
    made = Made.of(cube())
    assert len(made.shown.faces) < len(made.mesh.faces)
    write_made(tmp_path / "made", made)
    again = read_made(tmp_path / "made")
    assert again.measured == made.measured
    for one, two in ((again.mesh, made.mesh), (again.shown, made.shown)):
        assert one.vertices.tobytes() == two.vertices.tobytes() and np.array_equal(one.faces, two.faces)


def test_stl_is_read_too_and_files_that_are_none_are_refused(tmp_path: Path) -> None:
    write_stl(tmp_path / "cube.stl", CUBE)
    assert read_body(tmp_path / "cube.stl").volume == pytest.approx(64.0)
    for name in ("none.npz", "none.json"):
        with pytest.raises(GeometryError, match=name):
            read_body(tmp_path / name) if name.endswith("npz") else read_order(tmp_path / name)
    with pytest.raises(GeometryError, match="measured values"):
        as_made_from_json("{}")


def _ordered(folder: Path, order: Order = COARSE, body: Mesh = CUBE) -> list[str]:
    write_order(folder, body, order)
    return [str(folder / BODY), str(folder / ORDER), str(folder / "made"), "--progress", "json"]


def test_the_command_of_a_child_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "LatticeGeneratorLib", *_ordered(tmp_path)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert all({"stage", "fraction"} <= set(line) for line in lines)
    assert [line["fraction"] for line in lines] == sorted(line["fraction"] for line in lines)
    assert read_made(tmp_path / "made").measured == cube().measured


@pytest.mark.parametrize("body, order, words", [
    (Mesh(CUBE.vertices, CUBE.faces[:-1]), COARSE, "the body cannot be filled"),
    (CUBE, Order(LatticeSpec(porosity=0.97), Whole()), "is not possible"),
    (CUBE, Order(LatticeSpec(pore_mm=3.0), Shell(0.3)), "larger than it"),
])  # fmt: skip
def test_a_fault_is_told_in_one_json_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body: Mesh, order: Order, words: str
) -> None:
    assert cli.main(_ordered(tmp_path, order, body)) == 1
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["error"]["type"] == "GeometryError" and words in last["error"]["message"]
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("fault, words", [
    (MemoryError("9 GiB"), "not enough memory (9 GiB): fill a smaller part"),
    (ZeroDivisionError("oh"), "ZeroDivisionError: oh (this was not foreseen"),
])  # fmt: skip
def test_what_was_not_foreseen_is_told_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, fault: Exception, words: str
) -> None:
    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(cli, "deliver", fail)
    assert cli.main(_ordered(tmp_path)) == 1
    assert words in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]["message"]
