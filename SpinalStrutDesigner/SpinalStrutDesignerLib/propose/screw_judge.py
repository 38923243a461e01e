"""A planned screw held against every rule with verification's own measures: what is left of each, in mm or percent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.mesh.samples import Distance

from ..plan.plan import ErrorBudget, Screw
from ..threads import kept
from ..verify.access import Driver, driver_room
from ..verify.placement import breach_probability
from ..verify.screwline import ScrewLine, least_any_way, side_wall, tightest
from ..verify.screws import BICORTICAL_MM, ENTRY_MM
from .screw_end import ScrewEnd
from .screw_heads import ACCESS_DEG, STRUT_WALL_MM, head_room, seat_room, within_edge
from .screw_sets import Rods, apart

_SURE = ErrorBudget(0.0, 0.0, 0.0, 0.0, 0.0)
_BESIDE = {
    "screw_mm": "the other screw",
    "around_head_mm": "the other screw's head",
    "least_convergence_deg": "least convergence",
    "most_convergence_deg": "most convergence",
}
_EVERY_MM = 0.5  # along a thread whose breach probability is told


@dataclass(frozen=True)
class Bound:
    """One rule as a screw keeps it. what: in words; left: mm, degrees or percentage points, negative where it does not
    hold; field: what of the plan sets it."""

    what: str
    left: float
    unit: str
    field: str

    @property
    def words(self) -> str:
        """For a table."""
        return f"{self.what}, {self.left:.1f} {self.unit} left"


def bounds(end: ScrewEnd, screw: Screw, beside: Sequence[Screw]) -> Iterator[Bound]:
    """Every rule of a screw among the others of its end."""
    yield from thread_bounds(end, screw, beside)
    line = ScrewLine(screw, 1, end.docking)
    yield from _once(end, "breach", screw, lambda: tuple(_breach(end, line)))
    yield from _once(end, "head", screw.with_(length_mm=screw.type.lengths_mm[0]), lambda: tuple(_head(end, screw)))


def thread_bounds(end: ScrewEnd, screw: Screw, beside: Sequence[Screw]) -> Iterator[Bound]:
    """Those of its thread alone: what its length changes."""
    line = ScrewLine(screw, 1, end.docking)
    yield from _once(end, "thread", screw, lambda: (*_shaft(end, line), *_tip(end, line)))
    for other in beside:
        for field, left in apart(end.plan.screw_rules, Rods.screw(screw), Rods.screw(other)).items():
            yield Bound(_BESIDE[field], float(left[0]), "°" if field.endswith("deg") else "mm", f"screw_rules.{field}")


def _once(end: ScrewEnd, what: str, screw: Screw, make: Callable[[], tuple[Bound, ...]]) -> tuple[Bound, ...]:
    """Measured at the first call for a screw of an end."""
    return kept(end, end.judged, f"{what} {screw}", make)


def _head(end: ScrewEnd, screw: Screw) -> Iterator[Bound]:
    entry, way = np.array([screw.entry], dtype=float), ScrewLine(screw, 1, end.docking).direction[None]
    flange = f"{end.name}_flange.width_mm" if end.shape.flange else f"{end.name}_foot"
    edge = "edge of the flange" if end.shape.flange else "edge of the foot"
    for what, measure, field in (
        (edge, within_edge, flange),
        ("bone at its seat", seat_room, "screw_rules.around_head_mm"),
        ("what lies before its head", head_room, "rules"),
    ):
        yield Bound(what, float(measure(end, screw.type, entry, way)[0]), "mm", field)
    yield from _access(end, screw, entry, way)


def _shaft(end: ScrewEnd, line: ScrewLine) -> Iterator[Bound]:
    rules, budget = end.plan.screw_rules, end.plan.budget
    every = np.ones(len(line.depths), dtype=bool)
    if end.canal:
        left = _least(line, end.canal_distance, _SURE, every) - rules.canal_mm
        yield Bound("canal", left, "mm", "screw_rules.canal_mm")
        yield Bound("canal after the error budget", _least(line, end.canal_distance, budget, every), "mm", "budget")
    for organ, limit in end.organs:
        name = organ.name.replace("_", " ")
        yield Bound(name, _least(line, organ.distance, _SURE, line.in_bone) - limit, "mm", "rules")
        placed = least_any_way(line, organ.distance, budget)
        yield Bound(f"{name} after the error budget", -1.0 if placed is None else placed, "mm", "budget")
    for face, exact, _ in end.plates:
        left = _least(line, exact, _SURE, line.in_bone) - rules.endplate_mm
        yield Bound(f"{face} endplate", left, "mm", "screw_rules.endplate_mm")
    if end.metal:
        left = _least(line, end.metal_distance, _SURE, every) - rules.metal_mm
        yield Bound("metal already there", left, "mm", "screw_rules.metal_mm")
    for bone in end.others:
        yield Bound(bone.level or bone.name, _least(line, bone.distance, _SURE, every), "mm", "resections")
    wall = side_wall(line, end.plate.normal, _SURE, ENTRY_MM)
    if wall is not None:
        yield Bound("side wall", wall.distance_mm - rules.cortex_mm, "mm", "screw_rules.cortex_mm")


def _least(line: ScrewLine, distance: Distance, budget: ErrorBudget, chosen: np.ndarray) -> float:
    margin = tightest(line, distance, budget, chosen)
    return -1.0 if margin is None else margin.left_mm


def _tip(end: ScrewEnd, line: ScrewLine) -> Iterator[Bound]:
    left = line.far_wall()
    if left is None:
        yield Bound("bone", -1.0, "mm", "screws")
    elif line.screw.bicortical:
        low, high = BICORTICAL_MM
        yield Bound("tip beyond the far wall", min(-left - low, high + left), "mm", "screws")
    else:
        cortex = end.plan.screw_rules.cortex_mm
        yield Bound("bone ahead of its tip", left - cortex, "mm", "screw_rules.cortex_mm")


def _breach(end: ScrewEnd, line: ScrewLine) -> Iterator[Bound]:
    if not end.canal:
        return
    start, stop = float(line.depths[0]), float(line.depths[-1])
    depths = np.linspace(start, stop, int(np.ceil((stop - start) / _EVERY_MM)) + 1)
    share = breach_probability(
        np.asarray(line.screw.entry, dtype=float), line.direction, depths, line.radius, end.canal_distance,
        end.plan.budget, end.plate.normal,
    )  # fmt: skip
    limit = end.plan.screw_rules.canal_breach_percent
    yield Bound("canal's breach probability", limit - 100.0 * share, "%", "screw_rules.canal_breach_percent")


def _access(end: ScrewEnd, screw: Screw, entry: np.ndarray, way: np.ndarray) -> Iterator[Bound]:
    driver, budget = Driver.of(end.plan, screw), end.plan.budget.segmentation_to_print_mm
    turned = float(np.degrees(np.arccos(np.clip(way[0] @ end.access, -1.0, 1.0))))
    field = "screw_rules.driver_length_mm"
    yield Bound("way of the surgeon", ACCESS_DEG + 1e-6 - turned, "°", f"{end.name}_foot.approach")
    strut = Driver(screw.type.seat_radius_mm, driver.length_mm)
    left = float(driver_room(end.curve.field, entry, way, strut)[0]) - STRUT_WALL_MM
    yield Bound("strut beside the driver's way", left, "mm", "axis")
    for thing in end.in_the_way:
        if not np.isfinite(thing.allowance_mm):
            continue
        name = (thing.structure.level or thing.structure.name).replace("_", " ")
        room = float(driver_room(thing.structure.distance, entry, way, driver)[0])
        if thing.rule is None:
            yield Bound(f"driver beside {name}", room, "mm", field)
        elif room < 0.0:
            needed = float(end.aside(thing).needed_mm(entry, way, driver)[0]) + budget
            yield Bound(f"{name} held aside for the driver", thing.allowance_mm - needed, "mm", "insertion.retractions")
