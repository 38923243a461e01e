"""Seconds of all drill guides of a case, on bone and in the implant's holes, with growth over the number of screws.

Prints one row a measurement; exit status 1 where all guides of a case take more than the 30 s that are promised.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
from LatticeGeneratorLib.mesh.boolean import difference
from LatticeGeneratorLib.mesh.solids import box
from SpinalStrutDesignerLib.build.drill_guide import DrillGuides, drill_guides
from SpinalStrutDesignerLib.build.screws import finished_cutter
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.case.phantom import make_phantom
from SpinalStrutDesignerLib.plan.plan import Screw
from SpinalStrutDesignerLib.propose.propose import propose_plan

LIMIT_S = 30.0


def main() -> int:
    """All guides of the made-up spine as proposed, then of one to four screws an end."""
    case = make_phantom()
    made = situation(case, propose_plan(case, "C4", "T2", "case2"))
    drill_guides(made)  # distances to bone are measured once, and kept for all that is built
    start = time.perf_counter()
    found = drill_guides(made)
    seconds = time.perf_counter() - start
    _row("phantom, as proposed, on bone", len(made.plan.screws), seconds, found)
    for count in range(1, 5):
        plan = made.plan.with_(screws=_spread(made.plan.screws[0], count, made.upper.right))
        some = replace(made, plan=plan)
        start = time.perf_counter()
        found = drill_guides(some)
        _row("upper end, on bone", count, time.perf_counter() - start, found)
        held = replace(some, plan=plan.with_(guides=plan.guides.with_(drill="implant")))
        flange = _flange(held)
        start = time.perf_counter()
        found = drill_guides(held, flange)
        _row("upper end, in a flange's holes", count, time.perf_counter() - start, found)
    return 0 if seconds < LIMIT_S else 1


def _spread(screw: Screw, count: int, right: np.ndarray) -> tuple[Screw, ...]:
    """So many of a screw side by side, turned so that their sleeves diverge."""
    shares = np.linspace(-1.0, 1.0, count) if count > 1 else np.zeros(1)
    middle = np.asarray(screw.entry) - (np.asarray(screw.entry) @ right) * right
    made = []
    for share in shares:
        x, y, z = (float(v) for v in middle + 9.0 * share * right)
        a, b, c = (float(v) for v in np.asarray(screw.direction) * [0.0, 1.0, 1.0] - 0.5 * share * right)
        made.append(screw.with_(entry=(x, y, z), direction=(a, b, c)))
    return tuple(made)


def _flange(made):  # type: ignore[no-untyped-def]
    """A plate around the heads, drilled as an implant is."""
    heads = np.array([screw.entry for screw in made.plan.screws])
    low, high = heads.min(axis=0) - [8.0, 3.0, 6.0], heads.max(axis=0) + np.array([8.0, 1.5, 6.0])
    return difference(box(low, high), [finished_cutter(screw) for screw in made.plan.screws])


def _row(name: str, screws: int, seconds: float, found: DrillGuides) -> None:
    told = "; ".join(f"{guide.part.name} {len(guide.part.mesh.faces)} triangles" for guide in found.made)
    reasons = "; ".join(f"{name} not made: {why}" for name, why in found.unmade)
    print(f"{name:32s} {screws} screws {seconds:6.2f} s  {told} {reasons}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
