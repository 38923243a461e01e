"""A lattice in a domain, made slab by slab: what it is, the level at which it is as porous as wanted, its surface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from ..cells import cell_named
from ..errors import GeometryError
from ..field.ahead import ahead
from ..field.isosurface import clamp, contour, least_value
from ..field.kept import Kept
from ..field.slabs import Block, Cut, Slab, Stitcher, enclosed, slabs_of
from ..measure.porosity import porosity
from ..mesh.mesh import Mesh
from ..progress import Progress, portion, silent
from .aim import Aim
from .collect import Collected
from .domain_field import DomainField
from .held import METAL, VOID, Groups
from .lattice import Lattice
from .level import better_level, first_level, next_level
from .pattern import Pattern
from .places import Regular
from .spec import LatticeSpec

_POROSITY_TOLERANCE = 0.0008  # of the 0.001 allowed: files round
_ATTEMPTS = 14  # mostly one or two; where porosity jumps, as chips come and go, halving needs some ten
_CLOSED_SHARE = 0.01  # of the domain: more void than that is not shut in at the border by chance
_KEPT_BYTES = 80_000_000  # little beside a mesh that needs as much to be worth it; in blocks nothing is kept

Result = TypeVar("Result")

Anchor = Callable[[Slab], np.ndarray]
"""Of a slab bool [k, j, i]: where a lattice reaches the solid that it will be joined to."""


@dataclass(frozen=True, eq=False)
class Held:
    """What of the metal of a level stays. keep, filled: of each slab, by the slab's own groups of metal and of void,
    what is no loose chip and what is a closed pore; chips, pores: how many there are of either in all; edges: of the
    grid that cross the surface; closed_mm3: of the pores; values: the metal by slab, as far as memory allows.
    """

    level: float
    keep: list[np.ndarray]
    filled: list[np.ndarray]
    chips: int
    pores: int
    edges: int
    closed_mm3: float
    values: Kept[np.ndarray]


class Infill:
    """A domain about to be filled. anchor: what every piece that stays must reach; None: the largest stays. pattern:
    None: the wanted cell, evenly repeated. turn: 4x4, a rotation that takes what is made to where it belongs.
    measured_in: the closed part of the domain, in place then, whose porosity is to be as wanted, where what is made
    goes beyond it; None: all but what is solid."""

    def __init__(
        self,
        domain: DomainField,
        spec: LatticeSpec,
        anchor: Anchor | None = None,
        pattern: Pattern | None = None,
        turn: np.ndarray | None = None,
        measured_in: Mesh | None = None,
    ) -> None:
        self.domain, self.spec = domain, spec
        self.cell_mm = spec.cell_mm
        self._anchor, self._measured_in = anchor, measured_in
        self._turn = None if turn is None or np.array_equal(turn, np.eye(4)) else turn
        middle = 0.5 * (domain.grid.lower + domain.grid.upper)
        self.pattern = pattern or Pattern(cell_named(spec.cell), Regular(self.cell_mm, middle))
        self._aim = Aim.of(domain, self.pattern, spec.porosity)
        self._slabs = slabs_of(domain.grid)
        self._least = least_value(domain.grid)

    def lattice(self, progress: Progress = silent) -> Lattice:
        """The lattice as one mesh. Raises GeometryError if its porosity cannot be had in this domain."""

        def made(level: float, part: Progress) -> tuple[Lattice, float]:
            lattice = self.lattice_of(level, part)
            return lattice, lattice.porosity

        lattice = self._solved(made, progress)
        progress("lattice: done", 1.0)
        return lattice

    def lattice_of(self, level: float, progress: Progress = silent) -> Lattice:
        """The lattice of a level, whatever its porosity."""
        held = self.held(level, portion(progress, 0.0, 0.4))
        self._check_open(held)
        collected = Collected(held.edges)
        for block in self.blocks(held, portion(progress, 0.4, 1.0)):
            collected.add(block)
        mesh, part = collected.mesh(), self._measured_in
        return Lattice(
            mesh,
            self.spec,
            self.cell_mm,
            level,
            self.domain.grid.spacing,
            self._aim.porosity_of(collected.volume) if part is None else porosity(mesh, part),
            held.chips,
            self._aim.porosity,
            1.0 - collected.volume / self.domain.volume,
            held.pores,
            self._frame(),
            self._porous() if part is None else part,
        )

    def stream(self, progress: Progress = silent) -> Iterator[Block]:
        """The lattice in blocks, for whoever writes them away: memory does not grow with it. That its porosity is right
        is seen before the first of them, by making the surface once for its volume alone.

        Raises GeometryError as `lattice` does, and where porosity is to be measured in a part of the domain.
        """
        if self._measured_in is not None:
            raise GeometryError("a lattice that is joined to a solid is made at once, and not in blocks")

        def made(level: float, part: Progress) -> tuple[Held, float]:
            held = self.held(level, portion(part, 0.0, 0.4), kept_bytes=0)
            self._check_open(held)
            return held, self._aim.porosity_of(self._volume(held, portion(part, 0.4, 1.0)))

        yield from self.blocks(self._solved(made, portion(progress, 0.0, 0.6)), portion(progress, 0.6, 1.0))

    def _solved(self, made: Callable[[float, Progress], tuple[Result, float]], progress: Progress) -> Result:
        """What is made of the level at which its porosity, returned with it, is as wanted."""
        level, slope = self.level(portion(progress, 0.0, 0.2))
        tried: list[tuple[float, float]] = []
        for attempt in range(_ATTEMPTS):
            part = portion(progress, 1.0 - 0.8 ** (attempt + 1), 1.0 - 0.8 ** (attempt + 2))
            result, found = made(level, part)
            excess = found - self._aim.porosity
            if abs(excess) <= _POROSITY_TOLERANCE:
                return result
            tried.append((level, excess))
            level = next_level(tried, slope)
        raise GeometryError(
            f"the lattice came to {100 * found:.1f} % porosity instead of {100 * self._aim.porosity:.1f} %: "
            f"its domain is too small or thin for cells of {self.cell_mm:.2f} mm; enlarge it or ask for smaller pores"
        )

    def level(self, progress: Progress = silent) -> tuple[float, float]:
        """The level at which the lattice is about as porous as wanted, and by how much porosity rises with it there."""
        progress("lattice: level", 0.0)
        level, slope = first_level(self.domain, self.pattern, self._aim)
        progress("lattice: level", 0.5)
        return better_level(self.domain, self.pattern, self._aim, level, slope), slope

    def held(self, level: float, progress: Progress = silent, kept_bytes: int = _KEPT_BYTES) -> Held:
        """What of the metal of a level hangs together. Raises GeometryError if none reaches the anchor."""
        kept: Kept[np.ndarray] = Kept(kept_bytes)
        metal, void, edges = Groups(METAL), Groups(VOID), 0

        def found(number: int) -> tuple[np.ndarray, np.ndarray | None, np.ndarray, int]:
            slab = self._slabs[number]
            inside = kept.get(number, partial(self._cut, slab, level)) < 0.0
            crossed = _crossed(inside)
            labels = metal.labels(inside)
            reached = None if self._anchor is None else inside & self._anchor(slab)
            return labels, reached, void.labels(np.logical_not(inside, out=inside)), crossed

        for number, (labels, reached, free, crossed) in enumerate(ahead(found, range(len(self._slabs)))):
            progress("lattice: pieces", number / len(self._slabs))
            metal.add(labels, self._slabs[number], reached)
            void.add(free, self._slabs[number])
            edges += crossed
        numbers, sizes, marked = metal.joined()
        sizes[0] = 0
        if self._anchor is None:
            marked = np.arange(len(sizes)) == int(sizes.argmax())
        elif not marked.any():
            raise GeometryError("no piece of the lattice reaches the solid it is joined to: let its domain overlap it")
        outside, extents, _ = void.joined()
        extents[[0, outside[0][1]]] = 0  # what is no void, and what lies around all, as the grid's first point does
        if extents.any():
            self._forget_cavities(outside, extents, kept, level)
        closed = extents > 0
        return Held(
            level,
            [marked[number] for number in numbers],
            [closed[number] for number in outside],
            int((sizes > 0).sum() - marked.sum()),
            int(closed.sum()),
            edges,
            float(extents.sum()) * self.domain.grid.spacing**3,
            kept,
        )

    def _forget_cavities(
        self, groups: list[np.ndarray], extents: np.ndarray, kept: Kept[np.ndarray], level: float
    ) -> None:
        """Sets to zero, in place, how large the groups of void are that lie outside the domain: its own cavities."""
        within = np.zeros(len(extents), bool)
        for number, (slab, group) in enumerate(zip(self._slabs, groups)):
            if not extents[group].any():
                continue
            free = kept.get(number, partial(self._cut, slab, level)) >= 0.0
            labels = Groups(VOID).labels(free)
            within[group[labels[self.domain.on(slab) < 0.0]]] = True
        extents[~within] = 0

    def _check_open(self, held: Held) -> None:
        if held.closed_mm3 > _CLOSED_SHARE * self.domain.volume:
            raise GeometryError(
                f"{held.closed_mm3:.3g} mm³ of pores, {100 * held.closed_mm3 / self.domain.volume:.0f} % of it all, "
                "would be closed, and powder could not leave: leave a face open, or make a frame with windows"
            )

    def blocks(self, held: Held, progress: Progress = silent) -> Iterator[Block]:
        """The surface of what is held, slab by slab."""
        stitcher = Stitcher(self.domain.grid)

        def made(number: int) -> Cut:
            values = held.values.take(number, partial(self._cut, self._slabs[number], held.level))
            return Cut.of(self._kept_of(values, held, number))

        blocks = map(stitcher.block, ahead(made, range(len(self._slabs))), self._slabs)
        for number, block in enumerate(blocks):
            progress("lattice: surface", number / len(self._slabs))
            yield block if self._turn is None else block.turned(self._turn)
        progress("lattice: surface", 1.0)

    def _volume(self, held: Held, progress: Progress) -> float:
        """mm³ within the surface of what is held."""

        def within(number: int) -> float:
            values = held.values.get(number, partial(self._cut, self._slabs[number], held.level)).copy()
            return enclosed(*contour(self._kept_of(values, held, number)))

        volume = 0.0
        for number, part in enumerate(ahead(within, range(len(self._slabs)))):
            progress("lattice: volume", number / len(self._slabs))
            volume += part
        return volume * self.domain.grid.spacing**3

    def _porous(self) -> Mesh | None:
        if self.pattern.solids is None:
            return None
        part = self.pattern.solids.rest(self.domain)
        return part if self._turn is None else part.transformed(self._turn)

    def _frame(self) -> np.ndarray | None:
        pattern = self.pattern
        if not isinstance(pattern.places, Regular) or pattern.porosities is not None or pattern.solids is not None:
            return None
        frame = np.eye(4)
        frame[:3, 3] = pattern.places.origin
        return frame if self._turn is None else self._turn @ frame

    def _cut(self, slab: Slab, level: float) -> np.ndarray:
        return self.pattern.cut(self.domain.on(slab), slab.grid, level)

    def _kept_of(self, values: np.ndarray, held: Held, number: int) -> np.ndarray:
        """The values on a slab, without loose chips and closed pores and ready for a surface; made in place."""
        keep, filled = held.keep[number], held.filled[number]
        if not keep[1:].all():
            inside = values < 0.0
            loose = inside & ~keep[Groups(METAL).labels(inside)]
            np.negative(values, out=values, where=loose)
        if filled.any():
            outside = values >= 0.0
            closed = filled[Groups(VOID).labels(outside)]
            np.copyto(values, -self._least, where=closed & (values < self._least))
            np.negative(values, out=values, where=closed & (values > 0.0))
        clamp(values, self._least)
        return values


def _crossed(inside: np.ndarray) -> int:
    """How many edges of the grid lead from inside to outside."""
    pairs = ((inside[1:], inside[:-1]), (inside[:, 1:], inside[:, :-1]), (inside[..., 1:], inside[..., :-1]))
    return sum(int(np.count_nonzero(a != b)) for a, b in pairs)
