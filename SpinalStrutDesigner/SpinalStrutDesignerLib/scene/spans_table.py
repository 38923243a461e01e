"""Spans compared, as a table node: the table that the command `spans` writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import CaseError
from ..propose.spans import SPAN_COLUMNS
from .text_table import columns_of_csv, rows_in, write_columns

# The attribute that holds the digest of the case whose spans they are.
_CASE = "SpinalStrutDesigner.CaseDigest"


def show_spans(scene: Any, written: str | Path, case_digest: str, node: Any = None) -> Any:
    """The table node with one row a span: the one given, or else a new one. Raises CaseError for another file."""
    columns = columns_of_csv(written, SPAN_COLUMNS)
    if columns is None:
        raise CaseError(f"'{written}' is no table of spans: compare them again")
    if node is None:
        node = scene.AddNewNodeByClass("vtkMRMLTableNode", "Spans compared")
    write_columns(node, columns)
    node.SetAttribute(_CASE, case_digest)
    return node


def are_of(node: Any, case_digest: str) -> bool:
    """Whether a table of spans is of this case as it now is."""
    return bool(node.GetAttribute(_CASE) == case_digest)


def spans_in(node: Any) -> tuple[dict[str, str], ...]:
    """The rows of a table of spans, by column; none where there is no table."""
    return rows_in(node, SPAN_COLUMNS)
