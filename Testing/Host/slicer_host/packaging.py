"""The module `slicer.packaging`: what is asked for is recorded; nothing is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

# Each call of pip_ensure, in order: the requirements and all options.
requests: list[dict[str, Any]] = []

# What a person answers when packages are missing: "installed" (all is well afterwards) or "declined".
answer = "installed"


def load_requirements(path: str | Path) -> list[Requirement]:
    """The requirements of a file; comments, empty lines and pip's options are left out."""
    lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def pip_check(req: str | Requirement | list[str | Requirement]) -> bool:
    """Whether all requirements are met."""
    return all(_is_met(requirement) for requirement in _requirements(req))


def pip_ensure(
    requirements: str | Requirement | list[str | Requirement],
    constraints: str | Path | None = None,
    skip_packages: list[str] | None = None,
    prompt_install: bool = True,
    prompt_restart: bool = True,
    requester: str | None = None,
    skip_in_testing: bool = True,
    show_progress: bool = True,
) -> list[str] | None:
    """Ask for packages. Raises RuntimeError where some are missing and `answer` is "declined".

    The text of the constraints file is recorded, since the file is often a temporary one.
    """
    wanted = _requirements(requirements)
    requests.append(
        {
            "requirements": [str(requirement) for requirement in wanted],
            "missing": [str(requirement) for requirement in wanted if not _is_met(requirement)],
            "constraints": None if constraints is None else Path(constraints).read_text(encoding="utf-8"),
            "skip_packages": skip_packages,
            "prompt_install": prompt_install,
            "prompt_restart": prompt_restart,
            "requester": requester,
            "skip_in_testing": skip_in_testing,
            "show_progress": show_progress,
        }
    )
    if requests[-1]["missing"] and prompt_install and answer == "declined":
        raise RuntimeError("User declined package installation")
    return [] if skip_packages else None


def _requirements(req: str | Requirement | list[str | Requirement]) -> list[Requirement]:
    if isinstance(req, str):
        try:
            return [Requirement(req)]
        except InvalidRequirement:
            return [Requirement(part) for part in req.split()]
    if isinstance(req, Requirement):
        return [req]
    if isinstance(req, list):
        return [Requirement(part) if isinstance(part, str) else part for part in req]
    raise TypeError(f"Expected str, Requirement, or list, got {type(req).__name__}")


def _is_met(requirement: Requirement) -> bool:
    if requirement.marker and not requirement.marker.evaluate():
        return True
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False
