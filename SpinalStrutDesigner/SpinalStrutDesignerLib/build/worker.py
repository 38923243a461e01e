"""Implants made in a process of its own, so that variants use another core: `python -m …build.worker IN OUT`."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import LatticeGeneratorLib
from LatticeGeneratorLib.mesh.mesh import Part

from ..errors import CaseError, GeometryError, PlanError
from .design import Implant, Situation
from .implant import implant

_LOOK_AGAIN_S = 0.2
_EXPECTED = (CaseError, GeometryError, PlanError)


def can_work_beside() -> bool:
    """Whether another process would find a free core and a Python to run it."""
    return (os.cpu_count() or 1) > 1 and "python" in Path(sys.executable or "").name.lower()


@dataclass(frozen=True, eq=False)
class Worker:
    """Implants being made beside this process. Ended with `stop` or by taking its `results`."""

    situations: tuple[Situation, ...]
    process: subprocess.Popen[bytes]
    folder: tempfile.TemporaryDirectory[str]

    def results(self, waiting: Callable[[], None] = lambda: None) -> list[tuple[Implant, Part]]:
        """The finished implants and their trials, in order; `waiting` is called again and again until they are.

        Raises what making them raised; GeometryError when native code died.
        """
        errors = self._errors(waiting)
        try:
            if self.process.returncode != 0:
                last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
                names = ", ".join(s.name for s in self.situations)
                raise GeometryError(f"making {names} ended with status {self.process.returncode}: {last[0]}")
            made = pickle.loads((Path(self.folder.name) / "out").read_bytes())
        finally:
            self.folder.cleanup()
        if isinstance(made, Exception):
            raise made
        # In this process's own situations, which keep what was measured on them before.
        return [(replace(found, situation=s), trial) for (found, trial), s in zip(made, self.situations)]

    def _errors(self, waiting: Callable[[], None]) -> bytes:
        while True:
            waiting()
            try:
                return self.process.communicate(timeout=_LOOK_AGAIN_S)[1]
            except subprocess.TimeoutExpired:
                continue

    def stop(self) -> None:
        """Ends the process and removes its files."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.folder.cleanup()


def start_worker(situations: Sequence[Situation]) -> Worker:
    """Starts making the implants for situations, one after the other."""
    folder = tempfile.TemporaryDirectory(prefix="spinal-strut-")
    given, made = (Path(folder.name) / name for name in ("in", "out"))
    given.write_bytes(pickle.dumps(tuple(situations), protocol=pickle.HIGHEST_PROTOCOL))
    libraries = [str(Path(__file__).parents[2]), str(Path(LatticeGeneratorLib.__file__).parents[1])]
    paths = os.pathsep.join([*libraries, *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(given), str(made)],
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    return Worker(tuple(situations), process, folder)


def _work(given: Path, made: Path) -> None:
    situations = pickle.loads(given.read_bytes())
    result: object
    try:
        result = [implant(situation) for situation in situations]
    except _EXPECTED as error:
        result = error
    made.write_bytes(pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL))


if __name__ == "__main__":
    _work(Path(sys.argv[1]), Path(sys.argv[2]))
