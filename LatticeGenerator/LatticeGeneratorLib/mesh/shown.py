"""Meshes as views draw them: large ones thinned out."""

from __future__ import annotations

from .boolean import simplified
from .mesh import Mesh

# A mesh beyond this many faces is thinned out for the views, within SHOWN_MM: it then turns smoothly on a notebook's
# graphics (engineering judgement), and a pixel of a view that shows 100 mm is wider than the deviation.
SHOWN_FACES = 300_000
SHOWN_MM = 0.02


def shown_mesh(mesh: Mesh) -> Mesh:
    """A mesh as it is drawn: thinned out within SHOWN_MM where it has more than SHOWN_FACES faces."""
    return simplified(mesh, SHOWN_MM) if len(mesh.faces) > SHOWN_FACES else mesh
