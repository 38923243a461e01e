"""The work in the Spinal Strut Designer, step by step, each with its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
from slicer_host.host import REPOSITORY

from .stage import FRONT_LEFT, Stage

Layouts = slicer.vtkMRMLLayoutNode

# Heights of what the views show, mm: the neck; the strut with both docking vertebrae; one vertebra.
NECK_MM, STRUT_MM, VERTEBRA_MM = 215.0, 125.0, 62.0
STRUT_SLICES_MM = {"Red": 80.0, "Green": STRUT_MM, "Yellow": STRUT_MM}

# They lie before the spine: ribs and shoulder girdle, lungs; then all that is soft.
IN_FRONT = ("other_bone", "lungs")
SOFT = (
    *IN_FRONT, "spinal_cord", "dural_sac", "trachea_airway", "oesophagus", "carotids", "vertebral_arteries",
    "great_vessels", "jugulars", "larynx_cartilage", "discs",
)  # fmt: skip
BONE_OPACITY = 0.45

# Shown by Sample Data; about the size of Slicer's own.
THUMBNAIL = REPOSITORY / "SpinalStrutDesigner" / "Resources" / "Icons" / "StrutPhantom.png"
THUMBNAIL_PX, THUMBNAIL_MM = (260, 280), 140.0

PREVIEW_TIMEOUT_S = 300.0

# Of the way in, per cent: where the implant passes what is held aside.
ON_ITS_WAY = 80.0


def load_the_phantom(stage: Stage) -> None:
    """The phantom from Sample Data, then the module."""
    import SampleData  # the host puts it where Python finds it

    SampleData.downloadSample("StrutPhantom")
    stage.host.open_module("SpinalStrutDesigner")
    stage.host.process_events(0.3)


def choose_levels(stage: Stage) -> None:
    """Anatomy: what was found, between which levels the strut shall stand, and on which endplates."""
    stage.choose(stage.ui.upperLevelComboBox, "C4")
    stage.choose(stage.ui.lowerLevelComboBox, "T2")
    stage.open_only("anatomyButton")
    landmarks = stage.panel.steps[0].endplates.landmarks
    stage.host.wait_for(lambda: not landmarks.busy, PREVIEW_TIMEOUT_S, "the endplates")
    stage.show_in_3d(IN_FRONT, 1.0)
    middle = _middle_of_spine(stage)
    stage.look_from(FRONT_LEFT, middle, NECK_MM)
    stage.show_in_slices(middle, {"Red": 150.0, "Green": NECK_MM, "Yellow": NECK_MM})
    stage.take("1_anatomy")


def propose_the_plan(stage: Stage) -> None:
    """The plan as proposed, and the live preview."""
    stage.ui.proposeButton.click()
    stage.wait_for_job()
    stage.host.wait_for(lambda: stage.panel.live.ready, PREVIEW_TIMEOUT_S, "the preview")
    stage.show_in_3d(SOFT, BONE_OPACITY)
    middle = _point_of_axis(stage)
    stage.panel.desk.parameters.handlesVisible = False
    stage.look_from(FRONT_LEFT, middle, THUMBNAIL_MM)
    stage.take_thumbnail(THUMBNAIL, THUMBNAIL_PX)
    stage.panel.desk.parameters.handlesVisible = True
    stage.look_from(FRONT_LEFT, middle, STRUT_MM)
    stage.show_in_slices(middle, STRUT_SLICES_MM)


def drag_the_axis(stage: Stage) -> None:
    """A point of the axis dragged forward by two millimetres in the sagittal slice: the clearances follow."""
    start = _point_of_axis(stage)
    stage.open_only("axisButton")
    stage.ui.opacitySlider.value = 0.7
    stage.host.slice_view("Yellow").mouse.drag(start, start + np.array([0.0, 2.0, 0.0]))
    stage.host.process_events(0.5)
    stage.take("2_axis")


def change_the_strut(stage: Stage) -> None:
    """Sliders of the strut and its upper foot."""
    stage.ui.opacitySlider.value = 1.0
    stage.ui.plan_section_width_mm.value = 11.0
    stage.open_only("strutButton")
    stage.ui.upperFootGroupBox.collapsed = False
    stage.take("3_strut")


def look_along_a_screw(stage: Stage) -> None:
    """The porous interface and the screws; a slice view lies along the chosen screw."""
    stage.arrange(Layouts.SlicerLayoutFourUpView)
    stage.open_only("interfaceButton", "screwsButton")
    number = next(n for n, screw in enumerate(stage.plan.screws) if screw.level == "T2")
    screw = stage.plan.screws[number]
    middle = np.asarray(screw.entry) + 0.5 * screw.length_mm * np.asarray(screw.direction)
    stage.show_in_slices(middle, dict.fromkeys(STRUT_SLICES_MM, VERTEBRA_MM))
    stage.look_from(FRONT_LEFT, middle, VERTEBRA_MM)
    stage.ui.screwTable.setCurrentCell(number, 0)
    stage.ui.screwTable.cellClicked.emit(number, 0)
    stage.ui.viewScrewButton.click()
    stage.take("4_screws")
    stage.panel.desk.parameters.following = "none"


def bring_it_in(stage: Stage) -> None:
    """The ways in searched; the implant on its way between what is held aside."""
    stage.arrange(Layouts.SlicerLayoutConventionalWidescreenView)
    stage.ui.insertButton.click()
    stage.wait_for_job()
    stage.host.wait_for(lambda: stage.panel.live.ready, PREVIEW_TIMEOUT_S, "the preview")
    stage.open_only("insertionButton")
    stage.show_in_3d(IN_FRONT, BONE_OPACITY)
    stage.ui.waySlider.value = ON_ITS_WAY
    told = stage.ui.wayLabel
    stage.host.wait_for(lambda: "Nearest" in told.text, PREVIEW_TIMEOUT_S, "what lies beside the implant")
    middle = _point_of_axis(stage)
    stage.look_from(FRONT_LEFT, middle, NECK_MM)
    stage.show_in_slices(middle, {"Red": 150.0, "Green": NECK_MM, "Yellow": NECK_MM})
    stage.take("10_insertion")
    stage.ui.inPlaceButton.click()


def check_the_design(stage: Stage) -> None:
    """The whole design made and measured in a child process."""
    # The code is on every document: set after the check, the release would make all of it anew.
    stage.ui.plan_case_code.text = "PHANTOM-01"
    stage.ui.plan_case_code.editingFinished.emit()
    stage.ui.checkRunButton.click()
    stage.wait_for_job()
    # The bone model is for printing; here it would lie over the segmentation's bones.
    slicer.util.getNode("spine").GetDisplayNode().SetVisibility(False)


def look_at_a_finding(stage: Stage) -> None:
    """The first finding that forbids manufacture and has a place, chosen: the slices go there."""
    stage.arrange(Layouts.SlicerLayoutFourUpView)
    stage.show_in_3d(SOFT, BONE_OPACITY)
    stage.open_only("checkButton")
    _choose_finding(stage)
    stage.look_from(FRONT_LEFT, _point_of_axis(stage), STRUT_MM)
    stage.take("5_check")


def release_the_design(stage: Stage, folder: Path) -> None:
    """The release folder written."""
    stage.arrange(Layouts.SlicerLayoutConventionalWidescreenView)
    stage.open_only("releaseButton")
    folder.mkdir(parents=True, exist_ok=True)
    stage.ui.outputFolderButton.directory = str(folder)
    stage.ui.releaseRunButton.click()
    stage.wait_for_job()
    stage.look_from(FRONT_LEFT, _point_of_axis(stage), STRUT_MM)
    stage.show_in_slices(_point_of_axis(stage), STRUT_SLICES_MM)
    stage.take("6_release")


def _choose_finding(stage: Stage) -> None:
    table = stage.ui.findingsTable
    step: Any = next(step for step in stage.panel.steps if step.button == "checkButton")
    number, row = next((n, row) for n, row in enumerate(step._rows) if row.blocks and row.location is not None)
    stage.show_in_slices(row.location, dict.fromkeys(STRUT_SLICES_MM, VERTEBRA_MM))
    table.setCurrentCell(number, 0)
    table.cellClicked.emit(number, 0)


def _middle_of_spine(stage: Stage) -> np.ndarray:
    """The middle of all that is segmented, RAS mm."""
    bounds = np.zeros(6)
    stage.panel.desk.parameters.segmentation.GetRASBounds(bounds)
    return bounds.reshape(3, 2).mean(axis=1)


def _point_of_axis(stage: Stage) -> np.ndarray:
    """The middle control point of the axis, RAS mm."""
    points = stage.plan.axis.control_points
    return np.asarray(points[len(points) // 2])
