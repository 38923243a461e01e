"""Pictures of the main window, with the views as they are."""

from __future__ import annotations

from pathlib import Path

from PySide6 import QtWidgets

from .window import MainWindow


def save_screenshot(window: MainWindow, path: str | Path, size: tuple[int, int]) -> Path:
    """Write a picture of the window at a size in pixels as PNG; returns the file. Raises OSError if that fails."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    if (window.width(), window.height()) != size:
        window.resize(*size)
    # Twice: the first pass may lay out panels anew, which the views then answer by rendering at another size.
    for _pass in range(2):
        QtWidgets.QApplication.processEvents()
    if not window.grab().save(str(file), "PNG"):
        raise OSError(f"The screenshot could not be written to {file}; choose a folder that can be written to.")
    return file
