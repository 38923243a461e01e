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

# Raised with every change that may move a vertex.
ALGORITHM_VERSION = "1"


def build(case: Case, plan: Plan, progress: Progress = silent) -> Design:
    """Every implant (nominal and variants), the trials and guides for the plastic print, and the bone model.

    Raises PlanError for a decision that cannot be built, CaseError for missing anatomy, GeometryError where a part
    would not be a closed body.
    """
    amounts = (0.0, *(v.amount_mm for v in plan.variants))
    implants, trials = [], []
    for number, amount in enumerate(amounts):
        made, trial = implant(situation(case, plan, amount), _within(progress, number, len(amounts)))
        implants.append(made)
        trials.append(trial)
    progress("guides and bone model", 0.95)
    nominal = implants[0]
    others = (*docking_guides(nominal, trials[0]), *trials, bone_model(nominal.situation))
    return Design(tuple(implants), others, input_digest(case, plan), versions())


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
