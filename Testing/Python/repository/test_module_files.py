"""The two module files keep to Slicer's rules, as far as reading them can tell."""

from __future__ import annotations

import ast
import json
import re
import struct
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULES = ("SpinalStrutDesigner", "LatticeGenerator")
STANDARD = {"logging", "sys", "tempfile", "pathlib", "typing"}
SLICER = {"slicer", "vtk", "qt", "ctk", "SimpleITK", "numpy", "scipy"}


def _tree(module: str) -> ast.Module:
    return ast.parse((ROOT / module / f"{module}.py").read_text(encoding="utf-8"))


def _ui(module: str) -> ElementTree.Element:
    return ElementTree.parse(ROOT / module / "Resources" / "UI" / f"{module}.ui").getroot()


def _class(module: str, name: str) -> ast.ClassDef:
    return next(n for n in _tree(module).body if isinstance(n, ast.ClassDef) and n.name == name)


@pytest.mark.parametrize("module", MODULES)
def test_the_module_file_is_thin_and_only_defines(module: str) -> None:
    text = (ROOT / module / f"{module}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in _tree(module).body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_definition = isinstance(node, (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef))
        assert is_docstring or is_definition, node.lineno


@pytest.mark.parametrize("module", MODULES)
def test_file_scope_imports_only_what_slicer_has(module: str) -> None:
    for node in _tree(module).body:
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            assert name.split(".")[0] in STANDARD | SLICER, name


@pytest.mark.parametrize("module", MODULES)
def test_the_five_classes_are_there(module: str) -> None:
    bases = {n.name: [ast.unparse(b) for b in n.bases] for n in _tree(module).body if isinstance(n, ast.ClassDef)}
    assert bases[module] == ["ScriptedLoadableModule"]
    assert bases[f"{module}Widget"] == ["ScriptedLoadableModuleWidget", "VTKObservationMixin"]
    assert bases[f"{module}Logic"] == ["ScriptedLoadableModuleLogic"]
    assert bases[f"{module}Test"] == ["ScriptedLoadableModuleTest"]
    wrapped = _class(module, f"{module}ParameterNode")
    assert [ast.unparse(d) for d in wrapped.decorator_list] == ["parameterNodeWrapper"]


@pytest.mark.parametrize("module", MODULES)
def test_bound_widgets_and_fields_agree(module: str) -> None:
    wrapped = _class(module, f"{module}ParameterNode")
    fields = {n.target.id for n in wrapped.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
    bound = [
        p.findtext("string") for w in _ui(module).iter("widget") for p in w.findall("property")
        if p.get("name") == "SlicerParameterName"
    ]  # fmt: skip
    assert bound and set(bound) <= fields
    assert len(bound) == len(set(bound))


@pytest.mark.parametrize("module", MODULES)
def test_every_widget_used_is_in_the_panel(module: str) -> None:
    files = [ROOT / module / f"{module}.py", *(ROOT / module / f"{module}Lib" / "panel").glob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    names = {w.get("name") for w in _ui(module).iter("widget")}
    used = set(re.findall(r"\b_?ui\.(\w+)", text))
    assert used and used <= names
    receivers = {c.findtext("receiver") for c in _ui(module).iter("connection")}
    kinds = ("qMRMLNodeComboBox", "qMRMLSegmentSelectorWidget")
    choosers = {w.get("name") for w in _ui(module).iter("widget") if w.get("class") in kinds}
    assert receivers == choosers


@pytest.mark.parametrize("module", MODULES)
def test_every_slot_exists_and_all_lib_names_used_exist(host: Any, module: str) -> None:
    import importlib

    widget = _class(module, f"{module}Widget")
    methods = {n.name for n in widget.body if isinstance(n, ast.FunctionDef)}
    text = (ROOT / module / f"{module}.py").read_text(encoding="utf-8")
    for signal, slot in re.findall(r'\.connect\("([^"]+)", self\.(\w+)\)', text):
        assert slot in methods, signal
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0].endswith("Lib"):
            found = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(found, alias.name), f"{node.module}.{alias.name}"


def test_a_new_cell_or_printer_needs_no_change_of_the_module_file() -> None:
    from LatticeGeneratorLib.cells import CELLS
    from LatticeGeneratorLib.printing.catalogue import load_printers

    fields = {
        n.target.id: (ast.unparse(n.annotation), n.value)
        for n in _class("LatticeGenerator", "LatticeGeneratorParameterNode").body
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    }
    for name, known in (("cell", set(CELLS)), ("printer", {"", *load_printers()})):
        kind, default = fields[name]
        assert kind == "str" and isinstance(default, ast.Constant) and default.value in known
    porosity = re.fullmatch(r"Annotated\[float, WithinRange\((.*), (.*)\)\]", fields["porosity"][0])
    assert porosity
    for cell in CELLS.values():
        assert float(porosity[1]) <= 100.0 * cell.porosities[0] < 100.0 * cell.porosities[1] <= float(porosity[2])


@pytest.mark.parametrize("path", [
    "Resources/SpinalStrutDesigner.png", "SpinalStrutDesigner/Resources/Icons/SpinalStrutDesigner.png",
    "LatticeGenerator/Resources/Icons/LatticeGenerator.png",
])  # fmt: skip
def test_icons_are_128_pixels_square(path: str) -> None:
    head = (ROOT / path).read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", head[16:24]) == (128, 128)


def test_the_catalogue_entry_has_what_the_catalogue_asks() -> None:
    entry = json.loads((ROOT / "SpinalStrutDesigner.json").read_text(encoding="utf-8"))
    assert entry["category"] == "Planning"
    assert entry["scm_revision"] == "main"
    assert entry["build_subdirectory"] == "."
    assert entry["tier"] == 3
    assert entry["scm_url"].startswith("https://") and entry["$schema"]


def test_nothing_beyond_the_edge_knows_slicer() -> None:
    for module in MODULES:
        lib = ROOT / module / f"{module}Lib"
        for path in lib.rglob("*.py"):
            room = path.relative_to(lib).parts[0]
            if room in ("scene", "panel"):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
                assert not {n.split(".")[0] for n in names} & {"slicer", "qt", "ctk"}, path
