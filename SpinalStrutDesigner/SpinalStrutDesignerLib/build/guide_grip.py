"""A drill guide's grip: a rod out of the wound along its way in, and about it a flat tab for the guide's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, product

import numpy as np
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import cylinder, extruded

from ..plan.guides import MarkPlan
from .design import Situation
from .guide_base import Grip, GuideShape
from .guide_ground import Ground
from .guide_room import off_anatomy, off_carrier, off_drills
from .guide_zones import RELIEF_MM
from .mark import WALL_MM, Lettered
from .mark_words import Wordings, layouts
from .sleeves import Sleeve

# A grip is as thick as that of a docking guide where there is room, else thinner, mm (radius); never thinner than the
# last: engineering judgement, above the 1.0 mm PA12 wall.
_RADII_MM = (4.0, 3.0, 2.5)
# What a chuck or depth stop may come to beside a grip, mm; engineering judgement.
_BESIDE_DRILL_MM = 1.0
# A tab is no thinner than this, mm: at the least width for text its section modulus, w t² / 6, is above that of the
# thinnest rod, pi r³ / 4. Engineering judgement.
_TAB_MM = 4.0
# Of a tab's sides, mm: text's places are tried 1.5 mm apart, so one lies within as much of the best either way; and of
# its thickness, so that text on its other face has solid of its own; and from a sleeve, for rounding.
_SPARE_MM, _APART_MM = 3.0, 0.2
_CORNER_MM, _CORNER_STEPS = 1.0, 6  # by which a tab's corners are rounded
# Where no rod can stand, a tab hangs on a sleeve by a web from this share of its length to so far under its top, mm,
# and this high at least. Engineering judgement.
_WEB_SHARE, _UNDER_TOP_MM, _WEB_MM = 0.4, 1.0, 6.0
# A tab on a sleeve that leans is tried so much farther from it, mm.
_FARTHER_MM = (0.0, 1.5, 3.0)
_OVERLAP_MM = 0.5  # of what is joined
_PLACES_MM = 1.0  # between places that are tried for a grip
_ACROSS_MM = 1.5  # between lines on which a tab's room is measured: it is wrong by 0.07 mm at a thickness of 4 mm
_STEP_MM = 0.5
_ROUND = 16  # places that are tried around a rod, and ways in which a tab may be wide


@dataclass(frozen=True)
class _Tab:
    width_mm: float
    length_mm: float
    thickness_mm: float


def gripped(shape: GuideShape, body: np.ndarray, situation: Situation, texts: Sequence[Wordings]) -> GuideShape:
    """The shape with a grip where there is room for one clear of drills, bone and keep-outs: on the body before on a
    sleeve, with the slenderest tab that holds all its texts, or else the first; else a rod alone, or none. body:
    [k, j, i] mm on the ground's grid, negative inside."""
    if shape.guides.grip_mm <= 0.0:
        return shape
    roots = _roots(shape, body, situation)
    for tabs in (_tabs(shape, situation.plan.marks, some) for some in (texts, texts[:1])):
        standing = (_on_roots(shape, situation, roots, tab) for tab in tabs)
        hanging = (_on_sleeves(shape, situation, tab) for tab in tabs)
        for grip in chain.from_iterable(chain(standing, hanging)):
            return replace(shape, grip=grip)
    for start, radius in roots:
        rod = _rod(shape.ground, start, radius, shape.guides.grip_mm)
        return replace(shape, grip=_grip(shape.ground, [rod], start, radius))
    return shape


def _tabs(shape: GuideShape, marks: MarkPlan, texts: Sequence[Wordings]) -> list[_Tab]:
    """Tabs each of whose faces holds any of the texts, the slenderest first; none where nothing is written, or what is
    needs a longer grip."""
    lettered = Lettered.on("plastic", marks)
    if lettered.style == "none":
        return []
    try:
        blocks = [[lettered.block(lettered.letters(lines)) for lines in layouts(text[0])] for text in texts]
    except GeometryError:  # letters that cannot be so small are told with the marks
        return []
    thickness = max(_TAB_MM, 2.0 * lettered.below_mm + _APART_MM)
    longest = shape.guides.grip_mm - shape.guides.base_thickness_mm
    sides = {(max(b.height for b in each), max(b.width for b in each)) for each in product(*blocks)}
    more = 2.0 * WALL_MM + _SPARE_MM
    tabs = [_Tab(height + more, width + more, thickness) for height, width in sorted(sides)]
    return [tab for tab in tabs if tab.length_mm <= longest]


def _on_roots(
    shape: GuideShape, situation: Situation, roots: Sequence[tuple[np.ndarray, float]], tab: _Tab
) -> Iterator[Grip]:
    """Grips whose rod stands on the body, with a tab at its outer end."""
    turns = np.pi * np.arange(_ROUND // 2) / (_ROUND // 2)
    across = np.stack([np.cos(turns), np.sin(turns), np.zeros(len(turns))], axis=1)
    last = shape.guides.grip_mm
    first = last - tab.length_mm
    for start, radius in roots:
        for way in _open_ways(shape, situation, np.tile(start, (len(turns), 1)), across, tab, (first, last)):
            solids = [
                _rod(shape.ground, start, radius, first + _OVERLAP_MM),
                _prism(shape.ground, start, across[way], tab, (first, last)),
            ]
            yield _grip(shape.ground, solids, start, radius)


def _on_sleeves(shape: GuideShape, situation: Situation, tab: _Tab) -> Iterator[Grip]:
    """Grips whose tab hangs on a sleeve by a web as thick as itself, as near to it as may be."""
    turns = 2.0 * np.pi * np.arange(_ROUND) / _ROUND
    across = np.stack([np.cos(turns), np.sin(turns), np.zeros(_ROUND)], axis=1)
    inner = 0.5 * tab.thickness_mm + _BESIDE_DRILL_MM + _APART_MM
    for sleeve, extra in product(shape.sleeves, _FARTHER_MM):
        web, beside = _Web.of(sleeve, shape.ground), 0.5 * sleeve.outer_mm + inner + extra
        held = across[web.holds(sleeve, across, tab)]
        centres = web.middle + (beside + 0.5 * tab.width_mm) * held
        last = max(shape.guides.grip_mm, web.low + tab.length_mm)
        for way in _open_ways(shape, situation, centres, held, tab, (web.low, last)):
            reach = beside + _OVERLAP_MM
            if _web_room(shape, situation, sleeve, web, held[way], reach) < inner:
                continue
            middle, part = web.middle + 0.5 * reach * held[way], replace(tab, width_mm=reach)
            solids = [
                _prism(shape.ground, middle, held[way], part, (web.low, web.high)),
                _prism(shape.ground, centres[way], held[way], tab, (web.low, last)),
            ]
            yield _grip(shape.ground, solids, web.middle, 0.0)


@dataclass(frozen=True, eq=False)
class _Web:
    """What joins a tab to a sleeve. middle: (3,) on the sleeve's axis as seen along the way; low, high: mm above it;
    lean: (3,) mm, from the axis's foot to its top as seen along the way; all in the guide's frame."""

    middle: np.ndarray
    low: float
    high: float
    lean: np.ndarray

    @classmethod
    def of(cls, sleeve: Sleeve, ground: Ground) -> _Web:
        """Along the middle of a sleeve, under the rim of its top."""
        foot, top = ground.local([sleeve.foot, sleeve.top])
        up, lean = float((top - foot)[2]), (top - foot) * [1.0, 1.0, 0.0]
        rim = 0.5 * sleeve.outer_mm * float(np.linalg.norm(lean)) / sleeve.length_mm
        return cls(foot + 0.5 * lean, _WEB_SHARE * up, up - _UNDER_TOP_MM - rim, lean)

    def holds(self, sleeve: Sleeve, across: np.ndarray, tab: _Tab) -> np.ndarray:
        """(n,) bool: whether it is high enough, and a sleeve does not lean out of it, where it runs across (n, 3)."""
        out = np.abs(np.cross(across, self.lean)[:, 2])
        return np.asarray((self.high - self.low >= _WEB_MM) & (out <= sleeve.outer_mm - tab.thickness_mm))


def _web_room(
    shape: GuideShape, situation: Situation, sleeve: Sleeve, web: _Web, across: np.ndarray, reach: float
) -> float:
    """mm from the middle of a web, outside its sleeve, to the nearest of all that it keeps off."""
    beside = np.arange(0.5 * sleeve.outer_mm, reach + _ACROSS_MM, _ACROSS_MM)
    lines = web.middle + beside[:, None] * across
    others = [other for other in shape.sleeves if other is not sleeve]
    room = np.minimum(off_anatomy(shape, situation, lines, web.low, web.high), off_carrier(shape, lines, web.low))
    return float(np.minimum(room, off_drills(shape.ground, others, lines, web.low, web.high)).min())


def _open_ways(
    shape: GuideShape,
    situation: Situation,
    centres: np.ndarray,
    across: np.ndarray,
    tab: _Tab,
    reach: tuple[float, float],
) -> list[int]:
    """Which of several tabs, about lines out from centres (n, 3) and wide across (n, 3), in the guide's frame, keep
    clear of drills, bone and keep-outs and have no sleeve before their faces, the clearest first. reach: mm past the
    centres where they begin and end."""
    least = 0.5 * tab.thickness_mm + _BESIDE_DRILL_MM
    beside = np.linspace(-0.5, 0.5, int(np.ceil(tab.width_mm / _ACROSS_MM)) + 1) * tab.width_mm
    lines = centres[:, None] + beside[:, None] * across[:, None]
    room = off_drills(shape.ground, shape.sleeves, lines.reshape(-1, 3), *reach).reshape(len(lines), -1).min(axis=1)
    open_ = np.flatnonzero((room >= least) & _in_view(shape, centres + reach[0] * np.eye(3)[2], across, tab))
    near = lines[open_].reshape(-1, 3)
    off = np.minimum(off_anatomy(shape, situation, near, *reach), off_carrier(shape, near, reach[0]))
    room = np.minimum(room[open_], off.reshape(len(open_), len(beside)).min(axis=1))
    return [int(open_[number]) for number in np.argsort(-room, kind="stable") if room[number] >= least]


def _in_view(shape: GuideShape, corners: np.ndarray, across: np.ndarray, tab: _Tab) -> np.ndarray:
    """(n,) bool: whether no sleeve stands before the faces of tabs that begin at corners (n, 3)."""
    seen = np.ones(len(corners), dtype=bool)
    for sleeve in shape.sleeves:
        axis = shape.ground.local(np.linspace(sleeve.foot, sleeve.top, _ROUND))
        away = axis - corners[:, None]
        beside = np.abs(np.einsum("nij,nj->ni", away, across)) - 0.5 * (sleeve.outer_mm + tab.width_mm)
        seen &= ~((away[:, :, 2] > 0.0) & (beside < 0.0)).any(axis=1)
    return seen


def _rod(ground: Ground, start: np.ndarray, radius: float, length: float) -> Mesh:
    """Out along the way, in RAS."""
    ends = start + np.array([[0.0], [length]]) * np.eye(3)[2]
    foot, top = ground.ras(ends)
    return cylinder(foot, top, radius)


def _prism(ground: Ground, centre: np.ndarray, across: np.ndarray, tab: _Tab, reach: tuple[float, float]) -> Mesh:
    """A tab's width and thickness about a line out from a centre, edges rounded, in RAS."""
    turns = np.arange(4)[:, None] + np.linspace(0.0, 1.0, _CORNER_STEPS)
    arcs = np.stack([f(0.5 * np.pi * turns) for f in (np.cos, np.sin)], axis=-1)
    half = 0.5 * np.array([tab.width_mm, tab.thickness_mm]) - _CORNER_MM
    middles = half * [[1, 1], [-1, 1], [-1, -1], [1, -1]]
    corners = (middles[:, None] + _CORNER_MM * arcs).reshape(-1, 2)
    frame = np.eye(4)
    frame[:3, :3] = ground.matrix[:3, :3] @ np.stack(
        [across, np.cross([0.0, 0.0, 1.0], across), [0.0, 0.0, 1.0]], axis=1
    )
    frame[:3, 3] = ground.ras(centre[None])[0]
    return extruded(corners, frame, *reach)


def _grip(ground: Ground, solids: Sequence[Mesh], foot: np.ndarray, radius: float) -> Grip:
    """foot: in the guide's frame."""
    return Grip(tuple(solids), ground.ras(foot[None])[0], radius)


def _roots(shape: GuideShape, body: np.ndarray, situation: Situation) -> list[tuple[np.ndarray, float]]:
    """Where a rod may stand on the body, in the guide's frame, and its radius, mm: the thickest first, then those
    nearest to the body's middle."""
    ground, guides = shape.ground, shape.guides
    x, y = (np.arange(a, b, _PLACES_MM) for a, b in zip(ground.grid.lower[:2], ground.grid.upper[:2]))
    places = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    tops = _tops(ground, body, places)
    starts = np.column_stack([places, tops - 0.5 * guides.base_thickness_mm])[np.isfinite(tops)]
    if len(starts) == 0:
        return []
    aside = np.linalg.norm(starts[:, :2] - starts[:, :2].mean(axis=0), axis=1)
    carried = np.array([_carried(shape, body, starts, radius) for radius in _RADII_MM])
    some = np.flatnonzero(carried.any(axis=0))
    starts, aside, carried = starts[some], aside[some], carried[:, some]
    # A rod has left the body, and what is beside its end, when it is as far out as this.
    free = guides.base_thickness_mm + max(_RADII_MM)
    room = np.minimum(
        off_drills(ground, shape.sleeves, starts, 0.0, guides.grip_mm),
        off_anatomy(shape, situation, starts, free, max(free, guides.grip_mm)),
    )
    held = carried & (room >= np.array(_RADII_MM)[:, None] + _BESIDE_DRILL_MM)
    rank, fit = np.argmax(held, axis=0), np.flatnonzero(held.any(axis=0))
    order = fit[np.lexsort([aside[fit], rank[fit]])]
    return [(starts[number], _RADII_MM[rank[number]]) for number in order]


def _tops(ground: Ground, body: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(n,) mm: how far out of the wound the body reaches at places (n, 2), NaN where it is not."""
    heights = np.arange(ground.grid.upper[2], ground.grid.lower[2], -_STEP_MM)
    columns = np.concatenate([np.repeat(places, len(heights), axis=0), np.tile(heights, len(places))[:, None]], axis=1)
    values = ground.at(body, columns).reshape(len(places), -1)
    row, first = np.arange(len(places)), np.maximum(np.argmax(values < 0.0, axis=1), 1)
    inner, outer = values[row, first], values[row, first - 1]
    share = np.clip(inner / np.minimum(inner - outer, -1e-9), 0.0, 1.0)
    return np.where((values < 0.0).any(axis=1), heights[first] + share * _STEP_MM, np.nan)


def _carried(shape: GuideShape, body: np.ndarray, starts: np.ndarray, radius: float) -> np.ndarray:
    """(n,) bool: whether a rod of a radius from starts (n, 3) stands on the body with all of its rim, on a slope of no
    more than 45°, and its flat end stays off what carries the guide, as the base beside its zones does, and so all of
    the rod on its way in."""
    turns = 2.0 * np.pi * np.arange(_ROUND) / _ROUND
    rim = radius * np.stack([np.cos(turns), np.sin(turns), np.zeros(_ROUND)], axis=1)
    ends = (starts[:, None] + rim).reshape(-1, 3)
    tops = _tops(shape.ground, body, ends[:, :2]) - 0.5 * shape.guides.base_thickness_mm
    stands = np.abs(tops - ends[:, 2]) <= radius  # false where there is no body
    off = shape.ground.at(shape.ground.carrier, ends) >= shape.guides.fit_gap_mm + RELIEF_MM
    return np.asarray((stands & off).reshape(len(starts), _ROUND).all(axis=1))
