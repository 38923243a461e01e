"""Bodies, regions and lattices in the scene, without Qt: what is read is what stands there, and what is shown stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.mesh import shown
from LatticeGeneratorLib.mesh.check import closed_manifold_fault
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box
from LatticeGeneratorLib.scene.bodies import (
    body_of_model,
    body_of_segment,
    box_of,
    fingerprint_of_model,
    fingerprint_of_segment,
    fit_box,
)
from LatticeGeneratorLib.scene.fill import fill_as_chosen
from LatticeGeneratorLib.scene.hierarchy import hierarchy_of, put_in_folder
from LatticeGeneratorLib.scene.lattice_nodes import whole_of
from LatticeGeneratorLib.scene.models import mesh_of, polydata, show_mesh
from LatticeGeneratorLib.scene.watch import Watch

EDGE = 4.0


def _volume(node: Any) -> float:
    import vtk

    properties = vtk.vtkMassProperties()
    properties.SetInputData(node.GetPolyData())
    return float(properties.GetVolume())


def _segmentation(nodes: Any) -> tuple[Any, str]:
    voxels = np.zeros((14, 14, 14), np.uint8)
    voxels[2:12, 2:12, 2:12] = 1
    spacing = np.diag([0.5, 0.5, 0.5, 1.0])
    node = nodes.segmentation({"Graft": (voxels, spacing), "Else": (1 - voxels, spacing)})
    return node, node.GetSegmentation().GetNthSegmentID(0)


def test_a_model_stands_where_its_rigid_transform_puts_it(nodes: Any, model: Any, turn: np.ndarray) -> None:
    model.SetAndObserveTransformNodeID(nodes.transform(turn).GetID())
    body = body_of_model(model)
    assert body.volume == pytest.approx(EDGE**3)
    expected = box([0.0] * 3, [EDGE] * 3).transformed(turn)
    assert np.allclose(np.sort(body.vertices, axis=0), np.sort(expected.vertices, axis=0), atol=1e-6)


@pytest.mark.parametrize("matrix", [np.diag([1.1, 1.0, 1.0, 1.0]), np.diag([-1.0, 1.0, 1.0, 1.0])])
def test_what_stands_under_a_transform_that_is_not_rigid_is_refused(nodes: Any, model: Any, matrix: np.ndarray) -> None:
    transform = nodes.transform(matrix, "Stretch")
    roi = nodes.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Box")
    segmentation, segment_id = _segmentation(nodes)
    for node in (model, roi, segmentation):
        node.SetAndObserveTransformNodeID(transform.GetID())
    for read in (
        lambda: body_of_model(model), lambda: box_of(roi), lambda: body_of_segment(segmentation, segment_id)
    ):  # fmt: skip
        with pytest.raises(GeometryError, match="stands under 'Stretch', which scales, shears or mirrors"):
            read()


def test_open_models_and_several_pieces_are_refused_by_name(scene: Any) -> None:
    cube = box([0.0] * 3, [EDGE] * 3)
    leaky = show_mesh(scene, Mesh(cube.vertices, cube.faces[:-1]), "Leaky", (1.0, 1.0, 1.0))
    with pytest.raises(GeometryError, match=r"the model 'Leaky' cannot be filled: 3 open edges.*repair"):
        body_of_model(leaky)
    two = Mesh(np.r_[cube.vertices, cube.vertices + 9.0], np.r_[cube.faces, cube.faces + len(cube.vertices)])
    with pytest.raises(GeometryError, match="the model 'Two' cannot be filled: it is in 2 separate pieces"):
        body_of_model(show_mesh(scene, two, "Two", (1.0, 1.0, 1.0)))


def test_a_segment_is_read_in_ras_and_the_segmentation_is_left_as_it_is(nodes: Any, turn: np.ndarray) -> None:
    node, segment_id = _segmentation(nodes)
    body = body_of_segment(node, segment_id)
    assert not node.GetSegmentation().ContainsRepresentation("Closed surface")
    assert body.volume == pytest.approx(10 * 10 * 10 * 0.5**3, rel=0.05)  # smoothing changes it a little
    assert np.allclose(0.5 * (body.bounds[0] + body.bounds[1]), 6.5 * 0.5, atol=1e-3)
    node.SetAndObserveTransformNodeID(nodes.transform(turn).GetID())
    moved = body_of_segment(node, segment_id)
    assert np.allclose(moved.vertices, body.transformed(turn).vertices, atol=1e-6)
    # It is the surface that Slicer shows.
    node.CreateClosedSurfaceRepresentation()
    shown_surface = node.GetClosedSurfaceInternalRepresentation(segment_id)
    assert shown_surface.GetBounds() == pytest.approx(np.stack(body.bounds, axis=1).ravel(), abs=1e-6)


def test_segments_that_are_missing_or_empty_are_refused(nodes: Any) -> None:
    node, _ = _segmentation(nodes)
    for missing in ("", "gone"):
        with pytest.raises(GeometryError, match="choose a segment of 'Segmentation'"):
            body_of_segment(node, missing)
    empty = node.GetSegmentation().AddEmptySegment("empty", "Later")
    with pytest.raises(GeometryError, match="the segment 'Later' is empty"):
        body_of_segment(node, empty)


def test_a_box_in_the_world(nodes: Any, turn: np.ndarray) -> None:
    roi = nodes.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Box")
    with pytest.raises(GeometryError, match="no volume"):
        box_of(roi)
    roi.SetCenter(1.0, 2.0, 3.0)
    roi.SetSize(2.0, 4.0, 6.0)
    roi.SetAndObserveTransformNodeID(nodes.transform(turn).GetID())
    expected = box([0.0, 0.0, 0.0], [2.0, 4.0, 6.0]).transformed(turn)
    assert np.allclose(np.sort(box_of(roi).box.vertices, axis=0), np.sort(expected.vertices, axis=0), atol=1e-9)
    roi.SetInsideOut(True)
    with pytest.raises(GeometryError, match="'Box' is turned inside out"):
        box_of(roi)


def test_a_region_is_laid_round_a_body(nodes: Any, turn: np.ndarray) -> None:
    roi = nodes.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Box")
    body = box([1.0, 2.0, 3.0], [2.0, 4.0, 8.0])
    fit_box(roi, body)
    assert np.allclose(box_of(roi).box.bounds, body.bounds)
    roi.SetAndObserveTransformNodeID(nodes.transform(turn).GetID())
    fit_box(roi, body.transformed(turn))
    assert box_of(roi).size_mm == pytest.approx((1.0, 2.0, 5.0))
    assert box_of(roi).of(body.transformed(turn)).volume == pytest.approx(10.0, rel=1e-6)


def test_fingerprints_tell_edits_and_nothing_else(nodes: Any, model: Any, turn: np.ndarray) -> None:
    segmentation, segment_id = _segmentation(nodes)
    other = segmentation.GetSegmentation().GetNthSegmentID(1)
    before = fingerprint_of_model(model), fingerprint_of_segment(segmentation, segment_id)
    model.GetDisplayNode().SetOpacity(0.5)
    segmentation.GetSegmentation().GetSegment(other).SetName("Something else")
    assert (fingerprint_of_model(model), fingerprint_of_segment(segmentation, segment_id)) == before
    transform = nodes.transform(turn)
    for node in (model, segmentation):
        node.SetAndObserveTransformNodeID(transform.GetID())
    assert fingerprint_of_model(model) != before[0]
    assert fingerprint_of_segment(segmentation, segment_id) != before[1]
    model.SetAndObserveTransformNodeID(None)
    assert fingerprint_of_model(model) == before[0]
    model.SetAndObservePolyData(polydata(box([0.0] * 3, [EDGE, EDGE, 4.1])))
    assert fingerprint_of_model(model) != before[0]
    assert fingerprint_of_segment(segmentation, segment_id) != fingerprint_of_segment(segmentation, other)
    assert fingerprint_of_segment(segmentation, "gone") == ""


def test_a_model_is_filled_and_the_lattice_stands_beside_it(scene: Any, parameters: Any, model: Any) -> None:
    hierarchy = hierarchy_of(scene)
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "Implants")
    put_in_folder(model, folder)
    measured = fill_as_chosen(parameters)
    node = parameters.lattice
    assert node.GetName() == "Block lattice" and not model.GetDisplayNode().GetVisibility()
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == folder
    assert closed_manifold_fault(mesh_of(node)) is None
    assert _volume(node) / EDGE**3 == pytest.approx(0.30, abs=0.01)
    assert measured.porosity == pytest.approx(1.0 - _volume(node) / EDGE**3, abs=1e-4)
    assert parameters.measured == measured.to_json() and parameters.madeFrom == fingerprint_of_model(model)


def test_what_a_person_chose_survives_an_update(scene: Any, nodes: Any, parameters: Any, model: Any) -> None:
    fill_as_chosen(parameters)
    node = parameters.lattice
    node.SetName("mine")
    display = node.GetDisplayNode()
    display.SetColor(0.1, 0.2, 0.3)
    display.SetOpacity(0.4)
    display.SetVisibility(False)
    model.GetDisplayNode().SetVisibility(True)
    node.SetAndObserveTransformNodeID(nodes.transform(np.diag([1.0, 1.0, 2.0, 1.0])).GetID())
    parameters.porosity = 60.0
    fill_as_chosen(parameters)
    assert parameters.lattice is node and node.GetName() == "mine"
    assert display.GetColor() == (0.1, 0.2, 0.3) and display.GetOpacity() == 0.4 and not display.GetVisibility()
    assert model.GetDisplayNode().GetVisibility()
    assert node.GetParentTransformNode() is None
    assert _volume(node) / EDGE**3 == pytest.approx(0.40, abs=0.01)
    assert scene.GetNumberOfNodesByClass("vtkMRMLModelNode") == 2


def test_only_the_box_is_filled_and_the_body_is_seen_through(scene: Any, parameters: Any, model: Any) -> None:
    parameters.where, parameters.roi = "roi", scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Box")
    parameters.roi.SetCenter(2.0, 2.0, 4.0)
    parameters.roi.SetSize(9.0, 9.0, 5.0)
    fill_as_chosen(parameters)
    assert _volume(parameters.lattice) / (EDGE * EDGE * 2.5) == pytest.approx(0.30, abs=0.01)
    assert parameters.lattice.GetPolyData().GetBounds()[4] > 1.5 - 1e-3
    assert model.GetDisplayNode().GetVisibility() and model.GetDisplayNode().GetOpacity() == pytest.approx(0.2)


def test_a_segment_is_filled(scene: Any, nodes: Any, parameters: Any) -> None:
    parameters.source = "segment"
    parameters.segmentation, parameters.segmentID = _segmentation(nodes)
    parameters.segmentation.CreateDefaultDisplayNodes()
    parameters.wish = "cell"
    measured = fill_as_chosen(parameters)
    assert parameters.lattice.GetName() == "Graft lattice"
    body = body_of_segment(parameters.segmentation, parameters.segmentID)
    # 1.7 mm cells with 0.55 mm struts: 70 % porosity, as their polynomials say.
    assert _volume(parameters.lattice) / body.volume == pytest.approx(0.30, abs=0.015)
    assert measured.strut_mm == pytest.approx(0.55, abs=0.03) and measured.cell_mm == pytest.approx(1.7)
    display = parameters.segmentation.GetDisplayNode()
    assert not display.GetSegmentVisibility3D(parameters.segmentID)
    assert display.GetSegmentVisibility3D(parameters.segmentation.GetSegmentation().GetNthSegmentID(1))


def test_a_large_lattice_is_shown_thinned_out_and_kept_whole_where_that_is_wanted(
    scene: Any, parameters: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "SHOWN_FACES", 1000)
    faces = fill_as_chosen(parameters).faces
    lattice, whole = parameters.lattice, whole_of(parameters.lattice)
    assert lattice.GetPolyData().GetNumberOfPolys() < faces == whole.GetPolyData().GetNumberOfPolys()
    assert whole.GetName() == "Block lattice (whole)" and not whole.GetDisplayNode().GetVisibility()
    assert _volume(lattice) == pytest.approx(_volume(whole), rel=0.02)
    fill_as_chosen(parameters)
    assert whole_of(lattice) is whole
    parameters.lattice = None  # another lattice of its own keeps the first as it is
    fill_as_chosen(parameters)
    assert whole_of(lattice) is whole is not whole_of(parameters.lattice)
    parameters.keepWhole = False
    fill_as_chosen(parameters)
    assert whole_of(parameters.lattice) is None and whole_of(lattice) is whole
    monkeypatch.setattr(shown, "SHOWN_FACES", 10**6)
    parameters.lattice, parameters.keepWhole = lattice, True
    fill_as_chosen(parameters)
    assert whole_of(lattice) is None and lattice.GetPolyData().GetNumberOfPolys() == faces


@pytest.mark.parametrize("change, words", [
    ({"domain": None}, "choose a closed surface model to fill"),
    ({"source": "segment"}, "choose a segmentation and a segment to fill"),
    ({"where": "roi"}, "choose the region of interest"),
    ({"poreSize": 150.0}, "below 0.20 mm: take pores of at least"),
    ({"wish": "cell", "thickness": 1.6}, "are not possible: take struts of"),
])  # fmt: skip
def test_what_is_missing_or_impossible_is_said(parameters: Any, change: dict, words: str) -> None:
    for field, value in change.items():
        setattr(parameters, field, value)
    with pytest.raises(GeometryError, match=words):
        fill_as_chosen(parameters)


def test_the_body_is_not_overwritten_by_its_lattice(parameters: Any, model: Any) -> None:
    parameters.lattice = model
    with pytest.raises(GeometryError, match="'Block' is to be filled and to be overwritten: choose another output"):
        fill_as_chosen(parameters)


def test_edits_are_noticed_until_they_are_no_longer_asked_for(nodes: Any, model: Any, turn: np.ndarray) -> None:
    edits: list[int] = []
    watch = Watch(lambda: edits.append(1))
    segmentation, segment_id = _segmentation(nodes)
    roi = nodes.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Box")
    watch.watch((model, None, segmentation, roi))

    def noticed(edit: Any) -> bool:
        edits.clear()
        edit()
        return bool(edits)

    image = slicer.vtkOrientedImageData()
    segmentation.GetBinaryLabelmapRepresentation(segment_id, image)
    transform = nodes.transform(turn)
    edit_nodes = [
        lambda: model.SetAndObservePolyData(polydata(box([0.0] * 3, [1.0] * 3))),
        lambda: model.SetAndObserveTransformNodeID(transform.GetID()),
        lambda: segmentation.GetSegmentation().RemoveSegment(segment_id),
        lambda: roi.SetCenter(1.0, 1.0, 1.0),
        lambda: roi.SetSize(3.0, 3.0, 3.0),
    ]
    assert all(noticed(edit) for edit in edit_nodes)
    watch.watch((segmentation,))
    assert not noticed(lambda: roi.SetSize(4.0, 3.0, 3.0))
    watch.release()
    assert not noticed(lambda: segmentation.GetSegmentation().AddEmptySegment("new", "New"))
