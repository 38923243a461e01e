"""Docking levels compared in the panel: in a child process, as a table, and one of them chosen, until undo."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import slicer
from SpinalStrutDesignerLib.plan.json import plan_from_json
from SpinalStrutDesignerLib.plan.plan import Plan
from SpinalStrutDesignerLib.plan.presets import preset
from SpinalStrutDesignerLib.propose.spans import SPAN_COLUMNS, Span, SpanDesign, spans_table
from SpinalStrutDesignerLib.scene.job import spans_job
from SpinalStrutDesignerLib.scene.spans_table import spans_in
from SpinalStrutDesignerLib.verify.finding import Finding

STAND_IN = Path(__file__).with_name("stand_in_files.py")


def found(id: str, title: str, value: float, verdict: str) -> Finding:
    return Finding(id, title, value, "mm", "", verdict, "")  # type: ignore[arg-type]


def designs(plan: Plan) -> list[SpanDesign]:
    """A span that may be made, one with a warning, one that is forbidden, and one that has no plate to dock on."""
    from SpinalStrutDesignerLib.build.situation import situation

    made = situation(shared(), plan)
    plates = made.upper, made.lower

    def one(upper: str, lower: str, *findings: Finding) -> SpanDesign:
        return SpanDesign(Span(upper, lower, plates, (231.4, 198.2)), preset("case2", upper, lower), findings)

    sac = found("clearance.dural_sac", "Distance to dural sac", 4.25, "pass")
    return [
        one("C3", "T2", sac, found("screw.1.density", "Screw 1", 214.0, "warn")),
        one("C4", "T2", sac),
        one("C4", "T3", found("clearance.metal", "Distance to metal", 1.1, "fail")),
        SpanDesign(
            Span("C5", "T2", None, None, "C5 has no inferior endplate"), None, (), "C5 has no inferior endplate"
        ),
    ]


def shared() -> Any:
    from shared_phantom import shared_phantom

    return shared_phantom()


@pytest.fixture
def compared(planned: Any, phantom_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The panel after a comparison, for which a table was made ready in place of the command."""
    from SpinalStrutDesignerLib.panel import jobs  # which only the host can import

    table = tmp_path / "made.csv"
    table.write_text(spans_table(designs(phantom_plan)), encoding="utf-8")

    def stand_in(*given: Any) -> Any:
        job = spans_job(*given)
        return replace(job, arguments=(str(STAND_IN), str(table), "--out", "--", *job.arguments[2:]))

    monkeypatch.setattr(jobs, "spans_job", stand_in)
    assert planned.ui.compareSpansButton.enabled and not planned.ui.spansTable.visible
    planned.ui.compareSpansButton.click()
    planned.wait_for_job()
    assert planned.message == ""
    return planned


def rows(bench: Any) -> list[list[str]]:
    table = bench.ui.spansTable
    return [[table.item(row, column).text() for column in range(5)] for row in range(table.rowCount)]


def choose(bench: Any, row: int) -> None:
    """A person clicks a row."""
    bench.ui.spansTable.setCurrentCell(row, 0)
    bench.host.process_events()


def test_spans_stand_side_by_side(compared: Any, phantom_plan: Plan, tmp_path: Path) -> None:
    shown = rows(compared)
    assert [row[0] for row in shown] == ["C3-T2", "C4-T2", "C4-T3", "C5-T2"]
    assert shown[0][2:] == ["231 / 198", "4.2 mm", "nothing"] and shown[0][1].endswith(" mm")
    assert shown[2][3:] == ["1.1 mm", "clearance.metal"]
    assert shown[3][1:] == ["—", "—", "—", "C5 has no inferior endplate"]
    colors = [compared.ui.spansTable.item(row, 0).background().color().name() for row in range(4)]
    assert colors == ["#e08a00", "#2e7d32", "#c62828", "#757575"]
    # The node holds every column, and the command was given this very plan.
    node = compared.parameters.spans
    assert set(spans_in(node)[0]) == set(SPAN_COLUMNS) and spans_in(node)[1]["span"] == "C4-T2"
    called = json.loads((tmp_path / "called.json").read_text(encoding="utf-8"))
    assert called[0] == "spans"
    given = Path(called[called.index("--plan") + 1])
    assert plan_from_json(given.read_text(encoding="utf-8")) == phantom_plan == compared.plan


def test_a_chosen_span_becomes_the_plan_s_and_undo_brings_the_other_back(compared: Any, phantom_plan: Plan) -> None:
    ui = compared.ui
    assert not ui.useSpanButton.enabled
    choose(compared, 1)
    assert not ui.useSpanButton.enabled and "plan's docking levels" in ui.useSpanButton.toolTip
    choose(compared, 3)
    assert not ui.useSpanButton.enabled and "No foot" in ui.useSpanButton.toolTip
    choose(compared, 0)
    assert ui.useSpanButton.enabled
    assert "least screw HU: 214" in ui.spanBrowser.plainText and "C3-T2" in ui.spanBrowser.plainText
    ui.useSpanButton.click()
    compared.host.process_events()
    assert (compared.plan.upper, compared.plan.lower) == ("C3", "T2") and compared.plan.axis.control_points == ()
    assert compared.plan.case_code == phantom_plan.case_code and compared.plan.rules == phantom_plan.rules
    assert ui.upperLevelComboBox.itemData(ui.upperLevelComboBox.currentIndex) == "C3"
    assert len(rows(compared)) == 4  # still there to choose another one from
    ui.undoButton.click()
    assert compared.plan == phantom_plan


def test_a_box_that_is_opened_shows_only_what_there_is(planned: Any) -> None:
    planned.ui.anatomyButton.collapsed = False
    for box, inside in (("spansGroupBox", "spansTable spanBrowser useSpanButton"), ("poseGroupBox", "postureTable")):
        getattr(planned.ui, box).collapsed = False
        planned.host.process_events()
        assert not any(getattr(planned.ui, name).visible for name in inside.split()), box
    assert planned.ui.compareSpansButton.visible and planned.ui.postureLabel.visible


def test_a_locked_plan_keeps_its_levels(compared: Any, phantom_plan: Plan) -> None:
    choose(compared, 0)
    compared.ui.lockButton.checked = True
    compared.host.process_events()
    assert not compared.ui.useSpanButton.enabled and "locked" in compared.ui.useSpanButton.toolTip
    assert compared.plan == phantom_plan


def test_an_edited_anatomy_makes_the_comparison_out_of_date(compared: Any) -> None:
    assert not compared.ui.spansLabel.visible
    segmentation = compared.parameters.segmentation.GetSegmentation()
    segmentation.GetSegment(segmentation.GetSegmentIdBySegmentName("discs")).SetName("something else")
    compared.host.process_events()
    assert compared.ui.spansLabel.visible and "Compare again" in compared.ui.spansLabel.text


def test_the_comparison_is_saved_with_the_scene(compared: Any, tmp_path: Path) -> None:
    shown = rows(compared)
    compared.host.save_scene(tmp_path / "case.mrb")
    compared.host.close_scene()
    assert rows(compared) == []
    compared.host.load_scene(tmp_path / "case.mrb")
    compared.host.process_events(0.1)
    assert rows(compared) == shown and not compared.ui.spansLabel.visible


def test_another_table_is_refused_and_nothing_lost(compared: Any, tmp_path: Path) -> None:
    from SpinalStrutDesignerLib.errors import CaseError
    from SpinalStrutDesignerLib.scene.spans_table import show_spans

    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    node = compared.parameters.spans
    with pytest.raises(CaseError, match="no table of spans"):
        show_spans(slicer.mrmlScene, tmp_path / "other.csv", "", node)
    assert len(spans_in(node)) == 4
