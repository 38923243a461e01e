"""The release's files against what they were made from, read back by this file's own means."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.mesh import Part
from SpinalStrutDesignerLib.errors import ReleaseError
from SpinalStrutDesignerLib.plan.json import plan_from_json
from SpinalStrutDesignerLib.release import release as room
from SpinalStrutDesignerLib.release.records import number, part_file

EXPECTED = {
    "plan.json", "case.json", "design.json", "findings.json", "summary.html", "technical_file.html", "manifest.json",
    "parts/implant.stl", "parts/implant_plus3mm.stl", "guides/docking_proximal.stl", "models/trial.stl",
    "models/spine.stl", "images/anterior.png", "images/lateral.png", "images/oblique.png",
    "images/section_sagittal.png", "images/section_coronal.png", "images/interface_upper.png",
    "images/interface_lower.png", "images/implant.png", "screws.csv", "drawing.pdf",
}  # fmt: skip


def _files(folder: Path) -> dict[str, bytes]:
    found = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = Path(base) / name
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def _stl(content: bytes) -> tuple[str, np.ndarray]:
    """Header and corners (n, 3, 3) of a binary STL, by the format's own description."""
    (count,) = struct.unpack_from("<I", content, 80)
    assert len(content) == 84 + 50 * count
    corners = [struct.unpack_from("<9f", content, 84 + 50 * i + 12) for i in range(count)]
    return content[:80].decode("ascii"), np.array(corners).reshape(-1, 3, 3)


def test_holds_exactly_the_files_of_a_release(blocked, cleared, released):
    assert set(_files(released(cleared))) == EXPECTED
    assert set(_files(released(blocked))) == EXPECTED | {"NOT_FOR_MANUFACTURE.txt"}


def test_manifest_has_the_sha256_of_every_other_file(blocked, released):
    files = _files(released(blocked))
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["sha256"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert manifest["input_digest"] == blocked.design.digest


def test_stl_is_lps_millimetres_and_encloses_the_parts_volume(cleared, released):
    files = _files(released(cleared))
    for part in cleared.design.parts:
        header, corners = _stl(files[part_file(part)])
        assert "SPACE=LPS" in header and "mm" in header and part.name in header and not header.startswith("solid")
        low, high = part.mesh.bounds
        np.testing.assert_allclose(corners.min(axis=(0, 1)), [-high[0], -high[1], low[2]], atol=1e-5)
        np.testing.assert_allclose(corners.max(axis=(0, 1)), [-low[0], -low[1], high[2]], atol=1e-5)
        a, b, c = corners.transpose(1, 0, 2)
        volume = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0
        assert volume == pytest.approx(part.mesh.volume, rel=1e-5) and volume > 0.0


def test_design_json_tells_every_part_as_its_stl_is(cleared, released):
    files = _files(released(cleared))
    record = json.loads(files["design.json"])
    assert record["frame"] == "RAS, mm" and record["input_digest"] == cleared.design.digest
    assert [p["name"] for p in record["parts"]] == [p.name for p in cleared.design.parts]
    for told in record["parts"]:
        _, corners = _stl(files[told["file"]])
        ras = corners * [-1.0, -1.0, 1.0]
        assert told["triangles"] == len(corners)
        np.testing.assert_allclose(told["bounding_box"]["low"], ras.min(axis=(0, 1)), atol=1e-3)
        np.testing.assert_allclose(told["bounding_box"]["high"], ras.max(axis=(0, 1)), atol=1e-3)
    # The box is 10 by 6 by 59 mm.
    assert record["parts"][0]["volume_mm3"] == pytest.approx(10 * 6 * 59)
    assert record["parts"][0]["material"] == "Ti"


def test_findings_json_is_the_list_of_findings_with_their_frame(blocked, released):
    told = json.loads((released(blocked) / "findings.json").read_text("utf-8"))
    keys = {"id", "title", "value", "unit", "limit", "verdict", "basis", "location"}
    assert [f["id"] for f in told] == [f.id for f in blocked.findings]
    for record, finding in zip(told, blocked.findings):
        assert keys <= set(record) and record["frame"] == "RAS, mm"
        assert (record["value"], record["verdict"], record["detail"]) == (
            finding.value,
            finding.verdict,
            finding.detail,
        )
        assert record["location"] == (None if finding.location is None else list(finding.location))
    assert [f["id"] for f in told if f["blocks"]] == ["clearance.oesophagus", "clearance.missing.airway"]


def test_case_json_tells_structures_levels_and_docking_endplates(cleared, released):
    told = json.loads((released(cleared) / "case.json").read_text("utf-8"))
    assert (told["name"], told["digest"], told["frame"]) == ("toy", "c0ffee", "RAS, mm")
    assert told["levels"] == ["C4", "T2"] and told["unknown_names"] == ["mystery"]
    assert told["structures"][0] == {
        "name": "C4",
        "value": 1,
        "role": "bone",
        "level": "C4",
        "volume_mm3": 20 * 16 * 14,
    }
    assert [(p["level"], p["face"], p["centre"]) for p in told["endplates"]] == [
        ("C4", "inferior", [0.0, 0.0, 30.0]),
        ("T2", "superior", [0.0, 0.0, -30.0]),
    ]
    assert told["spacing_mm"] == [1.0, 1.0, 1.0] and told["scan_quality"]["slice_thickness_mm"] == 1.0


def test_plan_json_gives_the_plan_back(cleared, released):
    assert plan_from_json((released(cleared) / "plan.json").read_text("utf-8")) == cleared.plan


def test_every_file_that_can_carry_a_mark_carries_it_when_blocked(blocked, released):
    files = _files(released(blocked))
    for name in ("summary.html", "technical_file.html", "NOT_FOR_MANUFACTURE.txt"):
        text = files[name].decode("utf-8")
        assert "NOT FOR MANUFACTURE" in text
        for reason in ("clearance.oesophagus", "7.25 mm", "clearance.missing.airway", "not evaluated"):
            assert reason in text, (name, reason)
    for name in ("case.json", "design.json", "manifest.json"):
        assert [r.split(":")[0] for r in json.loads(files[name])["not_for_manufacture"]] == [
            "clearance.oesophagus",
            "clearance.missing.airway",
        ]
    for name in files:
        if name.endswith(".stl"):
            assert "NOT FOR MANUFACTURE" in _stl(files[name])[0]


def test_no_file_carries_the_mark_when_nothing_blocks(cleared, released):
    for name, content in _files(released(cleared)).items():
        assert b"NOT FOR MANUFACTURE" not in content, name
        if name in ("case.json", "design.json", "manifest.json"):
            assert json.loads(content)["not_for_manufacture"] == []


def test_the_same_design_twice_is_byte_identical(cleared, released, tmp_path):
    again = _files(room.release(cleared.case, cleared.plan, cleared.design, cleared.findings, tmp_path / "again"))
    first = _files(released(cleared))
    for name in sorted(n for n in first if n.endswith((".stl", ".json")) and n != "manifest.json"):
        assert again[name] == first[name], name


def test_a_blocked_design_marks_its_pictures(blocked, cleared, released):
    import SimpleITK as sitk

    def red(folder: Path) -> int:
        pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "images" / "implant.png")))[-46:].astype(int)
        return int(((pixels[..., 0] > 150) & (pixels[..., 1] < 60) & (pixels[..., 2] < 60)).sum())

    assert red(released(blocked)) > 500
    assert red(released(cleared)) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: replace(t, findings=()), "verify it"),
        (lambda t: replace(t, plan=t.plan.with_(case_code="OTHER")), "another plan"),
        (lambda t: replace(t, design=replace(t.design, others=(*t.design.others, t.design.others[0]))), "two parts"),
        (
            lambda t: replace(t, design=replace(t.design, others=(Part(t.design.parts[0].mesh, "x", "thing"),))),
            "has the role 'thing'",
        ),
        (
            lambda t: replace(t, design=replace(t.design, others=(Part(t.design.parts[0].mesh, "../x", "guide"),))),
            "no file name",
        ),
    ],
)
def test_refuses_what_is_no_release(cleared, tmp_path, change, words):
    toy = change(cleared)
    with pytest.raises(ReleaseError, match=words):
        room.release(toy.case, toy.plan, toy.design, toy.findings, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1234"), (-1234.6, "-1235"), (245.47, "245.5"), (100.0, "100"), (99.999, "100"), (2.0, "2"),
     (0.307, "0.31"), (-0.001, "0"), (0.0, "0"), (20.0, "20"), (5.1, "5.1")],
)  # fmt: skip
def test_numbers_keep_the_digits_a_reader_can_use(value, text):
    assert number(value) == text
