"""One end of the implant as fields: foot, flange and screw bosses, shaped against the bone they meet.

All fields are in millimetres, negative inside, close to true distances near their surface.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.field.combine import smooth_maximum

from ..case.model import Endplate, Structure
from ..plan.curve import AxisCurve
from ..plan.plan import Flange, FootPlan, Screw
from .bone import LocalField, bone_near, end_block, insertion_direction, local_bone, swept, within
from .design import End, Situation
from .outline import Outline, bridgehead, convex_hull, inset_outline

# How far the prism of the foot reaches into the body's side of the plate plane, to fill a concave endplate down to the
# bone: deeper than cervical endplate concavity (2-3 mm, clinical facts "concave caudal endplates").
DOME_MM = 3.5
# Wall of a boss around a screw head, mm: between the structural (0.6) and twice the recommended (1.0) printed wall.
BOSS_WALL_MM = 1.2
# A flange's inner end lies this far inside the footprint's edge, mm, to meet the foot.
FLANGE_OVER_PLATE_MM = 4.0
# Edges of feet and flanges are rounded with this radius, mm: half the 1 mm recommended wall, for polishing.
EDGE_MM = 0.5


@dataclass(frozen=True, eq=False)
class EndShape:
    """What one end is shaped from: its plate, decisions, footprint, the way in, and the bone fields around it.

    reach: the region of bridge and strut; others: of all vertebrae but the docking one, swept; around: every bone but
    that vertebra, ribs included.
    """

    end: End
    endplate: Endplate
    foot: FootPlan
    flange: Flange | None
    screws: tuple[Screw, ...]
    insertion: np.ndarray
    footprint: Outline
    reach: Outline
    base_mm: float
    under_head_mm: float
    docking: LocalField
    docking_plain: LocalField
    others: LocalField
    around: tuple[Structure, ...]


def end_shape(situation: Situation, axis: AxisCurve, end: End) -> EndShape:
    """Gathers one end of the implant. Raises GeometryError when the margins leave no footprint."""
    plan, case = situation.plan, situation.case
    plate, foot, flange, level, index = (
        (situation.upper, plan.upper_foot, plan.upper_flange, plan.upper, 0)
        if end == "upper"
        else (situation.lower, plan.lower_foot, plan.lower_flange, plan.lower, len(axis.points) - 1)
    )
    footprint = inset_outline(plate, foot.ring_margin_mm, foot.posterior_margin_mm)
    section = plate.to_local(axis.section_outline(index))[:, :2]
    reach = convex_hull(np.vstack([bridgehead(footprint.edge(), section, foot.bridge_mm), section]))
    vertebra = case.structure(level)
    bones = bone_near(case, plate.centre - 40.0, plate.centre + 40.0)
    vertebrae = tuple(b for b in bones if b.of_column and b.level != level)
    block = end_block(plate, reach.points, foot.height_mm, flange.height_mm if flange else 0.0)
    plain = local_bone(plate, (vertebra,), block)
    return EndShape(
        end=end,
        endplate=plate,
        foot=foot,
        flange=flange,
        screws=tuple(s for s in plan.screws if s.level == level),
        insertion=insertion_direction(plate, foot.approach),
        footprint=footprint,
        reach=reach,
        base_mm=plan.interface.depth_mm + plan.interface.minimum_solid_mm,
        under_head_mm=plan.screw_rules.under_head_mm,
        docking=swept(plain, foot.approach),
        docking_plain=plain,
        others=swept(local_bone(plate, vertebrae, block), foot.approach),
        around=tuple(b for b in bones if b.level != level),
    )


def foot_field(shape: EndShape, local: np.ndarray, strut: np.ndarray) -> np.ndarray:
    """The foot before bone is cut away: the footprint's prism, lofted into the strut over the foot's height.

    local: (n, 3) points in the plate's frame; strut: (n,) the strut's field there, continued into the foot.
    """
    plane, out = local[:, :2], local[:, 2]
    inside = shape.footprint.distance(plane)
    reaching = shape.reach.distance(plane)
    rise = loft_rise(shape, local)
    loft = (1.0 - rise) * reaching + rise * strut
    below = smooth_maximum(loft, np.maximum(-out, out - shape.foot.height_mm), EDGE_MM)
    return np.minimum(below, foot_plug(shape, inside, out))


def foot_plug(shape: EndShape, inside: np.ndarray, out: np.ndarray) -> np.ndarray:
    """(n,) the part of a foot that fills its footprint, down into a concave endplate; inside: (n,) the footprint's
    distance, out: (n,) mm along the plate's normal."""
    return np.maximum(inside, np.maximum(-DOME_MM - out, out - shape.base_mm))


def loft_rise(shape: EndShape, local: np.ndarray) -> np.ndarray:
    """(n,) 0 at the foot's base, 1 where it has become the strut: a buttress that leaves the base straight and runs out
    into the strut without a corner (the cubic with slopes 1 and 0), so that no notch raises the stress there."""
    t = np.clip((local[:, 2] - shape.base_mm) / max(shape.foot.height_mm - shape.base_mm, 0.5), 0.0, 1.0)
    return t + t**2 - t**3


def flange_field(shape: EndShape, flange: Flange, local: np.ndarray) -> np.ndarray:
    """A plate of even thickness over the docking vertebra's front or side, from the rim over the body.

    It follows the bone at the fit gap and wraps round the rim, where it meets the foot.
    """
    distance = shape.docking_plain.at_local(local)
    gap = shape.foot.fit_gap_mm
    shell = np.maximum(gap - distance, distance - gap - flange.thickness_mm)
    window, inset = flange_limits(shape, flange, local)
    return smooth_maximum(np.maximum(shell, inset), window, EDGE_MM)


def flange_limits(shape: EndShape, flange: Flange, local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) each, negative within: the flange's window as the surgeon sees it, and how far it reaches in over the
    plate."""
    angle = np.deg2rad(flange.azimuth_deg)
    outward = local[:, 0] * np.sin(angle) + local[:, 1] * np.cos(angle)
    across = local[:, 0] * np.cos(angle) - local[:, 1] * np.sin(angle)
    tall = np.maximum(-flange.height_mm - local[:, 2], local[:, 2] - shape.foot.height_mm)
    window = smooth_maximum(np.abs(across) - 0.5 * flange.width_mm, tall, 3.0)
    return window, shape.footprint.extent(angle) - FLANGE_OVER_PLATE_MM - outward


def boss_field(screw: Screw, points: np.ndarray, under_head_mm: float) -> np.ndarray:
    """The solid around a screw head: a round boss from the head's flat top to under_head beyond its seat."""
    kind = screw.type
    radius = kind.head_diameter_mm / 2.0 + BOSS_WALL_MM
    along, away = along_and_away(screw, points)
    length = kind.head_radius_mm + under_head_mm
    return smooth_maximum(away - radius, np.abs(along - length / 2.0) - length / 2.0, EDGE_MM)


def within_boss(screw: Screw, points: np.ndarray, under_head_mm: float, margin_mm: float) -> np.ndarray:
    """(n,) bool: which points (n, 3) RAS lie in a box that holds the boss and a margin around it."""
    half = 0.5 * (screw.type.head_radius_mm + under_head_mm)
    direction = np.asarray(screw.direction) / np.linalg.norm(screw.direction)
    centre = np.asarray(screw.entry) + half * direction
    reach = float(np.hypot(half, screw.type.head_diameter_mm / 2.0 + BOSS_WALL_MM)) + margin_mm
    return within(points, centre - reach, centre + reach)


def along_and_away(screw: Screw, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance along the screw's axis from the top of its head, and distance from that axis, at points (n, 3) RAS."""
    direction = np.asarray(screw.direction) / np.linalg.norm(screw.direction)
    relative = points - np.asarray(screw.entry)
    along = relative @ direction
    across = relative - along[:, None] * direction
    return along, np.sqrt(np.einsum("ij,ij->i", across, across))


def bone_in_the_way(shape: EndShape, local: np.ndarray) -> np.ndarray:
    """Distance to the bone an end must stay off, at local points (n, 3): swept along the way in up to the foot's
    height, the standing bone itself beyond it."""
    swept_bone = np.minimum(shape.docking.at_local(local), shape.others.at_local(local))
    return np.where(local[:, 2] <= shape.foot.height_mm, swept_bone, shape.docking_plain.at_local(local))
