"""Fixtures shared by all rooms' tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from SpinalStrutDesignerLib.case.model import Case

# numpy's linear algebra reads this when it is loaded. Its threads beside those of other tests wait for each other: a
# product of 100,000 points with a 3x3 matrix took 30 times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# The test host and VTK read these when they are loaded; there is no screen to count on.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "Host"), str(Path(__file__).resolve().parent)]


def _data_folder() -> Path:
    given = os.environ.get("SPINAL_STRUT_DATA")
    return Path(given) if given else Path(__file__).resolve().parents[2].parent / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The rooms whose files take minutes come first: of two processes neither is then left alone with one of them."""
    items.sort(key=lambda item: not {"panel", "endtoend"} & set(item.path.parts))


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


@pytest.fixture
def host() -> Iterator[Any]:
    """The running stand-in for the application, started once, with an empty scene."""
    from slicer_host.host import start

    host = start()
    host.reset()
    yield host
    host.reset()
