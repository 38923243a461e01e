"""Words as closed solid letters, by matplotlib's text engine and the one face that comes with it, so that they are the
same on every machine: DejaVu Sans Bold, whose lines are the boldest of its open shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import GeometryError
from .boolean import prisms, widened
from .mesh import Mesh

# From baseline to baseline over the height of capitals: letters without descenders then stand 0.6 heights apart.
# Engineering judgement.
LINE_PITCH = 1.6
# Where an outline is met again, its two sides are those of one line where they face each other by this much (cosine).
_FACING = -0.8
# Lines may be drawn bolder by this share of the height on each side: counters of the face's 4, A and 8 stay open.
_BOLDER = 0.05
_EDGE = 0.02  # between places where a line's width is measured, over the height of capitals
_FACE = "DejaVuSans-Bold.ttf"
_MOVE, _LINE, _CURVE = 1, 2, 3  # matplotlib's codes of what a place of an outline is


@dataclass(frozen=True, eq=False)
class Lettering:
    """Lines of text, centred on one another, in a plane: x along the lines, y up, the origin in the block's middle.

    outlines: closed polygons (n, 2) mm, outer ones counter-clockwise, holes clockwise; width_mm, height_mm: of the
    block that holds them; stroke_mm: their narrowest line, across from side to side, corners left aside.
    """

    lines: tuple[str, ...]
    cap_height_mm: float
    outlines: tuple[np.ndarray, ...]
    width_mm: float
    height_mm: float
    stroke_mm: float

    def solid(self, low_mm: float, high_mm: float, longest_mm: float) -> Mesh:
        """The letters as closed prisms from low to high, with edges no longer than longest_mm."""
        return prisms(self.outlines, low_mm, high_mm, longest_mm)

    def within(self, points: np.ndarray) -> np.ndarray:
        """(n,) bool: which points (n, 2) lie in a letter, by the non-zero rule."""
        turns = np.zeros(len(points), int)
        for outline in self.outlines:
            a, b = outline, np.roll(outline, -1, axis=0)
            x, y = points.T[:, :, None]
            side = (b - a)[:, 0] * (y - a[:, 1]) - (b - a)[:, 1] * (x - a[:, 0])
            turns += ((a[:, 1] <= y) & (b[:, 1] > y) & (side > 0.0)).sum(axis=1)
            turns -= ((a[:, 1] > y) & (b[:, 1] <= y) & (side < 0.0)).sum(axis=1)
        inside: np.ndarray = turns != 0
        return inside

    @property
    def area_mm2(self) -> float:
        """Of all letters."""
        return sum(_area(outline) for outline in self.outlines)


def lettering(
    lines: Sequence[str], cap_height_mm: float, least_stroke_mm: float = 0.0, chord_mm: float = 0.01
) -> Lettering:
    """Lines of words with capitals of that height; curves are followed within chord_mm. Where their narrowest line is
    narrower than least_stroke_mm, all are drawn bolder.

    Raises GeometryError for words that are empty, characters that the face lacks, and a height that is none or too
    small for such lines.
    """
    words = tuple(line.strip() for line in lines)
    if not words or not all(words):
        raise GeometryError(f"text needs at least one character on each line, not {list(lines)}")
    if not cap_height_mm > 0.0:
        raise GeometryError(f"text needs a height above 0 mm, not {cap_height_mm:g} mm")
    missing = [c for line in words for c in line if not _font().get_char_index(ord(c))]
    if missing:
        raise GeometryError(f"the face {_FACE} has no character '{missing[0]}' of {list(words)}: write it otherwise")
    outlines = widened(_drawn(words, cap_height_mm, chord_mm), 0.0)
    stroke = _stroke(outlines, cap_height_mm)
    if stroke < least_stroke_mm:
        by = 0.5 * (least_stroke_mm - stroke)
        if by > _BOLDER * cap_height_mm:
            least = least_stroke_mm / (stroke / cap_height_mm + 2.0 * _BOLDER)
            raise GeometryError(
                f"letters {cap_height_mm:g} mm high have lines {stroke:.2f} mm wide, which cannot be drawn "
                f"{least_stroke_mm:g} mm wide and stay legible: make them at least {least:.2f} mm high"
            )
        outlines, stroke = widened(outlines, by), least_stroke_mm
    low, high = _box(outlines)
    middle = 0.5 * (low + high)
    width, height = (float(side) for side in high - low)
    return Lettering(words, cap_height_mm, tuple(o - middle for o in outlines), width, height, stroke)


def _drawn(words: tuple[str, ...], cap_height: float, chord: float) -> list[np.ndarray]:
    """The outlines of lines one below the other, centred."""
    scale = cap_height / float(np.ptp(np.concatenate(_outlines("H", np.inf))[:, 1]))
    drawn = list[np.ndarray]()
    for number, line in enumerate(words):
        outlines = [scale * o for o in _outlines(line, chord / scale)]
        if not outlines:
            raise GeometryError(f"nothing of '{line}' can be seen: write letters")
        low, high = _box(outlines)
        drawn += [o - [0.5 * (low[0] + high[0]), number * LINE_PITCH * cap_height] for o in outlines]
    return drawn


def draped(letters: Mesh, height: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]) -> Mesh:
    """Prisms of letters laid on a surface: their third coordinate becomes the distance from it along its own normal, to
    first order in how much it curves.

    height: from places (n, 2) to the surface's height (n,) and its slopes (n, 2) there. Each vertex moves along the
    third axis alone, so that nothing comes to cross.
    """
    at = letters.vertices[:, :2]
    surface, slope = height(at)
    lean = np.sqrt(1.0 + np.einsum("ij,ij->i", slope, slope))
    return Mesh(np.column_stack([at, surface + lean * letters.vertices[:, 2]]), letters.faces)


def _outlines(line: str, chord: float) -> list[np.ndarray]:
    """A line's closed polygons (n, 2) in the face's own unit, curves followed within chord."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    places, codes = TextToPath().get_text_path(FontProperties(fname=str(_file())), line, ismath=False)
    outlines, current, number = list[np.ndarray](), list[np.ndarray](), 0
    while number < len(codes):
        code, place = int(codes[number]), np.asarray(places[number], dtype=float)
        if code == _MOVE:
            current = [place]
        elif code == _LINE:
            current.append(place)
        elif code == _CURVE:
            number += 1
            current += _curve(current[-1], place, np.asarray(places[number], dtype=float), chord)
        else:
            outlines.append(_without_repeats(np.array(current)))
        number += 1
    return outlines


def _curve(start: np.ndarray, control: np.ndarray, end: np.ndarray, chord: float) -> list[np.ndarray]:
    """Places along a quadratic curve after its start: n equal steps leave |start - 2 control + end| / (4 n²)."""
    bend = float(np.linalg.norm(start - 2.0 * control + end))
    steps = max(int(np.ceil(np.sqrt(bend / (4.0 * chord)))), 1)
    t = np.arange(1, steps + 1)[:, None] / steps
    return list((1.0 - t) ** 2 * start + 2.0 * t * (1.0 - t) * control + t**2 * end)


def _without_repeats(outline: np.ndarray) -> np.ndarray:
    return outline[np.linalg.norm(outline - np.roll(outline, -1, axis=0), axis=1) > 1e-9]


def _stroke(outlines: Sequence[np.ndarray], cap_height: float) -> float:
    """The least way across from the sides of outlines, holes clockwise, to the side opposite."""
    sides = np.concatenate([np.stack([o, np.roll(o, -1, axis=0)], axis=1) for o in outlines])
    along = sides[:, 1] - sides[:, 0]
    length = np.linalg.norm(along, axis=1)
    inward = np.column_stack([-along[:, 1], along[:, 0]]) / length[:, None]
    parts = np.ceil(length / (_EDGE * cap_height)).astype(int)
    side = np.repeat(np.arange(len(sides)), parts)
    share = (np.arange(len(side)) - np.repeat(np.cumsum(parts) - parts, parts) + 0.5) / parts[side]
    starts, ways = sides[side, 0] + share[:, None] * along[side], inward[side]
    # Where the way from each place meets each side: start + t · way = corner + s · along.
    cross = ways[:, None, 0] * along[None, :, 1] - ways[:, None, 1] * along[None, :, 0]
    to = sides[None, :, 0] - starts[:, None]
    safe = np.where(np.abs(cross) > 1e-12, cross, np.inf)
    t = (to[..., 0] * along[None, :, 1] - to[..., 1] * along[None, :, 0]) / safe
    s = (to[..., 0] * ways[:, None, 1] - to[..., 1] * ways[:, None, 0]) / safe
    met = (np.abs(cross) > 1e-12) & (t > 1e-9) & (s >= 0.0) & (s <= 1.0)
    t = np.where(met, t, np.inf)
    first = t.argmin(axis=1)
    facing = np.einsum("ij,ij->i", ways, inward[first]) < _FACING
    return float(t.min(axis=1)[facing].min(initial=np.inf))


def _area(outline: np.ndarray) -> float:
    x, y = outline.T
    return 0.5 * float(x @ np.roll(y, -1) - np.roll(x, -1) @ y)


def _box(outlines: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    places = np.concatenate(outlines)
    return places.min(axis=0), places.max(axis=0)


def _file() -> Path:
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / _FACE


@lru_cache(maxsize=1)
def _font() -> Any:
    from matplotlib.font_manager import get_font

    return get_font(str(_file()))
