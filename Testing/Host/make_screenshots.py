"""Makes the pictures of the README: the whole work in both modules, from real steps on the phantom, in the test host.

python Testing/Host/make_screenshots.py [folder]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "Python"))  # the made-up MRI is the tests'

from screenshots import lattice, own_ct, strut
from screenshots.stage import Stage

FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "Screenshots"


def main() -> None:
    """Takes every picture, in the order of the work."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    began = time.monotonic()
    stage = Stage.set_up(folder)
    strut.load_the_phantom(stage)
    strut.choose_levels(stage)
    strut.propose_the_plan(stage)
    strut.drag_the_axis(stage)
    strut.change_the_strut(stage)
    strut.look_along_a_screw(stage)
    strut.bring_it_in(stage)
    with tempfile.TemporaryDirectory(prefix="strut-") as releases:
        strut.check_the_design(stage)
        strut.look_at_a_finding(stage)
        strut.release_the_design(stage, Path(releases) / "Releases")
    lattice.show_lattice(stage)
    own_ct.segment_from_seeds(stage)
    own_ct.register_an_mri(stage)
    for path in stage.pictures:
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
