"""The one long job that is under way: a child process, its progress in the panel, and its end."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from ..scene.job import Job, fault_in
from .child import Child
from .steps import Steps


class Work:
    """Runs one job at a time. ui: the panel's widgets; on_idle(): called when a job began or ended, or its result is
    about to be taken in; stages: the child's names of what it does, in words for people."""

    def __init__(self, ui: Any, on_idle: Callable[[], None], stages: Mapping[str, str] | None = None) -> None:
        self._ui, self._on_idle, self._stages = ui, on_idle, stages or {}
        self._child: Child | None = None
        self._workspace: tempfile.TemporaryDirectory[str] | None = None
        self._on_done: Callable[[Path], None] | None = None
        self._on_fault: Callable[[str], None] | None = None
        self._steps = Steps(self.progress, self._not_taken_in)

    @property
    def busy(self) -> bool:
        """Whether a job is under way, or its result is being taken in."""
        return self._child is not None or self._steps.busy

    def workspace(self) -> Path:
        """An empty folder for the next job's files; the one before it is deleted."""
        self._workspace = tempfile.TemporaryDirectory(prefix="slicer_job_")
        return Path(self._workspace.name)

    def start(self, job: Job, words: str, on_done: Callable[[Path], None], on_fault: Callable[[str], None]) -> None:
        """Starts a job. on_done(output) is called when it has written its result, on_fault(sentence) when it has not.

        Raises RuntimeError while another one runs.
        """
        if self.busy:
            raise RuntimeError(_("another job is under way: wait for it or cancel it"))
        self._on_done, self._on_fault = on_done, on_fault
        self._output, self._written = job.output, job.written
        logging.info(f"{words} started")
        self._child = Child(job, self.progress, self._ended)
        self.progress(words, 0.0)
        self._on_idle()

    def take_in(self, steps: Iterator[tuple[str, float]], on_end: Callable[[], None]) -> None:
        """Takes a result in, step by step: (what, fraction done); then calls on_end(). An error goes to on_fault."""

        def done() -> None:
            self.progress(_("Done"), 1.0)
            on_end()
            self._on_idle()

        self._steps.run(steps, done)
        self._on_idle()

    def cancel(self) -> None:
        """Ends the job, if one runs; what there was before stays."""
        if not self.busy:
            return
        self._steps.stop()
        if self._child is not None:
            child, self._child = self._child, None
            child.cancel()
        self.progress(_("Cancelled"), 0.0)
        self._on_idle()

    def end(self) -> None:
        """As `cancel`, for an application that ends: the child is gone when this returns."""
        self._steps.stop()
        if self._child is not None:
            child, self._child = self._child, None
            child.end()

    def progress(self, stage: str, fraction: float) -> None:
        """Shows how far the job is."""
        self._ui.progressBar.value = round(100 * fraction)
        self._ui.progressBar.visible = self.busy or 0.0 < fraction < 1.0
        self._ui.stageLabel.text = self._stages.get(stage, stage)

    def _not_taken_in(self, words: str) -> None:
        self.progress(_("Failed"), 0.0)
        self._on_idle()
        if self._on_fault is not None:
            self._on_fault(words)

    def _ended(self, code: int, lines: tuple[str, ...]) -> None:
        self._child = None
        done = code in self._written
        self.progress(_("Done") if done else _("Failed"), 1.0 if done else 0.0)
        self._on_idle()
        if done and self._on_done is not None:
            self._on_done(self._output)
        elif self._on_fault is not None:
            self._on_fault(fault_in(lines, code))
