"""An implant on its way in, in the scene: a copy under a transform, which is not saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
from LatticeGeneratorLib.scene.models import mesh_of
from SpinalStrutDesignerLib.scene.way_nodes import copy_on_way, put_in_place, show_on_way


def test_the_copy_moves_and_the_model_does_not(scene: Any, owner: Any, model: Any, turn: np.ndarray) -> None:
    before = mesh_of(model)
    copy = show_on_way(owner, model, turn)
    moved = before.vertices @ turn[:3, :3].T + turn[:3, 3]
    np.testing.assert_allclose(mesh_of(copy).vertices, moved, atol=1e-12)
    assert show_on_way(owner, model, np.eye(4)) is copy
    np.testing.assert_allclose(mesh_of(copy).vertices, before.vertices, atol=1e-12)
    np.testing.assert_array_equal(mesh_of(model).vertices, before.vertices)
    assert model.GetParentTransformNode() is None and copy is not model


def test_in_its_place_nothing_is_left(scene: Any, owner: Any, model: Any, turn: np.ndarray) -> None:
    count = scene.GetNumberOfNodes()
    put_in_place(owner)
    show_on_way(owner, model, turn)
    put_in_place(owner)
    assert scene.GetNumberOfNodes() == count and copy_on_way(owner) is None


def test_a_copy_that_a_person_deleted_is_made_anew(scene: Any, owner: Any, model: Any, turn: np.ndarray) -> None:
    scene.RemoveNode(show_on_way(owner, model, turn))
    again = show_on_way(owner, model, turn)
    assert copy_on_way(owner) is again
    assert scene.GetNumberOfNodesByClass("vtkMRMLLinearTransformNode") == 1


def test_two_cases_have_their_own(scene: Any, owner: Any, model: Any, turn: np.ndarray) -> None:
    other = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "Another case")
    mine, theirs = show_on_way(owner, model, turn), show_on_way(other, model, np.eye(4))
    assert mine is not theirs and copy_on_way(owner) is mine
    put_in_place(owner)
    assert copy_on_way(owner) is None and copy_on_way(other) is theirs


def test_a_saved_scene_holds_neither_copy_nor_transform(
    scene: Any, owner: Any, model: Any, turn: np.ndarray, tmp_path: Path
) -> None:
    show_on_way(owner, model, turn)
    scene.SetURL(str(tmp_path / "case.mrml"))
    assert scene.Commit()
    written = (tmp_path / "case.mrml").read_text(encoding="utf-8")
    assert "vtkMRMLScriptedModuleNode1" in written
    assert "way in" not in written.lower() and "LinearTransform" not in written
    other = slicer.vtkMRMLScene()
    other.SetURL(str(tmp_path / "case.mrml"))
    other.Connect()
    for name in ("One", "Two", "Three"):  # which take the ids that have become free
        other.AddNewNodeByClass("vtkMRMLModelNode", name)
        other.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    assert copy_on_way(other.GetFirstNodeByClass("vtkMRMLScriptedModuleNode")) is None
    other.Clear(True)
