"""The command line with its rooms replaced: what it asks of them, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from LatticeGeneratorLib.progress import Cancelled
from SpinalStrutDesignerLib import cli
from SpinalStrutDesignerLib.case.images import read_image
from SpinalStrutDesignerLib.case.model import Case, Mask, ScanQuality, Structure, Volume
from SpinalStrutDesignerLib.errors import CaseError, GeometryError, PlanError, ReleaseError
from SpinalStrutDesignerLib.plan.json import plan_to_json
from SpinalStrutDesignerLib.plan.plan import Plan
from SpinalStrutDesignerLib.plan.presets import preset
from SpinalStrutDesignerLib.release.folder import whole_folder, write_manifest
from SpinalStrutDesignerLib.verify.finding import Finding

ROOMS = "SpinalStrutDesignerLib."
PASS = Finding("mesh.closed", "Closed", "closed", "", "closed", "pass", "slicer")
WARN = Finding("size.wall", "Wall", 0.8, "mm", "≥ 1 mm", "warn", "printer")
FAIL = Finding("clearance.cord", "Distance to cord", 1.25, "mm", "≥ 3 mm", "fail", "rule", (1.0, -2.0, 3.0))
MISSING = Finding("clearance.missing.aorta", "Aorta", None, "mm", "given", "not_evaluated", "T4–L4", critical=True)
OPTIONAL = Finding("fit.gap", "Gap", None, "mm", "0.3", "not_evaluated", "plan")


def _case() -> Case:
    voxels = np.ones((4, 4, 4), dtype=bool)
    bones = tuple(Structure(n, "bone", Mask(voxels, np.eye(4)), i, n) for i, n in enumerate(("C4", "C5", "T2")))
    quality = ScanQuality((1.0, 1.0, 1.0), 1.0, 0.0, ("streaks beside metal",))
    return Case("toy", Volume(np.zeros((4, 4, 4), np.int16), np.eye(4)), bones, quality, ("blob",), "d1")


@dataclass
class Rooms:
    """What the command asked of the rooms, and what they answer."""

    findings: tuple[Finding, ...] = (PASS, WARN)
    fault: BaseException | None = None
    read: tuple[Any, ...] = ()
    seeds: dict[str, Any] = field(default_factory=dict)
    proposed: tuple[Any, ...] = ()
    plan: Plan | None = None
    calls: list[str] = field(default_factory=list)


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> Rooms:
    """Rooms that answer at once and write one file."""
    state = Rooms()

    def read(*arguments: Any, seeds: Any = None, progress: Any = None) -> Case:
        state.calls.append("read")
        state.read, state.seeds = arguments, seeds or {}
        return _case()

    def propose(case: Case, upper: str, lower: str, name: str = "case2", catalogue: str | None = None) -> Plan:
        state.calls.append("propose")
        state.proposed = (upper, lower, name)
        state.catalogue = catalogue
        return preset(name, upper, lower)

    def build(case: Case, plan: Plan, progress: Any) -> Any:
        state.calls.append("build")
        state.plan = plan
        progress("half a strut", 0.5)
        if state.fault is not None:
            raise state.fault
        return SimpleNamespace(digest="abc")

    def verify(case: Case, plan: Plan, design: Any, progress: Any) -> tuple[Finding, ...]:
        progress("looked at", 1.0)
        return state.findings

    def release(case: Case, plan: Plan, design: Any, findings: Any, directory: str, progress: Any) -> Path:
        with whole_folder(directory) as folder:
            (folder / "summary.html").write_text("here")
            write_manifest(folder, design.digest, ())
        return Path(directory).absolute()

    monkeypatch.setattr(ROOMS + "case.read.read_case", read)
    monkeypatch.setattr(ROOMS + "case.phantom.make_phantom", lambda: read("phantom"))
    monkeypatch.setattr(ROOMS + "propose.propose.propose_plan", propose)
    monkeypatch.setattr(ROOMS + "build.build.build", build)
    monkeypatch.setattr(ROOMS + "verify.verify.verify", verify)
    monkeypatch.setattr(ROOMS + "release.release.release", release)
    return state


def _design(out: Path, *more: str) -> list[str]:
    return ["design", "ct.nrrd", "--labels", "l.nrrd", "--from", "C4", "--to", "T2", "--out", str(out), *more]


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ((PASS, WARN), 0),
        ((PASS, OPTIONAL), 0),
        ((PASS, FAIL), 2),
        ((PASS, MISSING), 2),
        ((FAIL.waived("A. Surgeon", "seen"), MISSING.waived("A. Surgeon", "seen")), 0),
    ],
)
def test_exit_code_tells_whether_it_may_be_made(rooms, tmp_path, findings, code):
    rooms.findings = findings
    assert cli.main(_design(tmp_path / "out")) == code
    assert (tmp_path / "out" / "summary.html").is_file()


def test_demo_designs_the_phantom(rooms, tmp_path, capsys):
    assert cli.main(["demo", "--out", str(tmp_path / "out")]) == 0
    assert rooms.read == ("phantom",) and rooms.proposed == ("C4", "T2", "case2")
    assert rooms.plan is not None and rooms.plan.case_code == "PHANTOM"
    assert str(tmp_path / "out") in capsys.readouterr().out


def test_the_end_tells_seconds_verdicts_failures_and_files(rooms, tmp_path, capsys):
    rooms.findings = (PASS, PASS, WARN, FAIL, MISSING)
    cli.main(_design(tmp_path / "out"))
    told = capsys.readouterr()
    lines = told.out.splitlines()
    for stage in ("reading", "planning", "building", "verifying", "releasing"):
        assert stage in lines[0]
    assert lines[1] == "findings: 2 pass, 1 warn, 1 fail, 1 not evaluated"
    assert lines[2] == "NOT FOR MANUFACTURE:"
    assert lines[3] == "  clearance.cord: Distance to cord: 1.25 mm (limit: ≥ 3 mm) at R 1.0 A -2.0 S 3.0"
    assert lines[4] == "  clearance.missing.aorta: Aorta: not evaluated (limit: given)"
    assert lines[5].startswith(f"files: {tmp_path / 'out'}") and len(lines) == 6
    # Not a terminal: one line a stage.
    stages = told.err.splitlines()
    assert [line.split("%")[1].strip() for line in stages] == [
        "reading",
        "planning",
        "building",
        "verifying",
        "releasing",
    ]


def test_a_terminal_gets_one_line_redrawn(rooms, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    cli.main(_design(tmp_path / "out"))
    drawn = capsys.readouterr().err
    assert "\n" not in drawn and "building: half a strut" in drawn
    assert all(len(line) < 60 for line in drawn.split("\r"))
    assert drawn.endswith("\r") and drawn.split("\r")[-2].strip() == ""


def test_json_progress_is_lines_of_json_and_nothing_else(rooms, tmp_path, capsys):
    rooms.findings = (PASS, FAIL)
    assert cli.main(_design(tmp_path / "out", "--progress", "json")) == 2
    told = capsys.readouterr()
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert told.err == ""
    *steps, last = lines
    assert all(set(step) == {"stage", "detail", "fraction"} for step in steps)
    fractions = [step["fraction"] for step in steps]
    assert fractions == sorted(fractions) and fractions[0] == 0.0 and fractions[-1] == 1.0
    assert {"stage": "building", "detail": "half a strut"}.items() <= next(
        s for s in steps if s["detail"] == "half a strut"
    ).items()
    result = last["result"]
    assert result["directory"] == str(tmp_path / "out") and result["exit_code"] == 2
    assert result["blocking"] == ["clearance.cord"] and result["verdicts"]["pass"] == 1
    assert set(result["seconds"]) == {"reading", "planning", "building", "verifying", "releasing"}


@pytest.mark.parametrize("kind", [CaseError, PlanError, GeometryError, ReleaseError])
def test_an_error_is_one_readable_line(rooms, tmp_path, capsys, kind):
    rooms.fault = kind("the thing is 3 mm;\n  make it 4 mm")
    assert cli.main(_design(tmp_path / "out")) == 1
    told = capsys.readouterr()
    assert told.err.splitlines()[-1] == "spinal-strut: the thing is 3 mm; make it 4 mm"
    assert "Traceback" not in told.err and told.out == ""
    assert list(tmp_path.iterdir()) == []


def test_an_unforeseen_error_is_one_line_too_and_debug_shows_the_trace(rooms, tmp_path, capsys):
    rooms.fault = ZeroDivisionError("division by zero")
    assert cli.main(_design(tmp_path / "out")) == 1
    told = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in told and "--debug" in told and "Traceback" not in told
    assert cli.main(_design(tmp_path / "out", "--debug")) == 1
    told = capsys.readouterr().err
    assert "Traceback" in told and "in build" in told


def test_an_error_is_a_json_line_where_json_is_read(rooms, tmp_path, capsys):
    rooms.fault = CaseError("no bone")
    assert cli.main(_design(tmp_path / "out", "--progress", "json")) == 1
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last == {"error": {"type": "CaseError", "message": "no bone"}}


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), Cancelled()])
def test_an_interrupt_ends_in_one_line_and_leaves_nothing(rooms, tmp_path, capsys, fault):
    rooms.fault = fault
    assert cli.main(_design(tmp_path / "out")) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "spinal-strut: interrupted; nothing was written"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
def test_a_request_to_end_while_writing_is_cleaned_up_after(rooms, tmp_path, monkeypatch):
    def release(case: Any, plan: Any, design: Any, findings: Any, directory: str, progress: Any) -> Path:
        with whole_folder(directory) as folder:
            (folder / "half.stl").write_text("half")
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(1000):
                progress("still writing", 0.5)
        return folder

    monkeypatch.setattr(ROOMS + "release.release.release", release)
    before = signal.getsignal(signal.SIGTERM)
    assert cli.main(_design(tmp_path / "out")) == 130
    assert list(tmp_path.iterdir()) == [] and signal.getsignal(signal.SIGTERM) is before


def test_options_reach_reader_proposal_and_plan(rooms, tmp_path):
    more = ["--roles", "r.csv", "--series", "1.2.3", "--preset", "case1", "--case-code", "NL-7", "--weight", "61.5"]
    more += ["--seed", "C4=1.5,-20,30", "--seed", "vertebrae_T2=0,-1e1,-40.25"]
    more += ["--surface", "aorta=a.stl", "--surface", "duct:keepout_soft=b=c.stl"]
    more += ["--set", "section.width_mm=13", "--set", "loads.axial_N=600"]
    more += ["--waive", "clearance.cord", "A. Surgeon", "seen at surgery"]
    assert cli.main(_design(tmp_path / "out", *more)) == 0
    assert rooms.read == (
        "ct.nrrd", "l.nrrd", "r.csv", [("a.stl", "aorta"), ("b=c.stl", "duct", "keepout_soft")], "1.2.3",
    )  # fmt: skip
    assert {level: list(place) for level, place in rooms.seeds.items()} == {
        "C4": [1.5, -20.0, 30.0],
        "T2": [0.0, -10.0, -40.25],
    }
    assert rooms.proposed == ("C4", "T2", "case1")
    plan = rooms.plan
    assert plan is not None and (plan.section.width_mm, plan.loads.axial_N) == (13.0, 600.0)
    assert (plan.case_code, plan.loads.patient_weight_kg) == ("NL-7", 61.5)
    assert [(w.finding, w.name, w.reason) for w in plan.waivers] == [
        ("clearance.cord", "A. Surgeon", "seen at surgery")
    ]


@pytest.mark.parametrize("seed", ["C4", "C4=", "C4=1,2", "C4=1,2,x", "C4=1,2,nan", "C9=1,2,3", "aorta=1,2,3", "=1,2,3"])
def test_a_seed_that_says_no_place_in_a_vertebra_is_refused_by_its_words(rooms, tmp_path, capsys, seed):
    assert cli.main(_design(tmp_path / "out", "--seed", seed)) == 1
    told = capsys.readouterr().err
    assert f"the seed '{seed}'" in told and "LEVEL=x,y,z" in told and rooms.calls == []


def test_a_second_seed_of_a_vertebra_is_refused(rooms, tmp_path, capsys):
    assert cli.main(_design(tmp_path / "out", "--seed", "C4=1,2,3", "--seed", "vertebrae_C4=1,2,4")) == 1
    assert "C4 has a seed already" in capsys.readouterr().err and rooms.calls == []


def test_a_segmentation_is_asked_for_by_a_name_that_slicer_reads(rooms, tmp_path, capsys):
    command = ["segment", "ct.nrrd", "--seed", "C4=1,2,3", "--out"]
    assert cli.main([*command, str(tmp_path / "labels.nii.gz")]) == 1
    assert ".seg.nrrd" in capsys.readouterr().err
    assert cli.main([*command, str(tmp_path / "none" / "labels.seg.nrrd")]) == 1
    assert "there is no folder" in capsys.readouterr().err and rooms.calls == []


def test_segment_writes_what_was_found_and_names_it(rooms, tmp_path, capsys):
    file = tmp_path / "labels.seg.nrrd"
    command = ["segment", "ct.nrrd", "--seed", "C4=1,2,3", "--seed", "T2=1,2,-30", "--out", str(file)]
    assert cli.main([*command, "--progress", "json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    assert result == {"labels": str(file), "structures": ["C4", "C5", "T2"], "exit_code": 0}
    image = read_image(file)
    assert [image.header[f"Segment{n}_Name"] for n in range(3)] == ["C4", "C5", "T2"]


def test_a_plan_replaces_the_proposal_and_takes_settings(rooms, tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(plan_to_json(preset("case2", "C4", "T2").with_(case_code="KEPT")), encoding="utf-8")
    command = ["design", "ct.nrrd", "--plan", str(path), "--set", "section.depth_mm=6", "--out", str(tmp_path / "out")]
    assert cli.main(command) == 0
    assert "propose" not in rooms.calls
    assert rooms.plan is not None and (rooms.plan.case_code, rooms.plan.section.depth_mm) == ("KEPT", 6.0)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--set", "section.widht_mm=3"), "section.widht_mm: no such field; did you mean width_mm"),
        (("--set", "section.width_mm=-3"), "section.width_mm"),
        (("--weight", "-5"), "patient_weight_kg"),
        (("--weight", "heavy"), "argument --weight: invalid float value: 'heavy' (see spinal-strut design --help)"),
        (("--case-code", "John Smith"), "case_code"),
        (("--preset", "case9"), "case9"),
        (("--surface", "aorta"), "--surface aorta: give NAME=FILE"),
        (("--surface", "aorta:soft=a.stl"), "keepout_critical"),
        (("--plan", "nowhere.json"), "the plan 'nowhere.json' cannot be read: No such file"),
        (("--plan", "nowhere.json", "--preset", "case2"), "give one of the two"),
        (("--frm", "C3"), "unrecognized arguments: --frm C3"),
    ],
)
def test_what_cannot_be_done_is_refused_before_any_work(rooms, tmp_path, capsys, more, words):
    assert cli.main(_design(tmp_path / "out", *more)) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[-1].startswith("spinal-strut: ") and words in told[-1]
    assert "read" not in rooms.calls and list(tmp_path.iterdir()) == []


def test_levels_or_a_plan_must_be_given_and_agree(rooms, tmp_path, capsys):
    assert cli.main(["design", "ct.nrrd", "--out", str(tmp_path / "out")]) == 1
    assert "--from and --to, or a plan" in capsys.readouterr().err
    path = tmp_path / "plan.json"
    path.write_text(plan_to_json(preset("case2", "C4", "T2")), encoding="utf-8")
    assert cli.main(["design", "ct.nrrd", "--plan", str(path), "--from", "C3", "--out", str(tmp_path / "out")]) == 1
    assert "--from C3 contradicts the plan, which has C4" in capsys.readouterr().err


def test_a_place_that_is_taken_is_refused_before_any_work(rooms, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert cli.main(_design(tmp_path)) == 1
    assert "choose another folder or empty it" in capsys.readouterr().err
    assert rooms.calls == [] and (tmp_path / "mine.txt").read_text() == "mine"


def test_no_command_is_an_error_and_help_is_not(capsys):
    assert cli.main([]) == 1
    assert "COMMAND" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    assert end.value.code == 0 and "inspect" in capsys.readouterr().out


def test_inspect_tells_what_is_missing_and_what_is_not_understood(rooms, capsys):
    assert cli.main(["inspect", "ct.nrrd", "--from", "C4", "--to", "T2"]) == 0
    told = capsys.readouterr().out
    assert "levels: C4, C5, T2" in told and "streaks beside metal" in told
    assert "missing levels from C4 to T2: C6, C7, T1" in told
    assert "missing from C4 to T2: spinal cord or dura; it blocks manufacture" in told
    assert "names with no known meaning, used for nothing: blob" in told
    assert "endplates not found" in told and "endplates:" not in told
    # What holds for both endplates of a level is said once.
    assert len([line for line in told.splitlines() if line.startswith("  C4 superior and inferior: ")]) == 1


def test_an_absent_level_is_named_before_the_other_one_s_endplate(rooms, tmp_path, capsys):
    """C4 of this case is a block without a canal, which no endplate can be found on."""
    command = ["design", "ct.nrrd", "--from", "C4", "--to", "T3", "--out", str(tmp_path / "out")]
    assert cli.main(command) == 1
    assert "the case has no vertebra T3; labelled are: C4, C5, T2" in capsys.readouterr().err
    assert rooms.calls == ["read"]


def test_help_tells_what_may_be_repeated_and_what_the_exit_code_means(capsys):
    with pytest.raises(SystemExit):
        cli.main(["design", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    options = told[told.index("options:") :]
    for name, after in (
        ("--seed", "--labels"),
        ("--surface", "--from"),
        ("--set", "--case-code"),
        ("--waive", "--out"),
    ):
        assert "may be repeated" in options[options.index(name) : options.index(after)]
    assert "2 files written, but not for manufacture" in told


def test_inspect_refuses_a_place_that_is_taken_before_any_work(rooms, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert cli.main(["inspect", "ct.nrrd", "--out", str(tmp_path)]) == 1
    assert "choose another folder or empty it" in capsys.readouterr().err and rooms.calls == []


def test_inspect_refuses_a_level_that_is_none(rooms, capsys):
    assert cli.main(["inspect", "ct.nrrd", "--from", "X9", "--to", "T2"]) == 1
    assert "X9" in capsys.readouterr().err
