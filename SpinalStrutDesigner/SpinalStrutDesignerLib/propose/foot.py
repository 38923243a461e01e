"""How each end rests: heights and margins for its plate, and the side it comes from."""

from __future__ import annotations

import numpy as np

from ..case.model import Endplate
from ..plan.plan import Approach, FootPlan
from .path import EndRegion

_BESIDE_REACH_MM = 30.0  # how far from a plate's centre a strut in front of the column may begin
_INSIDE_FOOT_MM = 2.0  # the axis begins this far below the foot's free end
_LEAST_TONGUE_MM = 1.0  # a thinner tongue cannot be printed as a wall (recommended wall, clinical facts)
_SIDEWAYS_DEG = 60.0  # a strut that ends farther round the plate than this is reached from the side


def fitted_foot(plate: Endplate, foot: FootPlan) -> FootPlan:
    """The foot for its plate: in a disc space no thicker than the gap less the fit gap on both faces."""
    if not is_tongue(plate, foot):
        return foot
    assert plate.gap_mm is not None
    height = max(plate.gap_mm - 2.0 * foot.fit_gap_mm, _LEAST_TONGUE_MM)
    return foot.with_(height_mm=round(min(foot.height_mm, height), 2))


def approached_foot(plate: Endplate, foot: FootPlan, end: np.ndarray) -> FootPlan:
    """The foot with the approach from the side where the strut's end (3,) RAS lies, so that it slides in from there."""
    right, anterior, _ = plate.to_local(end[None])[0]
    azimuth = float(np.degrees(np.arctan2(right, anterior)))
    outside = np.hypot(right, anterior) > 0.5 * min(plate.width_mm, plate.depth_mm)
    side: Approach = "anterior"
    if outside and abs(azimuth) > _SIDEWAYS_DEG:
        side = "right" if azimuth > 0.0 else "left"
    return foot.with_(approach=side)


def is_tongue(plate: Endplate, foot: FootPlan) -> bool:
    """Whether a standing neighbour leaves the foot only the disc space."""
    return plate.gap_mm is not None and plate.gap_mm < foot.height_mm + _INSIDE_FOOT_MM


def end_region(plate: Endplate, foot: FootPlan) -> EndRegion:
    """Where the axis ends: inside the foot over an open span, in front of or beside the disc space otherwise."""
    edge = footprint(plate, foot)
    if is_tongue(plate, foot):
        assert plate.gap_mm is not None
        return EndRegion(plate, 0.5 * plate.gap_mm, _BESIDE_REACH_MM, edge)
    return EndRegion(plate, foot.height_mm - _INSIDE_FOOT_MM, 0.5 * min(plate.width_mm, plate.depth_mm), edge)


def footprint(plate: Endplate, foot: FootPlan) -> np.ndarray:
    """(16, 2) edge of the foot in the plate's plane: the endplate's outline drawn in by the margins."""
    outline = plate.to_local(plate.outline)[:, :2]
    middle = outline.mean(axis=0)
    angle = np.arctan2(*(outline - middle).T)
    reach = np.linalg.norm(outline - middle, axis=1) - foot.ring_margin_mm
    order = np.argsort(angle)
    turn = np.linspace(-np.pi, np.pi, 17)[:-1]
    even = np.interp(turn, angle[order], reach[order], period=2.0 * np.pi)
    edge = middle + even[:, None] * np.column_stack([np.sin(turn), np.cos(turn)])
    edge[:, 1] = np.maximum(edge[:, 1], outline[:, 1].min() + foot.posterior_margin_mm)
    return edge
