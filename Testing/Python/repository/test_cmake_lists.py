"""What an installed extension holds is what the folders hold: CMake's and the project file's lists against the tree."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULES = ("SpinalStrutDesigner", "LatticeGenerator")
# Slicer brings these itself.
BUNDLED = {"numpy", "scipy", "vtk", "simpleitk", "pydicom"}


def _listed(module: str, variable: str) -> list[str]:
    text = (ROOT / module / "CMakeLists.txt").read_text(encoding="utf-8")
    found = re.search(rf"set\({variable}\s(.*?)\n\s*\)", text, re.DOTALL)
    assert found, f"{module}/CMakeLists.txt sets no {variable}"
    return found[1].replace("${MODULE_NAME}", module).split()


def _files(folder: Path) -> list[Path]:
    """The files a checkout has; the caches that tools leave behind are none."""
    found = (p for p in folder.rglob("*") if p.is_file())
    return [p for p in found if not any(part.startswith((".", "__pycache__")) for part in p.relative_to(folder).parts)]


def _dependencies() -> list[str]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r"^dependencies = \[(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    assert found
    return re.findall(r'"([^"]+)"', found[1])


def _name(requirement: str) -> str:
    return re.split(r"[<>=!~;\[ ]", requirement)[0].lower()


@pytest.mark.parametrize("module", MODULES)
def test_every_script_is_listed(module: str) -> None:
    folder = ROOT / module
    there = {p.relative_to(folder).as_posix() for p in _files(folder / f"{module}Lib") if p.suffix == ".py"}
    listed = _listed(module, "MODULE_PYTHON_SCRIPTS")
    assert len(listed) == len(set(listed))
    assert set(listed) == there | {f"{module}.py"}


@pytest.mark.parametrize("module", MODULES)
def test_every_resource_is_listed(module: str) -> None:
    folder = ROOT / module
    there = {p.relative_to(folder).as_posix() for p in _files(folder / "Resources")}
    there |= {p.relative_to(folder).as_posix() for p in _files(folder / f"{module}Lib") if p.suffix != ".py"}
    listed = _listed(module, "MODULE_PYTHON_RESOURCES")
    assert len(listed) == len(set(listed))
    assert set(listed) == there


@pytest.mark.parametrize("module", MODULES)
def test_every_data_file_goes_into_the_python_package(module: str) -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r"\[tool\.setuptools\.package-data\]\n(.*?)(\n\[|\Z)", text, re.DOTALL)
    assert found
    patterns = re.findall(r'"(\*\.[a-z0-9]+)"', found[1])
    for path in _files(ROOT / module / f"{module}Lib"):
        if path.suffix != ".py":
            assert any(fnmatchcase(path.name, pattern) for pattern in patterns), f"{path} is in no package-data pattern"
            assert (path.parent / "__init__.py").is_file(), f"{path.parent} is no package, so its data is not installed"


@pytest.mark.parametrize("module", MODULES)
def test_every_folder_of_scripts_is_a_package(module: str) -> None:
    for path in _files(ROOT / module / f"{module}Lib"):
        assert (path.parent / "__init__.py").is_file(), path.parent


@pytest.mark.parametrize("module", MODULES)
def test_slicer_is_asked_for_what_it_lacks(module: str) -> None:
    lines = (ROOT / module / "Resources" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    asked = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    assert asked == {d for d in _dependencies() if _name(d) not in BUNDLED}


def test_root_names_both_modules_and_its_pictures() -> None:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert [f"add_subdirectory({module})" in text for module in MODULES] == [True, True]
    for url in re.findall(r'"https://raw\.githubusercontent\.com/[^/]+/[^/]+/main/([^"]+)"', text):
        assert url.endswith(".png")
    assert (ROOT / "Resources" / "SpinalStrutDesigner.png").is_file()
