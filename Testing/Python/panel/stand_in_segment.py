"""Stands in for the command `segment` in tests of the panel: says what it was given, and writes a segmentation.

    stand_in_segment.py SEGMENTATION segment CT.nrrd --seed C4=R,A,S --seed T2=R,A,S --out FILE.seg.nrrd --progress json

It refuses a call that the command would not understand. A seed in C1 makes it fail; one in C2 makes it slow.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path


def main() -> int:
    """Copies SEGMENTATION to FILE, and the call beside it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("segmentation", type=Path)
    parser.add_argument("command", choices=["segment"])
    parser.add_argument("ct", type=Path)
    parser.add_argument("--seed", action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--progress", choices=["json"], required=True)
    options = parser.parse_args()
    seeds = {name: [float(x) for x in place.split(",")] for name, place in (s.split("=") for s in options.seed)}
    if not options.ct.is_file() or any(len(place) != 3 for place in seeds.values()):
        return 1
    print(json.dumps({"stage": "segmenting", "detail": "bone", "fraction": 0.5}), flush=True)
    if "C1" in seeds:
        print(json.dumps({"error": {"type": "CaseError", "message": "the seed of C1 lies in air: move it into bone"}}))
        return 1
    if "C2" in seeds:
        time.sleep(60.0)
    shutil.copyfile(options.segmentation, options.out)
    called = options.segmentation.with_name("called.json")
    called.write_text(json.dumps({"seeds": seeds, "ct": str(options.ct)}), encoding="utf-8")
    print(json.dumps({"result": {"labels": str(options.out), "exit_code": 0, "structures": list(seeds)}}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
