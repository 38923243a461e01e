"""A block of text on a part: how it is made, what it says, where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.text import Lettering, draped, lettering

from ..plan.guides import MarkPlan
from .mark_place import Block, Place

# The narrowest line of letters on metal, mm (clinical facts: line ≥ 0.4); on plastic no less.
LINE_MM = 0.4
# Solid left behind and beside text, mm: the PA12 wall (clinical facts: ≥ 1.0) and the recommended printed metal wall.
WALL_MM = 1.0
# A surface under text may be off an even one by so much, and what is cut or joined reaches so far past it, mm.
UNEVEN_MM, _PAST_MM = 0.08, 0.3
# Edges of letters no longer than this follow a surface of radius 3 mm within 0.5² / (8 · 3) = 0.01 mm.
_LONGEST_MM = 0.5


@dataclass(frozen=True)
class Lettered:
    """How text is made on one material: style as in MarkPlan; height of capitals, depth or height of relief, mm."""

    style: str
    height_mm: float
    depth_mm: float
    field: str

    @classmethod
    def on(cls, material: str, marks: MarkPlan) -> Lettered:
        """On "metal" or "plastic"."""
        height, depth = (getattr(marks, f"{material}_{side}_mm") for side in ("height", "depth"))
        return cls(marks.style, height, depth, f"marks.{material}_height_mm")

    @property
    def below_mm(self) -> float:
        """How deep solid must reach under the surface."""
        return WALL_MM + (self.depth_mm if self.style == "engraved" else 0.0)

    def letters(self, lines: Sequence[str]) -> Lettering:
        """Raises GeometryError where they cannot be so small."""
        return _letters(tuple(lines), self.height_mm)

    def block(self, letters: Lettering) -> Block:
        """The rectangle that letters need."""
        return Block(letters.width_mm, letters.height_mm, self.below_mm, WALL_MM, UNEVEN_MM)

    def prisms(self, letters: Lettering, place: Place) -> Mesh:
        """What is cut, or joined, in RAS mm: letters from their depth to past the surface, following it."""
        low, high = (-self.depth_mm, _PAST_MM) if self.style == "engraved" else (-_PAST_MM, self.depth_mm)
        return draped(letters.solid(low, high, _LONGEST_MM), place.height).transformed(place.frame)


@dataclass(frozen=True, eq=False)
class Mark:
    """One block of text on a part, by its name. lines: as written (or, where nothing fits, as wanted); place: where,
    None where not; omitted: words left out for want of room; why: what to change where text or words of it are missing.
    """

    part: str
    lines: tuple[str, ...]
    lettered: Lettered
    place: Place | None
    stroke_mm: float = 0.0
    omitted: tuple[str, ...] = ()
    why: str = ""

    @property
    def letters(self) -> Lettering:
        """The letters as drawn."""
        return self.lettered.letters(self.lines)

    def covers(self, points: np.ndarray) -> np.ndarray:
        """(n,) bool: which points lie in or close to the block, through all that its depth and wall take."""
        if self.place is None:
            return np.zeros(len(points), dtype=bool)
        local = np.abs(self.place.to_local(points))
        half = self.place.half + WALL_MM
        return np.asarray((local[:, :2] <= half).all(axis=1) & (local[:, 2] <= 2.0 * self.lettered.below_mm))


@lru_cache(maxsize=256)
def _letters(lines: tuple[str, ...], height_mm: float) -> Lettering:
    """The same words are asked for by every part and check."""
    return lettering(lines, height_mm, LINE_MM)
