"""`insert` writes the plan with its ways, and a report of the outcome that says what the command says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from insertion_toy import ring, toy
from shared_phantom import shared_phantom
from SpinalStrutDesignerLib import cli
from SpinalStrutDesignerLib.build.design import Design, Implant
from SpinalStrutDesignerLib.plan.json import plan_from_json, plan_to_json


@pytest.fixture
def insert(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The exit code of `insert` for an implant that is not built here, and where plan and report are written."""
    monkeypatch.setattr(
        "SpinalStrutDesignerLib.case.read.read_case", lambda *given, seeds=None, progress=None: shared_phantom()
    )

    def inserted(implant: Implant) -> tuple[int, Path, Path]:
        monkeypatch.setattr("SpinalStrutDesignerLib.build.build.build", lambda *given: Design((implant,), (), ""))
        given, out, report = (tmp_path / name for name in ("plan.json", "ways.json", "report.json"))
        given.write_text(plan_to_json(implant.situation.plan), encoding="utf-8")
        command = ["insert", "ct.nrrd", "--labels", "l.nrrd", "--plan", str(given), "--out", str(out)]
        return cli.main([*command, "--report", str(report), "--progress", "json"]), out, report

    return inserted


def test_a_way_is_written_with_the_plan_and_reported(insert, capsys) -> None:
    code, out, report = insert(toy())
    assert code == 0
    (way,) = plan_from_json(out.read_text(encoding="utf-8")).insertion.ways
    findings = json.loads(report.read_text(encoding="utf-8"))
    assert (findings[0]["id"], findings[0]["value"]) == ("insertion.way", f"{len(way.points)} waypoints")
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]["lines"]
    assert said[0] == f"nominal: a way of {len(way.points)} waypoints"
    for finding in findings[1:]:
        assert any(line.strip().startswith(f"{finding['verdict']}: {finding['title']}") for line in said)


def test_where_none_is_found_the_report_says_what_holds_and_the_command_fails(insert, monkeypatch) -> None:
    monkeypatch.setattr("SpinalStrutDesignerLib.propose.insertion._MOST_STEPS", 250)
    code, out, report = insert(toy(ring("other_bone", "bone")))
    (only,) = json.loads(report.read_text(encoding="utf-8"))
    assert code == cli.BLOCKED and only["blocks"] and only["verdict"] == "fail" and "held by" in only["detail"]
    assert plan_from_json(out.read_text(encoding="utf-8")).insertion.ways == ()
