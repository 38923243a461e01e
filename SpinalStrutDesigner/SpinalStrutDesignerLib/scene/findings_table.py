"""Findings as a table node."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import ReleaseError
from ..verify.finding import Finding

_COLUMNS = ("verdict", "title", "value", "unit", "limit", "basis", "location", "detail", "id")


def show_findings(scene: Any, findings: Iterable[Finding], node: Any = None) -> Any:
    """The table node with one row a finding, in their order: the one given, or else a new one."""
    import vtk

    if node is None:
        node = scene.AddNewNodeByClass("vtkMRMLTableNode", "Strut findings")
    node.RemoveAllColumns()
    rows = list(findings)
    for name in _COLUMNS:
        column = vtk.vtkStringArray()
        column.SetName(name)
        for finding in rows:
            column.InsertNextValue(_text(getattr(finding, name)))
        node.AddColumn(column)
    node.SetUseColumnTitleAsColumnHeader(True)
    return node


def findings_in(directory: str | Path) -> tuple[Finding, ...]:
    """The findings of a release folder. Raises ReleaseError where there are none."""
    path = Path(directory) / "findings.json"
    if not path.is_file():
        raise ReleaseError(f"'{directory}' holds no findings.json, so it is no release; choose the folder of a release")
    known = {field.name for field in fields(Finding)}
    rows = json.loads(path.read_text(encoding="utf-8"))
    return tuple(Finding(**{key: _value(key, row[key]) for key in row if key in known}) for row in rows)


def _value(key: str, value: Any) -> Any:
    return tuple(value) if key == "location" and value is not None else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple):
        return ", ".join(f"{v:.1f}" for v in value)
    return str(value)
