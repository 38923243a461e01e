"""A later CT of a patient in the panel: the earlier case's plan carried over in a child process, and the report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from second_image import middle, motion, moved, rescanned
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.plan.json import plan_to_json
from SpinalStrutDesignerLib.plan.plan import Plan, Waiver
from SpinalStrutDesignerLib.propose.changes import Change, changes_table

STAND_IN = Path(__file__).with_name("stand_in_files.py")
CHANGES = (
    Change("span.length", "Span C4 to T2", 67.8, 70.05, "mm", 2.25, "look at it"),
    Change("structure.oesophagus", "oesophagus", "given", "not given"),
    Change("registration.C4", "C4 found in the later CT, known to", None, 0.21, "mm"),
)


@pytest.fixture(scope="session")
def motion_of_patient(phantom: Case) -> np.ndarray:
    """4x4, earlier CT to later CT."""
    return motion((5.0, 3.0, -8.0), (15.0, -12.0, 30.0), middle(phantom))


@pytest.fixture(scope="session")
def later(phantom: Case, motion_of_patient: np.ndarray) -> Case:
    """The phantom in a later CT, without the oesophagus."""
    new = rescanned(phantom, motion_of_patient, lambda points: points)
    return new.with_structures(s for s in new.structures if s.name != "oesophagus")


@pytest.fixture
def both(planned: Any, later: Case, phantom_plan: Plan) -> Any:
    """The panel with the phantom's planned case in the scene, and a new case with the later CT at work."""
    earlier = planned.desk.owner
    waived = phantom_plan.with_(waivers=(Waiver("clearance.oesophagus", "A. Surgeon", "retracted"),))
    planned.parameters.plan = plan_to_json(waived)
    node = slicer.mrmlScene.AddNode(planned.widget.logic.createParameterNode())
    planned.ui.parameterNodeSelector.setCurrentNode(node)
    planned.host.process_events()
    assert planned.desk.owner is node
    planned.parameters.previewVisible = planned.parameters.endplatesVisible = False
    planned.load(later, "Phantom, later")
    planned.ui.earlierSelector.setCurrentNode(earlier)
    planned.host.process_events()
    assert planned.parameters.earlier is earlier and planned.desk.plan is None
    return planned


def rows(bench: Any) -> list[list[str]]:
    """The report as shown."""
    table = bench.ui.changesTable
    return [[table.item(row, column).text() for column in range(5)] for row in range(table.rowCount)]


@pytest.fixture
def stood_in(both: Any, phantom_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """As `both`; in place of the command its files are copied: a plan of another width and a report."""
    from SpinalStrutDesignerLib.panel import jobs  # which only the host can import

    whole, plan, report = jobs.rebuild_job, tmp_path / "made.json", tmp_path / "made.csv"
    wider = phantom_plan.with_(section=phantom_plan.section.with_(width_mm=11.5))
    plan.write_text(plan_to_json(wider), encoding="utf-8")
    report.write_text(changes_table(CHANGES), encoding="utf-8")

    def stand_in(*given: Any) -> Any:
        job = whole(*given)
        files = (str(plan), "--out", str(report), "--report", "--")
        return replace(job, arguments=(str(STAND_IN), *files, *job.arguments[2:]))

    monkeypatch.setattr(jobs, "rebuild_job", stand_in)
    return both


def test_plan_and_report_are_taken_in_and_can_be_undone(stood_in: Any, tmp_path: Path) -> None:
    ui, earlier = stood_in.ui, stood_in.parameters.earlier
    before = earlier.GetParameter("plan")
    assert ui.rebuildButton.enabled and not ui.laterGroupBox.collapsed and not ui.changesTable.visible
    ui.rebuildButton.click()
    stood_in.wait_for_job()
    assert stood_in.message == "" and stood_in.plan.section.width_mm == 11.5
    assert stood_in.heads()["axis"] == "✓"
    assert rows(stood_in) == [
        ["Span C4 to T2", "67.80 mm", "70.05 mm", "+2.25", "look at it"],
        ["oesophagus", "given", "not given", "", ""],
        ["C4 found in the later CT, known to", "—", "0.21 mm", "", ""],
    ]
    # The command was given both CTs and the earlier case's own plan.
    called = json.loads((tmp_path / "called.json").read_text(encoding="utf-8"))
    assert called[0] == "rebuild" and {"--old-ct", "--old-labels", "--old-roles", "--plan"} <= set(called)
    assert Path(called[1]).name == "ct.nrrd" != Path(called[called.index("--old-ct") + 1]).parent.name
    assert earlier.GetParameter("plan") == before
    stood_in.desk.undo()
    assert stood_in.desk.plan is None


def test_the_report_is_saved_with_the_scene(stood_in: Any, tmp_path: Path) -> None:
    stood_in.ui.rebuildButton.click()
    stood_in.wait_for_job()
    shown, name = rows(stood_in), stood_in.desk.owner.GetName()
    stood_in.host.save_scene(tmp_path / "case.mrb")
    stood_in.host.close_scene()
    stood_in.host.load_scene(tmp_path / "case.mrb")
    stood_in.ui.parameterNodeSelector.setCurrentNode(slicer.mrmlScene.GetFirstNodeByName(name))
    stood_in.host.process_events(0.1)
    assert rows(stood_in) == shown and stood_in.ui.changesTable.visible


def test_what_cannot_be_carried_over_is_told(both: Any) -> None:
    both.ui.earlierSelector.setCurrentNode(both.desk.owner)
    both.ui.rebuildButton.click()
    assert "the earlier case is this one" in both.message and not both.panel.work.busy
    empty = slicer.mrmlScene.AddNode(both.widget.logic.createParameterNode())
    both.ui.earlierSelector.setCurrentNode(empty)
    both.ui.rebuildButton.click()
    assert "has no plan to carry over" in both.message and not both.panel.work.busy


def test_the_command_itself_finds_the_patient_again(
    both: Any, phantom_plan: Plan, motion_of_patient: np.ndarray
) -> None:
    both.ui.rebuildButton.click()
    both.wait_for_job()
    assert both.message == ""
    points = np.array(phantom_plan.axis.control_points) + phantom_plan.axis.offset
    ends = np.array(both.plan.axis.control_points)
    assert np.linalg.norm(ends - moved(motion_of_patient, points), axis=1).max() < 0.5
    told = {row[0]: row[1:] for row in rows(both)}
    assert told["oesophagus"][:2] == ["given", "not given"]
    assert abs(float(told["Span C4 to T2"][2])) < 0.6  # nothing bent
    assert any("Waiver of clearance.oesophagus" in name for name in told)
    assert both.plan.waivers == ()
