"""A second image in the panel: chosen, registered in a child process, its error told, cord and dura in the case."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from second_image import motion, moved
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.case.register import Registration, Window
from SpinalStrutDesignerLib.case.registration_json import registration_to_json
from SpinalStrutDesignerLib.scene.sample import show_case

STAND_IN = Path(__file__).with_name("stand_in_files.py")
NAMES = ("spinal_cord", "dural_sac")


@pytest.fixture
def chosen(bench: Any, phantom: Case, drawn_mri: Case) -> Any:
    """The panel with the phantom's vertebrae, and the second image chosen."""
    bench.parameters.previewVisible = bench.parameters.endplatesVisible = False
    bench.load(phantom.with_structures(s for s in phantom.structures if s.level))
    image, drawn = show_case(slicer.mrmlScene, drawn_mri, "Phantom MRI")
    bench.ui.secondImageSelector.setCurrentNode(image)
    bench.ui.secondSegmentationSelector.setCurrentNode(drawn)
    bench.host.process_events()
    assert bench.parameters.secondImage is image and bench.parameters.secondSegmentation is drawn
    return bench


@pytest.fixture
def stood_in(chosen: Any, mri_motion: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """As `chosen`; in place of the command its file is copied, with the true place and an error of 0.37 mm."""
    from SpinalStrutDesignerLib.panel import jobs  # which only the host can import

    whole, made = jobs.register_job, tmp_path / "made.json"
    windows = (Window("C4", np.zeros(3), 0.21, np.zeros(3)), Window("T2", np.zeros(3), 0.37, np.zeros(3)))
    found = Registration(np.linalg.inv(mri_motion), "made up", 0.37, "of the test", windows, 0.1, ("look at both",))
    made.write_text(registration_to_json(found), encoding="utf-8")

    def stand_in(*given: Any) -> Any:
        job = whole(*given)
        assert job.arguments[:2] == ("-m", "SpinalStrutDesignerLib.cli")
        return replace(job, arguments=(str(STAND_IN), str(made), "--out", "--", *job.arguments[2:]))

    monkeypatch.setattr(jobs, "register_job", stand_in)
    return chosen


def erase_lowest(parameters: Any, name: str) -> None:
    """Erases the lowest slices of what is drawn on the second image, as the Segment Editor leaves it."""
    node, image = parameters.secondSegmentation, parameters.secondImage
    segment = node.GetSegmentation().GetSegmentIdBySegmentName(name)
    voxels = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, image)
    voxels[: int(np.flatnonzero(voxels.any(axis=(1, 2)))[0]) + 2] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, node, segment, image)


def register(bench: Any) -> None:
    """The button, and the end of the job."""
    bench.ui.registerButton.click()
    bench.wait_for_job()
    assert bench.message == ""


def cord_error(bench: Any, phantom: Case, mri_motion: np.ndarray) -> float:
    """The largest distance by which a point of the cord comes back elsewhere than it truly is, mm."""
    cord = phantom.structure("spinal_cord").points[::200]
    return float(np.linalg.norm(moved(bench.desk.registration.matrix @ mri_motion, cord) - cord, axis=1).max())


def test_until_it_is_registered_nothing_of_it_is_used(chosen: Any) -> None:
    ui = chosen.ui
    assert not ui.secondGroupBox.collapsed and ui.registerButton.enabled
    assert "not registered to the CT yet" in ui.secondLabel.text
    assert chosen.heads()["anatomy"] == "⚠" and "second image" in ui.anatomyButton.text
    assert not {s.name for s in chosen.desk.case().structures} & set(NAMES)


def test_cord_and_dura_become_part_of_the_case_with_their_error(stood_in: Any, phantom: Case) -> None:
    before = stood_in.desk.case().digest
    register(stood_in)
    case = stood_in.desk.case()
    assert {s.name: (s.role, s.error_mm) for s in case.structures if s.name in NAMES} == {
        name: ("keepout_critical", 0.37) for name in NAMES
    }
    assert case.digest != before and stood_in.heads()["anatomy"] == "✓"
    words = stood_in.ui.secondLabel.text
    assert "0.37 mm" in words and "C4 0.21, T2 0.37" in words and "look at both" in words
    names = [stood_in.ui.rolesTable.item(row, 0).text() for row in range(stood_in.ui.rolesTable.rowCount)]
    assert names[-2:] == list(NAMES)


def test_a_plan_made_before_is_out_of_date_and_checks_keep_the_error(stood_in: Any) -> None:
    stood_in.choose(stood_in.ui.upperLevelComboBox, "C4")
    stood_in.choose(stood_in.ui.lowerLevelComboBox, "T2")
    stood_in.parameters.plannedOn = stood_in.desk.case().digest
    register(stood_in)
    assert stood_in.heads()["anatomy"] == "↻"
    cord = stood_in.desk.case().structure("spinal_cord")
    place = cord.points[:5] + np.array([14.0, 0.0, 0.0])
    np.testing.assert_allclose(cord.distance(place), replace(cord, error_mm=0.0).distance(place) - 0.37)


def test_the_span_alone_is_asked_for(stood_in: Any, tmp_path: Path) -> None:
    assert not stood_in.ui.secondSpanCheckBox.enabled  # there is no span yet
    stood_in.choose(stood_in.ui.upperLevelComboBox, "C7")
    stood_in.choose(stood_in.ui.lowerLevelComboBox, "T2")
    stood_in.ui.secondSpanCheckBox.checked = True
    register(stood_in)
    called = json.loads((tmp_path / "called.json").read_text(encoding="utf-8"))
    assert called[called.index("--second-levels") + 1] == "C7,T1,T2"


def test_an_edit_of_what_is_drawn_counts_at_once_and_a_moved_image_no_more(stood_in: Any, drawn_mri: Case) -> None:
    register(stood_in)
    before = stood_in.desk.case().structure("dural_sac").mask.voxels.sum()
    erase_lowest(stood_in.parameters, "dural_sac")
    stood_in.host.process_events()
    assert stood_in.desk.case().structure("dural_sac").mask.voxels.sum() != before
    node = stood_in.parameters.secondImage.GetParentTransformNode()
    matrix = node.GetMatrixTransformToParent()
    matrix.SetElement(2, 3, matrix.GetElement(2, 3) + 1.0)
    node.SetMatrixTransformToParent(matrix)
    stood_in.host.process_events()
    assert "was moved since" in stood_in.ui.secondLabel.text and stood_in.heads()["anatomy"] == "⚠"
    assert not {s.name for s in stood_in.desk.case().structures} & set(NAMES)


def test_what_is_given_twice_is_told(stood_in: Any, phantom: Case) -> None:
    own = phantom.with_structures(s for s in phantom.structures if s.level or s.name in NAMES)
    stood_in.load(own)
    register(stood_in)
    assert "drawn on the CT and on the second image" in stood_in.ui.secondLabel.text


def test_it_is_saved_with_the_scene(stood_in: Any, tmp_path: Path) -> None:
    register(stood_in)
    digest = stood_in.desk.case().digest
    stood_in.host.save_scene(tmp_path / "case.mrb")
    stood_in.host.close_scene()
    stood_in.host.load_scene(tmp_path / "case.mrb")
    stood_in.host.process_events(0.1)
    assert stood_in.desk.second_fault == "" and stood_in.desk.case().digest == digest
    assert "0.37 mm" in stood_in.ui.secondLabel.text


@pytest.fixture
def short(chosen: Any) -> Any:
    """As `chosen`, to be registered by three levels alone, which takes less time than ten."""
    chosen.choose(chosen.ui.upperLevelComboBox, "C7")
    chosen.choose(chosen.ui.lowerLevelComboBox, "T2")
    chosen.ui.secondSpanCheckBox.checked = True
    return chosen


def test_the_command_itself_finds_the_pseudo_mri(short: Any, phantom: Case, mri_motion: np.ndarray) -> None:
    register(short)
    cord = short.desk.case().structure("spinal_cord")
    # Three levels tell less of the cord's far ends, of which the points are too, than the whole spine.
    assert cord_error(short, phantom, mri_motion) < 1.0 and 0.0 < cord.error_mm < 1.0


def test_a_transform_made_in_slicer_is_judged(short: Any, phantom: Case, mri_motion: np.ndarray) -> None:
    import vtk

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "By hand")
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy((motion((0, 0, 0), (0, 0, 9), np.zeros(3)) @ np.linalg.inv(mri_motion)).ravel())
    node.SetMatrixTransformToParent(matrix)
    for placed in (short.parameters.secondImage, short.parameters.secondSegmentation):
        placed.SetAndObserveTransformNodeID(node.GetID())
    short.ui.secondTransformSelector.setCurrentNode(node)
    short.ui.registerButton.click()
    short.wait_for_job()
    assert "cannot be registered to the CT to within 3 mm" in short.message
    matrix.DeepCopy(np.linalg.inv(mri_motion).ravel())
    node.SetMatrixTransformToParent(matrix)
    register(short)
    assert cord_error(short, phantom, mri_motion) < 1e-6
    assert 0.0 < short.desk.case().structure("spinal_cord").error_mm < 0.8
