"""From a case and a plan to everything that is made: `build` is a pure function."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import replace
from importlib import metadata

from LatticeGeneratorLib.mesh.mesh import Part
from LatticeGeneratorLib.progress import Progress, silent

from ..case.model import Case
from ..plan.json import plan_to_json
from ..plan.plan import Plan
from .design import Design, Implant, Situation
from .guides import bone_model, docking_guides
from .implant import implant
from .situation import situation
from .worker import Worker, can_work_beside, start_worker

# Raised with every change that may move a vertex.
ALGORITHM_VERSION = "1"


def build(case: Case, plan: Plan, progress: Progress = silent) -> Design:
    """Every implant (nominal and variants), the trials and guides for the plastic print, and the bone model.

    Raises PlanError for a decision that cannot be built, CaseError for missing anatomy, GeometryError where a part
    would not be a closed body.
    """
    amounts = (0.0, *(v.amount_mm for v in plan.variants))
    made = _implants([situation(case, plan, amount) for amount in amounts], progress)
    implants, trials = [i for i, _ in made], [t for _, t in made]
    progress("guides and bone model", 0.95)
    nominal = implants[0]
    others = (*docking_guides(nominal, trials[0]), *trials, bone_model(nominal.situation))
    return Design(tuple(implants), others, input_digest(case, plan), versions())


def _implants(situations: list[Situation], progress: Progress) -> list[tuple[Implant, Part]]:
    """All implants with their trials, in order: the first here, the others beside it where there is a core for them."""
    total = len(situations)
    if total == 1 or not can_work_beside():
        return [implant(s, _within(progress, number, total)) for number, s in enumerate(situations)]
    made: list[tuple[Implant, Part]] = []
    worker: Worker | None = None
    try:
        # One process beside this one: with more, memory rather than cores would be what is short.
        for number in range(0, total, 2):
            worker = start_worker(situations[number + 1]) if number + 1 < total else None
            made.append(implant(situations[number], _within(progress, number, total)))
            if worker is not None:
                made.append(_taken(worker))
                worker = None
    finally:
        if worker is not None:
            worker.stop()
    return made


def _taken(worker: Worker) -> tuple[Implant, Part]:
    """A worker's result in this process's own situation, which keeps what was measured on it before."""
    found, trial = worker.result()
    return replace(found, situation=worker.situation), trial


def input_digest(case: Case, plan: Plan) -> str:
    """SHA-256 over the case's voxels and labels, the plan, and the algorithm's version."""
    text = "\n".join((case.digest, plan_to_json(plan), ALGORITHM_VERSION))
    return hashlib.sha256(text.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Versions of what the result depends on."""
    names = ("spinal-strut-designer", "numpy", "scipy", "vtk", "SimpleITK", "manifold3d")
    found = {"algorithm": ALGORITHM_VERSION, "python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed as a package"
    return found


def _within(progress: Progress, number: int, total: int) -> Progress:
    """Progress of one implant as its share of the whole build."""
    return lambda stage, fraction: progress(stage, 0.95 * (number + fraction) / total)
