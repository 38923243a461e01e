"""Slice views jump to a place, and lie across the axis or along a screw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.entries import ScrewType
from SpinalStrutDesignerLib.plan.plan import Axis, Screw, Section
from SpinalStrutDesignerLib.scene.slices import jump_to, lie_across, lie_along, stand_straight


@pytest.fixture
def views(scene: Any) -> list[Any]:
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
    made = []
    for name, orientation in (("Red", "Axial"), ("Green", "Coronal")):
        node = scene.CreateNodeByClass("vtkMRMLSliceNode")  # with the scene's presets
        node.SetName(name)
        node.SetLayoutName(name)
        made.append(scene.AddNode(node))
        node.UnRegister(None)
        made[-1].SetDefaultOrientation(orientation)
        made[-1].SetOrientationToDefault()
    return made


def _matrix(node: Any) -> np.ndarray:
    matrix = node.GetSliceToRAS()
    return np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])


def test_every_view_goes_to_the_place(scene: Any, views: list[Any]) -> None:
    jump_to(scene, (12.0, -7.0, 33.0))
    for node in views:
        np.testing.assert_allclose(_matrix(node)[:3, 3], (12.0, -7.0, 33.0), atol=1e-6)


def test_a_view_across_the_axis_has_its_normal_along_it(views: list[Any]) -> None:
    # A quarter circle of radius 50 about (50, 0): at its middle the tangent stands at 45 degrees.
    angles = np.linspace(0.0, np.pi / 2, 5)
    points = [(50.0 - 50.0 * np.cos(a), 0.0, -50.0 * np.sin(a)) for a in angles]
    curve = axis_curve(Axis(tuple(points), back=(0.0, -1.0, 0.0)), Section())
    lie_across(views[0], curve, 0.5)
    matrix = _matrix(views[0])
    np.testing.assert_allclose(np.abs(matrix[:3, 2] @ [np.sqrt(0.5), 0.0, -np.sqrt(0.5)]), 1.0, atol=1e-3)
    np.testing.assert_allclose(matrix[:3, 3], points[2], atol=0.05)
    stand_straight(views[0])
    np.testing.assert_allclose(np.abs(matrix_normal(views[0])), (0.0, 0.0, 1.0), atol=1e-6)


@pytest.mark.parametrize("direction", [(0.0, -1.0, 0.0), (0.6, -0.8, 0.0), (0.0, 0.05, -1.0)])
def test_a_view_along_a_screw_holds_both_its_ends(views: list[Any], direction: tuple[float, float, float]) -> None:
    screw = Screw(ScrewType(), "C4", (1.0, 2.0, 3.0), direction, 20.0)
    lie_along(views[0], screw)
    matrix = _matrix(views[0])
    for share in (0.0, 1.0):
        end = np.asarray(screw.entry) + share * 20.0 * np.asarray(screw.direction)
        assert abs((end - matrix[:3, 3]) @ matrix[:3, 2]) < 1e-6


def matrix_normal(node: Any) -> np.ndarray:
    """The direction a view looks along."""
    return _matrix(node)[:3, 2]
