"""Message boxes that never wait: each is recorded, and answered as was arranged beforehand."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from PySide6.QtWidgets import QMessageBox

_KINDS = {
    QMessageBox.Information: "info",
    QMessageBox.Warning: "warning",
    QMessageBox.Critical: "error",
    QMessageBox.Question: "question",
}

# The button that a person presses who wants to go on, the first that the box has.
_USUAL = (QMessageBox.Ok, QMessageBox.Yes, QMessageBox.Retry, QMessageBox.Save, QMessageBox.Close)


@dataclass(frozen=True)
class Message:
    """A message that a person would have seen. kind: info, warning, error, question or popup."""

    kind: str
    text: str
    title: str = ""
    details: str = ""
    answer: str = "Ok"


class Messages(list[Message]):
    """The messages so far, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: deque[str] = deque()

    def answer_next(self, *buttons: str) -> None:
        """Buttons for the next messages, by Qt's names: "Ok", "Cancel", "Yes", "No", "Retry", "Close"."""
        for button in buttons:
            if not isinstance(getattr(QMessageBox, button, None), QMessageBox.StandardButton):
                raise ValueError(f'{button!r} is no button of a message box; give a name such as "Ok" or "Cancel".')
        self._answers.extend(buttons)

    def forget(self) -> None:
        """No messages so far, no answers arranged."""
        self.clear()
        self._answers.clear()

    def of_kind(self, kind: str) -> list[Message]:
        """The messages of one kind."""
        return [message for message in self if message.kind == kind]

    def show_box(self, text: str, parent: Any = None, **keywords: Any) -> Any:
        """What slicer.util.messageBox does: returns the button that was pressed."""
        buttons = keywords.get("standardButtons") or QMessageBox.Ok
        usual = next((button for button in _USUAL if button & buttons), QMessageBox.Ok)
        pressed = getattr(QMessageBox, self._answers.popleft()) if self._answers else usual
        self.append(
            Message(
                _KINDS.get(keywords.get("icon"), "info"), str(text), str(keywords.get("windowTitle") or "").strip(),
                str(keywords.get("detailedText") or ""), pressed.name,
            )
        )  # fmt: skip
        return pressed

    def show_popup(self, message: str, *arguments: Any, **keywords: Any) -> None:
        """What slicer.util.delayDisplay does, without the delay."""
        self.append(Message("popup", str(message)))
