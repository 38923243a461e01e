"""A child process's work: what it is called with, and what its lines mean. Inputs and results are files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Job:
    """What the child process is called with (after the interpreter), and what it writes: a file or a folder.

    python_path: folders in which it finds its packages; written: the exit codes with which the result is there.
    """

    arguments: tuple[str, ...]
    python_path: tuple[str, ...]
    output: Path
    written: tuple[int, ...] = (0,)


def folders_of(*packages: ModuleType) -> tuple[str, ...]:
    """The folders that packages lie in, for a child process that shall find them."""
    return tuple(str(Path(str(package.__file__)).parents[1]) for package in packages)


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
        f"the child process ended without a result ({how}): it crashed or was ended from outside. The scene and "
        "what was decided are as they were; try again, and report what it said last:\n" + (words or "(nothing)")
    )


def _record(line: str) -> dict[str, Any]:
    if not line.lstrip().startswith("{"):
        return {}
    try:
        data = json.loads(line)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
