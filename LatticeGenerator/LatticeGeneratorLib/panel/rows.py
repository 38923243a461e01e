"""Which rows of the panel, each a label and a widget, are shown with which choices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Shown = Callable[[Any], bool]
"""From a parameter node to whether a row belongs to its choices."""


def _when(field: str, *values: str) -> Shown:
    return lambda parameters: getattr(parameters, field) in values


def _graded(parameters: Any) -> bool:
    return parameters.grading != "none"


def _end_by(wish: str) -> Shown:
    return lambda parameters: _graded(parameters) and parameters.wish == wish


def _size_by(wish: str) -> Shown:
    return lambda parameters: _end_by(wish)(parameters) and parameters.endCells


def _in_part(parameters: Any) -> bool:
    return parameters.where != "whole"


def _has_solid(parameters: Any) -> bool:
    return parameters.finish in ("skin", "frame") or (
        parameters.finish == "none" and _in_part(parameters) and parameters.joined
    )


def _grows_denser(parameters: Any) -> bool:
    return parameters.finish == "transition" or (_has_solid(parameters) and parameters.denser)


def _beside(source: str) -> Shown:
    return lambda parameters: parameters.finish != "none" and parameters.side == source


# The label of a row is called after the row.
_ROWS: dict[str, tuple[str, Shown]] = {
    "domain": ("domainSelector", _when("source", "model")),
    "segment": ("segmentSelector", _when("source", "segment")),
    "porosity": ("porositySlider", _when("wish", "pores")),
    "poreSize": ("poreSizeSlider", _when("wish", "pores")),
    "cellSize": ("cellSizeSlider", _when("wish", "cell")),
    "thickness": ("thicknessSlider", _when("wish", "cell")),
    "shellDepth": ("shellDepthSlider", _when("where", "shell", "beside")),
    "patch": ("patchSelector", _when("where", "beside")),
    "roi": ("roiSelector", _when("where", "roi")),
    "fit": ("fitButton", _when("where", "roi")),
    "joined": ("joinedCheckBox", _in_part),
    "gradingLine": ("gradingLineSelector", _when("grading", "axis")),
    "fromDepth": ("fromDepthSlider", _when("grading", "depth")),
    "toDepth": ("toDepthSlider", _when("grading", "depth")),
    "gradingVolume": ("gradingVolumeSelector", _when("grading", "volume")),
    "fromValue": ("fromValueSpinBox", _when("grading", "volume")),
    "toValue": ("toValueSpinBox", _when("grading", "volume")),
    "endCells": ("endCellsCheckBox", _graded),
    "endPorosity": ("endPorositySlider", _end_by("pores")),
    "endPoreSize": ("endPoreSizeSlider", _size_by("pores")),
    "endCellSize": ("endCellSizeSlider", _size_by("cell")),
    "endThickness": ("endThicknessSlider", _end_by("cell")),
    "side": ("sideComboBox", _when("finish", "skin", "frame", "transition")),
    "sidePlane": ("sidePlaneSelector", _beside("plane")),
    "sideModel": ("sideModelSelector", _beside("model")),
    "solidThickness": ("solidThicknessSlider", _when("finish", "skin", "frame")),
    "windowSize": ("windowSizeSlider", _when("finish", "frame")),
    "bridge": ("bridgeSlider", _when("finish", "frame")),
    "denser": ("denserCheckBox", _has_solid),
    "transitionDepth": ("transitionDepthSlider", _grows_denser),
    "lyingTransform": ("lyingTransformSelector", _when("lying", "transform")),
    "lyingFace": ("lyingFaceSelector", _when("lying", "face")),
}


def show_rows(ui: Any, parameters: Any) -> None:
    """Shows the rows that go with the choices, and hides the others."""
    for row, (widget, shown) in _ROWS.items():
        visible = shown(parameters)
        getattr(ui, f"{row}Label").visible = visible
        getattr(ui, widget).visible = visible
