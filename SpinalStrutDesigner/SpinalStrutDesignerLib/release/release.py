"""The release package: everything that leaves the house, moved into place whole."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from LatticeGeneratorLib.mesh.mesh import Part
from LatticeGeneratorLib.mesh.stl import write_stl
from LatticeGeneratorLib.progress import Progress, silent

from ..build.design import Design
from ..case.model import Case
from ..errors import ReleaseError
from ..plan.json import plan_to_json
from ..plan.plan import Plan
from ..verify.finding import Finding
from .summary import summary_page

FOLDERS = {"implant": "parts", "guide": "guides", "trial": "models", "model": "models"}
MANIFEST = "manifest.json"
NOT_FOR_MANUFACTURE = "NOT_FOR_MANUFACTURE.txt"


def release(
    case: Case,
    plan: Plan,
    design: Design,
    findings: Sequence[Finding],
    directory: str | Path,
    progress: Progress = silent,
) -> Path:
    """Writes the package into a temporary folder beside `directory` and moves it into place whole.

    An earlier release at the same place is replaced. Raises ReleaseError when the place holds anything else, or cannot
    be written; nothing half-written stays behind.
    """
    target = Path(directory).absolute()
    if target.exists() and not ((target / MANIFEST).is_file() or not any(target.iterdir())):
        raise ReleaseError(f"{target} exists and is not an earlier release; choose another folder or empty it")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        reason = error.strerror
        raise ReleaseError(f"cannot write beside {target}: {reason}; choose a folder you may write to") from error
    try:
        _write(case, plan, design, findings, scratch, progress)
        _put_in_place(scratch, target)
    except OSError as error:
        raise ReleaseError(f"the release could not be written to {target}: {error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _write(
    case: Case, plan: Plan, design: Design, findings: Sequence[Finding], folder: Path, progress: Progress
) -> None:
    progress("release: files", 0.0)
    blocking = [f for f in findings if f.blocks]
    for part in design.parts:
        path = folder / part_file(part)
        path.parent.mkdir(exist_ok=True)
        write_stl(path, part.mesh)
    (folder / "plan.json").write_text(plan_to_json(plan), encoding="utf-8")
    _write_json(folder / "case.json", _case_record(case))
    _write_json(folder / "design.json", _design_record(design, bool(blocking)))
    _write_json(folder / "findings.json", {"frame": "RAS, mm", "findings": [asdict(f) for f in findings]})
    (folder / "summary.html").write_text(summary_page(case, plan, design, findings), encoding="utf-8")
    if blocking:
        reasons = "\n".join(f"- {f.id}: {f.title}: {f.verdict}, {f.value} {f.unit} (limit {f.limit})" for f in blocking)
        (folder / NOT_FOR_MANUFACTURE).write_text(f"NOT FOR MANUFACTURE\n\n{reasons}\n", encoding="utf-8")
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    hashes = {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    _write_json(folder / MANIFEST, {"sha256": hashes})
    progress("release: files", 1.0)


def part_file(part: Part) -> str:
    """Where a part's STL lies in the package."""
    return f"{FOLDERS[part.role]}/{part.name}.stl"


def _case_record(case: Case) -> dict[str, Any]:
    return {
        "name": case.name,
        "digest": case.digest,
        "levels": list(case.levels),
        "structures": [
            {"name": s.name, "role": s.role, "level": s.level, "volume_mm3": round(s.mask.volume, 1)}
            for s in case.structures
        ],
        "unknown_names": list(case.unknown),
        "scan": asdict(case.quality),
    }


def _design_record(design: Design, blocked: bool) -> dict[str, Any]:
    parts = []
    for part in design.parts:
        low, high = part.mesh.bounds
        parts.append(
            {
                "name": part.name,
                "role": part.role,
                "material": part.material,
                "file": part_file(part),
                "volume_mm3": round(part.mesh.volume, 3),
                "bounding_box_RAS_mm": [low.round(3).tolist(), high.round(3).tolist()],
                "triangles": len(part.mesh.faces),
                "provenance": part.provenance,
            }
        )
    return {"digest": design.digest, "versions": design.versions, "not_for_manufacture": blocked, "parts": parts}


def _write_json(path: Path, record: dict[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _put_in_place(scratch: Path, target: Path) -> None:
    """Swap the finished folder in; an earlier release is only deleted once the new one stands."""
    if not target.exists():
        scratch.rename(target)
        return
    old = scratch.with_name(f"{scratch.name}-old")
    target.rename(old)
    try:
        scratch.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old)
