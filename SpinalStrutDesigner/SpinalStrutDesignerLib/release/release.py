"""What leaves the house, written into a folder whole or not at all: the release, and what inspecting a case found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from LatticeGeneratorLib.mesh.mesh import Part
from LatticeGeneratorLib.mesh.stl import write_stl
from LatticeGeneratorLib.progress import Progress, portion, silent

from ..build.design import Design
from ..case.alignment import Restoration
from ..case.model import Case, Endplate
from ..errors import ReleaseError
from ..plan.json import plan_to_json
from ..plan.plan import Plan
from ..verify.finding import Finding
from .drawing import draw_drawing
from .folder import INSPECTION, file_hashes, whole_folder, write_json, write_manifest
from .images import draw_images, draw_overview, write_images
from .records import MARK, blocking_reasons, case_record, design_record, findings_record, part_file
from .screws_csv import screws_csv
from .summary import summary_page
from .tables import Dossier, measured_loads
from .technical_file import technical_file_page

NOTICE = "NOT_FOR_MANUFACTURE.txt"
# What is left of an STL's 80 bytes for the part's name beside frame, unit and mark.
_NAME_LENGTH = 36


def release(
    case: Case,
    plan: Plan,
    design: Design,
    findings: Sequence[Finding],
    directory: str | Path,
    progress: Progress = silent,
) -> Path:
    """Writes the package of a verified design and returns its folder.

    It is written beside `directory` and moved into place whole; an earlier release there is replaced, and stands
    untouched until then. Where a finding forbids manufacture every file that can carry a mark says so. Raises
    ReleaseError when the findings are not of this design, two parts would share a file, the place holds anything else,
    or something cannot be written or drawn.
    """
    _check(plan, design, findings)
    target = Path(directory).absolute()
    with whole_folder(target) as folder:
        _write(case, plan, design, findings, folder, progress)
    progress("released", 1.0)
    return target


def write_inspection(
    case: Case, plates: Sequence[Endplate], restored: Restoration | None, directory: str | Path
) -> Path:
    """Writes case.json and images/ for a case with the endplates found, whole or not at all; returns the folder.

    restored: what lies between the docking endplates, None where these were not both found.
    """
    with whole_folder(directory, INSPECTION) as folder:
        write_json(folder / "case.json", case_record(case, plates, ()))
        (folder / "images").mkdir()
        write_images(draw_overview(case, plates, restored), folder / "images", case.name)
        write_manifest(folder, case.digest, (), INSPECTION)
    return Path(directory).absolute()


def _check(plan: Plan, design: Design, findings: Sequence[Finding]) -> None:
    if not findings:
        raise ReleaseError("a design without findings is not known to be right; verify it before it is released")
    if design.implants[0].situation.plan != plan:
        raise ReleaseError("the design was built from another plan than the one given; build and verify again")
    files = [part_file(part) for part in design.parts]
    twice = sorted({name for name in files if files.count(name) > 1})
    if twice:
        raise ReleaseError(f"two parts would be written to '{twice[0]}'; give every variant its own amount")
    for part in design.parts:
        if part.name != Path(part.name).name or not part.name.isascii():
            raise ReleaseError(f"the part's name '{part.name}' is no file name; use ASCII letters, digits, '_' and '-'")


def _write(
    case: Case, plan: Plan, design: Design, findings: Sequence[Finding], folder: Path, progress: Progress
) -> None:
    reasons = blocking_reasons(findings)
    for number, part in enumerate(design.parts):
        progress(f"writing {part.name}", 0.25 * number / len(design.parts))
        _write_part(folder, part, blocked=bool(reasons))
    situation = design.implants[0].situation
    (folder / "plan.json").write_text(plan_to_json(plan), encoding="utf-8", newline="\n")
    write_json(folder / "case.json", case_record(case, (situation.upper, situation.lower), reasons))
    write_json(folder / "design.json", design_record(design, reasons))
    write_json(folder / "findings.json", findings_record(findings))
    if reasons:
        _write_text(folder / NOTICE, f"{MARK}\n\nWhat forbids it:\n" + "".join(f"- {r}\n" for r in reasons))
    images = folder / "images"
    images.mkdir()
    pictures = draw_images(design, portion(progress, 0.25, 0.85))
    write_images(pictures, images, f"{plan.case_code} · {plan.upper} to {plan.lower}", MARK if reasons else "")
    progress("writing the summary", 0.85)
    dossier = Dossier(case, plan, design, findings, measured_loads(design.implants[0]), {})
    _write_text(folder / "summary.html", summary_page(dossier, images, pictures))
    _write_text(folder / "screws.csv", screws_csv(design.implants[0], findings))
    progress("drawing the holes", 0.93)
    draw_drawing(design, findings, folder / "drawing.pdf")
    progress("writing the technical file", 0.97)
    dossier = replace(dossier, hashes=file_hashes(folder))
    _write_text(folder / "technical_file.html", technical_file_page(dossier))
    write_manifest(folder, design.digest, reasons)


def _write_part(folder: Path, part: Part, blocked: bool) -> None:
    path = folder / part_file(part)
    path.parent.mkdir(exist_ok=True)
    note = part.name[:_NAME_LENGTH]
    write_stl(path, part.mesh, f"{note} {MARK}" if blocked else note)


def _write_text(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8", newline="\n")
