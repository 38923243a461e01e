"""Text on blocks of known size: where it is placed, what it removes, what verification measures of it and says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.check import closed_manifold_fault
from LatticeGeneratorLib.mesh.mesh import Mesh, Part
from LatticeGeneratorLib.mesh.solids import box, cylinder
from SpinalStrutDesignerLib.build.mark import WALL_MM, Lettered, Mark
from SpinalStrutDesignerLib.build.mark_ground import strong_enough
from SpinalStrutDesignerLib.build.mark_place import Skin
from SpinalStrutDesignerLib.build.marks import marked
from SpinalStrutDesignerLib.plan.guides import MarkPlan
from SpinalStrutDesignerLib.verify.marks import marks
from SpinalStrutDesignerLib.verify.plastic import printable_plastic
from verify_toy import column_mesh, design_of, toy_case, toy_plan

FRONT = 60.0  # the block's front at y = 60, off all bone of the toy patient
UP, OUT = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])


def plate(thickness: float = 5.0, width: float = 40.0, height: float = 12.0) -> Mesh:
    return box(np.array([-0.5 * width, FRONT - thickness, -0.5 * height]), np.array([0.5 * width, FRONT, 0.5 * height]))


def in_front(skin: Skin) -> np.ndarray:
    """Only the front may hold text."""
    return np.where(skin.normals @ OUT > 0.9, 1.0, -np.inf)


def written(
    mesh: Mesh, style: str = "engraved", worth: Callable[[Skin], np.ndarray] = in_front
) -> tuple[Part, tuple[Mark, ...]]:
    part, words = Part(mesh, "docking_proximal", "guide", "PA12"), ((("CASE-7", "V1"), ("CASE-7",)),)
    return marked(part, words, Lettered.on("plastic", MarkPlan(style)), worth, UP)


def findings(part: Part, found: tuple[Mark, ...]) -> dict:
    design = replace(design_of(toy_case(), toy_plan(), column_mesh()), others=(part,), marks=found)
    return {f.id: f for check in (marks, printable_plastic) for f in check(design)}


@pytest.mark.parametrize(("style", "sign"), [("engraved", -1.0), ("embossed", 1.0)])
def test_text_takes_or_adds_its_area_times_its_depth(style: str, sign: float) -> None:
    part, (mark,) = written(plate(), style)
    assert mark.lines == ("CASE-7 V1",) and not mark.omitted and closed_manifold_fault(part.mesh) is None
    changed = part.mesh.volume - plate().volume
    assert changed == pytest.approx(sign * mark.letters.area_mm2 * 1.0, rel=0.01)
    assert part.mesh.vertices[:, 1].max() == pytest.approx(FRONT + max(sign, 0.0) * 1.0, abs=0.01)
    found = findings(part, (mark,))["mark.docking_proximal.1"]
    assert found.verdict == "pass" and found.value == pytest.approx(1.0, abs=0.02)


def test_text_reads_from_left_to_right_for_whoever_faces_it() -> None:
    _, (mark,) = written(plate())
    along, up, out = mark.place.frame[:3, :3].T
    assert out @ OUT > 0.99 and up @ UP > 0.99
    # The surgeon in front looks along -y: the patient's right, +x in RAS, is at the surgeon's left.
    assert along @ np.array([-1.0, 0.0, 0.0]) > 0.99


def test_what_a_thin_wall_leaves_behind_is_measured_and_fails() -> None:
    part, found = written(plate())
    # The back is milled off until 0.6 mm are left behind letters 1 mm deep.
    thin = difference(part.mesh, [box(np.array([-50.0, 0.0, -50.0]), np.array([50.0, FRONT - 1.6, 50.0]))])
    told = findings(part.with_mesh(thin), found)["mark.docking_proximal.1"]
    assert told.verdict == "fail" and "0.60 mm behind" in told.detail


def test_letters_that_go_through_fail_though_another_wall_stands_behind() -> None:
    part, found = written(plate())
    # A slit behind the letters, 0.9 mm under the front: they open into it, and 3 mm of plate follow.
    slit = difference(part.mesh, [box(np.array([-18.0, FRONT - 2.0, -5.0]), np.array([18.0, FRONT - 0.9, 5.0]))])
    told = findings(part.with_mesh(slit), found)["mark.docking_proximal.1"]
    assert told.verdict == "fail" and "0.00 mm behind" in told.detail


def test_text_that_was_filled_is_told() -> None:
    _, found = written(plate())
    told = findings(Part(plate(), "docking_proximal", "guide", "PA12"), found)["mark.docking_proximal.1"]
    assert told.verdict == "warn" and told.value == pytest.approx(0.0, abs=0.02)


def test_text_keeps_off_holes_and_from_where_it_must_not_be() -> None:
    hole = np.array([6.0, FRONT, 0.0])
    drilled = difference(plate(width=60.0), [cylinder(hole - 20.0 * OUT, hole + OUT, 2.0)])

    def left_only(skin: Skin) -> np.ndarray:
        return np.where(skin.points[:, 0] > -1.0, in_front(skin), -np.inf)

    part, (mark,) = written(drilled, worth=left_only)
    corners = mark.place.to_ras(np.array([[x, y, 0.0] for x in (-1, 1) for y in (-1, 1)]) * [*mark.place.half, 0.0])
    assert corners[:, 0].min() >= -1.0 - 0.4
    away = part.mesh.vertices[np.abs(part.mesh.vertices[:, 1] - (FRONT - 1.0)) < 0.01] - hole
    assert np.hypot(away[:, 0], away[:, 2]).min() >= 2.0 + WALL_MM - 0.4


def test_no_room_drops_words_then_is_told_with_what_to_change() -> None:
    _, (short,) = written(plate(width=20.0, height=7.0))
    assert short.lines == ("CASE-7",) and short.omitted == ("V1",) and "'V1'" in short.why
    part, (none,) = written(plate(width=6.0, height=5.0))
    assert none.place is None and part.mesh.volume == pytest.approx(plate(width=6.0, height=5.0).volume)
    told = findings(part, (none,))["mark.docking_proximal.1"]
    assert told.verdict == "warn" and "does not fit" in told.detail and "marks.plastic_height_mm" in told.detail
    assert 'marks.style to "embossed"' in told.detail


def test_words_that_find_no_room_beside_the_others_are_written_where_they_do() -> None:
    # A face for each: one of 20 × 7 mm, which holds the code alone, and one beneath of 10 × 7 mm, a step farther back.
    low = box(np.array([-5.0, FRONT - 9.0, -10.5]), np.array([5.0, FRONT - 4.0, -3.0]))
    step = union([plate(5.0, 20.0, 7.0), low])
    part, (code, version) = written(step)
    assert code.lines == ("CASE-7",) and version.lines == ("V1",)
    assert not code.omitted and not code.why and closed_manifold_fault(part.mesh) is None
    area = code.letters.area_mm2 + version.letters.area_mm2
    assert step.volume - part.mesh.volume == pytest.approx(area * 1.0, rel=0.01)
    assert code.place.frame[1, 3] == pytest.approx(FRONT) and version.place.frame[1, 3] == pytest.approx(FRONT - 4.0)
    assert {f.verdict for key, f in findings(part, (code, version)).items() if key.startswith("mark.")} == {"pass"}


def test_too_thin_a_wall_is_not_engraved() -> None:
    _, (mark,) = written(plate(thickness=1.5))
    assert mark.place is None


def test_letters_are_no_walls_but_walls_beside_them_are_told() -> None:
    part, found = written(plate())
    assert findings(part, found)["plastic.docking_proximal.wall"].verdict == "pass"


def test_a_strut_is_cut_only_where_it_is_stressed_less_than_elsewhere_but_text_may_stand_out_anywhere() -> None:
    # A taper from 10 mm to 8 mm wide: cut 0.3 mm deep its upper part bears less than the lower does uncut.
    plan = toy_plan()
    tapered = plan.with_(section=plan.section.with_(lower_width_mm=8.0, lower_depth_mm=4.0))
    height = np.array([12.0, 0.0, -12.0])
    places = np.column_stack([np.zeros(3), np.full(3, 2.0), height])
    for chosen, cut in ((plan, [False] * 3), (tapered, [True, True, False])):
        implant = design_of(toy_case(), chosen, column_mesh()).implants[0]
        assert strong_enough(places, implant, 0.0).all()
        # By hand: force over area, thinner by the cut all round, against the narrowest section less 5 %.
        share = (24.0 - height) / 48.0
        ends = ((10.0, 10.0), (5.0, 5.0)) if chosen is plan else ((10.0, 8.0), (5.0, 4.0))
        wide, deep = (a + share * (b - a) for a, b in ends)
        narrowest = ends[0][1] * ends[1][1]
        assert ((1.0 / ((wide - 0.3) * (deep - 0.3)) <= 0.95 / narrowest) == cut).all()
        assert strong_enough(places, implant, 0.3).tolist() == cut


def test_no_text_is_made_where_the_plan_wants_none() -> None:
    part, found = written(plate(), "none")
    assert found == () and part.mesh.volume == plate().volume
