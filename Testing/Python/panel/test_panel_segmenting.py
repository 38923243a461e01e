"""From the bare CT to a segmentation that a person accepted: seeds, the job, correction, and what hangs on it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
from SpinalStrutDesignerLib.case.body import find_body
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.case.write import write_case
from SpinalStrutDesignerLib.scene.seeds import seeds_in
from test_panel_scene import edit_segment

STAND_IN = Path(__file__).with_name("stand_in_segment.py")


@pytest.fixture(scope="session")
def written(phantom: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The phantom's labels of a few structures, as the command writes them."""
    names = ("C3", "C4", "T2", "T3", "other_bone", "trachea_airway", "lungs")
    few = phantom.with_structures(s for s in phantom.structures if s.name in names)
    return write_case(few, tmp_path_factory.mktemp("segmented"))[1]


@pytest.fixture
def bare(bench: Any, phantom: Case, written: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The panel with the phantom's CT alone, and the stand-in for the command."""
    from SpinalStrutDesignerLib.panel import jobs  # which only the host can import

    whole = jobs.segment_job

    def stand_in(*given: Any) -> Any:
        job = whole(*given)
        assert job.arguments[:2] == ("-m", "SpinalStrutDesignerLib.cli")
        return replace(job, arguments=(str(STAND_IN), str(written), *job.arguments[2:]))

    monkeypatch.setattr(jobs, "segment_job", stand_in)
    bench.parameters.previewVisible = bench.parameters.endplatesVisible = False
    bench.load(phantom)
    slicer.mrmlScene.RemoveNode(bench.parameters.segmentation)
    bench.host.process_events()
    assert bench.parameters.segmentation is None and bench.heads()["anatomy"] == "○"
    assert not bench.ui.segmentGroupBox.collapsed
    return bench


def place(bench: Any, level: str, point: Any) -> None:
    """A seed by the mouse, in the sagittal slice."""
    bench.choose(bench.ui.seedLevelComboBox, level)
    bench.panel.jump_to(tuple(float(x) for x in point))
    bench.host.process_events(0.1)
    bench.ui.placeSeedButton.click()
    bench.host.slice_view("Yellow").mouse.click(point)
    bench.host.process_events(0.1)


@pytest.fixture
def seeded(bare: Any, phantom: Case) -> Any:
    """As `bare`, with a seed in both docking vertebrae."""
    for level in ("T2", "C4"):
        place(bare, level, find_body(phantom, level).centre)
    return bare


def segmented(bench: Any) -> Any:
    """The segmentation made by pressing the button."""
    bench.ui.segmentButton.click()
    bench.wait_for_job()
    assert bench.message == ""
    return bench.parameters.segmentation


def test_seeds_are_placed_by_mouse_and_listed(seeded: Any, phantom: Case) -> None:
    ui = seeded.ui
    seeds = {seed.level: seed.place for seed in seeds_in(seeded.parameters.seeds)}
    for level in ("C4", "T2"):
        assert seeds[level] == pytest.approx(tuple(find_body(phantom, level).centre), abs=0.5)  # a pixel of the view
    assert [ui.seedsTable.item(row, 0).text() for row in range(2)] == ["T2", "C4"]
    assert not ui.placeSeedButton.checked and not ui.placeSeedButton.enabled  # its level is to be chosen first
    assert slicer.mrmlScene.GetFirstNodeByName("New seed") is None
    displays = slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialDisplayNode")
    assert [display.GetDisplayableNode() for display in displays] == [seeded.parameters.seeds]
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(seeded.parameters.seeds)
    assert hierarchy.GetItemParent(item) == seeded.desk.folder


def test_a_level_s_seed_is_moved_dragged_and_removed(seeded: Any, phantom: Case) -> None:
    above = find_body(phantom, "C4").centre + np.array([0.0, 0.0, 3.0])
    place(seeded, "C4", above)
    assert seeded.ui.seedsTable.rowCount == 2
    assert seeds_in(seeded.parameters.seeds)[1].place == pytest.approx(tuple(above), abs=0.5)
    seeded.parameters.seeds.SetNthControlPointPositionWorld(1, 1.0, 2.0, -0.04)
    assert [seeded.ui.seedsTable.item(1, column).text() for column in range(1, 4)] == ["1.0", "2.0", "0.0"]
    seeded.ui.seedsTable.setCurrentCell(0, 0)
    seeded.ui.removeSeedButton.click()
    assert [seed.level for seed in seeds_in(seeded.parameters.seeds)] == ["C4"] and seeded.ui.seedsTable.rowCount == 1


def test_what_is_missing_is_told_with_its_remedy(bare: Any, phantom: Case) -> None:
    bare.ui.segmentButton.click()
    assert "no vertebra has a seed" in bare.message and "press 'Place seed'" in bare.message
    place(bare, "C4", find_body(phantom, "C4").centre)
    bare.ui.segmentButton.click()
    assert "only C4 has a seed" in bare.message and "each vertebra that the strut shall stand on" in bare.message
    bare.parameters.seeds.AddControlPointWorld((0.0, 0.0, 0.0), "F-2")
    bare.ui.segmentButton.click()
    assert "'F-2' names no vertebra" in bare.message
    bare.parameters.volume = None
    bare.ui.segmentButton.click()
    assert "choose the CT volume" in bare.message and not bare.panel.work.busy


def test_the_ct_is_segmented_from_its_seeds(seeded: Any, phantom: Case, written: Path) -> None:
    node = segmented(seeded)
    called = json.loads(written.with_name("called.json").read_text(encoding="utf-8"))
    assert list(called["seeds"]) == ["C4", "T2"]
    for level, seed in called["seeds"].items():
        assert phantom.structure(level).distance(np.array([seed]))[0] < 0.0  # in the bone, in RAS mm
    assert node.GetName() == "Segmented from CT" and seeded.desk.case().levels == ("C3", "C4", "T2", "T3")
    assert node.GetSegmentation().ContainsRepresentation("Closed surface")
    for structure in seeded.desk.case().structures:
        assert structure.mask.volume == pytest.approx(phantom.structure(structure.name).mask.volume, rel=1e-6)
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == seeded.desk.folder
    # Neighbours are told apart, and what lies in front of the spine is seen through.
    segmentation, display = node.GetSegmentation(), node.GetDisplayNode()
    names = {segmentation.GetSegment(i).GetName(): i for i in segmentation.GetSegmentIDs()}
    colors = {name: segmentation.GetSegment(identity).GetColor() for name, identity in names.items()}
    assert colors["T2"] != colors["T3"] and colors["C3"] != colors["lungs"]
    assert display.GetSegmentOpacity3D(names["lungs"]) < 0.5 < display.GetSegmentOpacity3D(names["T2"])


def test_the_ct_written_for_the_job_is_the_volume(seeded: Any, phantom: Case, written: Path) -> None:
    segmented(seeded)
    image = sitk.ReadImage(json.loads(written.with_name("called.json").read_text(encoding="utf-8"))["ct"])
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), phantom.ct.voxels)
    corner = image.TransformIndexToPhysicalPoint((3, 5, 7))
    expected = phantom.ct.ijk_to_ras @ [3.0, 5.0, 7.0, 1.0]
    assert (-corner[0], -corner[1], corner[2]) == pytest.approx(tuple(expected[:3]))


def test_it_is_a_warning_until_a_person_accepts_it(seeded: Any) -> None:
    ui = seeded.ui
    node = segmented(seeded)
    assert seeded.heads()["anatomy"] == "⚠" and "not accepted" in ui.anatomyButton.text
    assert ui.acceptButton.visible and ui.segmentedLabel.visible
    # What is designed on it meanwhile says so, and is not for manufacture.
    assert [level for level, _ in seeded.desk.case().seeds] == ["C4", "T2"]
    ui.acceptButton.click()
    assert seeded.desk.case().seeds == ()
    assert seeded.heads()["anatomy"] == "✓" and not ui.acceptButton.visible
    edit_segment(node, "C4")
    seeded.host.process_events()
    assert seeded.heads()["anatomy"] == "⚠"
    ui.acceptButton.click()
    assert seeded.heads()["anatomy"] == "✓"


def test_a_segmentation_from_elsewhere_needs_no_acceptance(bench: Any, phantom: Case) -> None:
    bench.load(phantom)
    assert bench.heads()["anatomy"] == "✓" and not bench.ui.acceptButton.visible
    assert bench.ui.correctButton.enabled and bench.ui.segmentGroupBox.collapsed


def test_another_run_takes_the_place_of_what_nobody_edited(seeded: Any) -> None:
    first = segmented(seeded)
    second = segmented(seeded)
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    assert second is not first and nodes == [second] and seeded.heads()["anatomy"] == "⚠"
    edit_segment(second, "C4")
    third = segmented(seeded)
    # What a person corrected may be hours of work: it stays.
    assert set(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")) == {second, third}


def test_another_segmentation_makes_a_plan_out_of_date(seeded: Any) -> None:
    segmented(seeded)
    seeded.ui.acceptButton.click()
    seeded.choose(seeded.ui.upperLevelComboBox, "C4")
    seeded.choose(seeded.ui.lowerLevelComboBox, "T2")
    seeded.parameters.plannedOn = seeded.desk.case().digest
    edit_segment(seeded.parameters.segmentation, "C4")
    assert seeded.heads()["anatomy"] == "↻"
    plan = seeded.plan
    segmented(seeded)
    assert seeded.plan == plan and seeded.parameters.seeds is not None


def test_it_is_corrected_in_the_segment_editor(seeded: Any) -> None:
    node = segmented(seeded)
    volume = seeded.parameters.volume
    seeded.ui.correctButton.click()
    seeded.host.process_events()
    assert slicer.util.selectedModule() == "SegmentEditor"
    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    assert editor.segmentationNode() is node and editor.sourceVolumeNode() is volume
    edit_segment(node, "T2")
    seeded.host.open_module("SpinalStrutDesigner")
    assert seeded.parameters.segmentation is node and seeded.heads()["anatomy"] == "⚠"


def test_what_the_command_refuses_is_told_in_its_words(seeded: Any) -> None:
    seeded.parameters.seeds.AddControlPointWorld((0.0, 0.0, 0.0), "C1")
    seeded.ui.segmentButton.click()
    seeded.wait_for_job()
    assert seeded.message == "the seed of C1 lies in air: move it into bone"
    assert seeded.parameters.segmentation is None and seeded.ui.segmentButton.enabled


def test_cancel_and_the_scene_s_end_end_the_job(seeded: Any) -> None:
    seeded.parameters.seeds.AddControlPointWorld((0.0, 0.0, 0.0), "C2")
    for end in (lambda: seeded.ui.cancelButton.click(), lambda: seeded.host.close_scene()):
        seeded.ui.segmentButton.click()
        seeded.host.process_events(0.5)
        process = seeded.panel.work._child._process
        assert seeded.panel.work.busy and not seeded.ui.segmentButton.enabled
        end()
        seeded.host.process_events(0.2)
        assert process.wait(timeout=20) is not None and not seeded.panel.work.busy
        assert slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode") is None
    assert seeded.ui.seedsTable.rowCount == 0


def test_a_cancelled_taking_in_leaves_nothing_in_the_scene(seeded: Any) -> None:
    seeded.ui.segmentButton.click()
    seeded.host.wait_for(lambda: seeded.panel.work._child is None, 60.0, "the end of the command")
    assert seeded.panel.work.busy  # the result is being taken in
    seeded.ui.cancelButton.click()
    seeded.host.process_events(0.2)
    assert not seeded.panel.work.busy and seeded.ui.segmentButton.enabled and not seeded.ui.cancelButton.visible
    assert slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode") is None


def test_seeds_and_acceptance_are_saved_with_the_scene(seeded: Any, tmp_path: Path) -> None:
    segmented(seeded)
    seeded.ui.acceptButton.click()
    places = [seed.place for seed in seeds_in(seeded.parameters.seeds)]
    seeded.host.save_scene(tmp_path / "case.mrb")
    seeded.host.close_scene()
    seeded.host.load_scene(tmp_path / "case.mrb")
    seeded.host.process_events(0.1)
    assert seeded.heads()["anatomy"] == "✓" and not seeded.ui.acceptButton.visible
    loaded = seeds_in(seeded.parameters.seeds)
    assert [seed.level for seed in loaded] == ["T2", "C4"]
    np.testing.assert_allclose([seed.place for seed in loaded], places, atol=1e-3)
    # What was made is known again: unedited, another run takes its place.
    made = seeded.parameters.segmentation
    assert segmented(seeded) is not made and len(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")) == 1


def test_the_command_itself_segments_the_phantom(bench: Any, phantom: Case) -> None:
    bench.parameters.previewVisible = bench.parameters.endplatesVisible = False
    bench.load(phantom)
    slicer.mrmlScene.RemoveNode(bench.parameters.segmentation)
    for level in ("C4", "T2"):
        place(bench, level, find_body(phantom, level).centre)
    segmented(bench)
    case = bench.desk.case()
    assert {"C4", "T2", "other_bone", "airway", "lungs", "spinal_canal"} <= {s.name for s in case.structures}
    assert case.unknown == () and [level for level, _ in case.seeds] == ["C4", "T2"]
    for level in ("C4", "T2"):
        assert case.structure(level).mask.volume == pytest.approx(phantom.structure(level).mask.volume, rel=0.06)
