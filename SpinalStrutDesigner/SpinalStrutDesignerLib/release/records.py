"""What the release's JSON files say about the case, the design and the findings. All places are RAS, millimetres."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Part

from ..build.design import Design
from ..case.model import Case, Endplate, Structure
from ..errors import ReleaseError
from ..verify.finding import Finding

FRAME = "RAS, mm"
MARK = "NOT FOR MANUFACTURE"
_FOLDERS = {"implant": "parts", "as_printed": "parts", "guide": "guides", "trial": "models", "model": "models"}


def part_file(part: Part) -> str:
    """Where a part's STL lies in the release."""
    if part.role not in _FOLDERS:
        roles = ", ".join(_FOLDERS)
        raise ReleaseError(
            f"part '{part.name}' has the role '{part.role}', which has no place in a release; use {roles}"
        )
    return f"{_FOLDERS[part.role]}/{part.name}.stl"


def blocking_reasons(findings: Iterable[Finding]) -> tuple[str, ...]:
    """A line for each finding that forbids manufacture."""
    return tuple(blocking_reason(f) for f in findings if f.blocks)


def blocking_reason(finding: Finding) -> str:
    """What a finding measured against what limit, in one line."""
    detail = f"; {finding.detail}" if finding.detail else ""
    return f"{finding.id}: {finding.title}: {measured_text(finding)} (limit: {finding.limit}){detail}"


def measured_text(finding: Finding) -> str:
    """A finding's value with its unit; "not evaluated" where there is none."""
    if finding.value is None:
        return "not evaluated"
    if isinstance(finding.value, str):
        return f"{finding.value} {finding.unit}".strip()
    return f"{number(finding.value)} {finding.unit}".strip()


def number(value: float) -> str:
    """A number with as many digits as a reader can use: two decimals, one from a hundred, none from a thousand."""
    digits = 0 if abs(value) >= 1000.0 else 1 if abs(value) >= 100.0 else 2
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if digits else text
    return "0" if text in ("-0", "") else text


def case_record(case: Case, plates: Sequence[Endplate], reasons: Sequence[str]) -> dict[str, Any]:
    """case.json, with these endplates: of the docking levels, as posed."""
    quality = case.quality
    return {
        "name": case.name,
        "digest": case.digest,
        "frame": FRAME,
        "not_for_manufacture": list(reasons),
        "spacing_mm": [_rounded(x) for x in case.ct.spacing],
        "size_voxels": list(case.ct.voxels.shape[::-1]),
        "levels": list(case.levels),
        "structures": [_structure_record(s) for s in case.structures],
        "unknown_names": list(case.unknown),
        "found_from_seeds": {level: [_rounded(x) for x in place] for level, place in case.seeds},
        "endplates": [_endplate_record(p) for p in plates],
        "scan_quality": {
            "spacing_mm": [_rounded(x) for x in quality.spacing_mm],
            "slice_thickness_mm": _rounded(quality.slice_thickness_mm),
            "metal_fraction": _rounded(quality.metal_fraction, 6),
            "notes": list(quality.notes),
        },
    }


def design_record(design: Design, reasons: Sequence[str]) -> dict[str, Any]:
    """design.json."""
    return {
        "input_digest": design.digest,
        "versions": dict(sorted(design.versions.items())),
        "frame": FRAME,
        "stl_frame": "LPS, mm",
        "not_for_manufacture": list(reasons),
        "parts": [_part_record(part) for part in design.parts],
    }


def findings_record(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """findings.json."""
    return [{**asdict(f), "frame": FRAME, "blocks": f.blocks} for f in findings]


def _structure_record(structure: Structure) -> dict[str, Any]:
    return {
        "name": structure.name,
        "value": structure.value,
        "role": structure.role,
        "level": structure.level,
        "volume_mm3": _rounded(structure.mask.volume, 1),
    }


def _endplate_record(plate: Endplate) -> dict[str, Any]:
    return {
        "level": plate.level,
        "face": plate.face,
        "centre": _place(plate.centre),
        "normal": _place(plate.normal, 6),
        "width_mm": _rounded(plate.width_mm),
        "depth_mm": _rounded(plate.depth_mm),
        "neighbour": plate.neighbour,
        "gap_mm": None if plate.gap_mm is None else _rounded(plate.gap_mm),
        "rms_mm": _rounded(plate.rms_mm),
    }


def _part_record(part: Part) -> dict[str, Any]:
    low, high = part.mesh.bounds
    return {
        "name": part.name,
        "role": part.role,
        "material": part.material,
        "file": part_file(part),
        "volume_mm3": _rounded(part.mesh.volume),
        "bounding_box": {"low": _place(low), "high": _place(high)},
        "triangles": len(part.mesh.faces),
        "provenance": dict(part.provenance),
    }


def _place(values: np.ndarray, digits: int = 3) -> list[float]:
    return [_rounded(v, digits) for v in values]


def _rounded(value: float, digits: int = 3) -> float:
    return round(float(value), digits) + 0.0
