"""What a later CT of a patient changes, as a table node: the report of a plan that was carried over to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import CaseError
from ..propose.changes import COLUMNS
from .text_table import columns_of_csv, rows_in, write_columns


def show_changes(scene: Any, report: str | Path, node: Any = None) -> Any:
    """The table node with the rows of a report file: the one given, or else a new one. Raises CaseError for others."""
    columns = columns_of_csv(report, COLUMNS)
    if columns is None:
        raise CaseError(f"'{report}' is no report of what changed: carry the plan over again")
    if node is None:
        node = scene.AddNewNodeByClass("vtkMRMLTableNode", "Changes in the later CT")
    write_columns(node, columns)
    return node


def changes_in(node: Any) -> tuple[dict[str, str], ...]:
    """The rows of a table of changes, by column; none where there is no table."""
    return rows_in(node, COLUMNS)
