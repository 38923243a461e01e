"""How well a strut uses its room: widest way and free sizes against brute force, margins, moments, contact; and whether
a case that is moved as a whole, or a search that starts elsewhere, ends with the same strut. "cut": with the bone taken
off that findings ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from brute_force import WIDEST_MM, free_sizes, space, surfaces, widest_mm
from designs import Given, cases, cut, started
from fit_pictures import draw
from row import Row, row_of
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.build.implant import blank, implant
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.case.model import Case, Mask, Volume
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Plan
from SpinalStrutDesignerLib.plan.presets import preset
from SpinalStrutDesignerLib.propose.axis import Candidate, propose_strut
from SpinalStrutDesignerLib.propose.free import free_along
from SpinalStrutDesignerLib.propose.propose import complete_plan
from SpinalStrutDesignerLib.propose.prospect import Prospect, prospect
from SpinalStrutDesignerLib.propose.refine import refined_axis
from SpinalStrutDesignerLib.propose.widest import MOST_MM, Widest, round_section, widest
from SpinalStrutDesignerLib.verify.clearance import clearance
from SpinalStrutDesignerLib.verify.eccentricity import eccentricity
from SpinalStrutDesignerLib.verify.finding import Finding
from SpinalStrutDesignerLib.verify.fit import fit
from SpinalStrutDesignerLib.verify.measured import Measured

# Nodes of the brute force: finer for short spans. Its ways may lose up to 0.87 of this on either side.
_STEP_MM = {"case 2": 0.6}
_COARSE_MM = 0.8
_LEAST_SHARE = 0.97  # of what brute force finds, which may bend however sharply
_EVERY_MM = 6.0
# Of the coarsest spacing: both surfaces are right to about a third of it, and a size has two sides.
_SIDES_OFF = 2.0 / 3.0
_MOVED_MM = 0.1
_NEAR_MM = 25.0  # beyond this nothing is told
_TURN, _SHIFT = Rotation.from_rotvec([0.12, -0.25, 0.4]), np.array([37.3, -21.9, 54.1])
_START_MM = 1.5  # by which the path is moved aside before it is refined


def rows(data: Path, pictures: Path) -> Iterator[Row]:
    """For each case what was found against what could have been."""
    for given in cases(data):
        case = read_case(given.ct, given.labels, given.roles)
        plan = preset(given.preset, given.upper, given.lower)
        view = prospect(case, plan)
        wide = widest(prospect(case, plan.with_(section=round_section(MOST_MM))))
        strut = propose_strut(view.room, plan, *view.ends)
        yield from _against_brute_force(given, view, wide, strut, pictures)
        yield from _started_elsewhere(given, view, strut)
        yield from _turned_and_moved(given, _moved(case), plan, wide, strut)
        yield from _made(given, case, plan)
        if (less := cut(given)) is not given:
            yield from _made(less, case, started(case, less))


def _against_brute_force(given: Given, view: Prospect, wide: Widest, strut: Candidate, pictures: Path) -> Iterator[Row]:
    plan = view.where.plan
    shapes = surfaces(given.labels, view.where.case, plan)
    room = space(view.room.frame, shapes, _STEP_MM.get(given.name, _COARSE_MM))
    most = widest_mm(room, *view.ends)
    yield Row(given.name, f"widest round strut, limited by {wide.limit}", wide.diameter_mm, "mm", _LEAST_SHARE * most)
    yield Row(given.name, "the same by brute force, bent however sharply", most, "mm")
    along = axis_curve(wide.axis, round_section(wide.diameter_mm), 0.5)
    unsure = _SIDES_OFF * float(view.where.case.ct.spacing.max())
    yield Row(given.name, "  room along its axis by brute force", 2.0 * float(room.along(along.points).min()), "mm",
              wide.diameter_mm - unsure)  # fmt: skip
    yield Row(given.name, "  its least radius of curvature", 1.0 / float(along.curvature.max()), "mm",
              0.5 * wide.diameter_mm)  # fmt: skip
    curve = axis_curve(strut.axis, strut.section, _EVERY_MM)
    found = free_along(view, curve)
    widths, depths = free_sizes(room, curve, strut.section)
    for what, sizes, brute in (
        ("width", [one.free_width_mm for one in found], widths),
        ("depth", [one.free_depth_mm for one in found], depths),
    ):
        both = (np.array(sizes) < WIDEST_MM) & (brute < WIDEST_MM)
        off = np.abs(np.array(sizes) - brute)[both]
        yield Row(given.name, f"free {what} at {both.sum()} places, median off brute force", float(np.median(off)),
                  "mm", most=unsure)  # fmt: skip
        yield Row(given.name, f"  the farthest off (narrowest free {what} {min(sizes):.1f} mm)", float(off.max()), "mm")
    draw(curve, found, room, pictures / f"fit_{given.name.replace(' ', '_')}.png")
    ball = axis_curve(wide.axis, round_section(wide.diameter_mm), _EVERY_MM)
    draw(ball, free_along(view, ball), room, pictures / f"fit_widest_{given.name.replace(' ', '_')}.png")


def _started_elsewhere(given: Given, view: Prospect, strut: Candidate) -> Iterator[Row]:
    """The same section refined from paths beside the axis that was found."""
    axis, section = strut.axis, strut.section
    curve, path = axis_curve(axis, section), axis_curve(axis, section, 3.0).points
    right, anterior, _ = view.room.frame.axes
    worst = 0.0
    for aside in (right, -right, anterior):
        again, _ = refined_axis(view.room, section, path + _START_MM * aside, np.array(axis.back), *view.ends)
        worst = max(worst, _apart(curve.points, axis_curve(again, section).points))
    yield Row(given.name, f"strut refined from {_START_MM:g} mm aside", worst, "mm", most=_MOVED_MM)


def _turned_and_moved(given: Given, moved: Case, plan: Plan, wide: Widest, strut: Candidate) -> Iterator[Row]:
    """What is found in the case moved as a whole, brought back."""
    there = widest(prospect(moved, plan.with_(section=round_section(MOST_MM))))
    off = abs(there.diameter_mm - wide.diameter_mm)
    yield Row(given.name, "case turned and moved: widest diameter changes by", off, "mm", most=_MOVED_MM)
    view = prospect(moved, plan)
    other = propose_strut(view.room, plan, *view.ends)
    for what, one, two in (("widest", wide.axis, there.axis), ("strut's", strut.axis, other.axis)):
        here = axis_curve(one, round_section(2.0)).points
        off = _apart(here, _back(axis_curve(two, round_section(2.0)).points))
        yield Row(given.name, f"  {what} axis, brought back, changes by", off, "mm", most=_MOVED_MM)


def _made(given: Given, case: Case, plan: Plan) -> Iterator[Row]:
    """The complete proposal, built, against the true labels."""
    plan = complete_plan(case, plan)
    measured = Measured(implant(blank(situation(case, plan))))
    for finding in (*clearance(measured), *eccentricity(measured), *fit(measured)):
        if isinstance(finding.value, float) and _told(finding, finding.value):
            yield row_of(given.name, finding, finding.value)
            if "M = F e" in finding.detail:
                yield Row(given.name, "  bending moment at the axial load", plan.loads.axial_N * finding.value, "Nmm")


def _told(finding: Finding, value: float) -> bool:
    if finding.id.startswith("clearance."):
        return value < _NEAR_MM if finding.title.startswith("Distance") else value > 0.0
    return finding.id.startswith("eccentricity.") or finding.id.endswith((".contact", ".pressure"))


def _moved(case: Case) -> Case:
    """The case turned and moved as a whole."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = _TURN.as_matrix(), _SHIFT
    structures = (
        replace(s, mask=Mask(s.mask.voxels, matrix @ s.mask.ijk_to_ras)) for s in case.structures
    )  # fmt: skip
    return replace(case.with_structures(structures), ct=Volume(case.ct.voxels, matrix @ case.ct.ijk_to_ras))


def _back(points: np.ndarray) -> np.ndarray:
    moved: np.ndarray = (points - _SHIFT) @ _TURN.as_matrix()
    return moved


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """The farthest that any point of one finely sampled curve (n, 3) lies from the other."""
    away = np.linalg.norm(one[:, None] - other, axis=2)
    # Samples are half a millimetre apart: across the curves, not along them.
    return float(max(_across(one, other, away), _across(other, one, away.T)))


def _across(one: np.ndarray, other: np.ndarray, away: np.ndarray) -> float:
    nearest = np.clip(away.argmin(axis=1), 1, len(other) - 2)
    run = other[nearest + 1] - other[nearest - 1]
    run /= np.linalg.norm(run, axis=1)[:, None]
    step = one - other[nearest]
    return float(np.linalg.norm(step - (step * run).sum(axis=1)[:, None] * run, axis=1).max())
