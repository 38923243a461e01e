"""A vertebra on which no endplate can be measured, though the plate stands: its arch, and what runs in it, gone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from SpinalStrutDesignerLib.case.body import find_body
from SpinalStrutDesignerLib.case.model import Case, Mask


def without_arch(case: Case, level: str) -> Case:
    """The case without cord and dura, and without the bone of a level behind its body."""
    body = find_body(case, level)
    mask = case.structure(level).mask
    kji = np.argwhere(mask.voxels)
    points = kji[:, ::-1] @ mask.ijk_to_ras[:3, :3].T + mask.ijk_to_ras[:3, 3]
    voxels = np.zeros_like(mask.voxels)
    voxels[tuple(kji[(points - body.posterior_wall) @ body.anterior > 0.5].T)] = True
    left = Mask(voxels, mask.ijk_to_ras)
    return case.with_structures(
        replace(s, mask=left) if s.level == level else s
        for s in case.structures
        if s.name not in ("spinal_cord", "dural_sac")
    )
