"""Screws in the panel: all planned in a child process, graded as planned, dragged, exchanged for others, charted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from shared_phantom import shared_phantom
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.plan.json import plan_from_json
from SpinalStrutDesignerLib.plan.plan import Plan, Screw
from SpinalStrutDesignerLib.propose.screw_choice import ScrewSet
from SpinalStrutDesignerLib.propose.screw_plan import EndScrews
from SpinalStrutDesignerLib.propose.screws_json import ends_from_json, ends_to_json
from SpinalStrutDesignerLib.scene.job import screws_job
from SpinalStrutDesignerLib.verify.measured import Measured
from SpinalStrutDesignerLib.verify.registry import checks
from vtk.util.numpy_support import vtk_to_numpy

STAND_IN = Path(__file__).with_name("stand_in_files.py")
ORDER = ("fail", "not_evaluated", "warn", "pass")
GRADE, LEVEL, TYPE, LENGTH, PURCHASE, HU, NEAREST, CANAL, LOCK = range(9)
CHART = ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode")


def longer(screw: Screw) -> Screw:
    """The same screw, one size longer."""
    sizes = screw.type.lengths_mm
    return screw.with_(length_mm=sizes[sizes.index(screw.length_mm) + 1])


def ends_of(plan: Plan) -> tuple[EndScrews, ...]:
    """Longer screws than the plan's as the best, shorter ones as runners-up."""
    ends = []
    for level in (plan.upper, plan.lower):
        screws = tuple(screw for screw in plan.screws if screw.level == level)
        best = ScrewSet(tuple(longer(s) for s in screws), 900.0, tuple("far wall (0.1 mm left)" for _ in screws))
        other = ScrewSet(tuple(s.with_(length_mm=s.type.lengths_mm[0]) for s in screws), 700.5, ("side wall",))
        ends.append(EndScrews(level, best, (other,)))
    return tuple(ends)


def stood_in(bench: Any, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The button pressed, with a file made ready in place of the command."""
    from SpinalStrutDesignerLib.panel import jobs  # which only the host can import

    made = tmp_path / "made.json"
    made.write_text(text, encoding="utf-8")

    def stand_in(*given: Any) -> Any:
        job = screws_job(*given)
        return replace(job, arguments=(str(STAND_IN), str(made), "--sets", "--", *job.arguments[2:]))

    monkeypatch.setattr(jobs, "screws_job", stand_in)
    bench.ui.planScrewsButton.click()
    bench.wait_for_job()


@pytest.fixture
def all_planned(planned: Any, phantom_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    stood_in(planned, ends_to_json(ends_of(phantom_plan)), tmp_path, monkeypatch)
    assert planned.message == ""
    return planned


@pytest.fixture
def measured(planned: Any) -> Any:
    """The panel when the preview is ready and every screw is measured."""
    planned.parameters.previewVisible = True
    planned.wait_for_preview()
    wait(planned)
    return planned


def wait(bench: Any) -> None:
    """Until every screw of the plan is measured."""
    table = bench.panel.screw_step.table
    bench.panel.refresh()
    wanted = range(len(bench.plan.screws))
    bench.host.wait_for(lambda: not table.busy and all(table.findings(n) for n in wanted), 100.0, "the screws")


def row(bench: Any, number: int) -> list[str]:
    return [bench.ui.screwTable.item(number, column).text() for column in range(9)]


def independent(plan: Plan) -> dict[str, Any]:
    """What the checks of the whole program find on screws, in the whole case, by id."""
    where = situation(shared_phantom(), plan)

    class Implant:
        situation = where

    wanted = {check.name: check for check in checks()}
    implant = Measured(Implant())  # type: ignore[arg-type]
    return {f.id: f for name in ("screws", "screw_risk") for f in wanted[name].measure(implant)}


def test_all_screws_are_planned_at_a_press_and_undone_at_once(
    all_planned: Any, phantom_plan: Plan, tmp_path: Path
) -> None:
    assert all_planned.plan == phantom_plan.with_(screws=tuple(longer(screw) for screw in phantom_plan.screws))
    called = json.loads((tmp_path / "called.json").read_text(encoding="utf-8"))
    given = Path(called[called.index("--plan") + 1])
    assert called[0] == "screws" and plan_from_json(given.read_text(encoding="utf-8")) == phantom_plan
    all_planned.ui.undoButton.click()
    assert all_planned.plan == phantom_plan


def test_a_runner_up_is_used_until_undo(all_planned: Any, phantom_plan: Plan) -> None:
    ui, best = all_planned.ui, all_planned.plan
    assert not ui.useAlternativeButton.enabled
    all_planned.choose(ui.alternativesEndComboBox, "T2")
    assert [ui.alternativesTable.item(n, 0).text() for n in range(ui.alternativesTable.rowCount)] == ["900 N", "700 N"]
    ui.alternativesTable.setCurrentCell(0, 0)
    assert not ui.useAlternativeButton.enabled and "plan's screws" in ui.useAlternativeButton.toolTip
    assert ui.bindingsLabel.text == "far wall (0.1 mm left)"
    ui.alternativesTable.setCurrentCell(1, 0)
    ui.useAlternativeButton.click()
    upper = tuple(screw for screw in best.screws if screw.level == "C4")
    lower = tuple(s.with_(length_mm=s.type.lengths_mm[0]) for s in phantom_plan.screws if s.level == "T2")
    assert all_planned.plan == best.with_(screws=(*upper, *lower))
    ui.undoButton.click()
    assert all_planned.plan == best
    # Runners-up of a plan that was changed are not offered: they were not measured beside it.
    ui.plan_screw_rules_canal_mm.value = 3.0
    assert "Out of date" in ui.alternativesLabel.text and not ui.useAlternativeButton.enabled


@pytest.mark.parametrize("text", ['{"ends": [{"level": "C4"}]}', '{"ends": 3}', "nothing"])
def test_a_result_that_cannot_be_read_changes_nothing(
    planned: Any, phantom_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    stood_in(planned, text, tmp_path, monkeypatch)
    assert planned.plan == phantom_plan and "planned screws" in planned.message
    assert planned.ui.alternativesTable.rowCount == 0 and not planned.desk.belongings.all("screwSets")


def test_the_written_screws_are_read_again(phantom_plan: Plan) -> None:
    assert ends_from_json(ends_to_json(ends_of(phantom_plan))) == ends_of(phantom_plan)


def test_the_table_says_what_the_checks_find(measured: Any, phantom_plan: Plan) -> None:
    found = independent(phantom_plan)
    names = {"canal": "canal", "organs": "organ", "superior": "upper", "inferior": "lower", "wall": "side"}
    names |= {"tip": "far"}
    for number, screw in enumerate(phantom_plan.screws):
        own = f"screw.{number + 1}."
        shown = row(measured, number)
        assert shown[LEVEL] == screw.level and shown[TYPE] == f"{screw.type.diameter_mm:g}"
        for column, key, digits in ((PURCHASE, "pullout", 0), (HU, "density", 0), (CANAL, "breach.canal", 1)):
            assert float(shown[column]) == pytest.approx(found[own + key].value, abs=0.51 * 10.0**-digits)
        near = {name: found[own + key].value for key, name in names.items() if own + key in found}
        beside = [f.value for f in found.values() if "to_" in f.id and str(number + 1) in f.id]
        near |= {"screw": min(beside)} if beside else {}
        name, _, value = shown[NEAREST].rpartition(" ")
        assert near[name] == min(near.values()) == pytest.approx(float(value), abs=0.051)
        told = [f for f in found.values() if f.id.startswith(own) and ".breach." not in f.id]
        told += [found[own + "breach.canal"], *(f for f in found.values() if f.id.endswith(f"to_{number + 1}"))]
        verdicts = {f.verdict for f in told if f.verdict != "not_evaluated" or f.critical}
        worst = next(verdict for verdict in ORDER if verdict in verdicts)
        assert shown[GRADE] == worst.replace("_", " ")
        color = measured.ui.screwTable.item(number, GRADE).background().color().name()
        assert color == {"fail": "#c62828", "warn": "#e08a00", "pass": "#2e7d32"}[worst]


def test_what_is_not_measured_is_grey_and_says_so(planned: Any) -> None:
    assert row(planned, 0)[GRADE] == "not evaluated" and row(planned, 0)[PURCHASE] == "—"
    assert planned.ui.screwTable.item(0, GRADE).background().color().name() == "#757575"


def test_a_drag_is_measured_in_its_row_alone(measured: Any, phantom_plan: Plan) -> None:
    line = measured.desk.belongings.all("screw")[1]
    before = [row(measured, n) for n in range(3)]
    tip = np.array(line.GetNthControlPointPositionWorld(1))
    line.InvokeEvent(line.PointStartInteractionEvent)
    line.SetNthControlPointPositionWorld(1, *(tip - np.array((0.0, 0.0, 7.0))))
    dragged = [row(measured, n) for n in range(3)]
    assert measured.plan == phantom_plan  # it is not let go yet
    assert dragged[0] == before[0] and dragged[2] == before[2] and dragged[1] != before[1]
    assert dragged[1][GRADE] == "fail"  # it passes the lower endplate
    line.InvokeEvent(line.PointEndInteractionEvent)
    wait(measured)
    found = independent(measured.plan)
    assert float(row(measured, 1)[PURCHASE]) == pytest.approx(found["screw.2.pullout"].value, abs=0.51)
    assert found["screw.2.inferior"].verdict == "fail" and row(measured, 1)[GRADE] == "fail"
    assert "1 not within the limits" in measured.ui.screwsButton.text
    measured.ui.undoButton.click()
    assert [row(measured, n) for n in range(3)] == before


def test_the_chart_holds_the_ct_along_the_chosen_screw(measured: Any, phantom_plan: Plan) -> None:
    layouts = slicer.app.layoutManager()
    before = layouts.layout
    measured.ui.screwTable.setCurrentCell(2, 0)
    measured.ui.screwPlotCheckBox.checked = True
    chart = layouts.plotWidget(0).mrmlPlotViewNode().GetPlotChartNode()
    assert "T2" in chart.GetTitle()
    lines = {}
    for number in range(chart.GetNumberOfPlotSeriesNodes()):
        line = chart.GetNthPlotSeriesNode(number)
        table = line.GetTableNode().GetTable()
        lines[line.GetName()] = [
            vtk_to_numpy(table.GetColumnByName(name)) for name in (line.GetXColumnName(), line.GetYColumnName())
        ]
    assert (lines["153.5 HU"][1] == 153.5).all()
    # By hand: the mean of eight places round the thread's middle depth, in a frame of the test's own.
    screw, ct = phantom_plan.screws[2], shared_phantom().ct
    way = np.asarray(screw.direction) / np.linalg.norm(screw.direction)
    one = np.cross(way, (0.0, 0.0, 1.0)) / np.linalg.norm(np.cross(way, (0.0, 0.0, 1.0)))
    two, radius = np.cross(way, one), 0.25 * (screw.type.diameter_mm + screw.type.core_mm)
    depths, values = lines["HU along the thread"]
    assert depths[-1] == screw.length_mm
    angles = np.linspace(0.0, 2.0 * np.pi, 64, endpoint=False)
    ring = radius * (np.cos(angles)[:, None] * one + np.sin(angles)[:, None] * two)
    for depth, value in zip(depths[::10], values[::10]):
        by_hand = ct.sample(np.asarray(screw.entry) + depth * way + ring).mean()
        assert value == pytest.approx(by_hand, abs=25.0)  # eight places against sixty-four
    measured.ui.screwTable.setCurrentCell(0, 0)
    assert "C4" in chart.GetTitle()
    measured.ui.screwPlotCheckBox.checked = False
    assert [slicer.mrmlScene.GetNumberOfNodesByClass(kind) for kind in CHART] == [0, 0] and layouts.layout == before


def test_cones_come_follow_and_go(planned: Any) -> None:
    planned.ui.errorConesCheckBox.checked = True
    assert len(planned.desk.belongings.all("screwError")) == 3
    planned.ui.screwTable.setCurrentCell(0, 0)
    planned.ui.deleteScrewButton.click()
    assert len(planned.desk.belongings.all("screwError")) == 2
    planned.ui.errorConesCheckBox.checked = False
    assert planned.desk.belongings.all("screwError") == []


def test_decisions_of_the_chosen_screw(planned: Any, phantom_plan: Plan) -> None:
    ui = planned.ui
    assert not ui.backoutComboBox.enabled
    ui.screwTable.setCurrentCell(1, 0)
    planned.choose(ui.backoutComboBox, "locking_thread")
    ui.bicorticalCheckBox.checked = True
    ui.lockScrewButton.click()
    assert planned.plan.screws[1] == phantom_plan.screws[1].with_(
        anti_backout="locking_thread", bicortical=True, locked=True
    )
    assert row(planned, 1)[LOCK] == "yes" and not ui.screwTable.cellWidget(1, LENGTH).enabled
    ui.screwTable.setCurrentCell(0, 0)
    assert not ui.bicorticalCheckBox.checked and ui.backoutComboBox.currentText == "nothing"
    planned.choose(ui.screwTable.cellWidget(0, LENGTH), "16")
    assert planned.plan.screws[0].length_mm == 16.0
    for _ in range(4):
        ui.undoButton.click()
    assert planned.plan == phantom_plan
