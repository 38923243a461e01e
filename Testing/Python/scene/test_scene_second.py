"""A second image as nodes: what is drawn on it comes to where it truly is, and nothing that is out of date is used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import slicer
from LatticeGeneratorLib.scene.place import to_world
from second_image import middle, motion, moved
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.case.register import Registration, Window
from SpinalStrutDesignerLib.errors import CaseError
from SpinalStrutDesignerLib.plan.plan import Corrections
from SpinalStrutDesignerLib.scene.belongings import Belongings
from SpinalStrutDesignerLib.scene.case_folder import case_folder
from SpinalStrutDesignerLib.scene.case_of import case_of
from SpinalStrutDesignerLib.scene.job import register_job
from SpinalStrutDesignerLib.scene.sample import show_case
from SpinalStrutDesignerLib.scene.second_image import (
    ROLE,
    given_matrix,
    registered_of,
    registration_of,
    second_volume,
    show_registration,
)

NAMES = ("spinal_cord", "dural_sac")


@pytest.fixture
def chosen(scene: Any, owner: Any, phantom: Case, drawn_mri: Case) -> Any:
    """A parameter node's choices: the phantom's CT without cord and dura, and the second image."""
    bare = phantom.with_structures(s for s in phantom.structures if s.name not in NAMES)
    volume, segmentation = show_case(scene, bare, "Phantom")
    image, drawn = show_case(scene, drawn_mri, "Phantom MRI")
    return SimpleNamespace(
        parameterNode=owner, volume=volume, segmentation=segmentation, secondImage=image, secondSegmentation=drawn,
        secondTransform=None,
    )  # fmt: skip


def registered(chosen: Any, phantom: Case, matrix: np.ndarray, error_mm: float = 0.3) -> Any:
    """A registration that a command would have written, taken in."""
    found = Registration(
        matrix, "made up", error_mm, "of the test", (Window("C4", np.zeros(3), 0.2, np.zeros(3)),), 0.1
    )
    made_of = registered_of(phantom.ct, second_volume(chosen), given_matrix(chosen))
    return show_registration(chosen, found, made_of, case_folder(chosen.parameterNode, None, "Strut"))


def test_cord_and_dura_come_to_where_they_truly_are(chosen: Any, phantom: Case, mri_motion: np.ndarray) -> None:
    registered(chosen, phantom, np.linalg.inv(mri_motion))
    case = case_of(chosen)
    for name in NAMES:
        true, came = phantom.structure(name), case.structure(name)
        assert came.role == "keepout_critical" and came.error_mm == 0.3
        # The middle of the same stretch of both, well within the second image: voxels of 3 mm shift it by nothing.
        low, high = middle(phantom)[2] - 60.0, middle(phantom)[2] + 60.0
        middles = [p[(p[:, 2] > low) & (p[:, 2] < high)].mean(axis=0) for p in (true.points, came.points)]
        assert np.linalg.norm(middles[0] - middles[1]) < 0.5
    # In the views both lie where the case has them.
    for node in (chosen.secondImage, chosen.secondSegmentation):
        np.testing.assert_allclose(to_world(node), np.linalg.inv(mri_motion), atol=1e-9)
    assert chosen.secondImage.GetParentTransformNode() is Belongings(chosen.parameterNode).get(ROLE)


def test_the_ct_may_lie_under_a_transform(
    chosen: Any, phantom: Case, mri_motion: np.ndarray, nodes: Any, turn: Any
) -> None:
    for node in (chosen.volume, chosen.segmentation):
        node.SetAndObserveTransformNodeID(nodes.transform(turn).GetID())
    ct = replace(phantom.ct, ijk_to_ras=turn @ phantom.ct.ijk_to_ras)
    registered(chosen, replace(phantom, ct=ct), turn @ np.linalg.inv(mri_motion))
    case = case_of(chosen)
    distance = case.structure("C4").points.mean(axis=0) - case.structure("spinal_cord").points.mean(axis=0)
    expected = phantom.structure("C4").points.mean(axis=0) - np.array(
        moved(np.linalg.inv(turn), case.structure("spinal_cord").points).mean(axis=0)
    )
    np.testing.assert_allclose(distance, turn[:3, :3] @ expected, atol=1e-3)


def test_before_it_is_registered_nothing_is_used(chosen: Any) -> None:
    with pytest.raises(CaseError, match="not registered to the CT yet: press 'Register'"):
        case_of(chosen)


@pytest.mark.parametrize("change, words", [
    ("image", "changed since it was registered"), ("ct", "changed since it was registered"),
    ("given", "changed since it was registered"), ("moved", "was moved since the second image was registered"),
    ("apart", "lie under different transforms"), ("under", "lies under the transform 'Move'"),
    ("none drawn", "choose the segmentation that is drawn on"), ("no image", "choose the second image"),
    ("the same", "is the CT itself"), ("its own", "is the CT's own"),
])  # fmt: skip
def test_what_is_out_of_date_or_ambiguous_is_refused(
    chosen: Any, phantom: Case, mri_motion: np.ndarray, nodes: Any, change: str, words: str
) -> None:
    node = registered(chosen, phantom, np.linalg.inv(mri_motion))
    assert len(case_of(chosen).structures) == len(phantom.structures)
    elsewhere = nodes.transform(motion((0, 0, 2), (1, 0, 0), np.zeros(3)))
    if change in ("image", "ct"):
        volume = chosen.secondImage if change == "image" else chosen.volume
        slicer_array(volume)[10, 10, 10] += 1
        volume.GetImageData().Modified()
    elif change == "given":
        chosen.secondTransform = elsewhere
    elif change == "moved":
        matrix = elsewhere.GetMatrixTransformToParent()
        node.SetMatrixTransformToParent(matrix)
    elif change == "apart":
        chosen.secondSegmentation.SetAndObserveTransformNodeID(None)
    elif change == "under":
        for placed in (chosen.secondImage, chosen.secondSegmentation):
            placed.SetAndObserveTransformNodeID(elsewhere.GetID())
    elif change == "none drawn":
        chosen.secondSegmentation = None
    elif change == "no image":
        chosen.secondImage = None
    elif change == "the same":
        chosen.secondImage = chosen.volume
    else:
        chosen.secondSegmentation = chosen.segmentation
    with pytest.raises(CaseError, match=words):
        case_of(chosen)


def test_a_chosen_transform_is_read_whole_and_only_if_rigid(chosen: Any, nodes: Any, turn: np.ndarray) -> None:
    chosen.secondTransform = nodes.transform(turn)
    above = nodes.transform(motion((0, 0, 90), (0, 0, 5), np.zeros(3)), "Above")
    chosen.secondTransform.SetAndObserveTransformNodeID(above.GetID())
    np.testing.assert_allclose(given_matrix(chosen), motion((0, 0, 90), (0, 0, 5), np.zeros(3)) @ turn, atol=1e-9)
    chosen.secondTransform = nodes.transform(np.diag([1.1, 1.0, 1.0, 1.0]), "Stretch")
    with pytest.raises(CaseError, match="'Stretch' scales or shears"):
        given_matrix(chosen)


def test_what_an_unknown_name_means_is_told_by_the_plan(chosen: Any, phantom: Case, mri_motion: np.ndarray) -> None:
    chosen.secondSegmentation.GetSegmentation().GetNthSegment(0).SetName("xy")
    registered(chosen, phantom, np.linalg.inv(mri_motion))
    assert any("xy" in name for name in case_of(chosen).unknown)
    named = case_of(chosen, Corrections(roles=(("xy", "keepout_soft"),)))
    assert named.structure("xy").role == "keepout_soft" and not named.unknown


def test_the_registration_is_saved_on_its_node(chosen: Any, phantom: Case, mri_motion: np.ndarray) -> None:
    node = registered(chosen, phantom, np.linalg.inv(mri_motion), 0.42)
    found = registration_of(chosen, phantom.ct)
    assert (found.error_mm, found.windows[0].name) == (0.42, "C4")
    node.SetAttribute("SpinalStrutDesigner.Registration", "{}")
    with pytest.raises(CaseError, match="no registration"):
        registration_of(chosen, phantom.ct)


def test_the_command_has_images_levels_and_the_matrix(
    chosen: Any, phantom: Case, drawn_mri: Case, mri_motion: np.ndarray, tmp_path: Path
) -> None:
    from SpinalStrutDesignerLib.case.images import read_image
    from SpinalStrutDesignerLib.case.transform import read_transform

    job = register_job(phantom, second_volume(chosen), np.linalg.inv(mri_motion), ("C4", "T2"), tmp_path)
    given = dict(zip(job.arguments[4::2], job.arguments[5::2]))
    assert job.arguments[:3] == ("-m", "SpinalStrutDesignerLib.cli", "register")
    assert given["--second-levels"] == "C4,T2" and given["--out"] == str(job.output)
    image = read_image(Path(given["--second-image"]))
    np.testing.assert_array_equal(image.voxels, drawn_mri.ct.voxels)
    np.testing.assert_allclose(image.ijk_to_ras, drawn_mri.ct.ijk_to_ras, atol=1e-6)
    np.testing.assert_allclose(read_transform(given["--second-transform"]), np.linalg.inv(mri_motion), atol=1e-12)
    assert "--second-transform" not in register_job(phantom, drawn_mri.ct, None, (), tmp_path).arguments


def slicer_array(node: Any) -> np.ndarray:
    """A volume node's voxels (k, j, i), to be written to."""
    from vtk.util.numpy_support import vtk_to_numpy

    assert isinstance(node, slicer.vtkMRMLScalarVolumeNode)
    image = node.GetImageData()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
