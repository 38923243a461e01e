"""The hole of a screw: clearance bore, seat for the head and the way in for the driver, as finished and as printed.

The finished hole is what the implant has once it is milled. It is printed with a bore that is smaller by the plan's
undersize and with the plan's stock on its seat; the driver's way fits nothing and is printed as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.mesh.boolean import union
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import cylinder, revolved, sphere

from ..errors import PlanError
from ..plan.entries import ScrewType
from ..plan.guides import HolePlan
from ..plan.plan import Screw

# The driver needs a free way to the head: the longest flange or foot it may have to cross, mm (foot height and flange
# heights are at most 30 mm by the plan's ranges).
DRIVER_WAY_MM = 40.0
# The bore is continued beyond the tip so that no film is left where the screw leaves the implant, mm.
BEYOND_TIP_MM = 2.0
# A printed bore below this closes or cannot be cleared, mm: the printer's least detail (clinical facts: 0.5 mm).
LEAST_BORE_MM = 0.5
_ARC = 24  # chords of a quarter of a spherical seat: within 0.002 mm of the largest


@dataclass(frozen=True)
class HoleShape:
    """A hole about its screw's axis, mm. seat_radius: of the spherical seat about the centre of the head's flat top, or
    of the conical one in that plane; half_angle_deg: between a conical seat and the axis, None for a spherical one;
    way_radius: of the driver's way above that plane."""

    bore_radius: float
    seat_radius: float
    half_angle_deg: float | None
    way_radius: float

    @property
    def seat_depth(self) -> float:
        """From the plane of the head's flat top to where the seat runs into the bore; 0 where nothing of it is left."""
        if self.seat_radius <= self.bore_radius:
            return 0.0
        if self.half_angle_deg is None:
            return float(np.sqrt(self.seat_radius**2 - self.bore_radius**2))
        return float((self.seat_radius - self.bore_radius) / np.tan(np.deg2rad(self.half_angle_deg)))

    def profile(self, length_mm: float) -> np.ndarray:
        """(n, 2) depth and radius from the plane of the head's flat top to length_mm."""
        depth = self.seat_depth
        seat = np.array([[0.0, self.seat_radius], [depth, self.bore_radius]])
        if depth == 0.0:
            seat = np.array([[0.0, self.bore_radius]])
        elif self.half_angle_deg is None:
            turn = np.linspace(0.0, np.arcsin(depth / self.seat_radius), _ARC + 1)
            seat = self.seat_radius * np.column_stack([np.sin(turn), np.cos(turn)])
        return np.vstack([seat, [[length_mm, self.bore_radius]]])


def finished_hole(kind: ScrewType) -> HoleShape:
    """The hole once it is milled."""
    half = kind.seat_angle_deg / 2.0 if kind.seat == "conical" else None
    return HoleShape(kind.clearance_hole_mm / 2.0, kind.seat_radius_mm, half, kind.seat_radius_mm)


def printed_hole(kind: ScrewType, holes: HolePlan) -> HoleShape:
    """The hole as it is printed. Raises PlanError where the undersize leaves no bore."""
    made = finished_hole(kind)
    bore = made.bore_radius - holes.undersize_mm / 2.0
    if 2.0 * bore < LEAST_BORE_MM:
        raise PlanError(
            f"holes.undersize_mm: {holes.undersize_mm:g} mm leaves {max(2.0 * bore, 0.0):g} mm of the "
            f"{kind.clearance_hole_mm:g} mm bore of '{kind.name}'; {LEAST_BORE_MM:g} mm can be printed: give less"
        )
    # Stock is measured square to the seat: a cone's radius in a plane across its axis changes by more.
    square = 1.0 if made.half_angle_deg is None else float(np.cos(np.deg2rad(made.half_angle_deg)))
    return HoleShape(bore, made.seat_radius - holes.seat_stock_mm / square, made.half_angle_deg, made.way_radius)


def finished_cutter(screw: Screw) -> Mesh:
    """The closed body to cut for one screw; bores and seats are round to 0.02 mm at the largest head."""
    return cutter(screw, finished_hole(screw.type))


def printed_cutter(screw: Screw, holes: HolePlan) -> Mesh:
    """The same as it is printed. Raises PlanError where the undersize leaves no bore."""
    return cutter(screw, printed_hole(screw.type, holes))


def cutter(screw: Screw, hole: HoleShape) -> Mesh:
    """The closed body of a hole in a screw's place."""
    entry, direction = np.asarray(screw.entry, dtype=float), direction_of(screw)
    way = cylinder(entry - DRIVER_WAY_MM * direction, entry, hole.way_radius)
    if hole.half_angle_deg is None and hole.seat_depth > 0.0:
        bore = cylinder(entry, entry + deepest_mm(screw) * direction, hole.bore_radius)
        return union([bore, sphere(entry, hole.seat_radius), way])
    below = hole.profile(deepest_mm(screw))
    if below[0, 1] < hole.way_radius:
        return union([revolved(entry - hole.way_radius * direction, direction, _continued(below, hole)), way])
    above = np.array([[-DRIVER_WAY_MM, hole.way_radius]])
    return revolved(entry, direction, np.vstack([above, below]))


def deepest_mm(screw: Screw) -> float:
    """How deep below the head's flat top a screw's hole is cut."""
    return screw.length_mm + BEYOND_TIP_MM


def direction_of(screw: Screw) -> np.ndarray:
    """(3,) unit, towards the tip."""
    return np.asarray(screw.direction, dtype=float) / np.linalg.norm(screw.direction)


def _continued(below: np.ndarray, hole: HoleShape) -> np.ndarray:
    """A profile begun within the driver's way, a radius of it above the head's top, so that the two are one body."""
    start = np.array([[-hole.way_radius, below[0, 1]]])
    return np.vstack([start, below]) + np.array([hole.way_radius, 0.0])
