"""From a case and a plan to everything that is made: `build` is a pure function."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata

from LatticeGeneratorLib.mesh.mesh import Part
from LatticeGeneratorLib.progress import Progress, silent

from ..case.model import Case
from ..plan.json import plan_to_json
from ..plan.plan import Plan
from ..threads import both, side_by_side
from .design import Design, DrillGuide, Implant, Situation
from .drill_guide import drill_guides
from .guides import bone_model, docking_guides
from .implant import Blank, blank, implant, trial
from .mark_parts import Marks, marked_docking, marked_drill_guide, marked_implant, marked_trial
from .relief import Undercuts, relieved, relieved_part, undercuts
from .situation import situation
from .stock import as_printed, stock_rings
from .variant import lengthened_implant, lengthened_part

_SHARE = 0.6  # of the progress: the bodies; the rest is their finishing, the plastic parts and the variants
# Raised with every change that may move a vertex.
ALGORITHM_VERSION = "6"


def build(case: Case, plan: Plan, progress: Progress = silent) -> Design:
    """Every implant (nominal and variants), the trials and guides for the plastic print, and the bone model.

    Raises PlanError for a decision that cannot be built, CaseError for missing anatomy, GeometryError where a part
    would not be a closed body.
    """
    amounts = (0.0, *(v.amount_mm for v in plan.variants))
    situations = [situation(case, plan, amount) for amount in amounts]
    cast = blank(situations[0], lambda stage, fraction: progress(stage, _SHARE * fraction))
    progress("finishing", _SHARE)
    nominal, plastic = both(
        lambda: implant(cast), lambda: _plastic_parts(cast, situations), lambda: progress("guides", _SHARE)
    )
    progress("variants and milling stock", 0.9)
    rings = stock_rings(cast.undrilled, situations[0].plan.screws, plan.holes)
    printed, variants = both(
        lambda: as_printed(nominal.part, rings),
        lambda: [lengthened_implant(nominal, longer) for longer in situations[1:]],
        lambda: progress("variants and milling stock", 0.9),
    )
    implants = side_by_side(
        [partial(_finished, one, cut, printed) for one, cut in zip((nominal, *variants), plastic.cuts)],
        lambda: progress("ways in and marks", 0.95),
    )
    return Design(
        implants=tuple(one for one, _ in implants),
        others=plastic.others,
        digest=input_digest(case, plan),
        versions=versions(),
        guides=plastic.guides,
        unmade=plastic.unmade,
        marks=(*(mark for _, marks in implants for mark in marks), *plastic.marks),
    )


@dataclass(frozen=True, eq=False)
class _Plastic:
    """What is printed in polyamide. cuts: the undercuts of each implant on its way in, which are those of its trial."""

    others: tuple[Part, ...]
    cuts: list[Undercuts | None]
    guides: tuple[DrillGuide, ...]
    unmade: tuple[tuple[str, str], ...]
    marks: Marks


def _finished(implant: Implant, cuts: Undercuts | None, printed: Part | None) -> tuple[Implant, Marks]:
    """An implant, and what is printed for it (given of the nominal one), without what is in the way of bone, marked."""
    if printed is not None:
        longer = printed if implant.situation.stretch is None else lengthened_part(printed, implant.situation)
        named = replace(longer, name=f"{implant.part.name}_as_printed")
        implant = replace(implant, printed=relieved_part(named, cuts))
    return marked_implant(relieved(implant, cuts))


def _plastic_parts(cast: Blank, situations: Sequence[Situation]) -> _Plastic:
    """Docking guides, the trial of each situation, the bone model, and the drill guides.

    A variant's ends are those of the nominal implant: its difference is its length, which its trial judges, so that the
    docking guides and drill guides of the nominal one serve it too.
    """
    nominal = situations[0]
    whole = trial(cast)
    trials = [whole, *(lengthened_part(whole, longer) for longer in situations[1:])]
    cuts = [undercuts(one.mesh, situation) for one, situation in zip(trials, situations)]
    trials = [relieved_part(one, cut) for one, cut in zip(trials, cuts)]
    docking = docking_guides(cast, trials[0]) if nominal.plan.guides.docking == "made" else ()
    # The trial is the implant's shape without its pores, and has the same holes.
    drill = drill_guides(nominal, trials[0].mesh)
    written = [
        *(marked_docking(part, nominal, foot) for part, foot in zip(docking, cast.feet)),
        *(marked_trial(one, situation, cast.feet) for one, situation in zip(trials, situations)),
    ]
    guides = [marked_drill_guide(guide, nominal) for guide in drill.made]
    return _Plastic(
        others=(*(part for part, _ in written), bone_model(nominal)),
        cuts=cuts,
        guides=tuple(guide for guide, _ in guides),
        unmade=drill.unmade,
        marks=tuple(mark for _, marks in (*guides, *written) for mark in marks),
    )


def input_digest(case: Case, plan: Plan) -> str:
    """SHA-256 over the case's voxels and labels, the plan, and the algorithm's version."""
    text = "\n".join((case.digest, plan_to_json(plan), ALGORITHM_VERSION))
    return hashlib.sha256(text.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Versions of what the result depends on."""
    names = ("spinal-strut-designer", "numpy", "scipy", "vtk", "SimpleITK", "manifold3d", "matplotlib")
    found = {"algorithm": ALGORITHM_VERSION, "python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed as a package"
    return found
