"""Pictures of the main window, with the views as they are."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from PySide6 import QtWidgets

from .window import MainWindow


def save_screenshot(window: MainWindow, views: list[Any], path: str | Path, size: tuple[int, int]) -> Path:
    """Write a picture of the window at a size in pixels as PNG; returns the file. Raises OSError if that fails."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    if (window.width(), window.height()) != size:
        window.resize(*size)
    # Twice: the first pass may lay out panels anew, which the views then answer by rendering at another size.
    for _pass in range(2):
        QtWidgets.QApplication.processEvents()
    with ExitStack() as fine:
        for view in views:
            if view.isVisibleTo(window):
                fine.enter_context(view.fine())
        saved = window.grab().save(str(file), "PNG")
    if not saved:
        raise OSError(f"The screenshot could not be written to {file}; choose a folder that can be written to.")
    return file
