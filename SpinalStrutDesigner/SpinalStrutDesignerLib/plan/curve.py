"""The curve an axis means: a smooth centreline with twist-free frames, and the section swept along it as a field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.interpolate import CubicHermiteSpline, CubicSpline

from ..errors import PlanError
from .plan import Axis, Section
from .section import section_distance, section_polygon, section_reach

_CHUNK = 1 << 18  # points a field evaluates at a time, so that its arrays stay in cache
_SUMMED = (0, 2, 1)  # the order in which einsum adds three products, so that results stay the same to the last bit
_LEAST_BACK = 0.1  # sine of the least angle between the axis' back direction and its first tangent (about 6 degrees)


@dataclass(frozen=True)
class Station:
    """The frame and section at one arc length. point, tangent, back, right: (3,) RAS; width, depth: mm."""

    point: np.ndarray
    tangent: np.ndarray
    back: np.ndarray
    right: np.ndarray
    width: float
    depth: float


@dataclass(frozen=True, eq=False)
class AxisCurve:
    """The strut's centreline, evenly sampled from the upper end to the lower.

    points, tangents, backs, rights: (n, 3) RAS. Tangents run downwards, backs are the section's depth direction
    (towards the column), rights its width direction; rights x backs = tangents, so that with tangents pointing down and
    backs pointing posteriorly rights is the patient's right. arc: (n,) mm from the upper end. widths, depths: (n,) mm,
    with the taper. curvature: (n,) 1/mm.
    """

    points: np.ndarray
    tangents: np.ndarray
    backs: np.ndarray
    rights: np.ndarray
    arc: np.ndarray
    widths: np.ndarray
    depths: np.ndarray
    curvature: np.ndarray
    section: Section

    @property
    def length_mm(self) -> float:
        """Arc length between the ends."""
        return float(self.arc[-1])

    def at(self, s: float) -> Station:
        """Frame and section at arc length s, mm; before 0 and beyond length_mm the curve continues straight."""
        inside = min(max(float(s), 0.0), self.length_mm)
        index = min(int(np.searchsorted(self.arc, inside, side="right")) - 1, len(self.arc) - 2)
        start, share = self.arc[index], (inside - self.arc[index]) / (self.arc[index + 1] - self.arc[index])
        tangent = _unit((1.0 - share) * self.tangents[index] + share * self.tangents[index + 1])
        back = (1.0 - share) * self.backs[index] + share * self.backs[index + 1]
        back = _unit(back - (back @ tangent) * tangent)
        point = _hermite(self, index, inside - start) + (float(s) - inside) * tangent
        width, depth = (float(np.interp(inside, self.arc, values)) for values in (self.widths, self.depths))
        return Station(point, tangent, back, np.cross(back, tangent), width, depth)

    def section_outline(self, where: int | float, count: int = 48) -> np.ndarray:
        """(count, 3) RAS points on the section's edge, equally spaced, counter-clockwise about the tangent.

        where: a whole number is the index of a sample, a float an arc length in mm. The first point lies on rights.
        """
        s = float(where) if isinstance(where, (float, np.floating)) else float(self.arc[where])
        station = self.at(s)
        edge = section_polygon(self.section, station.width, station.depth, count)
        return station.point + edge[:, :1] * station.right + edge[:, 1:] * station.back

    def field(self, points: np.ndarray, extension_mm: float = 0.0) -> np.ndarray:
        """Signed distance of points (m, 3) RAS to the swept section, (m,) mm, negative inside.

        The sweep continues straight beyond both ends by extension_mm and ends flat, its edge rounded by the section's
        corner radius. Within a few micrometres of true up to the centre of curvature; approximate beyond it.
        """
        return self.fields(points, (extension_mm,))[0]

    def fields(self, points: np.ndarray, extensions_mm: Sequence[float]) -> np.ndarray:
        """(e, m) `field` for each of the extensions at once: the way to the curve is the same for all."""
        points = np.ascontiguousarray(points, dtype=float).reshape(-1, 3)
        values = np.empty((len(extensions_mm), len(points)))
        for start in range(0, len(points), _CHUNK):
            part = slice(start, start + _CHUNK)
            values[:, part] = self._fields(points[part], extensions_mm)
        return values

    def local(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(s, u, v) of points (m, 3): arc length of the foot point (straight past the ends), across, towards column."""
        index, share, before, beyond = self._foot(points)
        u, v = np.zeros(len(points)), np.zeros(len(points))
        # By columns: numpy is several times as fast on three long rows as on many short ones.
        for axis in _SUMMED:
            centre, right, back = (_mix(v[:, axis], index, share) for v in (self.points, self.rights, self.backs))
            away = points[:, axis] - centre
            u += away * right
            v += away * back
        return self.arc[index] + share * self._step + before + beyond, u, v

    def _fields(self, points: np.ndarray, extensions: Sequence[float]) -> list[np.ndarray]:
        s, u, v = self.local(points)
        inside = np.clip(s, 0.0, self.length_mm)
        share = inside / self.length_mm
        width = self.widths[0] + share * (self.widths[-1] - self.widths[0])
        depth = self.depths[0] + share * (self.depths[-1] - self.depths[0])
        radius = self._end_radius
        a = section_distance(self.section, u, v, width, depth) + radius
        past = np.abs(s - 0.5 * self.length_mm) - 0.5 * self.length_mm + radius
        return [_rounded_end(a, past - float(extension), radius) for extension in extensions]

    def _foot(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Segment index, share along it, and mm before the first (<= 0) and beyond the last sample (>= 0).

        The foot point is where the plane across the curve holds the point: linear between the two samples' planes, so
        that it is continuous from segment to segment (a projection onto the chords would not be). Up to the centre of
        curvature a point lies ahead of all planes before its own and behind all after it, so the segment is bisected.
        """
        x, y, z = np.ascontiguousarray(points.T)
        (right, anterior, up), at = np.ascontiguousarray(self.tangents.T), (self.points * self.tangents).sum(axis=1)
        index, above = np.zeros(len(points), dtype=np.int64), np.full(len(points), len(self.points) - 1)
        for _ in range(int(np.ceil(np.log2(max(len(self.points) - 1, 2))))):
            middle = (index + above) // 2
            ahead = x * right[middle] + y * anterior[middle] + z * up[middle] >= at[middle]
            index, above = np.where(ahead, middle, index), np.where(ahead, above, middle)
        index = np.minimum(index, len(self.points) - 2)
        first, second = self._ahead(points, index), self._ahead(points, index + 1)
        share = np.clip(first / np.maximum(first - second, 1e-12), 0.0, 1.0)
        before = np.where(index == 0, np.minimum(first, 0.0), 0.0)
        beyond = np.where(index == len(self.points) - 2, np.maximum(second, 0.0), 0.0)
        return index, share, before, beyond

    def _ahead(self, points: np.ndarray, index: np.ndarray) -> np.ndarray:
        """(m,) mm by which points (m, 3) lie ahead of the planes across the curve at samples (m,)."""
        ahead = np.zeros(len(points))
        for axis in _SUMMED:
            ahead += (points[:, axis] - self.points[index, axis]) * self.tangents[index, axis]
        return ahead

    @cached_property
    def _step(self) -> float:
        return float(self.arc[1] - self.arc[0])

    @cached_property
    def _end_radius(self) -> float:
        return min(self.section.corner_radius_mm, 0.5 * float(min(self.widths.min(), self.depths.min())))


def axis_curve(axis: Axis, section: Section, spacing_mm: float = 0.5) -> AxisCurve:
    """The curve through the axis' control points (plus offset): C2 cubic spline over chord length with natural ends.

    Sampled evenly by arc length at most spacing_mm apart. Raises PlanError where there are fewer than three points, two
    coincide, the back direction lies along the curve, or the curve bends more sharply than the section allows.
    """
    spline, bounds = _spline(axis)
    at, length = _even_parameters(spline, bounds, spacing_mm)
    points, first, second = spline(at), spline(at, 1), spline(at, 2)
    speed = np.linalg.norm(first, axis=1)
    tangents = first / speed[:, None]
    curvature = np.linalg.norm(np.cross(first, second), axis=1) / speed**3
    backs = _twist_free(points, tangents, _first_back(axis, tangents[0]))
    share = np.linspace(0.0, 1.0, len(points))
    lower_width = section.width_mm if section.lower_width_mm is None else section.lower_width_mm
    lower_depth = section.depth_mm if section.lower_depth_mm is None else section.lower_depth_mm
    curve = AxisCurve(
        points=points,
        tangents=tangents,
        backs=backs,
        rights=np.cross(backs, tangents),
        arc=share * length,
        widths=section.width_mm + share * (lower_width - section.width_mm),
        depths=section.depth_mm + share * (lower_depth - section.depth_mm),
        curvature=curvature,
        section=section,
    )
    _refuse_folds(curve, second - np.einsum("ij,ij->i", second, tangents)[:, None] * tangents)
    return curve


def _spline(axis: Axis) -> tuple[CubicSpline, np.ndarray]:
    control = np.asarray(axis.control_points, dtype=float).reshape(-1, 3) + np.asarray(axis.offset, dtype=float)
    if len(control) < 3:
        raise PlanError(f"axis.control_points: {len(control)} points; a strut's axis needs at least 3")
    chords = np.linalg.norm(np.diff(control, axis=0), axis=1)
    if chords.min() < 0.1:
        place = int(chords.argmin())
        raise PlanError(
            f"axis.control_points.{place} and .{place + 1} lie {chords.min():.3f} mm apart;"
            " keep them at least 0.1 mm apart"
        )
    bounds = np.concatenate([[0.0], np.cumsum(chords)])
    return CubicSpline(bounds, control, bc_type="natural"), bounds


def _even_parameters(spline: CubicSpline, bounds: np.ndarray, spacing_mm: float) -> tuple[np.ndarray, float]:
    """Spline parameters equally far apart along the curve, and its length by Gauss-Legendre quadrature."""
    pieces = [np.linspace(a, b, 65)[:-1] for a, b in pairwise(bounds)]
    fine = np.concatenate([*pieces, bounds[-1:]])
    nodes, weights = np.polynomial.legendre.leggauss(4)
    half = 0.5 * np.diff(fine)
    inner = (fine[:-1] + half)[:, None] + half[:, None] * nodes
    lengths = (np.linalg.norm(spline(inner, 1), axis=2) * weights).sum(axis=1) * half
    arc = np.concatenate([[0.0], np.cumsum(lengths)])
    count = max(int(np.ceil(arc[-1] / spacing_mm - 1e-9)), 4)
    # A cubic through (arc, parameter) with the true slopes inverts the arc length to far below a micrometre.
    slopes = 1.0 / np.linalg.norm(spline(fine, 1), axis=1)
    at = CubicHermiteSpline(arc, fine, slopes)(np.linspace(0.0, arc[-1], count + 1))
    return np.clip(at, bounds[0], bounds[-1]), float(arc[-1])


def _first_back(axis: Axis, tangent: np.ndarray) -> np.ndarray:
    back = _unit(np.asarray(axis.back, dtype=float))
    across = back - (back @ tangent) * tangent
    if np.linalg.norm(across) < _LEAST_BACK:
        raise PlanError(f"axis.back: {tuple(axis.back)} lies along the strut; give the direction towards the column")
    return _unit(across)


def _twist_free(points: np.ndarray, tangents: np.ndarray, back: np.ndarray) -> np.ndarray:
    """(n, 3) directions across the curve that turn no more than it does.

    Double reflection, W. Wang et al., Computation of rotation minimizing frames, ACM TOG 27(1), 2008.
    """
    backs = np.empty_like(points)
    backs[0] = back
    for i in range(len(points) - 1):
        step = points[i + 1] - points[i]
        square = step @ step
        reflected = backs[i] - (2.0 / square) * (step @ backs[i]) * step
        tangent = tangents[i] - (2.0 / square) * (step @ tangents[i]) * step
        turn = tangents[i + 1] - tangent
        reflected = reflected - (2.0 / (turn @ turn)) * (turn @ reflected) * turn
        backs[i + 1] = _unit(reflected - (reflected @ tangents[i + 1]) * tangents[i + 1])
    return backs


def _refuse_folds(curve: AxisCurve, bend: np.ndarray) -> None:
    """Raise where the section reaches past the centre of curvature: the sweep would fold into itself there."""
    length = np.linalg.norm(bend, axis=1)
    towards = bend / np.maximum(length, 1e-12)[:, None]
    u, v = (np.einsum("ij,ij->i", towards, axes) for axes in (curve.rights, curve.backs))
    reach = section_reach(curve.section, curve.widths, curve.depths, u, v)
    ratio = curve.curvature * reach
    worst = int(np.argmax(ratio))
    if ratio[worst] >= 1.0:
        place = ", ".join(f"{x:.1f}" for x in curve.points[worst])
        raise PlanError(
            f"axis.control_points: the axis bends with a radius of {1.0 / curve.curvature[worst]:.1f} mm at"
            f" {curve.arc[worst]:.1f} mm from its upper end (RAS {place}); the section reaches {reach[worst]:.1f} mm"
            " towards the inside of that bend: move the control points there or make the section smaller"
        )


def _hermite(curve: AxisCurve, index: int, distance: float) -> np.ndarray:
    """Point of the cubic through two neighbouring samples and their tangents."""
    step = curve.arc[index + 1] - curve.arc[index]
    x = distance / step
    start, end = curve.points[index], curve.points[index + 1]
    return (
        (2 * x**3 - 3 * x**2 + 1) * start
        + (x**3 - 2 * x**2 + x) * step * curve.tangents[index]
        + (3 * x**2 - 2 * x**3) * end
        + (x**3 - x**2) * step * curve.tangents[index + 1]
    )


def _mix(values: np.ndarray, index: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(m,) between values (n,) at samples and those at the next ones."""
    first = values[index]
    return first + share * (values[index + 1] - first)


def _rounded_end(a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    """What two fields share, a and b given on surfaces drawn in by the radius, the edge between them rounded."""
    return np.hypot(np.maximum(a, 0.0), np.maximum(b, 0.0)) + np.minimum(np.maximum(a, b), 0.0) - radius


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
