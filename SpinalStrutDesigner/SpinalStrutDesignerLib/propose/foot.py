"""How each end rests: the room its plate has, heights and margins for it, and the side it comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..build.neighbour import BEYOND_FOOT_MM, disc_space_mm
from ..build.outline import polygon_distance
from ..build.tongue import SIDES, Space, disc_room, refuse
from ..case.model import Case, Endplate
from ..plan.curve import AxisCurve
from ..plan.plan import Approach, FootPlan, InterfacePlan, Plan
from .margins import foot_bed, held_margins, with_rules
from .path import EndRegion
from .strength import root_reserve

_BESIDE_REACH_MM = 30.0  # how far from a plate's centre a strut in front of the column may begin
_INSIDE_FOOT_MM = 2.0  # the axis begins this far below the foot's free end
_LEAST_TONGUE_MM = 1.0  # a thinner tongue cannot be printed as a wall (recommended wall, clinical facts)
# In a disc space too narrow for such a tongue the fit gap gives way first, down to the median print error (Schulze
# 2024), of which a usual fit gap is the rounded figure: else what is left of the tongue falls apart.
_LEAST_FIT_GAP_MM = 0.26
_SIDEWAYS_DEG = 60.0  # a strut that ends farther round the plate than this is reached from the side
# Heights of a tongue that are tried, as shares of the disc space's, and the tallest; the lowest is taken that comes
# within 15 % of the strongest root.
_TALLER, _TALLEST_MM, _WORTH = (1.0, 1.5, 2.0), 15.0, 0.85


@dataclass(frozen=True, eq=False)
class Site:
    """One end's endplate, its foot, and the disc space it has: gap_mm, the median height between the bones, and
    space: what a foot can reach of it; None where the span beyond the plate is open."""

    plate: Endplate
    foot: FootPlan
    gap_mm: float | None
    space: Space | None = None

    @property
    def region(self) -> EndRegion:
        """Where the axis ends: inside the foot over an open span, in front of or beside a disc space."""
        edge = footprint(self.plate, self.foot)
        if self.gap_mm is not None:
            return EndRegion(self.plate, 0.5 * self.gap_mm, _BESIDE_REACH_MM, edge)
        reach = 0.5 * min(self.plate.width_mm, self.plate.depth_mm)
        return EndRegion(self.plate, self.foot.height_mm - _INSIDE_FOOT_MM, reach, edge)


def find_site(case: Case, plate: Endplate, foot: FootPlan, interface: InterfacePlan) -> Site:
    """The room over an endplate. Raises GeometryError where a disc space lets the least tongue in from no side."""
    between = disc_space_mm(case, plate, foot.height_mm + BEYOND_FOOT_MM)
    if between is None:
        return Site(plate, foot, None)
    space = disc_room(case, plate, between, footprint(plate, foot), interface.depth_mm + interface.minimum_solid_mm)
    refuse(space, min(foot.fit_gap_mm, _LEAST_FIT_GAP_MM), *SIDES)
    return Site(plate, foot, between, space)


def fitted_foot(case: Case, plan: Plan, site: Site, curve: AxisCurve, end: int) -> FootPlan:
    """The foot for its site, sliding in from the side where the strut ends. case: posed and resected; curve's end: 0
    upper, -1 lower.

    Its margins, and only where they cannot do it its fit gap, hold the keep-out rules. In a disc space it fills the gap
    less the fit gap on both faces, and is taller where that makes its root stronger: what the neighbour leaves free
    becomes a buttress between plate and strut.
    """
    foot = site.foot.with_(approach=_approach(site.plate, curve.points[end]))
    if site.gap_mm is None or site.space is None:
        bed = foot_bed(case, plan, site.plate, foot, curve, end)
        return held_margins(with_rules(bed, case, plan, foot), foot)
    foot = _entering(site.space, foot.with_(fit_gap_mm=_tongue_gap(site.gap_mm, foot.fit_gap_mm)), curve.points[end])
    least = min(foot.height_mm, max(site.gap_mm - 2.0 * foot.fit_gap_mm, _LEAST_TONGUE_MM))
    feet = [foot.with_(height_mm=round(min(taller * least, _TALLEST_MM), 2)) for taller in _TALLER]
    bed = foot_bed(case, plan, site.plate, feet[-1], curve, end)
    # Of another height a foot has nearly the same footprint to keep from what a rule protects.
    tall = held_margins(with_rules(bed, case, plan, feet[-1]), feet[-1])
    feet = [tall.with_(height_mm=one.height_mm) for one in feet]
    reserves = [root_reserve(plan, bed, one) for one in feet]
    wanted = min(_WORTH * max(reserves), 1.0)
    return next(one for one, reserve in zip(feet, reserves) if reserve >= wanted)


def _entering(space: Space, foot: FootPlan, end: np.ndarray) -> FootPlan:
    """The foot as it gets into a disc space: from the side where the strut ends; where no tongue fits that comes from
    there, with the least fit gap, and then from that of the front and the strut's side from which it fits widest.

    Raises GeometryError where it fits from neither.
    """
    least = min(foot.fit_gap_mm, _LEAST_FIT_GAP_MM)
    beside: Approach = "right" if space.plate.to_local(end[None])[0, 0] > 0.0 else "left"
    sides: tuple[Approach, ...] = ("anterior", beside)
    widest = max(sides, key=lambda side: space.places(side, least))
    for side, gap_mm in ((foot.approach, foot.fit_gap_mm), (foot.approach, least), (widest, least)):
        if space.places(side, gap_mm):
            return foot.with_(approach=side, fit_gap_mm=gap_mm)
    refuse(space, least, *sides)
    return foot


def _tongue_gap(gap_mm: float, wanted_mm: float) -> float:
    """The fit gap of a tongue in a disc space of that height."""
    left = 0.5 * (gap_mm - _LEAST_TONGUE_MM)
    return wanted_mm if left >= wanted_mm else min(wanted_mm, max(round(left, 2), _LEAST_FIT_GAP_MM))


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
