"""One end of a previewed implant: what does not depend on axis, section and screws, kept on the lattice's points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from LatticeGeneratorLib.field.combine import smooth_maximum, smooth_union
from scipy.ndimage import map_coordinates

from ..case.model import Endplate
from ..plan.curve import AxisCurve
from ..plan.plan import Flange, FootPlan, Plan, Screw
from .bone import ABOVE_PLATE_MM, AROUND_PLATE_MM, PAST_FLANGE_MM, PAST_FOOT_MM, within
from .design import End
from .end import (
    BOSS_WALL_MM,
    EDGE_MM,
    EndShape,
    bone_in_the_way,
    boss_field,
    end_shape,
    flange_field,
    foot_plug,
    loft_rise,
)
from .outline import bridgehead
from .preview_ground import FAR_MM, Ground, Lattice
from .preview_layer import LayerGround, layer_grounds
from .solid import BOSS_BLEND_MM, CONTACT_EDGE_MM, CONTINUED_MM, FLANGE_BLEND_MM, OWN_GAP_MM

# Field values are needed as far as this outside of the surface, mm: a surface passes between neighbours on the lattice,
# and a loft's field rises a third faster than distance.
HELD_MM = 1.2
# Where the strut begins farther beside the plate than the block's own room, the block grows by steps, so that bone is
# not swept anew at every move, mm.
_ROOM_MM = AROUND_PLATE_MM - PAST_FOOT_MM
_GROWTH_MM = 8.0
# Its heights are rounded up to this, mm, for the same reason; no foot or flange is taller by the plan's ranges.
_ROUNDED_MM = 3.0
_TALLEST_MM = 60.0
# Directions in which a foot's reach is told; between two of them its border is off by less than 0.06 mm on 5 mm.
_DIRECTIONS = 128
# The distance to a foot's reach is tabulated this finely, mm; bilinear error at most an eighth of it, at a corner.
_TABLE_MM = 0.5
_TABLE_MARGIN_MM = 4.0


@dataclass(frozen=True, eq=False)
class EndGround:
    """An end on the lattice points of its block. All arrays are (n,) mm where not said otherwise.

    shape: its fields and decisions; `shape.reach` and `shape.screws` are of no use here, they hang on what is dragged.
    edge: (m, 2) the footprint's edge on the plate. flat: numbers of the points, ascending; local: (n, 3) the points in
    the plate's frame. plug, flange: fields of what does not depend on the strut; cap: of the foot's slab; rise: of its
    loft. way: negative off the bone that the foot must stay off; gap: to keep to all bone. still: bool, where a surface
    of plug or flange, or the groove between them, may lie; slab: (m,) numbers in these arrays of where a loft may lie.
    layers: the places for its porous layer.
    """

    shape: EndShape
    edge: np.ndarray
    flat: np.ndarray
    local: np.ndarray
    plug: np.ndarray
    flange: np.ndarray
    cap: np.ndarray
    rise: np.ndarray
    way: np.ndarray
    gap: np.ndarray
    still: np.ndarray
    slab: np.ndarray
    layers: tuple[LayerGround, ...]

    def found(self, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of the lattice's points (n,) those in the block: (n,) bool, and (m,) their numbers in these arrays."""
        place = np.minimum(np.searchsorted(self.flat, flat), len(self.flat) - 1)
        held = self.flat[place] == flat
        return held, place[held]


@dataclass(frozen=True, eq=False)
class FootRows:
    """A foot lofted into a strut. tube: (n,) bool, which of the points near the strut lie in the end's block; marked:
    bool, which of the end's points may hold material without its screws; rows: (m,) their numbers; foot: (m,) mm its
    field; blend: (m,) mm radius of its fillet with the strut."""

    tube: np.ndarray
    marked: np.ndarray
    rows: np.ndarray
    foot: np.ndarray
    blend: np.ndarray


@dataclass(frozen=True, eq=False)
class _Outreach:
    """What `end_shape` asks of an axis, for every strut that begins in a rectangle on the plate: (4, 3) RAS corners."""

    corners: np.ndarray
    points: tuple[None, ...] = (None,)

    def section_outline(self, where: int) -> np.ndarray:
        return self.corners


def section_on(plate: Endplate, curve: AxisCurve, end: End) -> np.ndarray:
    """(48, 2) corners of the strut's section at an end, in the plane of its plate (right, anterior)."""
    return plate.to_local(curve.section_outline(0 if end == "upper" else len(curve.points) - 1))[:, :2]


def outreach(plate: Endplate, section: np.ndarray) -> tuple[float, ...]:
    """The rectangle on the plate that a block has to hold, (right, anterior) low and high: the plate's own, and where a
    strut's section (m, 2) lies beyond the block's room around it, in whole steps as far as that."""
    outline = plate.to_local(plate.outline)[:, :2]
    low, high = outline.min(axis=0), outline.max(axis=0)
    least, most = section.min(axis=0), section.max(axis=0)
    low = np.where(least < low - _ROOM_MM, _GROWTH_MM * np.floor(least / _GROWTH_MM), low)
    high = np.where(most > high + _ROOM_MM, _GROWTH_MM * np.ceil(most / _GROWTH_MM), high)
    return tuple(float(v) for v in (*low, *high))


def decided(plan: Plan, end: End) -> tuple[FootPlan, Flange | None]:
    """The decisions about one end."""
    return (plan.upper_foot, plan.upper_flange) if end == "upper" else (plan.lower_foot, plan.lower_flange)


def room_for(foot: FootPlan, flange: Flange | None) -> tuple[FootPlan, Flange]:
    """Decisions that ask for the same bone as these, and for a little more of it, so that it serves others too."""
    tall = 0.0 if flange is None else _ROUNDED_MM * np.ceil(flange.height_mm / _ROUNDED_MM)
    height = min(float(_ROUNDED_MM * np.ceil(foot.height_mm / _ROUNDED_MM)), _TALLEST_MM)
    room = FootPlan(foot.approach, height, foot.ring_margin_mm, foot.posterior_margin_mm)
    return room, Flange(height_mm=min(max(float(tall), ABOVE_PLATE_MM - PAST_FLANGE_MM), _TALLEST_MM))


def end_bone(
    ground: Ground, plan: Plan, end: End, rectangle: tuple[float, ...], room: tuple[FootPlan, Flange]
) -> EndShape:
    """The bone of an end in a block with room for a foot and a flange, and for struts that begin in a rectangle on its
    plate. Raises GeometryError when margins leave no footprint."""
    foot, flange = room
    plan = plan.with_(screws=(), **{f"{end}_foot": foot, f"{end}_flange": flange})
    situation = replace(ground.situation, plan=plan)
    plate = situation.upper if end == "upper" else situation.lower
    a, b, c, d = rectangle
    corners = plate.to_ras(np.array([[a, b, 0.0], [c, b, 0.0], [c, d, 0.0], [a, d, 0.0]]))
    return end_shape(situation, cast(AxisCurve, _Outreach(corners)), end)


def end_ground(bone: EndShape, plan: Plan, lattice: Lattice) -> EndGround:
    """An end with its decisions, in a block of bone that has room for them."""
    foot, flange = decided(plan, bone.end)
    base, under_head = plan.interface.depth_mm + plan.interface.minimum_solid_mm, plan.screw_rules.under_head_mm
    shape = replace(bone, foot=foot, flange=flange, base_mm=base, under_head_mm=under_head)
    block = shape.docking.corners
    flat = lattice.within(block.min(axis=0), block.max(axis=0))
    local = _local(shape.endplate, lattice.points(flat))
    held = within(local, shape.docking.low, shape.docking.high)
    flat, local = flat[held], local[held]
    out, gap = local[:, 2], shape.foot.fit_gap_mm
    plug = foot_plug(shape, shape.footprint.distance(local[:, :2]), out)
    tab = np.full(len(flat), FAR_MM) if flange is None else flange_field(shape, flange, local)
    way = gap - bone_in_the_way(shape, local)
    inner = np.minimum(local - shape.docking.low, shape.docking.high - local).min(axis=1)
    own = np.clip(inner / OWN_GAP_MM, 0.0, 1.0)
    widest = max(plan.upper_foot.fit_gap_mm, plan.lower_foot.fit_gap_mm)
    # Where bone takes everything away nothing is looked at.
    free = way < HELD_MM
    surface = np.minimum(plug, tab) < HELD_MM
    groove = np.maximum(plug, tab) < FLANGE_BLEND_MM
    return EndGround(
        shape=shape,
        edge=shape.footprint.edge(),
        flat=flat,
        local=local,
        plug=plug,
        flange=tab,
        cap=np.maximum(-out, out - shape.foot.height_mm),
        rise=loft_rise(shape, local),
        way=way,
        gap=own * gap + (1.0 - own) * widest,
        still=free & (surface | groove),
        slab=np.flatnonzero(free & (out > -FLANGE_BLEND_MM) & (out < shape.foot.height_mm + HELD_MM)),
        layers=layer_grounds(shape, flat, local, plan.interface),
    )


class Reach:
    """The convex region around points (n, 2) of a plate's plane, as a table of signed distance."""

    def __init__(self, points: np.ndarray) -> None:
        angle = 2.0 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
        across, ahead = np.cos(angle)[:, None], np.sin(angle)[:, None]
        # A convex region is what its supporting lines leave: the farthest beyond any of them is the distance.
        support = (across * points[:, 0] + ahead * points[:, 1]).max(axis=1)
        self.low = points.min(axis=0) - _TABLE_MARGIN_MM
        self.high = points.max(axis=0) + _TABLE_MARGIN_MM
        x, y = (np.arange(a, b + _TABLE_MM, _TABLE_MM) for a, b in zip(self.low, self.high))
        along = (across * x)[:, :, None] + (ahead * y - support[:, None])[:, None, :]
        self._table = along.max(axis=0)

    def distance(self, plane: np.ndarray) -> np.ndarray:
        """(n,) mm at points (n, 2) of the plate's plane, negative inside."""
        return map_coordinates(self._table, ((plane - self.low) / _TABLE_MM).T, order=1, mode="nearest")


def foot_rows(end: EndGround, curve: AxisCurve, section: np.ndarray, tube: np.ndarray, lattice: Lattice) -> FootRows:
    """The foot lofted into a strut. section: (m, 2) the strut's end on the plate; tube: (n,) numbers of the lattice's
    points near the strut."""
    in_block, beside = end.found(tube)
    by_strut = np.zeros(len(end.flat), dtype=bool)
    by_strut[beside] = True
    head = bridgehead(end.edge, section, end.shape.foot.bridge_mm)
    reach = Reach(np.vstack([head, section]))
    x, y = end.local[end.slab, 0], end.local[end.slab, 1]
    loft = end.slab[(x > reach.low[0]) & (x < reach.high[0]) & (y > reach.low[1]) & (y < reach.high[1])]
    reaching = reach.distance(end.local[loft, :2])
    groove = np.maximum(end.flange[loft], reaching) < FLANGE_BLEND_MM
    near = np.flatnonzero((reaching < HELD_MM) | by_strut[loft] | groove)
    loft, reaching = loft[near], reaching[near]
    rise, blended = end.rise[loft], reaching
    risen = np.flatnonzero(rise > 0.0)
    strut = curve.field(lattice.points(end.flat[loft[risen]]), CONTINUED_MM)
    blended[risen] += rise[risen] * (strut - reaching[risen])
    foot = end.plug.copy()
    foot[loft] = np.minimum(foot[loft], smooth_maximum(blended, end.cap[loft], EDGE_MM))
    marked = end.still | by_strut
    marked[loft] = True
    rows = np.flatnonzero(marked)
    return FootRows(in_block, marked, rows, foot[rows], end.shape.foot.blend_mm * (1.0 - end.rise[rows]))


def material(
    end: EndGround, foot: FootRows, screws: Sequence[Screw], values: np.ndarray, lattice: Lattice
) -> np.ndarray:
    """Puts the end's material, before any bone is cut away, in the place of the strut's in values (lattice.size,), and
    returns the numbers of the end's points that may hold some."""
    under_head = end.shape.under_head_mm
    flat = end.flat[foot.rows]
    made = smooth_union(values[flat], foot.foot, foot.blend)
    values[flat] = smooth_union(made, end.flange[foot.rows], FLANGE_BLEND_MM)
    held, marked = [foot.rows], foot.marked.copy() if screws else foot.marked
    for screw in screws:
        rows = end.found(_about_boss(screw, under_head, lattice))[1]
        flat = end.flat[rows]
        boss = boss_field(screw, lattice.points(flat), under_head)
        values[flat] = smooth_union(values[flat], boss, BOSS_BLEND_MM)
        held.append(rows[~marked[rows]])
        marked[rows] = True
    return np.concatenate(held)


def off_docking(end: EndGround, rows: np.ndarray, values: np.ndarray) -> None:
    """Cuts the docking bone out of the end's points `rows` of values (lattice.size,), with the foot's gap."""
    flat = end.flat[rows]
    values[flat] = smooth_maximum(values[flat], end.way[rows], CONTACT_EDGE_MM)


def off_bone(ground: Ground, flat: np.ndarray, gap: np.ndarray, values: np.ndarray) -> None:
    """Keeps material at a gap (n,) mm from every bone at the points (n,) by number."""
    inside = np.flatnonzero(values[flat] < HELD_MM)
    near = flat[inside]
    values[near] = np.maximum(values[near], gap[inside] - ground.bone(near))


def _about_boss(screw: Screw, under_head_mm: float, lattice: Lattice) -> np.ndarray:
    """Numbers of the lattice's points in the box in which `end.within_boss` looks for a screw's boss."""
    half = 0.5 * (screw.type.head_radius_mm + under_head_mm)
    direction = np.asarray(screw.direction) / np.linalg.norm(screw.direction)
    centre = np.asarray(screw.entry) + half * direction
    reach = float(np.hypot(half, screw.type.head_diameter_mm / 2.0 + BOSS_WALL_MM)) + BOSS_BLEND_MM
    return lattice.within(centre - reach, centre + reach)


def _local(plate: Endplate, points: np.ndarray) -> np.ndarray:
    """(n, 3) RAS points in (right, anterior, out); written out, so that it does not matter how many there are."""
    x, y, z = (points - plate.centre).T
    return np.stack([a[0] * x + a[1] * y + a[2] * z for a in (plate.right, plate.anterior, plate.normal)]).T
