"""Makes the pictures of the README: the whole work in both modules, from real steps on the phantom, in the test host.

python Testing/Host/make_screenshots.py [folder]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from screenshots.lattice import show_lattice
from screenshots.stage import Stage
from screenshots.strut import (
    change_the_strut,
    check_the_design,
    choose_levels,
    drag_the_axis,
    load_the_phantom,
    look_at_a_finding,
    look_along_a_screw,
    propose_the_plan,
    release_the_design,
)

FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "Screenshots"


def main() -> None:
    """Takes every picture, in the order of the work."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    began = time.monotonic()
    stage = Stage.set_up(folder)
    with tempfile.TemporaryDirectory(prefix="strut-releases-") as releases:
        load_the_phantom(stage)
        choose_levels(stage)
        propose_the_plan(stage)
        drag_the_axis(stage)
        change_the_strut(stage)
        look_along_a_screw(stage)
        check_the_design(stage)
        look_at_a_finding(stage)
        release_the_design(stage, Path(releases))
        show_lattice(stage)
    for path in stage.pictures:
        print(f"{path.relative_to(folder.parent)}: {path.stat().st_size / 1000:.0f} kB")
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
