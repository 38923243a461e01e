"""Reads and writes nodes and scenes as the application's IO manager does, through the same module logics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import slicer
import vtk
from PySide6 import QtCore

from .node_export import export_node
from .strict import strict_class

# File type -> the extensions that it claims before any other, longest first.
# Source: Slicer's readers' extensions(), Modules/Loadable/*/qSlicer*Reader.cxx.
_EXTENSIONS: dict[str, tuple[str, ...]] = {
    "SceneFile": (".mrml", ".mrb"),
    "SegmentationFile": (".seg.nrrd", ".seg.nhdr", ".seg.vtm"),
    "MarkupsFile": (".mrk.json", ".fcsv"),
    "TransformFile": (".h5", ".tfm", ".mat"),
    "ModelFile": (".vtk", ".vtp", ".stl", ".ply", ".obj"),
    "VolumeFile": (".nrrd", ".nhdr", ".nii.gz", ".nii", ".mha", ".mhd", ".dcm"),
    "TableFile": (".csv", ".tsv"),
    "TextFile": (".txt", ".json"),
}

# The bits of vtkSlicerVolumesLogic::AddArchetypeVolume's options. Source: vtkSlicerVolumesLogic.h, LoadingOptions.
_VOLUME_OPTIONS = {
    "labelmap": 0x1,
    "center": 0x2,
    "singleFile": 0x4,
    "autoWindowLevel": 0x8,
    "discardOrientation": 0x10,
}

Properties = dict[str, Any]


class IOManager(strict_class(QtCore.QObject)):
    """The application's qSlicerCoreIOManager."""

    newFileLoaded = QtCore.Signal(object)
    fileSaved = QtCore.Signal(object)

    def __init__(self, scene: Any, application_logic: Any, logics: dict[str, Any]) -> None:
        super().__init__()
        self._scene, self._application_logic, self._logics = scene, application_logic, logics
        self._readers: dict[str, Callable[[Properties, Any], list[Any] | None]] = {
            "SceneFile": self._read_scene,
            "VolumeFile": self._read_volume,
            "SegmentationFile": self._read_segmentation,
            "ModelFile": self._read_model,
            "MarkupsFile": self._read_markups,
            "TransformFile": self._read_transform,
            "TableFile": self._read_table,
            "TextFile": self._read_text,
        }

    # Reading

    def fileType(self, file: str) -> str:
        """The type of the reader that claims a file; empty when none does."""
        name = str(file).lower()
        found = [(len(e), kind) for kind, extensions in _EXTENSIONS.items() for e in extensions if name.endswith(e)]
        return max(found)[1] if found else ""

    def loadNodes(self, kind: str, properties: Properties, nodes: Any = None, messages: Any = None) -> bool:
        """Load a file (properties["fileName"]) into the scene; the new nodes are added to the collection `nodes`."""
        file = Path(properties["fileName"])
        reader = self._readers.get(kind)
        if reader is None or not file.exists():
            why = "no reader of this type" if reader is None else "there is no such file"
            return self._fail(messages, f"Loading {file} - {kind or 'unknown file type'}: {why}.")
        loaded = reader(properties, messages)
        if loaded is None:
            return self._fail(messages, f"Loading {file} - {kind} load failed.")
        for node in loaded:
            if nodes is not None and node.GetScene():
                nodes.AddItem(node)
        self.newFileLoaded.emit({**properties, "fileType": kind, "nodeIDs": [node.GetID() for node in loaded]})
        return True

    def loadScene(self, file: str, clear: bool = True, messages: Any = None) -> bool:
        """Load a scene or bundle."""
        return self.loadNodes("SceneFile", {"fileName": str(file), "clear": clear}, None, messages)

    def loadFile(self, file: str, messages: Any = None) -> bool:
        """Load a file of a type that its name tells."""
        return self.loadNodes(self.fileType(file), {"fileName": str(file)}, None, messages)

    def _read_scene(self, properties: Properties, messages: Any) -> list[Any] | None:
        file, clear = str(Path(properties["fileName"]).absolute()), bool(properties.get("clear", False))
        before = set(_nodes_of(self._scene))
        if file.endswith(".mrb"):
            read = self._scene.ReadFromMRB(file, clear, messages)
        else:
            self._scene.SetURL(file)
            read = self._scene.Connect(messages) if clear else self._scene.Import(messages)
        return [node for node in _nodes_of(self._scene) if node not in before] if read else None

    def _read_volume(self, properties: Properties, messages: Any) -> list[Any] | None:
        file = Path(properties["fileName"])
        options = sum(bit for option, bit in _VOLUME_OPTIONS.items() if properties.get(option))
        files = None
        if "fileNames" in properties:
            files = vtk.vtkStringArray()
            for one in properties["fileNames"]:
                files.InsertNextValue(str(one))
        name = properties.get("name", file.name.split(".")[0])
        volume = self._logics["volumes"].AddArchetypeVolume(str(file), name, options, files)
        if volume is None:
            return None
        if properties.get("colorNodeID") and volume.GetVolumeDisplayNode():
            volume.GetVolumeDisplayNode().SetAndObserveColorNodeID(properties["colorNodeID"])
        if properties.get("show", True):
            selection = self._application_logic.GetSelectionNode()
            if volume.IsA("vtkMRMLLabelMapVolumeNode"):
                selection.SetActiveLabelVolumeID(volume.GetID())
            else:
                selection.SetActiveVolumeID(volume.GetID())
            self._application_logic.PropagateVolumeSelection()
        return [volume]

    def _read_segmentation(self, properties: Properties, messages: Any) -> list[Any] | None:
        colors = self._scene.GetNodeByID(properties["colorNodeID"]) if properties.get("colorNodeID") else None
        node = self._logics["segmentations"].LoadSegmentationFromFile(
            str(properties["fileName"]), properties.get("autoOpacities", True), properties.get("name", ""), colors,
            messages,
        )  # fmt: skip
        return None if node is None else [node]

    def _read_model(self, properties: Properties, messages: Any) -> list[Any] | None:
        system = properties.get("coordinateSystem", slicer.vtkMRMLStorageNode.CoordinateSystemLPS)
        node = self._logics["models"].AddModel(str(properties["fileName"]), system, messages)
        return self._named(node, properties)

    def _read_markups(self, properties: Properties, messages: Any) -> list[Any] | None:
        name = properties.get("name", Path(properties["fileName"]).name.split(".")[0])
        node_id = self._logics["markups"].LoadMarkups(str(properties["fileName"]), name, messages)
        node = self._scene.GetNodeByID(node_id) if node_id else None
        return None if node is None else [node]

    def _read_transform(self, properties: Properties, messages: Any) -> list[Any] | None:
        transform = self._logics["transforms"].AddTransform(str(properties["fileName"]), self._scene)
        return self._named(transform, properties)

    def _read_table(self, properties: Properties, messages: Any) -> list[Any] | None:
        file = Path(properties["fileName"])
        name = properties.get("name", file.stem)
        return self._named(self._logics["tables"].AddTable(str(file), name, True, "", messages), properties)

    def _read_text(self, properties: Properties, messages: Any) -> list[Any] | None:
        file = Path(properties["fileName"])
        node = self._scene.AddNewNodeByClass("vtkMRMLTextNode", properties.get("name", file.stem))
        node.SetText(file.read_text(encoding="utf-8"))
        return [node]

    def _named(self, node: Any, properties: Properties) -> list[Any] | None:
        if node is None:
            return None
        if properties.get("name"):
            node.SetName(self._scene.GetUniqueNameByString(properties["name"]))
        return [node]

    # Writing

    def fileWriterFileType(self, node: Any, extension: str = "") -> str:
        """The type under which a node is written."""
        kinds = {"vtkMRMLSegmentationNode": "SegmentationFile", "vtkMRMLVolumeNode": "VolumeFile",
                 "vtkMRMLModelNode": "ModelFile", "vtkMRMLMarkupsNode": "MarkupsFile",
                 "vtkMRMLTransformNode": "TransformFile", "vtkMRMLTableNode": "TableFile",
                 "vtkMRMLTextNode": "TextFile"}  # fmt: skip
        return next((kind for name, kind in kinds.items() if node.IsA(name)), "NoFile")

    def fileWriterExtensions(self, node: Any) -> list[str]:
        """The formats in which a node can be written, as "Name (.ext)"."""
        storage = node.CreateDefaultStorageNode()
        if storage is None:
            return []  # nodes such as short texts are stored within the scene file
        types = storage.GetSupportedWriteFileTypes()
        return [types.GetValue(index) for index in range(types.GetNumberOfValues())]

    def extractKnownExtension(self, file: str, node: Any) -> str:
        """The longest extension of a file name with which the node can be written; else what follows the last dot."""
        name = str(file).lower()
        helper = slicer.vtkDataFileFormatHelper
        known = [helper.GetFileExtensionFromFormatString(form) for form in self.fileWriterExtensions(node)]
        return max((e for e in known if name.endswith(e)), key=len, default=Path(name).suffix)

    def saveNodes(self, kind: str, properties: Properties, messages: Any = None, scene: Any = None) -> bool:
        """Write a node (properties["nodeID"]) or the scene to properties["fileName"]."""
        file = str(properties["fileName"])
        Path(file).absolute().parent.mkdir(parents=True, exist_ok=True)
        if kind == "SceneFile":
            saved = self._write_scene(Path(file).absolute(), messages)
        else:
            saved = self._write_node((scene or self._scene).GetNodeByID(properties["nodeID"]), properties, messages)
        if saved:
            self.fileSaved.emit(properties)
        return saved or self._fail(messages, f"Saving {file} as {kind} failed.")

    def saveScene(self, file: str, picture: Any = None, messages: Any = None) -> bool:
        """Write the scene."""
        return self.saveNodes("SceneFile", {"fileName": str(file)}, messages)

    def addDefaultStorageNodes(self) -> None:
        """Give each data node that can be stored its storage node."""
        for node in _nodes_of(self._scene):
            if node.IsA("vtkMRMLStorableNode") and not node.GetHideFromEditors():
                node.AddDefaultStorageNode()

    def exportNodes(self, node_ids: Sequence[str], files: Sequence[str], properties: Properties, world: bool,
                    messages: Any = None) -> bool:  # fmt: skip
        """Write copies of nodes; their own storage stays as it is. world: parent transforms are applied first."""
        done = True
        for node_id, file in zip(node_ids, files, strict=True):
            node = self._scene.GetNodeByID(node_id)
            with export_node(self._scene, node, world) as (scene, copy):
                wanted = {**properties, "nodeID": copy.GetID(), "fileName": str(file)}
                done &= self.saveNodes(self.fileWriterFileType(node), wanted, messages, scene)
        return done

    def _write_node(self, node: Any, properties: Properties, messages: Any) -> bool:
        if node is None or not node.AddDefaultStorageNode():
            return False
        storage = node.GetStorageNode()
        storage.SetFileName(str(properties["fileName"]))
        if properties.get("fileFormat"):
            storage.SetWriteFileFormat(properties["fileFormat"])
        storage.SetURI(None)
        if "useCompression" in properties:
            storage.SetUseCompression(int(properties["useCompression"]))
        written = bool(storage.WriteData(node))
        if messages is not None:
            messages.AddMessages(storage.GetUserMessages())
        return written

    def _write_scene(self, file: Path, messages: Any) -> bool:
        if file.suffix not in (".mrml", ".mrb"):
            return self._write_folder(file)
        self._scene.SetURL(str(file))
        self._scene.SetRootDirectory(str(file.parent))
        if file.suffix == ".mrml":
            return bool(self._scene.Commit())
        written = bool(self._scene.WriteToMRB(str(file), None, messages))
        # What was written is in the bundle only: a later save to files must write it again.
        self._scene.SetStorableNodesModifiedSinceRead()
        return written

    def _write_folder(self, folder: Path) -> bool:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            return False  # the application asks for an empty folder
        return bool(self._application_logic.SaveSceneToSlicerDataBundleDirectory(str(folder), None))

    def _fail(self, messages: Any, words: str) -> bool:
        if messages is not None:
            messages.AddMessage(vtk.vtkCommand.ErrorEvent, words)
        return False


def _nodes_of(scene: Any) -> list[Any]:
    return [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
