"""Threads: results in order, errors and cancelling told, and values made once however many ask for them."""

from __future__ import annotations

import threading
import time

import pytest
from LatticeGeneratorLib.progress import Cancelled
from SpinalStrutDesignerLib.threads import both, made_once, side_by_side


@pytest.fixture(params=[1, 2, 8])
def cores(request, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: request.param)
    return request.param


def test_results_come_in_the_order_of_the_tasks(cores):
    # The first tasks take longest.
    tasks = [lambda n=n: time.sleep(0.02 * (5 - n)) or n for n in range(5)]
    assert side_by_side(tasks) == [0, 1, 2, 3, 4]
    assert both(lambda: "one", lambda: 2) == ("one", 2)
    assert side_by_side([]) == []


def test_no_more_threads_work_than_there_are_cores(cores):
    working, most, guard, all_at_work = 0, 0, threading.Lock(), threading.Event()

    def task():
        nonlocal working, most
        with guard:
            working += 1
            most = max(most, working)
            if working == cores:
                all_at_work.set()
        all_at_work.wait(10.0)  # however slow a busy machine starts them
        time.sleep(0.03)
        with guard:
            working -= 1

    side_by_side([task] * 9)
    assert most == cores


def test_the_first_error_in_order_is_raised_and_nothing_more_begun(cores):
    begun = []

    def failing(n):
        begun.append(n)
        time.sleep(0.05)
        raise ValueError(f"task {n}")

    with pytest.raises(ValueError, match="task 0"):
        side_by_side([lambda n=n: failing(n) for n in range(30)])
    assert len(begun) <= cores


def test_waiting_may_break_off(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    go_on = threading.Event()

    def cancel():
        raise Cancelled

    with pytest.raises(Cancelled):
        both(lambda: None, lambda: go_on.wait(10.0), cancel)
    go_on.set()


class Costly:
    def __init__(self):
        self.times = 0

    @made_once
    def value(self):
        """The value."""
        self.times += 1
        time.sleep(0.05)
        return object()


def test_a_value_is_made_once_for_all_threads():
    one = Costly()
    found = []
    threads = [threading.Thread(target=lambda: found.append(one.value)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(map(id, found))) == 1 and one.times == 1


def test_other_objects_are_not_waited_for():
    """Each of two objects' values waits for the other's making to have begun: one lock for both would never end."""
    begun = threading.Barrier(2, timeout=10.0)

    class Meeting:
        @made_once
        def value(self):
            return begun.wait()

    one, two = Meeting(), Meeting()
    thread = threading.Thread(target=lambda: one.value)
    thread.start()
    assert two.value + (thread.join() or one.value) == 1


def test_a_value_whose_making_failed_is_made_again():
    class Late:
        tries = 0

        @made_once
        def value(self):
            self.tries += 1
            if self.tries == 1:
                raise ValueError("not yet")
            return self.tries

    late = Late()
    with pytest.raises(ValueError, match="not yet"):
        _ = late.value
    assert late.value == late.value == 2
