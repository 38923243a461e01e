"""An implant anywhere on its way in, and what lies beside it or in its way there: for eyes, not for verdicts.

`insertion` judges the whole way, on the finished geometry and on many more points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.samples import Samples, surface_points

from ..build.design import Situation
from ..case.model import Structure
from ..case.transform import moved_points
from ..plan.entries import RetractionRule
from ..plan.insertion import Way
from ..plan.rules import retraction_for
from ..plan.way import motion

_POSE_STEP_MM = 0.5  # no point of the implant moves farther from one pose to the next
_POINTS_MM = 1.0  # between points of the surface: distances to what is near are right to some tenths of a millimetre

FAR_MM = 24.0
"""Distances beyond are lower bounds."""
_SAME_MM = 0.05  # less than this is no difference between two places


@dataclass(frozen=True)
class Beside:
    """A structure beside the implant on its way. distance_mm: negative within it; at_place_mm: that of the implant in
    its place; rule: how the structure may give way, None where it must not."""

    structure: str
    distance_mm: float
    at_place_mm: float
    rule: RetractionRule | None

    @property
    def in_way(self) -> bool:
        """Whether the implant lies in it here: deeper than in its place for what must not be moved; metal may touch."""
        allowed = 0.0 if self.rule is not None else min(self.at_place_mm, 0.0)
        return self.distance_mm < allowed - _SAME_MM


@dataclass(frozen=True, eq=False)
class OnWay:
    """An implant on its way. poses: (n, 4, 4) RAS from outside to its place; samples: points of it in its place."""

    situation: Situation
    poses: np.ndarray
    samples: Samples

    @classmethod
    def of(cls, situation: Situation, way: Way, mesh: Mesh) -> OnWay:
        """A mesh in its place, in its situation, along a way."""
        reach = float(np.linalg.norm(mesh.vertices - situation.middle, axis=1).max())
        poses = motion(way.points, situation.middle, reach, _POSE_STEP_MM)
        return cls(situation, poses, Samples(surface_points(mesh, _POINTS_MM)))

    @property
    def structures(self) -> tuple[Structure, ...]:
        """What is looked at: keep-outs and metal. Bone lies beside the implant all the time."""
        return tuple(self.situation.case.having("keepout_critical", "keepout_soft", "metal"))

    def pose(self, share: float) -> np.ndarray:
        """4x4 at a share of the way, 0 outside to 1 in its place."""
        found: np.ndarray = self.poses[round(share * (len(self.poses) - 1))]
        return found

    def beside(self, share: float) -> tuple[Beside, ...]:
        """The structures at that share of the way, the deepest in it and the nearest first."""
        pose, plan = self.pose(share), self.situation.plan
        found = [
            Beside(s.name, self._distance(s, pose), self._at_place[s.name], retraction_for(plan, s.name))
            for s in self.structures
        ]
        return tuple(sorted(found, key=lambda one: one.distance_mm))

    @cached_property
    def _at_place(self) -> dict[str, float]:
        return {s.name: self._distance(s, np.eye(4)) for s in self.structures}

    def _distance(self, structure: Structure, pose: np.ndarray) -> float:
        return self.samples.least(lambda points: structure.distance(moved_points(pose, points))).distance_mm
