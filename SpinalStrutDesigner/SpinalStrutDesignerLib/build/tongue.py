"""The room for a tongue: a foot in the disc space between its endplate and a neighbour that stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
from LatticeGeneratorLib.errors import GeometryError

from ..case.model import Case, Endplate, Structure
from ..plan.plan import Approach
from .bone import LocalField, bone_near, local_bone, swept
from .outline import polygon_distance
from .thin import HALF_WALL_MM

# Steps across and along the plate's normal at which room is looked for, mm: that of the bone's own sampling, and a
# quarter of it, since a height is told by where two faces are equally far.
_ACROSS_MM, _ALONG_MM = 0.5, 0.125
# About the footprint, from where rims and spurs still stand in the way in; into a concave endplate (as the foot's dome
# reaches), mm.
_AROUND_MM, _INTO_MM = 6.0, 3.5
_NEXT_MM = 18.0  # so far off bone of a standing neighbour is looked for, to name it: lumbar discs reach about 14
_FROM: Mapping[Approach, str] = {"anterior": "the front", "right": "the right", "left": "the left"}
SIDES: tuple[Approach, ...] = get_args(Approach)


@dataclass(frozen=True, eq=False)
class Space:
    """A disc space as a foot meets it. between_mm: its median height; heights: from each side, (n,) mm over the
    footprint of what can be reached from there past the bones' rims."""

    plate: Endplate
    neighbour: Structure
    between_mm: float
    heights: Mapping[Approach, np.ndarray]

    def places(self, side: Approach, fit_gap_mm: float) -> int:
        """Over how many of the footprint's columns a tongue fits that comes from there."""
        return int((self.heights[side] >= needed_mm(fit_gap_mm)).sum())

    def most_mm(self, side: Approach) -> float:
        """The greatest height that can be reached from a side."""
        return float(self.heights[side].max(initial=0.0))


def needed_mm(fit_gap_mm: float) -> float:
    """The height of a disc space in which a tongue can be printed: the least wall, and the fit gap to both bones."""
    return 2.0 * (HALF_WALL_MM + fit_gap_mm)


def disc_room(case: Case, plate: Endplate, between_mm: float, edge: np.ndarray, top_mm: float) -> Space:
    """The disc space over a foot's footprint, whose edge is (m, 2) in the plate, up to top_mm over the plate."""
    low, high = edge.min(axis=0) - _AROUND_MM, edge.max(axis=0) + _AROUND_MM
    block = np.array([[*low, -_INTO_MM], [*high, top_mm]])
    reach = float(np.abs(block).max()) * np.sqrt(2.0)
    column = [s for s in bone_near(case, plate.centre - reach, plate.centre + reach) if s.of_column]
    own, beyond = (
        local_bone(plate, [s for s in column if (s.level == plate.level) is mine], block) for mine in (True, False)
    )
    heights = {side: heights_mm(swept(own, side), swept(beyond, side), edge) for side in SIDES}
    return Space(plate, _neighbour(plate, column), between_mm, heights)


def heights_mm(docking: LocalField, others: LocalField, edge: np.ndarray) -> np.ndarray:
    """(n,) how high the space is that a foot can reach, over each 0.25 mm² within an edge (m, 2).

    docking, others: the bones' fields swept along the way in, so that what is free there is free all the way out.
    Between two faces the place farthest from both is half their distance away.
    """
    right, anterior = (np.arange(a, b, _ACROSS_MM) for a, b in zip(edge.min(axis=0), edge.max(axis=0), strict=True))
    plane = np.stack(np.meshgrid(right, anterior), axis=-1).reshape(-1, 2)
    plane = plane[polygon_distance(edge, plane) < 0.0]
    out = np.arange(docking.low[2], docking.high[2] + _ALONG_MM / 2.0, _ALONG_MM)
    local = np.column_stack([np.repeat(plane, len(out), axis=0), np.tile(out, len(plane))])
    free = np.minimum(docking.at_local(local), others.at_local(local)).reshape(len(plane), len(out))
    return np.asarray(2.0 * np.maximum(free.max(axis=1), 0.0))


def refuse(space: Space, fit_gap_mm: float, *sides: Approach) -> None:
    """Raises GeometryError where a tongue that comes from these sides fits nowhere over the footprint."""
    if any(space.places(side, fit_gap_mm) for side in sides):
        return
    plate, neighbour = space.plate, space.neighbour
    name = neighbour.level or neighbour.name
    most, needed = max(space.most_mm(side) for side in sides), needed_mm(fit_gap_mm)
    raise GeometryError(
        f"the foot at {plate.level} {plate.face} has no room in the disc space to {name}, which stands: a height of "
        f"{needed:.2f} mm is needed (a wall of {2.0 * HALF_WALL_MM:.2f} mm and the fit gap of {fit_gap_mm:.2f} mm to "
        f"both bones), and past the bones' rims at most {most:.2f} mm can be reached over the footprint from "
        f"{' or '.join(_FROM[side] for side in sides)}; between the bones it is {space.between_mm:.2f} mm (median). "
        f"{_remedies(space, fit_gap_mm, needed - most, sides)}"
    )


def _remedies(space: Space, fit_gap_mm: float, short_mm: float, tried: tuple[Approach, ...]) -> str:
    """What to change; another side only where a tongue fits that comes from there."""
    name = space.neighbour.level or space.neighbour.name
    facing = "superior" if space.plate.face == "inferior" else "inferior"
    others = [side for side in SIDES if side not in tried and space.places(side, fit_gap_mm)]
    sides = "".join(f"let the foot come from {_FROM[side]} (approach '{side}'), " for side in others)
    return (
        f"{sides[:1].upper()}{sides[1:]}{'or p' if sides else 'P'}lan a resection (resections) of more than "
        f"{short_mm:.1f} mm at the {facing} face of {name}, or dock on a level whose disc space is higher"
    )


def _neighbour(plate: Endplate, column: list[Structure]) -> Structure:
    """The bone that lies next over the middle of a plate."""
    out = np.linspace(0.5, _NEXT_MM, 36)
    points = plate.to_ras(np.column_stack([np.zeros((len(out), 2)), out]))

    def away(structure: Structure) -> float:
        inside = structure.distance(points) < 0.0
        return float(out[inside.argmax()]) if inside.any() else np.inf

    return min((s for s in column if s.level != plate.level), key=away)
