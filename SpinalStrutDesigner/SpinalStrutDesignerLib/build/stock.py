"""The implant as it is printed: with the stock that the mill takes off its screw holes.

The finished implant is the design. What the printer makes first has the stock rings of every hole besides: whatever was
metal before drilling, between the hole as printed and the hole as finished.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from LatticeGeneratorLib.mesh.boolean import Solid
from LatticeGeneratorLib.mesh.mesh import Mesh, Part
from LatticeGeneratorLib.mesh.solids import revolved

from ..plan.guides import HolePlan
from ..plan.plan import Screw
from .implant import one_body
from .screws import deepest_mm, direction_of, finished_hole, printed_cutter

# Stock reaches this far into the metal around a finished hole, mm, so that the two join in one body: more than the
# finished surface may be off (0.02 mm chord error), and not seen, as it lies in metal.
JOINED_MM = 0.05


def stock_rings(undrilled: Solid, screws: Sequence[Screw], holes: HolePlan) -> tuple[Mesh, ...]:
    """The stock in the holes of an implant, before its surface is finished; none where nothing is to be milled.

    Raises PlanError where the undersize leaves no bore.
    """
    if holes.undersize_mm == 0.0 and holes.seat_stock_mm == 0.0:
        return ()
    cutters = [printed_cutter(screw, holes) for screw in screws]
    rings = (undrilled.shared(_filled(screw)).less(cutters) for screw in screws)
    return tuple(ring.mesh() for ring in rings if not ring.empty)


def as_printed(finished: Part, rings: Sequence[Mesh]) -> Part | None:
    """What is printed for an implant that is finished so; None where nothing is to be milled.

    Raises GeometryError where it would not be closed.
    """
    if not rings:
        return None
    # Rims of rings lie within rounding of the finished surface: the slivers between are thinned out as at any joint.
    body = one_body(Solid.of(finished.mesh).joined(rings))
    provenance = {**finished.provenance, "holes": "with milling stock"}
    return Part(body, f"{finished.name}_as_printed", "as_printed", finished.material, provenance)


def _filled(screw: Screw) -> Mesh:
    """The finished hole below the head's flat top, and a little more all around."""
    hole = finished_hole(screw.type)
    profile = hole.profile(deepest_mm(screw)) + np.array([0.0, JOINED_MM])
    return revolved(np.asarray(screw.entry, dtype=float), direction_of(screw), profile)
