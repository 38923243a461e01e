"""Straight lines through a vertebra, judged in bulk: how deep a screw along each may go, and what it then holds.

A line is told by the place where the metal under a head ends when the head lies as deep as it can, and a direction. The
head may be lifted along the line; along it, `t` counts mm from that place.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import numpy as np
from LatticeGeneratorLib.mesh.samples import Distance

from ..case.metal import BLOOMING_MM
from ..verify.placement import thread_margin
from ..verify.purchase import shear_MPa, thread_shape_factor
from ..verify.screwline import faces_ahead
from ..verify.screws import BICORTICAL_MM, ENTRY_MM
from .screw_end import ScrewEnd
from .screw_shots import SPARE_MM, Fit, Lines, Shots, Tally, joined, nothing

_LONGEST_MM = 70.0  # of a line that is followed into bone
_WAYS = 12  # directions across a screw in which its side walls are looked for
_RING = 8  # places round a thread at which the CT is read
_AT_ONCE = 2048  # lines judged together
_SOME = 4  # of places along lines one is enough to tell what is far
_ASTRAY_MM = 12.0  # beyond every error of placement: what is farther is not asked about
_Span = tuple[np.ndarray, np.ndarray]  # (n,) mm of t each, from and to
_AXIS_SD = float(np.sqrt(0.5))  # of a magnitude's root mean square, along one direction across


def shafts(end: ScrewEnd, fit: Fit, lines: Lines, step_mm: float, tally: Tally, lengths: int = 3) -> Shots:
    """For each line and lift the longest screws (so many lengths) that hold every rule of a shaft."""
    if not len(lines.places):
        return nothing()
    groups = [slice(first, first + _AT_ONCE) for first in range(0, len(lines.places), _AT_ONCE)]
    return joined([_group(end, fit, lines, group, step_mm, tally, lengths) for group in groups])


def _group(
    end: ScrewEnd, fit: Fit, all_lines: Lines, group: slice, step_mm: float, tally: Tally, lengths: int
) -> Shots:
    lines, number = all_lines.chosen(group), np.arange(len(all_lines.places))[group]
    lifts, under = np.array(fit.lifts), end.under_mm(fit.kind)
    t = np.arange(-(end.plan.screw_rules.under_head_mm + lifts.max()), _LONGEST_MM, step_mm)
    depth = -end.docking.distance(_at(lines, t)).reshape(len(number), -1)
    enters, leaves = _crossings(depth, t)
    # A bicortical tip stands out, whose thread ends anywhere between the limits.
    least, most = BICORTICAL_MM
    cap = leaves + most - SPARE_MM if fit.bicortical else leaves - end.plan.screw_rules.cortex_mm - SPARE_MM
    floor = leaves + least + SPARE_MM if fit.bicortical else np.full(len(number), -inf)
    shortest = fit.kind.lengths_mm[0] - under - lifts.max()
    good = tally.asked("bone", np.where(np.isfinite(enters), 0.0, -1.0))
    good[good] = tally.asked("length", (cap - shortest)[good])
    last = np.searchsorted(t, cap[good].max(initial=0.0) + step_mm) + 1
    lines, number, t = lines.chosen(good), number[good], t[:last]
    depth, enters, leaves, cap, floor = depth[good, :last], enters[good], leaves[good], cap[good], floor[good]
    shaft = _Shaft(end, fit, lines, t, depth, (enters, leaves), (floor, cap))
    for what, slack, since in shaft.limits():
        good = tally.asked(what, shaft.limited(slack, since))
        shaft.keep(good)
        number = number[good]
    tally.asked("tip", shaft.length_room())
    return shaft.shots(number, lengths)


def _since(slack: np.ndarray, t: np.ndarray, since: np.ndarray) -> np.ndarray:
    """Slack (n, l, k) at t (k,), infinite before since (n,); the first place after it also tells of it itself."""
    counts = t >= since[:, None]
    first = np.argmax(counts, axis=1)
    before = np.maximum(first - 1, 0)
    share = np.clip((since - t[before]) / (t[1] - t[0]), 0.0, 1.0)[:, None]
    rows = np.flatnonzero(counts.any(axis=1) & (first > 0))
    there, back = (np.take_along_axis(slack, k[:, None, None], axis=2)[..., 0] for k in (first, before))
    told = np.isfinite(back) & np.isfinite(there)
    at, ahead = np.where(told, back, 0.0), np.where(told, there, 0.0)
    slack = np.where(counts[:, None], slack, inf)
    slack[rows, :, first[rows]] = np.where(told, np.minimum(ahead, at + share * (ahead - at)), there)[rows]
    return slack


def _at(lines: Lines, t: np.ndarray) -> np.ndarray:
    """(n · k, 3) at t (k,)."""
    points: np.ndarray = (lines.places[:, None] + t[:, None] * lines.ways[:, None]).reshape(-1, 3)
    return points


def _crossings(depth: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) where lines enter bone and where they leave it again; infinite where they never enter, the end where they
    never leave. depth: (n, k) mm inside it."""
    rows = np.arange(len(depth))
    inside = depth > 0.0
    first = inside.argmax(axis=1)
    out = np.logical_not(inside) & (np.arange(len(t)) > first[:, None])
    last = np.where(out.any(axis=1), out.argmax(axis=1), len(t) - 1)
    step = t[1] - t[0]

    def between(one: np.ndarray) -> np.ndarray:
        before, there = depth[rows, np.maximum(one - 1, 0)], depth[rows, one]
        share = np.clip(before / np.where(before == there, 1.0, before - there), 0.0, 1.0)
        crossing: np.ndarray = t[np.maximum(one - 1, 0)] + share * step
        return crossing

    enters = np.where(inside[:, 0], t[0], between(first))
    leaves = np.where(out.any(axis=1), between(last), t[-1])
    reaches = inside.any(axis=1)
    return np.where(reaches, enters, inf), np.where(reaches, leaves, -inf)


class _Shaft:
    """A group of lines while it is judged: how far each may go at each lift, (n, l) mm of t."""

    def __init__(
        self, end: ScrewEnd, fit: Fit, lines: Lines, t: np.ndarray, depth: np.ndarray, bone: _Span, tips: _Span
    ) -> None:
        self.end, self.fit, self.lines, self.t, self.depth = end, fit, lines, t, depth
        (self.enters, self.leaves), (self.floor, cap) = bone, tips
        self.radius = 0.5 * fit.kind.diameter_mm
        self.lifts = np.array(fit.lifts)
        self.head = end.under_mm(fit.kind) + self.lifts  # the head's top lies so far before the place
        self.reach = np.repeat(cap[:, None], len(self.lifts), axis=1)
        self.spare = np.full(depth.shape, inf)  # mm left after the budget, at the least lift
        self.unlikely = np.full(depth.shape, inf)

    def keep(self, good: np.ndarray) -> None:
        """Goes on with lines (n,) bool."""
        self.lines = self.lines.chosen(good)
        for name in ("depth", "enters", "leaves", "floor", "reach", "spare", "unlikely"):
            setattr(self, name, getattr(self, name)[good])

    def limits(self) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """(what, slack (n, k) or (n, l, k) mm at t, from where on it counts (n,)) one after the other, what rules out
        most first."""
        rules, everywhere = self.end.plan.screw_rules, np.array(-inf)
        for face, _, near in self.end.plates:
            away, axial = self._margin(near.at, inf)
            left = away - self._budget(axial)[:, 0] - rules.endplate_mm
            self._remember(np.where(self.t >= self.enters[:, None], left, inf))
            yield f"{face} endplate", away - rules.endplate_mm, self.enters
        if self.end.metal:
            away, axial = self._margin(self.end.metal_distance, rules.metal_mm + _ASTRAY_MM)
            self._remember(away - self._budget(axial)[:, 0] - rules.metal_mm)
            yield "metal", away - rules.metal_mm, everywhere
        if self.end.canal:
            away, axial = self._margin(self.end.canal_distance, rules.canal_mm + _ASTRAY_MM)
            self._remember_canal(away, axial)
            placed = self._budget(axial)
            yield "canal", np.minimum((away - rules.canal_mm)[:, None], away[:, None] - placed), everywhere
        for structure, limit in self.end.organs:
            away, axial = self._margin(structure.distance, limit + _ASTRAY_MM)
            # Organs move: the error counts in full whichever way from the screw they lie.
            all_round = away - self.radius * (1.0 - np.sqrt(1.0 - axial**2))
            left = all_round[:, None] - self._budget(np.zeros((1, 1)))
            self._remember(np.where(self.t >= self.enters[:, None], left[:, 0] - limit, inf))
            yield structure.name, np.minimum((away - limit)[:, None], left), self.enters
        for bone in self.end.others:
            yield bone.level or bone.name, self._margin(bone.distance, 0.0)[0], everywhere
        yield "wall", self._walls(), self.enters + ENTRY_MM

    @property
    def _needed(self) -> np.ndarray:
        """(n, l) t that the tip of the shortest screw reaches, and of a bicortical one has to."""
        needed: np.ndarray = np.maximum(self.fit.kind.lengths_mm[0] - self.head, self.floor[:, None])
        return needed

    def limited(self, slack: np.ndarray, since: np.ndarray) -> np.ndarray:
        """Takes a limit in: (n,) mm that the shortest screw has left of it."""
        t, slack = self.t, slack - SPARE_MM
        slack = slack if slack.ndim == 3 else slack[:, None]
        slack = _since(slack, t, np.broadcast_to(since, (len(self.enters),)))
        bad = slack < 0.0
        any_bad, first = bad.any(axis=2), bad.argmax(axis=2)
        before = np.maximum(first - 1, 0)
        there, ahead = (np.take_along_axis(slack, k[..., None], axis=2)[..., 0] for k in (first, before))
        finite = np.isfinite(ahead) & (first > 0) & any_bad
        ahead = np.where(finite, ahead, 0.0)
        share = ahead / (ahead - np.where(finite, there, -1.0))
        until = t[before] + np.clip(share, 0.0, 1.0) * (t[1] - t[0])
        # The tip of a screw that ends before a limit counts is not asked about.
        until = np.where(any_bad, np.where(first > 0, until, -inf), inf)
        self.reach = np.minimum(self.reach, until)
        asked = np.where(t <= self._needed[..., None], slack, inf).min(axis=2)
        left = self.reach - self._needed
        missed: np.ndarray = np.where(left >= 0.0, 0.0, np.where(asked < 0.0, asked, left)).max(axis=1)
        return missed

    def length_room(self) -> np.ndarray:
        """(n,) mm by which the length that fits best ends within what it may, negative where none does."""
        tips = np.array(self.fit.kind.lengths_mm)[:, None, None] - self.head
        room: np.ndarray = np.minimum(self.reach + 1e-9 - tips, tips - self.floor[:, None]).max(axis=(0, 2))
        return room

    def shots(self, number: np.ndarray, count: int) -> Shots:
        """The longest screws of each line and lift, so many lengths."""
        kind, t = self.fit.kind, self.t
        along = self._hold()
        made = np.array(kind.lengths_mm)
        tips = made[:, None] - self.head  # (lengths, lifts)
        fits = (tips[:, None] <= self.reach + 1e-9) & (tips[:, None] >= self.floor[:, None])
        rank = np.cumsum(fits[::-1], axis=0)[::-1]
        length, line, lift = np.nonzero(fits & (rank <= count))
        tip = tips[length, lift]
        start = np.array([np.interp(e, t, a) for e, a in zip(self.enters, along)])
        # What stands out of the far wall holds nothing.
        share = np.clip((np.minimum(tip, self.leaves[line]) - t[0]) / (t[1] - t[0]), 0.0, len(t) - 1.0)
        low = np.minimum(share.astype(int), len(t) - 2)
        part = share - low
        held = along[line, low] * (1.0 - part) + along[line, low + 1] * part - start[line]
        force = np.pi * kind.diameter_mm * thread_shape_factor(kind) * np.maximum(held, 0.0)
        at = np.minimum(np.searchsorted(t, tip), len(t) - 1)
        ahead = np.minimum.accumulate(self.spare, axis=1)[line, at]
        budget = self.end.plan.budget.segmentation_to_print_mm
        bone = np.inf if self.fit.bicortical else self.leaves[line] - tip - budget - self.end.plan.screw_rules.cortex_mm
        return Shots(
            line=number[line],
            entries=self.lines.places[line] - self.head[lift][:, None] * self.lines.ways[line],
            ways=self.lines.ways[line],
            lifts=self.lifts[lift],
            lengths=made[length],
            purchase=force,
            spare=np.minimum(ahead, bone),
            unlikely=np.minimum.accumulate(self.unlikely, axis=1)[line, at],
        )

    def _margin(self, distance: Distance, far_mm: float) -> tuple[np.ndarray, np.ndarray]:
        """(n, k) mm from the thread's surface to something, and how much of that lies along the screw."""
        shape = len(self.enters), len(self.t)
        if not shape[0] or self._far(distance, far_mm):
            return np.full(shape, inf), np.zeros(shape)
        away = distance(_at(self.lines, self.t)).reshape(shape)
        axial = np.clip(np.gradient(away, self.t, axis=-1), -1.0, 1.0)
        return thread_margin(away, self.t, self.radius), axial

    def _far(self, distance: Distance, far_mm: float) -> bool:
        """Whether some of the places already tell that nothing comes nearer than that."""
        few = self.t[::_SOME]
        between = _SOME * (self.t[1] - self.t[0])
        return bool(distance(_at(self.lines, few)).min() > far_mm + self.radius + between)

    def _budget(self, axial: np.ndarray) -> np.ndarray:
        """(n, l, k) mm that placement may be off at t, for each lift."""
        budget, depth = self.end.plan.budget, self.t + self.head[:, None]
        sideways = budget.screw_entry_mm**2 + (depth * np.tan(np.deg2rad(budget.screw_angle_deg))) ** 2
        squares = budget.segmentation_to_print_mm**2 + (1.0 - axial**2)[:, None] * sideways
        return np.sqrt(squares)

    def _remember(self, left: np.ndarray) -> None:
        np.minimum(self.spare, left, out=self.spare)

    def _remember_canal(self, away: np.ndarray, axial: np.ndarray) -> None:
        budget, depth = self.end.plan.budget, self.t + self.head[0]
        self._remember(away - self._budget(axial)[:, 0] - self.end.plan.screw_rules.canal_mm)
        entry = _AXIS_SD * np.hypot(budget.screw_entry_mm, budget.screw_entry_sd_mm)
        angle = _AXIS_SD * np.deg2rad(np.hypot(budget.screw_angle_deg, budget.screw_angle_sd_deg))
        off = np.sqrt(1.0 - axial**2) * np.hypot(entry, angle * depth)
        self.unlikely = away / np.maximum(off, 1e-3)

    def _walls(self) -> np.ndarray:
        """(n, k) mm of bone that the thread's surface has beside it over the plan's; infinite where none is asked."""
        wanted = self.radius + self.end.plan.screw_rules.cortex_mm
        depth = self.depth
        if len(depth):
            axial = np.clip(np.gradient(depth, self.t, axis=-1), -1.0, 1.0)
            depth = thread_margin(depth, self.t, self.radius) - self._budget(axial)[:, 0]
        left = depth - self.end.plan.screw_rules.cortex_mm
        beside = self._beside
        far = self.t > (self.leaves - wanted)[:, None]  # the wall that a bicortical screw passes leaves it nothing
        self._remember(np.where(beside & ~(far & self.fit.bicortical), left, inf))
        # Beside it there is no less bone than in any direction.
        slack = np.where(beside, self.depth - wanted, inf)
        # A thread that lies deeper than that needs no look to its sides.
        within = self.t <= self.reach.max(axis=1)[:, None] + 1.5
        row, at = np.nonzero(beside & (self.depth < wanted + 0.5) & within)
        ways = self.lines.ways
        helper = np.eye(3)[np.argmin(np.abs(ways), axis=1)]
        side = np.cross(ways, helper)
        side /= np.maximum(np.linalg.norm(side, axis=1), 1e-9)[:, None]
        up = np.cross(ways, side)
        middle = self.lines.places[row] + self.t[at][:, None] * ways[row]
        found = np.full(len(row), inf)
        for angle in np.arange(_WAYS) * 2.0 * np.pi / _WAYS:
            across = np.cos(angle) * side + np.sin(angle) * up
            asked = np.flatnonzero(np.abs(across @ self.end.plate.normal)[row] < np.sqrt(0.5))
            for share in (0.6, 1.0):
                bone = self._bone_beside(middle[asked] + share * wanted * across[row[asked]], ways[row[asked]])
                found[asked] = np.minimum(found[asked], bone + (1.0 - share) * wanted * (bone > 0.0))
        slack[row, at] = found
        return slack

    def _bone_beside(self, points: np.ndarray, ways: np.ndarray) -> np.ndarray:
        """(n,) mm that points lie in bone; infinite beyond the far wall that a bicortical screw passes."""
        bone: np.ndarray = -self.end.docking.distance(points)
        if self.fit.bicortical:
            bone[(bone < 0.0) & faces_ahead(self.end.docking.distance, points, ways)] = inf
        return bone

    @property
    def _beside(self) -> np.ndarray:
        """(n, k) bool: where walls beside the thread are asked for, up to the far wall where that is passed."""
        beside = self.t >= (self.enters + ENTRY_MM)[:, None]
        if self.fit.bicortical:
            beside &= self.t <= self.leaves[:, None]
        return beside

    def _hold(self) -> np.ndarray:
        """(n, k) N/mm summed up along t: what bone's shear strength gives, from the CT round the thread."""
        if not len(self.enters):
            return np.zeros_like(self.depth)
        ways, kind = self.lines.ways, self.fit.kind
        wanted = (self.t >= self.enters[:, None] - 2.0) & (self.t <= self.reach.max(axis=1)[:, None] + 1.5)
        row, at = np.nonzero(wanted)
        helper = np.eye(3)[np.argmin(np.abs(ways), axis=1)]
        side = np.cross(ways, helper)
        side /= np.maximum(np.linalg.norm(side, axis=1), 1e-9)[:, None]
        up = np.cross(ways, side)
        middle = self.lines.places[row] + self.t[at][:, None] * ways[row]
        total = np.zeros(len(row))
        back = np.linalg.inv(self.end.docking.pose)
        for angle in np.arange(_RING) * 2.0 * np.pi / _RING:
            ring = 0.25 * (kind.diameter_mm + kind.core_mm) * (np.cos(angle) * side + np.sin(angle) * up)
            total += self.end.where.case.ct.sample((middle + ring[row]) @ back[:3, :3].T + back[:3, 3])
        strength = np.zeros(self.depth.shape)
        strength[row, at] = shear_MPa(total / _RING)
        if self.end.metal:
            strength[row, at] *= self.end.metal_distance(middle) >= BLOOMING_MM
        step = self.t[1] - self.t[0]
        along = np.zeros_like(strength)
        along[:, 1:] = np.cumsum(0.5 * step * (strength[:, 1:] + strength[:, :-1]), axis=1)
        return along
