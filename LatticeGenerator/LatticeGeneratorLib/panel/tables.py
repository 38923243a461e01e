"""Rows of tables and choices of combo boxes, filled without telling anybody that they changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def dress_table(table: Any, widest: int) -> None:
    """Hides the row numbers; columns are as wide as their texts but one, which takes what is left."""
    import qt

    table.verticalHeader().hide()
    header = table.horizontalHeader()
    header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
    header.setSectionResizeMode(widest, qt.QHeaderView.Stretch)


def fill_choices(box: Any, choices: Sequence[tuple[str, str]], chosen: str | None = None) -> None:
    """Gives a combo box these choices (text, data) and chooses one by its data; does nothing where that is so."""
    was = box.blockSignals(True)
    try:
        present = [(box.itemText(n), box.itemData(n)) for n in range(box.count)]
        if present != list(choices):
            box.clear()
            for text, data in choices:
                box.addItem(text, data)
        if chosen is not None:
            box.currentIndex = box.findData(chosen)
    finally:
        box.blockSignals(was)


def fill_row(table: Any, row: int, texts: Sequence[str], color: str = "") -> None:
    """Writes texts into a row of a table widget; color: of the first cell's background, for a verdict."""
    import qt

    for column, text in enumerate(texts):
        item = table.item(row, column)
        if item is None:
            item = qt.QTableWidgetItem()
            table.setItem(row, column, item)
        item.setText(text)
        item.setToolTip(text)
        if column == 0:
            # A row that had a verdict before may have none now.
            item.setBackground(qt.QBrush(qt.QColor(color)) if color else qt.QBrush())
            item.setForeground(qt.QBrush(qt.QColor("white")) if color else qt.QBrush())


def cell(table: Any, row: int, column: int) -> Any:
    """A new combo box in a cell of a table widget."""
    import qt

    box = qt.QComboBox()
    table.setCellWidget(row, column, box)
    return box


def chosen_row(table: Any) -> int | None:
    """The row a person has chosen, None where there is none."""
    row = table.currentRow()
    return row if 0 <= row < table.rowCount else None
