"""The long work runs in a child process: it can be cancelled, killed, refused, and never costs what there was."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import slicer
from SpinalStrutDesignerLib.plan.plan import Plan


def _process(bench: Any) -> Any:
    return bench.panel.work._child._process


def test_cancel_ends_the_child_and_keeps_the_plan(planned: Any, phantom_plan: Plan) -> None:
    planned.ui.proposeButton.click()
    planned.host.process_events(1.0)
    assert planned.ui.cancelButton.enabled and not planned.ui.proposeButton.enabled
    process = _process(planned)
    planned.ui.cancelButton.click()
    planned.host.process_events(0.2)
    assert process.wait(timeout=20) is not None
    assert planned.plan == phantom_plan and planned.ui.proposeButton.enabled and not planned.ui.cancelButton.enabled
    assert "Cancelled" in planned.ui.stageLabel.text and planned.message == ""


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process on POSIX only")
def test_a_killed_child_is_an_error_message(planned: Any, phantom_plan: Plan) -> None:
    planned.ui.checkRunButton.click()
    planned.host.process_events(0.5)
    _process(planned).send_signal(signal.SIGSEGV)
    planned.wait_for_job()
    assert f"signal {int(signal.SIGSEGV)}" in planned.message and "as they were" in planned.message
    assert planned.plan == phantom_plan and planned.ui.checkRunButton.enabled
    assert planned.heads()["check"] == "○"


def test_what_the_child_refuses_is_told_in_its_words(planned: Any, phantom_plan: Plan) -> None:
    deep = phantom_plan.with_(upper_foot=phantom_plan.upper_foot.with_(ring_margin_mm=10.0))
    planned.desk.decide(deep, "margin")
    planned.ui.checkRunButton.click()
    planned.wait_for_job()
    assert "margin" in planned.message and "exit code" not in planned.message
    assert planned.plan == deep


def test_missing_packages_are_asked_for_at_the_point_of_use(
    planned: Any, phantom_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slicer_host import packaging

    asked = len(packaging.requests)
    monkeypatch.setattr(packaging, "_is_met", lambda requirement: False)
    monkeypatch.setattr(packaging, "answer", "declined")
    planned.ui.checkRunButton.click()
    planned.host.process_events()
    assert len(packaging.requests) == asked + 1 and "manifold3d" in str(packaging.requests[-1]["missing"])
    assert "numpy==" in packaging.requests[-1]["constraints"]
    assert not planned.panel.work.busy and "declined" in planned.message and planned.plan == phantom_plan


def test_the_application_s_end_ends_the_child(planned: Any) -> None:
    planned.ui.proposeButton.click()
    planned.host.process_events(0.2)
    process = _process(planned)
    planned.host.quit()
    assert process.poll() is not None and not planned.panel.work.busy


def test_a_release_into_a_strange_folder_is_refused_before_any_work(planned: Any, tmp_path: Path) -> None:
    import datetime

    from SpinalStrutDesignerLib.panel.release import release_name

    planned.ui.outputFolderButton.directory = str(tmp_path)
    target = tmp_path / release_name(planned.plan, datetime.date.today())
    target.mkdir()
    (target / "thesis.txt").write_text("years of work")
    planned.ui.releaseRunButton.click()
    planned.host.process_events()
    assert not planned.panel.work.busy and "thesis.txt" in planned.message
    assert (target / "thesis.txt").read_text() == "years of work"


def test_nothing_can_be_started_before_there_is_anything(bench: Any) -> None:
    ui = bench.ui
    for button, words in ((ui.proposeButton, "CT"), (ui.checkRunButton, "CT"), (ui.releaseRunButton, "plan")):
        assert not button.enabled and words in button.toolTip
    assert set(bench.heads().values()) == {"○"}
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLModelNode") <= 3  # Slicer's own slice planes


def test_the_module_s_own_test_runs_in_the_host(host: Any) -> None:
    host.run_self_test("SpinalStrutDesigner")
