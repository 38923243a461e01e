"""What nodes of the scene mean for a lattice: gradings, sides and how cells lie; what is made is measured by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.infill.faces import Facing, Near
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box
from LatticeGeneratorLib.scene.attached import surface_of, volume_of
from LatticeGeneratorLib.scene.fill import fill_as_chosen
from LatticeGeneratorLib.scene.finishes import SIDES
from LatticeGeneratorLib.scene.lying import own_axes
from LatticeGeneratorLib.scene.models import mesh_of, polydata, show_mesh
from LatticeGeneratorLib.scene.wishes import lying_of, order_of
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

EDGE = 4.0


def _ramp(nodes: Any, matrix: np.ndarray) -> tuple[Any, np.ndarray]:
    """A volume of random values, and these."""
    values = np.random.default_rng(3).normal(400.0, 200.0, (20, 22, 24)).astype(np.float32)
    node = nodes.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Density")
    slicer.util.updateVolumeFromArray(node, values)
    held = vtk.vtkMatrix4x4()
    held.DeepCopy(matrix.ravel())
    node.SetIJKToRASMatrix(held)
    return node, values


def test_a_volume_is_cut_to_the_body_and_says_the_same_there(nodes: Any, turn: np.ndarray) -> None:
    matrix = np.diag([0.5, 0.6, 0.7, 1.0])
    matrix[:3, 3] = -6.0, -6.0, -6.0
    node, values = _ramp(nodes, matrix)
    node.SetAndObserveTransformNodeID(nodes.transform(turn).GetID())
    middle = (turn @ matrix @ [12.0, 11.0, 10.0, 1.0])[:3]
    bounds = np.array([middle - 1.0, middle + 1.0])
    volume = volume_of(node, bounds)
    assert volume.numbers.values.size < values.size / 2
    points = np.random.default_rng(1).uniform(*bounds, (50, 3))
    index = np.linalg.solve(turn @ matrix, np.c_[points, np.ones(50)].T)[:3]
    truth = map_coordinates(values, index[::-1], order=1)
    assert np.allclose(volume.numbers.at(points), truth, atol=0.05)
    assert volume_of(node, bounds) is volume
    slicer.util.arrayFromVolume(node)[:] = 0.0
    slicer.util.arrayFromVolumeModified(node)
    assert (volume_of(node, bounds).numbers.values == 0.0).all()
    with pytest.raises(GeometryError, match="'Density' does not reach the body"):
        volume_of(node, bounds + 500.0)
    empty = nodes.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    with pytest.raises(GeometryError, match="'Empty' holds no image"):
        volume_of(empty, bounds)


def test_a_surface_is_read_again_when_it_was_edited_or_moved(nodes: Any, model: Any, turn: np.ndarray) -> None:
    before = surface_of(model)
    assert surface_of(model) is before and np.allclose(before.mesh.bounds, [[0.0] * 3, [EDGE] * 3])
    model.SetAndObserveTransformNodeID(nodes.transform(turn).GetID())
    assert surface_of(model).name != before.name
    assert np.allclose(surface_of(model).mesh.bounds, mesh_of(model).bounds)
    model.SetAndObserveTransformNodeID(None)
    model.SetAndObservePolyData(polydata(box([0.0] * 3, [1.0] * 3)))
    assert np.allclose(surface_of(model).mesh.bounds, [[0.0] * 3, [1.0] * 3])


def test_the_own_axes_of_a_turned_block_are_its_edges(turn: np.ndarray) -> None:
    block = box([1.0, 2.0, 3.0], [2.0, 5.0, 9.0])
    assert np.allclose(own_axes(block), np.eye(3), atol=1e-9)
    # A quarter of a turn is none: axes are named after those of the patient that they are nearest to.
    for angles in ([10.0, 20.0, -15.0], [100.0, 20.0, -15.0], [10.0, -170.0, 15.0]):
        rotation = Rotation.from_euler("zyx", angles, degrees=True).as_matrix()
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = rotation, (40.0, -50.0, 60.0)
        axes = own_axes(block.transformed(matrix))
        assert np.linalg.det(axes) == pytest.approx(1.0)
        assert np.allclose(np.sort(np.abs(rotation.T @ axes), axis=0), [[0.0] * 3, [0.0] * 3, [1.0] * 3], atol=1e-9)
        assert np.trace(axes) > np.trace(axes[:, [1, 2, 0]]) and (np.diag(axes) > 0.0).all()


def test_cells_lie_along_the_body_wherever_it_is_turned(parameters: Any, nodes: Any, model: Any) -> None:
    model.SetAndObservePolyData(polydata(box([0.0] * 3, [2.0, 3.0, 4.0])))
    rotation = np.eye(4)
    rotation[:3, :3] = Rotation.from_euler("z", 20.0, degrees=True).as_matrix()
    model.SetAndObserveTransformNodeID(nodes.transform(rotation).GetID())
    parameters.lying = "body"
    assert np.allclose(lying_of(parameters).lattice_to_ras, rotation, atol=1e-9)


def test_a_lattice_that_changes_along_a_line_is_as_porous_as_said_on_its_way(scene: Any, parameters: Any) -> None:
    line = scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Along")
    line.AddControlPoint(0.0, 0.0, 0.0)
    line.AddControlPoint(0.0, 0.0, 8.0)
    parameters.domain.SetAndObservePolyData(polydata(box([0.0] * 3, [EDGE, EDGE, 8.0])))
    parameters.cell, parameters.grading, parameters.gradingLine = "bcc", "axis", line
    parameters.porosity, parameters.endPorosity = 80.0, 60.0
    measured = fill_as_chosen(parameters)
    assert measured.wanted == pytest.approx(0.70, abs=1e-3) and measured.porosity == pytest.approx(0.70, abs=2e-3)
    halves = [_metal_below(parameters.lattice, z) for z in (4.0, 8.0)]
    shares = halves[0] / (16.0 * 4.0), (halves[1] - halves[0]) / (16.0 * 4.0)
    assert shares == pytest.approx((0.25, 0.35), abs=0.02)  # the middles of 20 to 30 and of 30 to 40 %
    assert '"graded"' in parameters.madeOrder


def _metal_below(node: Any, height: float) -> float:
    """mm³ of a closed model below a height, by VTK."""
    plane, planes = vtk.vtkPlane(), vtk.vtkPlaneCollection()
    plane.SetOrigin(0.0, 0.0, height)
    plane.SetNormal(0.0, 0.0, -1.0)
    planes.AddItem(plane)
    cut = vtk.vtkClipClosedSurface()
    cut.SetInputData(node.GetPolyData())
    cut.SetClippingPlanes(planes)
    triangles = vtk.vtkTriangleFilter()
    triangles.SetInputConnection(cut.GetOutputPort())
    properties = vtk.vtkMassProperties()
    properties.SetInputConnection(triangles.GetOutputPort())
    return float(properties.GetVolume())


def test_a_side_is_a_direction_of_the_patient_or_lies_near_a_model(scene: Any, parameters: Any, model: Any) -> None:
    parameters.finish = "frame"
    for side, direction in SIDES.items():
        parameters.side = side
        (frame,) = order_of(parameters).finish
        assert isinstance(frame.faces, Facing)
        middle = frame.faces.of(mesh_of(model)).triangles.mean(axis=(0, 1))
        assert np.allclose(middle - 0.5 * EDGE, 0.5 * EDGE * np.array(direction))
    # RAS: right is where x grows, anterior where y, superior where z.
    assert SIDES["right"][0] == SIDES["anterior"][1] == SIDES["superior"][2] == 1.0
    parameters.side = "model"
    with pytest.raises(GeometryError, match="choose the model near which"):
        order_of(parameters)
    parameters.sideModel = show_mesh(scene, _square(EDGE + 0.1), "Bone", (1.0, 1.0, 1.0))
    (frame,) = order_of(parameters).finish
    assert isinstance(frame.faces, Near)
    assert frame.faces.of(mesh_of(model)).triangles[..., 2].min() > EDGE - 1.0
    parameters.finish = "skin"
    with pytest.raises(GeometryError, match="left open on a side, not near a model"):
        order_of(parameters)


def _square(height: float) -> Mesh:
    corners = np.array([[0.0, 0.0, height], [EDGE, 0.0, height], [EDGE, EDGE, height], [0.0, EDGE, height]])
    return Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]]))
