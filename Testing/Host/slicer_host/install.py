"""Makes `qt`, `ctk` and the Python half of Slicer importable on slicer-core and PySide6."""

from __future__ import annotations

import sys
import types
from typing import Any

import slicer

from slicer_host import strict
from slicer_host.qt_module import make_application, make_qt

_state: dict[str, Any] = {}


def install() -> None:
    """Install the host; calling it again changes nothing.

    Afterwards `qt`, `ctk`, `slicer.ScriptedLoadableModule`, `slicer.parameterNodeWrapper`, `slicer.i18n` and
    `slicer.packaging` can be imported, the qMRML widgets are attributes of `slicer`, and the QApplication exists.
    """
    if "application" in _state:
        return
    _state["application"] = make_application()
    strict.record_uncaught()
    sys.modules["qt"] = make_qt()
    from slicer_host import ctk_module

    sys.modules["ctk"] = ctk_module.make_ctk()
    from slicer_host import i18n, mrml_utils, mrml_widgets, packaging, ui_loader

    for name, widget in mrml_widgets.widgets().items():
        setattr(slicer, name, widget)
    slicer.qMRMLUtils = mrml_utils.qMRMLUtils
    sys.modules["qt"].QUiLoader = ui_loader.QUiLoader
    _add("i18n", i18n)
    _add("packaging", packaging)
    from slicer_host import parameter_node_wrapper

    _add("parameterNodeWrapper", parameter_node_wrapper)
    from slicer_host import scripted_module

    _add("ScriptedLoadableModule", scripted_module)


def _add(name: str, module: types.ModuleType) -> None:
    sys.modules[f"slicer.{name}"] = module
    setattr(slicer, name, module)
