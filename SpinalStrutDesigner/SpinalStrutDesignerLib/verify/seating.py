"""How uniquely a printed guide sits on bone, and what drill error follows: perturbation analysis over six degrees of
freedom.

The slack. Contact faces are made fit_gap_mm off bone, and each printed face lies within print_tolerance_mm of where it
was drawn. A guide cannot enter bone: a point comes nearer to it by at most fit gap + print tolerance. Nor does the
surgeon take a guide for seated that gapes: a gap wider by as much again, up to twice the planned one and what printing
adds, can be neither felt nor seen, a wider one can. So a pose looks seated while no contact point's distance to bone
differs from the planned one by more than g = fit gap + print tolerance, to both sides.

Why both sides, though the guide is pressed on. A pressed guide rests where pressing moves it no farther: on some points
that touch, and with friction in more poses than one, hanging on where and which way it is pushed (Mattheijer et al.,
"Docking robustness of patient specific surgical guides", make that a measure of its own). All poses where it rests
without gaping are among those with |change| ≤ g. Their worst is told, whatever the friction and the hand. Without the
limit on gaping nothing would be told: any guide may rest crooked on three points.

What adds up. Three parts of the drill error have causes of their own: the seat (fit gap and print tolerance of the
contact faces), the drill's play in its sleeve (tool clearance), and the sleeve's place in the guide (print tolerance of
its two ends). Each is the worst within its limits. Independent worsts add by squares; their plain sum is told beside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import GeometryError
from ..plan.record import Vec
from .seating_contact import Contact, Distance
from .seating_poses import Ground, Poses, Target, farthest
from .seating_words import words_of

# A guide that can slip or tilt more than this while it looks seated does not seat uniquely, mm and degrees. Engineering
# judgement; verify locally: below the entry error of 1.40 mm and angle error of 6.70° found with printed guides in the
# cervicothoracic spine (clinical facts), which hold all other causes as well.
MOST_SLIP_MM = 1.0
MOST_TILT_DEG = 5.0
# So many points of the contact are followed. Fewer hold a guide less: on a front of C4 figures are up to a tenth more
# than with five times as many (measured), which is the cautious side.
_POINTS = 600


@dataclass(frozen=True)
class Slop:
    """Three different numbers and a length. fit_gap_mm: between contact face and bone, as planned; tool_clearance_mm:
    bore less drill diameter; print_tolerance_mm: how far a printed face may lie from where it was drawn, to either
    side; sleeve_length_mm: along which the bore holds the drill."""

    fit_gap_mm: float
    tool_clearance_mm: float
    print_tolerance_mm: float
    sleeve_length_mm: float

    def __post_init__(self) -> None:
        for name in ("fit_gap_mm", "tool_clearance_mm", "print_tolerance_mm", "sleeve_length_mm"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise GeometryError(f"{name} is {value:g}: give a length of 0 mm or more")
        if not self.fit_gap_mm + self.print_tolerance_mm > 0.0:
            raise GeometryError("fit_gap_mm and print_tolerance_mm are both 0 mm: no guide is printed so; give one")
        if not self.sleeve_length_mm > 0.0:
            raise GeometryError("sleeve_length_mm is 0 mm: a sleeve without length guides no drill; give its length")

    @property
    def seat_mm(self) -> float:
        """By how much a contact point's distance to bone may differ from the planned one."""
        return self.fit_gap_mm + self.print_tolerance_mm


@dataclass(frozen=True)
class Bore:
    """One sleeve. tip: where the drill ends; entry: where it enters bone, both RAS mm; direction: unit, of drilling;
    standoff_mm: from the sleeve's lower end to the entry, along the drill."""

    name: str
    tip: Vec
    direction: Vec
    entry: Vec
    standoff_mm: float = 0.0


@dataclass(frozen=True)
class DrillError:
    """How far a drill's tip and direction may be from plan, by what: the seat (in any pose that looks seated), the
    drill's play in the sleeve (tool), and the sleeve's place in the printed guide (print). mm at the tip, degrees."""

    name: str
    seat_mm: float
    seat_deg: float
    tool_mm: float
    tool_deg: float
    print_mm: float
    print_deg: float

    @property
    def tip_mm(self) -> float:
        """All three together, as independent parts add: by squares."""
        return math.hypot(self.seat_mm, self.tool_mm, self.print_mm)

    @property
    def angle_deg(self) -> float:
        """All three together, as independent parts add: by squares."""
        return math.hypot(self.seat_deg, self.tool_deg, self.print_deg)

    @property
    def worst_tip_mm(self) -> float:
        """All three at their worst and the same way."""
        return self.seat_mm + self.tool_mm + self.print_mm

    @property
    def worst_angle_deg(self) -> float:
        """All three at their worst and the same way."""
        return self.seat_deg + self.tool_deg + self.print_deg


@dataclass(frozen=True, eq=False)
class Seating:
    """How a guide sits. contact_mm2 on so many zones; unique: no pose that looks seated is farther than the limits from
    the planned one. slip_mm: the farthest that the contact's middle moves, tilt_deg: the most that the guide turns,
    each over all poses that look seated. loosest: (6,) the pose that moves the contact the most: shift of its middle in
    RAS mm, rotation vector in degrees; loosest_words: the same in words. errors: one a bore.

    bounded: whether the guide stays within the search's box of poses; where it does not, all figures are only the
    least that they may be.
    """

    contact_mm2: float
    zones: int
    unique: bool
    bounded: bool
    slip_mm: float
    tilt_deg: float
    loosest: np.ndarray
    loosest_words: str
    errors: tuple[DrillError, ...]


def seating(
    contact: Contact, bone: Distance, slop: Slop, bores: Sequence[Bore], insertion: Vec | np.ndarray
) -> Seating:
    """How uniquely a guide sits with its contact on bone, and the drill errors that follow.

    bone: (n, 3) RAS mm to (n,) mm, signed; insertion: (3,) along which the guide goes onto bone. Poses are looked for
    up to 5 mm and 15° from the planned one. Raises GeometryError for a contact without points or a zero direction.
    """
    ground = _ground(contact, bone, slop, _unit(insertion, "insertion"))
    whole = (Target(point=np.zeros(3)), Target())
    drilled = [_drilled(bore, ground.middle) for bore in bores]
    poses = farthest(ground, [*whole, *(target for both in drilled for target in both)])
    slip, tilt = _farthest(whole, poses)
    bounded = bool(poses.share_of_box.max() < 0.98)
    loosest = _loosest(ground, poses)
    return Seating(
        contact_mm2=float(contact.areas.sum()),
        zones=len(np.unique(contact.zones)),
        unique=bounded and slip <= MOST_SLIP_MM and tilt <= MOST_TILT_DEG,
        bounded=bounded,
        slip_mm=slip,
        tilt_deg=tilt,
        loosest=loosest,
        loosest_words=words_of(loosest, ground.lever, ground.frame[:, 0]),
        errors=tuple(_error(bore, slop, *_farthest(both, poses)) for bore, both in zip(bores, drilled)),
    )


def _farthest(targets: tuple[Target, Target], poses: Poses) -> tuple[float, float]:
    """mm and degrees, the most over all poses."""
    place, direction = targets
    return float(place.far(poses).max()), float(direction.far(poses).max())


def _drilled(bore: Bore, middle: np.ndarray) -> tuple[Target, Target]:
    """The tip of a drill and its direction."""
    return Target(point=np.asarray(bore.tip, dtype=float) - middle), Target(direction=_unit(bore.direction, bore.name))


def _error(bore: Bore, slop: Slop, seat_mm: float, seat_deg: float) -> DrillError:
    """The drill's axis may be off by half the clearance at either end of its sleeve, and each end of the sleeve by the
    print tolerance: at opposite sides it turns by atan(clearance / sleeve length) (clinical facts; so Apostolakis and
    Kourakis 2018, for sleeves of dental guides, where 0.41 mm over 4 mm give 5.9°)."""
    beyond = float(np.linalg.norm(np.subtract(bore.tip, bore.entry))) + bore.standoff_mm
    # From the sleeve's middle to the tip, over half its length: 1 at its end, where a drill that stays straight is.
    share = 1.0 + 2.0 * beyond / slop.sleeve_length_mm
    off = 0.5 * slop.tool_clearance_mm, slop.print_tolerance_mm
    (tool_mm, tool_deg), (print_mm, print_deg) = (
        (share * end, math.degrees(math.atan(2.0 * end / slop.sleeve_length_mm))) for end in off
    )
    return DrillError(bore.name, seat_mm, seat_deg, tool_mm, tool_deg, print_mm, print_deg)


def _ground(contact: Contact, bone: Distance, slop: Slop, insertion: np.ndarray) -> Ground:
    """The contact about its middle, thinned, in a frame of its own."""
    if not len(contact.points):
        raise GeometryError("the guide's contact has no points: bring its contact zones to the bone")
    middle = np.average(contact.points, axis=0, weights=contact.areas)
    points = contact.points - middle
    flat = points - (points @ insertion)[:, None] * insertion
    widest = np.linalg.eigh((flat * contact.areas[:, None]).T @ flat + 1e-9 * np.eye(3))[1][:, 2]
    widest = widest - (widest @ insertion) * insertion
    if np.linalg.norm(widest) < 0.5:  # a contact along the insertion direction alone: any way across will do
        widest = np.cross(insertion, np.eye(3)[np.argmin(np.abs(insertion))])
    widest /= np.linalg.norm(widest)
    frame = np.stack([insertion, widest, np.cross(insertion, widest)], axis=1)
    chosen = _thinned(points @ frame)
    kept = points[chosen], contact.normals[chosen], contact.areas[chosen]
    return Ground(*kept, middle, frame, bone, slop.seat_mm)


def _thinned(points: np.ndarray) -> np.ndarray:
    """Numbers of at most 600 points spread evenly: one a cell, the one farthest out."""
    if len(points) <= _POINTS:
        return np.arange(len(points))
    out = np.linalg.norm(points, axis=1)
    order = np.argsort(-out, kind="stable")
    size = 0.1
    while True:
        cells = np.floor(points[order] / size).astype(np.int64)
        first = np.unique(cells, axis=0, return_index=True)[1]
        if len(first) <= _POINTS:
            return np.sort(order[first])
        size *= 1.15


def _loosest(ground: Ground, poses: Poses) -> np.ndarray:
    """(6,) the pose that moves the contact's points the most, root mean square: mm and degrees."""
    way = poses.moved(ground.points) - ground.points
    most = int(np.argmax((way**2).sum(axis=2) @ ground.areas))
    return np.concatenate([poses.shifts[most], np.degrees(poses.vectors[most])])


def _unit(direction: Vec | np.ndarray, name: str) -> np.ndarray:
    vector = np.asarray(direction, dtype=float)
    length = float(np.linalg.norm(vector))
    if not (math.isfinite(length) and length > 1e-9):
        raise GeometryError(f"the direction of '{name}' is {vector.tolist()}: give one that is not zero")
    return vector / length
