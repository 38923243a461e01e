"""Work of some seconds in the application's own process, done in steps between which the window answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator


class Steps:
    """Takes one step of a generator of (words, fraction done) after the other.

    on_step(words, fraction): before each step but the first; on_fault(sentence): a step raised an error of ours.
    """

    def __init__(self, on_step: Callable[[str, float], None], on_fault: Callable[[str], None]) -> None:
        self._on_step, self._on_fault = on_step, on_fault
        self._steps: Iterator[tuple[str, float]] | None = None

    @property
    def busy(self) -> bool:
        """Whether there are steps left."""
        return self._steps is not None

    def run(self, steps: Iterator[tuple[str, float]], on_end: Callable[[], None]) -> None:
        """Begins; what was under way before is given up."""
        self._steps = steps
        self._later(steps, on_end)

    def stop(self) -> None:
        """Gives up what is under way."""
        self._steps = None

    def _later(self, steps: Iterator[tuple[str, float]], on_end: Callable[[], None]) -> None:
        import qt

        qt.QTimer.singleShot(0, lambda: self._step(steps, on_end))

    def _step(self, steps: Iterator[tuple[str, float]], on_end: Callable[[], None]) -> None:
        if steps is not self._steps:
            return  # given up since
        try:
            words, fraction = next(steps)
        except StopIteration:
            self._steps = None
            on_end()
            return
        except (ValueError, RuntimeError) as error:  # the kinds of our own errors
            self._steps = None
            self._on_fault(str(error))
            return
        self._on_step(words, fraction)
        self._later(steps, on_end)
