"""The child process that does the long work, started, read and ended from the panel."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from typing import Any

from ..scene.job import Job, progress_in

_KEPT_LINES = 40


class Child:
    """A running job. on_progress(stage, fraction) and on_end(exit code, last lines) are called in the main thread."""

    def __init__(
        self, job: Job, on_progress: Callable[[str, float], None], on_end: Callable[[int, tuple[str, ...]], None]
    ) -> None:
        import slicer

        self._on_progress, self._on_end = on_progress, on_end
        self._words: list[str] = []
        self._cancelled = False
        self._process: Any = slicer.util.launchConsoleProcess(
            [interpreter(), *job.arguments],
            updateEnvironment={"PYTHONPATH": os.pathsep.join(job.python_path), "PYTHONUNBUFFERED": "1"},
            blocking=False,
            logCallback=self._line,
            completedCallback=self._ended,
        )

    def cancel(self) -> None:
        """End the process; on_end is not called any more."""
        self._cancelled = True
        if self._process.poll() is None:
            self._process.terminate()

    def _line(self, line: str) -> None:
        found = progress_in(line.strip())
        if self._cancelled:
            return
        if found:
            self._on_progress(*found)
        elif line.strip():
            self._words = [*self._words, line.rstrip()][-_KEPT_LINES:]

    def _ended(self, code: int) -> None:
        if not self._cancelled:
            self._on_end(code, tuple(self._words))


def interpreter() -> str:
    """Slicer's Python as a program; outside Slicer the running one."""
    return shutil.which("PythonSlicer") or sys.executable
