"""The made-up spine, drawn once in a process for all rooms' tests: what is measured on it is kept with it."""

from __future__ import annotations

from functools import cache

from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.case.phantom import make_phantom


@cache
def shared_phantom() -> Case:
    """The phantom; nobody may change its voxels."""
    return make_phantom()
