"""A plan carried over to a new CT of the same patient, with a report of what changed between the two scans."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..build.situation import corrected, docking_endplate, pose_matrix, resected
from ..case.levels import LEVELS
from ..case.model import Case, Endplate
from ..case.register import Registration, register_blocks
from ..case.transform import moved_points
from ..errors import CaseError
from ..plan.plan import Axis, Corrections, EndplateOverride, Plan, Resection, Screw, Vec
from .changes import (
    Change,
    distance_changes,
    endplate_changes,
    registration_changes,
    span_changes,
    structure_changes,
)


@dataclass(frozen=True, eq=False)
class Rebuilt:
    """A plan in the new CT's frame. upper, lower: how each docking block was found in the new CT (old CT's RAS to new
    CT's RAS); changes: what is different, and what a person has to decide again."""

    plan: Plan
    upper: Registration
    lower: Registration
    changes: tuple[Change, ...]


@dataclass(frozen=True, eq=False)
class _Carrier:
    """Takes points of the old CT to the new one: each docking block rigidly, what is between them in between.

    upper, lower: 4x4; start, span: (3,) from the upper docking endplate to the lower one, old CT.
    """

    upper: np.ndarray
    lower: np.ndarray
    start: np.ndarray
    span: np.ndarray

    def points(self, points: np.ndarray) -> np.ndarray:
        """(n, 3). Past either endplate its block alone counts; between them the share runs smoothly (smoothstep)."""
        share = np.clip((points - self.start) @ self.span / (self.span @ self.span), 0.0, 1.0)
        share = (share * share * (3.0 - 2.0 * share))[:, None]
        return (1.0 - share) * moved_points(self.upper, points) + share * moved_points(self.lower, points)

    def direction(self, at: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """A unit vector (3,) that stands at a point."""
        ends = self.points(np.stack([at, at + direction]))
        return (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])


def rebuild(old: Case, plan: Plan, new: Case) -> Rebuilt:
    """The plan for the new CT, each point of it where the patient's bone has taken it.

    The docking vertebrae (each with its neighbour beyond the span, where both scans label it) are registered one by
    one, so that a spine that is bent otherwise in the new scan takes its implant along; the axis between them follows
    both. Sections, sizes and limits stay. Waivers are not carried over: they were given for what was measured on the
    old scan.

    Raises CaseError where a docking vertebra is not in both cases or cannot be registered.
    """
    told: list[Change] = []
    kept = _fitting(plan, new, told)
    before, after = resected(corrected(old, plan), plan), corrected(new, kept)
    for case, which in ((before, "old"), (after, "new")):
        for level in (plan.upper, plan.lower):
            if level not in case.levels:
                there = ", ".join(case.levels) or "no vertebra"
                raise CaseError(f"the {which} case has no {level} to dock on (it has: {there}); label it there")
    blocks = tuple(_block(before, after, level, step) for level, step in ((plan.upper, -1), (plan.lower, 1)))
    upper, lower = register_blocks(after, old.ct, blocks)
    told[:0] = registration_changes((plan.upper, plan.lower), (upper, lower))
    faces = [_plate(before, plan, plan.upper), _plate(before, plan, plan.lower)]
    in_ct = _Carrier(upper.matrix, lower.matrix, faces[0].centre, faces[1].centre - faces[0].centre)
    moved = _in_ct_frame(kept, in_ct)
    after = resected(after, moved)
    arrived = [_plate(after, moved, plan.upper), _plate(after, moved, plan.lower)]
    carried = _in_posed_frame(moved, plan, in_ct, faces[0], arrived[0])
    told += span_changes(faces, arrived, upper, lower, plan)
    told += endplate_changes(faces, arrived, (upper, lower))
    told += structure_changes(before, after)
    told += distance_changes(before, plan, after, carried)
    return Rebuilt(carried, upper, lower, tuple(told))


def _plate(case: Case, plan: Plan, level: str) -> Endplate:
    return docking_endplate(case, plan, level, "inferior" if level == plan.upper else "superior")


def _block(old: Case, new: Case, level: str, step: int) -> tuple[str, ...]:
    """The docking level and its neighbour away from the span, if both cases have it."""
    beside = LEVELS.index(level) + step
    neighbour = LEVELS[beside] if 0 <= beside < len(LEVELS) else level
    return (
        (level, neighbour) if neighbour != level and neighbour in old.levels and neighbour in new.levels else (level,)
    )


def _fitting(plan: Plan, new: Case, told: list[Change]) -> Plan:
    """The plan without what cannot be carried over, each such thing told."""
    names = {s.name for s in new.structures}
    corrections = plan.corrections
    for field in ("levels", "roles"):
        lost = [pair for pair in getattr(corrections, field) if pair[0] not in names]
        for name, value in lost:
            told.append(
                Change(
                    f"plan.corrections.{field}.{name}", f"Correction of '{name}' to {value}", value, "not carried over",
                    detail="the new case has no structure of that name: correct the one it stands for",
                )
            )  # fmt: skip
        corrections = corrections.with_(**{field: tuple(p for p in getattr(corrections, field) if p[0] in names)})
    gone = {r.level for r in plan.resections} - set(new.levels) - {level for _, level in corrections.levels}
    for level in sorted(gone, key=LEVELS.index):
        told.append(
            Change(
                f"plan.resections.{level}", f"Resection of {level}", "planned", "not carried over",
                detail="the new case has no such level: it may have been resected since",
            )
        )  # fmt: skip
    for waiver in plan.waivers:
        told.append(
            Change(
                f"plan.waivers.{waiver.finding}", f"Waiver of {waiver.finding} by {waiver.name}", waiver.reason,
                "not carried over", detail="given for what was measured on the old scan: decide again on the new one",
            )
        )  # fmt: skip
    resections = tuple(r for r in plan.resections if r.level not in gone)
    return plan.with_(corrections=corrections, resections=resections, waivers=())


def _in_ct_frame(plan: Plan, carrier: _Carrier) -> Plan:
    """The plan with what is given on the bone as the CT shows it: endplates and resections."""

    def plate(o: EndplateOverride) -> EndplateOverride:
        centre, normal = np.array(o.centre), np.array(o.normal)
        return o.with_(centre=_vec(carrier.points(centre[None])[0]), normal=_vec(carrier.direction(centre, normal)))

    def cut(r: Resection) -> Resection:
        point, normal = np.array(r.point), np.array(r.normal)
        return r.with_(point=_vec(carrier.points(point[None])[0]), normal=_vec(carrier.direction(point, normal)))

    corrections: Corrections = plan.corrections.with_(endplates=tuple(plate(o) for o in plan.corrections.endplates))
    return plan.with_(corrections=corrections, resections=tuple(cut(r) for r in plan.resections))


def _in_posed_frame(moved: Plan, plan: Plan, carrier: _Carrier, old: Endplate, new: Endplate) -> Plan:
    """The plan with axis and screws carried over, which are given on the spine in the pose the plan corrects it to."""
    upper = pose_matrix(moved, new) @ carrier.upper @ np.linalg.inv(pose_matrix(plan, old))
    posed = replace(carrier, upper=upper)
    axis = plan.axis
    points = np.array(axis.control_points, dtype=float).reshape(-1, 3) + np.array(axis.offset)
    back = _vec(upper[:3, :3] @ np.array(axis.back))
    carried: Axis = axis.with_(
        control_points=tuple(_vec(p) for p in posed.points(points)), offset=(0.0, 0.0, 0.0), back=back
    )

    def screw(s: Screw) -> Screw:
        matrix = upper if s.level == plan.upper else carrier.lower
        return s.with_(
            entry=_vec(moved_points(matrix, np.array(s.entry)[None])[0]),
            direction=_vec(matrix[:3, :3] @ np.array(s.direction)),
        )

    return moved.with_(axis=carried, screws=tuple(screw(s) for s in plan.screws))


def _vec(values: np.ndarray) -> Vec:
    x, y, z = (float(v) for v in values)
    return (x, y, z)
