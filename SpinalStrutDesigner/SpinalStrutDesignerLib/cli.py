"""The command line: the only code that prints.

`spinal-strut demo | segment | propose | room | screws | design | insert | inspect | spans | register | rebuild`. Exit
codes: 0 all pass, warn or waived; 2 files written, but not for manufacture; 1 an error, told in one line; 130
interrupted, nothing written. With `--progress json` standard output has JSON lines only: {"stage", "detail",
"fraction"} as the work goes on (fraction of the whole, 0 to 1), then {"result": {"directory", "exit_code", "verdicts",
"blocking", "seconds"}}, or {"error": {"type", "message"}}.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from LatticeGeneratorLib.cli_progress import Stages, end_bar, print_json, shown_as
from LatticeGeneratorLib.progress import Cancelled

from .case.model import Case
from .cli_files import check_places, write_file, write_files
from .cli_options import (
    BLOCKED,
    DEFAULT_PRESET,
    ERROR,
    INTERRUPTED,
    PASSED,
    UsageError,
    given_seeds,
    parser,
    read_ct,
    read_given,
    second_levels,
)
from .cli_plan import check_early, check_levels, decided, given_plan, plan_in
from .errors import CaseError, GeometryError, PlanError, ReleaseError
from .plan.plan import Plan

_OWN_ERRORS = (CaseError, PlanError, GeometryError, ReleaseError)
_SHARES = {"reading": 4.0, "planning": 25.0, "building": 35.0, "verifying": 25.0, "releasing": 11.0}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs `spinal-strut` and returns its exit code."""
    try:
        options = parser(_COMMANDS).parse_args(arguments)
    except UsageError as error:
        print(f"spinal-strut: {error}", file=sys.stderr)
        return ERROR
    try:
        with _terminated_as_interrupted():
            return int(options.run(options))
    except (KeyboardInterrupt, Cancelled):
        end_bar(options.progress)
        print("spinal-strut: interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has gone; nothing more is said to them when Python closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR
    except Exception as error:
        return _told(error, options)


def command() -> NoReturn:
    """`main` as a program, which ends at once when interrupted: threads at work in native code are not waited for."""
    code = main()
    if code == INTERRUPTED:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _told(error: Exception, options: argparse.Namespace) -> int:
    """An error as one readable line; the trace only where it is asked for."""
    end_bar(options.progress)
    message = " ".join(str(error).split())
    if not isinstance(error, _OWN_ERRORS):
        message = (
            f"{type(error).__name__}: {message} (this was not foreseen; run again with --debug and report the trace)"
        )
    if options.debug:
        traceback.print_exc()
    if options.progress == "json":
        print_json({"error": {"type": type(error).__name__, "message": message}})
    print(f"spinal-strut: {message}", file=sys.stderr)
    return ERROR


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """A polite request to end (SIGTERM, as a job runner sends it) is cleaned up after like Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _demo(options: argparse.Namespace) -> int:
    from .case.phantom import make_phantom
    from .propose.propose import propose_plan

    _check_target(options.out)
    stages = Stages(shown_as(options.progress), _SHARES)
    with stages.stage("reading"):
        case = make_phantom()
    with stages.stage("planning"):
        plan = propose_plan(case, "C4", "T2", DEFAULT_PRESET).with_(case_code="PHANTOM")
    return _make(case, plan, options, stages)


def _segment(options: argparse.Namespace) -> int:
    from .case.read import read_case
    from .case.write import checked_segmentation, write_segmentation

    seeds = given_seeds(options)
    if not seeds:
        raise CaseError("give a place in each docking vertebra, such as --seed C4=1.5,-20,30 --seed T2=0,-30,-40")
    target = checked_segmentation(options.out)
    stages = Stages(shown_as(options.progress), {"segmenting": 1.0})
    with stages.stage("segmenting") as progress:
        case = read_case(options.ct, None, None, (), options.series, seeds=seeds, progress=progress)
        write_segmentation(case.structures, target, case.seeds)
    end_bar(options.progress)
    names = [structure.name for structure in case.structures]
    if options.progress == "json":
        print_json({"result": {"labels": str(target), "structures": names, "exit_code": PASSED}})
    else:
        print(f"found: {', '.join(names)}; look at {target} before you rely on it")
    return PASSED


def _design(options: argparse.Namespace) -> int:
    _check_target(options.out)
    given = given_plan(options)
    if given is not None and options.screws is not None:
        raise PlanError("--screws is for a proposal, and --plan has its screws already: give one of the two")
    check_early(options, given)
    stages = Stages(shown_as(options.progress), _SHARES)
    with stages.stage("reading") as progress:
        case = read_given(options, progress)
    check_levels(case, given, options)
    with stages.stage("planning"):
        plan = decided(given or _proposed(case, options), options)
    return _make(case, plan, options, stages)


def _propose(options: argparse.Namespace) -> int:
    from .plan.json import plan_to_json
    from .plan.presets import preset
    from .propose.free import free_stations
    from .propose.propose import complete_plan
    from .propose.room_report import room_lines

    check_places(options.out)
    given = given_plan(options)
    check_early(options, given)
    stages = Stages(shown_as(options.progress), {name: _SHARES[name] for name in ("reading", "planning")})
    with stages.stage("reading") as progress:
        case = read_given(options, progress)
    check_levels(case, given, options)
    start = given or preset(options.preset or DEFAULT_PRESET, options.upper, options.lower)
    with stages.stage("planning"):
        plan = decided(complete_plan(case, start, options.screws), options)
        stations = free_stations(case, plan)
    end_bar(options.progress)
    write_file(options.out, plan_to_json(plan), "plan")
    written = f"{plan.upper} to {plan.lower}: the plan is in {options.out}; change it, then design with --plan"
    return _tell(options, [written, *room_lines(plan, stations)], plan=options.out)


def _room(options: argparse.Namespace) -> int:
    from .propose.free import free_stations
    from .propose.prospect import prospect
    from .propose.room_report import room_lines, room_table, widest_line
    from .propose.widest import MOST_MM, round_section, widest

    check_places(options.out)
    plan = decided(plan_in(options.plan), options)
    stages = Stages(shown_as(options.progress), {"reading": 1.0, "measuring": 2.0, "widest strut": 5.0})
    with stages.stage("reading") as progress:
        case = read_given(options, progress)
    check_levels(case, plan, options)
    with stages.stage("measuring"):
        stations = free_stations(case, plan)
    with stages.stage("widest strut"):
        found = widest(prospect(case, plan.with_(section=round_section(MOST_MM))))
    end_bar(options.progress)
    if options.out is not None:
        write_file(options.out, room_table(stations), "table of room")
    return _tell(options, [*room_lines(plan, stations), widest_line(plan, found)])


def _proposed(case: Case, options: argparse.Namespace) -> Plan:
    from .propose.propose import propose_plan

    return propose_plan(case, options.upper, options.lower, options.preset or DEFAULT_PRESET, options.screws)


def _make(case: Case, plan: Plan, options: argparse.Namespace, stages: Stages) -> int:
    """Builds, verifies and releases; tells what came out."""
    from .build.build import build
    from .cli_report import release_lines, release_record
    from .release.release import release
    from .verify.verify import blocked, verify

    with stages.stage("building") as progress:
        design = build(case, plan, progress)
    with stages.stage("verifying") as progress:
        findings = verify(case, plan, design, progress)
    with stages.stage("releasing") as progress:
        folder = release(case, plan, design, findings, options.out, progress)
    exit_code = BLOCKED if blocked(findings) else PASSED
    end_bar(options.progress)
    if options.progress == "json":
        print_json(release_record(folder, findings, stages.seconds, exit_code))
    else:
        for line in release_lines(folder, findings, stages.seconds):
            print(line)
    return exit_code


def _inspect(options: argparse.Namespace) -> int:
    from .cli_inspect import inspect_case, inspection_lines
    from .release.folder import INSPECTION
    from .release.release import write_inspection

    if options.out:
        _check_target(options.out, INSPECTION)
    shares = {"reading": 1.0, "measuring": 3.0, **({"drawing": 2.0} if options.out else {})}
    stages = Stages(shown_as(options.progress), shares)
    with stages.stage("reading") as progress:
        case = read_given(options, progress)
    span = (options.upper or case.levels[0], options.lower or case.levels[-1]) if case.levels else None
    with stages.stage("measuring") as progress:
        inspection = inspect_case(case, span, progress)
    if options.out:
        with stages.stage("drawing"):
            write_inspection(case, inspection.plates, inspection.restored, options.out)
    end_bar(options.progress)
    lines = list(inspection_lines(inspection))
    return _tell(options, lines)


def _spans(options: argparse.Namespace) -> int:
    from .propose.spans import designed_span, neighbouring_spans, span_lines, spans_table

    check_places(options.out)
    start = check_early(options, given_plan(options))
    stages = Stages(shown_as(options.progress), {"reading": 1.0, "comparing": 20.0})
    with stages.stage("reading") as progress:
        case = read_given(options, progress)
    check_levels(case, start, options)
    with stages.stage("comparing") as progress:
        spans = neighbouring_spans(case, start, options.reach)
        designs = []
        for number, span in enumerate(spans):
            progress(span.name, number / len(spans))
            designs.append(designed_span(case, span, start, catalogue=options.screws))
    end_bar(options.progress)
    if options.out is not None:
        write_file(options.out, spans_table(designs), "table of spans")
    return _tell(options, list(span_lines(designs)))


def _insert(options: argparse.Namespace) -> int:
    from .build.build import build
    from .plan.json import plan_to_json
    from .propose.insertion import insertion_findings, insertion_lines, plan_with_ways
    from .propose.ways_found import ways_found
    from .release.folder import json_text
    from .release.records import findings_record
    from .verify.verify import blocked

    check_places(options.out, options.report)
    plan = decided(plan_in(options.plan), options)
    # What was taken off for an earlier way is there again for another one.
    plan = plan.with_(insertion=plan.insertion.with_(ways=()))
    stages = Stages(
        shown_as(options.progress), {"reading": 4.0, "building": 30.0, "inserting": 40.0, "verifying": 20.0}
    )
    with stages.stage("reading") as progress:
        case = read_given(options, progress)
    check_levels(case, plan, options)
    with stages.stage("building") as progress:
        design = build(case, plan, progress)
    with stages.stage("inserting") as progress:
        found = plan_with_ways(plan, design, progress)
    with stages.stage("verifying"):
        findings = insertion_findings(found, design)
    end_bar(options.progress)
    files = [(options.out, plan_to_json(found.plan), "plan")]
    if options.report is not None:
        files.append((options.report, json_text(findings_record(ways_found(found, findings, design))), "report"))
    write_files(*files)
    exit_code = BLOCKED if blocked(findings) or not found.complete else PASSED
    return _tell(options, list(insertion_lines(found, findings)), exit_code, plan=options.out)


def _screws(options: argparse.Namespace) -> int:
    from .cli_screws import plan_all

    return _tell(options, plan_all(options), plan=options.out)


def _register(options: argparse.Namespace) -> int:
    from .case.registration_json import registration_to_json
    from .case.second import register_file

    if options.second_image is None:
        raise CaseError("give the image to register with --second-image")
    check_places(options.out)
    stages = Stages(shown_as(options.progress), {"reading": 1.0, "registering": 9.0})
    with stages.stage("reading") as progress:
        case = read_ct(options, progress)
    with stages.stage("registering"):
        found = register_file(case, options.second_image, options.second_transform, second_levels(options))
        write_file(options.out, registration_to_json(found), "registration")
    end_bar(options.progress)
    if options.progress == "json":
        print_json({"result": {"registration": options.out, "error_mm": found.error_mm, "exit_code": PASSED}})
    else:
        print(f"known in the CT's frame to {found.error_mm:.2f} mm ({found.metric}; {found.how})")
        for window in found.windows:
            print(f"  {window.name} by itself: {window.residual_mm:.2f} mm elsewhere")
        for note in found.notes:
            print(f"  note: {note}")
    return PASSED


def _rebuild(options: argparse.Namespace) -> int:
    from .case.read import read_case
    from .plan.json import plan_to_json
    from .propose.changes import changes_table
    from .propose.rebuild import rebuild

    check_places(options.out, options.report)
    plan = plan_in(options.plan)
    stages = Stages(shown_as(options.progress), {"reading": 1.0, "carrying over": 4.0})
    with stages.stage("reading") as progress:
        old = read_case(options.old_ct, options.old_labels, options.old_roles)
        new = read_given(options, progress)
    with stages.stage("carrying over"):
        rebuilt = rebuild(old, plan, new)
        files = [(options.out, plan_to_json(rebuilt.plan), "plan")]
        if options.report is not None:
            files.append((options.report, changes_table(rebuilt.changes), "report"))
        write_files(*files)
    end_bar(options.progress)
    lines = [change.line for change in rebuilt.changes]
    return _tell(options, lines, plan=options.out)


def _tell(options: argparse.Namespace, lines: Sequence[str], exit_code: int = PASSED, **made: str) -> int:
    """Says the lines, or a record with them and what was made."""
    if options.progress == "json":
        print_json({"result": {**made, "exit_code": exit_code, "lines": list(lines)}})
    else:
        print("\n".join(lines))
    return exit_code


def _check_target(directory: str, kind: str = "release") -> None:
    """Refuses a place that the files could not take, before the work is done."""
    from .release.folder import checked_target

    checked_target(directory, kind)


_COMMANDS = {
    "demo": _demo,
    "segment": _segment,
    "design": _design,
    "propose": _propose,
    "room": _room,
    "insert": _insert,
    "inspect": _inspect,
    "spans": _spans,
    "screws": _screws,
    "register": _register,
    "rebuild": _rebuild,
}

if __name__ == "__main__":
    command()
