"""A live picture of some cells of the wanted lattice."""

from __future__ import annotations

from typing import Any

import numpy as np
import vtk

_SIZE_PX = 170
# As the views show a lattice, RGB.
_TITANIUM = (0.72, 0.74, 0.78)
# From the front, the right and above.
_FROM, _UP = (-0.62, -1.0, 0.55), (0.0, 0.0, 1.0)
_MARGIN = 1.03


class CellPicture:
    """Draws a block of cells off screen into a label; what is shown already is not drawn again."""

    def __init__(self, label: Any) -> None:
        import qt

        self._label, self._shown = label, None
        label.setFixedSize(_SIZE_PX, _SIZE_PX)
        color = label.palette.color(qt.QPalette.Window)
        background = color.redF(), color.greenF(), color.blueF()
        self._mapper = vtk.vtkPolyDataMapper()
        self._mapper.ScalarVisibilityOff()
        self._renderer = _renderer(self._mapper, background)
        self._window: Any = None

    def show(self, block: Any) -> None:
        """Shows a vtkPolyData, or nothing where it is None."""
        if block is self._shown:
            return
        self._shown = block
        if block is None:
            self._label.clear()
            return
        self._mapper.SetInputData(block)
        self._label.setPixmap(_pixmap(self._rendered()))

    def forget(self) -> None:
        """Gives the window it is drawn in back; it is made anew when it is needed."""
        self.show(None)
        if self._window is not None:
            self._window.RemoveRenderer(self._renderer)
            self._window.Finalize()
            self._window = None

    def _rendered(self) -> Any:
        if self._window is None:  # made when it is first needed: a module that is not opened needs none
            self._window = vtk.vtkRenderWindow()
            self._window.SetOffScreenRendering(1)
            self._window.SetMultiSamples(0)
            self._window.SetSize(_SIZE_PX, _SIZE_PX)
            self._window.AddRenderer(self._renderer)
        _look_at(self._renderer, np.array(self._mapper.GetBounds()).reshape(3, 2))
        self._window.Render()
        picture = vtk.vtkWindowToImageFilter()
        picture.SetInput(self._window)
        picture.ReadFrontBufferOff()
        picture.ShouldRerenderOff()
        picture.Update()
        return picture.GetOutput()


def _look_at(renderer: Any, bounds: np.ndarray) -> None:
    """Lets a box round the origin, (3, 2) from least to most along each axis, just fill the picture."""
    camera = renderer.GetActiveCamera()
    camera.ParallelProjectionOn()
    camera.SetFocalPoint(0.0, 0.0, 0.0)
    away = np.array(_FROM) / np.linalg.norm(_FROM)
    camera.SetPosition(*(2.0 * np.abs(bounds).sum() * away))  # well outside: what is behind the camera is cut off
    camera.SetViewUp(*_UP)
    right = np.cross(_UP, away) / np.linalg.norm(np.cross(_UP, away))
    corners = np.stack(np.meshgrid(*bounds, indexing="ij"), axis=-1).reshape(-1, 3)
    seen = corners @ np.stack([right, np.cross(away, right)], axis=1)
    camera.SetParallelScale(_MARGIN * float(np.abs(seen).max()))
    renderer.ResetCameraClippingRange()


def _renderer(mapper: Any, background: tuple[float, float, float]) -> Any:
    actor = vtk.vtkActor()
    actor.SetMapper(mapper)
    surface = actor.GetProperty()
    surface.SetColor(*_TITANIUM)
    surface.SetAmbient(0.15)
    surface.SetDiffuse(0.85)
    surface.SetSpecular(0.25)
    surface.SetSpecularPower(20.0)
    renderer = vtk.vtkRenderer()
    renderer.SetBackground(*background)
    renderer.AddActor(actor)
    return renderer


def _pixmap(image: Any) -> Any:
    import qt
    import slicer

    picture = qt.QImage()
    slicer.qMRMLUtils().vtkImageDataToQImage(image, picture)
    return qt.QPixmap.fromImage(picture)
