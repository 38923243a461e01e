"""Plans, axes, parts and findings as nodes, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.mesh import shown
from LatticeGeneratorLib.mesh.check import closed_manifold_fault
from LatticeGeneratorLib.mesh.solids import box, sphere
from LatticeGeneratorLib.mesh.stl import write_stl
from LatticeGeneratorLib.scene.models import mesh_of, show_mesh
from SpinalStrutDesignerLib.errors import PlanError, ReleaseError
from SpinalStrutDesignerLib.plan.plan import Axis
from SpinalStrutDesignerLib.release.folder import write_json
from SpinalStrutDesignerLib.release.records import findings_record
from SpinalStrutDesignerLib.scene.axis_curve import axis_of, show_axis
from SpinalStrutDesignerLib.scene.case_folder import case_folder
from SpinalStrutDesignerLib.scene.findings_table import findings_in, rows_of, show_findings
from SpinalStrutDesignerLib.scene.part_nodes import PART, ShownPart, keep_whole, parts_in, show_parts
from SpinalStrutDesignerLib.verify.finding import Finding

POINTS = ((1.0, 2.0, 80.0), (3.0, 6.5, 40.0), (0.123456789, 2.0, 0.0))


def test_a_mesh_survives_its_model_node(scene: Any) -> None:
    mesh = sphere((1.0, 2.0, 3.0), 5.0)
    again = mesh_of(show_mesh(scene, mesh, "Ball", (1.0, 0.0, 0.0)))
    assert closed_manifold_fault(again) is None
    assert again.volume == pytest.approx(mesh.volume, rel=1e-12)
    assert np.all(again.bounds[0] == mesh.bounds[0]) and np.all(again.bounds[1] == mesh.bounds[1])


def test_a_moved_model_is_read_where_it_stands(scene: Any, nodes: Any) -> None:
    node = show_mesh(scene, sphere((0.0, 0.0, 0.0), 5.0), "Ball", (1.0, 0.0, 0.0))
    move = np.eye(4)
    move[:3, 3] = 10.0, 20.0, 30.0
    node.SetAndObserveTransformNodeID(nodes.transform(move).GetID())
    low, high = mesh_of(node).bounds
    np.testing.assert_allclose((low + high) / 2, [10.0, 20.0, 30.0], atol=0.1)
    node.SetAndObserveTransformNodeID(nodes.transform(np.diag([2.0, 2.0, 2.0, 1.0]), "Twice").GetID())
    with pytest.raises(GeometryError, match=r"Twice.*scales"):
        mesh_of(node)


def test_an_axis_survives_its_curve(scene: Any) -> None:
    axis = Axis(control_points=POINTS, offset=(0.5, -1.0, 0.25))
    node = show_axis(scene, axis)
    shown = np.array([node.GetNthControlPointPositionWorld(n) for n in range(3)])
    np.testing.assert_allclose(shown, np.add(POINTS, axis.offset))
    node.SetNthControlPointPositionWorld(1, 4.5, 7.0, 41.0)
    again = axis_of(node, axis)
    np.testing.assert_allclose(again.control_points[1], (4.0, 8.0, 40.75))
    np.testing.assert_allclose(again.control_points[2], POINTS[2], atol=1e-12)
    assert (again.offset, again.back) == (axis.offset, axis.back)
    assert show_axis(scene, again, node) is node and node.GetNumberOfControlPoints() == 3


def test_a_moved_axis_is_read_where_it_stands(scene: Any, nodes: Any) -> None:
    node = show_axis(scene, Axis(control_points=POINTS))
    move = np.eye(4)
    move[:3, 3] = 10.0, 20.0, 30.0
    node.SetAndObserveTransformNodeID(nodes.transform(move).GetID())
    np.testing.assert_allclose(axis_of(node, Axis()).control_points, np.add(POINTS, move[:3, 3]), atol=1e-9)


def test_an_axis_of_two_points_is_refused(scene: Any) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsCurveNode", "Short")
    for point in POINTS[:2]:
        node.AddControlPointWorld(*point)
    with pytest.raises(PlanError, match=r"Short.*2 points.*at least 3"):
        axis_of(node, Axis())


def test_parts_stand_in_their_folder_and_keep_what_a_person_chose(scene: Any, owner: Any) -> None:
    balls = (("implant", sphere((0, 0, 0), 5.0)), ("trial", sphere((0, 0, 0), 4.0)))
    parts = [ShownPart(name, name, ball) for name, ball in balls]
    folder = case_folder(owner, None, "Strut C4 to T2")
    implant, trial = show_parts(owner, folder, parts)
    assert implant.GetDisplayNode().GetVisibility() and not trial.GetDisplayNode().GetVisibility()
    assert implant.GetDisplayNode().GetVisibility2D()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(implant)) == folder
    assert hierarchy.GetItemName(folder) == "Strut C4 to T2"
    implant.GetDisplayNode().SetVisibility(False)
    implant.GetDisplayNode().SetOpacity(0.4)
    implant.SetName("mine")
    (again,) = show_parts(owner, folder, [ShownPart("implant", "implant", sphere((0, 0, 0), 6.0))])
    assert again is implant and not again.GetDisplayNode().GetVisibility() and again.GetName() == "mine"
    assert again.GetDisplayNode().GetOpacity() == pytest.approx(0.4)
    assert again.GetAttribute(PART) == "implant"
    assert mesh_of(again).bounds[1][0] == pytest.approx(6.0)
    assert scene.GetNumberOfNodesByClass("vtkMRMLModelNode") == 1


def test_a_large_part_is_shown_thinned_out_and_kept_whole_on_demand(
    owner: Any, scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "SHOWN_FACES", 500)
    ball = sphere((0.0, 0.0, 0.0), 5.0)
    folder = case_folder(owner, None, "Strut")
    part = ShownPart("implant", "implant", ball)
    (node,) = show_parts(owner, folder, [part])
    thinned = mesh_of(node)
    assert len(thinned.faces) < len(ball.faces)
    assert np.abs(np.linalg.norm(thinned.vertices, axis=1) - 5.0).max() < 0.03 + 0.02
    assert scene.GetNumberOfNodesByClass("vtkMRMLModelNode") == 1
    keep_whole(owner, folder, [part])
    keep_whole(owner, folder, [part])
    whole = scene.GetFirstNodeByName("implant (whole)")
    assert len(mesh_of(whole).faces) == len(ball.faces) and not whole.GetDisplayNode().GetVisibility()
    assert scene.GetNumberOfNodesByClass("vtkMRMLModelNode") == 2


def test_a_release_folder_is_shown_in_ras(scene: Any, tmp_path: Path) -> None:
    mesh = box((10.0, 20.0, 30.0), (14.0, 25.0, 36.0))
    (tmp_path / "parts").mkdir()
    write_stl(tmp_path / "parts" / "implant.stl", mesh)
    row = {"name": "implant", "role": "implant", "file": "parts/implant.stl"}
    (tmp_path / "design.json").write_text(json.dumps({"parts": [row]}))
    (part,) = parts_in(tmp_path)
    np.testing.assert_allclose(part.mesh.bounds, mesh.bounds, atol=1e-5)
    with pytest.raises(ReleaseError, match="no release"):
        parts_in(tmp_path / "parts")


def test_findings_fill_a_table(scene: Any) -> None:
    findings = (
        Finding("clearance.dura", "Distance to the dura", 4.236, "mm", "≥ 3 mm", "pass", "E", (1.0, 2.0, 3.0)),
        Finding("clearance.heart", "Distance to the heart", None, "mm", "≥ 5 mm", "not_evaluated", "E", critical=True),
    )
    node = show_findings(scene, findings)
    table = node.GetTable()
    assert table.GetNumberOfRows() == 2
    assert table.GetValueByName(0, "value").ToString() == "4.236"
    assert table.GetValueByName(0, "location").ToString() == "1.0, 2.0, 3.0"
    assert table.GetValueByName(1, "verdict").ToString() == "not_evaluated"
    assert table.GetValueByName(1, "value").ToString() == ""
    rows = rows_of(node)
    assert [row.blocks for row in rows] == [False, True]
    assert rows[0].location == (1.0, 2.0, 3.0) and rows[1].location is None
    assert rows[0].measured == "4.236 mm" and rows[0].id == "clearance.dura"
    waived = rows[1].waived("A. Surgeon", "seen")
    assert (waived.verdict, waived.blocks) == ("waived", False) and "A. Surgeon" in waived.detail
    assert show_findings(scene, findings[:1], node).GetTable().GetNumberOfRows() == 1
    assert rows_of(None) == ()


def test_a_release_s_findings_are_read_as_it_writes_them(tmp_path: Path) -> None:
    findings = (
        Finding("clearance.dura", "Distance to the dura", 4.236, "mm", "≥ 3 mm", "pass", "E", (1.0, 2.0, 3.0)),
        Finding("clearance.heart", "Distance to the heart", None, "mm", "≥ 5 mm", "not_evaluated", "E", critical=True),
    )
    write_json(tmp_path / "findings.json", findings_record(findings))
    assert findings_in(tmp_path) == findings
    with pytest.raises(ReleaseError, match=r"holds no findings\.json, so it is no release"):
        findings_in(tmp_path / "elsewhere")
