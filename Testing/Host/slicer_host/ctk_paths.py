"""CTK's widgets for files and folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtWidgets

from slicer_host import strict
from slicer_host.widget_class import stored, widget_class


@widget_class
class ctkDirectoryButton(QtWidgets.QWidget):
    """A button that shows a folder and asks for another."""

    directoryChanged = QtCore.Signal(str)
    directorySelected = QtCore.Signal(str)

    def __init__(self, directory: Any = "", parent: Any = None) -> None:
        if not isinstance(directory, str):
            directory, parent = "", directory
        QtWidgets.QWidget.__init__(self, parent)
        self._host_button = strict.lookup("QPushButton")(self)
        style = QtWidgets.QApplication.style()
        self._host_button.setIcon(style.standardIcon(QtWidgets.QStyle.StandardPixmap.SP_DirIcon))
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._host_button)
        self._host_button.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
        self._host_directory = str(Path(directory).absolute())
        self._show_directory()
        self._host_button.connect("clicked()", self.browse)

    def setDirectory(self, directory: str) -> None:
        """Set the folder; an empty one is the working folder."""
        directory = str(Path(directory).absolute())
        changed = directory != self._host_directory
        self._host_directory = directory
        self._show_directory()
        self.directorySelected.emit(directory)
        if changed:
            self.directoryChanged.emit(directory)

    def _show_directory(self) -> None:
        self._host_button.setText(self.text or self._host_directory)

    directory = QtCore.Property(str, lambda self: self._host_directory, setDirectory, user=True)
    text = stored(str, "text", "", lambda self: self._show_directory())
    caption = stored(str, "caption", "")
    acceptMode = stored(QtWidgets.QFileDialog.AcceptMode, "acceptMode", 0)
    elideMode = stored(QtCore.Qt.TextElideMode, "elideMode", 3)
    options = stored(int, "options", 0)

    def browse(self) -> str:
        """Ask for a folder."""
        chosen = strict.lookup("QFileDialog").getExistingDirectory(self, self.caption or self.toolTip, self.directory)
        if chosen:
            self.setDirectory(chosen)
        return self.directory


@widget_class
class ctkPathLineEdit(QtWidgets.QWidget):
    """A line for a path, and a button that asks for one."""

    currentPathChanged = QtCore.Signal(str)
    validInputChanged = QtCore.Signal(bool)

    # What may be chosen, as in the real widget.
    Dirs, Files, Drives, NoSymLinks, Readable, Writable, Executable = 1, 2, 4, 8, 16, 32, 64
    AllEntries, Hidden, NoFilter = 7, 256, -1

    def __init__(self, parent: Any = None) -> None:
        QtWidgets.QWidget.__init__(self, parent)
        self._host_line = strict.lookup("QLineEdit")(self)
        self._host_browse = strict.lookup("QToolButton")(self)
        self._host_browse.setText("…")
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._host_line, 1)
        layout.addWidget(self._host_browse)
        self._host_line.connect("textChanged(QString)", lambda path: self.currentPathChanged.emit(path))
        self._host_browse.connect("clicked()", self.browse)

    def setCurrentPath(self, path: str) -> None:
        """Set the path."""
        self._host_line.setText(path)

    def _show_browse(self) -> None:
        self._host_browse.setVisible(self.showBrowseButton)

    currentPath = QtCore.Property(str, lambda self: self._host_line.text, setCurrentPath, user=True)
    filters = stored(int, "filters", AllEntries)
    nameFilters = stored("QStringList", "nameFilters", [])
    label = stored(str, "label", "")
    settingKey = stored(str, "settingKey", "")
    options = stored(int, "options", 0)
    minimumContentsLength = stored(int, "minimumContentsLength", 0)
    sizeAdjustPolicy = stored(int, "sizeAdjustPolicy", 1)
    showBrowseButton = stored(bool, "showBrowseButton", True, _show_browse)
    showHistoryButton = stored(bool, "showHistoryButton", True)

    def browse(self) -> None:
        """Ask for a folder, a file to open or a file to write, by the filters."""
        dialog, patterns = strict.lookup("QFileDialog"), ";;".join(self.nameFilters)
        if not self.filters & self.Files:
            chosen = dialog.getExistingDirectory(self, self.label, self.currentPath)
        elif self.filters & self.Writable:
            chosen = dialog.getSaveFileName(self, self.label, self.currentPath, patterns)
        else:
            chosen = dialog.getOpenFileName(self, self.label, self.currentPath, patterns)
        if chosen:
            self.setCurrentPath(chosen)

    def addCurrentPathToHistory(self) -> None:
        """The host keeps no history."""
