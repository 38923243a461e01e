"""The long work as commands for a child process. Inputs and results are files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import LatticeGeneratorLib
from LatticeGeneratorLib.scene.job import Job, folders_of

import SpinalStrutDesignerLib

from ..case.model import Case, Volume
from ..case.write import write_case, write_ct
from ..plan.json import plan_to_json
from ..plan.plan import Plan, Vec

# Exit codes of the command: all well; files written, but not for manufacture; an error.
_WRITTEN = (0, 2)


def propose_job(case: Case, plan: Plan, workspace: str | Path) -> Job:
    """Completes a started plan: axis, section, feet and screws. Writes the case and the plan into workspace."""
    output = Path(workspace) / "proposed.json"
    return _job("propose", case, plan, output, workspace)


def design_job(case: Case, plan: Plan, output: str | Path, workspace: str | Path) -> Job:
    """Builds, verifies and releases a plan into output. Writes the case and the plan into workspace."""
    return _job("design", case, plan, Path(output), workspace)


def segment_job(ct: Volume, seeds: Mapping[str, Vec], workspace: str | Path) -> Job:
    """Segments a CT from a seed (RAS mm) in each of some vertebrae, by level. Writes the CT into workspace."""
    output = Path(workspace) / "segmented.seg.nrrd"
    given = [f"{level}={','.join(f'{x:.3f}' for x in place)}" for level, place in seeds.items()]
    arguments = (
        "-m", "SpinalStrutDesignerLib.cli", "segment", str(write_ct(ct, Path(workspace) / "ct.nrrd")),
        *(part for seed in given for part in ("--seed", seed)), "--out", str(output), "--progress", "json",
    )  # fmt: skip
    return Job(arguments, folders_of(SpinalStrutDesignerLib, LatticeGeneratorLib), output)


def _job(command: str, case: Case, plan: Plan, output: Path, workspace: str | Path) -> Job:
    ct, labels, roles = write_case(case, workspace)
    given = Path(workspace) / "plan.json"
    given.write_text(plan_to_json(plan), encoding="utf-8", newline="\n")
    arguments = (
        "-m", "SpinalStrutDesignerLib.cli", command, str(ct), "--labels", str(labels), "--roles", str(roles),
        "--plan", str(given), "--out", str(output), "--progress", "json",
    )  # fmt: skip
    return Job(arguments, folders_of(SpinalStrutDesignerLib, LatticeGeneratorLib), output, _WRITTEN)
