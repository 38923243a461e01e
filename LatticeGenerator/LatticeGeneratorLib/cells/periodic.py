"""Pores, struts and throat of an unbounded lattice, measured on one period at positions finer than any grid.

The surface is sampled where it cuts the lines of a grid. The balls of the Delaunay tetrahedra of the samples are the
largest that touch the surface at four places and hold none of it: those in the void, and those in the metal, cover
each (local thickness; T. Hildebrand and P. Rüegsegger, J Microsc 1997;185:67), and a ball that passes from one of the
tetrahedra to its neighbour passes through the circle of their common triangle. A ball may bulge between the samples,
by s²/8r where they are s apart: it is drawn back to samples four times as dense. No grid's step is in any length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import Delaunay, cKDTree

from ..field.compiled import compiled
from .cell import Cell

_LEVEL_POINTS = 500_000
_BISECTIONS = 12
_JITTER = 1e-5  # cells; what symmetry puts on one sphere has many tessellations, and they would differ by period
_BLOCK = 4000  # balls
_DENSER = 4  # lines on which balls are drawn back, to each line on which they are found
_APART = 48  # balls found in the same of so many parts of a cell are one
_SHARES = (0.25, 0.5, 0.75)
_GROWTH = 0.06  # cells that a ball may lack
_ROUNDS = 8
_SETTLED = 1e-3  # share of the radius
_BESIDE, _BESIDES = 0.03, 31  # cells to each side of a gate, and places over them
_LEAST = 0.02  # cells; smaller balls lie between neighbouring samples


@dataclass(frozen=True)
class Measured:
    """One porosity of a cell: level, and lengths in cells; pore and strut are mean diameters, least the 5th percentile
    of the metal's, throat the largest ball that passes through the void without end in every direction."""

    porosity: float
    level: float
    pore: float
    strut: float
    least: float
    throat: float


def measured(cell: Cell, porosity: float, lines: int = 14, points: int = 5000) -> Measured:
    """Measures one porosity of an unbounded lattice, from `lines` grid lines a cell and at `points` random points."""
    level = level_of(cell, porosity)
    surface = surface_points(cell, level, lines)
    balls = _Balls.of(cell, level, surface)
    exact = cKDTree(surface_points(cell, level, _DENSER * lines) % cell.period, boxsize=cell.period)
    places = _spread(points, 7) * cell.period
    metal = _value(cell, places) < level
    pores = 2.0 * _covering(places[~metal], *balls.around(False, exact), cell.period)
    struts = 2.0 * _covering(places[metal], *balls.around(True, exact), cell.period)
    return Measured(
        porosity, level, float(pores.mean()), float(struts.mean()), float(np.percentile(struts, 5)), balls.throat(exact)
    )


def level_of(cell: Cell, porosity: float) -> float:
    """The level below which the metal's share of an unbounded lattice lies."""
    return float(np.quantile(_value(cell, _spread(_LEVEL_POINTS, 3) * cell.period), 1.0 - porosity))


def surface_points(cell: Cell, level: float, lines: int) -> np.ndarray:
    """(n, 3) where the surface of one period cuts the lines of a grid."""
    n = lines * cell.period
    # Off the planes of symmetry, on which many of the values would be the level itself.
    axis = (np.arange(n) + 0.371) / lines
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    metal = _value(cell, grid.reshape(-1, 3)).reshape(n, n, n) < level
    found = []
    for direction, step in enumerate(np.eye(3) / lines):
        cut = metal != np.roll(metal, -1, axis=direction)
        begin, inside, low, high = grid[cut], metal[cut], np.zeros(int(cut.sum())), np.ones(int(cut.sum()))
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            before = (_value(cell, begin + middle[:, None] * step) < level) == inside
            low, high = np.where(before, middle, low), np.where(before, high, middle)
        found.append(begin + (0.5 * (low + high))[:, None] * step)
    surface = np.concatenate(found)
    return surface + _JITTER * (np.random.default_rng(5).random(surface.shape) - 0.5)


def _value(cell: Cell, places: np.ndarray) -> np.ndarray:
    """(n,) the cell's value at (n, 3) places in cells."""
    return cell.field(*np.ascontiguousarray(places.T))[0]


def _spread(count: int, start: int) -> np.ndarray:
    """(count, 3) points spread evenly over the unit cube (additive recurrence on the plastic number's cousin)."""
    # The real root of g⁴ = g + 1 (M. Roberts, 2018: the generalised golden ratio in three dimensions).
    steps = 1.2207440846057596 ** -np.arange(1.0, 4.0)
    return (0.5 + (start + np.arange(count))[:, None] * steps) % 1.0


@dataclass(frozen=True, eq=False)
class _Balls:
    """The balls of the tetrahedra whose centres lie in one period [0, period)³, and how one passes to the next.

    centres (n, 3), radii (n,), metal (n,) bool; links (m, 2) of balls, shifts (m, 3) periods from the first to the
    second, gates (m,) the radius that passes between, triangles (m, 3, 3) the corners around it.
    """

    period: int
    centres: np.ndarray
    radii: np.ndarray
    metal: np.ndarray
    links: np.ndarray
    shifts: np.ndarray
    gates: np.ndarray
    triangles: np.ndarray

    @classmethod
    def of(cls, cell: Cell, level: float, surface: np.ndarray) -> _Balls:
        """The balls of a surface given by its (n, 3) points in one period."""
        period = cell.period
        ids, places = _images(surface % period, period)
        solid = Delaunay(places)
        centres, radii = _circumspheres(places[solid.simplices])
        home = np.floor(centres / period)
        kept = (np.abs(home) <= 1.0).all(axis=1) & (radii < 0.5 * period + 0.5)
        names = _names(solid.simplices, ids, len(surface))
        owned = np.flatnonzero(kept & (home == 0.0).all(axis=1))
        order = np.argsort(names[owned], kind="stable")
        owned = owned[order]
        near = solid.neighbors[owned]
        first, face = np.nonzero(near >= 0)
        second = near[first, face]
        place = np.searchsorted(names[owned], names[second]).clip(max=len(owned) - 1)
        true = kept[second] & (names[owned][place] == names[second])
        first, second, place, face = first[true], second[true], place[true], face[true]
        corners = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])[face]
        triangle = places[np.take_along_axis(solid.simplices[owned[first]], corners, axis=1)]
        gates = _gates(triangle, centres[owned[first]], radii[owned[first]], centres[second], radii[second])
        metal = _value(cell, centres[owned]) < level
        links, shifts = np.stack([first, place], axis=1), home[second].astype(int)
        return cls(period, centres[owned], radii[owned], metal, links, shifts, gates, triangle)

    def around(self, metal: bool, exact: cKDTree) -> tuple[np.ndarray, np.ndarray]:
        """Centres and radii of the balls in the metal, or in the void, fitted to denser samples; largest first."""
        wanted = (self.metal == metal) & (self.radii > _LEAST)
        first, second = self.links[wanted[self.links].all(axis=1) & (self.links[:, 0] < self.links[:, 1])].T
        step = self.centres[second] - self.centres[first]
        step -= self.period * np.rint(step / self.period)
        # Between neighbours too: the balls of a sheet of centres change in size from one to the next.
        between = [self.centres[first] + share * step for share in _SHARES]
        centres = np.concatenate([self.centres[wanted], *between]) % self.period
        centres = centres[np.argsort(-exact.query(centres)[0], kind="stable")]
        # The largest of those that lie together.
        voxel = np.floor(centres * _APART).astype(int) @ np.array([1, 1024, 1024**2])
        centres, radii = _grown(centres[np.sort(np.unique(voxel, return_index=True)[1])], exact, self.period)
        order = np.argsort(-radii, kind="stable")
        return centres[order], radii[order]

    def throat(self, exact: cKDTree) -> float:
        """The diameter of the largest ball that passes through the void without end in three directions; 0 if none.

        Links are opened from the widest down until a set of joined balls reaches its own images in all directions.
        """
        open_links = np.flatnonzero(~self.metal[self.links].any(axis=1) & (self.links[:, 0] <= self.links[:, 1]))
        parent = list(range(len(self.radii)))
        offset: list[tuple[int, ...]] = [(0, 0, 0)] * len(parent)
        ways: dict[int, list[tuple[int, ...]]] = {}

        def root_of(ball: int) -> tuple[int, tuple[int, int, int]]:
            x = y = z = 0
            while parent[ball] != ball:
                dx, dy, dz = offset[ball]
                x, y, z, ball = x + dx, y + dy, z + dz, parent[ball]
            return ball, (x, y, z)

        size = [1] * len(parent)
        for link in open_links[np.argsort(-self.gates[open_links], kind="stable")]:
            (a, from_a), (b, from_b) = root_of(int(self.links[link, 0])), root_of(int(self.links[link, 1]))
            # A ball's offset says in which period its root lies, counted from the ball.
            way = tuple(int(s) + q - p for s, p, q in zip(self.shifts[link], from_a, from_b))
            if a != b:
                if size[a] > size[b]:
                    a, b, way = b, a, tuple(-w for w in way)
                parent[a], offset[a] = b, way
                size[b] += size[a]
                ways[b] = ways.pop(a, []) + ways.get(b, [])
                new = b
            elif any(way):
                ways.setdefault(a, []).append(way)
                new = a
            else:
                continue
            if len(ways[new]) >= 3 and np.linalg.matrix_rank(np.array(ways[new])) == 3:
                return 2.0 * _through(self.triangles[link], exact, self.period)
        return 0.0


def _images(surface: np.ndarray, period: int) -> tuple[np.ndarray, np.ndarray]:
    """The points with their images so far beyond one period as balls with centres there can touch, and a number for
    each: the point's own, and its image's place among the 27."""
    margin = 0.75 if period == 1 else 0.9
    ids, places = [], []
    for image, shift in enumerate(np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)):
        moved = surface + period * shift
        near = ((moved > -margin) & (moved < period + margin)).all(axis=1)
        ids.append(np.flatnonzero(near) * 27 + image)
        places.append(moved[near])
    return np.concatenate(ids), np.concatenate(places)


def _names(simplices: np.ndarray, ids: np.ndarray, count: int) -> np.ndarray:
    """(n,) a number for each tetrahedron that its images share: a sum over its corners' own points."""
    # Two tetrahedra with the same sum are unlikely: 64 bits from a hash of each point.
    own = np.random.default_rng(11).integers(0, 2**62, count, dtype=np.uint64)
    return own[ids[simplices] // 27].sum(axis=1, dtype=np.uint64)


def _circumspheres(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres (n, 3) and radii (n,) of the spheres through (n, 4, 3) corners; those of flat tetrahedra are infinite."""
    base = corners[:, 0]
    u, v, w = corners[:, 1] - base, corners[:, 2] - base, corners[:, 3] - base
    vw = np.cross(v, w)
    volume = 2.0 * np.einsum("ij,ij->i", u, vw)
    volume = np.where(np.abs(volume) < 1e-16, 1e-16, volume)
    uu, vv, ww = (np.einsum("ij,ij->i", e, e)[:, None] for e in (u, v, w))
    away = (uu * vw + vv * np.cross(w, u) + ww * np.cross(u, v)) / volume[:, None]
    return base + away, np.linalg.norm(away, axis=1)


def _gates(
    triangle: np.ndarray, first: np.ndarray, first_radius: np.ndarray, second: np.ndarray, second_radius: np.ndarray
) -> np.ndarray:
    """(m,) the least radius of a ball on its way between two centres past the (m, 3, 3) corners of their triangle."""
    a = triangle[:, 0]
    across = np.cross(triangle[:, 1] - a, triangle[:, 2] - a)
    across /= np.maximum(np.linalg.norm(across, axis=1), 1e-300)[:, None]
    before, after = (np.einsum("ij,ij->i", c - a, across) for c in (first, second))
    circle = np.sqrt(np.maximum(first_radius**2 - before**2, 0.0))
    return np.where(before * after < 0.0, circle, np.minimum(first_radius, second_radius))


def _grown(centres: np.ndarray, surface: cKDTree, period: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest balls that touch the surface where (n, 3) balls do: centres (n, 3) and radii (n,).

    Each moves away from its first contact, as large as the nearest surface ahead lets it be (shrinking ball, J. Ma et
    al., Vis Comput 2012;28:7).
    """
    least, contact = surface.query(centres)
    foot = surface.data[contact]
    away = centres - foot
    away -= period * np.rint(away / period)
    away /= least[:, None]
    radii = least + _GROWTH
    busy = np.arange(len(centres))
    for _ in range(_ROUNDS):
        nearest, index = surface.query((foot[busy] + radii[busy, None] * away[busy]) % period)
        held = nearest < radii[busy] * (1.0 - _SETTLED)
        busy, index = busy[held], index[held]
        chord = surface.data[index] - foot[busy]
        chord -= period * np.rint(chord / period)
        ahead = np.einsum("ij,ij->i", chord, away[busy])
        through = np.einsum("ij,ij->i", chord, chord) / (2.0 * np.maximum(ahead, 1e-12))
        radii[busy] = np.clip(through, least[busy], radii[busy])
    moved = (foot + radii[:, None] * away) % period
    grown = surface.query(moved)[0]
    # What is held on all sides already, a hair beside its first contact's normal, has no way to grow.
    better = grown > least
    return np.where(better[:, None], moved, centres), np.where(better, grown, least)


def _through(triangle: np.ndarray, surface: cKDTree, period: int) -> float:
    """The radius of the largest ball that passes a surface between places near (3, 3) samples of it.

    The ball crosses planes beside the triangle's where it has most room in each; the one with least room counts.
    """
    a, u, v = triangle[0], triangle[1] - triangle[0], triangle[2] - triangle[0]
    across = np.cross(u, v)
    centre = a + np.cross((u @ u) * v - (v @ v) * u, across) / (2.0 * (across @ across))
    frame = np.linalg.svd(across[None, :])[2]
    step = np.linspace(-_BESIDE, _BESIDE, _BESIDES)
    planes = np.stack(np.meshgrid(step, step, step, indexing="ij"), axis=-1) @ frame
    room = surface.query((centre + planes.reshape(-1, 3)) % period)[0].reshape(_BESIDES, -1)
    return float(room.max(axis=1).min())


def _covering(places: np.ndarray, centres: np.ndarray, radii: np.ndarray, period: int) -> np.ndarray:
    """(n,) the radius of the largest ball that covers each of (n, 3) places; balls are given largest first."""
    sizes = np.zeros(len(places))
    loop = compiled(_cover_loop)
    if loop is not None:
        loop(places, centres, radii, float(period), sizes)
        return sizes
    waiting = np.arange(len(places))
    for begin in range(0, len(radii), _BLOCK):
        away = np.abs(places[waiting, None, :] - centres[None, begin : begin + _BLOCK])
        away = np.minimum(away, period - away)
        held = np.einsum("ijk,ijk->ij", away, away) <= radii[begin : begin + _BLOCK] ** 2
        found = held.any(axis=1)
        sizes[waiting[found]] = radii[begin : begin + _BLOCK][held[found].argmax(axis=1)]
        waiting = waiting[~found]
        if len(waiting) == 0:
            break
    return sizes


def _cover_loop(places: np.ndarray, centres: np.ndarray, radii: np.ndarray, period: float, sizes: np.ndarray) -> None:
    """As `_covering`, into sizes; compiled."""
    for i in range(places.shape[0]):
        for j in range(radii.shape[0]):
            square = 0.0
            for k in range(3):
                away = abs(places[i, k] - centres[j, k])
                away = min(away, period - away)
                square += away * away
            if square <= radii[j] * radii[j]:
                sizes[i] = radii[j]
                break
