"""Text on a part, engraved or embossed, at the best place that has room for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.mesh.boolean import Solid, printable
from LatticeGeneratorLib.mesh.mesh import Part
from LatticeGeneratorLib.mesh.untangle import untangled_near

from .mark import UNEVEN_MM, WALL_MM, Lettered, Mark
from .mark_place import Block, Place, Skin, best_place
from .mark_words import PROXIMAL, Wording, Wordings, layouts, left_out

_ARROWS = "↑←↓→"  # by quarter turns of the text, counter-clockwise


def marked(
    part: Part, texts: Sequence[Wordings], lettered: Lettered, worth: Callable[[Skin], np.ndarray], up: np.ndarray
) -> tuple[Part, tuple[Mark, ...]]:
    """A part with blocks of text, each at its best place in as many of its words as fit, the others in a block of their
    own where there is room for that, and what was written where.

    worth: (n,) how well text is placed at each point of the part's surface, -inf where it must not be; up: (3,) RAS,
    towards the head. The part itself where nothing fits: text is no reason not to make a part.
    """
    if lettered.style == "none":
        return part, ()
    skin, marks = Skin.of(part.mesh), list[Mark]()
    skin = skin.with_worth(worth(skin))
    for wordings in texts:
        mark = _mark(part.name, wordings, lettered, skin, up)
        skin = _without(skin, mark)
        if mark.place is not None and mark.omitted:
            beside = _mark(part.name, (mark.omitted,), lettered, skin, up)
            if beside.place is not None:
                marks.append(replace(mark, omitted=(), why=""))
                mark, skin = beside, _without(skin, beside)
        marks.append(mark)
    return with_marks(part, marks), tuple(marks)


def with_marks(part: Part, marks: Sequence[Mark]) -> Part:
    """A part with text where it was placed, on itself or on another part of the same shape; exactly as STL will hold
    it. Raises GeometryError where it would not be closed."""
    placed = [(mark, mark.place) for mark in marks if mark.place is not None]
    if not placed:
        return part
    solid = Solid.of(part.mesh)
    prisms = [mark.lettered.prisms(mark.letters, place) for mark, place in placed]
    solid = solid.less(prisms) if placed[0][0].lettered.style == "engraved" else solid.joined(prisms)
    body = printable(solid.mesh())
    near = np.any([mark.covers(body.vertices) for mark, _ in placed], axis=0)
    told = {"text": "; ".join(" ".join(mark.lines) for mark, _ in placed)}
    return replace(part, mesh=untangled_near(body, np.flatnonzero(near))[0], provenance={**part.provenance, **told})


def _without(skin: Skin, mark: Mark) -> Skin:
    """The surface that a mark leaves for others."""
    return skin.with_worth(np.where(mark.covers(skin.points), -np.inf, skin.worth))


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
        f"bone, holes, necks and, if engraved, a strut's most stressed sections; {_remedy(lettered)}"
    )
    return Mark(name, lines[0][0], lettered, None, omitted=wordings[0], why=why)


def _block(lines: tuple[str, ...], lettered: Lettered) -> Block:
    """Wide and high enough whichever way the arrow points."""
    turned = dict.fromkeys(_with_arrow(lines, arrow) for arrow in _ARROWS[:2])
    blocks = [lettered.block(lettered.letters(one)) for one in turned]
    width, height = (max(getattr(block, side) for block in blocks) for side in ("width", "height"))
    return Block(width, height, lettered.below_mm, WALL_MM, UNEVEN_MM)


def _turned(lines: tuple[str, ...], place: Place, up: np.ndarray) -> tuple[str, ...]:
    """Lines whose arrow points towards the head as near as a quarter turn tells."""
    along, upright = (float(place.frame[:3, axis] @ up) for axis in (0, 1))
    quarter = round(np.arctan2(-along, upright) / (0.5 * np.pi)) % 4
    return _with_arrow(lines, _ARROWS[quarter])


def _with_arrow(lines: Wording, arrow: str) -> Wording:
    return tuple(line.replace(PROXIMAL, arrow) for line in lines)


def _words(words: Sequence[str]) -> str:
    return ", ".join("the arrow" if word == PROXIMAL else f"'{word}'" for word in words)


def _remedy(lettered: Lettered) -> str:
    raised = ', or set marks.style to "embossed"' if lettered.style == "engraved" else ""
    return f"shorten case_code, or make {lettered.field} smaller{raised}"
