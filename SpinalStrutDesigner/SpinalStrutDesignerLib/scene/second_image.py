"""A second image in the scene, MRI or another CT: how it lies to the CT, and what is drawn on it as part of the case.

`parameters` is the module's wrapped parameter node, of whose fields these are read: parameterNode, secondImage,
secondSegmentation, secondTransform. Image and segmentation are read in their own coordinates, and the registration says
how these lie to the CT. It is kept on a transform node of the case, under which both are shown where they belong.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
from LatticeGeneratorLib.scene.hierarchy import put_in_folder
from LatticeGeneratorLib.scene.place import matrix_of

from ..case.model import Case, Volume
from ..case.read import case_digest
from ..case.register import Registration
from ..case.registration_json import registration_from_json, registration_to_json
from ..case.second import with_structures_of
from ..case.transform import rigid
from ..errors import CaseError
from ..plan.plan import Corrections
from .belongings import Belongings
from .case_nodes import placed, structures_of, unplaced_volume

ROLE = "secondToCT"
# Attributes of the transform node: the registration as text, and a digest of what it was made of.
_REGISTRATION = "SpinalStrutDesigner.Registration"
_MADE_OF = "SpinalStrutDesigner.RegistrationOf"
# Matrices that went through a file or a node's text differ by less, mm.
_SAME = 1e-4


def second_wanted(parameters: Any) -> bool:
    """Whether a person has chosen a second image, or what is drawn on one."""
    return parameters.secondImage is not None or parameters.secondSegmentation is not None


def second_nodes(parameters: Any) -> tuple[Any, ...]:
    """All nodes on which depends what a second image gives; None for those that are not there."""
    placed_by = Belongings(parameters.parameterNode).get(ROLE)
    return parameters.secondImage, parameters.secondSegmentation, parameters.secondTransform, placed_by


def second_volume(parameters: Any) -> Volume:
    """The second image in its own coordinates. Raises CaseError with the remedy where it cannot be used."""
    if parameters.secondImage is None:
        raise CaseError("choose the second image, on which the second segmentation was drawn")
    if parameters.secondImage is parameters.volume:
        raise CaseError("the second image is the CT itself: choose the MRI or the other CT")
    _check_place(parameters)
    return unplaced_volume(parameters.secondImage)


def given_matrix(parameters: Any) -> np.ndarray | None:
    """4x4 from the second image's own coordinates to the world, by the chosen transform; None where none is chosen.

    Raises CaseError where it is not rigid.
    """
    node = parameters.secondTransform
    if node is None:
        return None
    if not node.IsTransformToWorldLinear():
        raise CaseError(f"the transform '{node.GetName()}' bends space: choose a rigid one, or none to register here")
    return rigid(_to_world(node), f"'{node.GetName()}'")


def registered_of(ct: Volume, second: Volume, given: np.ndarray | None) -> str:
    """A digest of what a registration is true of: both images, and the transform that was given."""
    digest = hashlib.sha256(f"{case_digest(ct, ())}|{case_digest(second, ())}".encode())
    if given is not None:
        digest.update((np.round(given, 5) + 0.0).tobytes())
    return digest.hexdigest()


def show_registration(parameters: Any, registration: Registration, made_of: str, folder: int) -> Any:
    """Keeps a registration on the case's transform node, and puts the second image and its segmentation under it."""
    import vtk

    owner = parameters.parameterNode
    belongings = Belongings(owner)
    node = belongings.get(ROLE)
    if node is None:
        node = owner.GetScene().AddNewNodeByClass("vtkMRMLLinearTransformNode", "Second image to CT")
        belongings.put(ROLE, node)
    node.SetAttribute(_REGISTRATION, registration_to_json(registration))
    node.SetAttribute(_MADE_OF, made_of)
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(registration.matrix.ravel())
    node.SetAndObserveTransformNodeID(None)
    node.SetMatrixTransformToParent(matrix)
    put_in_folder(node, folder)
    for moved in (parameters.secondImage, parameters.secondSegmentation):
        if moved is not None:
            moved.SetAndObserveTransformNodeID(node.GetID())
    return node


def registration_of(parameters: Any, ct: Volume) -> Registration:
    """The registration of the second image as it stands.

    Raises CaseError where there is none yet, and where what it was made of, or where it has the image, has changed.
    """
    second = second_volume(parameters)
    node = Belongings(parameters.parameterNode).get(ROLE)
    text = node.GetAttribute(_REGISTRATION) if node is not None else None
    if not text:
        raise CaseError("the second image is not registered to the CT yet: press 'Register'")
    registration = registration_from_json(text)
    if node.GetAttribute(_MADE_OF) != registered_of(ct, second, given_matrix(parameters)):
        raise CaseError("the CT, the second image or its transform has changed since it was registered: register again")
    if np.abs(_to_world(node) - registration.matrix).max() > _SAME:
        raise CaseError(
            f"'{node.GetName()}' was moved since the second image was registered: register again, with it chosen as "
            "the transform where the image lies better now"
        )
    return registration


def with_second_image(
    case: Case, parameters: Any, registration: Registration, corrections: Corrections | None = None
) -> Case:
    """The CT's case with the soft structures that are drawn on the second image.

    registration: how that lies; corrections: as of `case_from_nodes`. Raises CaseError with the remedy for what is
    missing or given twice.
    """
    second = second_volume(parameters)
    drawn = parameters.secondSegmentation
    if drawn is None:
        raise CaseError("choose the segmentation that is drawn on the second image, such as of cord and dura")
    try:
        structures, unknown = structures_of(drawn, second, parameters.secondImage, np.eye(4), corrections)
    except CaseError as error:
        raise CaseError(f"on the second image, which stands for the CT here: {error}") from error
    return with_structures_of(replace(case, unknown=(*case.unknown, *unknown)), structures, registration)


def _check_place(parameters: Any) -> None:
    """Raises CaseError where the image lies under a transform of which nothing else here knows, or its segmentation
    under another one, so that they would be taken for lying on each other where the views show that they do not."""
    image, drawn = parameters.secondImage, parameters.secondSegmentation
    if drawn is not None and drawn is parameters.segmentation:
        raise CaseError("the second segmentation is the CT's own: choose the one drawn on the second image")
    parent = image.GetParentTransformNode()
    if parent not in (None, parameters.secondTransform, Belongings(parameters.parameterNode).get(ROLE)):
        raise CaseError(
            f"'{image.GetName()}' lies under the transform '{parent.GetName()}': choose that as the transform, or take "
            f"'{image.GetName()}' out of it"
        )
    if drawn is not None and not np.allclose(placed(image), placed(drawn), atol=_SAME):
        raise CaseError(
            f"'{image.GetName()}' and '{drawn.GetName()}', which is drawn on it, lie under different transforms: put "
            "both under the same one, so that the views show them upon each other"
        )


def _to_world(node: Any) -> np.ndarray:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetMatrixTransformToWorld(matrix)
    return matrix_of(matrix)
