"""How far an end's heads push organs aside together with the rest of the implant, on the field that it is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.mesh.samples import Nearest, Samples, surface_points
from SpinalStrutDesignerLib.build.end import end_shape
from SpinalStrutDesignerLib.build.screws import DRIVER_WAY_MM
from SpinalStrutDesignerLib.build.solid import SolidShape, solid_field, solid_mesh
from SpinalStrutDesignerLib.case.model import Structure
from SpinalStrutDesignerLib.plan.plan import Screw
from SpinalStrutDesignerLib.plan.rules import rule_for
from SpinalStrutDesignerLib.propose.screw_end import ScrewEnd
from SpinalStrutDesignerLib.propose.screw_heads import boss_points
from SpinalStrutDesignerLib.verify.displacement import displacement_needed
from SpinalStrutDesignerLib.verify.ruling import needed_displacement_mm

_STEP_MM = 0.3  # between places at which the field is asked, and between points on its surface
_REACH_MM = 9.0  # of a head's metal from its entry: its radius, blend and depth
_BESIDE_MM = 3.0  # places farther from a structure say nothing of how far it moves
_TOUCHING_MM = 1.5  # farther metal about a head, its blend included, leaves a structure where it is
_SAME_MM = 0.05  # so much more than without any screw is as much


@dataclass(frozen=True, eq=False)
class _Mobile:
    """A structure with what it may give way by with heads, mm, error budget included; bare: (n, 3) places on the
    implant beside it, without any screw in the end."""

    structure: Structure
    bare: np.ndarray
    most_mm: float


class Pushing:
    """The implant of an end's situation with any screws in that end."""

    def __init__(self, end: ScrewEnd) -> None:
        self._end = end
        plan, where = end.plan, end.where
        run = where.lower.centre - where.upper.centre
        self._run = run / np.linalg.norm(run)
        upper, lower = (end_shape(where, end.curve, which) for which in ("upper", "lower"))
        self._shape = SolidShape(where, end.curve, (upper, lower))
        bare = surface_points(solid_mesh(self._with(()))[0], _STEP_MM)
        self._mobile = []
        for structure, _ in end.before:
            rule = rule_for(plan, structure.name)
            if structure.role != "bone" and rule is not None and rule.kind == "displacement":
                beside = bare[structure.distance(bare) < _BESIDE_MM]
                without = self._needed(structure, beside) if len(beside) else 0.0
                self._mobile.append(_Mobile(structure, beside, max(rule.limit_mm, without + _SAME_MM)))

    def holds(self, screws: Sequence[Screw]) -> bool:
        """Whether with these screws every mobile structure gives way by no more than its rule, or than without any."""
        with_heads: np.ndarray | None = None
        for mobile in self._mobile:
            if not any(_near(self._end, mobile.structure, screw) for screw in screws):
                continue
            if with_heads is None:
                with_heads = self._about_heads(screws)
            if self._needed(mobile.structure, np.vstack([mobile.bare, with_heads])) > mobile.most_mm:
                return False
        return True

    def _with(self, screws: Sequence[Screw]) -> SolidShape:
        upper, lower = self._shape.ends
        if self._end.name == "upper":
            return replace(self._shape, ends=(replace(upper, screws=tuple(screws)), lower))
        return replace(self._shape, ends=(upper, replace(lower, screws=tuple(screws))))

    def _about_heads(self, screws: Sequence[Screw]) -> np.ndarray:
        """(n, 3) places on and in the implant's metal about heads, the drivers' ways cut."""
        entries = np.array([screw.entry for screw in screws])
        # The same grid whatever the screws, so that one set is compared with another alike.
        low, high = (_STEP_MM * np.round(side / _STEP_MM) for side in (entries.min(axis=0), entries.max(axis=0)))
        grid = Grid.around(low - _REACH_MM, high + _REACH_MM, _STEP_MM)
        places = grid.points()
        near = np.zeros(len(places), dtype=bool)
        for mobile in self._mobile:
            near |= mobile.structure.distance(places) < _BESIDE_MM
        values = np.ones(len(places))
        values[near] = solid_field(self._with(screws), places[near])
        surface = surface_points(isosurface(values.reshape(grid.array_shape), grid), _STEP_MM)
        points = np.vstack([surface, places[values < 0.0]])
        for screw in screws:
            way = np.array(screw.direction)
            out = (np.array(screw.entry) - points) @ way
            beside = np.linalg.norm(points - np.array(screw.entry) + out[:, None] * way, axis=1)
            points = points[~((out > 0.0) & (out < DRIVER_WAY_MM) & (beside < screw.type.seat_radius_mm))]
        return points

    def _needed(self, structure: Structure, points: np.ndarray) -> float:
        samples = Samples(points)
        nearest: Nearest = samples.least(structure.distance)
        pushed = displacement_needed(structure, samples, nearest, self._run)
        return needed_displacement_mm(pushed, nearest.distance_mm, self._end.plan.budget.segmentation_to_print_mm)


def _near(end: ScrewEnd, structure: Structure, screw: Screw) -> bool:
    """Whether the metal about a head may come to touch a structure."""
    entry, way = np.array([screw.entry]), np.array([screw.direction])
    return float(structure.distance(boss_points(end, screw.type, entry, way)[0]).min()) < _TOUCHING_MM
