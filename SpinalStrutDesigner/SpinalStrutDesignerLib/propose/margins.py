"""A foot's margins: as much contact as the rules leave, tried on the metal that the foot would really have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
from LatticeGeneratorLib.field.combine import smooth_maximum

from ..build.bone import LocalField, bone_near, local_bone, swept
from ..build.end import DOME_MM
from ..build.outline import convex_hull, polygon_distance
from ..build.solid import CONTINUED_MM
from ..case.model import Case, Endplate, Structure
from ..plan.curve import AxisCurve
from ..plan.plan import FootPlan, Plan
from ..plan.rules import rule_for
from .corridor import demand
from .nodes import near_box

_CLEAR_MM = 0.02  # kept beyond a rule
_AROUND_MM = 5.0  # of the outline, from where lips and spurs still stand in the way in
_RING_MM = np.arange(0.0, 8.1, 0.5)  # added to the ring margin
_DEEPER_MM = np.arange(0.0, 6.1, 0.5)  # added to the posterior margin
_WIDER_MM = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)  # added to the fit gap
_WIDEST_MM = 10.0  # ring margin that a plan may hold
_WIDEST_BRIDGE_MM = 60.0  # that a plan may hold
# Bridges that are tried where the whole foot's misses a rule; the narrowest is as broad as a cervical strut is deep.
_BRIDGES_MM = (16.0, 13.0, 11.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0)
_CORNER_MM = 1.0  # rounding between ring and posterior margin, as the footprint is built
_LOST_MM = 0.8  # bone farther off than this over the fit gap is not in contact: the error budget (Schulze 2024)
# Contact that margins must leave: what carries the 500 N design load at 1.8 MPa (clinical facts, engineering judgement;
# verify locally), or on a plate too small for that half of what the foot would have without them.
_ENOUGH_MM2, _ENOUGH_SHARE = 278.0, 0.5
_MM_PER_CONTACT = 3.0  # where nothing holds all rules, all contact is worth this many millimetres of rules missed
FINER = 4  # heights of the block that are looked at for each one sampled
_NOTHING = np.empty((0, 3)), np.empty(0, dtype=int), np.empty((0, 0)), np.empty(0)
_CONTACT_PER_MM = 0.5  # share of the contact that is given for a gap narrower by a millimetre
_FAR_MM = 100.0  # more than any rule can be missed by
# A bridge from plate to strut meets a mobile structure on its side, and pushes it farther than it reaches into it: by
# 1.8 mm, measured where bridge, flange and strut stand round an oesophagus; and fillets reach 0.4 mm past this metal.
_ASIDE_MM = 2.2


@dataclass(frozen=True, eq=False)
class Bed:
    """The room over an endplate on a regular block of its frame, with what the foot would meet there.

    plain: distance to the docking bone; in_way: to all bone that an implant sliding in from the foot's side must stay
    off, others: to that of the other vertebrae; near: (n, 3) points that matter, at: (n,) their places in the block;
    slack: (structures, n) what is left there of each rule that could be missed; strut: (n,) the strut's field there,
    continued into the foot. section: (k, 2) edge of the strut at its end. (right, anterior, out) mm.
    """

    plate: Endplate
    base_mm: float
    section: np.ndarray
    plain: LocalField
    in_way: LocalField
    others: LocalField
    near: np.ndarray
    at: np.ndarray
    slack: np.ndarray
    strut: np.ndarray

    def missing(self, foot: FootPlan) -> np.ndarray:
        """(structures,) by how many mm a foot of these margins and this gap misses each rule."""
        half = 0.5 * self.plain.step_mm  # by so much an edge may lie past the block's last column
        ring, behind = (max(mm - half, 0.0) for mm in (foot.ring_margin_mm, foot.posterior_margin_mm))
        bridge = min(foot.bridge_mm + half, _WIDEST_BRIDGE_MM)
        metal = self.metal(foot.with_(ring_margin_mm=ring, posterior_margin_mm=behind, bridge_mm=bridge)) < 0.0
        if not metal.any():
            return np.zeros(len(self.slack))
        # The contact face lies as far past its points as they are off it.
        off = self._near_free[metal] - foot.fit_gap_mm
        slack = self.slack[:, metal] - np.where(off < 1.5 * self.plain.step_mm / FINER, off, 0.0)
        short: np.ndarray = np.maximum(_CLEAR_MM - slack.min(axis=1), 0.0)
        return short

    def facing(self, fit_gap_mm: float) -> np.ndarray:
        """(m,) bool: which columns of the block have bone within reach and room for metal over it."""
        plain, in_way = (finer(field.values) for field in (self.plain, self.in_way))
        near = (plain < fit_gap_mm + _LOST_MM) & (in_way >= fit_gap_mm)
        faces: np.ndarray = np.any(near, axis=0).ravel()
        return faces

    def contact_mm2(self, foot: FootPlan, facing: np.ndarray) -> float:
        """Area of the footprint over facing columns (m,)."""
        return float((facing & self.covered(foot)).sum()) * self.plain.step_mm**2

    def metal(self, foot: FootPlan) -> np.ndarray:
        """(n,) the foot's field at the near points, negative where it has metal, as build/end makes it."""
        plane, out = self.near[:, :2], self.near[:, 2]
        reach = convex_hull(np.vstack([self._bridgehead(foot), self.section]))
        reaching = polygon_distance(reach.points, plane)
        t = np.clip((out - self.base_mm) / max(foot.height_mm - self.base_mm, 0.5), 0.0, 1.0)
        rise = t + t**2 - t**3
        loft = np.maximum((1.0 - rise) * reaching + rise * self.strut, np.maximum(-out, out - foot.height_mm))
        plug = np.maximum(self.inside(foot), np.maximum(-DOME_MM - out, out - self.base_mm))
        return np.maximum(np.minimum(loft, plug), foot.fit_gap_mm - self._near_free)

    def covered(self, foot: FootPlan) -> np.ndarray:
        """(m,) bool: which columns lie in the footprint."""
        return self._footprint(foot, self.raster, self._rim) < 0.0

    def inside(self, foot: FootPlan) -> np.ndarray:
        """(n,) the footprint's field at the near points."""
        return self._footprint(foot, self.near[:, :2], self._near_rim)

    def _bridgehead(self, foot: FootPlan) -> np.ndarray:
        """(k, 2) columns of the footprint from which a bridge leads to the strut, as build/outline draws them in."""
        covered = self.covered(foot)
        away = self._off_strut[covered]
        head: np.ndarray = self.raster[covered][away <= away.min(initial=np.inf) + foot.bridge_mm]
        return head

    def _footprint(self, foot: FootPlan, plane: np.ndarray, rim: np.ndarray) -> np.ndarray:
        """(n,) the footprint's field at points (n, 2) that lie rim (n,) from the outline, negative inside."""
        behind = self._rearmost_mm + foot.posterior_margin_mm - plane[:, 1]
        return smooth_maximum(rim + foot.ring_margin_mm, behind, _CORNER_MM)

    @cached_property
    def raster(self) -> np.ndarray:
        """(m, 2) the block's columns in the plate's plane, anterior by anterior."""
        _, anterior, right = (np.arange(n) for n in self.plain.values.shape)
        low, step = self.plain.low, self.plain.step_mm
        v, u = np.meshgrid(low[1] + step * anterior, low[0] + step * right, indexing="ij")
        return np.column_stack([u.ravel(), v.ravel()])

    @cached_property
    def _outline(self) -> np.ndarray:
        return self.plate.to_local(self.plate.outline)[:, :2]

    @cached_property
    def _rearmost_mm(self) -> float:
        return float(self._outline[:, 1].min())

    @cached_property
    def _rim(self) -> np.ndarray:
        return polygon_distance(self._outline, self.raster)

    @cached_property
    def _off_strut(self) -> np.ndarray:
        return np.maximum(polygon_distance(self.section, self.raster), 0.0)

    @cached_property
    def _near_rim(self) -> np.ndarray:
        return polygon_distance(self._outline, self.near[:, :2])

    @cached_property
    def _near_free(self) -> np.ndarray:
        return self.in_way.at_local(self.near)


def foot_bed(case: Case, plan: Plan, plate: Endplate, foot: FootPlan, curve: AxisCurve, end: int) -> Bed:
    """What a foot on this plate meets, up to its height, with every point that may be its metal; no rules yet.

    case: posed and resected; curve's end: 0 upper, -1 lower.
    """
    station = 0 if end == 0 else len(curve.points) - 1
    section = plate.to_local(curve.section_outline(station))[:, :2]
    outline = plate.to_local(plate.outline)[:, :2]
    base = plan.interface.depth_mm + plan.interface.minimum_solid_mm
    edge = np.vstack([outline - _AROUND_MM, outline + _AROUND_MM, section - 1.0, section + 1.0])
    block = np.array([[*edge.min(axis=0), -DOME_MM], [*edge.max(axis=0), max(foot.height_mm, base)]])
    bones = bone_near(case, *_box(plate, block))
    docking = local_bone(plate, [b for b in bones if b.level == plate.level], block)
    others = swept(
        local_bone(plate, [b for b in bones if b.of_column and b.level != plate.level], block), foot.approach
    )
    beside = local_bone(plate, [b for b in bones if not b.of_column], block)
    free = np.minimum(np.minimum(swept(docking, foot.approach).values, others.values), beside.values)
    in_way = replace(docking, values=free)
    bed = Bed(plate, base, section, docking, in_way, others, *_NOTHING)
    hull = convex_hull(np.vstack([outline, section]))
    columns = np.flatnonzero(polygon_distance(hull.points, bed.raster) < 0.0)
    heights = docking.low[2] + docking.step_mm * np.arange(len(free))
    near = np.column_stack([np.tile(bed.raster[columns], (len(free), 1)), np.repeat(heights, len(columns))])
    at = (np.arange(len(free))[:, None] * free[0].size + columns).ravel()
    strut, continued = curve.fields(plate.to_ras(near), (0.0, CONTINUED_MM))
    # What the strut itself touches is the axis' matter.
    foots = strut > 0.0
    return replace(bed, near=near[foots], at=at[foots], slack=np.empty((0, foots.sum())), strut=continued[foots])


def with_rules(bed: Bed, case: Case, plan: Plan, foot: FootPlan) -> Bed:
    """The bed with only those points of the largest foot at which some rule could be missed."""
    step = bed.plain.step_mm
    metal = np.flatnonzero(bed.metal(foot) < step)
    # Finer in height, where the contact face decides; along the plate the margins have half a step in reserve.
    rise = np.column_stack([np.zeros((FINER, 2)), step / FINER * np.arange(FINER)])
    local = (bed.near[metal][:, None] + rise).reshape(-1, 3)
    at, strut = (np.repeat(values[metal], FINER) for values in (bed.at, bed.strut))
    points = bed.plate.to_ras(local)
    slack = []
    for structure in case.structures:
        need = None if structure.role == "bone" else limit(plan, structure)
        if need is None:
            continue
        found = np.full(len(points), np.inf)
        beside = np.flatnonzero(near_box(structure, points, max(need, 0.0) + 1.0))
        found[beside] = structure.distance(points[beside]) - need
        if len(found) and found.min() < _CLEAR_MM + step:
            slack.append(found)
    every = np.stack(slack) if slack else np.empty((0, len(points)))
    short = (every < _CLEAR_MM + step).any(axis=0)
    return replace(bed, near=local[short], at=at[short], slack=every[:, short], strut=strut[short])


def finer(values: np.ndarray) -> np.ndarray:
    """Values (k, ...) with FINER - 1 more between any two along the first axis, linear."""
    share = np.arange(FINER).reshape((1, FINER) + (1,) * (values.ndim - 1)) / FINER
    between = values[:-1, None] + share * np.diff(values, axis=0)[:, None]
    return np.concatenate([between.reshape((-1, *values.shape[1:])), values[-1:]])


def limit(plan: Plan, structure: Structure) -> float | None:
    """The least signed distance in mm at which a structure's rule does not fail with its error budget; None without a
    rule. What may be pushed aside is pushed as far as its rule allows, for the sake of contact."""
    rule = rule_for(plan, "metal" if structure.role == "metal" else structure.name)
    if rule is None or rule.kind == "clearance":
        return demand(plan, structure)
    return plan.budget.segmentation_to_print_mm + _ASIDE_MM - rule.limit_mm


def held_margins(bed: Bed, foot: FootPlan) -> FootPlan:
    """The foot with the bridge and margins that leave most contact of those that hold every rule.

    A narrower bridge costs no contact: it is tried first, and made as wide as the rules allow at last. Only where no
    margins hold them all and leave enough contact does the fit gap grow, and only if that does. Where nothing holds
    them all, the margins that hold what can be held, and miss least of the rest for the contact lost.
    """
    if not bed.missing(foot).any():
        return foot
    narrow = foot.with_(bridge_mm=min(foot.bridge_mm, _BRIDGES_MM[-1]))
    return _bridged(bed, narrow if not bed.missing(narrow).any() else _margins(bed, narrow), foot.bridge_mm)


def _bridged(bed: Bed, foot: FootPlan, widest_mm: float) -> FootPlan:
    """The foot with the widest bridge that misses no rule by more than its own does."""
    least = bed.missing(foot)
    for wide in (widest_mm, *(mm for mm in _BRIDGES_MM if mm < widest_mm)):
        if (bed.missing(wider := foot.with_(bridge_mm=wide)) <= least).all():
            return wider
    return foot


def _margins(bed: Bed, foot: FootPlan) -> FootPlan:
    """The foot with larger margins, and perhaps a wider fit gap, as `held_margins` chooses them."""
    whole = bed.contact_mm2(foot, bed.facing(foot.fit_gap_mm))
    enough = min(_ENOUGH_MM2, _ENOUGH_SHARE * whole)
    holding: list[tuple[float, FootPlan]] = []
    for wider in _WIDER_MM:
        feet = _feet(bed, foot.with_(fit_gap_mm=round(foot.fit_gap_mm + wider, 2)), enough)
        # Larger margins never miss more: whether any hold is told by the largest.
        if any(not bed.missing(made).any() for made, _ in _largest(feet)):
            made, contact = next(one for one in feet if not bed.missing(one[0]).any())
            if wider == 0.0:
                return made
            holding.append((contact / whole - _CONTACT_PER_MM * wider, made))
    if holding:
        return max(holding, key=lambda one: one[0])[1]
    feet = _feet(bed, foot, enough)
    missing = np.array([bed.missing(made) for made, _ in feet]).reshape(len(feet), -1)
    if not len(feet):
        return foot
    held = missing.min(axis=0) == 0.0
    costs = missing.sum(axis=1) - _MM_PER_CONTACT * np.array([contact for _, contact in feet]) / whole
    costs[missing[:, held].any(axis=1)] += _FAR_MM
    return feet[int(np.argmin(costs))][0]


def _feet(bed: Bed, foot: FootPlan, enough_mm2: float) -> list[tuple[FootPlan, float]]:
    """Feet of larger margins that leave enough contact, with it, most contact first."""
    facing = bed.facing(foot.fit_gap_mm)
    feet = []
    for ring, deeper in product(_RING_MM, _DEEPER_MM):
        margins = foot.ring_margin_mm + float(ring), foot.posterior_margin_mm + float(deeper)
        made = foot.with_(ring_margin_mm=min(margins[0], _WIDEST_MM), posterior_margin_mm=margins[1])
        contact = bed.contact_mm2(made, facing)
        if contact >= enough_mm2 > 0.0:
            feet.append((made, contact))
    return sorted(feet, key=lambda one: -one[1])


def _largest(feet: list[tuple[FootPlan, float]]) -> Iterator[tuple[FootPlan, float]]:
    """Of feet of each ring margin the one of the largest posterior margin."""
    by_ring: dict[float, tuple[FootPlan, float]] = {}
    for one in feet:
        known = by_ring.get(one[0].ring_margin_mm)
        if known is None or known[0].posterior_margin_mm < one[0].posterior_margin_mm:
            by_ring[one[0].ring_margin_mm] = one
    yield from by_ring.values()


def _box(plate: Endplate, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Low and high RAS corner of a block (2, 3) of the plate's frame."""
    corners = plate.to_ras(np.array(list(product(*block.T))))
    return corners.min(axis=0), corners.max(axis=0)
