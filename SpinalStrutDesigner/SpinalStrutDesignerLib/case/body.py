"""A vertebral body: where it is, which way it faces, and its front and back."""

from __future__ import annotations

import numpy as np

from ..errors import CaseError
from .model import Body, Case
from .vertebra import FACES, REMEDY, vertebra, vertebra_structure


def find_body(case: Case, level: str) -> Body:
    """The body of a level, where the structure's pose puts it.

    centre is midway between the centres of the two endplates, superior points from the lower to the upper one,
    anterior lies in the plane about which the vertebra is most symmetric; anterior_face and posterior_wall are the
    midline points of the body's front and back at half its height. C2 has no superior endplate: there the middle of
    the bone in front of the canal and the canal's own direction are taken.

    Raises CaseError where the level is missing or its body is destroyed.
    """
    structure = vertebra_structure(case, level)
    shape = vertebra(case, level)
    for face, _ in FACES:
        if face not in shape.plates and (level, face) != ("C2", "superior"):
            raise CaseError(f"{level} has no whole body: {face} endplate not found, {shape.faults[face]}; {REMEDY}")
    turn, shift = structure.pose[:3, :3], structure.pose[:3, 3]

    def moved(point: np.ndarray) -> np.ndarray:
        return turn @ point + shift

    axes = shape.axes
    return Body(
        level=level,
        centre=moved(axes.origin),
        right=turn @ axes.right,
        anterior=turn @ axes.anterior,
        superior=turn @ axes.out,
        anterior_face=moved(shape.front),
        posterior_wall=moved(shape.wall),
    )
