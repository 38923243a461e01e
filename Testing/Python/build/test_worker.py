"""Work beside this process: its errors come back, its death is a message, and nothing stays behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from LatticeGeneratorLib.progress import Cancelled
from SpinalStrutDesignerLib.build.design import Situation
from SpinalStrutDesignerLib.build.worker import start_worker
from SpinalStrutDesignerLib.case.model import Case, Endplate, ScanQuality, Volume
from SpinalStrutDesignerLib.errors import GeometryError, PlanError
from SpinalStrutDesignerLib.plan.plan import Plan


@pytest.fixture
def without_axis() -> Situation:
    """A situation whose plan has no axis yet, so that making its implant is refused."""
    case = Case("toy", Volume(np.zeros((2, 2, 2)), np.eye(4)), (), ScanQuality((1, 1, 1), 1.0, 0.0))
    axes, edge = np.eye(3), np.array([[9.0, 0, 0], [0, 7, 0], [-9, 0, 0], [0, -7, 0]])
    plate = Endplate("C4", "inferior", np.zeros(3), axes[2], axes[1], axes[0], 18.0, 14.0, edge, edge)
    return Situation("plus2mm", 2.0, case, Plan("C4", "T2"), plate, plate)


def test_an_error_of_the_work_is_raised_here(without_axis):
    worker = start_worker([without_axis])
    with pytest.raises(PlanError, match=r"axis\.control_points"):
        worker.results()
    assert not Path(worker.folder.name).exists()


def test_a_killed_process_is_a_message_that_names_the_variant(without_axis):
    worker = start_worker([without_axis])
    worker.process.kill()
    with pytest.raises(GeometryError, match="plus2mm"):
        worker.results()
    assert not Path(worker.folder.name).exists()


def test_stopping_ends_the_process(without_axis):
    worker = start_worker([without_axis])
    worker.stop()
    assert worker.process.poll() is not None
    assert not Path(worker.folder.name).exists()


def test_waiting_can_be_broken_off(without_axis):
    worker = start_worker([without_axis])

    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        worker.results(stop)
    worker.stop()
    assert worker.process.poll() is not None
    assert not Path(worker.folder.name).exists()
