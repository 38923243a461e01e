"""The workshop's one error: geometry that cannot keep its promise."""


class GeometryError(ValueError):
    """A mesh, field or lattice that cannot be made as asked; the message names the thing, the value and the remedy."""
