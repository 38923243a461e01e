"""How the spine stands: Cobb and kyphosis angles, and the distance that a strut restores.

All angles are those of the posture in the scan, lying: standing curves are greater.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..errors import CaseError
from .column import mechanical_axis
from .endplate import find_endplate
from .frame import unit
from .levels import is_above
from .model import Case, Face
from .symmetry import UNCERTAIN_DEG, find_right
from .uncertainty import plate_uncertainty
from .vertebra import vertebra

PLATE_TO_ARCH_DEG = 1.7
"""Standard deviation of an endplate's coronal tilt about its vertebra's own midplane; measured on the levels of the
test cases, whose plates differ from it by 0 to 3.7 degrees."""
_SAGITTAL, _CORONAL = 1, 0  # which RAS axis a normal leans along


@dataclass(frozen=True)
class Tilt:
    """degrees to the patient's right, or forwards, of a plate's direction up the spine; uncertain: one standard."""

    degrees: float
    uncertain: float
    by_arch: bool = False


@dataclass(frozen=True)
class Angle:
    """Between the superior plate of upper and the inferior plate of lower, projected.

    degrees: coronal, positive for a curve convex to the right; sagittal, positive for kyphosis. uncertain: one standard
    uncertainty. by_arch: the levels whose plate is gone, and whose tilt is that of their pedicles and arch.
    """

    upper: str
    lower: str
    degrees: float
    uncertain: float
    by_arch: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Restoration:
    """What lies between two docking endplates, and so what a strut has to restore.

    distance_mm: from centre to centre, along the chord; axis_mm: along the mechanical axis; chord: (3,) unit, RAS, from
    the upper to the lower centre; line: (n, 3) RAS, the mechanical axis from centre to centre. sagittal_deg,
    coronal_deg: between the plates, projected, positive as in Angle. upper_lean_deg, lower_lean_deg: between the chord
    and each plate's normal. off_chord_mm: how far the mechanical axis departs from the chord.
    """

    upper: str
    lower: str
    distance_mm: float
    uncertain_mm: float
    axis_mm: float
    off_chord_mm: float
    chord: np.ndarray
    line: np.ndarray
    between_deg: float
    sagittal_deg: float
    coronal_deg: float
    upper_lean_deg: float
    lower_lean_deg: float

    def variant(self, amount_mm: float) -> VariantEffect:
        """What an implant longer by amount_mm along the chord makes of it, if it distracts and does not fill a gap."""
        lean = np.cos(np.radians([self.upper_lean_deg, self.lower_lean_deg]))
        return VariantEffect(
            amount_mm,
            self.distance_mm + amount_mm,
            100.0 * amount_mm / self.axis_mm,
            float(amount_mm * lean[0]),
            float(amount_mm * lean[1]),
        )


@dataclass(frozen=True)
class VariantEffect:
    """A variant moves the lower level along the chord and turns nothing: all angles stay.

    stretch_percent: of what runs along the mechanical axis, the cord among it; upper_gap_mm, lower_gap_mm: how much
    farther apart it sets bone and plate, square to the plate.
    """

    amount_mm: float
    distance_mm: float
    stretch_percent: float
    upper_gap_mm: float
    lower_gap_mm: float


def cobb(case: Case, upper: str, lower: str) -> Angle:
    """The coronal Cobb angle between two end vertebrae, in patient coordinates (Cobb 1948).

    Where a plate is gone, the tilt of the vertebra's pedicles and arch stands for it. Raises CaseError where the levels
    are not in order or one has neither plate nor arch.
    """
    _check_order(upper, lower)
    return _cobb(upper, lower, _coronal(case, upper, "superior"), _coronal(case, lower, "inferior"))


def greatest_cobb(case: Case, levels: Iterable[str]) -> Angle:
    """The greatest coronal Cobb angle between any two of the levels, given from top to bottom.

    Levels that have neither plate nor arch are passed over. Raises CaseError where fewer than two are left.
    """
    names = list(levels)
    superior, inferior = ({n: _coronal_or_none(case, n, face) for n in names} for face in ("superior", "inferior"))
    angles = [
        _cobb(one, other, above, below)
        for number, one in enumerate(names)
        for other in names[number + 1 :]
        if (above := superior[one]) is not None and (below := inferior[other]) is not None
    ]
    if not angles:
        raise CaseError(
            f"no Cobb angle: fewer than two of {', '.join(names) or 'no levels'} can be measured; label more vertebrae"
        )
    return max(angles, key=lambda angle: abs(angle.degrees))


def kyphosis(case: Case, upper: str, lower: str) -> Angle:
    """The sagittal angle from the superior plate of upper to the inferior plate of lower, positive for kyphosis.

    An arch does not tell how its lost body was wedged: raises CaseError where a plate is gone or the order is wrong.
    """
    _check_order(upper, lower)
    above, below = _tilt(case, upper, "superior", _SAGITTAL), _tilt(case, lower, "inferior", _SAGITTAL)
    return Angle(upper, lower, above.degrees - below.degrees, float(np.hypot(above.uncertain, below.uncertain)))


def restoration(case: Case, upper: str, lower: str) -> Restoration:
    """What lies between the docking endplates: inferior of upper, superior of lower. Raises CaseError without them."""
    _check_order(upper, lower)
    top, bottom = find_endplate(case, upper, "inferior"), find_endplate(case, lower, "superior")
    between = bottom.centre - top.centre
    chord, line = unit(between), mechanical_axis(case, top, bottom)
    known = [plate_uncertainty(case, plate.level, plate.face) for plate in (top, bottom)]
    return Restoration(
        upper,
        lower,
        float(np.linalg.norm(between)),
        float(np.hypot(known[0].centre_mm, known[1].centre_mm)),
        float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum()),
        float(np.linalg.norm(np.cross(line - top.centre, chord), axis=1).max()),
        chord,
        line,
        _degrees(top.normal, -bottom.normal),
        _lean(top.normal, _SAGITTAL) - _lean(bottom.normal, _SAGITTAL),
        _lean(bottom.normal, _CORONAL) - _lean(top.normal, _CORONAL),
        _degrees(top.normal, chord),
        _degrees(bottom.normal, -chord),
    )


def _cobb(upper: str, lower: str, above: Tilt, below: Tilt) -> Angle:
    gone = tuple(level for level, tilt in ((upper, above), (lower, below)) if tilt.by_arch)
    return Angle(upper, lower, below.degrees - above.degrees, float(np.hypot(above.uncertain, below.uncertain)), gone)


def _coronal(case: Case, level: str, face: Face) -> Tilt:
    try:
        return _tilt(case, level, face, _CORONAL)
    except CaseError:
        # A plate that is there but cut off leaves an arch that is cut off too; over the axis stands the dens.
        if face in vertebra(case, level).plates or level == "C2":
            raise
        right = find_right(case, level)
        uncertain = float(np.hypot(UNCERTAIN_DEG, PLATE_TO_ARCH_DEG))
        return Tilt(float(np.degrees(np.arctan2(-right[2], right[0]))), uncertain, by_arch=True)


def _coronal_or_none(case: Case, level: str, face: Face) -> Tilt | None:
    try:
        return _coronal(case, level, face)
    except CaseError:
        return None


def _tilt(case: Case, level: str, face: Face, along: int) -> Tilt:
    plate = find_endplate(case, level, face)
    return Tilt(_lean(plate.normal, along), plate_uncertainty(case, level, face).normal_deg)


def _lean(normal: np.ndarray, along: int) -> float:
    """Degrees by which a plate's direction up the spine leans along a RAS axis, seen along the other one."""
    up = normal if normal[2] > 0 else -normal
    return float(np.degrees(np.arctan2(up[along], up[2])))


def _degrees(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(one @ other, -1.0, 1.0))))


def _check_order(upper: str, lower: str) -> None:
    if not is_above(upper, lower):
        raise CaseError(f"{upper} does not lie above {lower}; name the upper level first")
