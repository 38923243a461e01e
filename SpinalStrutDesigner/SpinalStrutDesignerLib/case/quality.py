"""What a scan can and cannot tell, measured on its voxels and said as the effect on the design."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .levels import LEVELS
from .metal import METAL_HU
from .model import Mask, ScanQuality, Structure, Volume
from .scan_measures import scan_measures

# 12-bit CT ends at 3071 HU (clinical facts, "Bone and metal in CT").
_TWELVE_BIT_END = 3071
# Case 1 of Willemsen et al. 2019 was planned on slices of 1 mm; above 1.25 mm [verify locally] an endplate's place
# between two slices is no longer known to the 0.8 mm that segmentation to print may lose (Schulze 2024).
THICK_SLICES_MM = 1.25
_COARSE_PIXELS_MM = 1.0
# A few voxels of a dense spot are no implant.
_METAL_FROM = 20e-6


def scan_quality(ct: Volume, thickness_mm: float | None = None, notes: tuple[str, ...] = ()) -> ScanQuality:
    """The scan's resolution, metal, noise and motion, with a note for each thing that limits the design.

    thickness_mm: the slices' thickness if the file tells it, else the spacing stands for it; notes: what reading found.
    """
    spacing = ct.spacing
    across = int(np.argmax(np.round(spacing, 4)[::-1]))  # the last of the coarsest axes: slices are usually along k
    step = float(spacing[::-1][across])
    pixel = float(np.delete(spacing[::-1], across).max())
    thickness = float(thickness_mm) if thickness_mm else step
    # One pass over the voxels serves both counts.
    dense = ct.voxels[ct.voxels > METAL_HU]
    metal = dense.size / ct.voxels.size
    measures = scan_measures(ct)
    found = [
        *_resolution_notes(step, pixel, thickness),
        *_metal_notes(metal, int((dense >= _TWELVE_BIT_END).sum()), int(dense.max(initial=0))),
        *(measure.note for measure in measures if measure.limiting),
        *notes,
    ]
    i, j, k = (round(float(s), 4) for s in spacing)
    return ScanQuality((i, j, k), thickness, metal, tuple(found), measures)


def edge_notes(structures: Iterable[Structure], ct: Volume) -> tuple[str, ...]:
    """A note that names the vertebrae which reach the scan's edge: part of them may not have been seen."""
    touching = {s.level for s in structures if s.level and _touches_edge(s.mask, ct)}
    if not touching:
        return ()
    names = ", ".join(level for level in LEVELS if level in touching)
    return (f"at the edge of the scan, perhaps cut off: {names}; look at them before docking or screwing there",)


def _touches_edge(mask: Mask, ct: Volume) -> bool:
    """Whether the mask's block reaches within half a voxel of the first or last slice, row or column of the CT."""
    corners = np.array([[0.0, 0.0, 0.0], np.array(mask.voxels.shape[::-1]) - 1.0])
    ijk = ct.to_ijk(corners @ mask.ijk_to_ras[:3, :3].T + mask.ijk_to_ras[:3, 3])
    return bool((ijk.min(axis=0) < 0.5).any() or (ijk.max(axis=0) > np.array(ct.voxels.shape[::-1]) - 1.5).any())


def _resolution_notes(step: float, pixel: float, thickness: float) -> list[str]:
    notes = []
    coarse = max(step, thickness)
    if coarse > THICK_SLICES_MM:
        notes.append(
            f"slices of {coarse:.3g} mm: an endplate's height is known to about {coarse / 2:.2g} mm, so the strut's "
            "length and the fit gap are no better; scan with 1 mm or less (Willemsen 2019 used 1 mm)"
        )
    if thickness < 0.9 * step:
        notes.append(
            f"slices of {thickness:.3g} mm lie {step:.3g} mm apart: what is between them was not scanned; thin bone "
            "and vessels may be missing"
        )
    if pixel > _COARSE_PIXELS_MM:
        notes.append(
            f"pixels of {pixel:.3g} mm: cortical bone and vessels under {2 * pixel:.2g} mm are blurred; reconstruct a "
            "smaller field of view"
        )
    return notes


def _metal_notes(metal: float, saturated: int, highest: int) -> list[str]:
    notes = []
    if metal > _METAL_FROM:
        notes.append(
            f"{metal:.3%} of the scan is above {METAL_HU} HU (metal, or dense contrast): near it streaks falsify HU "
            "(-848 HU was measured beside a titanium screw, BMC Med Imaging 2021) and surfaces; check by eye"
        )
    if saturated > 0 and highest == _TWELVE_BIT_END:
        notes.append(
            f"{saturated} voxels are cut off at {_TWELVE_BIT_END} HU (12-bit scale): metal looks larger than it is; "
            "ask for the extended HU scale"
        )
    return notes
