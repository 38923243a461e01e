"""What README and CONTRIBUTING promise is there: pictures, files, commands, and the steps to try by hand."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = ("README.md", "CONTRIBUTING.md")
PICTURES = ROOT / "Resources" / "Screenshots"

# A clone of the repository that a hospital's network has to carry, and pictures that a page loads, bytes.
MOST_OF_ALL, MOST_OF_ONE = 5_000_000, 600_000


def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def _headings(page: str) -> set[str]:
    """The names by which a page's headings are linked to, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", _text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _size_of_png(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n", path
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def test_every_picture_named_is_there_and_none_is_left_over() -> None:
    named = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", _text("README.md"))
    assert len(named) >= 8 and all(words.strip() for words, _path in named)
    for _words, path in named:
        width, height = _size_of_png(ROOT / path)
        assert width >= 1200 and height >= 800, path
    assert {ROOT / path for _words, path in named} == set(PICTURES.iterdir())


def test_pictures_are_light() -> None:
    for path in PICTURES.iterdir():
        assert path.stat().st_size <= MOST_OF_ONE, path
    assert sum(path.stat().st_size for path in (ROOT / "Resources").rglob("*.*")) <= MOST_OF_ALL


@pytest.mark.parametrize("page", PAGES)
def test_every_target_of_make_that_is_named_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z][\w-]*)", _text(page), re.MULTILINE))
    assert named and named <= targets


@pytest.mark.parametrize("page", (*PAGES, "Testing/Host/README.md"))
def test_every_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", _text(page)):
        if target.startswith("https://"):
            continue
        path, _hash, heading = target.partition("#")
        assert ((ROOT / page).parent / path).exists(), target
        if heading:
            assert heading in _headings(path if path else page), target


def test_ten_steps_to_try_by_hand() -> None:
    section = _text("README.md").partition("## Not yet run in the application")[2].partition("\n## ")[0]
    assert "have not yet been run in the application" in section
    assert re.findall(r"^(\d+)\. ", section, re.MULTILINE) == [str(n) for n in range(1, 11)]


def test_the_panel_has_the_buttons_that_the_readme_names() -> None:
    folders = [ROOT / module for module in ("SpinalStrutDesigner", "LatticeGenerator")]
    panels = [path for folder in folders for path in (*folder.glob("*/panel/*.py"), *folder.glob("Resources/UI/*.ui"))]
    text = "".join(path.read_text(encoding="utf-8") for path in panels)
    for words in (
        "Propose a plan", "Place on the axis", "Place on bone", "View along", "Search the ways in", "Play",
        "Check the plan", "Cancel",
        "Accept the chosen finding", "Release", "Save the scene beside it", "Apply", "Lock", "Save as defaults…",
        "Restore defaults…", "Save the plan…", "Load a plan…",
    ):  # fmt: skip
        assert words in _text("README.md") and words in text, words


def test_the_shortcuts_named_are_the_shortcuts() -> None:
    menu = (ROOT / "SpinalStrutDesigner/SpinalStrutDesignerLib/panel/menu.py").read_text(encoding="utf-8")
    keys = set(re.findall(r'"(Ctrl\+[\w+]+)"', menu))
    assert keys and keys == set(re.findall(r"Ctrl\+(?:Shift\+)?[A-Z]\b", _text("README.md").partition("### Good")[2]))


def test_the_catalogue_finds_icon_and_pictures() -> None:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    for name in ("EXTENSION_ICONURL", "EXTENSION_SCREENSHOTURLS"):
        line = re.search(rf'set\({name} "([^"\n]+)"\)', text)
        assert line, name
        for url in line[1].split():
            assert url.endswith(".png")
            assert (ROOT / url.partition("/main/")[2]).is_file(), url
    assert not [path for path in ROOT.rglob("*") if path.suffix in (".cxx", ".h") and ".venv" not in str(path)]


def test_the_description_is_for_laymen_and_names_patents() -> None:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    description = re.search(r'set\(EXTENSION_DESCRIPTION "([^"\n]+)"\)', text)
    assert description and 1 <= description[1].count(".") <= 2 and "patent" in description[1]
