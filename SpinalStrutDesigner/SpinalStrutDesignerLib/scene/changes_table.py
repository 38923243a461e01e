"""What a later CT of a patient changes, as a table node: the report of a plan that was carried over to it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from ..errors import CaseError
from ..propose.changes import COLUMNS
from .text_table import rows_in, write_columns


def show_changes(scene: Any, report: str | Path, node: Any = None) -> Any:
    """The table node with the rows of a report file: the one given, or else a new one. Raises CaseError for others."""
    with Path(report).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if not rows or tuple(rows[0]) != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise CaseError(f"'{report}' is no report of what changed: carry the plan over again")
    if node is None:
        node = scene.AddNewNodeByClass("vtkMRMLTableNode", "Changes in the later CT")
    write_columns(node, {name: [row[number] for row in rows[1:]] for number, name in enumerate(COLUMNS)})
    return node


def changes_in(node: Any) -> tuple[dict[str, str], ...]:
    """The rows of a table of changes, by column; none where there is no table."""
    return rows_in(node, COLUMNS)
