"""The long work as commands for a child process, and what its lines mean. Inputs and results are files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..case.model import Case
from ..case.write import write_case
from ..plan.json import plan_to_json
from ..plan.plan import Plan

# Exit codes of the command: all well; files written, but not for manufacture; an error.
WRITTEN = (0, 2)


@dataclass(frozen=True)
class Job:
    """What the child process is called with (after the interpreter), and what it writes: a plan file or a folder."""

    arguments: tuple[str, ...]
    python_path: tuple[str, ...]
    output: Path


def propose_job(case: Case, plan: Plan, workspace: str | Path) -> Job:
    """Completes a started plan: axis, section, feet and screws. Writes the case and the plan into workspace."""
    output = Path(workspace) / "proposed.json"
    return _job("propose", case, plan, output, workspace)


def design_job(case: Case, plan: Plan, output: str | Path, workspace: str | Path) -> Job:
    """Builds, verifies and releases a plan into output. Writes the case and the plan into workspace."""
    return _job("design", case, plan, Path(output), workspace)


def progress_in(line: str) -> tuple[str, float] | None:
    """Stage and fraction in a line of the child's output; None for any other line."""
    data = _record(line)
    try:
        return str(data["stage"]), float(data["fraction"])
    except (KeyError, TypeError, ValueError):
        return None


def fault_in(lines: Iterable[str], exit_code: int) -> str:
    """Why a child ended without its result, in a sentence: its own error, or that it was ended from outside."""
    lines = list(lines)
    for line in reversed(lines):
        error = _record(line).get("error")
        if isinstance(error, dict) and error.get("message"):
            return str(error["message"])
    words = "\n".join(line for line in lines if progress_in(line) is None)
    how = f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
    return (
        f"the design process ended without a result ({how}): it crashed or was ended from outside. The scene and the "
        "plan are as they were; try again, and report what it said last:\n" + (words or "(nothing)")
    )


def _job(command: str, case: Case, plan: Plan, output: Path, workspace: str | Path) -> Job:
    ct, labels, roles = write_case(case, workspace)
    given = Path(workspace) / "plan.json"
    given.write_text(plan_to_json(plan), encoding="utf-8", newline="\n")
    arguments = (
        "-m", "SpinalStrutDesignerLib.cli", command, str(ct), "--labels", str(labels), "--roles", str(roles),
        "--plan", str(given), "--out", str(output), "--progress", "json",
    )  # fmt: skip
    return Job(arguments, _package_folders(), output)


def _record(line: str) -> dict[str, Any]:
    if not line.lstrip().startswith("{"):
        return {}
    try:
        data = json.loads(line)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _package_folders() -> tuple[str, ...]:
    import LatticeGeneratorLib

    import SpinalStrutDesignerLib

    found = (Path(str(package.__file__)).parents[1] for package in (SpinalStrutDesignerLib, LatticeGeneratorLib))
    return tuple(str(folder) for folder in found)
