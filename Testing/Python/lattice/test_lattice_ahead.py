"""Work in other threads while one looks at what came before."""

from __future__ import annotations

import threading
import time

import pytest
from LatticeGeneratorLib.field.ahead import ahead


def test_results_come_in_order_whichever_is_ready_first() -> None:
    def work(item: int) -> tuple[int, str]:
        time.sleep(0.01 * ((7 * item) % 3))
        return item, threading.current_thread().name

    results = list(ahead(work, range(12)))
    assert [item for item, _ in results] == list(range(12))
    assert threading.current_thread().name not in {name for _, name in results}
    assert list(ahead(work, [])) == []


def test_an_error_comes_where_its_item_is_and_ends_the_rest() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 3:
            raise ValueError("item 3")
        return item

    seen: list[int] = []
    with pytest.raises(ValueError, match="item 3"):
        for result in ahead(work, range(1000)):
            seen.append(result)
    assert seen == [0, 1, 2] and len(begun) < 20


def test_who_stops_looking_ends_the_rest() -> None:
    begun: list[int] = []
    results = ahead(lambda item: begun.append(item) or item, range(1000))
    assert next(results) == 0
    results.close()
    count = len(begun)
    time.sleep(0.05)
    assert len(begun) == count < 20
