"""`python -m LatticeGeneratorLib measure BODY [DOMAIN]`: measures a porous body, or one in a micro-CT volume.

BODY: a closed surface (.stl, .npz), or a volume that SimpleITK reads (.nrrd, .mha, .nii ...), of which what is brighter
than the threshold is the body. DOMAIN: the closed surface within which to measure, in BODY's frame; without one the box
around BODY, or all of the volume. Writes a table, or with --json the record that --designed reads again.
Exit codes: 0 measured, 1 an error, told in one line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .errors import GeometryError
from .files import read_body
from .measure.compare import WORDS, compared
from .measure.measures import Measures, measured, measures_from_json
from .measure.volume import measured_volume, read_volume, threshold_between
from .mesh.solids import box

_SURFACES = (".stl", ".npz")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        found = _measured(options)
        designed = None if options.designed is None else measures_from_json(Path(options.designed).read_text("utf-8"))
    except (GeometryError, OSError) as error:
        words = f"'{error.filename}' cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
        print(f"measure: {' '.join(words.split())}", file=sys.stderr)
        return 1
    print(found.to_json() if options.json else "\n".join(_table(found, designed)))
    return 0


def _measured(options: argparse.Namespace) -> Measures:
    domain = None if options.domain is None else read_body(options.domain)
    if Path(options.body).suffix.lower() in _SURFACES:
        body = read_body(options.body)
        return measured(body, domain or box(*body.bounds))
    volume = read_volume(options.body)
    threshold = options.threshold
    if threshold is None:
        threshold = threshold_between(volume.values)
        print(f"threshold: {threshold:.6g}, halfway between metal and air", file=sys.stderr)
    return measured_volume(volume, threshold, domain)


def _table(found: Measures, designed: Measures | None) -> list[str]:
    wide = max(len(words) for words, _, _ in WORDS.values())
    if designed is None:
        same = compared(found, found)
        return [f"{WORDS[d.name][0]:<{wide}}  {d.printed:10.4g} {WORDS[d.name][1]}".rstrip() for d in same]
    lines = [f"{'':<{wide}}  {'designed':>10} {'here':>10} {'change':>10}"]
    for d in compared(designed, found):
        name, unit, _ = WORDS[d.name]
        lines.append(f"{name:<{wide}}  {d.designed:10.4g} {d.printed:10.4g} {d.change:+10.3g} {unit}".rstrip())
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m LatticeGeneratorLib measure", description="Measures a porous body, as designed or as printed."
    )
    parser.add_argument(
        "body", metavar="BODY", help="a closed surface (.stl, .npz) or a volume (.nrrd, .mha, .nii ...)"
    )
    parser.add_argument("domain", metavar="DOMAIN", nargs="?", help="a closed surface: measure within it")
    parser.add_argument("--threshold", type=float, help="grey value of a volume above which is metal")
    parser.add_argument("--designed", metavar="JSON", help="what --json wrote for the design: compare with it")
    parser.add_argument("--json", action="store_true", help="the record as JSON")
    return parser
