"""What changed between two CTs of a patient, as far as it matters to an implant."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..case.model import Case, Endplate, Structure
from ..case.register import Registration
from ..case.transform import moved_points, turn_degrees
from ..plan.curve import axis_curve
from ..plan.plan import Plan

# A volume that differs by less is the voxels' doing: half a voxel's layer less all round is 5 % of a vertebra.
# Engineering judgement.
_SAME_VOLUME = 0.05
# Distances beyond this say nothing (a distance field is exact to about so far).
_FAR_MM = 25.0
_ROUND = 24


@dataclass(frozen=True)
class Change:
    """One thing before and after. id: dotted, of what; unit: of both values; changed: by how much, where that is a
    number; detail: what it means or what is to be done."""

    id: str
    title: str
    before: float | str | None
    after: float | str | None
    unit: str = ""
    changed: float | None = None
    detail: str = ""

    @property
    def line(self) -> str:
        """The change in words."""
        values = f"{_told(self.before)} → {_told(self.after)} {self.unit}".strip()
        by = "" if self.changed is None else f" ({self.changed:+.2f})"
        return f"{self.title}: {values}{by}" + (f"; {self.detail}" if self.detail else "")


COLUMNS = ("id", "what", "before", "after", "unit", "change", "meaning")
"""Of the table of changes."""
NOTHING = "—"
"""What stands in the table where there was no value."""


def changes_table(changes: Iterable[Change]) -> str:
    """Changes as CSV: a row each under `COLUMNS`, numbers to a hundredth."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for c in changes:
        by = "" if c.changed is None else f"{c.changed:+.2f}"
        table.writerow((c.id, c.title, _told(c.before), _told(c.after), c.unit, by, c.detail))
    return text.getvalue()


def registration_changes(levels: Sequence[str], blocks: Sequence[Registration]) -> Iterator[Change]:
    """How well each docking vertebra was found in the later CT."""
    for level, block in zip(levels, blocks):
        yield Change(
            f"registration.{level}", f"{level} found in the later CT, known to", None, block.error_mm, "mm",
            detail="; ".join((block.metric, block.how, *block.notes)),
        )  # fmt: skip


def span_changes(
    before: Sequence[Endplate], after: Sequence[Endplate], upper: Registration, lower: Registration, plan: Plan
) -> Iterator[Change]:
    """Length and angle between the docking endplates, and how the upper block moved against the lower one."""
    lengths = [float(np.linalg.norm(b.centre - a.centre)) for a, b in (before, after)]
    yield Change(
        "span.length", f"Span {plan.upper} to {plan.lower}", lengths[0], lengths[1], "mm", lengths[1] - lengths[0]
    )  # fmt: skip
    # The endplates face each other: of parallel ones the normals are opposite.
    angles = [float(np.degrees(np.arccos(np.clip(-(a.normal @ b.normal), -1.0, 1.0)))) for a, b in (before, after)]
    yield Change(
        "span.angle", "Angle between the docking endplates", angles[0], angles[1], "°", angles[1] - angles[0]
    )  # fmt: skip
    against = np.linalg.inv(lower.matrix) @ upper.matrix
    shift = float(np.linalg.norm(moved_points(against, before[0].centre[None])[0] - before[0].centre))
    error = upper.error_mm + lower.error_mm
    yield Change(
        "span.posture", f"{plan.upper} against {plan.lower}", 0.0, shift, "mm", shift,
        f"turned by {turn_degrees(against):.1f}°; both are known to {error:.2f} mm. The axis between them was "
        "bent along: look at it",
    )  # fmt: skip


def endplate_changes(
    before: Sequence[Endplate], after: Sequence[Endplate], blocks: Sequence[Registration]
) -> Iterator[Change]:
    """How far each docking endplate lies from where its vertebra took it: bone lost or built, or measured otherwise."""
    for old, new, block in zip(before, after, blocks):
        name = f"{old.level} {old.face} endplate"
        carried = moved_points(block.matrix, old.centre[None])[0]
        away = float(np.linalg.norm(new.centre - carried))
        turned = block.matrix[:3, :3] @ old.normal
        angle = float(np.degrees(np.arccos(np.clip(turned @ new.normal, -1.0, 1.0))))
        normal = float((new.centre - carried) @ turned)
        yield Change(
            f"endplate.{old.level}.moved", f"{name}, moved on its vertebra", 0.0, away, "mm", away,
            f"{normal:+.2f} mm along its normal; the vertebra is placed to {block.error_mm:.2f} mm",
        )  # fmt: skip
        yield Change(f"endplate.{old.level}.turned", f"{name}, turned on its vertebra", 0.0, angle, "°", angle)
        for field, word in (("width_mm", "width"), ("depth_mm", "depth")):
            was, now = getattr(old, field), getattr(new, field)
            yield Change(f"endplate.{old.level}.{word}", f"{name}, {word}", was, now, "mm", now - was)


def structure_changes(before: Case, after: Case) -> Iterator[Change]:
    """Structures that came, went or changed their role, and volumes that differ by more than 5 %."""
    old, new = ({_key(s): s for s in case.structures} for case in (before, after))
    for key in [*old, *(k for k in new if k not in old)]:
        was, now = old.get(key), new.get(key)
        if now is None:
            critical = was is not None and was.role == "keepout_critical"
            detail = "critical: what is not given is not evaluated, and blocks manufacture" if critical else ""
            yield Change(f"structure.{key}", f"{key}", "given", "not given", detail=detail)
        elif was is None:
            yield Change(f"structure.{key}", f"{key}", "not given", "given")
        else:
            if was.role != now.role:
                yield Change(f"structure.{key}.role", f"Role of {key}", was.role, now.role)
            volumes = was.mask.volume / 1000.0, now.mask.volume / 1000.0
            if abs(volumes[1] - volumes[0]) > _SAME_VOLUME * volumes[0]:
                yield Change(
                    f"structure.{key}.volume", f"Volume of {key}", *volumes, "ml", volumes[1] - volumes[0],
                    "the scans may show different lengths of it",
                )  # fmt: skip


def distance_changes(old: Case, old_plan: Plan, new: Case, new_plan: Plan) -> Iterator[Change]:
    """Least distance from the bare strut (section swept along the axis) to each keep-out and metal, on both scans."""
    if not old_plan.axis.control_points:
        return
    hulls = _strut(old_plan), _strut(new_plan)
    others = {_key(s): s for s in new.having("keepout_critical", "keepout_soft", "metal")}
    for structure in old.having("keepout_critical", "keepout_soft", "metal"):
        same = others.get(_key(structure))
        if same is None:
            continue
        was, now = _least(structure, hulls[0]), _least(same, hulls[1])
        if min(was, now) <= _FAR_MM:
            yield Change(
                f"distance.{_key(structure)}", f"Strut to {structure.name.replace('_', ' ')}", was, now, "mm", now - was
            )


def _strut(plan: Plan) -> np.ndarray:
    """(n, 3) points on the bare strut's side, about 1 mm apart along it."""
    curve = axis_curve(plan.axis, plan.section, 1.0)
    return np.concatenate([curve.section_outline(n, _ROUND) for n in range(len(curve.points))])


def _least(structure: Structure, points: np.ndarray) -> float:
    return float(structure.distance(points).min())


def _key(structure: Structure) -> str:
    return structure.level or structure.name


def _told(value: float | str | None) -> str:
    return NOTHING if value is None else value if isinstance(value, str) else f"{value:.2f}"
