"""From a case and a plan to everything that is made: `build` is a pure function."""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata

from LatticeGeneratorLib.progress import Progress, silent

from ..case.model import Case
from ..plan.json import plan_to_json
from ..plan.plan import Plan
from .design import Design
from .guides import bone_model, docking_guides
from .implant import implant
from .situation import situation
from .worker import can_work_beside, start_worker

_SHARE = 0.95  # of the progress: the implants, and the rest the guides and the bone model
# Raised with every change that may move a vertex.
ALGORITHM_VERSION = "1"


def build(case: Case, plan: Plan, progress: Progress = silent) -> Design:
    """Every implant (nominal and variants), the trials and guides for the plastic print, and the bone model.

    Raises PlanError for a decision that cannot be built, CaseError for missing anatomy, GeometryError where a part
    would not be a closed body.
    """
    amounts = (0.0, *(v.amount_mm for v in plan.variants))
    situations = [situation(case, plan, amount) for amount in amounts]
    total = len(situations)
    # One process beside this one: with more, memory rather than cores would be what is short. It takes the greater half
    # of the variants, for the guides and the bone model are made here.
    beside = (total + 1) // 2 if total > 1 and can_work_beside() else 0
    worker = start_worker(situations[total - beside :]) if beside else None
    try:
        made = [implant(s, _within(progress, n, total)) for n, s in enumerate(situations[: total - beside])]
        progress("guides and bone model", _SHARE * (1.0 - beside / total))
        nominal, trial = made[0]
        models = (*docking_guides(nominal, trial), bone_model(nominal.situation))
        if worker is not None:
            made += worker.results(lambda: progress("variants", 0.95))
    finally:
        if worker is not None:
            worker.stop()
    return Design(
        implants=tuple(one for one, _ in made),
        others=(*models[:2], *(trial for _, trial in made), *models[2:]),
        digest=input_digest(case, plan),
        versions=versions(),
    )


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
    return lambda stage, fraction: progress(stage, _SHARE * (number + fraction) / total)
