"""A CT without a segmentation: vertebrae from seeds, then cord and dura from a made-up MRI of the phantom."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from .stage import FRONT_LEFT, Stage
from .strut import BONE_OPACITY, NECK_MM, load_the_phantom

LEVELS = ("C4", "T2")
MRI_SLICES_MM = {"Red": 60.0, "Green": 110.0, "Yellow": 110.0}
# How the patient lies in the MRI beside the CT: turned (degrees), then shifted (mm).
TURNED_DEG, SHIFTED_MM = (6.0, -4.0, 9.0), (12.0, -20.0, 25.0)
PLATES_TIMEOUT_S = 300.0


def segment_from_seeds(stage: Stage) -> None:
    """One click in each docking vertebra of the bare CT; what was found, and is to be looked at."""
    from SpinalStrutDesignerLib.case.phantom import phantom_truth

    stage.host.close_scene()
    stage.dress_views()
    load_the_phantom(stage)
    slicer.mrmlScene.RemoveNode(stage.panel.desk.parameters.segmentation)
    stage.open_only("anatomyButton")
    bodies = phantom_truth().bodies
    for level in LEVELS:
        _place_seed(stage, level, bodies[level])
    stage.ui.segmentButton.click()
    stage.wait_for_job()
    stage.choose(stage.ui.upperLevelComboBox, LEVELS[0])
    stage.choose(stage.ui.lowerLevelComboBox, LEVELS[1])
    _wait_for_plates(stage)
    # All of the step in one picture: the endplates are in the first.
    stage.ui.segmentGroupBox.collapsed, stage.ui.endplatesGroupBox.collapsed = False, True
    stage.show_in_3d(("other_bone", "lungs"), 1.0)
    middle = np.mean([bodies[level] for level in LEVELS], axis=0)
    stage.look_from(FRONT_LEFT, middle, NECK_MM)
    stage.show_in_slices(middle, {"Red": 150.0, "Green": NECK_MM, "Yellow": NECK_MM})
    stage.take("8_seeds")


def register_an_mri(stage: Stage) -> None:
    """The segmentation accepted; an MRI of the patient registered, on which cord and dura were drawn."""
    stage.ui.acceptButton.click()
    image, drawn = _mri()
    stage.ui.secondImageSelector.setCurrentNode(image)
    stage.ui.secondSegmentationSelector.setCurrentNode(drawn)
    stage.ui.registerButton.click()
    stage.wait_for_job()
    _wait_for_plates(stage)
    stage.ui.segmentGroupBox.collapsed, stage.ui.secondGroupBox.collapsed = True, False
    slicer.util.setSliceViewerLayers(foreground=image, foregroundOpacity=0.6)
    drawn.CreateClosedSurfaceRepresentation()
    stage.show_in_3d(("other_bone", "lungs", "airway", "spinal_canal"), BONE_OPACITY)
    middle = stage.panel.desk.case().structure("spinal_cord").points.mean(axis=0)
    stage.look_from(FRONT_LEFT, middle, NECK_MM)
    stage.show_in_slices(middle, MRI_SLICES_MM)
    stage.take("9_second_image")


def _place_seed(stage: Stage, level: str, place: np.ndarray) -> None:
    """As a person does it: the level, the button, a click in the sagittal slice."""
    box = stage.ui.seedLevelComboBox
    box.currentIndex = box.findData(level)
    stage.panel.jump_to(tuple(float(x) for x in place))
    stage.host.process_events(0.1)
    stage.ui.placeSeedButton.click()
    stage.host.slice_view("Yellow").mouse.click(place)
    stage.host.process_events(0.1)


def _wait_for_plates(stage: Stage) -> None:
    landmarks = stage.panel.steps[0].endplates.landmarks
    stage.host.wait_for(lambda: not landmarks.busy, PLATES_TIMEOUT_S, "the endplates")


def _mri() -> tuple[Any, Any]:
    """Volume and segmentation nodes of what a scanner for MRI would show of the phantom, cord and dura drawn on it."""
    from second_image import as_case, middle, motion, mri  # the tests' own
    from SpinalStrutDesignerLib.case.phantom import make_phantom
    from SpinalStrutDesignerLib.scene.sample import show_case

    phantom = make_phantom()
    ct_to_mri = motion(TURNED_DEG, SHIFTED_MM, middle(phantom))
    case = as_case(phantom, ct_to_mri, mri(phantom, ct_to_mri), ("spinal_cord", "dural_sac"))
    image, drawn = show_case(slicer.mrmlScene, case, "Phantom MRI")
    image.SetName("Phantom MRI")
    image.GetDisplayNode().SetAutoWindowLevel(True)
    return image, drawn
