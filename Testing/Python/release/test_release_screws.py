"""screws.csv and drawing.pdf against the plan's numbers, read back by this file's own means."""

from __future__ import annotations

import csv
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
from SpinalStrutDesignerLib.build.design import Design
from SpinalStrutDesignerLib.plan.catalogue import load_screws
from SpinalStrutDesignerLib.plan.plan import Screw
from SpinalStrutDesignerLib.release.drawing import SHEET_MM, draw_drawing, drawing
from SpinalStrutDesignerLib.release.screws_csv import screws_csv
from SpinalStrutDesignerLib.verify.finding import Finding

SMALL, LARGE = (entry.value for entry in load_screws().values())
CONVERGING, RISING = np.deg2rad(10.0), np.deg2rad(4.0)
# At the patient's right (x > 0) and left of C4, both leaning 10° to the middle and 4° up, away from the endplate below;
# the third in T2, in the middle, 4° up: towards its endplate, which is above it.
SCREWS = (
    Screw(SMALL, "C4", (6.0, 12.0, 37.0), (-np.sin(CONVERGING) * np.cos(RISING), -np.cos(CONVERGING) * np.cos(RISING),
          np.sin(RISING)), 14.0),
    Screw(SMALL.with_(seat="conical", name='a "flat" head, 90°'), "C4", (-6.0, 12.0, 37.0), (np.sin(CONVERGING) *
          np.cos(RISING), -np.cos(CONVERGING) * np.cos(RISING), np.sin(RISING)), 10.0, True, "cover_plate"),
    Screw(LARGE, "T2", (0.2, 12.0, -37.0), (0.0, -np.cos(RISING), np.sin(RISING)), 30.0),
)  # fmt: skip
FOUND = (
    Finding("screw.1.canal", "canal", 3.25, "mm", "≥ 2 mm", "pass", "b"),
    Finding("screw.1.density", "HU", 312.5, "HU", "≥ 153.5 HU", "pass", "b"),
    Finding("screw.2.canal", "canal", 1.25, "mm", "≥ 2 mm", "fail", "b"),
    Finding("screw.1.to_2", "between", 2.5, "mm", "≥ 2 mm", "warn", "b"),
    Finding("screw.10.canal", "another screw's", 99.0, "mm", "", "pass", "b"),
    Finding("plus3mm.screw.1.canal", "a variant's", 98.0, "mm", "", "pass", "b"),
    Finding("screw.3.wall", "wall", None, "mm", "", "not_evaluated", "b"),
)


@pytest.fixture(scope="module")
def design(cleared) -> Design:
    """The toy's design with three screws."""
    plan = cleared.plan.with_(screws=SCREWS)
    implants = tuple(replace(i, situation=replace(i.situation, plan=plan)) for i in cleared.design.implants)
    return replace(cleared.design, implants=implants)


def _rows(design: Design) -> list[dict[str, str]]:
    text = screws_csv(design.implants[0], FOUND)
    assert text == screws_csv(design.implants[0], FOUND)
    assert text.count("\r\n") == text.count("\n") == 4
    return list(csv.DictReader(text.splitlines(keepends=True), strict=True))


def test_a_row_tells_each_screw_as_planned_in_lps(design):
    for number, (row, screw) in enumerate(zip(_rows(design), SCREWS, strict=True), 1):
        assert (row["number"], row["level"], row["type"]) == (str(number), screw.level, screw.type.name)
        assert (row["anti_backout"], row["drive"], row["seat"]) == (
            screw.anti_backout, screw.type.drive, screw.type.seat)  # fmt: skip
        assert float(row["length_mm"]) == screw.length_mm and float(row["pilot_drill_mm"]) == screw.type.pilot_mm
        entry, tip, way = (
            np.array([float(row[f"{what}_{axis}_lps{unit}"]) for axis in "xyz"])
            for what, unit in (("entry", "_mm"), ("tip", "_mm"), ("direction", ""))
        )
        np.testing.assert_allclose(entry * (-1, -1, 1), screw.entry, atol=1e-3)
        np.testing.assert_allclose(way * (-1, -1, 1), screw.direction, atol=1e-6)
        np.testing.assert_allclose(tip - entry, screw.length_mm * way, atol=2e-3)


def test_neighbouring_lengths_sides_and_angles(design):
    rows = _rows(design)
    assert [(r["next_shorter_mm"], r["next_longer_mm"]) for r in rows] == [("12", "16"), ("", "12"), ("25", "35")]
    assert [r["side"] for r in rows] == ["right", "left", "middle"]
    assert [float(r["convergence_deg"]) for r in rows] == pytest.approx([10.0, 10.0, 0.0], abs=0.01)
    assert [float(r["inclination_deg"]) for r in rows] == pytest.approx([4.0, 4.0, -4.0], abs=0.01)


def test_findings_stand_with_their_screw_and_no_other(design):
    one, two, three = _rows(design)
    assert [(r["canal_mm"], r["canal_verdict"]) for r in (one, two, three)] == [
        ("3.25", "pass"), ("1.25", "fail"), ("", "")]  # fmt: skip
    assert one["density_HU"] == "312.5" and two["density_HU"] == ""
    # The distance between two screws is the same for both.
    assert [(r["to_screw_mm"], r["to_screw_verdict"]) for r in (one, two)] == [("2.5", "warn")] * 2
    assert (three["wall_mm"], three["wall_verdict"], three["to_screw_verdict"]) == ("", "not_evaluated", "")


def test_without_screws_there_is_a_row_of_names_alone(cleared):
    implant = cleared.design.implants[0]
    plan = cleared.plan.with_(screws=())
    bare = replace(implant, situation=replace(implant.situation, plan=plan))
    assert screws_csv(bare, ()).startswith("number,level,side,type,") and screws_csv(bare, ()).count("\n") == 1


def test_the_drawing_is_one_page_of_a3_and_the_same_each_time(design, tmp_path):
    files = [tmp_path / name for name in ("a.pdf", "b.pdf")]
    for file in files:
        draw_drawing(design, FOUND, file)
    content, again = (file.read_bytes() for file in files)
    assert content == again and content.startswith(b"%PDF-1.") and b"CreationDate" not in content
    assert len(re.findall(rb"/Type /Page\b", content)) == 1
    box = re.search(rb"/MediaBox \[ ([0-9. ]+) \]", content)
    assert box
    np.testing.assert_allclose([float(x) * 25.4 / 72.0 for x in box[1].split()], [0.0, 0.0, *SHEET_MM], atol=0.01)
    # Its page is drawn: text is shown in it.
    streams = [zlib.decompress(part) for part in re.findall(rb"/FlateDecode.*?stream\r?\n(.*?)\r?\nendstream", content,
               re.DOTALL) if part[:1] == b"x"]  # fmt: skip
    assert sum(stream.count(b"Tj") + stream.count(b"TJ") for stream in streams) > 100


def test_the_drawing_says_what_the_plan_says(design):
    words = drawing(design, FOUND).words()
    text = "\n".join(words)
    for expected in (
        "TOY-7", design.implants[0].situation.plan.design_version, "Ti6Al4V", "first angle", "NOT FOR MANUFACTURE",
        "3.5 × 14", "3.5 × 10", "6.5 × 30", "3.20", "6.20", "SR 2.55", "SR 3.05", "SR 3.55", "SR 4.05",
        "Ø 6.10, 90°", "Ø 4.69, 90°", "cover plate", "C4 inferior", "T2 superior", "verify", "implant_plus3mm.stl",
    ):  # fmt: skip
        assert expected in text, expected
    # The toy's datum frame is RAS moved by 30 mm; its box is 10 by 6 by 59 mm.
    for expected in ("6.00", "12.00", "7.00", "-0.17323", "0.06976", "10.0", "6.0", "59.0", "60.0"):
        assert expected in words, expected
    passed = tuple(f for f in FOUND if not f.blocks)
    assert "NOT FOR MANUFACTURE" not in "\n".join(drawing(design, passed).words())


def test_no_text_of_the_drawing_stands_on_another_or_off_the_sheet(design):
    boxes = drawing(design, FOUND).boxes()
    for number, (words, one) in enumerate(boxes):
        assert one[0] > 10.0 and one[1] > 10.0 and one[2] < SHEET_MM[0] - 10.0 and one[3] < SHEET_MM[1] - 10.0, words
        for others, two in boxes[number + 1 :]:
            across, up = np.minimum(one[2:], two[2:]) - np.maximum(one[:2], two[:2])
            assert min(across, up) < 0.4, (words, others)
