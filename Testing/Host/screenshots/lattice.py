"""The Lattice Generator, filling a model."""

from __future__ import annotations

from .stage import Stage


def show_lattice(stage: Stage) -> None:
    """A model filled with a gyroid."""
