"""Puts the test host on the path, before anything imports Qt or VTK, and starts it, once for all tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Host"))


@pytest.fixture
def host() -> Iterator[Any]:
    """The running host with an empty scene."""
    pytest.importorskip("slicer")
    pytest.importorskip("PySide6")
    from slicer_host.host import start

    host = start()
    host.reset()
    yield host
    host.reset()
