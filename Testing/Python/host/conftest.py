"""The test host, one for all tests of the process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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
