"""The vertebrae about a seed: bodies found one after the other up and down the spine, and the canal behind each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from .body_pose import fit_body
from .course import Course
from .frame import Frame
from .levels import LEVELS
from .model import Volume
from .morphometry import adult_means
from .pedicles import HEIGHTS as PEDICLES
from .pedicles import pitch, size_of_spine, to_pedicles
from .star import Star

# Engineering judgement, how much of an edge a body's surface keeps of the seeded one's.
_LEAST_EDGE = 0.5
_FARTHEST_OFF_MM = 7.0
_SCALES = (0.5, 1.3)  # of a spine over an adult's
# Of a body's filling, softer than marrow: measured on test cases 0.05 at most (osteopenic in 2.5 mm slices 0.15), of a
# surface that spans a disc or a destroyed body 0.15 to 0.57. Another body must have less than the second.
# A seed may lie so far outside, in the plate.
_DOUBTFUL_SHARE, _FILLED_SHARE, _OUTSIDE_MM = 0.16, 0.08, 1.5
# A canal is 14 to 25 mm wide (clinical facts); its wall is seen from its middle within so many mm.
_CANAL_MM = 18.0
_WIDEST_MM = 9.0
# From a canal's middle to its wall; what is met beyond is seen between two arches: the spinous process above.
_HALF_CANAL_MM = 12.5
_INTO_WALL_MM = 2.7  # of what is met: a lamina is 4 to 8 mm thick
# The wall of the canal at these heights over the body's middle, in parts of the body's height, is the vertebra's own:
# above lies the lamina of the upper neighbour, below that of the vertebra itself, sloping backwards, and facets.
# Measured on labels of test cases and a real scan: 0.8 to 1.
RING_HEIGHTS = (-0.27, 0.05)


@dataclass(frozen=True, eq=False)
class Station:
    """A vertebra's place. frame: at the body's middle, out towards the head, anterior away from the canal; size: (3,)
    width, depth, height in mm; star: its body's surface, None where no body was found; canal: (3,) RAS mm, a point of
    the canal behind it, None where bone does not enclose one."""

    level: str
    frame: Frame
    size: np.ndarray
    star: Star | None
    canal: np.ndarray | None


@cache
def usual_size(level: str) -> tuple[np.ndarray, float]:
    """(3,) mean width, depth and height of an adult's body, its plates averaged, and of the disc below it, in mm."""
    mean = adult_means()[{"T13": "T12", "L6": "L5", "C1": "C2"}.get(level, level)]
    width, depth = ((mean[f"upper_{key}"] + mean[f"lower_{key}"]) / 2.0 for key in ("width", "depth"))
    return np.array([width, depth, mean["posterior_height"]]), mean["disc_below"]


@dataclass(frozen=True, eq=False)
class Spine:
    """What is usual about a vertebra. body: (3,) width, depth, height in mm; usual_mm: from an adult's to the next;
    measured_mm: the same of this spine, None where its pedicles do not tell."""

    level: str
    body: np.ndarray
    usual_mm: float
    measured_mm: float | None

    @property
    def pitch_mm(self) -> float:
        """From this vertebra to the next: an adult's where it was not measured."""
        return self.usual_mm if self.measured_mm is None else self.measured_mm

    @property
    def whose(self) -> str:
        """Whose body is usual there."""
        if np.allclose(self.body, usual_size(self.level)[0]):
            return "an adult's"
        return f"what is usual in a spine of {self.pitch_mm / self.usual_mm:.0%} of an adult's size"

    @property
    def spacing(self) -> str:
        """What is known of the way to the next vertebra."""
        if self.measured_mm is None:
            return f"how far it is to the next vertebra does not show there (an adult's: {self.usual_mm:.0f} mm)"
        return f"to the next vertebra it is {self.measured_mm:.0f} mm ({self.usual_mm:.0f} mm in an adult)"


def spine_about(solid: Volume, course: Course, level: str, seed: np.ndarray) -> Spine:
    """What is usual about a seed, (3,) RAS mm: an adult's, unless the pedicles stand much closer or farther apart."""
    body, disc = usual_size(level)
    usual = float(body[2] + disc)
    # Beside C1 and C2 nothing repeats.
    found = None if level in ("C1", "C2") else pitch(solid, course, seed, usual)
    return Spine(level, body * size_of_spine(found, usual), usual, found)


def station_at(
    ct: Volume, solid: Volume, level: str, seed: np.ndarray, start: Frame, size: np.ndarray, soft_hu: float
) -> Station:
    """The vertebra whose body holds seed: (3,) RAS mm, turned until its canal lies behind it."""
    return _turned_to_canal(solid, level, _body_holding(ct, seed, start, size, soft_hu))


def _turned_to_canal(solid: Volume, level: str, star: Star) -> Station:
    canal = canal_behind(solid, star.frame, star.reach)
    frame = star.frame
    if canal is not None:
        frame = Frame.along(frame.origin, frame.out, frame.origin - canal)
        star = star.turned(frame)
    return Station(level, frame, star.extent, star, canal)


def _body_holding(ct: Volume, seed: np.ndarray, start: Frame, size: np.ndarray, soft_hu: float) -> Star:
    """The body about seed, also where the seed lies in a plate, whose two sides look like one body at first."""
    first = fit_body(ct, seed, start, size, soft_hu)
    share = first.soft_share(ct, soft_hu)
    if share <= _DOUBTFUL_SHARE:
        return first
    best = first
    for off in (-0.5, 0.5):
        other = fit_body(ct, seed + off * size[2] * first.frame.out, first.frame, size, soft_hu)
        filled = other.soft_share(ct, soft_hu) <= _FILLED_SHARE
        if filled and other.depth_of(seed[None])[0] > -_OUTSIDE_MM and other.edge > best.edge:
            best = other
    return best


def neighbour_of(
    ct: Volume, solid: Volume, station: Station, course: Course, up: bool, soft_hu: float
) -> Station | None:
    """The next vertebra up or down the spine along the canal's course. None at the spine's end."""
    number = LEVELS.index(station.level) + (-1 if up else 1)
    if not 0 < number < len(LEVELS):
        return None
    level = LEVELS[number]
    if level in ("T13", "L6"):
        return None
    size, disc = usual_size(level)
    own, own_disc = usual_size(station.level)
    scale = float(np.clip(np.median(station.size / own), *_SCALES))
    size = size * scale
    gap = (disc if up else own_disc) * scale
    away = (station.size[2] + size[2]) / 2.0 + gap
    middle = course.moved(station.frame.origin, away if up else -away)
    guess = Frame.along(middle, course.up(middle), station.frame.anterior)
    if not np.isfinite(ct.sample(middle[None])[0]):
        return None
    found = _turned_to_canal(solid, level, fit_body(ct, middle, guess, size, soft_hu))
    off = np.linalg.norm(found.frame.origin - middle)
    if station.star is not None and found.star is not None:
        if off <= _FARTHEST_OFF_MM and found.star.edge >= _LEAST_EDGE * station.star.edge:
            return found
    elif off <= _FARTHEST_OFF_MM and found.star is not None and found.star.edge > 0.7:
        return found
    middle = course.moved(middle, to_pedicles(solid, course, middle, size[2]))
    guess = Frame.along(middle, course.up(middle), station.frame.anterior)
    return Station(level, guess, size, None, canal_behind(solid, guess, np.array([[-s / 2, s / 2] for s in size])))


def canal_behind(solid: Volume, frame: Frame, reach: np.ndarray) -> np.ndarray | None:
    """(3,) RAS mm: the middle of the canal at the height of its ring, widest behind a body in bone.

    reach: (3, 2) mm of the body along the frame's axes.
    """
    height = reach[2, 1] - reach[2, 0]
    back = reach[1, 0] - np.arange(-2.0, 40.1, 1.0)
    v, u = np.meshgrid(back, np.arange(-32.0, 32.1, 1.0), indexing="ij")
    slab = np.arange(RING_HEIGHTS[0], RING_HEIGHTS[1] + 0.01, 0.06) * height
    local = np.stack(
        [np.broadcast_to(a, (len(slab), *u.shape)) for a in (u, v)]
        + [np.broadcast_to(slab[:, None, None], (len(slab), *u.shape))],
        axis=-1,
    )
    bone = (np.nan_to_num(solid.sample(frame.to_ras(local.reshape(-1, 3)))) > 0.5).reshape(local.shape[:3]).any(axis=0)
    from scipy import ndimage

    clear = ndimage.distance_transform_edt(~bone)
    turns = np.linspace(0.0, 2.0 * np.pi, 36, endpoint=False)
    steps = np.arange(1.0, _CANAL_MM)
    rows, columns = np.indices(bone.shape)
    enclosed = np.zeros(bone.shape)
    for turn in turns:
        r = np.clip(np.rint(rows[..., None] + steps * np.sin(turn)).astype(int), 0, bone.shape[0] - 1)
        c = np.clip(np.rint(columns[..., None] + steps * np.cos(turn)).astype(int), 0, bone.shape[1] - 1)
        enclosed += bone[r, c].any(axis=-1)
    enclosed /= len(turns)
    near = (np.abs(u) < 7.0) & (v > reach[1, 0] - 20.0) & ~bone
    score = np.where(
        near & (enclosed > 0.7), enclosed * 10.0 + np.minimum(clear, _WIDEST_MM) - 0.4 * np.abs(u), -np.inf
    )
    best = np.unravel_index(int(score.argmax()), score.shape)
    if not np.isfinite(score[best]) or clear[best] < 3.0:
        return None
    middle = float(np.mean(RING_HEIGHTS)) * height
    return frame.to_ras(np.array([[u[best], v[best], middle]]))[0]


def ring_points(solid: Volume, station: Station) -> np.ndarray:
    """(n, 3) RAS mm: bone of the canal's wall that is the vertebra's own."""
    frame = station.frame
    canal = station.canal
    if canal is None:
        wall = -station.size[1] / 2.0 if station.star is None else station.star.reach[1, 0]
        canal = frame.to_ras(np.array([[0.0, wall - _WIDEST_MM, np.mean(RING_HEIGHTS) * station.size[2]]]))[0]
    heights = np.arange(RING_HEIGHTS[0], PEDICLES[1] + 0.001, 0.04) * station.size[2]
    turns = np.linspace(0.0, 2.0 * np.pi, 120, endpoint=False)
    ways = np.cos(turns)[:, None] * frame.right + np.sin(turns)[:, None] * frame.anterior
    steps = np.arange(0.5, _HALF_CANAL_MM + _INTO_WALL_MM, 0.4)
    start = canal + (heights - np.mean(RING_HEIGHTS) * station.size[2])[:, None] * frame.out
    points = start[:, None, None] + ways[:, None] * steps[:, None]
    bone = (np.nan_to_num(solid.sample(points.reshape(-1, 3))) > 0.5).reshape(points.shape[:3])
    seen = bone.any(axis=2)
    first = bone.argmax(axis=2)
    into = steps - steps[first][..., None]
    seen &= steps[first] <= _HALF_CANAL_MM
    relative = heights[:, None] / station.size[2]
    beside = np.abs(np.sin(turns)) < 0.5
    own = np.where(beside, relative >= PEDICLES[0], relative <= RING_HEIGHTS[1])
    kept = (
        own[..., None]
        & seen[..., None]
        & (into >= 0)
        & (into < _INTO_WALL_MM)
        & (np.cumsum(~bone & (into >= 0), axis=2) == 0)
    )
    return points[kept]


def along_column(stations: list[Station], solid: Volume) -> list[Station]:
    """The stations, sorted from head to feet, with frames halfway between their plates' and the spine's direction.

    They face where they and those beside them do on average: where a canal's middle is seen strays by a few degrees.
    """
    turned = []
    for number, station in enumerate(stations):
        upper, lower = stations[max(number - 1, 0)], stations[min(number + 1, len(stations) - 1)]
        chord = upper.frame.origin - lower.frame.origin
        out = station.frame.out + chord / max(np.linalg.norm(chord), 1e-6)
        ahead = np.sum([beside.frame.anterior for beside in stations[max(number - 1, 0) : number + 2]], axis=0)
        frame = Frame.along(station.frame.origin, out, ahead)
        star = None if station.star is None else station.star.turned(frame)
        reach = np.array([[-s / 2, s / 2] for s in station.size]) if star is None else star.reach
        turned.append(Station(station.level, frame, station.size, star, canal_behind(solid, frame, reach)))
    return turned
