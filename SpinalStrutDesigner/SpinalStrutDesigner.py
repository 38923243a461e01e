"""The Spinal Strut Designer module: from a CT and its segmentation in the scene to a strut and its release folder."""

import sys
from pathlib import Path
from typing import Annotated

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Choice, Default, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class SpinalStrutDesigner(ScriptedLoadableModule):
    """What Slicer shows of the module."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Spinal Strut Designer")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Planning")]
        self.parent.dependencies = ["LatticeGenerator"]
        self.parent.contributors = ["The SpinalStrutDesigner contributors"]
        self.parent.helpText = _(
            "Designs a patient-specific titanium strut that bridges destroyed vertebrae, from a CT and its "
            "segmentation to files for printing: choose both, propose a plan, drag axis and screws, check, release. "
            "Try it on 'StrutPhantom' in Sample Data; a real CT to segment is 'CTChest' there. "
            "Research software, not a certified medical device."
        )
        self.parent.acknowledgementText = _(
            "It follows two published cases: K. Willemsen et al., Lancet Digital Health 2019;1:e163–71."
        )
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData():
    """Offer the phantom in the Sample Data module."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=_("Spinal strut"),
        sampleName="StrutPhantom",
        uris="",
        fileNames="",
        nodeNames="Strut phantom",
        thumbnailFileName=str(Path(__file__).parent / "Resources" / "Icons" / "StrutPhantom.png"),
        customDownloader=downloadPhantom,
    )


def downloadPhantom(source):
    """Draw the phantom: nothing is downloaded, and no patient is in it."""
    from SpinalStrutDesignerLib.scene.sample import load_phantom

    volume, segmentation = load_phantom(slicer.mrmlScene)
    segmentation.CreateClosedSurfaceRepresentation()
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    slicer.util.resetThreeDViews()
    return [volume, segmentation]


@parameterNodeWrapper
class SpinalStrutDesignerParameterNode:
    """One case. What was decided is the plan; the rest are its nodes, views of it and what became of it.

    volume: the CT. segmentation: vertebrae and keep-outs. findings: of the last check. plan: the plan as JSON, locked:
    whether it is closed. upperWanted, lowerWanted: levels before there is a plan. plannedOn: digest of its case.
    checked: digest of what findings are true of. released, releasedOf: the last release's folder and its digest.
    outputFolder: for releases. seeds: to segment the CT from. acceptedSegmentation: digest of the case from them that
    a person accepted. secondImage (MRI or another CT), secondSegmentation, secondTransform, secondBySpan: see
    scene/second_image. earlier: the case of an earlier CT, changes: since. spans: other docking levels compared.
    …Visible: what the views show. following, followedView, followPosition: the slice view across the axis (at per
    cent) or along a screw. keepWholeMeshes, saveScene: what is kept and saved.
    """

    volume: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    findings: slicer.vtkMRMLTableNode
    seeds: slicer.vtkMRMLMarkupsFiducialNode
    secondImage: slicer.vtkMRMLScalarVolumeNode
    secondSegmentation: slicer.vtkMRMLSegmentationNode
    secondTransform: slicer.vtkMRMLTransformNode
    earlier: slicer.vtkMRMLScriptedModuleNode
    changes: slicer.vtkMRMLTableNode
    spans: slicer.vtkMRMLTableNode
    secondBySpan: bool = False
    plan: str = ""
    locked: bool = False
    upperWanted: str = ""
    lowerWanted: str = ""
    plannedOn: str = ""
    acceptedSegmentation: str = ""
    checked: str = ""
    released: str = ""
    releasedOf: str = ""
    outputFolder: str = ""
    handlesVisible: bool = True
    previewVisible: bool = True
    endplatesVisible: bool = True
    levelsVisible: bool = False
    roomVisible: bool = False
    following: Annotated[str, Choice(["none", "axis", "screw"]), Default("none")]
    followedView: Annotated[str, Choice(["Red", "Green", "Yellow"]), Default("Red")]
    followPosition: Annotated[float, WithinRange(0.0, 100.0)] = 50.0
    keepWholeMeshes: bool = False
    saveScene: bool = False


class SpinalStrutDesignerWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Hands the panel over to the package, and tells it what happens to the scene."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = self.panel = None
        self._parameterNode = self._parameterNodeGuiTag = None

    def setup(self):
        """Build the panel."""
        ScriptedLoadableModuleWidget.setup(self)
        from SpinalStrutDesignerLib.panel.panel import Panel

        uiWidget = slicer.util.loadUI(self.resourcePath("UI/SpinalStrutDesigner.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        self.ui.parameterNodeSelector.addAttribute("vtkMRMLScriptedModuleNode", "ModuleName", self.moduleName)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = SpinalStrutDesignerLogic()
        self.panel = Panel(self.ui, self.ensurePackages)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndImport)
        self.ui.parameterNodeSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onCaseChosen)
        self.initializeParameterNode()

    def cleanup(self):
        """The application closes: a job under way ends."""
        self.setParameterNode(None)
        if self.panel:
            self.panel.work.end()
            self.panel.menu.remove_shortcuts()
        self.removeObservers()

    def enter(self):
        """The module is opened."""
        self.panel.menu.add_shortcuts()
        self.initializeParameterNode()

    def exit(self):
        """Another module is opened: a job under way goes on."""
        self.panel.menu.remove_shortcuts()
        self.setParameterNode(None)

    def onReload(self):
        """Forget the packages too, so that their classes are those of the new code."""
        for name in [n for n in sys.modules if n.split(".")[0] in ("SpinalStrutDesignerLib", "LatticeGeneratorLib")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def ensurePackages(self):
        """Ask for what Slicer does not hold, at the point of use."""
        from LatticeGeneratorLib.panel.packages import ensure_packages

        ensure_packages(self.resourcePath("requirements.txt"), _("Spinal Strut Designer"))

    def onSceneStartClose(self, caller, event):
        """The work belongs to the scene that goes."""
        self.setParameterNode(None)
        self.panel.forget()

    def onSceneEndClose(self, caller, event):
        """A new scene has come."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller, event):
        """A scene was loaded: show its case, not the empty one that stood there before."""
        if self.parent.isEntered:
            self.setParameterNode(None)
            self.logic.removeEmptyCases()
            self.initializeParameterNode()

    def onCaseChosen(self, node):
        """A person chose another case of the scene, or added one."""
        if self.parent.isEntered and node is not None:
            self.setParameterNode(self.logic.wrapped(node))

    def initializeParameterNode(self):
        """Show the case at work; the first volume and segmentation if none was chosen."""
        node = self.ui.parameterNodeSelector.currentNode()
        parameterNode = self.logic.wrapped(node) if node else self.logic.getParameterNode()
        for field, className in (("volume", "vtkMRMLScalarVolumeNode"), ("segmentation", "vtkMRMLSegmentationNode")):
            if not getattr(parameterNode, field):
                first = slicer.mrmlScene.GetFirstNodeByClass(className)
                if first:
                    setattr(parameterNode, field, first)
        self.setParameterNode(parameterNode)
        wasBlocked = self.ui.parameterNodeSelector.blockSignals(True)
        self.ui.parameterNodeSelector.setCurrentNode(parameterNode.parameterNode)
        self.ui.parameterNodeSelector.blockSignals(wasBlocked)

    def setParameterNode(self, parameterNode):
        """Bind the panel to a case, or to none."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateFromParameterNode)
            self.panel.close()
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.panel.open(self._parameterNode)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateFromParameterNode)

    def updateFromParameterNode(self, caller, event):
        """The case changed."""
        self.panel.refresh()


class SpinalStrutDesignerLogic(ScriptedLoadableModuleLogic):
    """The module's work without the panel, for scripts: everything is done when a call returns."""

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        self.isSingletonParameterNode = False  # a scene may hold several cases

    def getParameterNode(self):
        """The scene's first case; a new one if there is none."""
        return self.wrapped(super().getParameterNode())

    def createParameterNode(self):
        """A new case, by a name for people."""
        node = super().createParameterNode()
        node.SetName(slicer.mrmlScene.GenerateUniqueName(_("Strut case")))
        return node

    def wrapped(self, node):
        """The case that a parameter node holds."""
        return SpinalStrutDesignerParameterNode(node)

    def removeEmptyCases(self):
        """Take out cases in which nothing was chosen, as long as another one is there."""
        cases = [self.wrapped(node) for node in self.getAllParameterNodes()]
        used = [case for case in cases if case.volume or case.segmentation or case.plan]
        for case in [case for case in cases if used and case not in used]:
            slicer.mrmlScene.RemoveNode(case.parameterNode)

    def propose(self, parameters, upper, lower, preset="case2"):
        """Propose the plan of a case. Raises ValueError with the remedy."""
        from SpinalStrutDesignerLib.scene.script import propose_for

        propose_for(parameters, upper, lower, preset)

    def release(self, parameters, folder):
        """Build, verify and release a case's plan; returns the findings. Raises ValueError with the remedy."""
        from SpinalStrutDesignerLib.scene.script import release_of

        return release_of(parameters, folder)


class SpinalStrutDesignerTest(ScriptedLoadableModuleTest):
    """Runs in the application and in a headless host alike."""

    def setUp(self):
        """Start from an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """Every test of the module."""
        for test in (self.test_missingChoicesAreNamed, self.test_phantomIsProposedFor):
            self.setUp()
            test()

    def test_missingChoicesAreNamed(self):
        """The logic says what is still to be chosen."""
        logic = SpinalStrutDesignerLogic()
        parameters = logic.getParameterNode()
        with self.assertRaisesRegex(ValueError, "CT volume"):
            logic.propose(parameters, "C4", "T2")
        parameters.volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
        with self.assertRaisesRegex(ValueError, "segmentation"):
            logic.propose(parameters, "C4", "T2")

    def test_phantomIsProposedFor(self):
        """A plan for the phantom has an axis and screws at both ends."""
        from SpinalStrutDesignerLib.plan.json import plan_from_json

        logic = SpinalStrutDesignerLogic()
        parameters = logic.getParameterNode()
        parameters.volume, parameters.segmentation = downloadPhantom(None)
        logic.propose(parameters, "C4", "T2")
        plan = plan_from_json(parameters.plan)
        self.assertGreaterEqual(len(plan.axis.control_points), 3)
        self.assertEqual({screw.level for screw in plan.screws}, {"C4", "T2"})
