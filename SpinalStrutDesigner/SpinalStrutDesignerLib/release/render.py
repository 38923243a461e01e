"""Draws layers of surfaces offscreen, with or without a display, to RGB arrays and PNG files."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from ..errors import ReleaseError

Colour = tuple[float, float, float]
INK: Colour = (0.16, 0.18, 0.22)
_BAR_END = 0.97
_AWAY_MM = 500.0
_REMEDY = (
    "give this machine an OpenGL driver (on Linux without a display: libegl1 or libosmesa6), or set "
    "VTK_DEFAULT_OPENGL_WINDOW to the window class that works here"
)


@dataclass(frozen=True, eq=False)
class Layer:
    """A surface with its look; shine: 0 is matt, 1 is polished metal, None a flat colour without light.

    line_px: how thick its lines are drawn.
    """

    surface: vtk.vtkPolyData
    colour: Colour
    opacity: float = 1.0
    shine: float | None = 0.15
    line_px: float = 1.0


@dataclass(frozen=True, eq=False)
class Camera:
    """A parallel view. focus: (3,) RAS mm, its middle; into, up: unit directions; height_mm: of the picture;
    depth_mm: what lies farther behind the focus is left out."""

    focus: np.ndarray
    into: np.ndarray
    up: np.ndarray
    height_mm: float
    depth_mm: float = math.inf

    def __post_init__(self) -> None:
        into = np.asarray(self.into, dtype=float)
        into = into / np.linalg.norm(into)
        up = np.asarray(self.up, dtype=float)
        up = up - (up @ into) * into
        object.__setattr__(self, "into", into)
        object.__setattr__(self, "up", up / np.linalg.norm(up))
        object.__setattr__(self, "focus", np.asarray(self.focus, dtype=float))

    @property
    def right(self) -> np.ndarray:
        """The direction that points right in the picture."""
        return np.cross(self.into, self.up)

    def seen(self, points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Where points (n, 3) RAS mm appear: (n, 2), 0..1 from the lower left of a picture of that size."""
        away = np.asarray(points, dtype=float).reshape(-1, 3) - self.focus
        width_mm = self.height_mm * size[0] / size[1]
        return np.stack([away @ self.right / width_mm, away @ self.up / self.height_mm], axis=1) + 0.5


@dataclass(frozen=True)
class Label:
    """A text at (x, y), 0..1 from the lower left; anchor: which side of the text lies there."""

    text: str
    x: float
    y: float
    size: int = 20
    colour: Colour = INK
    anchor: str = "left"
    bold: bool = False
    background: Colour | None = None


@dataclass(frozen=True)
class Swatch:
    """A filled rectangle of a flat colour; x, y: its lower left corner, all 0..1 of the picture."""

    x: float
    y: float
    width: float
    height: float
    colour: Colour


@dataclass(frozen=True, eq=False)
class View:
    """A picture to be drawn. image: an image of the scene, in its plane z = 0; swatches are painted over everything."""

    layers: tuple[Layer, ...]
    camera: Camera
    size: tuple[int, int]
    labels: tuple[Label, ...] = ()
    swatches: tuple[Swatch, ...] = ()
    image: vtk.vtkImageData | None = None


class Easel:
    """One offscreen window in which views are drawn one after the other; a layer they share is sent to it once.

    Use it in a `with` block.
    """

    def __init__(self) -> None:
        self._faults: list[str] = []
        self._window = _window()
        self._window.AddObserver("ErrorEvent", lambda *_: self._faults.append("OpenGL reports an error"))
        # Edges are smoothed in the finished picture: several samples a pixel take thrice as long without a graphics
        # card. What is translucent is blended by VTK in one pass whose result does not depend on the order of drawing;
        # peeling it layer by layer took five times as long and looked the same.
        self._window.SetMultiSamples(0)
        self._actors: dict[Layer, vtk.vtkActor] = {}

    def __enter__(self) -> Easel:
        return self

    def __exit__(self, *_: object) -> None:
        self._window.Finalize()

    def drawn(self, view: View) -> np.ndarray:
        """The picture, (height, width, 3) uint8, first row on top.

        Raises ReleaseError where this machine cannot draw.
        """
        renderer = self._renderer(view)
        self._window.SetSize(*view.size)
        self._window.AddRenderer(renderer)
        self._window.Render()
        pixels = _pixels(self._window)
        self._window.RemoveRenderer(renderer)
        for swatch in view.swatches:
            _paint(pixels, swatch)
        if self._faults or pixels.shape[:2] != view.size[::-1] or pixels.min() == pixels.max():
            reason = self._faults[0] if self._faults else "the picture came out empty"
            raise ReleaseError(f"the pictures of the release cannot be drawn ({reason}): {_REMEDY}")
        return pixels

    def _renderer(self, view: View) -> vtk.vtkRenderer:
        renderer = vtk.vtkRenderer()
        renderer.SetBackground(1.0, 1.0, 1.0)
        renderer.SetUseFXAA(True)
        _light(renderer)
        if view.image is not None:
            renderer.AddActor(_picture_actor(view.image))
        for layer in view.layers:
            if layer not in self._actors:
                self._actors[layer] = _actor(layer)
            renderer.AddActor(self._actors[layer])
        for label in view.labels:
            renderer.AddViewProp(_text(label))
        _look(renderer, view.camera)
        return renderer


def scale_bar(camera: Camera, size: tuple[int, int], length_mm: float, colour: Colour = INK) -> tuple[Label, Swatch]:
    """A bar of that length at the lower right, with its length beneath."""
    share = length_mm * size[1] / (camera.height_mm * size[0])
    left = _BAR_END - share
    return (
        Label(f"{length_mm:g} mm", _BAR_END, 0.024, 20, colour, "right"),
        Swatch(left, 0.046, share, 5.0 / size[1], colour),
    )


def rendered(view: View) -> np.ndarray:
    """A lone picture; see Easel.drawn."""
    with Easel() as easel:
        return easel.drawn(view)


def _paint(pixels: np.ndarray, swatch: Swatch) -> None:
    height, width = pixels.shape[:2]
    left, right = round(swatch.x * width), round((swatch.x + swatch.width) * width)
    top, bottom = round((1.0 - swatch.y - swatch.height) * height), round((1.0 - swatch.y) * height)
    pixels[top:bottom, left:right] = np.round(255.0 * np.array(swatch.colour)).astype(np.uint8)


def beside(*pictures: np.ndarray) -> np.ndarray:
    """Pictures of one height set side by side."""
    return np.concatenate(pictures, axis=1)


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Writes (height, width, 3) uint8 as PNG. Raises ReleaseError where that is not possible."""
    writer = vtk.vtkPNGWriter()
    writer.SetInputData(rgb_image(pixels))
    writer.SetFileName(str(path))
    writer.SetCompressionLevel(2)
    writer.Write()
    if writer.GetErrorCode() or not path.is_file():
        raise ReleaseError(f"'{path.name}' could not be written; check free space and permissions of {path.parent}")


def rgb_image(pixels: np.ndarray) -> vtk.vtkImageData:
    """(height, width, 3) uint8, first row on top, as a VTK image of unit pixels."""
    image = vtk.vtkImageData()
    image.SetDimensions(pixels.shape[1], pixels.shape[0], 1)
    flat = np.ascontiguousarray(pixels[::-1]).reshape(-1, 3)
    image.GetPointData().SetScalars(numpy_to_vtk(flat, deep=True))
    return image


def _window() -> vtk.vtkRenderWindow:
    """An offscreen window. Without a display the choice that VTK would reach after complaining is taken at once."""
    headless = sys.platform.startswith("linux") and not os.environ.get("DISPLAY")
    if headless and "VTK_DEFAULT_OPENGL_WINDOW" not in os.environ:
        from vtkmodules import vtkRenderingOpenGL2

        egl = getattr(vtkRenderingOpenGL2, "vtkEGLRenderWindow", None)
        window = egl() if egl is not None else vtk.vtkRenderWindow()
    else:
        window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    return window


def _light(renderer: vtk.vtkRenderer) -> None:
    """Key, fill, head and back lights that move with the camera: soft shadows from the upper left."""
    kit = vtk.vtkLightKit()
    kit.SetKeyLightIntensity(0.85)
    kit.SetKeyLightAngle(42.0, -22.0)
    kit.SetKeyToFillRatio(2.6)
    kit.SetKeyToHeadRatio(3.2)
    kit.SetKeyToBackRatio(4.0)
    kit.SetKeyLightWarmth(0.52)
    kit.SetFillLightWarmth(0.48)
    kit.AddLightsToRenderer(renderer)


def _actor(layer: Layer) -> vtk.vtkActor:
    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputData(layer.surface)
    mapper.ScalarVisibilityOff()
    actor = vtk.vtkActor()
    actor.SetMapper(mapper)
    look = actor.GetProperty()
    look.SetColor(*layer.colour)
    look.SetOpacity(layer.opacity)
    if layer.shine is None:
        look.LightingOff()
        look.SetLineWidth(layer.line_px)
        return actor
    look.SetAmbient(0.18)
    look.SetDiffuse(0.82)
    # The far walls of what is translucent only cloud the view.
    look.SetBackfaceCulling(layer.opacity < 1.0)
    look.SetSpecular(0.7 * layer.shine)
    look.SetSpecularPower(12.0 + 40.0 * layer.shine)
    return actor


def _picture_actor(image: vtk.vtkImageData) -> vtk.vtkImageActor:
    actor = vtk.vtkImageActor()
    actor.GetMapper().SetInputData(image)
    actor.InterpolateOn()
    return actor


def _text(label: Label) -> vtk.vtkTextActor:
    actor = vtk.vtkTextActor()
    actor.SetInput(label.text)
    actor.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
    actor.SetPosition(label.x, label.y)
    look = actor.GetTextProperty()
    look.SetFontFamilyToArial()
    look.SetFontSize(label.size)
    look.SetBold(label.bold)
    look.SetColor(*label.colour)
    {
        "left": look.SetJustificationToLeft,
        "right": look.SetJustificationToRight,
        "centre": look.SetJustificationToCentered,
    }[label.anchor]()
    look.SetVerticalJustificationToCentered()
    if label.background is not None:
        look.SetBackgroundColor(*label.background)
        look.SetBackgroundOpacity(0.82)
    return actor


def _look(renderer: vtk.vtkRenderer, camera: Camera) -> None:
    eye = renderer.GetActiveCamera()
    eye.ParallelProjectionOn()
    eye.SetFocalPoint(*camera.focus)
    eye.SetPosition(*(camera.focus - _AWAY_MM * camera.into))
    eye.SetViewUp(*camera.up)
    eye.SetParallelScale(0.5 * camera.height_mm)
    renderer.ResetCameraClippingRange()
    near, far = eye.GetClippingRange()
    eye.SetClippingRange(near, min(far, _AWAY_MM + camera.depth_mm))


def _pixels(window: vtk.vtkRenderWindow) -> np.ndarray:
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.SetInputBufferTypeToRGB()
    grab.ReadFrontBufferOff()
    grab.ShouldRerenderOff()
    grab.Update()
    image = grab.GetOutput()
    width, height, _ = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()
