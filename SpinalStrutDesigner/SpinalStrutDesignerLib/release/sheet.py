"""A sheet of paper to draw on in millimetres, written as PDF: the only file that knows matplotlib.

The same drawing gives the same bytes: no dates, the library's own font, embedded (type 3).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

Style = Literal["solid", "dashed", "chain"]
Align = Literal["left", "center", "right"]
_DASHES: dict[Style, tuple[float, ...]] = {"solid": (), "dashed": (8.0, 4.0), "chain": (14.0, 3.0, 2.0, 3.0)}
_SETTINGS: Any = {
    "font.family": ["DejaVu Sans"], "pdf.fonttype": 3, "pdf.compression": 6, "path.simplify": False,
    "image.composite_image": False, "axes.unicode_minus": True, "text.usetex": False, "text.parse_math": False,
}  # fmt: skip
_POINT_MM = 25.4 / 72.0


class Sheet:
    """A page of so many millimetres, its origin at the lower left corner."""

    def __init__(self, width_mm: float, height_mm: float) -> None:
        from matplotlib import rc_context
        from matplotlib.figure import Figure

        self.size = (width_mm, height_mm)
        with rc_context(_SETTINGS):
            self._figure: Any = Figure(figsize=(width_mm / 25.4, height_mm / 25.4))
            self._axes: Any = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.set_xlim(0.0, width_mm)
        self._axes.set_ylim(0.0, height_mm)
        self._axes.axis("off")

    def line(
        self, points: np.ndarray, width_mm: float = 0.25, style: Style = "solid", color: str = "black"
    ) -> None:
        """A line through points (n, 2)."""
        x, y = np.asarray(points, dtype=float).T
        self._axes.plot(
            x, y, color=color, linewidth=width_mm / _POINT_MM, dash_capstyle="butt", solid_joinstyle="round",
            linestyle=(0.0, _DASHES[style]) if style != "solid" else "-", scalex=False, scaley=False,
        )  # fmt: skip

    def box(
        self, x: float, y: float, width: float, height: float, width_mm: float = 0.25, color: str = "black"
    ) -> None:
        """A rectangle by its lower left corner."""
        corners = [[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]]
        self.line(np.array(corners), width_mm, color=color)

    def filled(self, points: np.ndarray, color: str = "black") -> None:
        """A filled polygon (n, 2)."""
        x, y = np.asarray(points, dtype=float).T
        self._axes.fill(x, y, color=color, linewidth=0.0)

    def circle(self, x: float, y: float, radius: float, fill: str = "white") -> None:
        """A circle with a thin border."""
        from matplotlib.patches import Circle

        width = 0.25 / _POINT_MM
        self._axes.add_patch(Circle((x, y), radius, facecolor=fill, edgecolor="black", linewidth=width, zorder=5))

    def text(
        self, x: float, y: float, words: str, size_pt: float = 8.0, align: Align = "left", bold: bool = False,
        color: str = "black", turned: float = 0.0,
    ) -> None:  # fmt: skip
        """Words beside, at or before a place, centred on its height."""
        self._axes.text(
            x, y, words, fontsize=size_pt, ha=align, va="center", color=color, rotation=turned, zorder=6,
            rotation_mode="anchor", fontweight="bold" if bold else "normal", family="DejaVu Sans", parse_math=False,
        )  # fmt: skip

    def image(self, grey: np.ndarray, left: float, right: float, low: float, high: float) -> None:
        """An image (rows from above, columns) of greys 0 to 1 in a rectangle."""
        self._axes.imshow(
            grey, cmap="gray", vmin=0.0, vmax=1.0, extent=(left, right, low, high), interpolation="none", zorder=0,
            aspect="auto",
        )  # fmt: skip
        self._axes.set_xlim(0.0, self.size[0])
        self._axes.set_ylim(0.0, self.size[1])

    def words(self) -> tuple[str, ...]:
        """All that is written on it."""
        return tuple(text.get_text() for text in self._axes.texts)

    def boxes(self) -> list[tuple[str, np.ndarray]]:
        """Each text and the rectangle that it takes on the sheet: left, low, right, high in mm."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas: Any = FigureCanvasAgg(self._figure)
        scale = 25.4 / self._figure.dpi
        found = []
        for text in self._axes.texts:
            taken = text.get_window_extent(canvas.get_renderer())
            found.append((text.get_text(), np.array([taken.x0, taken.y0, taken.x1, taken.y1]) * scale))
        return found

    def save_pdf(self, path: str | Path, title: str) -> None:
        """One page, the same bytes each time."""
        from matplotlib import rc_context
        from matplotlib.backends.backend_pdf import FigureCanvasPdf

        facts = {"Title": title, "Creator": "SpinalStrutDesigner", "Producer": None, "CreationDate": None}
        with rc_context(_SETTINGS):
            FigureCanvasPdf(self._figure).print_pdf(str(path), metadata=facts)

    def save_png(self, path: str | Path, dpi: int = 150) -> None:
        """The same page as a picture, to look at."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas: Any = FigureCanvasAgg(self._figure)
        self._figure.set_dpi(dpi)
        canvas.print_png(str(path))


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Closed lines (n, 2) around what is True in a mask (rows, columns), in columns and rows of places."""
    from contourpy import contour_generator

    padded = np.pad(mask.astype(float), 2)
    blurred = _blurred(padded)
    found: Any = contour_generator(z=blurred).lines(0.5)
    return [np.asarray(line) - 2.0 for line in found if len(line) > 8]


def _blurred(values: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    result: np.ndarray = gaussian_filter(values, 0.8)
    return result
