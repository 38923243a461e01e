"""Every test that lies in the tree is run: pytest passes over folders by their names."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOM = Path(__file__).resolve().parents[1]


def test_no_room_of_tests_is_passed_over(request: pytest.FixtureRequest) -> None:
    passed_over = request.config.getini("norecursedirs")
    rooms = {file.parent for file in ROOM.rglob("test_*.py")}
    assert ROOM / "build" in rooms
    for room in rooms:
        parts = room.relative_to(ROOM).parts
        assert not [part for part in parts if any(fnmatchcase(part, pattern) for pattern in passed_over)]
        assert not (room / "pyvenv.cfg").exists()
