"""Words in a table node: columns by name, written and read in one way."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_columns(node: Any, columns: Mapping[str, Sequence[str]]) -> None:
    """Gives a table node these columns of words, and no others."""
    import vtk

    node.RemoveAllColumns()
    for name, words in columns.items():
        column = vtk.vtkStringArray()
        column.SetName(name)
        for word in words:
            column.InsertNextValue(word)
        node.AddColumn(column)
    node.SetUseColumnTitleAsColumnHeader(True)


def rows_in(node: Any, columns: Sequence[str]) -> tuple[dict[str, str], ...]:
    """The rows of a table node, by column, empty where it has no such column; none where there is no node."""
    if node is None:
        return ()
    table = node.GetTable()

    def word(row: int, column: str) -> str:
        value = table.GetValueByName(row, column)
        return value.ToString() if value is not None else ""

    return tuple({name: word(row, name) for name in columns} for row in range(table.GetNumberOfRows()))


def columns_of_csv(path: str | Path, names: Sequence[str]) -> dict[str, list[str]] | None:
    """The columns of a CSV file, by name; None where it has others, or rows of another length."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if not rows or rows[0] != list(names) or any(len(row) != len(names) for row in rows):
        return None
    return {name: [row[number] for row in rows[1:]] for number, name in enumerate(names)}
