"""The window as a picture shows it: which sections are open, how the views look at the spine."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from PySide6 import QtCore, QtGui
from slicer_host.host import Host, start

# The last check takes about a minute alone; a busy machine needs several.
JOB_TIMEOUT_S = 900.0

# From the patient's front and left, a little from above: the strut's front, and how it stands on both ends. RAS.
FRONT_LEFT = (-0.72, 0.68, 0.16)

# Between two shades of a colour in a busy part of a picture, of 255.
_SHADE_STEP = 4

# A divisor of the window's width, pixels.
_STRETCH_PX = 16


@dataclass
class Stage:
    """The host, the module at work, and the pictures taken."""

    host: Host
    folder: Path
    pictures: list[Path] = field(default_factory=list)

    @classmethod
    def set_up(cls, folder: Path) -> Stage:
        """The host with its views as pictures show them. Raises RuntimeError where a module could not be loaded."""
        host = start()
        if host.load_errors:
            raise RuntimeError(f"These modules could not be loaded: {host.load_errors}.")
        stage = cls(host, folder)
        stage.dress_views()
        # Noise against bands of colour: it makes a PNG half as large again.
        host.three_d_view().renderer().SetDitherGradient(False)
        return stage

    @property
    def widget(self) -> Any:
        """The open module of struts."""
        return slicer.modules.SpinalStrutDesignerWidget

    @property
    def ui(self) -> Any:
        """Its widgets by name."""
        return self.widget.ui

    @property
    def panel(self) -> Any:
        """Its panel."""
        return self.widget.panel

    @property
    def plan(self) -> Any:
        """The plan as it now is."""
        return self.panel.desk.needed_plan()

    def take(self, name: str) -> None:
        """Takes a picture of the whole window."""
        self.host.process_events(0.3)
        path = self.host.screenshot(self.folder / f"{name}.png")
        _make_light(path)
        self.pictures.append(path)

    def take_thumbnail(self, path: Path, size: tuple[int, int]) -> None:
        """Takes a picture of the middle of the 3D view alone, of so many pixels."""
        view = self.host.three_d_view()
        view.mrmlViewNode().SetOrientationMarkerType(view.mrmlViewNode().OrientationMarkerTypeNone)
        self.host.process_events(0.3)
        with view.fine():
            picture = view.picture().scaled(*size, QtCore.Qt.KeepAspectRatioByExpanding, QtCore.Qt.SmoothTransformation)
        left, top = (picture.width() - size[0]) // 2, (picture.height() - size[1]) // 2
        if not picture.copy(left, top, *size).save(str(path)):
            raise OSError(f"The picture could not be written to {path}; choose a folder that can be written to.")
        self.dress_views()
        self.pictures.append(path)

    def open_only(self, *names: str) -> None:
        """Opens these sections and closes all others, as a person does with their headers."""
        for step in self.panel.steps:
            getattr(self.ui, step.button).collapsed = step.button not in names
        self.host.process_events(0.1)
        self.host.scroll_to(getattr(self.ui, names[0]))

    def wait_for_job(self) -> None:
        """Until the child process has ended. Raises RuntimeError with the panel's message if it failed."""
        self.host.wait_for(lambda: not self.panel.work.busy, JOB_TIMEOUT_S, "the end of the job")
        self.host.process_events()
        if self.ui.messageLabel.text:
            raise RuntimeError(self.ui.messageLabel.text)

    def choose(self, box: Any, data: str) -> None:
        """Chooses an entry of a combo box as a person does."""
        box.currentIndex = box.findData(data)
        box.activated.emit(box.currentIndex)
        self.host.process_events()

    # Views

    def dress_views(self) -> None:
        """One large 3D view beside three slice views, as Slicer's users set it: without a box, axes in the corner."""
        self.arrange(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalWidescreenView)
        view = self.host.three_d_view().mrmlViewNode()
        view.SetUseDepthPeeling(True)  # bones are translucent
        view.SetBoxVisible(False)
        view.SetAxisLabelsVisible(False)
        view.SetOrientationMarkerType(view.OrientationMarkerTypeAxes)
        view.SetOrientationMarkerSize(view.OrientationMarkerSizeSmall)

    def arrange(self, layout: int) -> None:
        """Another layout of the views, of vtkMRMLLayoutNode."""
        slicer.app.layoutManager().setLayout(layout)
        self.host.process_events(0.1)

    def show_in_3d(self, hidden: tuple[str, ...], bone_opacity: float) -> None:
        """Hides structures in 3D and makes vertebrae translucent; slices go on showing everything."""
        segmentation = self.panel.desk.parameters.segmentation
        display = segmentation.GetDisplayNode()
        for identity in segmentation.GetSegmentation().GetSegmentIDs():
            name = segmentation.GetSegmentation().GetSegment(identity).GetName()
            display.SetSegmentVisibility3D(identity, name not in hidden)
            if _is_vertebra(name):
                display.SetSegmentOpacity3D(identity, bone_opacity)

    def look_from(self, direction: tuple[float, float, float], at: Any, height_mm: float) -> None:
        """Points the 3D camera at a place, RAS mm, so that height_mm fill the view from top to bottom."""
        view = self.host.three_d_view()
        camera = view.cameraNode()
        toward = np.asarray(direction) / np.linalg.norm(direction)
        distance = height_mm / 2 / np.tan(np.radians(camera.GetViewAngle() / 2))
        camera.SetFocalPoint(*np.asarray(at, dtype=float))
        camera.SetPosition(*(np.asarray(at) + distance * toward))
        camera.SetViewUp(0.0, 0.0, 1.0)
        view.renderer().ResetCameraClippingRange()
        self.host.process_events()

    def show_in_slices(self, place: Any, heights_mm: dict[str, float]) -> None:
        """Brings every slice view to a place, RAS mm, each with so many millimetres from top to bottom."""
        for name, height_mm in heights_mm.items():
            node = self.host.slice_view(name).mrmlSliceNode()
            wide, high, deep = node.GetFieldOfView()
            node.SetFieldOfView(wide * height_mm / high, height_mm, deep)
            node.JumpSliceByCentering(*np.asarray(place, dtype=float))
        self.host.process_events()


def _make_light(path: Path) -> None:
    """Rewrites a picture with coarser shades where it is busy, which no eye sees, in two thirds of the bytes.

    Stretches of a row in one shade, as in the views' background, are kept: steps would be seen as bands there.
    """
    picture = QtGui.QImage(str(path)).convertToFormat(QtGui.QImage.Format_RGB888)
    width, height, line = picture.width(), picture.height(), picture.bytesPerLine()
    rows = np.frombuffer(picture.constBits(), np.uint8).reshape(height, line)[:, : 3 * width]
    stretches = rows.reshape(height, -1, _STRETCH_PX, 3)
    even = (stretches == stretches[:, :, :1]).all(axis=(2, 3), keepdims=True)
    coarse = np.minimum((stretches.astype(int) + _SHADE_STEP // 2) // _SHADE_STEP * _SHADE_STEP, 255)
    light = np.where(even, stretches, coarse).astype(np.uint8).tobytes()
    if not QtGui.QImage(light, width, height, 3 * width, picture.format()).save(str(path), "PNG", 0):
        raise OSError(f"The picture could not be written to {path}; choose a folder that can be written to.")


def _is_vertebra(name: str) -> bool:
    return name == "other_vertebrae" or (name[:1] in "CTL" and name[1:].isdigit())
