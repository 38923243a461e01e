"""From a case and a plan to everything that is made: `build` is a pure function."""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata

from LatticeGeneratorLib.progress import Progress, silent

from ..case.model import Case
from ..plan.json import plan_to_json
from ..plan.plan import Plan
from ..threads import both
from .design import Design
from .guides import bone_model, docking_guides
from .implant import implant
from .situation import situation
from .variant import lengthened_implant, lengthened_part

_SHARE = 0.8  # of the progress: the nominal implant, and the rest variants, guides and the bone model
# Raised with every change that may move a vertex.
ALGORITHM_VERSION = "1"


def build(case: Case, plan: Plan, progress: Progress = silent) -> Design:
    """Every implant (nominal and variants), the trials and guides for the plastic print, and the bone model.

    Raises PlanError for a decision that cannot be built, CaseError for missing anatomy, GeometryError where a part
    would not be a closed body.
    """
    amounts = (0.0, *(v.amount_mm for v in plan.variants))
    situations = [situation(case, plan, amount) for amount in amounts]
    nominal, trial = implant(situations[0], lambda stage, fraction: progress(stage, _SHARE * fraction))
    progress("variants and guides", _SHARE)
    variants = situations[1:]
    implants, others = both(
        lambda: [lengthened_implant(nominal, s) for s in variants],
        lambda: (
            *docking_guides(nominal, trial),
            trial,
            *(lengthened_part(trial, s) for s in variants),
            bone_model(situations[0]),
        ),
        lambda: progress("guides and bone model", 0.95),
    )
    return Design((nominal, *implants), others, input_digest(case, plan), versions())


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
