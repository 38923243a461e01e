"""Fixtures shared by all rooms' tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    import numpy as np
    from SpinalStrutDesignerLib.case.model import Case
    from SpinalStrutDesignerLib.plan.plan import Plan

# numpy's linear algebra reads this when it is loaded. Its threads beside those of other tests wait for each other: a
# product of 100,000 points with a 3x3 matrix took 30 times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# The test host and VTK read these when they are loaded; there is no screen to count on.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
# How fast something is is judged by benchmarks, not by tests, which run beside others.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "Host"), str(Path(__file__).resolve().parent)]


def _data_folder() -> Path:
    given = os.environ.get("SPINAL_STRUT_DATA")
    return Path(given) if given else Path(__file__).resolve().parents[2].parent / "shared" / "data"


# Files that take minutes to make what all of them look at: plans for whole cases, vertebrae measured on them, a solid.
_MADE_FOR_ALL = {
    "plans": (
        "endtoend/test_phantom_design.py",
        *(f"propose/test_propose_{name}.py" for name in ("axis", "feet", "screws")),
        "propose/test_spans.py",
    ),
    "vertebrae": tuple(f"case/test_{name}.py" for name in ("alignment", "body", "endplate", "morphometry")),
    "preview": ("build/test_preview.py", "verify/test_verify_preview.py"),
}
_GROUP = {file: group for group, files in _MADE_FOR_ALL.items() for file in files}
_LONGEST = {"endtoend", "panel", "propose"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The rooms whose files take minutes come first: of two processes neither is then left alone with one of them."""
    items.sort(key=lambda item: not _LONGEST & set(item.path.parts))


@pytest.hookimpl(optionalhook=True)  # xdist's, which need not be there
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With --dist loadfile a file's tests run in one process, and so do those of files that share what was made."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            return _GROUP.get(file.rsplit("Testing/Python/", 1)[-1], file)

    return Together(config, log)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of test cases with exact truth and of real CT; tests that need it are skipped where it is absent."""
    folder = _data_folder()
    if not folder.is_dir():
        pytest.skip(f"test data not found at {folder}; set SPINAL_STRUT_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def phantom() -> Case:
    """The made-up spine."""
    from shared_phantom import shared_phantom

    return shared_phantom()


@pytest.fixture(scope="session")
def read_case2(data: Path) -> Case:
    """The published second case, C4 to T2 with the bodies between destroyed; nobody may change its voxels."""
    from SpinalStrutDesignerLib.case.read import read_case

    folder = data / "synthetic" / "case2_c4_t2"
    return read_case(folder / "ct.nrrd", labels=folder / "labels.nrrd", roles=folder / "labels.csv")


@pytest.fixture(scope="session")
def planned_case2(read_case2: Case) -> tuple[Case, Plan]:
    """The second case, and the plan proposed for it."""
    from SpinalStrutDesignerLib.propose.propose import propose_plan

    return read_case2, propose_plan(read_case2, "C4", "T2", "case2")


@pytest.fixture(scope="session")
def mri_motion(phantom: Case) -> np.ndarray:
    """4x4, from the phantom's CT to its made-up MRI."""
    from second_image import middle, motion

    return motion((6.0, -4.0, 9.0), (12.0, -20.0, 25.0), middle(phantom))


@pytest.fixture(scope="session")
def drawn_mri(phantom: Case, mri_motion: np.ndarray) -> Case:
    """The phantom's made-up MRI with cord and dura drawn on it."""
    from second_image import as_case, mri

    return as_case(phantom, mri_motion, mri(phantom, mri_motion), ("spinal_cord", "dural_sac"))


@pytest.fixture(scope="session")
def window_px() -> tuple[int, int]:
    """How large the application's window is: as large as in pictures of it."""
    from slicer_host.window import WINDOW_SIZE_PX

    return WINDOW_SIZE_PX


@pytest.fixture
def host(window_px: tuple[int, int]) -> Iterator[Any]:
    """The running stand-in for the application, started once, with an empty scene."""
    from slicer_host.host import start

    host = start()
    host.window.resize(*window_px)
    host.reset()
    yield host
    host.reset()
