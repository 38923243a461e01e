"""An implant's surroundings: the case as the plan corrects, poses and resects it, and as a variant finds it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from ..case.endplate import find_endplate
from ..case.levels import is_above, level_of
from ..case.model import ROLES, Case, Endplate, Face, Structure
from ..errors import PlanError
from ..plan.plan import Axis, EndplateOverride, Plan, Screw, Vec
from .design import Situation


def situation(case: Case, plan: Plan, amount_mm: float = 0.0) -> Situation:
    """The case and plan an implant of `amount_mm` extra length is made for.

    The lower docking level and all below move by `amount_mm` along the chord from the upper to the lower endplate; the
    axis is lengthened between the feet, not scaled. Soft structures and metal stay where the CT shows them.

    Raises PlanError when a correction names a structure or role that does not exist, CaseError when an endplate cannot
    be found.
    """
    anatomy = resected(corrected(case, plan), plan)
    upper = docking_endplate(anatomy, plan, plan.upper, "inferior")
    pose = pose_matrix(plan, upper)
    if not np.array_equal(pose, np.eye(4)):
        anatomy = moved(anatomy, [x for x in anatomy.levels if x == plan.upper or is_above(x, plan.upper)], pose)
        upper = docking_endplate(anatomy, plan, plan.upper, "inferior")
    lower = docking_endplate(anatomy, plan, plan.lower, "superior")
    if amount_mm == 0.0:
        return Situation("nominal", 0.0, anatomy, plan, upper, lower)
    chord = lower.centre - upper.centre
    shift = np.eye(4)
    shift[:3, 3] = amount_mm * chord / np.linalg.norm(chord)
    block = [x for x in anatomy.levels if x == plan.lower or is_above(plan.lower, x)]
    return Situation(
        f"plus{amount_mm:g}mm",
        amount_mm,
        moved(anatomy, block, shift),
        lengthened(plan, shift[:3, 3]),
        upper,
        replace(
            lower,
            centre=lower.centre + shift[:3, 3],
            outline=lower.outline + shift[:3, 3],
            surface=lower.surface + shift[:3, 3],
        ),
    )


def corrected(case: Case, plan: Plan) -> Case:
    """The case with the plan's corrected levels and roles."""
    by_name = {s.name: s for s in case.structures}
    for field, pairs in (("levels", plan.corrections.levels), ("roles", plan.corrections.roles)):
        for name, value in pairs:
            if name not in by_name:
                known = ", ".join(by_name)
                raise PlanError(f"corrections.{field} names '{name}', which the case does not have; it has: {known}")
            if field == "levels":
                level = level_of(value)
                if level is None:
                    raise PlanError(f"corrections.levels gives '{name}' the level '{value}', which is not a vertebra")
                by_name[name] = replace(by_name[name], level=level, role="bone")
            elif value not in ROLES:
                choices = ", ".join(ROLES)
                raise PlanError(f"corrections.roles gives '{name}' the role '{value}'; choose one of {choices}")
            else:
                by_name[name] = replace(by_name[name], role=value)
    return case.with_structures(by_name.values())


def resected(case: Case, plan: Plan) -> Case:
    """The case without the bone that the plan's resections remove."""
    structures = {s.name: s for s in case.structures}
    for resection in plan.resections:
        structure = case.structure(resection.level)
        normal = np.asarray(resection.normal) / np.linalg.norm(resection.normal)
        cuts = (*structures[structure.name].cuts, (np.asarray(resection.point), normal))
        structures[structure.name] = replace(structures[structure.name], cuts=cuts)
    return case.with_structures(structures.values())


def moved(case: Case, levels: list[str], matrix: np.ndarray) -> Case:
    """The case with these vertebrae moved by a rigid 4x4; planned cuts move with them."""

    def one(structure: Structure) -> Structure:
        if structure.level not in levels:
            return structure
        cuts = tuple((matrix[:3, :3] @ p + matrix[:3, 3], matrix[:3, :3] @ n) for p, n in structure.cuts)
        return replace(structure, pose=matrix @ structure.pose, cuts=cuts)

    return case.with_structures(one(s) for s in case.structures)


def pose_matrix(plan: Plan, upper: Endplate) -> np.ndarray:
    """4x4 that brings the upper block from the CT's posture into the planned one, about the upper docking endplate.

    Lordosis turns the block backwards about the patient's right-left axis, coronal tilts it to the right about the
    front-back axis, rotation turns it to the right about the long axis; distraction moves it away from the span.
    """
    pose = plan.pose
    up = -upper.normal
    turn = (
        Rotation.from_rotvec(np.deg2rad(pose.rotation_deg) * -up)
        * Rotation.from_rotvec(np.deg2rad(pose.coronal_deg) * upper.anterior)
        * Rotation.from_rotvec(np.deg2rad(pose.lordosis_deg) * upper.right)
    ).as_matrix()
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = upper.centre - turn @ upper.centre + pose.distraction_mm * up
    return matrix


def docking_endplate(case: Case, plan: Plan, level: str, face: Face) -> Endplate:
    """The endplate a foot rests on: as measured, or as a person corrected it."""
    measured = find_endplate(case, level, face)
    for override in plan.corrections.endplates:
        if (override.level, override.face) == (level, face):
            return overridden(measured, override)
    return measured


def overridden(measured: Endplate, override: EndplateOverride) -> Endplate:
    """The measured endplate on the corrected plane, its outline scaled to the corrected width and depth."""
    normal = np.asarray(override.normal, dtype=float)
    normal = normal / np.linalg.norm(normal)
    anterior = measured.anterior - (measured.anterior @ normal) * normal
    anterior /= np.linalg.norm(anterior)
    right = measured.right - (measured.right @ normal) * normal - (measured.right @ anterior) * anterior
    right /= np.linalg.norm(right)
    width = override.width_mm or measured.width_mm
    depth = override.depth_mm or measured.depth_mm
    corrected_plate = replace(
        measured,
        centre=np.asarray(override.centre, dtype=float),
        normal=normal,
        anterior=anterior,
        right=right,
        width_mm=width,
        depth_mm=depth,
    )
    local = measured.to_local(measured.outline) * [width / measured.width_mm, depth / measured.depth_mm, 0.0]
    return replace(corrected_plate, outline=corrected_plate.to_ras(local))


def lengthened(plan: Plan, shift: np.ndarray) -> Plan:
    """The plan with the lower end moved by shift: the span between the feet grows, both ends keep their shape."""
    points = np.asarray(plan.axis.control_points, dtype=float)
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    # All growth lies in the middle half, so that neither foot's loft changes.
    t = np.clip((arc / arc[-1] - 0.25) / 0.5, 0.0, 1.0)
    grown = points + (t * t * (3.0 - 2.0 * t))[:, None] * shift
    axis: Axis = plan.axis.with_(control_points=tuple(_vec(p) for p in grown))
    screws = tuple(_moved_screw(s, shift) if s.level == plan.lower else s for s in plan.screws)
    return plan.with_(axis=axis, screws=screws)


def _moved_screw(screw: Screw, shift: np.ndarray) -> Screw:
    return screw.with_(entry=_vec(np.asarray(screw.entry) + shift))


def _vec(values: np.ndarray) -> Vec:
    x, y, z = (float(v) for v in values)
    return (x, y, z)
