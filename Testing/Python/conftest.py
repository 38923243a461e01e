"""Fixtures shared by all rooms' tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def _data_folder() -> Path:
    given = os.environ.get("SPINAL_STRUT_DATA")
    return Path(given) if given else Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of test cases with exact truth and of real CT; tests that need it are skipped where it is absent."""
    folder = _data_folder()
    if not folder.is_dir():
        pytest.skip(f"test data not found at {folder}; set SPINAL_STRUT_DATA to its folder")
    return folder
