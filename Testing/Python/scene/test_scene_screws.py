"""What belongs to planned screws in the scene: the runners-up as a text, and the CT along one as a chart."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from SpinalStrutDesignerLib.plan.entries import ScrewType
from SpinalStrutDesignerLib.plan.plan import Plan, Screw
from SpinalStrutDesignerLib.propose.screw_choice import ScrewSet
from SpinalStrutDesignerLib.propose.screw_plan import EndScrews
from SpinalStrutDesignerLib.propose.screws_json import ends_to_json
from SpinalStrutDesignerLib.scene.case_folder import case_folder
from SpinalStrutDesignerLib.scene.screw_plot import clear_screw_profile, screw_profile_shown, show_screw_profile
from SpinalStrutDesignerLib.scene.screw_sets import screw_sets_are_for, screw_sets_in, show_screw_sets
from vtk.util.numpy_support import vtk_to_numpy

SCREW = Screw(ScrewType("toy"), "C4", (0.0, 20.0, 0.0), (0.0, -1.0, 0.0), 14.0)
PLAN = Plan("C4", "T2", screws=(SCREW,))


def wedge() -> Any:
    """A case of which the CT has 10 HU more with each mm backward."""
    ct = SimpleNamespace(sample=lambda points: 10.0 * (20.0 - points[:, 1]))
    return SimpleNamespace(ct=ct, structure=lambda level: SimpleNamespace(pose=np.eye(4)))


def test_the_chart_follows_the_ct(scene: Any, owner: Any) -> None:
    folder = case_folder(owner, None, "Strut")
    chart = show_screw_profile(owner, folder, wedge(), PLAN, 0)
    line = chart.GetNthPlotSeriesNode(0)
    table = line.GetTableNode().GetTable()
    depth, value = (vtk_to_numpy(table.GetColumnByName(n)) for n in (line.GetXColumnName(), line.GetYColumnName()))
    np.testing.assert_allclose(value, 10.0 * depth, atol=1e-9)
    assert depth[0] == pytest.approx(SCREW.type.head_radius_mm) and depth[-1] == 14.0
    limit = chart.GetNthPlotSeriesNode(1)
    assert set(vtk_to_numpy(table.GetColumnByName(limit.GetYColumnName()))) == {153.5}
    # Another length: the same nodes, no more of them.
    nodes = scene.GetNumberOfNodes()
    assert show_screw_profile(owner, folder, wedge(), PLAN.with_(screws=(SCREW.with_(length_mm=20.0),)), 0) is chart
    assert scene.GetNumberOfNodes() == nodes and chart.GetXAxisRange()[1] == 20.0
    clear_screw_profile(owner)
    kinds = ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode", "vtkMRMLTableNode")
    assert not screw_profile_shown(owner) and not any(scene.GetNumberOfNodesByClass(kind) for kind in kinds)


def test_what_was_found_is_kept_with_the_plan_it_is_true_of(scene: Any, owner: Any) -> None:
    assert screw_sets_in(owner) == () and not screw_sets_are_for(owner, "this")
    ends = (EndScrews("C4", ScrewSet((SCREW,), 512.5, ("side wall (0.1 mm left)",))),)
    folder = case_folder(owner, None, "Strut")
    node = show_screw_sets(owner, folder, ends_to_json(ends), "this")
    assert screw_sets_in(owner) == ends
    assert screw_sets_are_for(owner, "this") and not screw_sets_are_for(owner, "that")
    assert show_screw_sets(owner, folder, ends_to_json(()), "that") is node and screw_sets_in(owner) == ()
