"""The midplane of a vertebra, found by mirroring what stands of it: also where its body is gone."""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares

from ..errors import CaseError
from .canal import bone_points
from .frame import Frame, unit
from .model import Case
from .vertebra import vertebra, vertebra_structure

MIRRORED = 35.0
"""mm about the canal's centre: beyond, the tips of processes are often bent."""
AHEAD = 8.0
"""mm before the canal's centre from which on bone does not count: bodies are lost unevenly, pedicles and arch stand."""
NEAR_SURFACE = 1.5
"""mm of the surface within which a point of the bone counts."""
POINTS = 5000
MISMATCH = 1.0
"""mm by which a point's mirror image may miss the surface before it counts as an asymmetry, less and less (Cauchy).
At 0.5 mm what metal has cut out of an arch still pulls the plane; measured on the test cases, with what they lost."""
LEAST_MET = 0.55
"""The part of the points whose mirror image must meet the surface. Measured on the test cases: 0.64 to 0.90, and 0.48
where 96 % of the body and most of the pedicles are gone, whose tilt is 3 degrees and more off."""
UNCERTAIN_DEG = 1.2
"""Standard uncertainty of the midplane's coronal tilt. Measured on all levels of the test cases that have lost up to
95 % of their bodies, against the symmetry of the model they were made from: rms 0.7 to 1.2, greatest 2.2."""


def find_right(case: Case, level: str) -> np.ndarray:
    """(3,) RAS, unit: square to the plane about which pedicles and arch are most symmetric, to the patient's right.

    Where endplates are gone the tilt of a vertebra is read from its pedicles (Cobb 1948 and others, recalled, verify
    locally): this is the same, with all of the arch. Raises CaseError where the level is missing, has no canal, or has
    lost too much of its arch.
    """
    structure, canal = vertebra_structure(case, level), vertebra(case, level).canal
    frame = canal.frame.at(canal.centre)
    points = bone_points(structure.mask)
    local = frame.to_local(points)
    points = points[(np.linalg.norm(local, axis=1) < MIRRORED) & (local[:, 1] < AHEAD)]
    distance = structure.mask.field.at
    depth = distance(points)
    near = np.flatnonzero(np.abs(depth) < NEAR_SURFACE)
    near = near[:: max(1, len(near) // POINTS)]
    points, depth = points[near], depth[near]

    def mismatch(plane: np.ndarray) -> np.ndarray:
        across, offset = _right(frame, plane), plane[2]
        return distance(points - 2 * ((points - frame.origin) @ across - offset)[:, None] * across) - depth

    found = least_squares(
        mismatch, np.zeros(3), loss="cauchy", f_scale=MISMATCH, x_scale=[0.05, 0.05, 1.0], diff_step=1e-3, max_nfev=60
    )
    met = float((np.abs(mismatch(found.x)) < MISMATCH).mean())
    if met < LEAST_MET:
        raise CaseError(
            f"{level}: what stands of its arch is not symmetric enough to tell its tilt ({met:.0%} of it meets its "
            f"mirror image, {LEAST_MET:.0%} are needed); measure to another level"
        )
    turn: np.ndarray = structure.pose[:3, :3]
    return turn @ _right(frame, found.x)


def _right(frame: Frame, plane: np.ndarray) -> np.ndarray:
    """plane: the tangents of its turn and of its tilt, and its offset in mm."""
    return unit(frame.right + plane[0] * frame.anterior + plane[1] * frame.out)
