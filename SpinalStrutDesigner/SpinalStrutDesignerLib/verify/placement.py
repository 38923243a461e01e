"""Where a screw may come to lie instead of where it is planned, and how likely its thread then leaves the bone.

Measured on 76 screws placed with printed guides: the entry was off by 1.40 ± 0.81 mm, the direction by 6.70 ± 3.77°
(clinical facts). Both are magnitudes whose directions are taken as even. A magnitude's distribution is Weibull's with
the measured mean and standard deviation: errors that are normal and equal along two axes have a magnitude of that
kind (shape 2, deviation 0.52 of the mean), and the measured ones (0.58 and 0.56) lie near it. Entry and direction are
taken as independent; a screw is tilted about the top of its head, which the seat holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from LatticeGeneratorLib.mesh.samples import Distance

from ..errors import PlanError
from ..plan.plan import ErrorBudget

FINE = 16384
"""Deviations with which probabilities are right to 0.3 percentage points."""
COARSE = 1024
"""The same to about 1 percentage point: for searches."""

# A standard deviation so many times its mean is no measured magnitude; below the other share it is none at all.
_WIDEST, _FIXED = 15.0, 1e-3
_SLACK_MM = 0.5  # a sampled distance may change a little faster than the way walked
_AT_ONCE = 1 << 20  # points whose distances are asked for at once


@dataclass(frozen=True, eq=False)
class Deviations:
    """Where a screw may lie, each place with its share. weights: (k,), sum 1; shifts: (k, 2) mm across the screw;
    tilts: (k, 2) rad, the angle by which and the direction across in which the tip turns."""

    weights: np.ndarray
    shifts: np.ndarray
    tilts: np.ndarray

    def moved(self, entry: np.ndarray, direction: np.ndarray, upright: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Entries and unit directions (k, 3) of one screw; upright: (3,) from which directions across are counted."""
        across = np.stack(across_of(direction, upright))
        angle = np.linalg.norm(self.tilts, axis=1)
        sideways = (self.tilts * np.sinc(angle / np.pi)[:, None]) @ across
        return entry + self.shifts @ across, np.cos(angle)[:, None] * direction + sideways


@lru_cache(maxsize=8)
def deviations(budget: ErrorBudget, count: int = FINE) -> Deviations:
    """The placement error of a budget in `count` equally likely deviations (a power of two), the same at every call.

    Raises PlanError where a standard deviation is more than 15 times its mean.
    """
    from scipy.stats import qmc

    even = qmc.Sobol(4, scramble=False).random(count) + 0.5 / count
    entry = _magnitudes(even[:, 0], budget.screw_entry_mm, budget.screw_entry_sd_mm, "screw_entry_sd_mm")
    angle = _magnitudes(even[:, 1], budget.screw_angle_deg, budget.screw_angle_sd_deg, "screw_angle_sd_deg")
    ways = [np.stack([np.cos(turn), np.sin(turn)], axis=1) for turn in 2.0 * np.pi * even[:, 2:].T]
    return Deviations(
        np.full(count, 1.0 / count), entry[:, None] * ways[0], np.deg2rad(angle)[:, None] * ways[1]
    )


def magnitude(share: float, mean: float, sd: float) -> float:
    """The magnitude that so large a share (0 to 1) of errors with that mean and standard deviation stays below."""
    return float(_magnitudes(np.array([share]), mean, sd, "the standard deviation")[0])


def breach_probability(
    entry: np.ndarray,
    direction: np.ndarray,
    depths: np.ndarray,
    radius: float,
    distance: Distance,
    budget: ErrorBudget,
    upright: np.ndarray,
) -> float:
    """How likely (0 to 1) a screw's thread reaches what distance tells the distance to, negative within it.

    entry, direction: (3,) RAS mm, unit; depths: (k,) mm from the entry, evenly and not far apart, the tip the last one;
    radius: of the thread; upright: (3,) any direction fixed to the anatomy that is not the screw's.
    """
    found = breach_probabilities(entry[None], direction[None], depths, radius, distance, deviations(budget), upright)
    return float(found[0])


def breach_probabilities(
    entries: np.ndarray,
    directions: np.ndarray,
    depths: np.ndarray,
    radius: float,
    distance: Distance,
    errors: Deviations,
    upright: np.ndarray,
) -> np.ndarray:
    """(n,) the same for screws with entries and unit directions (n, 3), as likely as these errors say."""
    entries, directions = (np.asarray(given, dtype=float) for given in (entries, directions))
    likely = np.zeros(len(entries))
    # Farther than any error carries it a screw reaches nothing: only what is nearer is moved.
    near = np.flatnonzero(_margins(entries, directions, depths, radius, distance) < farthest(errors, depths))
    group = max(_AT_ONCE // (len(errors.weights) * len(depths)), 1)
    for first in range(0, len(near), group):
        some = near[first : first + group]
        moved = [errors.moved(entries[i], directions[i], upright) for i in some]
        starts, ways = (np.concatenate(part) for part in zip(*moved))
        out = np.zeros(len(starts), dtype=bool)
        maybe = _may_reach(starts, ways, depths, radius, distance)
        out[maybe] = _margins(starts[maybe], ways[maybe], depths, radius, distance) < 0.0
        likely[some] = out.reshape(len(some), -1) @ errors.weights
    return likely


def farthest(errors: Deviations, depths: np.ndarray) -> float:
    """mm no place of a thread at these depths is moved farther than."""
    shift, angle = (np.linalg.norm(given, axis=1) for given in (errors.shifts, errors.tilts))
    return float((shift + 2.0 * np.sin(0.5 * np.minimum(angle, np.pi)) * float(np.max(depths))).max())


def spread_mm(errors: Deviations, depth_mm: float, share: float) -> tuple[float, float]:
    """How far sideways a screw's axis lies from its plan at a depth: on average, and what a share (0 to 1) of all
    screws stays within."""
    angle = np.linalg.norm(errors.tilts, axis=1)[:, None]
    away = errors.shifts + depth_mm * errors.tilts * np.sinc(angle / np.pi)
    off = np.linalg.norm(away, axis=1)
    order = np.argsort(off, kind="stable")
    within = int(np.searchsorted(np.cumsum(errors.weights[order]), share))
    return float(errors.weights @ off), float(off[order[min(within, len(off) - 1)]])


def thread_margin(away: np.ndarray, depths: np.ndarray, radius: float) -> np.ndarray:
    """(..., k) mm from a thread's surface to something whose distance from its axis is away (..., k) at depths (k,).

    The end of a cylinder reaches its radius sideways and nothing beyond its tip: how much of the distance lies along
    the screw is told by how fast it changes there.
    """
    axial = np.clip(np.gradient(away, depths, axis=-1), -1.0, 1.0)
    margin: np.ndarray = away - radius * np.sqrt(1.0 - axial**2)
    return margin


def points_along(entries: np.ndarray, directions: np.ndarray, depths: np.ndarray) -> np.ndarray:
    """(n, k, 3) RAS mm at depths (k,) of lines with entries and directions (n, 3)."""
    points: np.ndarray = entries[:, None] + depths[:, None] * directions[:, None]
    return points


def across_of(direction: np.ndarray, upright: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors (3,) across a unit direction, the second as upright as can be."""
    up = upright - (upright @ direction) * direction
    if float(np.linalg.norm(up)) < 1e-6 * float(np.linalg.norm(upright)):
        up = np.eye(3)[int(np.argmin(np.abs(direction)))]
        up = up - (up @ direction) * direction
    up = up / np.linalg.norm(up)
    return np.cross(up, direction), up


def _margins(
    starts: np.ndarray, ways: np.ndarray, depths: np.ndarray, radius: float, distance: Distance
) -> np.ndarray:
    """(n,) mm, the least along each thread."""
    away = distance(points_along(starts, ways, depths).reshape(-1, 3)).reshape(len(starts), len(depths))
    least: np.ndarray = thread_margin(away, depths, radius).min(axis=1)
    return least


def _may_reach(
    starts: np.ndarray, ways: np.ndarray, depths: np.ndarray, radius: float, distance: Distance
) -> np.ndarray:
    """(m,) numbers of the threads that three places along each do not already tell to reach nothing: between two
    places a distance is not less than their mean less half the way between them."""
    few = depths[np.unique([0, len(depths) // 2, len(depths) - 1])]
    away = distance(points_along(starts, ways, few).reshape(-1, 3)).reshape(len(starts), len(few))
    between = 0.5 * (away[:, 1:] + away[:, :-1] - np.diff(few))
    return np.flatnonzero(between.min(axis=1) < radius + _SLACK_MM)


def _magnitudes(share: np.ndarray, mean: float, sd: float, field: str) -> np.ndarray:
    """(n,) the magnitudes that shares (n,) of all stay below; a mean of 0 is no error, a deviation of 0 always the
    mean."""
    if sd <= _FIXED * mean or mean == 0.0:
        return np.full(len(share), mean)
    if sd > _WIDEST * mean:
        raise PlanError(
            f"budget.{field}: {sd:g} is more than {_WIDEST:g} times the mean, {mean:g}; give the mean and the standard "
            "deviation of what was measured"
        )
    from scipy.special import gamma

    shape = _weibull_shape(sd / mean)
    scaled: np.ndarray = mean / gamma(1.0 + 1.0 / shape) * (-np.log1p(-share)) ** (1.0 / shape)
    return scaled


def _weibull_shape(spread: float) -> float:
    """Weibull's shape for a standard deviation of so many means: 1 + spread² = Γ(1 + 2/k) / Γ(1 + 1/k)²."""
    from scipy.optimize import brentq
    from scipy.special import gammaln

    wanted = np.log1p(spread**2)
    return float(brentq(lambda k: gammaln(1.0 + 2.0 / k) - 2.0 * gammaln(1.0 + 1.0 / k) - wanted, 0.15, 2e3))
