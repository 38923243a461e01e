"""`python -m LatticeGeneratorLib BODY ORDER OUT`: fills a body with a lattice, away from whoever asks for it.

BODY: a closed surface, .npz as `files` writes it or .stl; ORDER: JSON of an `Order`; OUT: the folder to write into.
With `--progress json` standard output has JSON lines only: {"stage", "detail", "fraction"} as the work goes on, or
{"error": {"type", "message"}}. Exit codes: 0 written, 1 an error, told in one line.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence

from .cli_progress import end_bar, print_json, shown_as
from .errors import GeometryError
from .files import Made, read_body, read_order, write_made
from .infill.order import deliver

_DONE, _ERROR = 0, 1
_SHARE_MADE = 0.9  # of the whole; the rest is thinning out for the views and writing


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        _make(options)
    except Exception as error:
        end_bar(options.progress)
        if not isinstance(error, GeometryError):
            traceback.print_exc()
        message = _words(error)
        if options.progress == "json":
            print_json({"error": {"type": type(error).__name__, "message": message}})
        print(f"lattice: {message}", file=sys.stderr)
        return _ERROR
    return _DONE


def _make(options: argparse.Namespace) -> None:
    show = shown_as(options.progress)
    body, order = read_body(options.body), read_order(options.order)
    delivery = deliver(body, order, lambda stage, fraction: show(stage, "", _SHARE_MADE * fraction))
    show("thinning", "", _SHARE_MADE)
    write_made(options.out, Made.of(delivery))
    end_bar(options.progress)


def _words(error: Exception) -> str:
    """An error in one line, with what to do about it."""
    words = " ".join(str(error).split())
    if isinstance(error, GeometryError):
        return words
    if isinstance(error, MemoryError):
        return f"there is not enough memory ({words}): fill a smaller part of the body, or ask for larger pores"
    return f"{type(error).__name__}: {words} (this was not foreseen; report what the log says)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m LatticeGeneratorLib", description="Fills a body with a lattice.")
    parser.add_argument("body", metavar="BODY", help="a closed surface, .npz or .stl")
    parser.add_argument("order", metavar="ORDER", help="JSON: what lattice, and where")
    parser.add_argument("out", metavar="OUT", help="the folder to write into")
    parser.add_argument("--progress", choices=("text", "json"), default="text", help="json: JSON lines")
    return parser
