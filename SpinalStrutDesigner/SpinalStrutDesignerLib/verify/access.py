"""Whether a straight driver reaches a screw's head: its room to bone, metal, keep-outs and the finished implant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.mesh.samples import Distance

from ..case.model import Case, Structure
from ..plan.entries import RetractionRule
from ..plan.plan import Plan, Screw
from ..plan.rules import retraction_for
from .placement import points_along, thread_margin

_STEP_MM = 1.0  # between places along a driver at which its room is measured


@dataclass(frozen=True)
class Driver:
    """A straight cylinder that begins at a screw's head, on the side it is turned from."""

    radius_mm: float
    length_mm: float

    @classmethod
    def of(cls, plan: Plan, screw: Screw) -> Driver:
        """The one for a planned screw."""
        return cls(0.5 * screw.type.driver_diameter_mm, plan.screw_rules.driver_length_mm)

    @property
    def depths(self) -> np.ndarray:
        """(k,) mm from the head outwards, both ends included."""
        return np.linspace(0.0, self.length_mm, max(int(np.ceil(self.length_mm / _STEP_MM)), 1) + 1)


@dataclass(frozen=True, eq=False)
class Obstacle:
    """What a driver must not touch, or (rule) how it may be held aside for it."""

    structure: Structure
    rule: RetractionRule | None

    @property
    def allowance_mm(self) -> float:
        """How far it may be held aside; infinite for what is emptied."""
        if self.rule is None:
            return 0.0
        return np.inf if self.rule.kind == "collapsed" else self.rule.limit_mm


def obstacles(case: Case, plan: Plan) -> tuple[Obstacle, ...]:
    """Bone of every kind, metal and keep-outs, each with how it may give way by the plan's retractions."""
    given = case.having("bone", "metal", "keepout_critical", "keepout_soft")
    rigid = ("bone", "metal")
    return tuple(Obstacle(s, None if s.role in rigid else retraction_for(plan, s.name)) for s in given)


def driver_room(distance: Distance, entries: np.ndarray, directions: np.ndarray, driver: Driver) -> np.ndarray:
    """(n,) mm, least distance from drivers' surfaces to what distance (points (n, 3) to (n,) mm) tells, negative in it.

    entries, directions: (n, 3) RAS mm of the screws, unit and towards their tips: the driver lies behind.
    """
    depths = driver.depths
    away = distance(points_along(entries, -directions, depths).reshape(-1, 3)).reshape(len(entries), len(depths))
    least: np.ndarray = thread_margin(away, depths, driver.radius_mm).min(axis=1)
    return least


def access_room(
    things: Sequence[Obstacle], entries: np.ndarray, directions: np.ndarray, driver: Driver
) -> np.ndarray:
    """(n,) mm, the least room of drivers among all things, each farther by what it may be held aside; inf with none.

    What may be held aside counts by its depth in the way: it may have to be moved farther than that. The finding
    measures how far.
    """
    least = np.full(len(entries), np.inf)
    for thing in things:
        if np.isfinite(thing.allowance_mm):
            room = driver_room(thing.structure.distance, entries, directions, driver) + thing.allowance_mm
            np.minimum(least, room, out=least)
    return least


def mesh_room(points: np.ndarray, entry: np.ndarray, direction: np.ndarray, driver: Driver) -> tuple[float, np.ndarray]:
    """Least distance in mm of a driver's side to a mesh's surface points (n, 3) RAS mm, negative within, and the point
    (3,) there; infinite, and the entry, where none lies beside it."""
    behind = (points - entry) @ -direction
    beside = points[(behind > 0.0) & (behind < driver.length_mm)]
    if not len(beside):
        return np.inf, entry
    away = beside - entry
    off = np.linalg.norm(away - (away @ direction)[:, None] * direction, axis=1)
    nearest = int(np.argmin(off))
    return float(off[nearest]) - driver.radius_mm, beside[nearest]
