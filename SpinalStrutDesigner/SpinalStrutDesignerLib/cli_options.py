"""What may be written on the command line, and what it means."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np
from LatticeGeneratorLib.progress import Progress

from .case.model import ROLES, Case
from .case.seeds import seeds_of
from .errors import CaseError

DEFAULT_PRESET = "case2"
PASSED, ERROR, BLOCKED, INTERRUPTED = 0, 1, 2, 130
_PRESET_HELP = (
    "the published case whose dimensions and screws a proposal starts from: case1, a round strut over many levels, or "
    f"case2, a flat one at the neck (default {DEFAULT_PRESET})"
)
_ROLES_HELP = (
    "what the labels' values are: a table with the columns value, name and role, where a role is one of "
    f"{', '.join(ROLES)}; or the name of a numbering, totalsegmentator or verse"
)
_SEED_HELP = (
    "a place in the body of a vertebra, RAS mm as Slicer shows it, from which the vertebra is found in the bare CT, "
    "such as C4=1.5,-20,30; one for each docking level, and others where wanted; may be repeated"
)
_EXIT_HELP = (
    f"Exit code: {PASSED} done, and no finding forbids manufacture; {BLOCKED} files written, but not for manufacture; "
    f"{ERROR} an error; {INTERRUPTED} interrupted."
)
Run = Callable[[argparse.Namespace], int]


class UsageError(ValueError):
    """A command line that cannot be understood."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are told like all others: exit code 2 means something else here."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def parser(runs: Mapping[str, Run]) -> argparse.ArgumentParser:
    """The command line's parser; runs: what each command does."""
    made = _Parser(
        prog="spinal-strut",
        description="From a CT to a 3D-printable strut that bridges vertebrae. Research software, not a certified "
        "medical device. `spinal-strut COMMAND --help` tells a command's options.",
        epilog=_EXIT_HELP,
    )
    commands = made.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    demo = _command(commands, "demo", "design a strut for the built-in phantom, C4 to T2", runs)
    segment = _command(commands, "segment", "find vertebrae and what to stay clear of in a bare CT", runs)
    design = _command(commands, "design", "design a strut for a patient's CT", runs)
    propose = _command(commands, "propose", "write a plan for a patient's CT, to be changed and designed from", runs)
    room = _command(commands, "room", "what a plan's strut leaves of room, and the widest that would pass", runs)
    screws = _command(commands, "screws", "plan the safest screws that hold most, through a plan's flanges", runs)
    insert = _command(commands, "insert", "find how the implants of a plan are brought to their place", runs)
    inspect = _command(commands, "inspect", "what a case holds: levels, endplates, what is missing", runs)
    spans = _command(commands, "spans", "design from neighbouring docking levels too, and compare them", runs)
    register = _command(
        commands, "register", "find how an MRI or another CT lies to the CT, and how sure that is", runs
    )
    rebuild = _command(commands, "rebuild", "carry a plan over to a new CT of the same patient", runs)
    for command in (design, propose, room, screws, insert, inspect, spans, rebuild, register):
        _add_case_options(command)
        _add_second_image(command)
    for command in (design, propose, room, screws, insert, inspect, spans, rebuild):
        _add_second_labels(command)
    for command in (design, propose, inspect, spans):
        _add_levels(command)
    _add_old_case(rebuild)
    register.add_argument("--out", required=True, metavar="FILE.json", help="the registration to write")
    _add_ct(segment)
    _add_plan_options(design, "a plan.json to use in place of a proposal")
    _add_plan_options(propose, "a started plan.json: its axis, section, feet and screws are proposed, the rest is kept")
    _add_plan_options(spans, "a started plan.json, whose decisions hold for every span")
    room.add_argument("--plan", required=True, metavar="FILE", help="the plan.json whose strut is measured")
    room.add_argument("--out", metavar="FILE.csv", help="the table to write: sizes, and what limits them where")
    _add_settings(room)
    screws.add_argument("--plan", required=True, metavar="FILE", help="the plan.json whose screws are planned")
    screws.add_argument("--out", required=True, metavar="FILE", help="the plan.json to write, with these screws")
    screws.add_argument("--sets", metavar="FILE.json", help="the sets found, best first, to write")
    _add_settings(screws)
    insert.add_argument("--plan", required=True, metavar="FILE", help="the plan.json whose implants are brought in")
    insert.add_argument("--out", required=True, metavar="FILE", help="the plan.json to write, with the ways found")
    insert.add_argument("--report", metavar="FILE.json", help="what was found and measured, to write as findings")
    _add_settings(insert)
    spans.add_argument(
        "--reach", type=int, default=1, metavar="N", help="so many levels farther up and down are tried (default 1)"
    )
    spans.add_argument("--out", metavar="FILE.csv", help="the table to write")
    _add_waivers(design)
    segment.add_argument("--out", required=True, metavar="FILE.seg.nrrd", help="the Slicer segmentation to write")
    propose.add_argument("--out", required=True, metavar="FILE", help="the plan.json to write")
    inspect.add_argument("--out", metavar="DIR", help="folder for pictures of the spine with its endplates")
    for command in (demo, design):
        command.add_argument(
            "--out", required=True, metavar="DIR", help="folder of the release; an earlier one is replaced"
        )
    for command in (demo, segment, design, propose, room, screws, insert, inspect, spans, register, rebuild):
        command.add_argument(
            "--progress", choices=("text", "json"), default="text", help="json: JSON lines on standard output"
        )
        command.add_argument("--debug", action="store_true", help="show the trace of an error")
    return made


def read_ct(options: argparse.Namespace, progress: Progress) -> Case:
    """The case that the options name, without what a second image gives."""
    from .case.read import read_case

    surfaces, seeds = [_surface(text) for text in options.surfaces], given_seeds(options)
    return read_case(
        options.ct, options.labels, options.roles, surfaces, options.series, seeds=seeds, progress=progress
    )


def read_given(options: argparse.Namespace, progress: Progress) -> Case:
    """The case that the options name."""
    if (options.second_image is None) != (options.second_labels is None):
        raise CaseError("--second-image and --second-labels go together: an image, and what was drawn on it")
    case = read_ct(options, progress)
    if options.second_image is None:
        return case
    from .case.second import add_second_image

    progress("second image", 0.5)
    image, labels, transform = options.second_image, options.second_labels, options.second_transform
    return add_second_image(case, image, labels, options.second_roles, transform, second_levels(options))[0]


def given_seeds(options: argparse.Namespace) -> dict[str, np.ndarray]:
    """Level to (3,) RAS mm."""
    return {level: np.array(place) for level, place in seeds_of(options.seeds)}


def second_levels(options: argparse.Namespace) -> tuple[str, ...]:
    """The vertebrae that a second image is registered by; none for all there are. Raises CaseError for what is none."""
    from .case.levels import LEVELS, level_of

    found = []
    for name in options.second_levels.split(",") if options.second_levels else ():
        level = level_of(name)
        if level is None:
            raise CaseError(
                f"--second-levels {options.second_levels}: '{name}' is no vertebra; give levels of {LEVELS[0]} to "
                f"{LEVELS[-1]}, such as C4,T2"
            )
        found.append(level)
    return tuple(found)


def _surface(text: str) -> tuple[str, str] | tuple[str, str, str]:
    """(file, name) or (file, name, role) of NAME=FILE or NAME:ROLE=FILE."""
    named, _, path = text.partition("=")
    name, _, role = named.partition(":")
    if not name or not path or (role and role not in ROLES):
        raise CaseError(f"--surface {text}: give NAME=FILE, or NAME:ROLE=FILE with a role of {', '.join(ROLES)}")
    return (path, name, role) if role else (path, name)


def _command(commands: Any, name: str, what: str, runs: Mapping[str, Run]) -> argparse.ArgumentParser:
    text = f"{what[0].upper()}{what[1:]}."
    made: argparse.ArgumentParser = commands.add_parser(name, help=what, description=text, epilog=_EXIT_HELP)
    made.set_defaults(run=runs[name])
    return made


def _add_ct(command: argparse.ArgumentParser) -> None:
    command.add_argument("ct", metavar="CT", help="NRRD or NIfTI file, or a DICOM folder")
    command.add_argument(
        "--series", metavar="UID", help="UID or number of the DICOM series, where a folder holds several"
    )
    command.add_argument(
        "--seed", dest="seeds", action="append", default=[], metavar="LEVEL=x,y,z", help=_SEED_HELP
    )  # fmt: skip


def _add_case_options(command: argparse.ArgumentParser) -> None:
    _add_ct(command)
    command.add_argument("--labels", metavar="L", help="label map on the CT's grid, or a Slicer .seg.nrrd")
    command.add_argument("--roles", metavar="FILE.csv", help=_ROLES_HELP)
    command.add_argument(
        "--surface", dest="surfaces", action="append", default=[], metavar="NAME[:ROLE]=FILE",
        help="a structure as a closed STL surface in the CT's frame, such as aorta=aorta.stl; may be repeated",
    )  # fmt: skip


def _add_second_image(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--second-image", metavar="FILE", help="MRI or another CT of the patient, registered to the CT: NRRD or NIfTI"
    )
    command.add_argument(
        "--second-transform", metavar="FILE", help="a rigid transform made in Slicer, in place of the registration"
    )
    command.add_argument(
        "--second-levels", metavar="LEVELS", default="",
        help="the vertebrae to register by, such as C4,T2, where the spine is bent otherwise in the second image; all "
        "that are labelled unless given",
    )  # fmt: skip


def _add_second_labels(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--second-labels", metavar="L", help="what was drawn on the second image, such as cord and dura; on its grid"
    )
    command.add_argument("--second-roles", metavar="FILE.csv", help="as --roles, for the second image's labels")


def _add_old_case(command: argparse.ArgumentParser) -> None:
    command.add_argument("--plan", required=True, metavar="FILE", help="the plan.json made for the earlier CT")
    command.add_argument("--old-ct", required=True, metavar="CT", help="the CT that the plan was made for")
    command.add_argument("--old-labels", metavar="L", help="its label map, or a Slicer .seg.nrrd")
    command.add_argument("--old-roles", metavar="FILE.csv", help="as --roles, for the labels of the earlier CT")
    command.add_argument("--report", metavar="FILE.csv", help="a table to write of what is different in the new CT")
    command.add_argument("--out", required=True, metavar="FILE", help="the plan.json to write")


def _add_levels(command: argparse.ArgumentParser) -> None:
    command.add_argument("--from", dest="upper", metavar="LEVEL", help="upper docking level, such as C4")
    command.add_argument("--to", dest="lower", metavar="LEVEL", help="lower docking level, such as T2")


def _add_plan_options(command: argparse.ArgumentParser, plan_help: str) -> None:
    command.add_argument("--plan", metavar="FILE", help=plan_help)
    command.add_argument("--preset", metavar="NAME", help=_PRESET_HELP)
    command.add_argument(
        "--screws", metavar="FILE.json",
        help="the hospital's own screws, in the form of the package's screws.json: they add to the package's, or with "
        '"mode": "replaces" are all there is',
    )  # fmt: skip
    _add_settings(command)


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="FIELD=VALUE",
        help="sets a field of the plan, such as section.width_mm=12 (plan.json has them all); may be repeated",
    )  # fmt: skip
    command.add_argument("--case-code", metavar="CODE", help="the code that stands for the patient on every document")
    command.add_argument("--weight", type=float, metavar="KG", help="the patient's weight in kilograms")
    command.set_defaults(waivers=[])


def _add_waivers(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--waive", dest="waivers", action="append", default=[], nargs=3, metavar=("ID", "NAME", "REASON"),
        help="accepts a finding by its id, under a person's name and for a reason; may be repeated",
    )  # fmt: skip
