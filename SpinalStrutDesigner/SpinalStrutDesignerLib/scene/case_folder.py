"""Where a case's nodes stand in the subject hierarchy: in one folder, under the patient and study of its volume."""

from __future__ import annotations

from typing import Any

from LatticeGeneratorLib.scene.hierarchy import hierarchy_of

# The item attribute by which a folder is found again, whatever a person has called it since.
_OWNER = "SpinalStrutDesigner.Case"


def case_folder(owner: Any, volume: Any, name: str) -> int:
    """The folder item of a case: found again, or made beside the volume (in its study, patient or folder).

    owner: the case's parameter node. name: for a new folder; one that a person renamed keeps its name.
    """
    hierarchy = hierarchy_of(owner.GetScene())
    parent = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(volume)) if volume is not None else 0
    parent = parent or hierarchy.GetSceneItemID()
    folder = _owned(hierarchy, _key(owner))
    if not folder:
        folder = hierarchy.CreateFolderItem(parent, name)
        hierarchy.SetItemAttribute(folder, _OWNER, _key(owner))
    return int(folder)


def _owned(hierarchy: Any, key: str) -> int:
    import vtk

    items = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), items, True)
    found = (items.GetId(n) for n in range(items.GetNumberOfIds()))
    return next((item for item in found if hierarchy.GetItemAttribute(item, _OWNER) == key), 0)


def _key(owner: Any) -> str:
    """A name for the case that survives a scene's saving and merging, where node ids may change."""
    key = owner.GetAttribute(_OWNER)
    if not key:
        import uuid

        key = uuid.uuid4().hex
        owner.SetAttribute(_OWNER, key)
    return str(key)
