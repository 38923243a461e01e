"""How a command line shows where the work is: a bar, a line a stage, or JSON lines; and how long each stage took."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .progress import Progress

# Called with the stage, what is being done in it, and the fraction of the whole, 0 to 1.
Show = Callable[[str, str, float], None]
_BAR = 24
_LEAST_STEP = 0.002


class Stages:
    """The stages of one command, in order, each with its share of the whole; keeps the seconds of each."""

    def __init__(self, show: Show, shares: Mapping[str, float]) -> None:
        self.seconds: dict[str, float] = {}
        self._show = show
        self._shares = dict(shares)

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """A stage from its start to its end, with the Progress to hand down."""
        total = sum(self._shares.values())
        names = list(self._shares)
        before = sum(self._shares[n] for n in names[: names.index(name)]) / total
        share = self._shares[name] / total

        def progress(detail: str, fraction: float) -> None:
            self._show(name, detail, before + share * min(max(fraction, 0.0), 1.0))

        progress("", 0.0)
        start = time.perf_counter()
        yield progress
        self.seconds[name] = time.perf_counter() - start
        progress("", 1.0)


def shown_as(kind: str) -> Show:
    """How progress is shown: "json" lines on standard output, else a bar on a terminal, else a line a stage."""
    if kind == "json":
        return _json_lines()
    return _bar() if sys.stderr.isatty() else _stage_lines()


def print_json(record: dict[str, Any]) -> None:
    """One JSON line on standard output."""
    print(json.dumps(record, ensure_ascii=False), flush=True)


def end_bar(kind: str) -> None:
    """Clears a bar that stands on the terminal, so that what follows starts on a line of its own."""
    if kind != "json" and sys.stderr.isatty():
        print("\r" + " " * _columns() + "\r", end="", file=sys.stderr, flush=True)


def _json_lines() -> Show:
    last: tuple[str, float] = ("", -1.0)

    def show(stage: str, detail: str, fraction: float) -> None:
        nonlocal last
        if stage == last[0] and abs(fraction - last[1]) < _LEAST_STEP:
            return
        last = (stage, fraction)
        print_json({"stage": stage, "detail": detail, "fraction": round(fraction, 4)})

    return show


def _stage_lines() -> Show:
    last = ""

    def show(stage: str, detail: str, fraction: float) -> None:
        nonlocal last
        if stage != last:
            last = stage
            print(f"{100.0 * fraction:3.0f} %  {stage}", file=sys.stderr, flush=True)

    return show


def _bar() -> Show:
    def show(stage: str, detail: str, fraction: float) -> None:
        done = round(_BAR * fraction)
        text = f"[{'#' * done}{'.' * (_BAR - done)}] {100.0 * fraction:3.0f} %  {stage}"
        text += f": {detail}" if detail else ""
        width = _columns()
        print("\r" + text[:width].ljust(width), end="", file=sys.stderr, flush=True)

    return show


def _columns() -> int:
    return max(shutil.get_terminal_size((80, 24)).columns - 1, 20)
