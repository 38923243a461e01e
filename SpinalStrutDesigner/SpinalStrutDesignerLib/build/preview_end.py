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
from ..plan.plan import Plan, Screw
from .bone import within
from .design import End
from .end import (
    EDGE_MM,
    EndShape,
    bone_in_the_way,
    boss_field,
    end_shape,
    flange_field,
    foot_plug,
    loft_rise,
    within_boss,
)
from .preview_ground import Ground, Lattice
from .preview_layer import LayerGround, layer_grounds
from .solid import BOSS_BLEND_MM, CONTACT_EDGE_MM, CONTINUED_MM, FLANGE_BLEND_MM, OWN_GAP_MM

# Fields are needed as far as this from the surface, mm: the widest fillet (a foot's blend, 2 mm by default).
NEAR_MM = 2.0
# What is farther outside than NEAR_MM counts as this far, mm.
FAR_MM = 3.0
# An end's block is made larger by steps as the strut leaves the plate, so that bone is not swept anew at every move, mm.
_GROWTH_MM = 8.0
# Directions in which a foot's reach is told; between two of them its border is off by less than 0.06 mm on 5 mm.
_DIRECTIONS = 128
# The distance to a foot's reach is tabulated this finely, mm; bilinear error at most an eighth of it, at a corner.
_TABLE_MM = 0.5
_TABLE_MARGIN_MM = 4.0


@dataclass(frozen=True, eq=False)
class EndGround:
    """An end on the lattice points of its block. All arrays are (n,) mm where not said otherwise.

    shape: its fields and decisions; `shape.reach` and `shape.screws` are of no use here, they hang on what is dragged.
    flat: numbers of the points, ascending; local: (n, 3) the points in the plate's frame. plug, flange: fields of what
    does not depend on the strut; cap: of the foot's slab; rise: of its loft. way: negative off the bone that the foot
    must stay off; gap: to keep to all bone. still: bool, where plug or flange may lie; slab: (m,) numbers in these
    arrays of where a loft may lie; layers: the places for its porous layer.
    """

    shape: EndShape
    flat: np.ndarray
    local: np.ndarray
    plug: np.ndarray
    flange: np.ndarray | None
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
    """A foot lofted into a strut. tube: (n,) bool, which points near the strut lie in the end's block; rows: (m,) numbers
    of the end's points that may hold material without its screws; foot: (m,) mm its field; blend: (m,) mm radius of its
    fillet with the strut."""

    tube: np.ndarray
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


def outreach(plate: Endplate, curve: AxisCurve, end: End) -> tuple[float, float, float, float]:
    """The rectangle on the plate, (right, anterior) low and high in whole steps, in which the strut begins."""
    section = _section(plate, curve, end)
    low, high = np.floor(section.min(axis=0) / _GROWTH_MM), np.ceil(section.max(axis=0) / _GROWTH_MM)
    a, b, c, d = (float(_GROWTH_MM * v) for v in (*low, *high))
    return a, b, c, d


def end_ground(ground: Ground, plan: Plan, end: End, rectangle: tuple[float, float, float, float]) -> EndGround:
    """An end for struts that begin in a rectangle on its plate. Raises GeometryError when margins leave no footprint."""
    situation = replace(ground.situation, plan=plan.with_(screws=()))
    plate = situation.upper if end == "upper" else situation.lower
    a, b, c, d = rectangle
    corners = plate.to_ras(np.array([[a, b, 0.0], [c, b, 0.0], [c, d, 0.0], [a, d, 0.0]]))
    shape = end_shape(situation, cast(AxisCurve, _Outreach(corners)), end)
    block = shape.docking.corners
    flat = ground.lattice.within(block.min(axis=0), block.max(axis=0))
    local = _local(plate, ground.lattice.points(flat))
    held = within(local, shape.docking.low, shape.docking.high)
    flat, local = flat[held], local[held]
    out, gap = local[:, 2], shape.foot.fit_gap_mm
    plug = foot_plug(shape, shape.footprint.distance(local[:, :2]), out)
    flange = None if shape.flange is None else flange_field(shape, shape.flange, local)
    way = gap - bone_in_the_way(shape, local)
    inner = np.minimum(local - shape.docking.low, shape.docking.high - local).min(axis=1)
    own = np.clip(inner / OWN_GAP_MM, 0.0, 1.0)
    widest = max(plan.upper_foot.fit_gap_mm, plan.lower_foot.fit_gap_mm)
    # Where bone takes everything away nothing is looked at.
    free = way < NEAR_MM
    beside = plug if flange is None else np.minimum(plug, flange)
    return EndGround(
        shape=shape,
        flat=flat,
        local=local,
        plug=plug,
        flange=flange,
        cap=np.maximum(-out, out - shape.foot.height_mm),
        rise=loft_rise(shape, local),
        way=way,
        gap=own * gap + (1.0 - own) * widest,
        still=free & (beside < NEAR_MM),
        slab=np.flatnonzero(free & (out > -NEAR_MM) & (out < shape.foot.height_mm + EDGE_MM)),
        layers=layer_grounds(shape, flat, local, plan.interface),
    )


class Reach:
    """The convex region around a foot and its strut's end section on the plate, as a table of signed distance."""

    def __init__(self, end: EndGround, curve: AxisCurve) -> None:
        shape = end.shape
        points = np.vstack([shape.footprint.edge(), _section(shape.endplate, curve, shape.end)])
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


def foot_rows(end: EndGround, curve: AxisCurve, tube: np.ndarray, lattice: Lattice) -> FootRows:
    """The foot lofted into the strut whose neighbourhood are the lattice's points (n,) by number."""
    foot = end.plug.copy()
    reach = Reach(end, curve)
    x, y = end.local[end.slab, 0], end.local[end.slab, 1]
    loft = end.slab[(x > reach.low[0]) & (x < reach.high[0]) & (y > reach.low[1]) & (y < reach.high[1])]
    reaching = reach.distance(end.local[loft, :2])
    loft, reaching = loft[reaching < NEAR_MM], reaching[reaching < NEAR_MM]
    rise = end.rise[loft]
    blended = reaching.copy()
    risen = np.flatnonzero(rise > 0.0)
    strut = curve.field(lattice.points(end.flat[loft[risen]]), CONTINUED_MM)
    blended[risen] += rise[risen] * (strut - reaching[risen])
    below = smooth_maximum(blended, end.cap[loft], EDGE_MM)
    foot[loft] = np.minimum(foot[loft], below)
    marked = end.still.copy()
    marked[loft] = True
    within_block, beside = end.found(tube)
    marked[beside] = True
    rows = np.flatnonzero(marked)
    return FootRows(within_block, rows, foot[rows], end.shape.foot.blend_mm * (1.0 - end.rise[rows]))


def material(
    end: EndGround, foot: FootRows, screws: Sequence[Screw], values: np.ndarray, lattice: Lattice
) -> np.ndarray:
    """Puts the end's material, before any bone is cut away, in the place of the strut's in values (lattice.size,), and
    returns the numbers of the end's points that may hold some."""
    shape, flat = end.shape, end.flat[foot.rows]
    made = smooth_union(values[flat], foot.foot, foot.blend)
    if end.flange is not None:
        made = smooth_union(made, end.flange[foot.rows], FLANGE_BLEND_MM)
    values[flat] = made
    held = [foot.rows]
    for screw in screws:
        rows = _boss_rows(end, screw, lattice)
        flat = end.flat[rows]
        boss = boss_field(screw, lattice.points(flat), shape.under_head_mm)
        values[flat] = smooth_union(values[flat], boss, BOSS_BLEND_MM)
        held.append(rows)
    return np.unique(np.concatenate(held)) if screws else foot.rows


def off_docking(end: EndGround, rows: np.ndarray, values: np.ndarray) -> None:
    """Cuts the docking bone out of the end's points `rows` of values (lattice.size,), with the foot's gap."""
    flat = end.flat[rows]
    values[flat] = smooth_maximum(values[flat], end.way[rows], CONTACT_EDGE_MM)


def off_bone(ground: Ground, flat: np.ndarray, gap: np.ndarray, values: np.ndarray) -> None:
    """Keeps material at a gap (n,) mm from every bone at the points (n,) by number."""
    inside = np.flatnonzero(values[flat] < NEAR_MM)
    near = flat[inside]
    values[near] = np.maximum(values[near], gap[inside] - ground.bone(near))


def _boss_rows(end: EndGround, screw: Screw, lattice: Lattice) -> np.ndarray:
    """Numbers of the end's points about a screw's head."""
    entry = np.asarray(screw.entry)
    reach = screw.type.head_radius_mm + end.shape.under_head_mm + screw.type.head_diameter_mm + BOSS_BLEND_MM
    near = lattice.within(entry - reach, entry + reach)
    near = near[within_boss(screw, lattice.points(near), end.shape.under_head_mm, BOSS_BLEND_MM)]
    return end.found(near)[1]


def _section(plate: Endplate, curve: AxisCurve, end: End) -> np.ndarray:
    """(48, 2) corners of the strut's end section in the plate's plane."""
    return plate.to_local(curve.section_outline(0 if end == "upper" else len(curve.points) - 1))[:, :2]


def _local(plate: Endplate, points: np.ndarray) -> np.ndarray:
    """(n, 3) RAS points in (right, anterior, out); written out, so that it does not matter how many there are."""
    x, y, z = (points - plate.centre).T
    return np.stack([a[0] * x + a[1] * y + a[2] * z for a in (plate.right, plate.anterior, plate.normal)], axis=1)
