"""The command line: the only code that prints."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from LatticeGeneratorLib.progress import Progress

from .case.model import Case
from .errors import CaseError, GeometryError, PlanError, ReleaseError
from .plan.plan import Plan

PASSED, ERROR, BLOCKED, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs `spinal-strut`. Returns 0: all pass, warn or waived; 2: not for manufacture; 1: error; 130: interrupted."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    except (CaseError, PlanError, GeometryError, ReleaseError) as error:
        if options.debug:
            raise
        print(f"spinal-strut: {error}", file=sys.stderr)
        return ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="spinal-strut", description="From a CT to a printable spinal strut.")
    commands = parser.add_subparsers(required=True)
    demo = commands.add_parser("demo", help="design an implant for the built-in phantom, C4 to T2")
    demo.set_defaults(run=_demo)
    design = commands.add_parser("design", help="design an implant for a patient's CT")
    design.set_defaults(run=_design)
    inspect = commands.add_parser("inspect", help="what a case holds: levels, endplates, what is missing")
    inspect.set_defaults(run=_inspect)
    for command in (design, inspect):
        command.add_argument("ct", help="NRRD or NIfTI file, or a DICOM folder")
        command.add_argument("--labels", help="label map or Slicer .seg.nrrd")
        command.add_argument("--roles", help="CSV table: value,name,role")
        command.add_argument("--series", help="DICOM series UID, where a folder holds several")
    design.add_argument("--from", dest="upper", required=True, help="upper docking level, e.g. C4")
    design.add_argument("--to", dest="lower", required=True, help="lower docking level, e.g. T2")
    design.add_argument("--plan", help="plan.json of an earlier design")
    design.add_argument("--preset", default="case2", help="case1 or case2")
    design.add_argument("--set", dest="settings", action="append", default=[], metavar="FIELD=VALUE")
    for command in (demo, design):
        command.add_argument("--out", required=True, help="folder of the release package")
        command.add_argument("--progress", choices=("text", "json"), default="text")
    for command in (demo, design, inspect):
        command.add_argument("--debug", action="store_true", help="show the trace of an error")
    return parser


def _demo(options: argparse.Namespace) -> int:
    from .case.phantom import make_phantom
    from .propose.propose import propose_plan

    progress = _progress(options.progress)
    progress("phantom", 0.0)
    case = make_phantom()
    progress("plan", 0.0)
    return _make(case, propose_plan(case, "C4", "T2", "case2"), options.out, progress)


def _design(options: argparse.Namespace) -> int:
    from .case.read import read_case
    from .plan.json import plan_from_json
    from .plan.setting import with_settings
    from .propose.propose import propose_plan

    progress = _progress(options.progress)
    progress("reading", 0.0)
    case = read_case(options.ct, labels=options.labels, roles=options.roles, series=options.series)
    progress("plan", 0.0)
    if options.plan:
        plan = plan_from_json(Path(options.plan).read_text(encoding="utf-8"))
    else:
        plan = propose_plan(case, options.upper, options.lower, options.preset)
    return _make(case, with_settings(plan, options.settings), options.out, progress)


def _make(case: Case, plan: Plan, directory: str, progress: Progress) -> int:
    from .build.build import build
    from .release.release import release
    from .verify.verify import blocked, verify

    design = build(case, plan, progress)
    findings = verify(case, plan, design, progress)
    folder = release(case, plan, design, findings, directory, progress)
    for finding in findings:
        if finding.blocks:
            value = "not evaluated" if finding.value is None else f"{finding.value} {finding.unit}".strip()
            print(f"{finding.verdict}: {finding.id}: {value} (limit {finding.limit})", file=sys.stderr)
    stop = blocked(findings)
    print(f"{folder}{': NOT FOR MANUFACTURE' if stop else ''}")
    return BLOCKED if stop else PASSED


def _inspect(options: argparse.Namespace) -> int:
    from .case.endplate import find_endplate
    from .case.model import Face
    from .case.read import read_case

    case = read_case(options.ct, labels=options.labels, roles=options.roles, series=options.series)
    print(f"{case.name}: levels {', '.join(case.levels) or 'none'}")
    faces: tuple[Face, Face] = ("superior", "inferior")
    for level in case.levels:
        for face in faces:
            try:
                plate = find_endplate(case, level, face)
            except CaseError as error:
                print(f"{level} {face}: {error}")
                continue
            gap = "open" if plate.gap_mm is None else f"{plate.gap_mm:.1f} mm to {plate.neighbour}"
            print(f"{level} {face}: {plate.width_mm:.1f} x {plate.depth_mm:.1f} mm, {gap}")
    for name in case.unknown:
        print(f"unknown name, not used: {name}")
    for note in case.quality.notes:
        print(note)
    return PASSED


def _progress(kind: str) -> Progress:
    """Stages on standard error, or JSON lines {"stage", "fraction"} on standard output."""
    shown: list[str] = []

    def as_text(stage: str, fraction: float) -> None:
        if shown[-1:] != [stage]:
            shown.append(stage)
            print(f"{100 * fraction:3.0f} % {stage}", file=sys.stderr, flush=True)

    def as_json(stage: str, fraction: float) -> None:
        print(json.dumps({"stage": stage, "fraction": round(fraction, 3)}), flush=True)

    return as_json if kind == "json" else as_text


if __name__ == "__main__":
    sys.exit(main())
