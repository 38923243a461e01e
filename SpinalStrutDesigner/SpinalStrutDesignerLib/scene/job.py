"""The long work as commands for a child process. Inputs and results are files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import LatticeGeneratorLib
import numpy as np
from LatticeGeneratorLib.scene.job import Job, folders_of

import SpinalStrutDesignerLib

from ..case.model import Case, Volume
from ..case.write import write_case, write_ct
from ..plan.json import plan_to_json
from ..plan.plan import Plan, Vec
from .findings_table import FINDINGS

# Exit codes of the command: all well; files written, but not for manufacture; an error.
_WRITTEN = (0, 2)


def propose_job(case: Case, plan: Plan, workspace: str | Path) -> Job:
    """Completes a started plan: axis, section, feet and screws. Writes the case and the plan into workspace."""
    output = Path(workspace) / "proposed.json"
    return _job("propose", case, plan, output, workspace)


def design_job(case: Case, plan: Plan, output: str | Path, workspace: str | Path) -> Job:
    """Builds, verifies and releases a plan into output. Writes the case and the plan into workspace."""
    return _job("design", case, plan, Path(output), workspace)


def spans_job(case: Case, plan: Plan, workspace: str | Path) -> Job:
    """Designs from the neighbouring docking levels too, by a plan's decisions. Writes case and plan into workspace; the
    output is a table."""
    folder = Path(workspace)
    arguments = (*_case_arguments("spans", case, folder), "--plan", str(_written(plan, folder)))
    return _called(arguments, folder / "spans.csv", (0,))


def insert_job(case: Case, plan: Plan, workspace: str | Path) -> Job:
    """Searches the ways in of a plan's implants. Writes the case and the plan into workspace; the output is the plan
    with what was found, and what was measured is `findings_in` its folder."""
    folder = Path(workspace)
    output = folder / "found" / "plan.json"
    output.parent.mkdir()
    arguments = (
        *_case_arguments("insert", case, folder), "--plan", str(_written(plan, folder)),
        "--report", str(output.with_name(FINDINGS)),
    )  # fmt: skip
    return _called(arguments, output, _WRITTEN)


def screws_job(case: Case, plan: Plan, workspace: str | Path) -> Job:
    """Plans all screws of both ends. Writes the case and the plan into workspace; the output is as `ends_from_json`
    reads it."""
    folder = Path(workspace)
    sets = folder / "screws.json"
    arguments = (*_case_arguments("screws", case, folder), "--plan", str(_written(plan, folder)), "--sets", str(sets))
    return replace(_called(arguments, folder / "planned.json", (0,)), output=sets)


def segment_job(ct: Volume, seeds: Mapping[str, Vec], workspace: str | Path) -> Job:
    """Segments a CT from a seed (RAS mm) in each of some vertebrae, by level. Writes the CT into workspace."""
    output = Path(workspace) / "segmented.seg.nrrd"
    given = [f"{level}={','.join(f'{x:.3f}' for x in place)}" for level, place in seeds.items()]
    arguments = (
        "segment", str(write_ct(ct, Path(workspace) / "ct.nrrd")),
        *(part for seed in given for part in ("--seed", seed)),
    )  # fmt: skip
    return _called(arguments, output, (0,))


def register_job(
    case: Case, second: Volume, given: np.ndarray | None, levels: Sequence[str], workspace: str | Path
) -> Job:
    """Registers a second image to the case's CT, or judges a given 4x4, by some levels or all. Writes its input into
    workspace."""
    folder = Path(workspace)
    output = folder / "registration.json"
    # What a plan calls a structure by is not in the files: a vertebra goes by its level there.
    named = case.with_structures(replace(s, name=s.level or s.name) for s in case.structures)
    arguments = [*_case_arguments("register", named, folder)]
    arguments += ["--second-image", str(write_ct(second, folder / "second.nrrd"))]
    if given is not None:
        matrix = folder / "second_to_ct.txt"
        matrix.write_text("\n".join(" ".join(repr(float(x)) for x in row) for row in given), encoding="utf-8")
        arguments += ["--second-transform", str(matrix)]
    if levels:
        arguments += ["--second-levels", ",".join(levels)]
    return _called(arguments, output, (0,))


def rebuild_job(old: Case, plan: Plan, new: Case, workspace: str | Path) -> Job:
    """Carries a plan over from an earlier CT's case to a later one's. Writes its input into workspace; the report is
    `report_of` the output."""
    folder = Path(workspace)
    output = folder / "rebuilt.json"
    ct, labels, roles = write_case(old, folder / "old")
    arguments = (
        *_case_arguments("rebuild", new, folder), "--plan", str(_written(plan, folder)), "--old-ct", str(ct),
        "--old-labels", str(labels), "--old-roles", str(roles), "--report", str(report_of(output)),
    )  # fmt: skip
    return _called(arguments, output, (0,))


def report_of(output: Path) -> Path:
    """Where a rebuild writes what changed, beside its plan."""
    return output.with_name("changes.csv")


def _job(command: str, case: Case, plan: Plan, output: Path, workspace: str | Path) -> Job:
    folder = Path(workspace)
    arguments = (*_case_arguments(command, case, folder), "--plan", str(_written(plan, folder)))
    return _called(arguments, output, _WRITTEN)


def _case_arguments(command: str, case: Case, folder: Path) -> tuple[str, ...]:
    ct, labels, roles = write_case(case, folder)
    return command, str(ct), "--labels", str(labels), "--roles", str(roles)


def _written(plan: Plan, folder: Path) -> Path:
    given = folder / "plan.json"
    given.write_text(plan_to_json(plan), encoding="utf-8", newline="\n")
    return given


def _called(arguments: Iterable[str], output: Path, written: tuple[int, ...]) -> Job:
    whole = ("-m", "SpinalStrutDesignerLib.cli", *arguments, "--out", str(output), "--progress", "json")
    return Job(whole, folders_of(SpinalStrutDesignerLib, LatticeGeneratorLib), output, written)
