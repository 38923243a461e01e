"""The child process that does the long work, started, read and ended from the panel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from ..scene.job import Job, progress_in

_KEPT_LINES = 40
# How long a process may take to clean up, s; it has at most some hundred files to delete.
_GRACE_S = 2.0


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
        """Asks the process to end, so that it can clean up; one that does not is killed. on_end is not called."""
        import qt

        self._cancelled = True
        if self._process.poll() is None:
            self._process.terminate()
            qt.QTimer.singleShot(round(1000 * _GRACE_S), self._kill)

    def end(self) -> None:
        """As `cancel`, and returns only when the process is gone."""
        self._cancelled = True
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=_GRACE_S)
            except subprocess.TimeoutExpired:
                self._kill()

    def _kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()

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
