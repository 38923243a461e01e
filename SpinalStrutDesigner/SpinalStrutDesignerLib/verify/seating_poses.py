"""In which poses a guide still looks seated, and which of them lie farthest from the planned one.

A pose is one that the surgeon cannot tell from the planned one while no contact point's distance to bone differs from
its planned distance by more than a slack g. To first order each point says |n · (v + w × r)| ≤ g for the shift v and
turn w of the guide: what no point hinders are the slippable motions of Gelfand et al., "Geometrically stable sampling
for the ICP algorithm" (a plane's two slides and spin, a sphere's three turns, a cylinder's slide and turn). The
distance bends that polytope. So each pose is pushed in steps: the best step is a linear programme on the distance's
slopes where the guide then is, its length held by what the real distance says where it leads.

Pushes start from the planned pose in directions all round, and from other seats nearby: poses all over the box into
which the guide settles by least squares.

What is found is what the search reached: never more than the truth for the points that it follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial.transform import Rotation

from .seating_steps import best_steps

Distance = Callable[[np.ndarray], np.ndarray]

# How far a guide may be from where it belongs for a surgeon not to see it, mm and degrees; engineering judgement. A
# guide that gets so far looking seated is told as not unique, so what lies beyond changes no verdict.
BOX_MM = 5.0
BOX_DEG = 15.0
# Where a pose counts as at the box.
_AT_BOX = 0.98
# The distance's slope is taken over this, mm: less than a voxel, more than rounding.
_SLOPE_MM = 0.05
# A pose on its way may be over the slack by this share, and is brought back by the next step.
_OVER = 0.1
_AIM = 0.999  # share of the slack that steps aim at, so that what bends leaves them within it
_ROUNDS = 24
_LEAST_GAIN = 0.002  # share of what was reached by which a step must raise it, or the push is at its end
_SHORTEST = 0.01  # share of the slack below which steps are not shortened further
_HELD, _WORST = 64, 32  # points each programme holds: the same ones always, and those next to the slack
_SETTLED_BY, _SETTLING = 160, 12  # points and rounds of the least squares
_SEATS = 3  # other seats that each target is pushed from
# To the faces, edges and corners of a cube, turned a little: a push along a seat's own axis may end where two others
# are equally good, between them and short of both.
_ROUND = np.array([(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if (x, y, z) != (0, 0, 0)])
_ASKEW = Rotation.from_rotvec([0.11, 0.17, 0.07])
DIRECTIONS = _ASKEW.apply(_ROUND / np.linalg.norm(_ROUND, axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class Poses:
    """Where the guide is: turns (k, 3, 3) about the contact's middle, which shifts (k, 3) mm move."""

    turns: np.ndarray
    shifts: np.ndarray

    @classmethod
    def planned(cls, count: int) -> Poses:
        """The planned pose, count times."""
        return cls(np.repeat(np.eye(3)[None], count, axis=0), np.zeros((count, 3)))

    def __getitem__(self, which: np.ndarray) -> Poses:
        return Poses(self.turns[which], self.shifts[which])

    def __add__(self, other: Poses) -> Poses:
        return Poses(np.concatenate([self.turns, other.turns]), np.concatenate([self.shifts, other.shifts]))

    @property
    def vectors(self) -> np.ndarray:
        """(k, 3) rotation vectors in radians."""
        return Rotation.from_matrix(self.turns).as_rotvec()

    @property
    def share_of_box(self) -> np.ndarray:
        """(k,) how far to the border of the box: 1 on it."""
        turned = np.degrees(np.linalg.norm(self.vectors, axis=1))
        return np.maximum(np.linalg.norm(self.shifts, axis=1) / BOX_MM, turned / BOX_DEG)

    def moved(self, points: np.ndarray) -> np.ndarray:
        """points: (n, 3) or (k, n, 3) mm from the contact's middle, to (k, n, 3)."""
        return points @ self.turns.transpose(0, 2, 1) + self.shifts[:, None, :]

    def stepped(self, twists: np.ndarray) -> Poses:
        """twists: (k, 6), shift in mm and turn in radians about the contact's middle as it lies now. The motion is the
        twist's own helix, so that slides and turns stay on planes, spheres and cylinders however long they are."""
        along, about = twists[:, :3], twists[:, 3:]
        turns = Rotation.from_rotvec(about).as_matrix()
        angle = np.maximum(np.linalg.norm(about, axis=1), 1e-6)[:, None]
        once = np.cross(about, along)
        twice = np.cross(about, once)
        shift = along + (1.0 - np.cos(angle)) / angle**2 * once + (angle - np.sin(angle)) / angle**3 * twice
        return Poses(turns @ self.turns, self.shifts + shift)

    def with_(self, which: np.ndarray, other: Poses) -> Poses:
        """The same with others in some places."""
        turns, shifts = self.turns.copy(), self.shifts.copy()
        turns[which], shifts[which] = other.turns, other.shifts
        return Poses(turns, shifts)


@dataclass(frozen=True, eq=False)
class Target:
    """What is to go as far as it can. point: (3,) mm from the contact's middle, as a displacement in mm; or else
    direction: (3,) unit, as what it turns by in degrees; with neither, the guide's whole turn in degrees."""

    point: np.ndarray | None = None
    direction: np.ndarray | None = None

    def moved(self, poses: Poses) -> np.ndarray:
        """(k, 3) by what and which way it moved: mm or radians."""
        if self.point is not None:
            return poses.moved(self.point[None])[:, 0] - self.point
        if self.direction is None:
            return poses.vectors
        chord = poses.turns @ self.direction - self.direction
        length = np.linalg.norm(chord, axis=1, keepdims=True)
        return chord * np.where(length > 1e-9, 2.0 * np.arcsin(np.minimum(length / 2.0, 1.0)), 1.0) / np.where(
            length > 1e-9, length, 1.0
        )

    def far(self, poses: Poses) -> np.ndarray:
        """(k,) how far it moved: mm or degrees."""
        size = np.linalg.norm(self.moved(poses), axis=1)
        return size if self.point is not None else np.degrees(size)

    def gain(self, poses: Poses, pulls: np.ndarray) -> np.ndarray:
        """(k, 6) what each part of a twist adds along pulls (k, 3)."""
        if self.point is not None:
            return np.concatenate([pulls, np.cross(poses.turns @ self.point, pulls)], axis=1)
        if self.direction is not None:
            return np.concatenate([np.zeros_like(pulls), np.cross(poses.turns @ self.direction, pulls)], axis=1)
        return np.concatenate([np.zeros_like(pulls), pulls], axis=1)


@dataclass(frozen=True, eq=False)
class Ground:
    """The seat. points: (n, 3) mm from middle (3,) RAS; normals: (n, 3); areas: (n,) mm²; frame: (3, 3), the seat's own
    axes as columns, first the insertion: what is found turns with the patient. slack: mm."""

    points: np.ndarray
    normals: np.ndarray
    areas: np.ndarray
    middle: np.ndarray
    frame: np.ndarray
    bone: Distance
    slack: float

    @cached_property
    def planned(self) -> np.ndarray:
        """(n,) mm, each point's distance to bone in the planned pose."""
        return self.distance(self.points[None])[0]

    @cached_property
    def lever(self) -> float:
        """Root mean square distance of the contact from its middle, mm: a turn by one radian moves it so far."""
        return max(float(np.sqrt(np.average((self.points**2).sum(axis=1), weights=self.areas))), 1.0)

    @cached_property
    def scale(self) -> np.ndarray:
        """(6, 6) twists of steps in mm along and about the seat's own axes."""
        scale = np.zeros((6, 6))
        scale[:3, :3], scale[3:, 3:] = self.frame, self.frame / self.lever
        return scale

    @cached_property
    def held(self) -> np.ndarray:
        """Numbers of points that say the most about small motions: the outermost of the polytope's rows in directions
        spread over all six dimensions."""
        rows = np.concatenate([self.normals, np.cross(self.points, self.normals)], axis=1) @ self.scale
        weights = np.array([[np.cos(1.0 + i * np.sqrt(p)) for p in (2, 3, 5, 7, 11, 13)] for i in range(2 * _HELD)])
        return np.unique(np.argmax(np.abs(rows @ weights.T), axis=0))[:_HELD]

    @cached_property
    def some(self) -> np.ndarray:
        """Numbers of a few points spread over the contact, as they come."""
        return np.unique(np.linspace(0, len(self.points) - 1, _SETTLED_BY).astype(int))

    def distance(self, points: np.ndarray) -> np.ndarray:
        """points: (k, n, 3) mm from the middle, to (k, n) mm."""
        return np.asarray(self.bone(points.reshape(-1, 3) + self.middle), dtype=float).reshape(points.shape[:2])

    def misfits(self, poses: Poses) -> np.ndarray:
        """(k, n) mm by which each point is farther from bone than planned."""
        return self.distance(poses.moved(self.points)) - self.planned

    def rows(self, poses: Poses, which: np.ndarray) -> np.ndarray:
        """(k, m, 6) what a step in each of six ways adds to the distance of the points numbered which: (k, m)."""
        at = poses.moved(self.points[which])
        slope = np.stack([self._rise(at, axis) for axis in np.eye(3)], axis=2)
        return np.concatenate([slope, np.cross(at - poses.shifts[:, None, :], slope)], axis=2) @ self.scale

    def _rise(self, at: np.ndarray, axis: np.ndarray) -> np.ndarray:
        step = _SLOPE_MM * axis
        return (self.distance(at + step) - self.distance(at - step)) / (2.0 * _SLOPE_MM)


def farthest(ground: Ground, targets: Sequence[Target]) -> Poses:
    """Poses that look seated, among them those found to move each of the targets farthest; the first is the planned."""
    found = Poses.planned(1) + _other_seats(ground)
    starts, whose, pulls = Poses.planned(0), [], []
    for number, target in enumerate(targets):
        best = np.argsort(-target.far(found), kind="stable")[:_SEATS]
        best = best[target.far(found[best]) > 1e-3]
        starts += Poses.planned(len(DIRECTIONS)) + found[best]
        whose.append(np.full(len(DIRECTIONS) + len(best), number))
        pulls += [DIRECTIONS @ ground.frame.T, _unit(target.moved(found[best]))]
    return found + _pushed(ground, targets, np.concatenate(whose), np.concatenate(pulls), starts)


def _pushed(ground: Ground, targets: Sequence[Target], whose: np.ndarray, pulls: np.ndarray, best: Poses) -> Poses:
    """The poses, all of which look seated, pushed as far along as their targets, by number, go; pulls: (k, 3)."""
    now, misfit, reached = best, ground.misfits(best), _far(targets, whose, best)
    look, reach = np.abs(misfit), np.full(len(whose), 2.0 * ground.slack)
    going = np.arange(len(whose))
    for _ in range(_ROUNDS):
        own, seen = (whose[going], pulls[going], now[going]), (misfit[going], look[going], reach[going])
        step = _best_twists(ground, targets, *own, *seen)
        led = _within_box(now[going], step)
        then = ground.misfits(led)
        worst, before = np.abs(then).max(axis=1), np.abs(misfit[going]).max(axis=1)
        good = worst <= np.maximum((1.0 + _OVER) * ground.slack, 0.9 * before)
        look[going] = np.abs(then)
        reach[going] *= np.where(good, 2.0, 0.35)
        kept = going[good]
        now, misfit[kept] = now.with_(kept, led[good]), then[good]
        far, seated = _far(targets, whose[kept], led[good]), worst[good] <= ground.slack
        better = seated & (far > reached[kept])
        ended = np.zeros(len(going), bool)
        ended[good] = seated & ((far < (1.0 + _LEAST_GAIN) * reached[kept]) | (led[good].share_of_box > _AT_BOX))
        best = best.with_(kept[better], led[good][better])
        reached[kept[better]] = far[better]
        pulls[kept] = _turned_to(targets, whose[kept], led[good], pulls[kept])
        going = going[~ended & (reach[going] > _SHORTEST * ground.slack)]
        if not len(going):
            break
    return best


def _best_twists(
    ground: Ground, targets: Sequence[Target], whose: np.ndarray, pulls: np.ndarray, poses: Poses, misfit: np.ndarray,
    look: np.ndarray, reach: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """(k, 6) the best twist of each pose within its reach, as far as slopes tell."""
    gain = np.empty((len(whose), 6))
    for number, target in enumerate(targets):
        own = np.flatnonzero(whose == number)
        gain[own] = target.gain(poses[own], pulls[own])
    worst = min(_WORST, look.shape[1])
    near = np.argpartition(-look, worst - 1, axis=1)[:, :worst]
    which = np.concatenate([np.broadcast_to(ground.held, (len(whose), len(ground.held))), near], axis=1)
    off, slack = np.take_along_axis(misfit, which, axis=1), _AIM * ground.slack
    return best_steps(gain @ ground.scale, ground.rows(poses, which), -slack - off, slack - off, reach) @ ground.scale.T


def _far(targets: Sequence[Target], whose: np.ndarray, poses: Poses) -> np.ndarray:
    far = np.zeros(len(whose))
    for number, target in enumerate(targets):
        own = np.flatnonzero(whose == number)
        far[own] = target.far(poses[own])
    return far


def _turned_to(targets: Sequence[Target], whose: np.ndarray, poses: Poses, pulls: np.ndarray) -> np.ndarray:
    """Pulls in the direction in which the targets have moved so far, or as they were where they have not."""
    turned = pulls.copy()
    for number, target in enumerate(targets):
        own = np.flatnonzero(whose == number)
        moved = target.moved(poses[own])
        does = np.linalg.norm(moved, axis=1) > 1e-6
        turned[own[does]] = _unit(moved[does])
    return turned


def _within_box(poses: Poses, twists: np.ndarray) -> Poses:
    """Poses after the twists, of which those that lead out of the box are taken only to its border."""
    led = poses.stepped(twists)
    out = np.flatnonzero(led.share_of_box > 1.0)
    low, high = np.zeros((len(out), 1)), np.ones((len(out), 1))
    for _ in range(12):
        middle = (low + high) / 2.0
        inside = poses[out].stepped(middle * twists[out]).share_of_box[:, None] <= 1.0
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return led.with_(out, poses[out].stepped(low * twists[out]))


def _other_seats(ground: Ground) -> Poses:
    """Poses that look seated into which the guide settles from all over the box."""
    ways = np.concatenate([np.eye(6), -np.eye(6), *(_pairs(a, b) for a in range(6) for b in range(a))])
    size = np.repeat([BOX_MM, np.radians(BOX_DEG)], 3)
    axes = np.kron(np.eye(2), ground.frame)
    starts = np.concatenate([share * (ways * size) @ axes.T for share in (0.4, 0.8)])
    poses = Poses.planned(len(starts)).stepped(starts)
    some = ground.some
    for _ in range(_SETTLING):
        which = np.broadcast_to(some, (len(starts), len(some)))
        off = ground.distance(poses.moved(ground.points[some])) - ground.planned[some]
        rows = ground.rows(poses, which)
        across = rows.transpose(0, 2, 1)
        normal = across @ rows
        damping = 1e-4 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(6)
        step = -np.linalg.solve(normal + damping, across @ off[:, :, None])[:, :, 0]
        longest = np.maximum(np.abs(step).max(axis=1, keepdims=True), 1.0)
        poses = _within_box(poses, step / longest @ ground.scale.T)
    seated = np.abs(ground.misfits(poses)).max(axis=1) <= ground.slack
    return poses[np.flatnonzero(seated)]


def _pairs(a: int, b: int) -> np.ndarray:
    both = np.zeros((4, 6))
    both[:, a], both[:, b] = (1, 1, -1, -1), (1, -1, 1, -1)
    return both * np.sqrt(0.5)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
