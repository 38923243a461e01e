"""What a screw takes out of the implant: clearance bore, spherical head seat and the way in for the driver."""

from __future__ import annotations

import numpy as np
from LatticeGeneratorLib.mesh.boolean import union
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import cylinder, sphere

from ..plan.plan import Screw

# The driver needs a free way to the head: the longest flange or foot it may have to cross, mm (foot height and flange
# heights are at most 30 mm by the plan's ranges).
DRIVER_WAY_MM = 40.0
# The bore is continued beyond the tip so that no film is left where the screw leaves the implant, mm.
BEYOND_TIP_MM = 2.0


def screw_cutter(screw: Screw) -> Mesh:
    """The closed body to cut for one screw; bores and seats are round to 0.02 mm at the largest head."""
    kind = screw.type
    entry = np.asarray(screw.entry, dtype=float)
    direction = np.asarray(screw.direction, dtype=float) / np.linalg.norm(screw.direction)
    bore = cylinder(entry, entry + (screw.length_mm + BEYOND_TIP_MM) * direction, kind.clearance_hole_mm / 2.0)
    seat = sphere(entry, kind.seat_radius_mm)
    way = cylinder(entry - DRIVER_WAY_MM * direction, entry, kind.seat_radius_mm)
    return union([bore, seat, way])
