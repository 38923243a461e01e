"""What a person wishes for, as the panel tells it back: a picture, what follows, and what stands in the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from ..errors import GeometryError
from ..infill.spec import LatticeSpec
from ..scene.finishes import finish_of
from ..scene.gradings import end_of
from ..scene.wishes import graded_of, lying_of, printer_of, region_of, spec_of, wish_of
from .cell_block import block_for
from .cell_picture import CellPicture
from .follows import cautions, follows
from .standing import State
from .words import advanced_words, lattice_words, source_words


class Wished:
    """The labels beside and below the choices."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._picture = CellPicture(ui.pictureLabel)

    def show(self, parameters: Any) -> None:
        """Tells what the choices mean."""
        ui = self._ui
        ui.latticeLabel.text = said(lambda: _lattice_words(parameters))
        asides = {
            ui.whereLabel: said(lambda: _where_words(parameters)),
            ui.gradingWordsLabel: said(lambda: _grading_words(parameters)),
            ui.finishWordsLabel: said(lambda: _finish_words(parameters)),
            ui.lyingWordsLabel: said(lambda: _lying_words(parameters)),
        }
        for label, words in asides.items():
            label.text = words
            label.visible = bool(words)
        advanced = (ui.gradingWordsLabel.text, ui.finishWordsLabel.text, ui.lyingWordsLabel.text)
        failed = any(words.startswith(State.FAILED.value) for words in advanced)
        head = advanced_words(parameters.grading, parameters.finish, parameters.lying)
        ui.advancedCollapsibleButton.text = f"{State.FAILED.value}  {head}" if failed else head
        self._show_lattice(parameters)

    def forget(self) -> None:
        """Shows no lattice, and holds nothing that the application must not end with."""
        self._picture.forget()
        self._ui.followsLabel.text = ""

    def _show_lattice(self, parameters: Any) -> None:
        try:
            wish, printer = wish_of(parameters), printer_of(parameters)
            block = block_for(wish, _end_of(parameters, wish))
        except GeometryError:  # the label below says so
            self._picture.show(None)
            self._ui.followsLabel.text = ""
            return
        self._picture.show(block)
        ordered = _ordered(parameters, wish)
        self._ui.followsLabel.text = follows(wish, ordered, printer)
        self._ui.followsLabel.toolTip = source_words(cautions(ordered, printer)[1])


def said(words: Callable[[], str]) -> str:
    """The words, or why there are none."""
    try:
        return words()
    except GeometryError as error:
        return f"{State.FAILED.value} {error}"


def _end_of(parameters: Any, start: LatticeSpec) -> LatticeSpec | None:
    if parameters.grading == "none":
        return None
    try:
        end = end_of(parameters, start)
        end.cell_mm  # noqa: B018  it raises where there is no such lattice
    except GeometryError:  # the label of the grading says so
        return None
    return end


def _ordered(parameters: Any, wish: LatticeSpec) -> LatticeSpec:
    try:
        return spec_of(parameters)
    except GeometryError:  # the label below the picture says so
        return wish


def _lattice_words(parameters: Any) -> str:
    spec, printer = spec_of(parameters), printer_of(parameters)
    words, caution = lattice_words(spec, printer)[0], cautions(spec, printer)[0]
    return f"{words}\n{State.WARNING.value} {caution}" if caution else words


def _where_words(parameters: Any) -> str:
    region_of(parameters)
    if parameters.where == "whole":
        return ""
    if parameters.joined:
        return _("The result is the whole body, porous in this part and solid in the rest.")
    return _("The result is the porous part alone.")


def _grading_words(parameters: Any) -> str:
    graded = graded_of(parameters)
    if graded is None:
        return ""
    return _("It becomes {lattice}").format(lattice=lattice_words(graded.end, printer_of(parameters))[0])


def _finish_words(parameters: Any) -> str:
    finish_of(parameters)
    return {
        "none": "",
        "skin": _("The skin leaves the side open, for powder to leave by; edges there count to the skin."),
        "frame": _("Porosity is that of the lattice beside the frame; through the windows powder leaves."),
        "transition": _("Towards the side the lattice grows as dense as its cell can be, to be joined to a solid."),
    }[parameters.finish]


def _lying_words(parameters: Any) -> str:
    lying_of(parameters)
    return ""
