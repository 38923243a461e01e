"""What a later CT of a patient changes, as a table node: the report of a plan that was carried over to it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from ..errors import CaseError
from ..propose.changes import COLUMNS


def show_changes(scene: Any, report: str | Path, node: Any = None) -> Any:
    """The table node with the rows of a report file: the one given, or else a new one. Raises CaseError for others."""
    import vtk

    with Path(report).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if not rows or tuple(rows[0]) != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise CaseError(f"'{report}' is no report of what changed: carry the plan over again")
    if node is None:
        node = scene.AddNewNodeByClass("vtkMRMLTableNode", "Changes in the later CT")
    node.RemoveAllColumns()
    for number, name in enumerate(COLUMNS):
        column = vtk.vtkStringArray()
        column.SetName(name)
        for row in rows[1:]:
            column.InsertNextValue(row[number])
        node.AddColumn(column)
    node.SetUseColumnTitleAsColumnHeader(True)
    return node


def changes_in(node: Any) -> tuple[dict[str, str], ...]:
    """The rows of a table of changes, by column; none where there is no table."""
    if node is None:
        return ()
    table = node.GetTable()

    def text(row: int, column: str) -> str:
        value = table.GetValueByName(row, column)
        return value.ToString() if value is not None else ""

    return tuple({name: text(row, name) for name in COLUMNS} for row in range(table.GetNumberOfRows()))
