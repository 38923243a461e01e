"""The long work as a command for a child process, and what its lines mean. Inputs and results are files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..case.model import Case
from ..case.write import write_case
from ..errors import PlanError

# Exit codes of the command: all well; files written, but not for manufacture; an error.
WRITTEN = (0, 2)


@dataclass(frozen=True)
class Job:
    """What the child process is called with (after the interpreter), and where it writes."""

    arguments: tuple[str, ...]
    python_path: tuple[str, ...]
    output: Path


def design_job(case: Case, upper: str, lower: str, preset: str, output: str | Path, workspace: str | Path) -> Job:
    """Write the case into workspace and return the job that designs on it.

    Raises PlanError for docking levels that the case does not have or that are not in order.
    """
    levels = case.levels
    for level in (upper, lower):
        if level not in levels:
            raise PlanError(f"the docking level '{level}' is not in the segmentation, which has {', '.join(levels)}")
    if levels.index(upper) >= levels.index(lower):
        raise PlanError(f"the upper docking level {upper} must lie above the lower one, {lower}; swap them")
    ct, labels, roles = write_case(case, workspace)
    arguments = (
        "-m", "SpinalStrutDesignerLib.cli", "design", str(ct), "--labels", str(labels), "--roles", str(roles),
        "--from", upper, "--to", lower, "--preset", preset, "--out", str(output), "--progress", "json",
    )  # fmt: skip
    return Job(arguments, _package_folders(), Path(output))


def progress_in(line: str) -> tuple[str, float] | None:
    """Stage and fraction in a line of the child's output; None for any other line."""
    if not line.startswith("{"):
        return None
    try:
        data = json.loads(line)
        return str(data["stage"]), float(data["fraction"])
    except (ValueError, KeyError, TypeError):
        return None


def _package_folders() -> tuple[str, ...]:
    import LatticeGeneratorLib

    import SpinalStrutDesignerLib

    found = (Path(str(package.__file__)).parents[1] for package in (SpinalStrutDesignerLib, LatticeGeneratorLib))
    return tuple(str(folder) for folder in found)
