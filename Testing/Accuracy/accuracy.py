"""How near what is found comes to the truth of the test cases: one table, with the limit beside each figure.

    python Testing/Accuracy/accuracy.py [anatomy | fit | ways | screws | guides] [--pictures FOLDER]

anatomy: what is found in a CT, and implants made from it; fit: axes and sections against brute force; ways: whether the
implants that are proposed can be brought in; screws: those that are planned against brute force, and among the true
structures; guides: how drill guides seat, and by how much drills may miss.

The cases lie in the folder that SPINAL_STRUT_DATA names, or beside the checkout. The exit code is 0 where all holds.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import designs
import endplates
import fit
import guides
import keepouts
import screws
import segmentation
import vertebrae
import ways
from row import Row, show


def data_folder() -> Path:
    """Where the cases lie. Raises SystemExit where they do not."""
    given = os.environ.get("SPINAL_STRUT_DATA")
    folder = Path(given) if given else Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        raise SystemExit(f"the test cases were not found at {folder}: set SPINAL_STRUT_DATA to their folder")
    return folder


def anatomy_rows(data: Path, pictures: Path) -> Iterator[Row]:
    """What is found in a CT."""
    for part in (segmentation, endplates, keepouts, vertebrae, designs):
        yield from part.rows(data, pictures)


PARTS = {"anatomy": anatomy_rows, "fit": fit.rows, "ways": ways.rows, "screws": screws.rows, "guides": guides.rows}


def all_rows(data: Path, pictures: Path) -> Iterator[Row]:
    """Everything, one part after the other."""
    for rows in PARTS.values():
        yield from rows(data, pictures)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=tuple(PARTS), help="which figures alone (all)")
    parser.add_argument("--pictures", type=Path, default=Path("out/accuracy"), help="where pictures are written")
    options = parser.parse_args()
    options.pictures.mkdir(parents=True, exist_ok=True)
    rows = PARTS[options.part] if options.part else all_rows
    return 0 if show(rows(data_folder(), options.pictures)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
