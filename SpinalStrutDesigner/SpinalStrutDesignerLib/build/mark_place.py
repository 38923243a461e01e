"""Where a block of text lies on a part: nearly even, nothing but solid under and around it, and seen best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.samples import first_in_cells, spread
from scipy.spatial import cKDTree

from ..case.frame import projected

# Between points that tell what a surface is like: less than the narrowest hole or edge of any part (1.5 mm), mm.
POINT_MM = 0.4
# Between places that are tried, mm, and turns of the text in its plane that are, degrees: upright, and reading upwards;
# and along and across the directions in which the surface is straightest, and in which what is even of it is longest.
_TRIED_MM = 1.5
# Of the points about a place one of so many is looked at first.
_SOME = 5
_TURNS_DEG = (0.0, 90.0, 22.5, -22.5, 45.0, -45.0, 67.5, -67.5)
# Triangles less wide than this tell no direction, mm: rounding to STL turns them.
_SLIVER_MM = 0.005
# Of a block's middle; its direction is that of the surface around it, mm.
_AROUND_MM = 1.5
# A surface under text leans no farther from its direction than this (25°), nor beside it (60°): as cosines. Engineering
# judgement: a letter is then drawn wider by a tenth at most, and what stands beside it is no wall.
_LEAN, _LEAN_BESIDE = 0.906, 0.5
_NOISE = 0.1  # by which one triangle's own direction may be off, as a cosine
_STEEP = 0.466  # tan 25°
# The surface's shape under a block is told by these powers along and across the text.
_POWERS = np.array([(i, j) for i, j in product(range(5), range(3)) if i + j <= 5])
# Worth lost for what is off an even surface, per mm, and for text that reads upwards.
_UNEVEN_COST, _TURN_COST = 2.0, 0.1


@dataclass(frozen=True, eq=False)
class Skin:
    """Points of a part's surface. points, normals: (n, 3) RAS, outwards; worth: (n,) how well text is seen there, -inf
    where there must be none; tree: of the points."""

    points: np.ndarray
    normals: np.ndarray
    worth: np.ndarray
    tree: cKDTree

    @classmethod
    def of(cls, mesh: Mesh) -> Skin:
        """Of a closed mesh, where text may be anywhere."""
        a, b, c = mesh.triangles.transpose(1, 0, 2)
        longest = np.sqrt(np.max([np.einsum("ij,ij->i", e, e) for e in (b - a, c - b, a - c)], axis=0))
        wide = np.linalg.norm(np.cross(b - a, c - a), axis=1) > _SLIVER_MM * longest
        points, normals = spread(Mesh(mesh.vertices, mesh.faces[wide]), POINT_MM)
        return cls(points, normals, np.zeros(len(points)), cKDTree(points))

    def with_worth(self, worth: np.ndarray) -> Skin:
        """The same points with another worth (n,)."""
        return Skin(self.points, self.normals, worth, self.tree)


@dataclass(frozen=True)
class Block:
    """A rectangle of text, mm: its sides, how deep solid must reach under it and around it, and by how much the surface
    may be off an even one."""

    width: float
    height: float
    below: float
    beside: float
    uneven: float


@dataclass(frozen=True, eq=False)
class Place:
    """Where a block lies. frame: 4x4 to RAS, axes along the text, up, and out of the surface; terms: of the surface's
    height there over powers of place by half the block's sides; uneven_mm: the farthest that the surface is off
    them."""

    frame: np.ndarray
    half: np.ndarray
    terms: np.ndarray
    uneven_mm: float
    worth: float

    def height(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) mm, the surface's height at places (n, 2) of the block, and its slopes there, (n, 2). Beyond the block
        it runs on level."""
        share = np.clip(at / self.half, -1.0, 1.0)
        height = _summed(_powers(share), self.terms)
        slopes = []
        for axis in (0, 1):
            lower = _POWERS - np.eye(2, dtype=int)[axis]
            factor = _POWERS[:, axis] * self.terms
            slopes.append(_summed(_raised(share, np.maximum(lower, 0)), factor) / self.half[axis])
        return height, np.column_stack(slopes)

    def to_ras(self, local: np.ndarray) -> np.ndarray:
        """RAS mm of places (n, 3) in the block's frame."""
        placed: np.ndarray = projected(local, self.frame[:3, :3]) + self.frame[:3, 3]
        return placed

    def to_local(self, points: np.ndarray) -> np.ndarray:
        """Places in the block's frame of points (n, 3) RAS mm."""
        return projected(points - self.frame[:3, 3], self.frame[:3, :3].T)


@dataclass(frozen=True, eq=False)
class _Around:
    """What lies about one point, in axes of its own. local: (n, 3) mm; lean: (n,) cosine of the normals to the third
    axis; free: (n,) bool, where text may be; ways_deg: turns in which the surface is straightest, and longest."""

    axes: np.ndarray
    local: np.ndarray
    lean: np.ndarray
    free: np.ndarray
    ways_deg: tuple[float, ...]

    def chosen(self, number: np.ndarray, turned: np.ndarray) -> _Around:
        """Some of the points, in turned axes."""
        return _Around(self.axes, projected(self.local[number], turned), self.lean[number], self.free[number], ())


def best_place(skin: Skin, ranks: Sequence[Sequence[Block]], up: np.ndarray) -> tuple[int, int, Place] | None:
    """The first of several ranks of which any block lies well on a surface, which block, and where it lies best.

    up: (3,) RAS, which way the text stands where it may be chosen. None where no block does.
    """
    blocks = [(rank, index, block) for rank, some in enumerate(ranks) for index, block in enumerate(some)]
    best: tuple[int, int, Place] | None = None
    least = _in_all([block for _, _, block in blocks])
    for number in _tried(skin, least):
        worth = float(skin.worth[number])
        if best is not None:
            if best[0] == 0 and worth <= best[2].worth:
                break
            blocks = [one for one in blocks if one[0] <= best[0]]
        # What every block covers needs few points, and already tells of most places that none of them fits.
        if not _open(_around(skin, int(number), [least], up), [least]):
            continue
        around = _around(skin, int(number), [block for _, _, block in blocks], up)
        for which, turn in _open(around, [block for _, _, block in blocks]):
            rank, index, block = blocks[which]
            bound = worth - _TURN_COST * (1.0 - np.cos(np.deg2rad(turn)))
            if best is not None and (rank, -bound) >= (best[0], -best[2].worth):
                continue
            place = _fitted(around, turn, skin.points[number], bound, block)
            if place is not None and (best is None or (rank, -place.worth) < (best[0], -best[2].worth)):
                best = (rank, index, place)
    return best


def _in_all(blocks: Sequence[Block]) -> Block:
    """The largest block that lies in each of several."""
    sides = ("width", "height", "below", "beside")
    width, height, below, beside = (min(getattr(block, side) for block in blocks) for side in sides)
    return Block(width, height, below, beside, max(block.uneven for block in blocks))


def _tried(skin: Skin, block: Block) -> np.ndarray:
    """Numbers of points where a block's middle is tried, the best seen first: about them the surface is even as far as
    the block reaches however it is turned."""
    tried = np.flatnonzero(skin.worth > -np.inf)
    tried = tried[first_in_cells(skin.points[tried], _TRIED_MM)]
    if len(tried) == 0:
        return tried
    near = skin.tree.query_ball_point(skin.points[tried], 0.5 * min(block.height, block.width) + block.beside)
    count = np.array([len(some) for some in near])
    met, of = np.concatenate([np.array(some, int) for some in near]), np.repeat(np.arange(len(tried)), count)
    normals, away = skin.normals[tried[of]], skin.points[met] - skin.points[tried[of]]
    lean = np.einsum("ij,ij->i", skin.normals[met], normals)
    # Noise of a triangle's direction, or a wall's far side so near, must not end the search.
    bad = (skin.worth[met] == -np.inf) | (np.abs(lean) < _LEAN_BESIDE - _NOISE)
    bad &= np.einsum("ij,ij->i", away, normals) > -block.below
    tried = tried[np.bincount(of, bad, len(tried)) == 0]
    return tried[np.argsort(-skin.worth[tried], kind="stable")]


def _around(skin: Skin, number: int, blocks: Sequence[Block], up: np.ndarray) -> _Around:
    reach = max(np.hypot(0.5 * b.width + b.beside, 0.5 * b.height + b.beside) for b in blocks)
    middle = skin.points[number]
    near = np.asarray(skin.tree.query_ball_point(middle, float(reach) + max(b.below for b in blocks)))
    away = skin.points[near] - middle
    close = near[np.einsum("ij,ij->i", away, away) < _AROUND_MM**2]
    axes = _axes(skin.normals[close], skin.normals[number], up)
    lean = projected(skin.normals[near], axes[2:])[:, 0]
    bent = projected(skin.normals[close], axes[:2])
    bent = bent[np.einsum("ij,ij->i", bent, bent) < 1.0 - _LEAN_BESIDE**2]
    local, free = projected(away, axes), skin.worth[near] > -np.inf
    even = local[free & (lean >= _LEAN) & (np.abs(local[:, 2]) <= max(b.uneven for b in blocks)), :2]
    return _Around(axes, local, lean, free, (_least_deg(bent), _least_deg(even - even.sum(axis=0) / max(len(even), 1))))


def _least_deg(plane: np.ndarray) -> float:
    """The direction, degrees, in which the squares of (n, 2) sum up to least."""
    ways = np.linalg.eigh(np.einsum("ni,nj->ij", plane, plane))[1]
    return float(np.rad2deg(np.arctan2(ways[1, 0], ways[0, 0])))


def _open(around: _Around, blocks: Sequence[Block]) -> list[tuple[int, float]]:
    """Numbers of blocks and turns for which nothing but even surface is met under and beside the block, as far as a
    plane tells."""
    turns = np.array([*_TURNS_DEG, *(_upright(way + quarter) for way in around.ways_deg for quarter in (0.0, 90.0))])
    high = around.local[:, 2] > -min(block.below for block in blocks)
    # A part of the points rules most out; what it lets pass is looked at with all of them.
    high &= np.arange(len(high)) % _SOME == 0
    under = _turned_by(around.local[high & (~around.free | (around.lean < _LEAN))], turns)
    beside = _turned_by(around.local[high & (~around.free | (around.lean < _LEAN_BESIDE))], turns)
    made = []
    for number, block in enumerate(blocks):
        half = 0.5 * np.array([block.width, block.height])
        met = _within(under, half).any(axis=1) | _within(beside, half + block.beside).any(axis=1)
        made += [(number, float(turn)) for turn in turns[~met]]
    return made


def _turned_by(local: np.ndarray, turns_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(turns, n) mm each: how far along and across turned axes points (n, 3) lie."""
    cosine, sine = np.cos(np.deg2rad(turns_deg))[:, None], np.sin(np.deg2rad(turns_deg))[:, None]
    x, y = local[:, 0], local[:, 1]
    return np.abs(cosine * x + sine * y), np.abs(cosine * y - sine * x)


def _within(away: tuple[np.ndarray, np.ndarray], half: np.ndarray) -> np.ndarray:
    """(turns, n) bool: what lies within a rectangle."""
    inside: np.ndarray = (away[0] <= half[0]) & (away[1] <= half[1])
    return inside


def _upright(degrees: float) -> float:
    """The turn on which text lies along the same line and is not upside down: above -90 to 90."""
    return 90.0 - (90.0 - degrees) % 180.0


def _axes(normals: np.ndarray, own: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(3, 3) rows along upright text, up, and out of a surface of normals (n, 3); own: that of the point itself."""
    out = normals[projected(normals, own[None])[:, 0] > _LEAN_BESIDE].mean(axis=0)
    out /= np.linalg.norm(out)
    along = np.cross(up, out)
    if np.linalg.norm(along) < 0.1:
        along = np.cross(np.eye(3)[int(np.argmin(np.abs(out)))], out)
    along /= np.linalg.norm(along)
    return np.stack([along, np.cross(out, along), out])


def _fitted(around: _Around, turn: float, middle: np.ndarray, worth: float, block: Block) -> Place | None:
    """A block's place at a turn of the axes; None where it does not lie well."""
    cosine, sine = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    turned = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    half = 0.5 * np.array([block.width, block.height])
    within = _within(_turned_by(around.local, np.array([turn])), half + block.beside)[0]
    about = around.chosen(np.flatnonzero(within), turned)
    local, aside = about.local, np.abs(about.local[:, :2])
    under = (aside <= half).all(axis=1)
    cone = np.abs(local[:, 2]) <= _STEEP * np.hypot(aside[:, 0], aside[:, 1]) + block.uneven
    front = under & (about.lean >= _LEAN) & cone
    if front.sum() < 3 * len(_POWERS):
        return None
    powers = _powers(np.clip(local[:, :2] / half, -1.0, 1.0))
    under_text, heights = powers[front], local[front, 2]
    # The normal equations, summed without BLAS: it hands such narrow products to threads that wait for each other.
    squares = np.einsum("ni,nj->ij", under_text, under_text)
    terms = np.linalg.lstsq(squares, np.einsum("ni,n->i", under_text, heights), rcond=None)[0]
    off = local[:, 2] - _summed(powers, terms)
    uneven = float(np.abs(off[front]).max())
    # All that is met from the outside down to the least wall is the surface itself, and solid behind.
    met = off > -block.below
    well = about.free & (about.lean >= np.where(under, _LEAN, _LEAN_BESIDE)) & (~under | (off <= block.uneven))
    if uneven > block.uneven or not well[met].all():
        return None
    frame = np.eye(4)
    frame[:3, :3], frame[:3, 3] = (turned @ around.axes).T, middle
    return Place(frame, half, terms, uneven, worth - _UNEVEN_COST * uneven)


def _summed(powers: np.ndarray, terms: np.ndarray) -> np.ndarray:
    summed: np.ndarray = np.einsum("ni,i->n", powers, terms)
    return summed


def _powers(share: np.ndarray) -> np.ndarray:
    return _raised(share, _POWERS)


def _raised(share: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """(n, m) products of places (n, 2) raised to powers (m, 2)."""
    x, y = (share[:, axis, None] ** np.arange(5) for axis in (0, 1))
    raised: np.ndarray = x[:, powers[:, 0]] * y[:, powers[:, 1]]
    return raised
