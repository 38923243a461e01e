"""A release is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from SpinalStrutDesignerLib.errors import ReleaseError
from SpinalStrutDesignerLib.release import release as room
from SpinalStrutDesignerLib.release.folder import INSPECTION, checked_target, whole_folder, write_manifest


def _earlier(target: Path, content: str = "first") -> None:
    with whole_folder(target) as folder:
        (folder / "parts").mkdir()
        (folder / "parts" / "implant.stl").write_text(content)
        write_manifest(folder, "digest", ())


def _read(target: Path) -> str:
    return (target / "parts" / "implant.stl").read_text()


def test_makes_the_folder_and_its_parents(tmp_path):
    _earlier(tmp_path / "a" / "b" / "out")
    assert _read(tmp_path / "a" / "b" / "out") == "first"
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["out"]


def test_replaces_an_earlier_release_and_leaves_nothing_of_it(tmp_path):
    _earlier(tmp_path / "out")
    with whole_folder(tmp_path / "out") as folder:
        (folder / "new.txt").write_text("second")
        write_manifest(folder, "digest", ())
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["manifest.json", "new.txt"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_takes_an_empty_folder_and_what_file_managers_leave(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".DS_Store").write_text("")
    _earlier(tmp_path / "out")
    assert _read(tmp_path / "out") == "first"


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt, MemoryError, SystemExit])
def test_a_fault_while_writing_leaves_no_trace(tmp_path, fault):
    with pytest.raises(fault), whole_folder(tmp_path / "out") as folder:
        (folder / "half.txt").write_text("half")
        raise fault
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
def test_a_fault_while_writing_leaves_the_earlier_release_as_it_was(tmp_path, fault):
    _earlier(tmp_path / "out")
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    with pytest.raises(fault), whole_folder(tmp_path / "out") as folder:
        (folder / "half.txt").write_text("half")
        raise fault
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_fault_between_the_two_moves_brings_the_earlier_release_back(tmp_path, monkeypatch, fault):
    _earlier(tmp_path / "out")
    moves = []
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        moves.append(self)
        if len(moves) == 2:
            raise fault
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    expected = ReleaseError if isinstance(fault, OSError) else KeyboardInterrupt
    with pytest.raises(expected), whole_folder(tmp_path / "out") as folder:
        (folder / "new.txt").write_text("second")
    assert len(moves) == 3
    assert _read(tmp_path / "out") == "first" and [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_exception_in_the_middle_of_a_real_release_leaves_the_earlier_one(cleared, tmp_path, monkeypatch):
    _earlier(tmp_path / "out")

    def broken(*_: object) -> None:
        # The parts are already written when the pictures are drawn.
        assert any(p.suffix == ".stl" for p in tmp_path.rglob(".out.*/parts/*"))
        raise ReleaseError("the pictures of the release cannot be drawn")

    monkeypatch.setattr(room, "draw_images", broken)
    with pytest.raises(ReleaseError, match="cannot be drawn"):
        room.release(cleared.case, cleared.plan, cleared.design, cleared.findings, tmp_path / "out")
    assert _read(tmp_path / "out") == "first" and [p.name for p in tmp_path.iterdir()] == ["out"]


def test_refuses_a_folder_with_somebody_elses_files(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(ReleaseError, match=r"thesis\.txt.*choose another folder"):
        _earlier(tmp_path / "out")
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("text", ["{}", "not json", '{"sha256": ["a"], "producer": "another"}', "[1]"])
def test_refuses_a_folder_whose_manifest_is_not_ours(tmp_path, text):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text(text)
    with pytest.raises(ReleaseError, match="not an earlier release"):
        checked_target(tmp_path / "out")


def test_refuses_to_delete_what_was_put_into_an_earlier_release(tmp_path):
    _earlier(tmp_path / "out")
    (tmp_path / "out" / "parts" / "notes.txt").write_text("from the surgeon")
    with pytest.raises(ReleaseError, match=r"parts/notes\.txt.*move it out"):
        _earlier(tmp_path / "out", "second")
    assert _read(tmp_path / "out") == "first"


def test_an_inspection_does_not_replace_a_release(tmp_path):
    _earlier(tmp_path / "out")
    with pytest.raises(ReleaseError, match="not an earlier inspection"):
        checked_target(tmp_path / "out", INSPECTION)


def test_refuses_a_file_and_a_link(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link"):
        with pytest.raises(ReleaseError, match="is not a folder"):
            checked_target(tmp_path / name)


def test_a_place_that_cannot_be_written_is_named_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReleaseError, match=r"cannot write beside .*choose a folder you may write to"):
        _earlier(tmp_path / "file" / "out")


def test_a_full_disk_is_named_with_a_remedy(tmp_path):
    with pytest.raises(ReleaseError, match="No space left on device; check free space"), whole_folder(tmp_path / "out"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []
