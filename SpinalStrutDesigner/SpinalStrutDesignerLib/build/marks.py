"""Text on a part, engraved or embossed, at the best place that has room for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.mesh.boolean import Solid, printable
from LatticeGeneratorLib.mesh.mesh import Mesh, Part
from LatticeGeneratorLib.mesh.text import Lettering, draped, lettering
from LatticeGeneratorLib.mesh.untangle import untangled

from ..plan.guides import MarkPlan
from .mark_place import Block, Place, Skin, best_place
from .mark_words import PROXIMAL, Wording, Wordings, layouts, left_out

# The narrowest line of letters on metal, mm (clinical facts: line ≥ 0.4); on plastic no less.
LINE_MM = 0.4
# Solid left behind and beside text, mm: the PA12 wall (clinical facts: ≥ 1.0) and the recommended printed metal wall.
WALL_MM = 1.0
# A surface under text may be off an even one by so much, and what is cut or joined reaches so far past it, mm.
_UNEVEN_MM, _PAST_MM = 0.08, 0.3
# Edges of letters no longer than this follow a surface of radius 3 mm within 0.5² / (8 · 3) = 0.01 mm.
_LONGEST_MM = 0.5
_ARROWS = "↑←↓→"  # by quarter turns of the text, counter-clockwise


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
        return lettering(lines, self.height_mm, LINE_MM)

    def block(self, letters: Lettering) -> Block:
        """The rectangle that letters need."""
        return Block(letters.width_mm, letters.height_mm, self.below_mm, WALL_MM, _UNEVEN_MM)

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


def marked(
    part: Part, texts: Sequence[Wordings], lettered: Lettered, worth: Callable[[Skin], np.ndarray], up: np.ndarray
) -> tuple[Part, tuple[Mark, ...]]:
    """A part with blocks of text, each at its best place in as many of its words as fit, and what was written where.

    worth: (n,) how well text is placed at each point of the part's surface, -inf where it must not be; up: (3,) RAS,
    towards the head. The part itself where nothing fits: text is no reason not to make a part.
    """
    if lettered.style == "none":
        return part, ()
    skin, marks = Skin.of(part.mesh), list[Mark]()
    skin = skin.with_worth(worth(skin))
    for wordings in texts:
        mark = _mark(part.name, wordings, lettered, skin, up)
        marks.append(mark)
        if mark.place is not None:
            skin = skin.with_worth(np.where(_beside(mark, skin.points), -np.inf, skin.worth))
    prisms = [m.lettered.prisms(m.letters, m.place) for m in marks if m.place is not None]
    return (part.with_mesh(_made(part.mesh, prisms, lettered.style)) if prisms else part), tuple(marks)


def _mark(name: str, wordings: Wordings, lettered: Lettered, skin: Skin, up: np.ndarray) -> Mark:
    """A block of text where it lies best, in as many words as fit."""
    lines = [layouts(wording) for wording in wordings]
    try:
        ranks = [[_block(one, lettered) for one in some] for some in lines]
    except GeometryError as fault:
        return Mark(name, lines[0][0], lettered, None, omitted=wordings[0], why=f"{fault}; set {lettered.field}")
    found = best_place(skin, ranks, up)
    if found is not None:
        rank, index, place = found
        written = _turned(lines[rank][index], place, up)
        omitted = left_out(wordings[0], wordings[rank])
        why = f"no room for {_words(omitted)}: {_remedy(lettered)}" if omitted else ""
        return Mark(name, written, lettered, place, lettered.letters(written).stroke_mm, omitted, why)
    least = min(ranks[-1], key=lambda block: block.width)
    why = (
        f"text does not fit: even '{' '.join(wordings[-1])}' needs an even surface of {least.width:.1f} × "
        f"{least.height:.1f} mm with {lettered.below_mm:g} mm of solid under it and {WALL_MM:g} mm around it, off "
        f"bone, holes and necks; {_remedy(lettered)}"
    )
    return Mark(name, lines[0][0], lettered, None, omitted=wordings[0], why=why)


def _block(lines: tuple[str, ...], lettered: Lettered) -> Block:
    """Wide and high enough whichever way the arrow points."""
    blocks = [lettered.block(lettered.letters(_with_arrow(lines, arrow))) for arrow in _ARROWS[:2]]
    width, height = (max(getattr(block, side) for block in blocks) for side in ("width", "height"))
    return Block(width, height, lettered.below_mm, WALL_MM, _UNEVEN_MM)


def _turned(lines: tuple[str, ...], place: Place, up: np.ndarray) -> tuple[str, ...]:
    """Lines whose arrow points towards the head as near as a quarter turn tells."""
    along, upright = (float(place.frame[:3, axis] @ up) for axis in (0, 1))
    quarter = round(np.arctan2(-along, upright) / (0.5 * np.pi)) % 4
    return _with_arrow(lines, _ARROWS[quarter])


def _with_arrow(lines: Wording, arrow: str) -> Wording:
    return tuple(line.replace(PROXIMAL, arrow) for line in lines)


def _beside(mark: Mark, points: np.ndarray) -> np.ndarray:
    """(n,) bool: which points lie in or close to a block, through all that its depth and wall take."""
    assert mark.place is not None
    local = np.abs(mark.place.to_local(points))
    half = mark.place.half + WALL_MM
    return np.asarray((local[:, :2] <= half).all(axis=1) & (local[:, 2] <= 2.0 * mark.lettered.below_mm))


def _made(mesh: Mesh, prisms: Sequence[Mesh], style: str) -> Mesh:
    """The body with letters cut or joined, exactly as STL will hold it. Raises GeometryError where it is not closed."""
    solid = Solid.of(mesh)
    solid = solid.less(prisms) if style == "engraved" else solid.joined(prisms)
    return untangled(printable(solid.mesh()))[0]


def _words(words: Sequence[str]) -> str:
    return ", ".join("the arrow" if word == PROXIMAL else f"'{word}'" for word in words)


def _remedy(lettered: Lettered) -> str:
    return f"shorten case_code, or make {lettered.field} smaller"
