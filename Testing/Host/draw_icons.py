"""Draws the icons of the extension and of its modules; each is made to be known at 24 pixels.

python Testing/Host/draw_icons.py
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import numpy as np
import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

ROOT = Path(__file__).resolve().parents[2]
ICON_PX = 128
# Drawn so many times larger and scaled down: smooth edges at every size.
OVERSAMPLING = 8

BONE, BONE_SHADE, BONE_EDGE = "#F3E3BF", "#DDC290", "#6B5428"
TITANIUM, TITANIUM_SHADE, TITANIUM_EDGE = "#8FB4D9", "#3F6FA6", "#173A63"
SCREW = "#E7EEF6"


def main() -> None:
    """Writes every icon."""
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    strut, lattice = strut_icon(), lattice_icon()
    for picture, file in (
        (strut, "Resources/SpinalStrutDesigner.png"),
        (strut, "SpinalStrutDesigner/Resources/Icons/SpinalStrutDesigner.png"),
        (lattice, "LatticeGenerator/Resources/Icons/LatticeGenerator.png"),
    ):
        if not picture.save(str(ROOT / file), "PNG", 0):
            raise OSError(f"The icon could not be written to {ROOT / file}; choose a folder that can be written to.")
        print(file)
    application.quit()


def strut_icon() -> QtGui.QImage:
    """A spine from the side, its front to the left: a titanium strut bridges two vertebrae that are gone."""
    picture = QtGui.QImage(*2 * [ICON_PX * OVERSAMPLING], QtGui.QImage.Format_ARGB32_Premultiplied)
    picture.fill(QtCore.Qt.transparent)
    painter = QtGui.QPainter(picture)
    painter.setRenderHint(QtGui.QPainter.Antialiasing)
    painter.scale(OVERSAMPLING, OVERSAMPLING)
    for top in (4.0, 98.0):
        _vertebra(painter, top)
    _strut(painter)
    painter.end()
    return _scaled(picture)


def _vertebra(painter: QtGui.QPainter, top: float) -> None:
    """A body with its spinous process behind it. top: of the body, in icon pixels."""
    shape = QtGui.QPainterPath()
    shape.setFillRule(QtCore.Qt.WindingFill)
    shape.addRoundedRect(QtCore.QRectF(23, top, 56, 26), 6, 6)
    process = QtGui.QPainterPath(QtCore.QPointF(74, top + 7))
    process.lineTo(90, top + 6)
    process.lineTo(120, top + 18)
    process.lineTo(115, top + 26)
    process.lineTo(88, top + 20)
    process.lineTo(74, top + 19)
    process.closeSubpath()
    fill = QtGui.QLinearGradient(0, top, 0, top + 28)
    fill.setColorAt(0, QtGui.QColor(BONE))
    fill.setColorAt(1, QtGui.QColor(BONE_SHADE))
    _draw(painter, shape.united(process), fill, BONE_EDGE, 3.0)


def _strut(painter: QtGui.QPainter) -> None:
    """The strut with a foot and a flange at each end, and its screws."""
    shape = QtGui.QPainterPath()
    shape.setFillRule(QtCore.Qt.WindingFill)
    for rectangle in (
        (16, 31, 62, 11), (16, 86, 62, 11), (32, 34, 27, 60), (11, 8, 12, 34), (11, 86, 12, 34),
    ):  # fmt: skip
        part = QtGui.QPainterPath()
        part.addRoundedRect(QtCore.QRectF(*rectangle), 4, 4)
        shape = shape.united(part)
    fill = QtGui.QLinearGradient(11, 0, 78, 0)
    fill.setColorAt(0, QtGui.QColor(TITANIUM))
    fill.setColorAt(1, QtGui.QColor(TITANIUM_SHADE))
    for height in (18.0, 110.0):
        screw = QtGui.QPainterPath()
        screw.addRoundedRect(QtCore.QRectF(5, height - 4, 48, 8), 3, 3)
        _draw(painter, screw, QtGui.QBrush(QtGui.QColor(SCREW)), TITANIUM_EDGE, 2.5)
    _draw(painter, shape, fill, TITANIUM_EDGE, 3.0)


def _draw(painter: QtGui.QPainter, shape: QtGui.QPainterPath, fill: Any, edge: str, width: float) -> None:
    pen = QtGui.QPen(QtGui.QColor(edge), width)
    pen.setJoinStyle(QtCore.Qt.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(QtGui.QBrush(fill))
    painter.drawPath(shape)


def lattice_icon() -> QtGui.QImage:
    """A cube of skeletal gyroid, seen over a corner."""
    renderer = vtk.vtkRenderer()
    renderer.AddActor(_titanium(_gyroid_cube()))
    renderer.SetBackgroundAlpha(0.0)
    camera = renderer.GetActiveCamera()
    camera.SetPosition(1.0, -1.5, 1.05)
    camera.SetFocalPoint(0.0, 0.0, 0.0)
    camera.SetViewUp(0.0, 0.0, 1.0)
    camera.ParallelProjectionOn()
    renderer.ResetCamera()
    camera.Zoom(1.12)
    for direction, strength in (((1.0, -2.0, 3.0), 0.9), ((-2.0, -2.0, 0.5), 0.35)):
        light = vtk.vtkLight()
        light.SetPosition(*direction)
        light.SetIntensity(strength)
        renderer.AddLight(light)
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetAlphaBitPlanes(True)
    window.SetMultiSamples(0)
    window.SetSize(ICON_PX * OVERSAMPLING, ICON_PX * OVERSAMPLING)
    window.AddRenderer(renderer)
    window.Render()
    return _scaled(_image_of(window))


def _gyroid_cube() -> Any:
    """The surface of a skeletal gyroid of two periods within a cube of side 1."""
    line = np.linspace(-0.53, 0.53, 150)
    z, y, x = np.meshgrid(line, line, line, indexing="ij")
    # A. H. Schoen's gyroid as a nodal approximation: P. J. F. Gandy et al., Chem. Phys. Lett. 336 (2001) 187.
    a, b, c = (2.0 * np.pi * 2.0 * (axis + 0.5) for axis in (x, y, z))
    gyroid = np.sin(a) * np.cos(b) + np.sin(b) * np.cos(c) + np.sin(c) * np.cos(a)
    cube = np.maximum(np.maximum(np.abs(x), np.abs(y)), np.abs(z)) - 0.5
    solid = np.maximum(gyroid * 0.1, cube)
    image = vtk.vtkImageData()
    image.SetDimensions(*solid.shape)
    image.SetOrigin(line[0], line[0], line[0])
    image.SetSpacing(*3 * [line[1] - line[0]])
    image.GetPointData().SetScalars(numpy_to_vtk(solid.ravel(), deep=True))
    surface = vtk.vtkFlyingEdges3D()
    surface.SetInputData(image)
    surface.SetValue(0, 0.0)
    surface.ComputeNormalsOn()
    surface.Update()
    return surface.GetOutput()


def _titanium(surface: Any) -> Any:
    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputData(surface)
    mapper.ScalarVisibilityOff()
    actor = vtk.vtkActor()
    actor.SetMapper(mapper)
    look = actor.GetProperty()
    look.SetColor(0.42, 0.62, 0.85)
    look.SetAmbient(0.15)
    look.SetSpecular(0.35)
    look.SetSpecularPower(25)
    return actor


def _image_of(window: Any) -> QtGui.QImage:
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.SetInputBufferTypeToRGBA()
    grab.ReadFrontBufferOff()
    grab.Update()
    width, height, _depth = grab.GetOutput().GetDimensions()
    pixels = vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars()).reshape(height, width, 4)[::-1]
    data = np.ascontiguousarray(pixels).tobytes()
    # VTK blends over transparent black: its colours are premultiplied.
    return QtGui.QImage(data, width, height, 4 * width, QtGui.QImage.Format_RGBA8888_Premultiplied).copy()


def _scaled(picture: QtGui.QImage) -> QtGui.QImage:
    return picture.scaled(
        ICON_PX, ICON_PX, QtCore.Qt.IgnoreAspectRatio, QtCore.Qt.SmoothTransformation
    ).convertToFormat(QtGui.QImage.Format_ARGB32)


if __name__ == "__main__":
    main()
