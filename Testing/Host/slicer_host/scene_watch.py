"""Observers of VTK objects that end with the widget that made them and whose exceptions count as those of slots."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import shiboken6

from slicer_host import slots


def watch(subject: Any, event: Any, widget: Any, function: Callable[[], None]) -> Callable[[], None]:
    """Call the widget's method at each event; returns what ends that. A widget that is gone is not called."""
    method = weakref.WeakMethod(function)  # type: ignore[type-var]

    def notice(_caller: Any, _event: Any) -> None:
        alive = method()
        if alive is not None and shiboken6.isValid(widget_reference()):
            slots.guarded(alive)()

    widget_reference = weakref.ref(widget)
    tag = subject.AddObserver(event, notice)
    return lambda: subject.RemoveObserver(tag)
