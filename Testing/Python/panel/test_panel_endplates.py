"""Docking endplates in the panel: shown as measured, dragged into corrections, and taken back; levels by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from SpinalStrutDesignerLib.case.body import find_body
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.errors import CaseError
from SpinalStrutDesignerLib.plan.plan import Corrections, EndplateOverride, Plan

MEASURED_TIMEOUT_S = 120.0
FORWARD = np.array([0.0, 1.0, 0.0])
FACES = {"endplateUpper": ("C4", "inferior"), "endplateLower": ("T2", "superior")}


@pytest.fixture(scope="session")
def spine(phantom: Case) -> Case:
    """The phantom's vertebrae and what runs in their canal: all that endplates are measured on."""
    return phantom.with_structures(s for s in phantom.structures if s.level or s.name in ("dural_sac", "spinal_cord"))


@pytest.fixture
def plated(bench: Any, spine: Case) -> Any:
    """The panel with the phantom's spine and its docking levels chosen, the endplates measured and shown."""
    spanned(bench, spine)
    return bench


def spanned(bench: Any, case: Case) -> None:
    """A case loaded without preview, C4 to T2 chosen, and its endplates measured."""
    bench.parameters.previewVisible = False
    bench.load(case)
    bench.choose(bench.ui.upperLevelComboBox, "C4")
    bench.choose(bench.ui.lowerLevelComboBox, "T2")
    measured(bench)


def measured(bench: Any) -> None:
    """Until nothing is left to measure."""
    bench.host.wait_for(lambda: not landmarks(bench).busy, MEASURED_TIMEOUT_S, "the landmarks")
    bench.host.process_events()


def landmarks(bench: Any) -> Any:
    return bench.panel.steps[0].endplates.landmarks


def plane(bench: Any, role: str = "endplateUpper") -> Any:
    return bench.desk.belongings.get(role)


def texts(bench: Any, row: int) -> list[str]:
    return [bench.ui.endplatesTable.item(row, column).text() for column in range(4)]


def drag_down(bench: Any, mm: float) -> np.ndarray:
    """The upper docking plane dragged by its middle in the sagittal slice; returns where it was."""
    start = np.array(plane(bench).GetCenterWorld())
    bench.panel.jump_to(tuple(start))
    bench.host.process_events(0.1)
    bench.host.slice_view("Yellow").mouse.drag(start, start - np.array([0.0, 0.0, mm]))
    bench.host.process_events()
    return start


def test_planes_and_table_show_what_is_measured(plated: Any, spine: Case) -> None:
    for row, (role, (level, face)) in enumerate(FACES.items()):
        plate, node = find_endplate(spine, level, face), plane(plated, role)
        assert node.GetCenterWorld() == pytest.approx(tuple(plate.centre), abs=1e-6)
        assert node.GetNormalWorld() == pytest.approx(tuple(plate.normal), abs=1e-9)
        assert node.GetSizeWorld() == pytest.approx((plate.width_mm, plate.depth_mm), abs=1e-6)
        size = f"{plate.width_mm:.1f} × {plate.depth_mm:.1f}"
        assert texts(plated, row) == [f"{level} {face}", size, "", "–"]
        # The plane's corners lie along the patient's right and front, so that width is shown as width.
        axes = np.zeros((3, 3))
        node.GetAxesWorld(*axes)
        assert abs(axes[0] @ plate.right) > 0.999 and axes[1] @ plate.anterior > 0.999
    assert plated.plan.corrections == Corrections() and plated.message == ""


def test_a_plane_dragged_is_one_correction_and_undo_takes_it_back(plated: Any) -> None:
    before = plated.plan
    start = drag_down(plated, 2.0)
    (override,) = plated.plan.corrections.endplates
    assert (override.level, override.face, override.width_mm, override.depth_mm) == ("C4", "inferior", None, None)
    assert override.centre == pytest.approx(tuple(start - [0.0, 0.0, 2.0]), abs=0.5)  # a pixel of the view
    assert plane(plated).GetCenterWorld() == pytest.approx(override.centre, abs=1e-6)
    moved = np.linalg.norm(np.subtract(override.centre, start))
    assert texts(plated, 0)[2] == f"{moved:.1f} mm, 0.0°"
    assert plated.desk.history.undo_words == "C4 endplate"
    plated.ui.undoButton.click()
    assert plated.plan == before and texts(plated, 0)[2] == ""
    assert plane(plated).GetCenterWorld() == pytest.approx(tuple(start), abs=1e-6)
    plated.ui.redoButton.click()
    assert plated.plan.corrections.endplates == (override,)


def test_what_is_shown_is_never_written_back(plated: Any) -> None:
    before, depth = plated.parameters.plan, len(plated.desk.history._past)
    node = plane(plated)
    node.InvokeEvent(node.PointStartInteractionEvent)
    node.InvokeEvent(node.PointEndInteractionEvent)
    plated.panel.refresh()
    plated.ui.endplatesCheckBox.checked = False
    plated.ui.endplatesCheckBox.checked = True
    plated.host.process_events()
    assert plated.parameters.plan == before and len(plated.desk.history._past) == depth


def test_a_plane_moved_turned_and_sized_by_a_program_is_a_correction(plated: Any) -> None:
    node = plane(plated, "endplateLower")
    centre, normal = np.array(node.GetCenterWorld()), np.array(node.GetNormalWorld())
    turned = normal + 0.1 * np.array([1.0, 0.0, 0.0])
    turned /= np.linalg.norm(turned)
    node.InvokeEvent(node.PointStartInteractionEvent)
    node.SetCenterWorld(centre + FORWARD)
    node.SetNormalWorld(turned)
    node.SetSizeWorld((20.0, node.GetSizeWorld()[1]))
    assert plated.plan.corrections == Corrections()  # decided when it is let go
    node.InvokeEvent(node.PointEndInteractionEvent)
    (override,) = plated.plan.corrections.endplates
    assert (override.level, override.face, override.width_mm, override.depth_mm) == ("T2", "superior", 20.0, None)
    assert override.centre == pytest.approx(centre + FORWARD) and override.normal == pytest.approx(turned)
    assert texts(plated, 1)[2].startswith("20.0 × ")
    plane(plated).SetCenterWorld(plane(plated).GetCenterWorld() + FORWARD)
    assert {o.level for o in plated.plan.corrections.endplates} == {"C4", "T2"}
    # A size that was corrected stays when the plane is moved again.
    node.SetCenterWorld(centre)
    assert next(o for o in plated.plan.corrections.endplates if o.level == "T2").width_mm == 20.0


def test_as_measured_takes_the_correction_of_the_chosen_endplate_back(plated: Any) -> None:
    before, start = plated.plan, drag_down(plated, 2.0)
    assert not plated.ui.asMeasuredButton.enabled
    plated.ui.endplatesTable.setCurrentCell(1, 0)
    assert not plated.ui.asMeasuredButton.enabled
    plated.ui.endplatesTable.setCurrentCell(0, 0)
    plated.ui.asMeasuredButton.click()
    assert plated.plan == before and plane(plated).GetCenterWorld() == pytest.approx(tuple(start), abs=1e-6)
    assert plated.desk.history.undo_words == "C4 endplate as measured"
    plated.ui.undoButton.click()
    assert len(plated.plan.corrections.endplates) == 1


def test_the_chosen_endplate_has_handles_and_a_row_leads_to_it(plated: Any) -> None:
    upper, lower = plane(plated).GetDisplayNode(), plane(plated, "endplateLower").GetDisplayNode()
    assert not upper.GetHandlesInteractive() and not lower.GetHandlesInteractive()
    plated.ui.endplatesTable.setCurrentCell(1, 0)
    plated.ui.endplatesTable.cellClicked.emit(1, 0)
    assert lower.GetHandlesInteractive() and not upper.GetHandlesInteractive()
    matrix = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().GetSliceToRAS()
    centre = plane(plated, "endplateLower").GetCenterWorld()
    assert [matrix.GetElement(row, 3) for row in range(3)] == pytest.approx(centre, abs=0.1)


def handle_pixel(bench: Any, kind: str) -> tuple[float, float]:
    """Where in the sagittal slice a handle of that kind lies under the mouse, about the upper plane's middle."""
    mouse, display = bench.host.slice_view("Yellow").mouse, plane(bench).GetDisplayNode()
    middle = mouse.pixel(plane(bench).GetCenterWorld())
    for radius in range(8, 60, 2):
        for angle in np.arange(0.0, 2.0 * np.pi, 2.0 / radius):
            pixel = middle.x() + radius * np.cos(angle), middle.y() + radius * np.sin(angle)
            mouse.move(pixel)
            if display.GetActiveComponentType() == getattr(display, kind):
                return pixel
    raise AssertionError(f"no {kind} within reach of the mouse")


@pytest.mark.parametrize("kind", ["ComponentRotationHandle", "ComponentTranslationHandle"])
def test_a_handle_dragged_by_mouse_is_one_correction(plated: Any, kind: str) -> None:
    plated.ui.endplatesTable.setCurrentCell(0, 0)
    plated.ui.endplatesTable.cellClicked.emit(0, 0)
    plated.host.process_events(0.1)
    before, node = plated.plan, plane(plated)
    centre, normal, size = (np.array(v()) for v in (node.GetCenterWorld, node.GetNormalWorld, node.GetSizeWorld))
    x, y = handle_pixel(plated, kind)
    plated.host.slice_view("Yellow").mouse.drag((x, y), (x - 3.0, y + 3.0))
    plated.host.process_events()
    (override,) = plated.plan.corrections.endplates
    moved, turned = np.abs(override.centre - centre).max() > 1e-3, np.abs(override.normal - normal).max() > 1e-3
    assert (turned, moved) == (kind == "ComponentRotationHandle", kind == "ComponentTranslationHandle")
    assert (override.width_mm, override.depth_mm) == (None, None)
    assert plated.desk.history.undo_words == "C4 endplate"
    plated.ui.undoButton.click()
    assert plated.plan == before
    for value, was in ((node.GetCenterWorld(), centre), (node.GetNormalWorld(), normal), (node.GetSizeWorld(), size)):
        assert value == pytest.approx(was, abs=1e-6)


def test_a_locked_plan_s_endplates_cannot_be_dragged(plated: Any) -> None:
    plated.ui.endplatesTable.setCurrentCell(0, 0)
    plated.ui.lockButton.checked = True
    plated.host.process_events()
    before = plated.plan
    assert plane(plated).GetLocked() and not plane(plated).GetDisplayNode().GetHandlesInteractive()
    start = drag_down(plated, 2.0)
    assert plated.plan == before and plane(plated).GetCenterWorld() == pytest.approx(tuple(start), abs=1e-6)
    plane(plated).SetCenterWorld(start + 1.0)  # by a program
    assert "locked" in plated.message and plated.plan == before
    assert plane(plated).GetCenterWorld() == pytest.approx(tuple(start), abs=1e-6)
    plated.ui.lockButton.checked = False
    plated.host.process_events()
    assert plane(plated).GetDisplayNode().GetHandlesInteractive()


@pytest.mark.parametrize("far, words", [
    (lambda node: node.SetCenterWorld(node.GetCenterWorld() - 40.0 * FORWARD), "40 mm from the measured"),
    (lambda node: node.SetNormalWorld((0.0, 1.0, 0.0)), "turned by"),
    (lambda node: (node.SetSizeWorld((80.0, 15.0)), node.SetNormalWorld((0.0, 0.0, -1.0))), "80 mm wide"),
])  # fmt: skip
def test_what_is_no_correction_of_this_endplate_is_refused(plated: Any, far: Any, words: str) -> None:
    start, normal = plane(plated).GetCenterWorld(), plane(plated).GetNormalWorld()
    before = plated.plan
    far(plane(plated))
    assert words in plated.message and "C4" in plated.message and plated.plan == before
    assert plane(plated).GetCenterWorld() == pytest.approx(start, abs=1e-6)
    assert plane(plated).GetNormalWorld() == pytest.approx(normal, abs=1e-6)


def test_a_deleted_plane_is_no_correction_and_comes_back(plated: Any) -> None:
    before, start = plated.plan, plane(plated).GetCenterWorld()
    slicer.mrmlScene.RemoveNode(plane(plated))
    plated.host.process_events(0.05)
    assert plated.plan == before and plane(plated).GetCenterWorld() == pytest.approx(start, abs=1e-6)
    drag_down(plated, 2.0)
    assert len(plated.plan.corrections.endplates) == 1


def test_the_check_box_hides_the_planes(plated: Any) -> None:
    plated.ui.endplatesCheckBox.checked = False
    plated.host.process_events()
    assert not plane(plated).GetDisplayNode().GetVisibility()
    plated.ui.endplatesCheckBox.checked = True
    plated.host.process_events()
    assert plane(plated).GetDisplayNode().GetVisibility()
    # What a person hides in the scene stays hidden.
    plane(plated).GetDisplayNode().SetVisibility(False)
    plated.panel.refresh()
    plated.ui.undoButton.click()
    plated.ui.redoButton.click()
    assert not plane(plated).GetDisplayNode().GetVisibility()


def test_corrections_are_back_after_saving_and_loading(plated: Any, tmp_path: Path) -> None:
    drag_down(plated, 2.0)
    saved = plated.plan
    plated.host.save_scene(tmp_path / "case.mrb")
    plated.host.close_scene()
    assert plated.ui.endplatesTable.rowCount == 0
    plated.host.load_scene(tmp_path / "case.mrb")
    measured(plated)
    assert plated.plan == saved and not plated.ui.undoButton.enabled
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsPlaneNode") == 2
    (override,) = saved.corrections.endplates
    assert plane(plated).GetCenterWorld() == pytest.approx(override.centre, abs=1e-6)
    plane(plated).SetCenterWorld(np.add(override.centre, (0.0, 0.5, 0.0)))
    assert plated.plan.corrections.endplates[0].centre == pytest.approx(np.add(override.centre, (0.0, 0.5, 0.0)))


def test_measuring_is_done_once_and_not_for_a_correction(plated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from SpinalStrutDesignerLib.panel import landmarks as module

    calls: list[str] = []

    def counted(case: Case, level: str, face: Any) -> Any:
        calls.append(level)
        return find_endplate(case, level, face)

    monkeypatch.setattr(module, "find_endplate", counted)
    case = plated.desk.case()
    drag_down(plated, 2.0)
    plated.ui.undoButton.click()
    plated.panel.refresh()
    measured(plated)
    assert calls == [] and plated.desk.case() is case
    plated.choose(plated.ui.lowerLevelComboBox, "T3")
    assert texts(plated, 1)[:2] == ["T3 superior", "measuring …"]
    measured(plated)
    assert calls == ["C4", "T3"] and texts(plated, 1)[3].endswith(" to T2")


def test_a_destroyed_docking_level_says_why_it_has_no_endplate(plated: Any, spine: Case) -> None:
    with pytest.raises(CaseError) as told:
        find_endplate(spine, "C6", "inferior")
    plated.choose(plated.ui.upperLevelComboBox, "C6")
    measured(plated)
    assert texts(plated, 0)[:2] == ["C6 inferior", str(told.value)]
    assert plane(plated) is None and plane(plated, "endplateLower") is not None


def test_levels_are_written_at_their_bodies(plated: Any, spine: Case) -> None:
    assert plated.desk.belongings.get("levels") is None
    plated.ui.levelsCheckBox.checked = True
    measured(plated)
    node = plated.desk.belongings.get("levels")
    shown = {node.GetNthControlPointLabel(n): node.GetNthControlPointPositionWorld(n)
             for n in range(node.GetNumberOfControlPoints())}  # fmt: skip
    assert node.GetLocked() and set(shown) == {"C2", "C3", "C4", "T2", "T3", "T4"}  # the others are destroyed
    for level, place in shown.items():
        assert place == pytest.approx(tuple(find_body(spine, level).centre), abs=1e-6)
    plated.ui.levelsCheckBox.checked = False
    plated.host.process_events()
    assert not node.GetDisplayNode().GetVisibility()


def test_the_preview_follows_a_correction(planned: Any, phantom_plan: Plan) -> None:
    planned.parameters.endplatesVisible = planned.parameters.previewVisible = True
    planned.wait_for_preview()
    measured(planned)
    planned.host.process_events()
    plate = plane(planned)
    centre, normal = np.array(plate.GetCenterWorld()), np.array(plate.GetNormalWorld())
    plate.SetCenterWorld(centre + 1.5 * normal)
    assert not planned.panel.live.ready  # made anew in steps
    planned.wait_for_preview()
    planned.host.process_events()
    assert planned.panel.live.fault == "" and planned.panel.live.clearances_of(planned.plan)
    corrected = planned.panel.live._preview._preview.situation(planned.plan).upper
    np.testing.assert_allclose(corrected.centre, centre + 1.5 * normal, atol=1e-9)
    wild = EndplateOverride("C4", "inferior", tuple(centre), tuple(normal), width_mm=4.0, depth_mm=4.0)
    planned.desk.decide(planned.plan.with_(corrections=Corrections(endplates=(wild,))), "too small for a foot")
    planned.host.wait_for(lambda: planned.panel.live.fault != "", MEASURED_TIMEOUT_S, "the reason")
    planned.ui.undoButton.click()  # what cannot be previewed does not end the preview
    planned.wait_for_preview()
    planned.host.process_events()
    assert planned.panel.live.fault == "" and planned.panel.live.clearances_of(planned.plan)
