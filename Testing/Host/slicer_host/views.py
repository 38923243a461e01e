"""Live views: Slicer's displayable managers in a 3D view and in slice views, with the names that modules call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import slicer
import vtk
from PySide6 import QtGui, QtWidgets

from .mouse import Mouse
from .rendered_view import RenderedView

# What the application's own views and its modules register.
# Source: Slicer Libs/MRML/Widgets/qMRMLThreeDView.cxx, qMRMLSliceView.cxx and qSlicer*Module.cxx, setup().
_THREE_D_MANAGERS = (
    "vtkMRMLSegmentationsDisplayableManager3D", "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLTransformsDisplayableManager3D", "vtkMRMLLinearTransformsDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager", "vtkMRMLCameraDisplayableManager", "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager", "vtkMRMLThreeDReformatDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager3D",
    "vtkMRMLOrientationMarkerDisplayableManager", "vtkMRMLRulerDisplayableManager",
)  # fmt: skip
_SLICE_MANAGERS = (
    "vtkMRMLSegmentationsDisplayableManager2D", "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLTransformsDisplayableManager2D", "vtkMRMLLinearTransformsDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager", "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager", "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager", "vtkMRMLRulerDisplayableManager",
    "vtkMRMLScalarBarDisplayableManager",
)  # fmt: skip

# A point farther from the slice than this cannot be pointed at in it: half of what a person would call "in the slice".
_OFF_SLICE_MM = 0.5


class ThreeDView(RenderedView):
    """The application's qMRMLThreeDView."""

    def __init__(self, node: Any, application_logic: Any, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(application_logic)
        # The managers turn the camera themselves: the style below them must not.
        self._interactor.SetInteractorStyle(vtk.vtkInteractorStyle3D())
        self._logic = slicer.vtkMRMLViewLogic()
        self._logic.SetMRMLApplicationLogic(application_logic)
        self._logic.SetName(node.GetLayoutName())
        self._logic.SetMRMLScene(node.GetScene())
        application_logic.GetViewLogics().AddItem(self._logic)
        self._renderer.GradientBackgroundOn()
        self._window.SetAlphaBitPlanes(True)  # depth peeling needs them
        self._start(factory, slicer.vtkMRMLThreeDViewInteractorStyle(), node, _THREE_D_MANAGERS)
        self._logic.SetDisplayableManagerGroup(self._managers)
        self.mouse = Mouse(self)

    @contextmanager
    def fine(self) -> Iterator[None]:
        """In here edges are smooth and translucent surfaces lie in order, where the view node asks for that."""
        if not self._node.GetUseDepthPeeling():
            with super().fine():
                yield
            return
        # With several samples a pixel, Mesa loses every translucent surface that is peeled: edges are smoothed after.
        self._renderer.SetUseDepthPeeling(True)
        self._renderer.SetUseFXAA(True)
        self.forceRender()
        try:
            yield
        finally:
            self._renderer.SetUseDepthPeeling(False)
            self._renderer.SetUseFXAA(False)

    def mrmlViewNode(self) -> Any:
        """The view node."""
        return self._node

    def viewLogic(self) -> Any:
        """The view's logic."""
        return self._logic

    def cameraNode(self) -> Any:
        """The camera node of the view."""
        return self.displayableManagerByClassName("vtkMRMLCameraDisplayableManager").GetCameraNode()

    def resetFocalPoint(self) -> None:
        """Look at the middle of all that is visible."""
        shown = self._node.GetBoxVisible(), self._node.GetAxisLabelsVisible()
        self._node.SetBoxVisible(0)
        self._node.SetAxisLabelsVisible(0)
        low, high = np.array(self._renderer.ComputeVisiblePropBounds()).reshape(3, 2).T
        if np.all(low <= high):
            camera = self.cameraNode().GetCamera()
            shift = (low + high) / 2 - np.array(camera.GetFocalPoint())
            camera.SetPosition(np.array(camera.GetPosition()) + shift)
            camera.SetFocalPoint((low + high) / 2)
        self._node.SetBoxVisible(shown[0])
        self._node.SetAxisLabelsVisible(shown[1])
        self._node.InvokeEvent(slicer.vtkMRMLViewNode.ResetFocalPointRequestedEvent)
        self._renderer.ResetCameraClippingRange()
        self.scheduleRender()

    def resetCamera(self, rotation: bool = True, translation: bool = True, distance: bool = True) -> None:
        """Look from the front at all that is visible."""
        self.cameraNode().Reset(rotation, translation, distance, self._renderer)

    def rotateToViewAxis(self, axis: int) -> None:
        """Look along an axis: 0 left, 1 right, 2 posterior, 3 anterior, 4 inferior, 5 superior."""
        directions = ("Left", "Right", "Posterior", "Anterior", "Inferior", "Superior")
        self.cameraNode().RotateTo(getattr(slicer.vtkMRMLCameraNode, directions[axis]))

    def setBackgroundColor(self, color: QtGui.QColor) -> None:
        """The colour at the bottom of the gradient."""
        self._node.SetBackgroundColor(color.redF(), color.greenF(), color.blueF())

    def display_from_world(self, point: np.ndarray) -> tuple[float, float]:
        """Where a RAS point is seen: VTK's pixels, from the lower left."""
        self._renderer.SetWorldPoint(*point, 1.0)
        self._renderer.WorldToDisplay()
        return self._renderer.GetDisplayPoint()[:2]


class SliceView(RenderedView):
    """The application's qMRMLSliceView."""

    def __init__(self, node: Any, application_logic: Any, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._logic = slicer.vtkMRMLSliceLogic()
        self._logic.SetMRMLApplicationLogic(application_logic)
        self._logic.SetMRMLScene(node.GetScene())
        self._logic.SetSliceNode(node)
        application_logic.GetSliceLogics().AddItem(self._logic)
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(application_logic)
        self._interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self._add_volume_layer()
        observer = slicer.vtkMRMLSliceViewInteractorStyle()
        observer.SetSliceLogic(self._logic)
        self._start(factory, observer, node, _SLICE_MANAGERS)
        self._logic.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: self._show_volumes())
        self._show_volumes()
        self.mouse = Mouse(self)

    def _add_volume_layer(self) -> None:
        """The blended volumes come ready-made from the slice logic and are laid under everything else."""
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._layer = vtk.vtkActor2D()
        self._layer.SetMapper(self._mapper)
        self._layer.GetProperty().SetDisplayLocationToBackground()
        self._layer.VisibilityOff()
        self._renderer.AddViewProp(self._layer)
        self._renderer.SetBackground(0.0, 0.0, 0.0)

    def _show_volumes(self) -> None:
        connection = self._logic.GetImageDataConnection()
        self._layer.SetVisibility(connection is not None)
        self._mapper.SetInputConnection(connection)
        self.scheduleRender()

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """The slice node takes the view's size too."""
        super().resizeEvent(event)
        self._logic.ResizeSliceNode(max(1, self.width()), max(1, self.height()))

    def mrmlSliceNode(self) -> Any:
        """The slice node."""
        return self._node

    def sliceLogic(self) -> Any:
        """The slice logic."""
        return self._logic

    def volume_name(self) -> str:
        """The name of the volume in the background; empty when there is none."""
        volume = self._logic.GetBackgroundLayer().GetVolumeNode()
        return volume.GetName() if volume else ""

    def _paint_over(self, painter: QtGui.QPainter) -> None:
        if self.volume_name():
            painter.setPen(QtGui.QColor(255, 246, 170))
            painter.drawText(self.rect().adjusted(7, 0, 0, -6), 0x0041, f"B: {self.volume_name()}")  # left, bottom

    def jump_to(self, point: Any) -> None:
        """Move the slice so that it passes through a RAS point."""
        self._node.JumpSliceByCentering(*[float(value) for value in point])

    def display_from_world(self, point: np.ndarray) -> tuple[float, float]:
        """Where a RAS point is seen: VTK's pixels, from the lower left. Raises ValueError if it is not in the slice."""
        inverse = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self._node.GetXYToRAS(), inverse)
        x, y = inverse.MultiplyPoint((*point, 1.0))[:2]
        axes = self._node.GetSliceToRAS()
        normal = np.array([axes.GetElement(row, 2) for row in range(3)])
        origin = np.array([axes.GetElement(row, 3) for row in range(3)])
        off = float(abs((np.asarray(point) - origin) @ normal))
        if off > _OFF_SLICE_MM:
            raise ValueError(
                f"{np.round(point, 2)} is {off:.2f} mm off the {self._node.GetName()} slice; call jump_to(point) first."
            )
        return x, y

    def world_from_display(self, x: float, y: float) -> np.ndarray:
        """The RAS point under VTK's pixel x, y."""
        return np.array(self._node.GetXYToRAS().MultiplyPoint((x, y, 0.0, 1.0))[:3])
