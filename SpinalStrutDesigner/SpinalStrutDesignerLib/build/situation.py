"""An implant's surroundings: the case as the plan corrects, poses and resects it, and as a variant finds it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from ..case.endplate import find_endplate
from ..case.endplate_by_hand import endplate_by_hand
from ..case.levels import is_above, level_of
from ..case.model import ROLES, Case, Endplate, Face, Structure
from ..case.motion import Bend, Motion, Stretch
from ..case.vertebra import vertebra_structure
from ..errors import CaseError, PlanError
from ..plan.plan import EndplateOverride, Plan, Screw, Vec
from ..threads import both
from .design import Situation

# From the line between the docking endplates: implants, cord and great vessels lie within it (engineering judgement).
_UNFOLDED_MM = 45.0


def situation(case: Case, plan: Plan, amount_mm: float = 0.0) -> Situation:
    """The case and plan an implant of `amount_mm` extra length is made for.

    The lower docking level and all below move by `amount_mm` along the chord from the upper to the lower endplate; the
    axis is lengthened between the feet, not scaled. Everything else but the upper block follows as the axis does.

    Raises PlanError when a correction names a structure or role that does not exist, CaseError when an endplate cannot
    be found or a docking vertebra's label is in pieces or full of holes.
    """
    given = corrected(case, plan)
    for bone in (s for s in given.structures if s.level in (plan.upper, plan.lower)):
        _must_be_one_body(bone)
    anatomy = resected(given, plan)
    upper, lower = both(
        lambda: docking_endplate(anatomy, plan, plan.upper, "inferior"),
        lambda: docking_endplate(anatomy, plan, plan.lower, "superior"),
    )
    pose = pose_matrix(plan, upper)
    if not np.array_equal(pose, np.eye(4)):
        anatomy = posed(anatomy, plan, Bend(upper.centre, lower.centre - upper.centre, pose))
        upper = docking_endplate(anatomy, plan, plan.upper, "inferior")
        lower = docking_endplate(anatomy, plan, plan.lower, "superior")
    if amount_mm == 0.0:
        return Situation("nominal", 0.0, anatomy, plan, upper, lower)
    chord = lower.centre - upper.centre
    shift = amount_mm * chord / np.linalg.norm(chord)
    stretch = Stretch(upper.centre, chord, shift)
    return Situation(
        f"plus{amount_mm:g}mm",
        amount_mm,
        lengthened_case(anatomy, plan, stretch),
        lengthened_plan(plan, stretch),
        upper,
        replace(lower, centre=lower.centre + shift, outline=lower.outline + shift, surface=lower.surface + shift),
        stretch,
    )


def _must_be_one_body(bone: Structure) -> None:
    """Refuses a label on whose surface nothing can rest."""
    sound = bone.mask.soundness
    if sound.broken:
        raise CaseError(
            f"the label of {bone.name} is no sound bone: {'; '.join(sound.faults)}; correct it, in Slicer's Segment "
            "Editor by Islands (keep the largest) and Smoothing (closing), or choose another docking level"
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


def posed(case: Case, plan: Plan, bend: Bend) -> Case:
    """The case with the upper block moved rigidly, the lower left, and all else bent in between.

    Raises PlanError for a turn over so short a span that tissue about the strut would be folded.
    """
    if bend.folds_mm < _UNFOLDED_MM:
        raise PlanError(
            f"pose: turned so far over {np.linalg.norm(bend.span):.0f} mm, tissue {bend.folds_mm:.0f} mm from the line "
            f"between the docking endplates would be folded, and no distance beside it could be told (at least "
            f"{_UNFOLDED_MM:g} mm must be clear of that); turn less, or bridge a longer span"
        )
    return _following(moved(case, _upper_block(case, plan), bend.motion), plan, bend)


def _following(case: Case, plan: Plan, motion: Motion) -> Case:
    """The case with everything but its two blocks following a motion."""
    blocks = {*_upper_block(case, plan), *_lower_block(case, plan)}
    return case.with_structures(
        s if s.level in blocks else replace(s, motions=(*s.motions, motion)) for s in case.structures
    )


def _upper_block(case: Case, plan: Plan) -> list[str]:
    return [x for x in case.levels if x == plan.upper or is_above(x, plan.upper)]


def _lower_block(case: Case, plan: Plan) -> list[str]:
    return [x for x in case.levels if x == plan.lower or is_above(plan.lower, x)]


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
    """The endplate a foot rests on: as measured, as a person corrected it, or set by hand where none can be measured.

    Raises CaseError where there is none, and where a plane set by hand has no size or too little bone under it.
    """
    pose = vertebra_structure(case, level).pose
    given = next((o for o in plan.corrections.endplates if (o.level, o.face) == (level, face)), None)
    try:
        measured = find_endplate(case, level, face)
    except CaseError as fault:
        if given is None:
            raise
        return _by_hand(case, _posed(given, pose), fault)
    return measured if given is None else overridden(measured, _posed(given, pose))


def _by_hand(case: Case, given: EndplateOverride, fault: CaseError) -> Endplate:
    if given.width_mm is None or given.depth_mm is None:
        raise CaseError(
            f"{fault}. corrections.endplates gives no width_mm and depth_mm of the {given.face} endplate of "
            f"{given.level}, which there is no measured plate to take from: give both"
        ) from fault
    size = (given.width_mm, given.depth_mm)
    return endplate_by_hand(case, given.level, given.face, np.array(given.centre), np.array(given.normal), size)


def _posed(override: EndplateOverride, pose: np.ndarray) -> EndplateOverride:
    """The correction, made where the CT shows the vertebra, moved with it by a rigid 4x4."""
    return override.with_(
        centre=_vec(pose[:3, :3] @ np.asarray(override.centre, dtype=float) + pose[:3, 3]),
        normal=_vec(pose[:3, :3] @ np.asarray(override.normal, dtype=float)),
    )


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


def lengthened_case(case: Case, plan: Plan, stretch: Stretch) -> Case:
    """The case with the lower block moved rigidly, the upper left, and all else stretched in between."""
    matrix = np.eye(4)
    matrix[:3, 3] = stretch.shift
    return _following(moved(case, _lower_block(case, plan), matrix), plan, stretch)


def lengthened_plan(plan: Plan, stretch: Stretch) -> Plan:
    """The plan with the lower end moved: the span between the feet grows, both ends keep their shape."""
    points = stretch.moved(np.asarray(plan.axis.control_points, dtype=float) + np.asarray(plan.axis.offset))
    axis = plan.axis.with_(control_points=tuple(_vec(p) for p in points), offset=(0.0, 0.0, 0.0))
    screws = tuple(_moved_screw(s, stretch.shift) if s.level == plan.lower else s for s in plan.screws)
    return plan.with_(axis=axis, screws=screws)


def _moved_screw(screw: Screw, shift: np.ndarray) -> Screw:
    return screw.with_(entry=_vec(np.asarray(screw.entry) + shift))


def _vec(values: np.ndarray) -> Vec:
    x, y, z = (float(v) for v in values)
    return (x, y, z)
