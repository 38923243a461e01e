"""The house's few errors. Each message names the thing, its value and the remedy."""

from LatticeGeneratorLib.errors import GeometryError


class CaseError(ValueError):
    """The patient's data cannot be used as given."""


class PlanError(ValueError):
    """A decision is missing, unknown or out of range."""


class ReleaseError(RuntimeError):
    """The release package could not be written whole."""


__all__ = ["CaseError", "GeometryError", "PlanError", "ReleaseError"]
