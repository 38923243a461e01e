"""The module `qt`: Qt's classes as PythonQt shows them."""

from __future__ import annotations

import tempfile
import types
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtWidgets

from slicer_host import dialogs, strict


class _SingleShot(strict.StrictProperty):
    """QTimer.singleShot: a property of a timer, a static function of the class."""

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return _single_shot if instance is None else super().__get__(instance, owner)


def _single_shot(milliseconds: int, slot: Callable) -> None:
    QtCore.QTimer.singleShot(int(milliseconds), strict.guarded(slot))


class _Application(QtWidgets.QApplication):
    """The application, which tests do not hand their thread to."""

    @staticmethod
    def exec(*_arguments: Any) -> int:
        """Refuse to block."""
        raise dialogs.UnansweredDialog("QApplication.exec would block: let events be processed instead")


class QtModule(types.ModuleType):
    """Makes each class when it is first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = strict.lookup(name)
        setattr(self, name, found)
        return found


def make_qt() -> QtModule:
    """The module `qt`; settings go to a temporary folder, never to the user's."""
    strict.extras.extend(dialogs.extras())
    strict.extras.append((QtCore.QTimer, {"singleShot": _SingleShot(QtCore.QTimer, "singleShot", True)}))
    module = QtModule("qt")
    module.QDesktopServices = dialogs.DesktopServices
    module.Signal, module.Slot, module.Property = QtCore.Signal, QtCore.Slot, QtCore.Property
    module.settings_folder = tempfile.TemporaryDirectory(prefix="slicer-host-settings-", ignore_cleanup_errors=True)
    QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
    for scope in (QtCore.QSettings.Scope.UserScope, QtCore.QSettings.Scope.SystemScope):
        QtCore.QSettings.setPath(QtCore.QSettings.Format.IniFormat, scope, module.settings_folder.name)
    return module


def make_application() -> QtWidgets.QApplication:
    """The one QApplication, made if there is none."""
    application = QtWidgets.QApplication.instance()
    if application is None:
        application = strict.strict_class(_Application)(["SlicerHost"])
        application.setApplicationName("SlicerHost")
        application.setOrganizationName("SlicerHost")
        application.setStyle("Fusion")
    return application
