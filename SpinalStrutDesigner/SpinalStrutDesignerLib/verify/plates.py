"""The endplates of a screw's vertebra, as far as it keeps from them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from LatticeGeneratorLib.mesh.samples import Distance
from scipy.spatial import cKDTree

from ..build.design import Situation
from ..case.endplate import find_endplate
from ..case.model import Endplate, Face
from ..plan.plan import Plan


def kept_from(plan: Plan, level: str) -> Iterator[Face]:
    """The faces of a level from which its screws keep: both, without the docked one where there is no flange, for
    screws of zero profile cross it."""
    flange = plan.upper_flange if level == plan.upper else plan.lower_flange
    faces: tuple[Face, Face] = ("superior", "inferior")
    for face in faces:
        if flange is not None or (level, face) not in ((plan.upper, "inferior"), (plan.lower, "superior")):
            yield face


def plate_of(situation: Situation, level: str, face: Face) -> Endplate:
    """A level's face: the docked one, or as it is found. Raises CaseError where none is found."""
    for plate in (situation.upper, situation.lower):
        if (plate.level, plate.face) == (level, face):
            return plate
    return find_endplate(situation.case, level, face)


def docked_plate(situation: Situation, level: str) -> Endplate:
    """The docking endplate of a level, the lower one for a level that has none."""
    return situation.upper if level == situation.upper.level else situation.lower


def plate_distance(plate: Endplate) -> Distance:
    """Distance to the plate's measured surface, negative beyond it."""
    surface = plate.to_local(plate.surface)
    tree = cKDTree(surface)

    def distance(points: np.ndarray) -> np.ndarray:
        local = plate.to_local(points)
        away, nearest = tree.query(local)
        return np.where(local[:, 2] > surface[nearest, 2], -away, away)

    return distance
