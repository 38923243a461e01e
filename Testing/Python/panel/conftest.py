"""A module's panel in the test host, on the phantom."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import shared_phantom
import slicer
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.panel import desk
from SpinalStrutDesignerLib.plan.json import plan_to_json
from SpinalStrutDesignerLib.plan.plan import Plan
from SpinalStrutDesignerLib.scene.sample import show_case

sys.path.insert(0, str(Path(__file__).parent))
JOB_TIMEOUT_S = 400.0


@dataclass
class Bench:
    """The panel as a test uses it: its widgets, its desk, and the few things a person does again and again."""

    host: Any
    widget: Any

    @property
    def ui(self) -> Any:
        return self.widget.ui

    @property
    def panel(self) -> Any:
        return self.widget.panel

    @property
    def desk(self) -> Any:
        return self.panel.desk

    @property
    def plan(self) -> Plan:
        return self.desk.needed_plan()

    @property
    def parameters(self) -> Any:
        return self.desk.parameters

    @property
    def message(self) -> str:
        return self.ui.messageLabel.text

    def heads(self) -> dict[str, str]:
        """The signs in the headers of the steps."""
        return {step.button.removesuffix("Button"): getattr(self.ui, step.button).text[0] for step in self.panel.steps}

    def step(self, name: str) -> Any:
        """The step of a header's name, without its "Button"."""
        return next(step for step in self.panel.steps if step.button == f"{name}Button")

    def load(self, case: Case, patient: str = "Phantom") -> None:
        """A case as nodes, chosen in the panel."""
        self.parameters.volume, self.parameters.segmentation = show_case(slicer.mrmlScene, case, patient)
        self.host.process_events()

    def choose(self, box: Any, data: str) -> None:
        """Chooses an entry of a combo box as a person does."""
        index = box.findData(data)
        assert index >= 0, data
        box.currentIndex = index
        box.activated.emit(index)
        self.host.process_events()

    def wait_for_job(self) -> None:
        """Until the child process has ended and its result is taken in."""
        self.host.wait_for(lambda: not self.panel.work.busy, JOB_TIMEOUT_S, "the end of the job")
        self.host.process_events()

    def wait_for_preview(self) -> None:
        """Until the live preview answers at once."""
        self.host.wait_for(lambda: self.panel.live.ready, JOB_TIMEOUT_S, "the preview")


# Files whose tests look at nodes and widgets only, never at pixels; where they use the mouse, it aims at places in mm.
_SMALL = {
    *(f"test_panel_{name}.py" for name in ("decisions", "fields", "flow", "jobs", "later", "posture", "retractions")),
    *(f"test_panel_{name}.py" for name in ("scene", "second", "spans", "way_in", "guides")),
}


@pytest.fixture(scope="module")
def window_px(request: pytest.FixtureRequest) -> tuple[int, int]:
    """Views are drawn by the processor, again and again: small ones take a third less."""
    from slicer_host.window import WINDOW_SIZE_PX

    return (1000, 640) if request.path.name in _SMALL else WINDOW_SIZE_PX


@pytest.fixture(scope="session")
def first_read() -> list[Case]:
    """The first case that a desk read in this process: the phantom, nearly always."""
    return []


@pytest.fixture
def bench(host: Any, first_read: list[Case], monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The Spinal Strut Designer's panel over an empty scene.

    Every test has a scene and a desk of its own. A desk that has read nothing yet begins with what was read first, as
    if its nodes had held that before: it compares all voxels, and measures what is not the same.
    """
    read = desk.ct_case_of

    def read_after_the_first(parameters: Any, corrections: Any, before: Case | None) -> Case:
        case = read(parameters, corrections, before or next(iter(first_read), None))
        first_read[:] = first_read or [case]
        return case

    monkeypatch.setattr(desk, "ct_case_of", read_after_the_first)
    made = Bench(host, host.open_module("SpinalStrutDesigner"))
    yield made
    made.panel.work.cancel()


@pytest.fixture(scope="session")
def phantom_plan() -> Plan:
    """A plan for the phantom, C4 to T2."""
    return shared_phantom.phantom_plan()


@pytest.fixture
def planned(bench: Bench, phantom: Case, phantom_plan: Plan) -> Bench:
    """The panel with the phantom and its plan, without preview and endplates."""
    bench.parameters.previewVisible = bench.parameters.endplatesVisible = False
    bench.load(phantom)
    bench.parameters.plan = plan_to_json(phantom_plan)
    bench.host.process_events()
    assert bench.plan == phantom_plan
    return bench
