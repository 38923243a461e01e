"""What is printed in polyamide: docking guides of both ends, and the bone of the region."""

from __future__ import annotations

import numpy as np
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.mesh.boolean import intersection, largest_component, printable, simplified, union
from LatticeGeneratorLib.mesh.check import components
from LatticeGeneratorLib.mesh.mesh import Part
from LatticeGeneratorLib.mesh.solids import cylinder, extruded
from LatticeGeneratorLib.mesh.untangle import untangled

from ..case.levels import LEVELS
from ..case.model import OTHER_VERTEBRAE, Structure
from .design import Situation
from .implant import Blank

# A docking guide keeps this much strut beyond the foot to judge its direction, mm. Engineering judgement; the paper
# only says that both ends were printed.
STRUT_KEPT_MM = 12.0
# Grip: a finger-thick rod that reaches out of the wound, mm; engineering judgement, above the 1.0 mm PA12 wall.
GRIP_RADIUS_MM = 4.0
GRIP_LENGTH_MM = 45.0
# The bone model is sampled at the voxel size of a fine spine CT, mm, and thinned within the 0.05 mm decimation limit
# of clinical-facts; specks below this volume, mm³, are noise and cannot be printed.
BONE_STEP_MM = 0.7
BONE_SIMPLIFY_MM = 0.05
SPECK_MM3 = 30.0


def docking_guides(blank: Blank, trial: Part) -> tuple[Part, Part]:
    """Both ends alone, solid, each with a grip pointing out along its way in: proximal (upper) and distal (lower)."""
    return (
        _docking_guide(blank, trial, 0, "docking_proximal"),
        _docking_guide(blank, trial, 1, "docking_distal"),
    )


def _docking_guide(blank: Blank, trial: Part, index: int, name: str) -> Part:
    axis, foot = blank.axis, blank.feet[index]
    plan = blank.situation.plan
    height = (plan.upper_foot if index == 0 else plan.lower_foot).height_mm
    kept = min(height + STRUT_KEPT_MM, 0.45 * axis.length_mm)
    station = axis.at(kept if index == 0 else axis.length_mm - kept)
    frame = np.eye(4)
    frame[:3, 0], frame[:3, 1], frame[:3, 2], frame[:3, 3] = station.right, station.back, station.tangent, station.point
    reach = 90.0
    square = reach * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=float)
    half_space = extruded(square, frame, -reach if index == 0 else 0.0, 0.0 if index == 0 else reach)
    end, _ = largest_component(intersection(trial.mesh, half_space))
    # The rod starts inside the strut just short of the cut, and leaves it towards the surgeon.
    inward = station.tangent if index == 0 else -station.tangent
    start = station.point - (GRIP_RADIUS_MM + 1.0) * inward
    outward = -foot.insertion
    grip = cylinder(start, start + GRIP_LENGTH_MM * outward, GRIP_RADIUS_MM)
    body, _ = largest_component(union([end, grip]))
    return Part(untangled(printable(body))[0], name, "guide", "PA12", {"end": foot.end})


def bone_model(situation: Situation) -> Part:
    """The bone of the region, from the vertebra above the upper docking level to the one below the lower.

    Vertebrae are separate closed bodies in one part, as posed and resected.
    """
    first = max(LEVELS.index(situation.plan.upper) - 1, 0)
    region = LEVELS[first : LEVELS.index(situation.plan.lower) + 2]
    pieces = []
    for structure in situation.case.having("bone"):
        if structure.level in region or structure.name == OTHER_VERTEBRAE:
            surface = isosurface(*_sampled(structure))
            pieces += [p for p in components(simplified(surface, BONE_SIMPLIFY_MM)) if p.volume > SPECK_MM3]
    # Neighbours whose surfaces touch become one body: a print cannot overlap itself.
    return Part(printable(union(pieces)), "spine", "model", "PA12", {"levels": f"{region[0]} to {region[-1]}"})


def _sampled(structure: Structure) -> tuple[np.ndarray, Grid]:
    """A structure's signed distance on a grid of its own."""
    low, high = structure.box
    grid = Grid.around(low - BONE_STEP_MM, high + BONE_STEP_MM, BONE_STEP_MM)
    return structure.distance(grid.points()).reshape(grid.array_shape), grid
