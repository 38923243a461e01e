"""Checks taken by a second process, so that they use another core: `python -m …verify.beside FOLDER`.

Both processes claim checks one by one, by files in a folder they share, so that neither waits long for the other.
Which of them measured a finding makes no difference to it.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from LatticeGeneratorLib.progress import Progress

from ..build.design import Implant
from ..errors import GeometryError
from .finding import Finding
from .measured import Measured
from .registry import checks
from .take import taken

_LOOK_AGAIN_S = 0.1
# Products of small matrices gain nothing from a second thread and lose much where its core is taken.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


class Task(NamedTuple):
    """A check of an implant, by its number and the check's name."""

    implant: int
    check: str


Found = dict[Task, tuple[Finding, ...]]


@dataclass(frozen=True, eq=False)
class Beside:
    """A process that takes checks. Ended with `stop`, after which nothing of it is left."""

    folder: tempfile.TemporaryDirectory[str]
    process: subprocess.Popen[bytes]

    def claims(self, task: Task) -> bool:
        """Whether the task is this process's to take: the other one has not claimed it, nor can it any more."""
        return _claimed(Path(self.folder.name), task)

    def found(self, progress: Progress, fraction: float) -> Found:
        """What the other process found, once it has ended. Raises what stopped it; GeometryError if that was native
        code."""
        while True:
            progress("checks beside", fraction)
            try:
                status = self.process.wait(_LOOK_AGAIN_S)
                break
            except subprocess.TimeoutExpired:
                continue
        folder = Path(self.folder.name)
        if status != 0:
            last = (folder / "errors").read_text(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise GeometryError(f"verifying ended with status {status}: {last[0]}")
        made = pickle.loads((folder / "found").read_bytes())
        if isinstance(made, Exception):
            raise made
        found: Found = made
        return found

    def stop(self) -> None:
        """Ends the process and removes its files."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()


def start_beside(implants: Sequence[Implant], tasks: Sequence[Task]) -> Beside:
    """Starts taking the tasks in their order."""
    folder = tempfile.TemporaryDirectory(prefix="spinal-strut-")
    with (Path(folder.name) / "given").open("wb") as given:
        pickle.dump((tuple(implants), tuple(tasks)), given, protocol=pickle.HIGHEST_PROTOCOL)
    with (Path(folder.name) / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, folder.name],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **_ONE_THREAD},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    return Beside(folder, process)


def _claimed(folder: Path, task: Task) -> bool:
    try:
        (folder / f"{task.implant}.{task.check}").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _work(folder: Path) -> None:
    implants, tasks = pickle.loads((folder / "given").read_bytes())
    steps = {step.name: step for step in checks()}
    measured = [Measured(implant) for implant in implants]
    result: Found | Exception
    try:
        result = {task: taken(steps[task.check], measured[task.implant]) for task in tasks if _claimed(folder, task)}
    except Exception as error:
        result = error
    (folder / "found").write_bytes(pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL))


if __name__ == "__main__":
    _work(Path(sys.argv[1]))
