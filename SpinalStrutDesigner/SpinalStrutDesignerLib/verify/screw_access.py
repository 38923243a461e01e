"""Whether each screw's head is reached by a straight driver past bone, metal, organs and the finished implant."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from LatticeGeneratorLib.mesh.samples import INTERIOR_STEP_MM, Samples, body_samples
from LatticeGeneratorLib.mesh.solids import cylinder

from ..case.pieces import pieces
from .access import Driver, Obstacle, driver_room, mesh_room, obstacles
from .displacement import displacement_needed
from .finding import Finding, Verdict
from .insertion import hand_axes
from .measured import Measured
from .raster import interior_points
from .registry import check
from .screwline import ScrewLine
from .screws import screw_lines

_IMPLANT = "the implant itself"


@check(order=58)
def screw_access(measured: Measured) -> Iterator[Finding]:
    """The driver's room to what must stay where it is, and how far each mobile structure is held aside for it."""
    things = obstacles(measured.case, measured.plan)
    for line in screw_lines(measured):
        driver = Driver.of(measured.plan, line.screw)
        yield _room(measured, line, driver, things)
        for thing in things:
            yield from _aside(measured, line, driver, thing)


def _room(measured: Measured, line: ScrewLine, driver: Driver, things: tuple[Obstacle, ...]) -> Finding:
    """By what is left least of what it needs: anatomy the error budget, the implant nothing."""
    entry, way = np.asarray(line.screw.entry, dtype=float), line.direction
    budget = measured.plan.budget.segmentation_to_print_mm
    metal, _ = mesh_room(measured.samples.points, entry, way, driver)
    rooms = [(metal, 0.0, _IMPLANT)]
    for thing in (t for t in things if t.rule is None):
        room = float(driver_room(thing.structure.distance, entry[None], way[None], driver)[0])
        rooms.append((room, budget, (thing.structure.level or thing.structure.name).replace("_", " ")))
    room, _, what = min(rooms, key=lambda one: one[0] - one[1])
    blocked = [f"{-r:.1f} mm deep in {name}" for r, _, name in sorted(rooms) if r < 0.0]
    verdict: Verdict = "fail" if blocked else "pass" if all(r >= need for r, need, _ in rooms) else "warn"
    beyond = _beyond_image_mm(measured, entry, way, driver)
    detail = f"{', '.join(blocked)}; tilt the screw or move it" if blocked else f"nearest: {what}"
    if beyond > 0.0:
        # What the image does not show was not looked at, and is no pass.
        verdict = "warn" if verdict == "pass" else verdict
        detail += f"; its outer {beyond:.0f} mm lie beyond the image, of which nothing is known"
    return measured.finding(
        f"screw.{line.number}.access",
        f"{line.name}: room of a straight driver to what stays in its place",
        room,
        "mm",
        f"≥ {budget:g} mm to anatomy (warns to 0), ≥ 0 mm to the implant; warns beyond the image",
        verdict,
        f"driver Ø {2.0 * driver.radius_mm:g} mm, {driver.length_mm:g} mm long behind the head; verify against the "
        "hospital's set",
        line.screw.entry,
        detail=detail,
    )


def _aside(measured: Measured, line: ScrewLine, driver: Driver, thing: Obstacle) -> Iterator[Finding]:
    """One finding where a mobile structure is in the driver's way, by its part that must move farthest."""
    rule = thing.rule
    if rule is None or rule.kind == "collapsed":
        return
    entry, way = np.asarray(line.screw.entry, dtype=float), line.direction
    if driver_room(thing.structure.distance, entry[None], way[None], driver)[0] >= 0.0:
        return
    body = _driver_samples(entry, way, driver)
    run, front = hand_axes(measured.implant.situation)
    worst, place = 0.0, tuple(line.screw.entry)
    for piece in pieces(thing.structure):
        nearest = body.least(piece.distance)
        needed = min(displacement_needed(piece, body, nearest, axis, front) for axis in (run, np.cross(front, run)))
        if needed > worst:
            worst, place = needed, nearest.point
    budget = measured.plan.budget.segmentation_to_print_mm
    yield measured.finding(
        f"screw.{line.number}.access.{thing.structure.name.replace(' ', '_')}",
        f"{line.name}: {thing.structure.name.replace('_', ' ')} held aside for its driver",
        worst + budget,
        "mm",
        f"≤ {rule.limit_mm:g} mm, {budget:g} mm error budget included",
        "pass" if worst + budget <= rule.limit_mm else "fail",
        rule.source,
        place,
    )


def _driver_samples(entry: np.ndarray, way: np.ndarray, driver: Driver) -> Samples:
    mesh = cylinder(entry, entry - driver.length_mm * way, driver.radius_mm)
    return body_samples(mesh, interior_points(mesh, INTERIOR_STEP_MM))


def _beyond_image_mm(measured: Measured, entry: np.ndarray, way: np.ndarray, driver: Driver) -> float:
    """How much of a driver's axis lies beyond the image."""
    ct, depths = measured.case.ct, driver.depths
    ijk = ct.to_ijk(entry - depths[:, None] * way)
    shown = ((ijk >= 0.0) & (ijk <= np.array(ct.voxels.shape[::-1]) - 1.0)).all(axis=1)
    return float((~shown).sum() * depths[1])
