"""The whole work in the panel, from loading to release, on the phantom, and its first half on a synthetic patient."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from SpinalStrutDesignerLib.plan.json import plan_from_json
from SpinalStrutDesignerLib.release.folder import MANIFEST, file_hashes


def load_phantom(bench: Any, request: Any) -> None:
    """From Sample Data, as the module registers it."""
    import SampleData

    SampleData.downloadSample("StrutPhantom")


def load_case2(bench: Any, request: Any) -> None:
    """From files: the CT by its file, the labels as segments with the names of their table."""
    import csv

    folder = request.getfixturevalue("data") / "synthetic" / "case2_c4_t2"
    slicer.util.loadVolume(str(folder / "ct.nrrd"))
    labels = slicer.util.loadLabelVolume(str(folder / "labels.nrrd"))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    slicer.modules.segmentations.logic().ImportLabelmapToSegmentationNode(labels, node)
    with open(folder / "labels.csv", newline="") as file:
        names = {int(row["value"]): row["name"] for row in csv.DictReader(file)}
    present = [int(v) for v in np.unique(slicer.util.arrayFromVolume(labels)) if v]
    for number, value in enumerate(present):
        node.GetSegmentation().GetNthSegment(number).SetName(names[value])
    slicer.mrmlScene.RemoveNode(labels)


def _proposed(bench: Any) -> None:
    """From a loaded patient to a proposed plan with its preview and clearances."""
    bench.widget.initializeParameterNode()
    bench.host.process_events()
    assert bench.heads()["anatomy"] == "✓" and bench.ui.rolesTable.rowCount >= 15
    bench.choose(bench.ui.upperLevelComboBox, "C4")
    bench.choose(bench.ui.lowerLevelComboBox, "T2")

    bench.ui.proposeButton.click()
    bench.wait_for_job()
    assert bench.message == "" and len(bench.plan.axis.control_points) >= 3
    bench.wait_for_preview()
    assert bench.panel.live.fault == "" and len(bench.panel.live.clearances) >= 8
    assert bench.ui.clearanceTable.rowCount > 0


def test_a_patient_with_metal_from_files_to_a_proposal(bench: Any, request: Any) -> None:
    """What is made of this patient's plan is judged in the end-to-end tests; the rest of the work is the phantom's."""
    load_case2(bench, request)
    _proposed(bench)
    proposed = bench.plan
    _change_and_undo(bench)
    assert bench.plan == proposed


def test_from_loading_to_release(bench: Any, tmp_path: Path, request: Any) -> None:
    load_phantom(bench, request)
    _proposed(bench)
    proposed = bench.plan
    _change_and_undo(bench)
    assert bench.plan == proposed

    bench.ui.plan_section_width_mm.value = 10.5
    bench.ui.plan_interface_pore_um.value = 1000.0  # has 40 in 100 fewer triangles made, and pores to be waived
    bench.ui.plan_case_code.text = "CASE-007"
    bench.ui.plan_case_code.editingFinished.emit()
    bench.ui.checkRunButton.click()
    bench.wait_for_job()
    assert bench.message == "" and bench.heads()["check"] in "✓⚠✗"
    parts = bench.desk.belongings.all("part")
    assert {"implant", "implant_plus3mm", "docking_proximal", "docking_distal", "trial", "spine"} <= {
        node.GetAttribute("SpinalStrutDesigner.Part") for node in parts
    }
    _look_at_a_finding(bench)

    _waive_what_blocks(bench)
    assert bench.heads()["check"] == "⚠"
    bench.ui.outputFolderButton.directory = str(tmp_path)
    bench.ui.releaseRunButton.click()
    bench.wait_for_job()
    assert bench.message == "" and bench.heads()["release"] == "✓"
    _look_at_the_release(bench, Path(bench.parameters.released))

    _change_after_the_check(bench)


def _change_and_undo(bench: Any) -> None:
    """A point of the axis dragged by mouse, a screw placed on bone and one deleted; each is taken back."""
    middle = np.array(bench.plan.axis.control_points[len(bench.plan.axis.control_points) // 2])
    bench.panel.jump_to(tuple(middle))
    bench.host.process_events(0.1)
    before = bench.plan
    bench.host.slice_view("Yellow").mouse.drag(middle, middle + np.array([0.0, 2.0, 0.0]))
    bench.host.process_events()
    assert bench.plan.axis != before.axis
    bench.ui.undoButton.click()
    screw = bench.plan.screws[-1]
    bench.ui.screwTable.setCurrentCell(len(bench.plan.screws) - 1, 0)
    bench.ui.deleteScrewButton.click()
    assert len(bench.plan.screws) == len(before.screws) - 1
    bench.ui.screwTypeComboBox.currentIndex = bench.ui.screwTypeComboBox.findText(screw.type.name)
    bench.ui.placeScrewButton.click()
    place = np.asarray(screw.entry) + 0.4 * screw.length_mm * np.asarray(screw.direction)
    bench.panel.jump_to(tuple(place))
    bench.host.process_events(0.1)
    bench.host.slice_view("Yellow").mouse.click(place)
    bench.host.process_events(0.1)
    assert len(bench.plan.screws) == len(before.screws), bench.message
    bench.ui.undoButton.click()
    bench.ui.undoButton.click()


def _look_at_a_finding(bench: Any) -> None:
    bench.choose(bench.ui.findingsComboBox, "all")
    table = bench.ui.findingsTable
    rows = bench.step("check")._rows
    assert table.rowCount == len(rows) > 50
    number = next(n for n, row in enumerate(rows) if row.location is not None)
    table.setCurrentCell(number, 0)
    table.cellClicked.emit(number, 0)
    matrix = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().GetSliceToRAS()
    assert [matrix.GetElement(row, 3) for row in range(3)] == pytest.approx(rows[number].location, abs=0.1)
    assert rows[number].title in bench.ui.findingBrowser.plainText


def _change_after_the_check(bench: Any) -> None:
    """A change makes check and release out of date and brings the preview back; undo brings the finished implant."""
    finished = next(node for node in bench.desk.belongings.all("part") if node.GetName() == "implant").GetDisplayNode()
    preview = bench.desk.belongings.get("preview").GetDisplayNode()
    assert finished.GetVisibility() and not preview.GetVisibility()
    bench.ui.plan_section_depth_mm.value = bench.plan.section.depth_mm + 0.5
    assert bench.heads()["check"] == bench.heads()["release"] == "↻"
    assert preview.GetVisibility() and not finished.GetVisibility()
    bench.ui.undoButton.click()
    assert bench.heads()["release"] == "✓"
    assert finished.GetVisibility() and not preview.GetVisibility()


def _waive_what_blocks(bench: Any) -> None:
    bench.choose(bench.ui.findingsComboBox, "blocking")
    blocking = [row.id for row in bench.step("check")._rows]
    bench.ui.waiverNameLineEdit.text, bench.ui.waiverReasonLineEdit.text = "A. Surgeon", "seen on the model"
    for _ in blocking:
        bench.ui.findingsTable.setCurrentCell(0, 0)
        bench.ui.findingsTable.cellClicked.emit(0, 0)
        bench.ui.waiveButton.click()
    assert [waiver.finding for waiver in bench.plan.waivers] == blocking
    assert bench.ui.findingsTable.rowCount == 0


def _look_at_the_release(bench: Any, folder: Path) -> None:
    assert folder.name.startswith("CASE-007_C4-T2_") and folder.parent.is_dir()
    assert plan_from_json((folder / "plan.json").read_text(encoding="utf-8")) == bench.plan
    sealed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sha256"]
    assert sealed == {name: sha for name, sha in file_hashes(folder).items() if name != MANIFEST}
    assert not (folder / "NOT_FOR_MANUFACTURE.txt").exists()
    findings = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    assert sum(finding["verdict"] == "waived" for finding in findings) == len(bench.plan.waivers)
