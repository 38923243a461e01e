"""The main window: the module panel on the left, the views beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

# Width of the module panel and size of the window, px.
PANEL_WIDTH_PX = 480
WINDOW_SIZE_PX = (1600, 1000)

# Size of the text, points: the application's on Linux.
_FONT_POINTS = 10

# Where Linux distributions keep the font; tried when Qt finds none itself.
_FONT_FOLDERS = (Path("/usr/share/fonts/truetype/dejavu"), Path("/usr/share/fonts/dejavu"))


def set_appearance(application: QtWidgets.QApplication) -> None:
    """Slicer's light theme: Fusion, light, with a readable font."""
    application.setStyle("Fusion")
    if not QtGui.QFontDatabase.families():
        for folder in _FONT_FOLDERS:
            for file in sorted(folder.glob("*.ttf")):
                QtGui.QFontDatabase.addApplicationFont(str(file))
    families = QtGui.QFontDatabase.families()
    family = next((name for name in ("Noto Sans", "DejaVu Sans") if name in families), families[0] if families else "")
    if family:
        application.setFont(QtGui.QFont(family, _FONT_POINTS))
    application.setPalette(light_palette())


def light_palette() -> QtGui.QPalette:
    """The colours of Slicer's light theme."""
    role, group = QtGui.QPalette.ColorRole, QtGui.QPalette.ColorGroup
    palette = QtGui.QPalette()
    colors = {
        role.Window: "#F0F0F0", role.WindowText: "#1A1A1A", role.Base: "#FFFFFF", role.AlternateBase: "#F7F7F7",
        role.Text: "#1A1A1A", role.Button: "#F0F0F0", role.ButtonText: "#1A1A1A", role.BrightText: "#FFFFFF",
        role.Highlight: "#3079C6", role.HighlightedText: "#FFFFFF", role.ToolTipBase: "#FFFFDC",
        role.ToolTipText: "#1A1A1A", role.Link: "#1B66B0", role.PlaceholderText: "#808080",
        role.Light: "#FFFFFF", role.Midlight: "#E3E3E3", role.Mid: "#B8B8B8", role.Dark: "#9F9F9F",
        role.Shadow: "#696969",
    }  # fmt: skip
    for which, color in colors.items():
        palette.setColor(which, QtGui.QColor(color))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(group.Disabled, which, QtGui.QColor("#A0A0A0"))
    return palette


class ModulePanel(QtWidgets.QWidget):
    """The module's name and icon over its scrollable panel."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon, self._title = QtWidgets.QLabel(self), QtWidgets.QLabel(self)
        font = self._title.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.15)
        self._title.setFont(font)
        bar = QtWidgets.QWidget(self)
        bar.setAutoFillBackground(True)
        bar.setBackgroundRole(QtGui.QPalette.Midlight)
        row = QtWidgets.QHBoxLayout(bar)
        row.setContentsMargins(8, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self._title, 1)
        self._stack, self._nothing = QtWidgets.QStackedWidget(self), QtWidgets.QWidget(self)
        self._stack.addWidget(self._nothing)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(self._stack, 1)
        self._pages: dict[int, QtWidgets.QScrollArea] = {}
        self.setFixedWidth(PANEL_WIDTH_PX)

    def show_module(self, title: str, icon: QtGui.QIcon | None, widget: QtWidgets.QWidget) -> None:
        """Bring a module's widget to the front."""
        self._title.setText(title)
        self._icon.setPixmap(icon.pixmap(22, 22) if icon else QtGui.QPixmap())
        if id(widget) not in self._pages:
            page = QtWidgets.QScrollArea(self)
            page.setWidgetResizable(True)
            page.setFrameShape(QtWidgets.QFrame.NoFrame)
            page.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarAlwaysOff)
            page.setWidget(widget)
            self._pages[id(widget)] = page
            self._stack.addWidget(page)
            widget.installEventFilter(self)
        self._stack.setCurrentWidget(self._pages[id(widget)])
        self._fit_width(widget)

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        """As in the application, the panel grows with what the open module needs."""
        if event.type() == QtCore.QEvent.LayoutRequest and isinstance(watched, QtWidgets.QWidget):
            self._fit_width(watched)
        return False

    def _fit_width(self, widget: QtWidgets.QWidget) -> None:
        page = self._pages.get(id(widget))
        if page is None or page is not self._stack.currentWidget():
            return
        needed = QtWidgets.QWidget.minimumSizeHint(widget).width()
        bar = page.verticalScrollBar().sizeHint().width()
        self.setFixedWidth(max(PANEL_WIDTH_PX, needed + bar))

    def show_nothing(self) -> None:
        """No module is open."""
        self._stack.setCurrentWidget(self._nothing)
        self.setFixedWidth(PANEL_WIDTH_PX)
        self._title.setText("")
        self._icon.setPixmap(QtGui.QPixmap())

    def forget_modules(self) -> None:
        """Delete the widgets of all modules."""
        self.show_nothing()
        for page in self._pages.values():
            self._stack.removeWidget(page)
            page.deleteLater()
        self._pages.clear()

    def scroll_to(self, widget: QtWidgets.QWidget) -> None:
        """Scroll the open module so that one of its widgets can be seen."""
        page = self._stack.currentWidget()
        if isinstance(page, QtWidgets.QScrollArea):
            page.ensureWidgetVisible(widget)


class MainWindow(QtWidgets.QMainWindow):
    """The application's qSlicerMainWindow."""

    # By this name slicer.util.mainWindow() finds it, read as PythonQt shows it: a plain attribute.
    objectName = "qSlicerMainWindow"

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("3D Slicer")
        self.panel = ModulePanel(self)
        self.view_area = QtWidgets.QWidget(self)
        splitter = QtWidgets.QSplitter(QtCore.Qt.Horizontal, self)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(3)
        splitter.addWidget(self.panel)
        splitter.addWidget(self.view_area)
        splitter.setStretchFactor(1, 1)
        self.setCentralWidget(splitter)
        self.resize(*WINDOW_SIZE_PX)
        self._selector: Any = None

    def set_module_selector(self, selector: Any) -> None:
        """The object that opens modules by name."""
        self._selector = selector

    def moduleSelector(self) -> Any:
        """The application's qSlicerModuleSelectorToolBar."""
        return self._selector
