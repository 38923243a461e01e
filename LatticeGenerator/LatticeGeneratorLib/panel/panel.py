"""The panel as a whole: choices in, a lattice and its measured values out, made in a child process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from ..errors import GeometryError
from ..files import read_made
from ..infill.order import Order
from ..scene.bodies import fit_box
from ..scene.fill import remember
from ..scene.lattice_job import lattice_job
from ..scene.watch import Watch
from ..scene.wishes import Body, body_name, body_of, fingerprint_of, order_of, source_node, watched_nodes
from .beams import Beams
from .choices import Choices
from .result import Result
from .wished import Wished, said
from .words import stage_words
from .work import Work


class Panel:
    """Everything below the module's widget. ui: its widgets by name; ensure_packages(): asks for what is missing."""

    def __init__(self, ui: Any, ensure_packages: Callable[[], None]) -> None:
        self.ui = ui
        self._ensure_packages = ensure_packages
        self._parameters: Any = None
        self._fingerprint: tuple[Any, str] | None = None
        self.work = Work(ui, self.refresh, stage_words())
        self._choices, self._wished, self._result = Choices(ui), Wished(ui), Result(ui)
        self._beams = Beams(ui, self.told)
        self._watch = Watch(self._on_edit)
        # A section that is unfolded shows all that is in it, whatever was hidden meanwhile.
        for section in (
            ui.inputCollapsibleButton,
            ui.latticeCollapsibleButton,
            ui.whereCollapsibleButton,
            ui.advancedCollapsibleButton,
            ui.resultCollapsibleButton,
        ):
            section.connect("contentsCollapsed(bool)", self.on_folded)
        ui.fitButton.connect("clicked(bool)", self.on_fit)
        ui.fillButton.connect("clicked(bool)", self.on_fill)
        ui.cancelButton.connect("clicked(bool)", self.on_cancel)
        self.tell("")
        self.refresh()

    # The choices

    def open(self, parameters: Any) -> None:
        """Shows a parameter node whose fields are bound to the widgets already."""
        self._parameters = parameters
        self._choices.open(parameters)
        self.refresh()

    def close(self) -> None:
        """Shows nothing more; a job under way goes on until the scene closes."""
        self._watch.release()
        self._choices.close()
        self._parameters, self._fingerprint = None, None
        self.refresh()

    def forget(self) -> None:
        """The scene closes: a job under way ends."""
        self.work.cancel()
        self.close()
        self._beams.offer(None)
        self._wished.forget()
        self.work.progress("", 0.0)
        self.tell("")

    def refresh(self) -> None:
        """Shows the choices, what they mean and what came of them."""
        ui, parameters = self.ui, self._parameters
        ui.cancelButton.enabled = ui.cancelButton.visible = self.work.busy
        missing = self._missing()
        ui.fillButton.enabled = not missing and not self.work.busy
        ui.fillButton.toolTip = missing or _("Makes the lattice and measures it. A large one takes minutes.")
        if parameters is None:
            self._result.clear()
            return
        self._watch.watch(watched_nodes(parameters))
        self._choices.show()
        self._wished.show(parameters)
        self._result.show(parameters, self._is_fresh(parameters))

    def on_folded(self, folded: bool) -> None:
        """Shows of a section that is unfolded what goes with the choices."""
        if not folded:
            self._beams.show()
            self.refresh()

    def on_fit(self, checked: bool) -> None:
        """Lays the region of interest round the body."""
        with self.told():
            if self._parameters is None or self._parameters.roi is None:
                raise GeometryError(_("choose the region of interest to lay round the body, or make one"))
            fit_box(self._parameters.roi, body_of(self._parameters).mesh)

    # The work

    def on_fill(self, checked: bool) -> None:
        """Makes the lattice in a child process."""
        parameters = self._parameters
        with self.told():
            order, body = order_of(parameters), body_of(parameters)
            self._ensure_packages()
            self._beams.offer(None)  # the folder they lie in is about to go
            job = lattice_job(body.mesh, order, self.work.workspace())

            def done(output: Path) -> None:
                with self.told():
                    self._take_in(parameters, output, order, body)
                    self._beams.offer(output)

            self.work.start(job, _("Making the lattice"), done, self._fault)

    def on_cancel(self, checked: bool) -> None:
        """Ends the job under way."""
        self.work.cancel()

    @contextmanager
    def told(self) -> Iterator[None]:
        """An error of ours is told in the panel's message line."""
        try:
            yield
        # Packages that a person would not install, and files that cannot be written, are the latter two.
        except (GeometryError, RuntimeError, OSError) as error:
            self.tell(str(error))
        else:
            self.tell("")

    def tell(self, words: str) -> None:
        """Shows a message, or takes it away."""
        self.ui.messageLabel.text = words
        self.ui.messageLabel.visible = bool(words)

    def _take_in(self, parameters: Any, output: Path, order: Order, body: Body) -> None:
        made = read_made(output)
        remember(parameters, made, order, body)
        logging.info(f"Lattice of {made.measured.cell_mm:.2f} mm cells, porosity {100 * made.measured.porosity:.1f} %")
        self.refresh()

    def _fault(self, words: str) -> None:
        self.tell(words)
        logging.error(words)

    def _missing(self) -> str:
        """What stands in the way of a lattice, as a sentence; empty where nothing does."""
        if self._parameters is None:
            return _("Open a scene.")
        try:
            body_name(self._parameters)
            order_of(self._parameters)
        except GeometryError as error:
            words = str(error)
            return f"{words[0].upper()}{words[1:]}."
        return ""

    def _on_edit(self) -> None:
        self._fingerprint = None
        self.refresh()

    def _is_fresh(self, parameters: Any) -> bool:
        """Whether what was made is of the body and the wishes as they now are."""
        if not parameters.measured:
            return False
        key = (source_node(parameters), parameters.segmentID)
        if self._fingerprint is None or self._fingerprint[0] != key:
            self._fingerprint = (key, fingerprint_of(parameters))
        order = said(lambda: order_of(parameters).to_json())
        return (order, self._fingerprint[1]) == (parameters.madeOrder, parameters.madeFrom)
