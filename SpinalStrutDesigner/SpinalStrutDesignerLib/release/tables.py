"""The tables that the summary and the technical file share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from ..build.design import Design, Implant
from ..case.model import Case, Endplate
from ..errors import CaseError, GeometryError
from ..plan.plan import Plan
from ..plan.presets import preset, preset_names
from ..plan.record import Record
from ..plan.sources import source_of
from ..verify.finding import Finding
from ..verify.loads import LoadTable, load_tables
from ..verify.measured import Measured
from .page import Html, joined, measured, table, tag, text
from .palette import spoken
from .records import number, part_file


@dataclass(frozen=True, eq=False)
class Dossier:
    """A finished design with its findings: what the pages are written from.

    loads: as measured_loads gives them; hashes: SHA-256 of the release's other files by their path.
    """

    case: Case
    plan: Plan
    design: Design
    findings: Sequence[Finding]
    loads: Sequence[LoadTable] | str
    hashes: dict[str, str]

    @cached_property
    def by_id(self) -> dict[str, Finding]:
        """Findings by their id."""
        return {f.id: f for f in self.findings}

    @property
    def variants(self) -> tuple[str, ...]:
        """What the ids of the variants' findings begin with."""
        return tuple(p for p in map(prefix_of, self.design.implants) if p)


def implants_table(plan: Plan, design: Design, findings: Mapping[str, Finding]) -> Html:
    """Every implant's size, volume and mass as measured, and what a variant is for."""
    modes = {v.amount_mm: v.mode for v in plan.variants}
    rows = []
    for implant in design.implants:
        situation = implant.situation
        mode = modes.get(situation.amount_mm)
        role = _MADE_FOR[mode].format(number(situation.amount_mm)) if mode else "the gap as measured"
        prefix = prefix_of(implant)
        cells = [measured(findings.get(prefix + key)) for key in _SIZES]
        rows.append((tag("b", implant.part.name), role, number(implant.axis.length_mm), *cells))
    columns = (
        "Implant", "Made for", ">Axis of the strut, mm", ">Length over all", ">Mid section", ">Thinnest of the section",
        ">Volume", ">Mass",
    )  # fmt: skip
    return table(columns, rows)


_MADE_FOR = {"fills": "a gap {} mm longer than measured", "distracts": "distraction by {} mm"}
_SIZES = ("size.length", "size.section", "size.least_section", "size.volume", "size.mass")


def screws_table(implant: Implant, findings: Mapping[str, Finding]) -> Html:
    """A column for each screw: type, level, length and angles as planned, then its clearances as measured."""
    columns = [_screw_cells(implant, index, findings) for index in range(len(implant.situation.plan.screws))]
    names = [f">Screw {i}" for i in range(1, len(columns) + 1)]
    return table(("", *names), [(row, *(cells[k] for cells in columns)) for k, row in enumerate(_SCREW_ROWS)])


_SCREW_ROWS = (
    "Level", "Type", "Length", "Angle to the endplate's plane", "Angle to the sagittal plane", "Against backing out",
    "To the spinal canal", "To the nearer endplate", "To the side walls", "Bone beyond the tip", "To the nearest organ",
    "To metal already there", "To the next screw", "Metal under the head", "Metal around the head",
    "Head stands proud", "Mean HU along the thread", "Pull-out force", "Canal reached, at the placement error",
    "Room of the driver",
)  # fmt: skip


def _screw_cells(implant: Implant, index: int, findings: Mapping[str, Finding]) -> tuple[object, ...]:
    situation = implant.situation
    screw = situation.plan.screws[index]
    plate = next((p for p in (situation.upper, situation.lower) if p.level == screw.level), None)
    key = f"{prefix_of(implant)}screw.{index + 1}."
    own = {f.id.removeprefix(key): f for f in findings.values() if f.id.startswith(key)}
    near = min((own[k] for k in ("superior", "inferior") if k in own), key=_value, default=None)
    between = min((f for k, f in own.items() if k.startswith("to_")), key=_value, default=None)
    found = [own.get("canal"), near, *(own.get(k) for k in ("wall", "tip", "organs", "metal")), between]
    found += [own.get(k) for k in ("under_head", "around_head", "proud", "density", "pullout")]
    found += [own.get(k) for k in ("breach.canal", "access")]
    return (
        screw.level,
        screw.type.name,
        f"{number(screw.length_mm)} mm" + (", bicortical" if screw.bicortical else ""),
        *_angles(np.asarray(screw.direction), plate),
        screw.anti_backout.replace("_", " "),
        *(measured(f) for f in found),
    )


def _angles(direction: np.ndarray, plate: Endplate | None) -> tuple[str, str]:
    """Tilt of the tip off the docked endplate's plane, and its turn to the patient's right or left."""
    if plate is None:
        return "–", "–"
    unit = direction / np.linalg.norm(direction)
    tilt = float(np.degrees(np.arcsin(np.clip(-unit @ plate.normal, -1.0, 1.0))))
    turn = float(np.degrees(np.arcsin(np.clip(unit @ plate.right, -1.0, 1.0))))
    side = "to the right" if turn > 0.0 else "to the left"
    away = "away from it" if tilt > 0.0 else "towards it"
    return _turned(tilt, away), _turned(turn, side)


def _turned(angle: float, where: str) -> str:
    return f"{abs(angle):.0f}° {where}" if round(abs(angle)) else "0°"


def _value(finding: Finding) -> float:
    return finding.value if isinstance(finding.value, (int, float)) else np.inf


def distances_table(case: Case, design: Design, findings: Mapping[str, Finding]) -> Html:
    """Distance to, or displacement of, each structure for every implant, with its rule."""
    rows = []
    for structure in case.having("keepout_critical", "keepout_soft", "metal"):
        each = [findings.get(f"{prefix_of(i)}clearance.{structure.name}") for i in design.implants]
        first = next((f for f in each if f is not None), None)
        if first is None:
            continue
        what = "displacement" if first.title.startswith("Displacement") else "distance"
        role = structure.role.replace("keepout_", "")
        rows.append((spoken(structure.name), role, what, *(measured(f) for f in each), first.limit, first.basis))
    names = [f">{i.part.name}" for i in design.implants]
    missing = [f for f in findings.values() if ".missing." in f".{f.id}"]
    rows += [
        (f.title, "critical", "distance", measured(f), *([""] * (len(names) - 1)), f.limit, f.basis) for f in missing
    ]
    return table(("Structure", "Role", "Measured is", *names, "Rule", "Source"), rows)


def strength_tables(loads: Sequence[LoadTable] | str) -> Html:
    """One table per load case: worst place, feet and strut, and the 5.5 mm titanium rod on the same axis.

    loads: the tables, or why there are none.
    """
    if isinstance(loads, str):
        return tag("p", f"Not evaluated: {loads}", "v-not_evaluated")
    return joined(_strength_table(load) for load in loads)


def measured_loads(implant: Implant) -> tuple[LoadTable, ...] | str:
    """The tables of every load case on the finished mesh, or why they cannot be had."""
    try:
        return load_tables(Measured(implant))
    except (CaseError, GeometryError) as error:
        return str(error)


def _strength_table(load: LoadTable) -> Html:
    rows: list[Sequence[object]] = [
        (
            "implant, weakest place",
            load.worst.place,
            number(load.worst.equivalent_MPa),
            number(load.worst.factor),
            "",
            "",
        ),
        (
            "strut alone",
            load.strut_worst.place,
            number(load.strut_worst.equivalent_MPa),
            number(load.strut_worst.factor),
            f"{number(load.stiffness)} {load.stiffness_unit}",
            tag("b", f"{load.strength_ratio:.2f} × strength, {load.stiffness_ratio:.2f} × stiffness"),
        ),
        (
            "5.5 mm titanium rod",
            "same axis and load",
            number(load.rod_stress_MPa),
            number(load.rod_factor),
            f"{number(load.rod_stiffness)} {load.stiffness_unit}",
            "1",
        ),
    ]
    if load.shared_MPa is not None and load.shared_factor is not None:
        shared = (
            "strut, posterior rods sharing the load",
            "",
            number(load.shared_MPa),
            number(load.shared_factor),
            "",
            "",
        )
        rows.insert(2, shared)
    columns = ("", "Place", ">Stress, MPa", ">Factor against yield", ">Stiffness", ">Against the rod")
    return joined((tag("h3", f"{load.title}: {load.load}"), table(columns, rows)))


def parts_table(design: Design) -> Html:
    """Every file that is made from, with its size."""
    rows = []
    for part in design.parts:
        low, high = part.mesh.bounds
        size = " × ".join(f"{x:.1f}" for x in high - low)
        code = Html(f"<code>{text(part_file(part))}</code>")
        rows.append((code, part.role, part.material, number(part.mesh.volume), size, f"{len(part.mesh.faces):,}"))
    return table(("File", "Role", "Material", ">Volume, mm³", ">Box R × A × S, mm", ">Triangles"), rows)


def plan_table(plan: Plan) -> Html:
    """Every decision with its source, nested records by dotted names; a keep-out rule in one row.

    A value that is not the preset's is said to be this patient's, so that the default's source does not speak for it.
    """
    defaults = dict(_fields(preset(plan.preset, plan.upper, plan.lower), "")) if plan.preset in preset_names() else {}
    rows: list[Sequence[object]] = [
        (tag("code", path), value, _source(plan, path, value, defaults.get(path, value)))
        for path, value in _fields(plan, "")
        if not path.startswith("rules.") and not path.endswith(".source")
    ]
    rows += [
        (
            tag("code", f"rules: {r.structure}"),
            f"{r.kind}, limit {r.limit_mm:g} mm, warns at {r.warn_mm:g} mm",
            r.source,
        )
        for r in plan.rules
    ]
    return tag("div", table(("Decision", "Value", "Source"), rows), "plan")


def _source(plan: Plan, path: str, value: object, default: object) -> str:
    """Where a value comes from: what was embedded speaks for itself, what differs from the preset is this patient's."""
    first, *rest = path.split(".")
    if first in ("material", "printer"):
        return str(getattr(plan, first).source) or "verify locally"
    if first == "screws" and rest[1] == "type":
        return "the screw catalogue's entry, embedded in the plan; verify locally against the hospital's set"
    if value != default:
        return f"proposed or chosen for this patient; the preset has {default} ({source_of(path)})"
    return source_of(path)


def _fields(value: object, path: str) -> Iterable[tuple[str, object]]:
    """Dotted names and values of a record's fields; a list of records by its numbers, lists of numbers in one row."""
    if isinstance(value, Record):
        for field in fields(value):  # type: ignore[arg-type]
            yield from _fields(getattr(value, field.name), f"{path}.{field.name}" if path else field.name)
    elif isinstance(value, tuple) and value and isinstance(value[0], (Record, tuple)):
        for index, item in enumerate(value):
            yield from _fields(item, f"{path}.{index}")
    elif isinstance(value, tuple):
        yield path, ", ".join(_plain(item) for item in value) or "none"
    else:
        yield path, _plain(value)


def _plain(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def prefix_of(implant: Implant) -> str:
    """What the ids of an implant's findings begin with."""
    return f"{implant.situation.name}." if implant.situation.amount_mm else ""
