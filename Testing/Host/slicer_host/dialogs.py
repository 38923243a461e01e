"""Dialogs that never block: each call takes the next queued answer, or raises and says which dialog was asked."""

from __future__ import annotations

from collections import deque
from typing import Any

from PySide6 import QtGui, QtWidgets

# The answers to come, in the order in which dialogs will ask. An exception is raised; a function is called with the
# dialog's name and the arguments (or the dialog object itself) and its result is the answer.
answers: deque[Any] = deque()

# What was asked: (dialog and function, arguments).
asked: list[tuple[str, tuple]] = []


class UnansweredDialog(AssertionError):
    """A dialog opened for which no answer was queued."""


def answer(name: str, *arguments: Any) -> Any:
    """The next queued answer to a dialog. Raises UnansweredDialog where there is none."""
    asked.append((name, arguments))
    if not answers:
        raise UnansweredDialog(f"{name}{arguments} would block: queue an answer in slicer_host.dialogs.answers")
    value = answers.popleft()
    if isinstance(value, BaseException):
        raise value
    return value(name, *arguments) if callable(value) and not isinstance(value, type) else value


def clear() -> None:
    """Forget answers and questions."""
    answers.clear()
    asked.clear()


def _asking(name: str) -> staticmethod:
    def ask(*arguments: Any, **keywords: Any) -> Any:
        return answer(name, *arguments, *keywords.values())

    return staticmethod(ask)


def _execute(self: Any, *arguments: Any) -> Any:
    """Run the dialog or menu: the queued answer is what it returns."""
    return answer(f"{self.metaObject().className()}.exec", self, *arguments)


def _open_url(url: Any) -> bool:
    asked.append(("QDesktopServices.openUrl", (url,)))
    return True


_STATIC = {
    QtWidgets.QFileDialog: ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory"),
    QtWidgets.QMessageBox: ("question", "information", "warning", "critical", "about"),
    QtWidgets.QInputDialog: ("getText", "getItem", "getInt", "getDouble", "getMultiLineText"),
    QtWidgets.QColorDialog: ("getColor",),
    QtWidgets.QFontDialog: ("getFont",),
}


def extras() -> list[tuple[type, dict[str, Any]]]:
    """What strict dialog classes get instead of Qt's blocking functions."""
    blocking = {"exec": _execute, "exec_": _execute}
    found: list[tuple[type, dict[str, Any]]] = [(QtWidgets.QDialog, blocking), (QtWidgets.QMenu, blocking)]
    for native, names in _STATIC.items():
        found.append((native, {name: _asking(f"{native.__name__}.{name}") for name in names}))
    return found


class DesktopServices(QtGui.QDesktopServices):
    """Records addresses instead of opening them."""

    openUrl = staticmethod(_open_url)
