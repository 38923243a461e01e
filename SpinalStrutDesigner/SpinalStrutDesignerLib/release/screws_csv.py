"""screws.csv: a row for each screw of the nominal implant, as planned and as found, for a table of the hospital's own.

RFC 4180: commas, CRLF, UTF-8, a first row of names. Places are in the STL files' frame, LPS millimetres, as the
columns' names say. An empty cell is not known; a verdict is one of pass, warn, fail, not_evaluated and waived.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..build.design import Implant
from ..case.model import Endplate
from ..plan.plan import Screw
from ..verify.finding import Finding, Verdict

# An entry no farther beside the middle of its endplate than this has no side, mm: below what can be placed by hand.
_MIDDLE_MM = 1.0
# From best to worst: of several distances that are as near, the worse verdict is told.
_ORDER: tuple[Verdict, ...] = ("pass", "waived", "warn", "not_evaluated", "fail")
_TO_LPS = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class ScrewAngles:
    """A screw against the docked endplate it belongs to. side: right, left or middle, where its head is; inclination:
    of its tip off the endplate's plane, into the vertebra's body; convergence: within that plane from the way the foot
    comes in, towards the middle of the endplate."""

    side: str
    inclination_deg: float
    convergence_deg: float


def screw_angles(screw: Screw, plate: Endplate, insertion: np.ndarray) -> ScrewAngles:
    """insertion: (3,) the way in of the foot at that endplate."""
    normal = plate.normal / np.linalg.norm(plate.normal)
    direction = np.asarray(screw.direction, dtype=float) / np.linalg.norm(screw.direction)
    ahead = insertion - (insertion @ normal) * normal
    ahead = ahead / np.linalg.norm(ahead)
    beside = np.cross(normal, ahead)
    from_middle = np.asarray(screw.entry, dtype=float) - plate.centre
    turn = float(np.degrees(np.arctan2(direction @ beside, direction @ ahead)))
    across, right = float(from_middle @ beside), float(from_middle @ plate.right)
    return ScrewAngles(
        side="middle" if abs(right) < _MIDDLE_MM else "right" if right > 0.0 else "left",
        inclination_deg=float(np.degrees(np.arcsin(np.clip(-direction @ normal, -1.0, 1.0)))),
        convergence_deg=abs(turn) if abs(across) < _MIDDLE_MM else -turn if across > 0.0 else turn,
    )


def angles_in(implant: Implant, screw: Screw) -> ScrewAngles:
    """A screw's angles in its implant."""
    foot = next(foot for foot in implant.feet if foot.endplate.level == screw.level)
    return screw_angles(screw, foot.endplate, foot.insertion)


def neighbouring_lengths(screw: Screw) -> tuple[float | None, float | None]:
    """The next shorter and the next longer length that is made, mm."""
    shorter = [length for length in screw.type.lengths_mm if length < screw.length_mm]
    longer = [length for length in screw.type.lengths_mm if length > screw.length_mm]
    return max(shorter, default=None), min(longer, default=None)


def own_findings(number: int, findings: Sequence[Finding]) -> dict[str, Finding]:
    """What was found about a screw (numbered from 1) of the nominal implant, by the last part of its id; of the
    distances to other screws, whichever of the two is named first, the least as "to_screw"."""
    own: dict[str, Finding] = {}
    for finding in findings:
        found = re.fullmatch(r"screw\.(\d+)\.(.+)", finding.id)
        if found is None:
            continue
        first, key = int(found[1]), found[2]
        other = re.fullmatch(r"to_(\d+)", key)
        if other is not None and number in (first, int(other[1])):
            held = own.get("to_screw")
            own["to_screw"] = finding if held is None else min(held, finding, key=_nearness)
        elif other is None and first == number:
            own[key] = finding
    return own


def screws_csv(implant: Implant, findings: Sequence[Finding]) -> str:
    """The table as text. implant: the nominal one."""
    screws = implant.situation.plan.screws
    found = [own_findings(number, findings) for number in range(1, len(screws) + 1)]
    units: dict[str, str] = {}
    for own in found:
        for key, finding in own.items():
            units[key] = units.get(key) or finding.unit
    names = {key: f"{key}_{_unit_name(unit)}" if unit else key for key, unit in units.items()}
    rows = []
    for number, (screw, own) in enumerate(zip(screws, found), 1):
        row = _planned(implant, screw, number)
        for key, name in names.items():
            found_here = own.get(key)
            row[name] = "" if found_here is None else _cell(found_here.value)
            row[f"{key}_verdict"] = "" if found_here is None else found_here.verdict
        rows.append(row)
    text = io.StringIO()
    columns = list(rows[0]) if rows else _COLUMNS
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


_PLACE = ("x_lps_mm", "y_lps_mm", "z_lps_mm")
_COLUMNS = [
    "number", "level", "side", "type", "diameter_mm", "core_mm", "pitch_mm", "length_mm", "next_shorter_mm",
    "next_longer_mm", "bicortical", "anti_backout", "drive", "driver_diameter_mm", "pilot_drill_mm",
    "clearance_hole_mm", "seat", *(f"entry_{p}" for p in _PLACE), *(f"tip_{p}" for p in _PLACE),
    "direction_x_lps", "direction_y_lps", "direction_z_lps", "inclination_deg", "convergence_deg",
]  # fmt: skip


def _planned(implant: Implant, screw: Screw, number: int) -> dict[str, str]:
    kind, angles = screw.type, angles_in(implant, screw)
    entry, direction = np.asarray(screw.entry) * _TO_LPS, np.asarray(screw.direction) * _TO_LPS
    tip = entry + screw.length_mm * direction
    values = (
        number, screw.level, angles.side, kind.name, kind.diameter_mm, kind.core_mm, kind.pitch_mm, screw.length_mm,
        *neighbouring_lengths(screw), "yes" if screw.bicortical else "no", screw.anti_backout, kind.drive,
        kind.driver_diameter_mm, kind.pilot_mm, kind.clearance_hole_mm, kind.seat,
        *(fixed(x, 3) for x in (*entry, *tip)), *(fixed(x, 6) for x in direction),
        fixed(angles.inclination_deg, 2), fixed(angles.convergence_deg, 2),
    )  # fmt: skip
    return {name: _cell(value) for name, value in zip(_COLUMNS, values)}


def _cell(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.6g}"


def fixed(value: float, digits: int) -> str:
    """So many decimals, and no minus before a zero."""
    return f"{round(float(value), digits) + 0.0:.{digits}f}"


def _unit_name(unit: str) -> str:
    """A unit as part of a column's name."""
    spelt: Mapping[str, str] = {"°": "deg", "%": "percent"}
    return spelt.get(unit) or re.sub(r"[^A-Za-z0-9]+", "_", unit).strip("_")


def _nearness(finding: Finding) -> tuple[float, int]:
    value = finding.value if isinstance(finding.value, (int, float)) else np.inf
    return float(value), -_ORDER.index(finding.verdict)
