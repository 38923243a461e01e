"""The node selector: it lists the scene's nodes of some types and follows the scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtWidgets

from slicer_host import slots, strict
from slicer_host.scene_watch import watch
from slicer_host.widget_class import stored, widget_class


def _refresh(self: Any) -> None:
    self._refresh()


@widget_class
class qMRMLNodeComboBox(QtWidgets.QWidget):
    """Chooses a node. Without `noneEnabled` the first node that appears is chosen by itself, as in Slicer."""

    currentNodeChanged = QtCore.Signal((object,), (bool,))
    currentNodeIDChanged = QtCore.Signal(str)
    nodeActivated = QtCore.Signal(object)
    nodeAdded = QtCore.Signal(object)
    nodeAddedByUser = QtCore.Signal(object)
    cpp_signals = (
        "currentNodeChanged(vtkMRMLNode*)",
        "currentNodeChanged(bool)",
        "nodeActivated(vtkMRMLNode*)",
        "nodeAdded(vtkMRMLNode*)",
        "nodeAddedByUser(vtkMRMLNode*)",
    )
    cpp_slots = (
        "setMRMLScene(vtkMRMLScene*)",
        "setCurrentNode(vtkMRMLNode*)",
        "setCurrentNodeID(QString)",
    )

    def __init__(self, parent: Any = None) -> None:
        QtWidgets.QWidget.__init__(self, parent)
        self._host_scene: Any = None
        self._host_requested: str | None = None
        self._host_attributes: list[tuple[str, str, str | None]] = []
        self._host_observers: list[Callable] = []
        self._host_node_observers: list[Callable] = []
        self._host_combo = strict.lookup("QComboBox")(self)
        self._host_combo.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._host_combo)
        self._host_combo.connect("currentIndexChanged(int)", self._tell)
        self._host_combo.connect("activated(int)", self._activate)
        self.setEnabled(False)

    nodeTypes = stored("QStringList", "nodeTypes", [], _refresh)
    hideChildNodeTypes = stored("QStringList", "hideChildNodeTypes", [], _refresh)
    showHidden = stored(bool, "showHidden", False, _refresh)
    showChildNodeTypes = stored(bool, "showChildNodeTypes", True, _refresh)
    noneEnabled = stored(bool, "noneEnabled", False, _refresh)
    noneDisplay = stored(str, "noneDisplay", "None", _refresh)
    addEnabled = stored(bool, "addEnabled", True, _refresh)
    removeEnabled = stored(bool, "removeEnabled", True, _refresh)
    editEnabled = stored(bool, "editEnabled", False)
    renameEnabled = stored(bool, "renameEnabled", False)
    selectNodeUponCreation = stored(bool, "selectNodeUponCreation", True)
    interactionNodeSingletonTag = stored(str, "interactionNodeSingletonTag", "")
    baseName = stored(str, "baseName", "")

    def mrmlScene(self) -> Any:
        """The scene."""
        return self._host_scene

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene and observe it."""
        if scene is self._host_scene:
            return
        for remove in self._host_observers:
            remove()
        self._host_scene = scene
        kind = slicer.vtkMRMLScene
        events = (kind.NodeAddedEvent, kind.NodeRemovedEvent, kind.EndBatchProcessEvent, kind.EndCloseEvent)
        self._host_observers = [watch(scene, event, self, self._refresh) for event in events] if scene else []
        self._refresh()
        if self._host_requested is not None:
            self.setCurrentNodeID(self._host_requested)
        self._host_requested = None
        self.setEnabled(scene is not None)

    def addAttribute(self, node_type: str, name: str, value: Any = None) -> None:
        """List nodes of a type only if they have an attribute (of that value)."""
        self._host_attributes.append((node_type, name, None if value is None else str(value)))
        self._refresh()

    def currentNode(self) -> Any:
        """The chosen node, or None."""
        node_id = self._id_at(self._host_combo.currentIndex)
        return self._host_scene.GetNodeByID(node_id) if node_id and self._host_scene else None

    def setCurrentNode(self, node: Any) -> None:
        """Choose a node, or none; a node that is not listed is none."""
        self.setCurrentNodeID(node if isinstance(node, str) else node.GetID() if node else "")

    def setCurrentNodeID(self, node_id: str | None) -> None:
        """Choose a node by its ID."""
        if not self._host_scene:
            self._host_requested = node_id or ""
        index = self._host_combo.findData(node_id) if node_id else -1
        self._host_combo.setCurrentIndex(index if index >= 0 else 0 if self.noneEnabled else -1)

    def _current_id(self) -> str:
        return self._id_at(self._host_combo.currentIndex)

    currentNodeID = QtCore.Property(str, _current_id, setCurrentNodeID)

    def setCurrentNodeIndex(self, index: int) -> None:
        """Choose the n-th node."""
        self._host_combo.setCurrentIndex(index + self.noneEnabled if index < self.nodeCount() else -1)

    def nodeCount(self) -> int:
        """How many nodes are listed."""
        return sum(bool(self._id_at(index)) for index in range(self._host_combo.count))

    def nodeFromIndex(self, index: int) -> Any:
        """The n-th node, or None."""
        node_id = self._id_at(index + self.noneEnabled)
        return self._host_scene.GetNodeByID(node_id) if node_id else None

    def addNode(self, node_type: str | None = None) -> Any:
        """Make a node of the first type (or the one given) and choose it."""
        kind = node_type or self.nodeTypes[0]
        node = self._host_scene.CreateNodeByClass(kind)
        node.UnRegister(None)
        for attribute_type, name, value in self._host_attributes:
            if attribute_type == kind:
                node.SetAttribute(name, value or "")
        node.SetName(self._host_scene.GenerateUniqueName(self.baseName or node.GetNodeTagName()))
        self._host_scene.AddNode(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        """Remove the chosen node from the scene."""
        self._host_scene.RemoveNode(self.currentNode())

    def _id_at(self, index: int) -> str:
        data = self._host_combo.itemData(index) if index >= 0 else None
        return data if isinstance(data, str) else ""

    def _candidates(self) -> list[Any]:
        """The scene's nodes of the types, hidden or not."""
        nodes = self._host_scene.GetNodes() if self._host_scene else None
        every = [nodes.GetItemAsObject(i) for i in range(nodes.GetNumberOfItems())] if nodes else []
        # Read once: hundreds of nodes are looked at whenever one comes or goes.
        types, without, children = self.nodeTypes, self.hideChildNodeTypes, self.showChildNodeTypes

        def is_of_type(node: Any) -> bool:
            name = node.GetClassName()
            return name not in without and (name in types or (children and any(node.IsA(kind) for kind in types)))

        return [node for node in every if is_of_type(node)]

    def _shows(self, node: Any) -> bool:
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        wanted = [(key, value) for kind, key, value in self._host_attributes if node.IsA(kind)]
        return all(
            node.GetAttribute(key) is not None and value in (None, node.GetAttribute(key)) for key, value in wanted
        )

    def _refresh(self) -> None:
        """List the nodes anew; keep what was chosen if it is still there."""
        if self._host_scene and self._host_scene.IsBatchProcessing():
            return
        before, count_before = self._current_id(), self.nodeCount()
        candidates = self._candidates()
        nodes = [node for node in candidates if self._shows(node)]
        for remove in self._host_node_observers:
            remove()
        modified = vtk.vtkCommand.ModifiedEvent
        self._host_node_observers = [watch(node, modified, self, self._rename) for node in candidates]
        blocked = self._host_combo.blockSignals(True)
        self._host_combo.clear()
        if self._host_scene and self.nodeTypes:
            self._host_combo.placeholderText = f"Select a {self._label(self.nodeTypes[0])}"
        if self.noneEnabled:
            self._host_combo.addItem(self.noneDisplay, "")
        for node in nodes:
            self._host_combo.addItem(node.GetName() or "", node.GetID())
        self._add_actions(nodes)
        self._host_combo.setCurrentIndex(self._index_after(before, count_before, len(nodes)))
        self._host_combo.blockSignals(blocked)
        if self._current_id() != before:
            self._tell(self._host_combo.currentIndex)

    def _index_after(self, before: str, count_before: int, count: int) -> int:
        index = self._host_combo.findData(before) if before else -1
        if index >= 0:
            return index
        if self.noneEnabled:
            return 0
        if count and count_before == 0:
            return 0  # a combo box that was empty takes its first item
        return count - 1 if before else -1  # the chosen node has gone: Slicer takes the last one

    def _add_actions(self, nodes: list[Any]) -> None:
        kinds = self.nodeTypes if self.addEnabled and self._host_scene else []
        actions = [(f"Create new {self._label(kind)}", ("CREATE", kind)) for kind in kinds]
        if self.removeEnabled and nodes:
            actions.append((f"Delete current {self._label(self.nodeTypes[0])}", ("DELETE", "")))
        if actions:
            self._host_combo.insertSeparator(self._host_combo.count)
        for text, data in actions:
            self._host_combo.addItem(text, data)

    def _label(self, kind: str) -> str:
        return self._host_scene.GetTypeDisplayNameByClassName(kind) or "node"

    def _rename(self) -> None:
        shown = [node.GetID() for node in self._candidates() if self._shows(node)]
        if shown != [node_id for node_id in map(self._id_at, range(self._host_combo.count)) if node_id]:
            self._refresh()  # a node was hidden, shown, or got or lost an attribute
        for index in range(self._host_combo.count):
            node_id = self._id_at(index)
            node = self._host_scene.GetNodeByID(node_id) if node_id else None
            if node:
                self._host_combo.setItemText(index, node.GetName() or "")

    def _activate(self, index: int) -> None:
        data = self._host_combo.itemData(index)
        if isinstance(data, (tuple, list)):
            action, kind = data
            self.addNode(kind) if action == "CREATE" else self.removeCurrentNode()
        else:
            self.nodeActivated.emit(self.currentNode())

    def _tell(self, _index: int) -> None:
        node = self.currentNode()
        slots.emit(self, "currentNodeChanged(vtkMRMLNode*)", node)
        slots.emit(self, "currentNodeChanged(bool)", node is not None)
        self.currentNodeIDChanged.emit(node.GetID() if node else "")
