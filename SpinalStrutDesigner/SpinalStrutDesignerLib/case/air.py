"""What holds air: the airway and the lungs."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .model import Volume
from .slabs import counted, looked_up, slabs

# Halfway between air (-1000 HU) and soft tissue (52 HU; clinical facts): where the edge of a lumen lies.
_EDGE_HU = -470.0
# A wall of 1 mm between airway and lung is blurred to less than that: lower levels part them, and leave lungs whole.
_LEVELS_HU = (-470.0, -600.0, -750.0)
# The lumen across: from a narrow glottis to the pharynx and the carina; a trachea has 150 to 400 mm² (verify locally).
_LUMEN_MM2 = (25.0, 900.0)
_LUMEN_HU = -900.0  # air in a lumen, more than in lungs
# Gas in the oesophagus is shorter, a lung's tip lies below the top of a scan; gas in the bowel neither reaches the top
# of a scan nor is straight as long as a neck with its trachea. Engineering judgement.
_LONG_MM, _LONGER_MM = 20.0, 120.0
# The wall of a trachea: 1 to 3 mm (verify locally). It cannot be told from what lies about it, and belongs to it.
WALL_MM = 1.5
# Two bronchi part from one trachea: shorter pieces that lie so near to it, at its ends, belong to it.
_JOINED_MM = 4.0
_LUNG_MM3 = 50000.0
# Lungs have -700 to -900 HU (clinical facts), in emphysema -930 (verify locally), and are nowhere empty; air outside
# and in the bowel is -1000 HU in a good part (measured on real CT: a twentieth of it below -998, of lungs below -940).
_LUNG_HU, _EMPTY_HU = -940.0, -985.0
# A lumen fills its frame in a slice and is not drawn out: a flat carina 50 by 20 mm, a circle 0.79 of its square.
_LEAST_FULL, _LONGEST_MM = 0.4, 55.0
_IN_SLICE = np.stack([np.zeros((3, 3), bool), ndimage.generate_binary_structure(2, 1), np.zeros((3, 3), bool)])


def find_airway(ct: Volume) -> np.ndarray:
    """(k, j, i) bool: the lumen of pharynx, larynx, trachea and bronchi up to the lungs; empty where none is seen.

    It is a tube of air with soft tissue all round in each slice across the patient, and longer than other
    gas. The wall, which cannot be seen, is not in it.
    """
    axis = _upright_axis(ct)
    hu = np.moveaxis(ct.voxels, axis, 0)
    step = np.delete(ct.spacing[::-1], axis)
    high = float(ct.spacing[::-1][axis])
    lumens = np.empty(hu.shape, bool)
    for part, _ in slabs(hu.shape):
        lumens[part] = _lumens_of_levels(hu[part], step)
    labels, count = ndimage.label(lumens)
    top = 0 if ct.ijk_to_ras[2, 2 - axis] < 0.0 else len(hu) - 1
    length = np.zeros(count + 1)
    for number, (along, *_) in enumerate(ndimage.find_objects(labels), start=1):
        long = (along.stop - along.start) * high
        if long < _LONG_MM or np.median(hu[along][labels[along] == number]) > _LUMEN_HU:
            continue
        at_top = along.start <= top < along.stop
        length[number] = long if long >= (_LONG_MM if at_top else _LONGER_MM) else 0.0
    if not length.any():
        return np.zeros(ct.voxels.shape, bool)
    chosen = labels == int(length.argmax())
    reach = np.ceil(_JOINED_MM / np.array([high, *step])).astype(int) * 2 + 1
    beside = np.unique(labels[ndimage.maximum_filter(chosen, tuple(reach))])
    kept = np.zeros(count + 1, bool)
    kept[beside[beside > 0]] = True
    return np.moveaxis(looked_up(kept, labels), 0, axis)


def find_lungs(ct: Volume, airway: np.ndarray) -> np.ndarray:
    """(k, j, i) bool: large bodies of air that tissue thickens; empty where none is in view."""
    labels, count = ndimage.label((ct.voxels < _EDGE_HU) & ~airway)
    sizes = counted(labels, count) * float(np.prod(ct.spacing))
    kept = np.zeros(count + 1, bool)
    for number in np.flatnonzero(sizes >= _LUNG_MM3):
        if number > 0:
            empty, middle = np.percentile(ct.voxels[labels == number], (5.0, 50.0))
            kept[number] = empty > _EMPTY_HU and middle > _LUNG_HU
    return looked_up(kept, labels)


def _upright_axis(ct: Volume) -> int:
    """The array axis that lies nearest to the patient's own."""
    return 2 - int(np.abs(ct.ijk_to_ras[2, :3] / ct.spacing).argmax())


def _lumens_of_levels(hu: np.ndarray, step: np.ndarray) -> np.ndarray:
    """(slices, rows, columns) bool: lumens at any of the levels. hu: the same; step: (2,) mm of rows and columns."""
    lumens = np.zeros(hu.shape, bool)
    for level in _LEVELS_HU:
        found = _lumens(hu < level, step)
        # What a lower level takes from the edge, one pixel gives back.
        lumens |= found | (ndimage.binary_dilation(found & ~lumens, _IN_SLICE) & (hu < _EDGE_HU))
    return lumens


def _lumens(air: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Air that tissue rings in its slice and that is as wide as an airway. air: (slices, rows, columns) bool;
    step: (2,) mm of rows and columns.
    """
    labels, count = ndimage.label(air, _IN_SLICE)
    area = np.bincount(labels.ravel(), minlength=count + 1) * float(step.prod())
    kept = (area >= _LUMEN_MM2[0]) & (area <= _LUMEN_MM2[1])
    kept[0] = False
    for side in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        kept[side] = False
    blocks = ndimage.find_objects(labels)
    for number in np.flatnonzero(kept):
        sides = np.array([part.stop - part.start for part in blocks[number - 1][1:]]) * step
        kept[number] = area[number] >= _LEAST_FULL * sides.prod() and sides.max() <= _LONGEST_MM
    return kept[labels]
