"""Whether an implant can be brought to its place on the way that the plan gives, and what gives way for that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.mesh.samples import SURFACE_STEP_MM, Nearest, Samples, first_in_cells, surface_points

from ..build.design import Relief, Situation
from ..case.model import Structure
from ..case.pieces import pieces
from ..case.transform import moved_points
from ..plan.insertion import Way
from ..plan.rules import retraction_for
from ..plan.way import motion
from .bone import LIMIT_MM
from .displacement import displacement_needed
from .finding import Finding, Verdict
from .measured import Measured
from .registry import check

_STEP_MM = 0.25  # no point of the implant moves farther between two looks where bone is near
_TOUCHING_MM = 1e-6  # boxes less far apart overlap: what they hold may lie in each other as deep as it likes
_SWEPT_MM = 1.0  # between poses, and between points, of the volume that is swept
_TISSUE_HU = -300.0  # halfway between air and tissue: what is denser is the patient (clinical facts: fat -50 to -120)
_BASIS = "the whole implant moved along the plan's way; what may be taken off is judged, verify locally"
_FIXED_BASIS = "what the plan lets nobody hold aside stays clear by the error budget, or as clear as at the place"


@dataclass(frozen=True, eq=False)
class Moving:
    """An implant on its way: points at its place, poses (n, 4, 4) from outside to there no farther apart than said."""

    samples: Samples
    poses: np.ndarray
    step_mm: float

    def least(self, structures: tuple[Structure, ...]) -> tuple[float, np.ndarray, str]:
        """The least distance to any of these on the whole way, where (3,) RAS mm, and to which; infinite without any.

        Poses are left out only where the distance before tells that no point can have come nearer than the least so
        far; half a step may be missed between two poses.
        """
        best, place, name = np.inf, np.zeros(3), ""
        corners = _corners(self.samples.points)
        for structure in structures:
            box, k = structure.box, len(self.poses) - 1
            while k >= 0:
                pose = self.poses[k]
                ends = moved_points(pose, corners)
                here = _apart(ends.min(axis=0), ends.max(axis=0), box)
                if here < max(best, _TOUCHING_MM):
                    found = self.samples.least(lambda p, t=pose, s=structure: s.distance(moved_points(t, p)))  # type: ignore[misc]
                    here = found.distance_mm
                    if here < best:
                        best, name = here, structure.level or structure.name
                        place = moved_points(pose, np.array([found.point]))[0]
                k -= max(int((here - best) / self.step_mm), 1)
        return best, place, name


@check(order=35, apart=True)
def insertion(measured: Measured) -> Iterator[Finding]:
    """Bone on the way in, what was taken off for it, what must not be touched, how far each mobile structure is held
    aside, and whether it begins outside the patient."""
    plan, situation = measured.plan, measured.implant.situation
    way = plan.insertion.way(situation.amount_mm)
    if way is None:
        yield measured.finding(
            "insertion.way", "Way of the implant to its place", None, "", "a way is planned and checked",
            "not_evaluated", "found by `spinal-strut insert`",
        )  # fmt: skip
        return
    poses = _poses(measured, way, _STEP_MM)
    surface = Samples(surface_points(measured.mesh, SURFACE_STEP_MM))
    moving = Moving(surface, poses, _STEP_MM)
    yield _bone(measured, moving)
    if measured.implant.relief is not None:
        yield _taken_off(measured, measured.implant.relief)
    given = measured.case.having("keepout_critical", "keepout_soft", "metal")
    fixed = tuple(s for s in given if s.role == "metal" or retraction_for(plan, s.name) is None)
    if fixed:
        yield _fixed(measured, moving, fixed)
    swept = Samples(_swept(measured.samples.points, _poses(measured, way, _SWEPT_MM)))
    run, front = hand_axes(situation)
    for structure in given:
        if structure not in fixed:
            yield from _aside(measured, structure, swept, run, front)
    yield _outside(measured, poses[0])


def hand_axes(situation: Situation) -> tuple[np.ndarray, np.ndarray]:
    """(3,) unit each: from the upper to the lower docking endplate, along which mobile structures run, and across it to
    the front. Whichever side the surgeon stands on, a hand holds things off the spine: to the front or to a side, never
    back."""
    run = situation.lower.centre - situation.upper.centre
    run = run / np.linalg.norm(run)
    front = situation.upper.anterior + situation.lower.anterior
    front = front - (front @ run) * run
    return run, front / np.linalg.norm(front)


def _poses(measured: Measured, way: Way, step_mm: float) -> np.ndarray:
    middle = measured.implant.situation.middle
    reach = float(np.linalg.norm(measured.mesh.vertices - middle, axis=1).max())
    return motion(way.points, middle, reach, step_mm)


def _bone(measured: Measured, moving: Moving) -> Finding:
    least, place, name = moving.least(measured.case.having("bone"))
    depth, give = max(0.0, -least), measured.plan.insertion.give_mm
    verdict: Verdict = "pass" if depth <= LIMIT_MM else "warn" if depth <= give + LIMIT_MM else "fail"
    known = bool(name)
    return measured.finding(
        "insertion.bone", "Overlap with bone on the way in", depth if known else None, "mm",
        f"≤ {LIMIT_MM:g} mm, warns to {give + LIMIT_MM:g} mm, which must be taken off",
        verdict if known else "not_evaluated", _BASIS, place if known else None,
        critical=True, detail=f"least distance {least:.2f} mm, to {name}" if known else "the case has no bone",
    )  # fmt: skip


def _taken_off(measured: Measured, relief: Relief) -> Finding:
    """A face on bone that was lowered is a person's to judge: by less than the error budget it still counts as
    contact."""
    most, budget = measured.plan.insertion.relief_mm, measured.plan.budget.segmentation_to_print_mm
    passes = relief.depth_mm <= most and relief.contact_mm2 == 0.0
    return measured.finding(
        "insertion.relief", "Taken off the implant for its way in", relief.depth_mm, "mm",
        f"≤ {most:g} mm, and off no face on bone", "pass" if passes else "warn",
        "undercuts along the way in are removed; how much may be is engineering judgement, verify locally",
        relief.place,
        detail=f"{relief.volume_mm3:.0f} mm³ in all; {relief.contact_mm2:.0f} mm² of its faces on bone were lowered "
        f"and count as contact up to {budget:g} mm beyond the fit gap",
    )  # fmt: skip


def _fixed(measured: Measured, moving: Moving, fixed: tuple[Structure, ...]) -> Finding:
    """By the structure that is left least of what it must keep: each by itself, for one that is near the implant at its
    place allows nothing beside another."""
    budget = measured.plan.budget.segmentation_to_print_mm
    needs = {s.name: min(budget, measured.nearest(s).distance_mm) for s in fixed}
    found = [(*moving.least((s,))[:2], s) for s in fixed]
    least, place, structure = min(found, key=lambda one: one[0] - needs[one[2].name])
    needed = needs[structure.name]
    return measured.finding(
        "insertion.clear", "Least distance on the way in to what is not moved", least, "mm",
        f"≥ {needed:.2f} mm", "pass" if least >= needed - 1e-6 else "fail", _FIXED_BASIS, place,
        detail=f"to {structure.name.replace('_', ' ')}",
    )  # fmt: skip


def _aside(
    measured: Measured, structure: Structure, swept: Samples, run: np.ndarray, front: np.ndarray
) -> Iterator[Finding]:
    """One finding where a structure is in the way, by its part that must move farthest."""
    rule = retraction_for(measured.plan, structure.name)
    assert rule is not None
    if swept.least(structure.distance).distance_mm >= 0.0:
        return
    spoken = structure.name.replace("_", " ")
    if rule.kind == "collapsed":
        yield measured.finding(
            f"insertion.{structure.name.replace(' ', '_')}", f"The way in passes {spoken}", "collapsed", "",
            "a person decides whether it can be emptied", "warn", rule.source,
        )  # fmt: skip
        return
    worst, place = 0.0, None
    for piece in pieces(structure):
        nearest: Nearest = swept.least(piece.distance)
        # Across its run, or, as vessels that cross the spine are, along the spine.
        needed = min(displacement_needed(piece, swept, nearest, axis, front) for axis in (run, np.cross(front, run)))
        if needed > worst:
            worst, place = needed, nearest.point
    budget = measured.plan.budget.segmentation_to_print_mm
    yield measured.finding(
        f"insertion.{structure.name.replace(' ', '_')}", f"{spoken.capitalize()} held aside on the way in",
        worst + budget, "mm", f"≤ {rule.limit_mm:g} mm, {budget:g} mm error budget included",
        "pass" if worst + budget <= rule.limit_mm else "fail", rule.source, place,
    )  # fmt: skip


def _outside(measured: Measured, first: np.ndarray) -> Finding:
    ct = measured.case.ct
    # Beyond its borders the image is taken to go on as it ends: a scan that ends in tissue does not show the outside.
    ijk = ct.to_ijk(moved_points(first, measured.samples.points))
    within = np.clip(ijk, 0.0, np.array(ct.voxels.shape[::-1]) - 1.0)
    share = 100.0 * float(np.mean(ct.sample(within @ ct.ijk_to_ras[:3, :3].T + ct.ijk_to_ras[:3, 3]) > _TISSUE_HU))
    beyond = 100.0 * float(np.mean((ijk != within).any(axis=1)))
    return measured.finding(
        "insertion.outside", "Share of the implant in the patient where the way begins", share, "%", "0 %",
        "pass" if share == 0.0 else "warn", "the way in must begin outside; the image is taken to go on as it ends",
        detail=f"{beyond:.0f} % of it lies beyond the image there, of which nothing is known",
    )  # fmt: skip


def _swept(points: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """(n, 3) of points (m, 3) on their way the first one in each millimetre's cell."""
    sparse = points[first_in_cells(points, _SWEPT_MM)]
    corners = _corners(points)
    ends = np.concatenate([moved_points(pose, corners) for pose in poses])
    low = np.floor(ends.min(axis=0) / _SWEPT_MM).astype(np.int64)
    size = np.floor(ends.max(axis=0) / _SWEPT_MM).astype(np.int64) + 1 - low
    passed = np.zeros(int(np.prod(size)), dtype=bool)
    kept = []
    for pose in poses:
        moved = moved_points(pose, sparse)
        i, j, k = (np.floor(moved / _SWEPT_MM).astype(np.int64) - low).T
        cell = (i * size[1] + j) * size[2] + k
        fresh = np.flatnonzero(~passed[cell])
        fresh = fresh[np.unique(cell[fresh], return_index=True)[1]]
        passed[cell[fresh]] = True
        kept.append(moved[fresh])
    return np.concatenate(kept)


def _corners(points: np.ndarray) -> np.ndarray:
    sides = np.stack([points.min(axis=0), points.max(axis=0)])
    chosen = np.stack(np.meshgrid(*[(0, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.take_along_axis(sides, chosen, axis=0)


def _apart(low: np.ndarray, high: np.ndarray, box: np.ndarray) -> float:
    """How far two boxes are apart at least, mm."""
    return float(np.linalg.norm(np.maximum(np.maximum(box[0] - high, low - box[1]), 0.0)))
