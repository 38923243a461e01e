"""How each end rests: the room its plate has, heights and margins for it, and the side it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from ..build.outline import polygon_distance
from ..case.model import Case, Endplate
from ..plan.plan import Approach, FootPlan
from .corridor import Corridor
from .nodes import within
from .path import EndRegion

_BESIDE_REACH_MM = 30.0  # how far from a plate's centre a strut in front of the column may begin
_INSIDE_FOOT_MM = 2.0  # the axis begins this far below the foot's free end
_COVERED = 0.75  # share of the plate that bone must face closely for its neighbour to count as standing
_LEAST_TONGUE_MM = 1.0  # a thinner tongue cannot be printed as a wall (recommended wall, clinical facts)
_SIDEWAYS_DEG = 60.0  # a strut that ends farther round the plate than this is reached from the side
_STEP_MM = 1.0
_BASE_MM = 3.0  # height over which a foot fills its whole footprint
_CONCAVE_MM = 3.5  # endplates are hollowed no deeper than this
_RASTER_MM = 0.5
_CLEAR_MM = 0.15  # kept beyond a rule
_DEEPER_MM = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)  # added to the posterior margin
_WIDER_MM = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)  # added to the fit gap


@dataclass(frozen=True, eq=False)
class Site:
    """One end's endplate, its foot, and the disc space it has: gap_mm, the median height between the bones, or None
    where the span beyond the plate is open."""

    plate: Endplate
    foot: FootPlan
    gap_mm: float | None

    @property
    def region(self) -> EndRegion:
        """Where the axis ends: inside the foot over an open span, in front of or beside a disc space."""
        edge = footprint(self.plate, self.foot)
        if self.gap_mm is not None:
            return EndRegion(self.plate, 0.5 * self.gap_mm, _BESIDE_REACH_MM, edge)
        reach = 0.5 * min(self.plate.width_mm, self.plate.depth_mm)
        return EndRegion(self.plate, self.foot.height_mm - _INSIDE_FOOT_MM, reach, edge)


def find_site(case: Case, plate: Endplate, foot: FootPlan) -> Site:
    """The room over an endplate. A few remnants in an open span do not make a disc space of it."""
    gaps = column_gaps(case, plate, foot.height_mm + _INSIDE_FOOT_MM)
    standing = (gaps < foot.height_mm + _INSIDE_FOOT_MM).mean() > _COVERED
    return Site(plate, foot, float(np.median(gaps)) if standing else None)


def column_gaps(case: Case, plate: Endplate, reach_mm: float) -> np.ndarray:
    """(n,) heights along the normal from the plate's bone to the next vertebra's, on a 1 mm raster over the outline;
    reach_mm where there is none so near."""
    outline = plate.to_local(plate.outline)[:, :2]
    sides = (np.arange(*limits, _STEP_MM) for limits in zip(outline.min(axis=0), outline.max(axis=0)))
    plane = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)
    plane = plane[polygon_distance(outline, plane) < -_STEP_MM]
    out = np.arange(-2.0, reach_mm + 0.25, 0.25)
    points = plate.to_ras(np.column_stack([np.repeat(plane, len(out), axis=0), np.tile(out, len(plane))]))
    vertebrae = [s for s in case.having("bone") if s.level and within(s, points, 0.0).any()]
    own = case.distance([s for s in vertebrae if s.level == plate.level], points).reshape(len(plane), -1) < 0.0
    next_bone = case.distance([s for s in vertebrae if s.level != plate.level], points).reshape(len(plane), -1) < 0.0
    floor = np.where(own.any(axis=1), out[len(out) - 1 - np.argmax(own[:, ::-1], axis=1)], out[0])
    roof = np.where(next_bone.any(axis=1), out[np.argmax(next_bone, axis=1)], np.inf)
    return np.clip(roof - floor, 0.0, reach_mm)


def fitted_foot(room: Corridor, site: Site, end: np.ndarray) -> FootPlan:
    """The foot for its site, sliding in from the side where the strut's end (3,) RAS lies.

    In a disc space it is no thicker than the gap less the fit gap on both faces. Where its back or its contact face
    comes too near to what a rule protects (dura behind, old screws under the plate), the posterior margin and then the
    fit gap grow until the rule holds, or as far as that helps.
    """
    foot = _clear_foot(room, site, site.foot.with_(approach=_approach(site.plate, end)))
    if site.gap_mm is None:
        return foot
    height = max(site.gap_mm - 2.0 * foot.fit_gap_mm, _LEAST_TONGUE_MM)
    return foot.with_(height_mm=round(min(foot.height_mm, height), 2))


def _clear_foot(room: Corridor, site: Site, foot: FootPlan) -> FootPlan:
    plate = site.plate
    outline = plate.to_local(plate.outline)[:, :2]
    sides = (np.arange(*limits, _RASTER_MM) for limits in zip(outline.min(axis=0), outline.max(axis=0)))
    plane = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)
    plane = plane[polygon_distance(outline, plane) < -foot.ring_margin_mm]
    behind = plane[:, 1] - outline[:, 1].min()
    tallest = min(_BASE_MM, site.gap_mm) if site.gap_mm is not None else _BASE_MM
    slack = np.empty((len(_WIDER_MM), len(plane)))
    for row, wider in enumerate(_WIDER_MM):
        heights = _floor(room, plate, plane) + foot.fit_gap_mm + wider
        levels = np.stack([heights, np.maximum(heights, tallest)], axis=1)
        points = plate.to_ras(np.column_stack([np.repeat(plane, 2, axis=0), levels.ravel()]))
        slack[row] = room.sample(room.rules, points).reshape(-1, 2).min(axis=1)
    options = []
    for (row, wider), deeper in product(enumerate(_WIDER_MM), _DEEPER_MM):
        margin = foot.posterior_margin_mm + deeper
        kept = slack[row, behind > margin - _RASTER_MM]
        missing = max(_CLEAR_MM - float(kept.min()), 0.0) if len(kept) else np.inf
        # A millimetre of margin costs contact, a millimetre of gap costs fit: the gap is the dearer one.
        options.append((round(missing, 2), deeper + 4.0 * wider, margin, wider))
    _, _, margin, wider = min(options)
    return foot.with_(posterior_margin_mm=margin, fit_gap_mm=round(foot.fit_gap_mm + wider, 2))


def _floor(room: Corridor, plate: Endplate, plane: np.ndarray) -> np.ndarray:
    """(n,) height along out of the bone under points (n, 2) of the plate's plane."""
    out = np.arange(_BASE_MM, -_CONCAVE_MM, -0.25)
    points = plate.to_ras(np.column_stack([np.repeat(plane, len(out), axis=0), np.tile(out, len(plane))]))
    solid = room.sample(room.bone, points).reshape(len(plane), -1) < 0.0
    return np.where(solid.any(axis=1), out[np.argmax(solid, axis=1)], 0.0)


def _approach(plate: Endplate, end: np.ndarray) -> Approach:
    place = plate.to_local(end[None])[:, :2]
    beside = polygon_distance(plate.to_local(plate.outline)[:, :2], place)[0] > 0.0
    right, anterior = place[0]
    if not beside or abs(np.degrees(np.arctan2(right, anterior))) <= _SIDEWAYS_DEG:
        return "anterior"
    return "right" if right > 0.0 else "left"


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
