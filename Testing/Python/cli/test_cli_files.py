"""Files that a command writes: whole and together, or none; what was there before stays until then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from SpinalStrutDesignerLib.cli_files import check_places, write_file, write_files
from SpinalStrutDesignerLib.errors import ReleaseError


def held(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text(encoding="utf-8") for p in folder.rglob("*") if p.is_file()}


def test_all_are_written_over_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("old", encoding="utf-8")
    write_files((str(tmp_path / "plan.json"), "new\n", "plan"), (str(tmp_path / "sets.json"), "µm\n", "sets"))
    assert held(tmp_path) == {"plan.json": "new\n", "sets.json": "µm\n"}
    assert (tmp_path / "sets.json").read_bytes() == "µm\n".encode()


@pytest.mark.parametrize("bad", ["missing/sets.json", "taken"], ids=["no folder", "a folder"])
def test_where_one_cannot_be_written_none_is(tmp_path: Path, bad: str) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "plan.json").write_text("old", encoding="utf-8")
    files = [(str(tmp_path / "plan.json"), "new", "plan"), (str(tmp_path / bad), "more", "sets of screws")]
    for order in (files, files[::-1]):
        with pytest.raises(ReleaseError, match="the sets of screws cannot be written to .*" + bad.split("/")[-1]):
            write_files(*order)
        assert held(tmp_path) == {"plan.json": "old"}


def test_a_fault_while_they_are_put_in_place_leaves_no_remains(tmp_path: Path, monkeypatch) -> None:
    def refuse(new: object, target: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ReleaseError, match="Permission denied"):
        write_file(str(tmp_path / "plan.json"), "new", "plan")
    assert held(tmp_path) == {}


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old", encoding="utf-8")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    write_file(str(tmp_path / "link.json"), "new", "plan")
    assert (tmp_path / "link.json").is_symlink() and (tmp_path / "real.json").read_text(encoding="utf-8") == "new"


def test_places_are_refused_before_any_work(tmp_path: Path) -> None:
    check_places(str(tmp_path / "plan.json"), None)
    with pytest.raises(ReleaseError, match="is a folder; give the name of a file"):
        check_places(str(tmp_path))
    with pytest.raises(ReleaseError, match=r"there is no folder '.*nowhere'; make it first"):
        check_places(None, str(tmp_path / "nowhere" / "plan.json"))
