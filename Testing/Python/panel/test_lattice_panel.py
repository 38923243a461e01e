"""LatticeGenerator's panel in the host: choices, a lattice made by a child process, and what can come between."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from lattice_bench import EDGE, TIMEOUT_S, Bench, block_of, volume_of
from slicer_host.host import start


@pytest.fixture
def bench(host: Any) -> Iterator[Bench]:
    made = Bench(host, host.open_module("LatticeGenerator"))
    yield made
    made.panel.work.cancel()


@pytest.fixture
def block(bench: Bench) -> Any:
    """A cube chosen as the body, and coarse pores, which are quickly made."""
    node = block_of()
    bench.ui.domainSelector.setCurrentNode(node)
    bench.ui.poreSizeSlider.value = 1000.0
    bench.host.process_events()
    return node


def test_nothing_chosen_is_said(bench: Bench) -> None:
    assert not bench.ui.fillButton.enabled and "Choose a closed surface model" in bench.ui.fillButton.toolTip
    bench.choose(bench.ui.sourceComboBox, "A segment")
    assert not bench.ui.fillButton.enabled and "Choose a segmentation" in bench.ui.fillButton.toolTip
    assert bench.ui.resultCollapsibleButton.text.startswith("○") and not bench.ui.resultTable.visible


def test_a_model_becomes_a_lattice_measured_beside_what_was_wanted(bench: Bench, block: Any) -> None:
    stages: list[str] = []
    bench.ui.fillButton.click()
    assert not bench.ui.fillButton.enabled and bench.ui.cancelButton.enabled
    bench.host.wait_for(
        lambda: stages.append(bench.ui.stageLabel.text) or not bench.panel.work.busy, TIMEOUT_S, "the lattice"
    )
    assert {"Making the lattice", "Filling with lattice", "Measuring pores and struts"} <= set(stages)
    bench.host.process_events()
    node = bench.parameters.lattice
    share = volume_of(node) / EDGE**3
    rows = bench.rows()
    assert rows["Porosity"] == ("pass", 70.0, pytest.approx(100.0 * (1.0 - share), abs=0.06))
    assert rows["Porosity"][2] == pytest.approx(70.0, abs=1.0)
    assert rows["Pore size, mean"][1] == 1000.0 and rows["Pore size, mean"][2] == pytest.approx(1000.0, rel=0.12)
    assert rows["Thinnest strut"][:2] == ("pass", 200.0) and 200.0 < rows["Thinnest strut"][2] < 553.0
    assert node.GetName() == "Block lattice" and bench.ui.latticeSelector.currentNode() is node
    assert bench.ui.fillButton.enabled and not bench.ui.cancelButton.enabled and bench.ui.messageLabel.text == ""


def test_other_wishes_and_edits_make_the_result_out_of_date(bench: Bench, block: Any) -> None:
    bench.apply()
    ready = bench.ui.resultCollapsibleButton.text
    assert ready[0] in "✓⚠"
    bench.ui.porositySlider.value = 65.0
    assert bench.ui.resultCollapsibleButton.text.startswith("↻")
    bench.ui.porositySlider.value = 70.0
    assert bench.ui.resultCollapsibleButton.text == ready
    move = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    block.SetAndObserveTransformNodeID(move.GetID())
    assert bench.ui.resultCollapsibleButton.text == ready  # it moves nothing yet
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 20.0)
    move.SetMatrixTransformToParent(matrix)
    assert bench.ui.resultCollapsibleButton.text.startswith("↻")
    bench.apply()
    assert bench.parameters.lattice.GetPolyData().GetBounds()[0] == pytest.approx(20.0 - EDGE / 2, abs=0.01)
    matrix.SetElement(1, 1, 2.0)
    move.SetMatrixTransformToParent(matrix)
    bench.ui.fillButton.click()
    assert "scales, shears or mirrors" in bench.ui.messageLabel.text and not bench.panel.work.busy


def test_a_wish_for_a_cell(bench: Bench, block: Any) -> None:
    ui = bench.ui
    bench.choose(ui.wishComboBox, "Cell size and thickness")
    bench.choose(ui.cellComboBox, "Body-centred cubic struts")
    assert ui.cellSizeSlider.visible and not ui.poreSizeSlider.visible and not ui.porosityLabel.visible
    ui.cellSizeSlider.value, ui.thicknessSlider.value = 2.0, 1.5
    assert "take struts of" in ui.latticeLabel.text and not ui.fillButton.enabled
    ui.thicknessSlider.value = 0.6
    assert "cells of 2.00 mm, struts of about 600 µm" in ui.latticeLabel.text
    bench.apply()
    assert bench.rows()["Strut thickness, mean"][1] == 600.0
    wanted, made = bench.rows()["Porosity"][1:]
    assert made == pytest.approx(wanted, abs=1.0)
    assert volume_of(bench.parameters.lattice) / EDGE**3 == pytest.approx(1.0 - wanted / 100.0, abs=0.01)


def test_a_segment_becomes_a_lattice(bench: Bench) -> None:
    from vtk.util.numpy_support import numpy_to_vtk

    voxels = np.zeros((12, 12, 12), np.uint8)
    voxels[1:11, 1:11, 1:11] = 1
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(12, 12, 12)
    image.SetSpacing(0.4, 0.4, 0.4)
    image.GetPointData().SetScalars(numpy_to_vtk(voxels.ravel(), deep=True))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Bones")
    node.CreateDefaultDisplayNodes()
    node.AddSegmentFromBinaryLabelmapRepresentation(image, "Graft")
    bench.choose(bench.ui.sourceComboBox, "A segment")
    assert bench.ui.segmentSelector.visible and not bench.ui.domainSelector.visible
    bench.ui.segmentSelector.setCurrentNode(node)
    bench.ui.poreSizeSlider.value = 1000.0
    bench.host.process_events()
    assert bench.parameters.segmentation is node
    assert bench.parameters.segmentID == node.GetSegmentation().GetNthSegmentID(0)
    bench.apply()
    assert bench.ui.messageLabel.text == "" and bench.parameters.lattice.GetName() == "Graft lattice"
    assert volume_of(bench.parameters.lattice) / 4.0**3 == pytest.approx(0.30, abs=0.03)
    ready = bench.ui.resultCollapsibleButton.text
    node.GetSegmentation().GetNthSegment(0).SetName("Cage")
    assert bench.ui.resultCollapsibleButton.text == ready
    node.GetSegmentation().RemoveSegment(bench.parameters.segmentID)
    bench.host.process_events()
    assert not bench.ui.fillButton.enabled


def test_a_shell_of_given_depth(bench: Bench, block: Any) -> None:
    block.SetAndObservePolyData(block_of(5.0, "Larger").GetPolyData())
    bench.choose(bench.ui.whereComboBox, "In a shell under the surface")
    assert bench.ui.shellDepthSlider.visible and not bench.ui.roiSelector.visible
    bench.ui.shellDepthSlider.value = 1.5
    bench.apply()
    assert bench.ui.messageLabel.text == ""
    assert volume_of(bench.parameters.lattice) / (5.0**3 - 2.0**3) == pytest.approx(0.30, abs=0.01)
    assert bench.rows()["Porosity"][2] == pytest.approx(70.0, abs=1.0)


def test_a_layer_next_to_a_surface_joined_to_the_rest_of_the_body(bench: Bench, block: Any) -> None:
    from LatticeGeneratorLib.mesh.mesh import Mesh
    from LatticeGeneratorLib.scene.models import polydata

    ui = bench.ui
    bench.choose(ui.whereComboBox, "In a layer next to a surface")
    assert ui.shellDepthSlider.visible and ui.patchSelector.visible and ui.joinedCheckBox.visible
    assert "choose the model of the surface" in ui.whereLabel.text and not ui.fillButton.enabled
    half = EDGE / 2
    corners = np.array([[-half, -half, half], [half, -half, half], [half, half, half], [-half, half, half]])
    patch = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode", "Contact")
    patch.SetAndObserveMesh(polydata(Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]]))))
    ui.patchSelector.setCurrentNode(patch)
    bench.host.process_events()
    ui.shellDepthSlider.value = 2.0
    assert ui.whereLabel.text == "The result is the porous part alone." and not ui.denserCheckBox.visible
    ui.joinedCheckBox.checked = True
    assert "solid in the rest" in ui.whereLabel.text
    bench.apply()
    assert ui.messageLabel.text == ""
    assert volume_of(bench.parameters.lattice) / EDGE**2 == pytest.approx(EDGE - 2.0 + 0.30 * 2.0, abs=0.02)
    assert bench.rows()["Porosity"] == ("pass", 70.0, pytest.approx(70.0, abs=0.1))
    assert "Made on a grid of 100 µm." in ui.resultLabel.text
    ready = ui.resultCollapsibleButton.text
    ui.thinningSlider.value = 10.0
    assert ui.resultCollapsibleButton.text.startswith("↻") and not ready.startswith("↻")


def test_within_a_region_of_interest(bench: Bench, block: Any) -> None:
    bench.choose(bench.ui.whereComboBox, "Within a region of interest")
    assert "choose the region of interest" in bench.ui.whereLabel.text and not bench.ui.fillButton.enabled
    roi = bench.ui.roiSelector.addNode()
    bench.host.process_events()
    assert "no volume" in bench.ui.whereLabel.text
    bench.ui.fitButton.click()
    assert roi.GetSize() == pytest.approx((EDGE, EDGE, EDGE)) and bench.ui.fillButton.enabled
    roi.SetCenter(0.0, 0.0, 2.0)
    roi.SetSize(9.0, 9.0, 6.0)  # the block reaches from -1.5 to 1.5
    bench.apply()
    assert volume_of(bench.parameters.lattice) / (EDGE * EDGE * 2.5) == pytest.approx(0.30, abs=0.01)
    ready = bench.ui.resultCollapsibleButton.text
    roi.SetCenter(0.0, 0.0, 2.5)
    assert bench.ui.resultCollapsibleButton.text.startswith("↻") != ready.startswith("↻")
    roi.SetCenter(0.0, 0.0, 50.0)
    bench.apply()
    assert "no part of the body can be cut out with the box" in bench.ui.messageLabel.text


def test_an_open_model_is_refused_in_words(bench: Bench, block: Any) -> None:
    from LatticeGeneratorLib.mesh.mesh import Mesh
    from LatticeGeneratorLib.scene.models import mesh_of, polydata

    closed = mesh_of(block)
    block.SetAndObservePolyData(polydata(Mesh(closed.vertices, closed.faces[1:])))
    bench.ui.fillButton.click()
    assert not bench.panel.work.busy and bench.parameters.lattice is None
    assert "the model 'Block' cannot be filled: 3 open edges" in bench.ui.messageLabel.text
    assert "repair its surface" in bench.ui.messageLabel.text


def test_cancel_ends_the_child_and_leaves_what_there_was(bench: Bench, block: Any) -> None:
    bench.apply()
    before = volume_of(bench.parameters.lattice), bench.parameters.measured
    bench.ui.porositySlider.value = 60.0
    bench.ui.fillButton.click()
    process = bench.process
    bench.ui.cancelButton.click()
    assert not bench.panel.work.busy and bench.ui.fillButton.enabled and bench.ui.stageLabel.text == "Cancelled"
    assert process.wait(20) is not None
    bench.host.process_events(0.3)
    assert (volume_of(bench.parameters.lattice), bench.parameters.measured) == before
    assert bench.ui.messageLabel.text == ""


def test_a_killed_child_is_told_and_the_next_one_works(bench: Bench, block: Any) -> None:
    bench.ui.fillButton.click()
    os.kill(bench.process.pid, signal.SIGSEGV)  # as when native code crashes
    bench.wait()
    assert "signal 11" in bench.ui.messageLabel.text and "crashed" in bench.ui.messageLabel.text
    assert bench.parameters.lattice is None and bench.ui.stageLabel.text == "Failed"
    bench.apply()
    assert bench.parameters.lattice is not None and bench.ui.messageLabel.text == ""


def test_missing_packages_are_asked_for_once_where_they_are_needed(
    bench: Bench, block: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slicer import packaging

    monkeypatch.setattr(packaging, "answer", "declined")
    monkeypatch.setattr(packaging, "_is_met", lambda requirement: False)
    packaging.requests.clear()
    bench.ui.fillButton.click()
    assert len(packaging.requests) == 1 and packaging.requests[0]["requester"] == "Lattice Generator"
    assert not bench.panel.work.busy and "declined" in bench.ui.messageLabel.text


def test_another_body_chosen_meanwhile_does_not_lend_its_name(bench: Bench, block: Any) -> None:
    bench.ui.fillButton.click()
    other = block_of(2.0, "Other")
    bench.ui.domainSelector.setCurrentNode(other)
    slicer.mrmlScene.RemoveNode(block)
    bench.wait()
    assert bench.parameters.lattice.GetName() == "Block lattice" and other.GetDisplayNode().GetVisibility()
    assert bench.ui.resultCollapsibleButton.text.startswith("↻")


def test_the_scene_may_close_in_the_middle_of_the_work(bench: Bench, block: Any) -> None:
    bench.ui.fillButton.click()
    process = bench.process
    bench.host.close_scene()
    assert not bench.panel.work.busy and process.wait(20) is not None
    bench.host.process_events(0.3)
    assert slicer.util.getNodesByClass("vtkMRMLModelNode") == [] or all(
        node.GetHideFromEditors() for node in slicer.util.getNodesByClass("vtkMRMLModelNode")
    )
    assert not bench.ui.fillButton.enabled and bench.ui.progressBar.value == 0
    bench.ui.domainSelector.setCurrentNode(block_of())
    bench.host.process_events()
    assert bench.ui.fillButton.enabled


def test_a_job_goes_on_while_another_module_is_open_and_ends_with_the_application(bench: Bench, block: Any) -> None:
    bench.ui.fillButton.click()
    bench.host.close_module()
    bench.wait()
    bench.host.open_module("LatticeGenerator")
    assert bench.parameters.lattice is not None and bench.ui.resultTable.rowCount == 12
    bench.ui.fillButton.click()
    process = bench.process
    bench.host.quit()
    try:
        assert process.wait(20) is not None and not bench.panel.work.busy
    finally:
        start()


def test_a_scene_brings_choices_and_result_back(bench: Bench, block: Any, tmp_path: Path) -> None:
    bench.choose(bench.ui.whereComboBox, "In a shell under the surface")
    bench.ui.shellDepthSlider.value = 1.8
    bench.apply()
    bench.parameters.lattice.GetDisplayNode().SetOpacity(0.5)
    rows, head, volume = bench.rows(), bench.ui.resultCollapsibleButton.text, volume_of(bench.parameters.lattice)
    file = bench.host.save_scene(tmp_path / "lattice.mrb")
    bench.host.close_scene()
    assert bench.ui.resultTable.rowCount == 0 and bench.ui.poreSizeSlider.value == 550.0
    bench.host.load_scene(file)
    gc.collect()
    assert bench.ui.domainSelector.currentNode().GetName() == "Block"
    assert bench.ui.poreSizeSlider.value == 1000.0 and bench.ui.shellDepthSlider.value == pytest.approx(1.8)
    assert bench.ui.whereComboBox.currentText == "In a shell under the surface"
    assert bench.rows() == rows and bench.ui.resultCollapsibleButton.text == head
    lattice = bench.parameters.lattice
    assert volume_of(lattice) == pytest.approx(volume, rel=1e-4) and lattice.GetDisplayNode().GetOpacity() == 0.5
    bench.apply()
    assert bench.parameters.lattice is lattice and lattice.GetDisplayNode().GetOpacity() == 0.5
    bench.ui.shellDepthSlider.value = 1.9
    assert bench.ui.resultCollapsibleButton.text.startswith("↻")


def test_a_result_that_cannot_be_read_is_said_and_nothing_else_is_lost(bench: Bench, block: Any) -> None:
    bench.parameters.measured = "{broken"
    assert bench.ui.resultCollapsibleButton.text.startswith("✗") and "cannot be read" in bench.ui.resultLabel.text
    assert bench.ui.fillButton.enabled


def test_every_choice_has_words_and_says_its_unit(bench: Bench) -> None:
    ui = bench.ui
    for box in (ui.sourceComboBox, ui.cellComboBox, ui.wishComboBox, ui.whereComboBox):
        assert all(" " in box.itemText(place) for place in range(box.count))
    for slider, unit, limits in (
        (ui.porositySlider, " %", "30 to 95 %"), (ui.poreSizeSlider, " µm", "100 to 3000 µm"),
        (ui.cellSizeSlider, " mm", "0.4 to 10 mm"), (ui.thicknessSlider, " mm", "0.05 to 4 mm"),
        (ui.shellDepthSlider, " mm", "0.2 to 30 mm"),
    ):  # fmt: skip
        assert slider.suffix == unit and limits in slider.toolTip
        low, high = (float(part) for part in limits.split(" ")[:3:2])
        assert (slider.minimum, slider.maximum) == (low, high)


def test_the_module_tests_itself(host: Any) -> None:
    host.run_self_test("LatticeGenerator")
