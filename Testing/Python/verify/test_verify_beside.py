"""The second process: each check is claimed once, what stops it is told, and nothing of it is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from LatticeGeneratorLib.progress import Cancelled, silent
from SpinalStrutDesignerLib.errors import GeometryError
from SpinalStrutDesignerLib.verify.beside import Task, start_beside
from SpinalStrutDesignerLib.verify.measured import Measured
from SpinalStrutDesignerLib.verify.registry import checks
from SpinalStrutDesignerLib.verify.take import taken
from verify_toy import column_mesh, design_of, toy_case, toy_plan, tube

CASE = toy_case(tube("spinal_cord", "keepout_critical", 0.0, -20.0, 5.0))
IMPLANT = design_of(CASE, toy_plan(), column_mesh()).implants[0]
CLEARANCE = next(step for step in checks() if step.name == "clearance")


@pytest.fixture
def started():
    """Starts the second process on checks by name; afterwards nothing of it may be left."""
    running = []

    def start(*names):
        running.append(start_beside([IMPLANT], [Task(0, name) for name in names]))
        return running[0]

    yield start
    running[0].stop()
    assert running[0].process.poll() is not None
    assert not Path(running[0].folder.name).exists()


def test_it_finds_what_this_process_finds(started):
    task = Task(0, "clearance")
    assert started("clearance").found(silent, 0.5) == {task: taken(CLEARANCE, Measured(IMPLANT))}


def test_a_check_is_claimed_once(started):
    beside = started()
    assert beside.claims(Task(0, "closed"))
    assert not beside.claims(Task(0, "closed"))
    assert beside.claims(Task(1, "closed"))


def test_what_it_raised_is_raised_here(started):
    with pytest.raises(KeyError, match="no such check"):
        started("no such check").found(silent, 0.5)


def test_a_crash_is_an_error_in_words(started):
    beside = started("clearance")
    beside.process.kill()
    with pytest.raises(GeometryError, match="verifying ended with status"):
        beside.found(silent, 0.5)


def test_waiting_for_it_can_be_cancelled(started):
    def stop(stage, fraction):
        raise Cancelled

    with pytest.raises(Cancelled):
        started("clearance").found(stop, 0.5)
