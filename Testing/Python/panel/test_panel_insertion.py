"""The way in, in the panel: searched in a child process until undo, told in words, out of date after a change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from SpinalStrutDesignerLib.plan.insertion import Way, Waypoint
from SpinalStrutDesignerLib.plan.json import plan_from_json, plan_to_json
from SpinalStrutDesignerLib.plan.plan import Plan
from SpinalStrutDesignerLib.propose.ways_found import WAY
from SpinalStrutDesignerLib.release.folder import json_text
from SpinalStrutDesignerLib.release.records import findings_record
from SpinalStrutDesignerLib.scene.job import insert_job
from SpinalStrutDesignerLib.scene.ways_table import ways_in
from SpinalStrutDesignerLib.verify.finding import Finding

STAND_IN = Path(__file__).with_name("stand_in_files.py")
FRONT = Way(0.0, (Waypoint((0.0, 120.0, 0.0), (30.0, 0.0, 0.0)), Waypoint((0.0, 30.0, 0.0)), Waypoint()))


def found(id: str, title: str, value: float | str, verdict: str, detail: str = "", place: Any = None) -> Finding:
    unit = "mm" if isinstance(value, float) else ""
    return Finding(id, title, value, unit, "≤ 30 mm", verdict, "", place, detail=detail)  # type: ignore[arg-type]


FINDINGS = (
    found(WAY, "Way of the implant to its place", "3 waypoints", "pass"),
    found("insertion.bone", "Overlap with bone on the way in", 0.3, "warn", place=(1.0, 30.0, 80.0)),
    found("insertion.oesophagus", "Oesophagus held aside on the way in", 26.13, "pass"),
    found("insertion.lungs", "The way in passes lungs", "collapsed", "warn"),
    found("insertion.of_another_kind", "Something else", 1.0, "pass"),
    found(
        f"plus3mm.{WAY}", "Way of the implant to its place (plus3mm)", "not found", "fail",
        "It came 12 mm out of its place, held by T2: plan a resection there.",
    ),
)  # fmt: skip


@pytest.fixture
def searched(planned: Any, phantom_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The panel after a search, whose result was made ready in place of the command."""
    from SpinalStrutDesignerLib.panel import jobs  # which only the host can import

    made, report = tmp_path / "made.json", tmp_path / "report.json"
    with_way = phantom_plan.with_(insertion=phantom_plan.insertion.with_(ways=(FRONT,)))
    made.write_text(plan_to_json(with_way), encoding="utf-8")
    report.write_text(json_text(findings_record(FINDINGS)), encoding="utf-8")

    def stand_in(*given: Any) -> Any:
        job = insert_job(*given)
        words = (str(STAND_IN), str(made), "--out", str(report), "--report", "--", *job.arguments[2:])
        return replace(job, arguments=words)

    monkeypatch.setattr(jobs, "insert_job", stand_in)
    assert planned.ui.insertButton.enabled and planned.heads()["insertion"] == "○"
    planned.ui.insertButton.click()
    planned.wait_for_job()
    assert planned.message == ""
    return planned


def rows(bench: Any) -> list[list[str]]:
    table = bench.ui.waysTable
    return [[table.item(row, column).text() for column in range(4)] for row in range(table.rowCount)]


def test_a_search_becomes_the_plan_s_ways_and_undo_takes_them_back(
    searched: Any, phantom_plan: Plan, tmp_path: Path
) -> None:
    assert searched.plan.insertion.ways == (FRONT,)
    assert searched.plan.with_(insertion=phantom_plan.insertion) == phantom_plan
    called = json.loads((tmp_path / "called.json").read_text(encoding="utf-8"))
    assert called[0] == "insert"
    given = Path(called[called.index("--plan") + 1])
    assert plan_from_json(given.read_text(encoding="utf-8")) == phantom_plan
    searched.ui.undoButton.click()
    assert searched.plan == phantom_plan and searched.heads()["insertion"] == "↻"
    searched.ui.redoButton.click()
    assert searched.plan.insertion.ways == (FRONT,) and searched.heads()["insertion"] == "✗"


def test_what_was_found_is_told_for_each_implant(searched: Any) -> None:
    words = searched.ui.waysBrowser.plainText.splitlines()
    assert words[0] == (
        "nominal: can be brought in. Held aside: oesophagus 26.13 mm, lungs collapsed. Bone to be taken off: 0.3 mm."
    )
    assert words[1].startswith("+3 mm: no way found. It came 12 mm out of its place, held by T2")
    assert len(words) == 2
    shown = rows(searched)
    assert [row[:2] for row in shown] == [
        ["pass", "nominal"], ["warn", "nominal"], ["pass", "nominal"], ["warn", "nominal"], ["pass", "nominal"],
        ["fail", "+3 mm"],
    ]  # fmt: skip
    assert shown[5][2:] == ["Way in", "not found"]
    assert [row[2] for row in shown[2:5]] == ["oesophagus held aside", "lungs held aside", "Something else"]
    assert "resection" in searched.ui.waysTable.item(5, 2).toolTip()
    searched.ui.waysTable.cellClicked.emit(1, 0)
    matrix = searched.host.slice_view("Red").mrmlSliceNode().GetSliceToRAS()
    assert [matrix.GetElement(row, 3) for row in range(3)] == pytest.approx((1.0, 30.0, 80.0), abs=0.1)


def test_a_change_makes_what_was_found_out_of_date_and_keeps_the_way(searched: Any) -> None:
    assert "Out of date" not in searched.ui.waysBrowser.plainText
    searched.ui.plan_section_width_mm.value = 12.0
    searched.host.process_events()
    assert searched.heads()["insertion"] == "↻" and searched.ui.waysBrowser.plainText.startswith("Out of date")
    assert searched.plan.insertion.ways == (FRONT,)  # the check measures it on what is made
    searched.ui.undoButton.click()
    assert searched.heads()["insertion"] == "✗" and "Out of date" not in searched.ui.waysBrowser.plainText


def test_a_plan_that_was_changed_meanwhile_does_not_get_the_ways(
    planned: Any, phantom_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    monkeypatch.setattr(planned.panel.work, "start", lambda job, words, done, fault: started.append((job, done)))
    planned.ui.insertButton.click()
    (job, done), = started  # fmt: skip
    planned.ui.plan_section_width_mm.value = 12.0
    job.output.write_text(plan_to_json(phantom_plan), encoding="utf-8")
    done(job.output)
    assert "search again" in planned.message and planned.plan.insertion.ways == ()
    assert ways_in(planned.desk.owner) == ()


def test_the_phantom_s_implant_can_be_brought_in(planned: Any, phantom_plan: Plan) -> None:
    """The command itself: about a minute. Without variants, and with pores so coarse that it is soon built."""
    coarse = phantom_plan.interface.with_(pore_um=1000.0)
    planned.desk.decide(phantom_plan.with_(variants=(), interface=coarse), "one implant")
    planned.ui.insertButton.click()
    planned.host.process_events(0.2)
    assert planned.ui.cancelButton.enabled and not planned.ui.insertButton.enabled
    planned.wait_for_job()
    assert planned.message == ""
    (way,) = planned.plan.insertion.ways
    assert way.amount_mm == 0.0 and len(way.points) > 2
    assert planned.heads()["insertion"] in "✓⚠" and "Out of date" not in planned.ui.waysBrowser.plainText
    words = planned.ui.waysBrowser.plainText
    assert words.startswith("nominal: can be brought in. Held aside: ") and "oesophagus" in words
    titles = [row[2] for row in rows(planned)]
    assert titles[0] == "Way in" and {"Overlap with bone", "oesophagus held aside"} <= set(titles)


def test_a_locked_plan_is_not_searched_for(searched: Any) -> None:
    searched.ui.lockButton.checked = True
    searched.host.process_events()
    assert not searched.ui.insertButton.enabled and "locked" in searched.ui.insertButton.toolTip
    assert not searched.ui.retractionsTable.enabled and not searched.ui.plan_insertion_give_mm.enabled


def test_what_was_found_is_saved_with_the_scene(searched: Any, tmp_path: Path) -> None:
    shown, words = rows(searched), searched.ui.waysBrowser.plainText
    searched.host.save_scene(tmp_path / "case.mrb")
    searched.host.close_scene()
    assert rows(searched) == []
    searched.host.load_scene(tmp_path / "case.mrb")
    searched.host.process_events(0.1)
    assert (
        rows(searched) == shown and searched.ui.waysBrowser.plainText == words and searched.heads()["insertion"] == "✗"
    )


def test_a_way_from_a_file_is_told_by_the_check(planned: Any) -> None:
    """A plan that the command line wrote has ways and no report; what the check measured is told then."""
    from SpinalStrutDesignerLib.scene.findings_table import show_findings

    plan = planned.plan
    planned.desk.decide(plan.with_(insertion=plan.insertion.with_(ways=(FRONT,))), "loaded")
    planned.host.process_events()
    assert planned.heads()["insertion"] == "⚠" and "not measured" in planned.ui.insertionButton.text
    planned.ui.insertionButton.collapsed = False
    assert "nothing was measured" in planned.ui.waysBrowser.plainText and not planned.ui.waysTable.visible
    planned.parameters.findings = show_findings(planned.desk.owner.GetScene(), FINDINGS[1:3])
    planned.parameters.checked = planned.desk.digest()
    planned.host.process_events()
    assert "oesophagus 26.13 mm" in planned.ui.waysBrowser.plainText and len(rows(planned)) == 2
    assert planned.ui.waysTable.visible
    planned.ui.plan_section_width_mm.value = 12.0
    assert rows(planned) == [] and planned.heads()["insertion"] == "⚠"
