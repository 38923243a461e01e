"""Findings as a table node."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..errors import ReleaseError
from ..verify.finding import Finding
from .text_table import rows_in, write_columns

FINDINGS = "findings.json"
"""The file of findings in a folder."""
_COLUMNS = ("verdict", "title", "value", "unit", "limit", "basis", "location", "detail", "id", "critical")


@dataclass(frozen=True)
class Row:
    """A finding as the table has it: all text but the place, RAS mm, and whether it forbids manufacture."""

    verdict: str
    title: str
    measured: str
    limit: str
    basis: str
    detail: str
    id: str
    location: tuple[float, float, float] | None
    blocks: bool

    def waived(self, name: str, reason: str) -> Row:
        """The row as accepted by a named person; what was measured stays."""
        return replace(self, verdict="waived", blocks=False, detail=f"{self.detail} Waived by {name}: {reason}".strip())


def show_findings(scene: Any, findings: Iterable[Finding], node: Any = None) -> Any:
    """The table node with one row a finding, in their order: the one given, or else a new one."""
    if node is None:
        node = scene.AddNewNodeByClass("vtkMRMLTableNode", "Strut findings")
    rows = list(findings)
    write_columns(node, {name: [_text(getattr(finding, name)) for finding in rows] for name in _COLUMNS})
    return node


def rows_of(node: Any) -> tuple[Row, ...]:
    """The findings in a table node, in its order; none where there is no table."""
    return tuple(_row(words) for words in rows_in(node, _COLUMNS))


def _row(words: Mapping[str, str]) -> Row:
    verdict, place = words["verdict"], words["location"]
    x, y, z = (float(part) for part in place.split(",")) if place else (0.0, 0.0, 0.0)
    return Row(
        verdict=verdict,
        title=words["title"],
        measured=f"{words['value']} {words['unit']}".strip(),
        limit=words["limit"],
        basis=words["basis"],
        detail=words["detail"],
        id=words["id"],
        location=(x, y, z) if place else None,
        blocks=verdict == "fail" or (verdict == "not_evaluated" and words["critical"] == "True"),
    )


def findings_in(directory: str | Path) -> tuple[Finding, ...]:
    """The findings of a release folder. Raises ReleaseError where there are none."""
    path = Path(directory) / FINDINGS
    if not path.is_file():
        raise ReleaseError(f"'{directory}' holds no {FINDINGS}, so it is no release; choose the folder of a release")
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
