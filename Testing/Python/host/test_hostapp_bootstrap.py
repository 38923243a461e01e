"""The host's scene, module logics, application object, messages and child processes."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer")


def test_logics_belong_to_the_scene(host: Any) -> None:
    assert slicer.mrmlScene is slicer.app.mrmlScene()
    for name in ("volumes", "segmentations", "markups", "models", "transforms", "tables", "texts", "terminologies",
                 "subjecthierarchy"):  # fmt: skip
        logic = getattr(slicer.modules, name).logic()
        assert logic.GetMRMLScene() is slicer.mrmlScene, name
        assert logic.GetMRMLApplicationLogic() is slicer.app.applicationLogic(), name
    with pytest.raises(AttributeError, match="nosuchmodule"):
        slicer.modules.nosuchmodule  # noqa: B018


def test_singletons_and_view_nodes_survive_scene_close(host: Any) -> None:
    names = ("vtkMRMLSelectionNodeSingleton", "vtkMRMLInteractionNodeSingleton", "vtkMRMLSliceNodeRed",
             "vtkMRMLViewNode1")  # fmt: skip
    before = [slicer.mrmlScene.GetNodeByID(name) for name in names]
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode", "Gone")
    host.close_scene()
    assert None not in before
    assert [slicer.mrmlScene.GetNodeByID(name) for name in names] == before
    assert slicer.mrmlScene.GetFirstNodeByName("Gone") is None


def test_segment_array_goes_through_the_modules_logic(host: Any) -> None:
    voxels = np.zeros((6, 7, 8), np.uint8)
    voxels[2:4, 3:6, 1:5] = 1
    volume = slicer.util.addVolumeFromArray(voxels, name="CT")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment = segmentation.GetSegmentation().AddEmptySegment("C6", "C6")
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, segmentation, segment, volume)
    assert np.array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segment, volume), voxels)


def test_subject_hierarchy_items_come_and_go_with_nodes(host: Any) -> None:
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    model = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode", "Strut")
    item = hierarchy.GetItemByDataNode(model)
    assert item and hierarchy.GetItemName(item) == "Strut"
    assert hierarchy.GetItemOwnerPluginName(item) == "Models"
    assert hierarchy.GetItemParent(item) == hierarchy.GetSceneItemID()
    hidden = slicer.vtkMRMLModelNode()
    hidden.HideFromEditorsOn()
    slicer.mrmlScene.AddNode(hidden)
    assert not hierarchy.GetItemByDataNode(hidden)
    assert not hierarchy.GetItemByDataNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))
    slicer.mrmlScene.RemoveNode(model)
    assert hierarchy.GetItemName(item) == ""


def test_a_study_as_the_dicom_import_leaves_it(host: Any) -> None:
    from slicer_host.dicom_items import Study, import_study

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    nodes = [slicer.util.addVolumeFromArray(np.zeros((2, 2, 2), np.int16), name=name) for name in ("Arterial", "Late")]
    patients = {import_study(node, Study(series_uid=f"1.2.{n}"))[0] for n, node in enumerate(nodes)}
    assert len(patients) == 1  # both series belong to one patient and one study
    study = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(nodes[1]))
    (patient,) = patients
    assert hierarchy.GetItemParent(study) == patient and hierarchy.GetItemLevel(patient) == "Patient"
    assert (
        hierarchy.GetAttributeFromItemAncestor(hierarchy.GetItemByDataNode(nodes[0]), "DICOM.PatientID", "Patient")
        == "P-001"
    )
    assert hierarchy.GetItemAttribute(study, "DICOM.StudyDate") == "20260801"


def test_application_object(host: Any, tmp_path: Any) -> None:
    assert slicer.util.mainWindow() is host.window
    assert slicer.app.testingEnabled() is False
    assert slicer.util.tempDirectory().startswith(slicer.app.temporaryPath)
    slicer.app.settings().setValue("Host/Number", 3)
    assert int(slicer.app.settings().value("Host/Number")) == 3
    heard: list[int] = []
    slicer.app.connect("startupCompleted()", lambda: heard.append(1))
    slicer.app.startupCompleted.emit()
    assert heard == [1]


def test_messages_are_recorded_and_answered(host: Any) -> None:
    slicer.util.errorDisplay("It broke.", detailedText="Where it broke.")
    host.messages.answer_next("Cancel", "No")
    assert slicer.util.confirmOkCancelDisplay("Go on?") is False
    assert slicer.util.confirmYesNoDisplay("Really?") is False
    assert slicer.util.confirmOkCancelDisplay("And now?") is True
    slicer.util.delayDisplay("Wait")
    assert [(m.kind, m.text, m.answer) for m in host.messages] == [
        ("error", "It broke.", "Ok"), ("question", "Go on?", "Cancel"), ("question", "Really?", "No"),
        ("question", "And now?", "Ok"), ("popup", "Wait", "Ok"),
    ]  # fmt: skip
    assert host.messages[0].details == "Where it broke."
    with pytest.raises(ValueError, match="Maybe"):
        host.messages.answer_next("Maybe")


def test_an_error_in_a_guarded_block_is_shown_and_raised(host: Any) -> None:
    with pytest.raises(ValueError, match="too thin"), slicer.util.tryWithErrorDisplay("No strut.", waitCursor=True):
        assert slicer.app.overrideCursor() is not None
        raise ValueError("too thin")
    assert slicer.app.overrideCursor() is None
    (message,) = host.messages.of_kind("error")
    assert message.text == "No strut.\n\ntoo thin"
    assert "test_hostapp_bootstrap" in message.details


def test_child_process_is_read_while_the_application_works(host: Any) -> None:
    code = "import os, sys; print('one'); print(os.environ['STRUT_WORD'], file=sys.stderr); sys.exit(3)"
    lines: list[str] = []
    ends: list[int] = []
    process = slicer.util.launchConsoleProcess(
        [sys.executable, "-c", code], updateEnvironment={"STRUT_WORD": "two", "PYTHONUNBUFFERED": "1"},
        blocking=False, logCallback=lines.append, completedCallback=ends.append,
    )  # fmt: skip
    assert isinstance(process, subprocess.Popen) and not lines and not ends
    host.wait_for(lambda: ends, 30, "the end of the child process")
    assert (lines, ends) == (["one", "two"], [3])
    with pytest.raises(TimeoutError, match="a miracle"):
        host.wait_for(lambda: False, 0.05, "a miracle")


def test_errors_in_slots_come_out(host: Any, caplog: pytest.LogCaptureFixture) -> None:
    import qt

    def fail() -> None:
        raise RuntimeError("nobody sees this")

    with caplog.at_level(logging.CRITICAL):
        qt.QTimer.singleShot(0, fail)
        with pytest.raises(AssertionError, match="nobody sees this"):
            host.process_events(0.05)


def test_sample_data_is_recorded_and_its_downloader_run(host: Any) -> None:
    import SampleData
    from slicer_host.sample_data import download

    register = SampleData.SampleDataLogic.registerCustomSampleDataSource
    calls = []
    known = {"category": "Planning", "sampleName": "Neck", "uris": "https://example.org/neck", "fileNames": "neck.nrrd"}
    for _time in range(2):  # a second registration of the same is ignored
        register(**known, customDownloader=calls.append)
    with pytest.raises(TypeError, match="sampleDescription"):
        register(**known, sampleDescription="not an argument of the application's function")
    with pytest.raises(ValueError, match="same length"):
        SampleData.SampleDataSource(sampleName="Bad", uris=["a", "b"], fileNames=["a"])
    download("Neck")
    assert len(SampleData.SampleDataLogic.sampleDataSourcesByCategory("Planning")) == 1
    assert [source.sampleName for source in calls] == ["Neck"]
    del slicer.modules.sampleDataSources["Planning"]
