"""The picture that `inspect` draws has axis, chord and endplates where they are."""

from __future__ import annotations

import numpy as np
import pytest
from SpinalStrutDesignerLib.case.alignment import Restoration, restoration
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.release.images import draw_overview
from SpinalStrutDesignerLib.release.palette import AXIS, CHORD
from SpinalStrutDesignerLib.release.render import Camera, Colour, View, rendered
from SpinalStrutDesignerLib.release.views import LEGEND_SIZE, SIZE, span_layers, with_span


@pytest.fixture(scope="module")
def spine(phantom: Case) -> Case:
    """The phantom's vertebrae and cord."""
    return phantom.with_structures(s for s in phantom.structures if s.level or s.name == "spinal_cord")


@pytest.fixture(scope="module")
def restored(spine: Case) -> Restoration:
    return restoration(spine, "C4", "T2")


def like(pixels: np.ndarray, colour: Colour) -> np.ndarray:
    """(n, 2) places, 0..1 from the lower left, where a picture's hue is a colour's."""
    flat = pixels.reshape(-1, 3) / 255.0
    wanted = np.array(colour)
    hue = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    near = (hue @ (wanted / np.linalg.norm(wanted)) > 0.97).reshape(pixels.shape[:2])
    rows, columns = np.nonzero(near)
    return np.stack([(columns + 0.5) / pixels.shape[1], 1.0 - (rows + 0.5) / pixels.shape[0]], axis=1)


def test_axis_and_chord_run_from_plate_to_plate(spine: Case, restored: Restoration) -> None:
    ends = np.stack([find_endplate(spine, "C4", "inferior").centre, find_endplate(spine, "T2", "superior").centre])
    camera = Camera(ends.mean(axis=0), np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]), 120.0)
    axis, chord = span_layers(restored)
    for layer, points in ((axis, restored.line), (chord, ends)):
        seen = like(rendered(View((layer,), camera, SIZE)), layer.colour)
        path = camera.seen(points, SIZE)
        # The line is drawn over all its height, and nowhere farther from it than its thickness.
        assert seen[:, 1].max() == pytest.approx(path[:, 1].max(), abs=0.012)
        assert seen[:, 1].min() == pytest.approx(path[:, 1].min(), abs=0.012)
        order = np.argsort(path[:, 1])
        at = np.interp(seen[:, 1], path[order, 1], path[order, 0])
        assert np.abs(seen[:, 0] - at).max() < 0.03


def test_their_lengths_and_the_plates_are_named_at_their_heights(spine: Case, restored: Restoration) -> None:
    camera = Camera(restored.line.mean(axis=0), np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0]), 120.0)
    labels = {label.text.strip(): label for label in with_span(View((), camera, SIZE), restored).labels}
    top, bottom = find_endplate(spine, "C4", "inferior").centre, find_endplate(spine, "T2", "superior").centre
    for text, place in (("C4 inferior endplate", top), ("T2 superior endplate", bottom)):
        assert labels[text].y == pytest.approx(camera.seen(place, SIZE)[0, 1], abs=1e-6)
    length = np.linalg.norm(np.diff(restored.line, axis=0), axis=1).sum()
    assert f"chord {np.linalg.norm(top - bottom):.1f} mm" in labels and f"axis {length:.1f} mm" in labels


def test_the_overview_shows_both_and_its_legend_names_them(spine: Case, restored: Restoration) -> None:
    plates = [find_endplate(spine, "C4", "inferior"), find_endplate(spine, "T2", "superior")]
    for drawn, least in ((restored, 200), (None, 0)):
        lateral = next(p for p in draw_overview(spine, plates, drawn) if p.file == "lateral.png")
        for colour in (AXIS, CHORD):
            legend, spinal = np.split(lateral.pixels, [LEGEND_SIZE[0]], axis=1)
            assert (len(like(spinal, colour)) > least) == (drawn is not None)
            assert (len(like(legend, colour)) > 50) == (drawn is not None)
