"""How much of a domain is void."""

from __future__ import annotations

from ..errors import GeometryError
from ..mesh.boolean import common_volume
from ..mesh.mesh import Mesh


def porosity(body: Mesh, domain: Mesh) -> float:
    """The share of the domain's volume that the body leaves empty, 0 to 1; exact for the meshes as given.

    Raises GeometryError if either mesh is not closed.
    """
    shared = common_volume(body, domain)
    volume = domain.volume
    if volume <= 0.0:
        raise GeometryError(f"porosity needs a domain with volume, not {volume:.3g} mm³")
    return 1.0 - shared / volume
