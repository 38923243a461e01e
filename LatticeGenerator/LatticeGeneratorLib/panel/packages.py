"""Installs what Slicer does not hold, at first use, without touching what it was built with."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# Slicer's own code was compiled against these: an install must not move them.
_FROZEN = ("numpy", "scipy", "vtk", "SimpleITK", "pydicom")


def ensure_packages(requirements: str | Path, requester: str) -> None:
    """Ask to install the packages of a requirements file that are missing. Raises RuntimeError if that is declined."""
    import slicer.packaging

    wanted = slicer.packaging.load_requirements(str(requirements))
    with _constraints() as constraints:
        slicer.packaging.pip_ensure(wanted, constraints=constraints, requester=requester)


def install_packages(requirements: str | Path) -> None:
    """Install the packages of a requirements file that are missing, unasked: for self-tests, where nobody answers."""
    import slicer.packaging

    wanted = slicer.packaging.load_requirements(str(requirements))
    with _constraints() as constraints:
        slicer.packaging.pip_ensure(
            wanted, constraints=constraints, requester="self-test", skip_in_testing=False, prompt_install=False
        )


@contextmanager
def _constraints() -> Iterator[Path]:
    """A file of pip constraints that is there for a while."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text(constraint_lines(), encoding="utf-8")
        yield constraints


def constraint_lines() -> str:
    """One pinned line for each of Slicer's own packages that says its version."""
    lines = []
    for name in _FROZEN:
        try:
            lines.append(f"{name}=={version(name)}\n")
        except PackageNotFoundError:
            continue  # VTK inside Slicer carries no package record; pip then leaves it alone
    return "".join(lines)
