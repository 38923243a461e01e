"""The Lattice Generator module: a closed surface filled with a printable lattice of chosen porosity and pore size."""

import sys
from pathlib import Path
from typing import Annotated

import slicer
import vtk
from slicer import (
    vtkMRMLLinearTransformNode,
    vtkMRMLMarkupsLineNode,
    vtkMRMLMarkupsPlaneNode,
    vtkMRMLMarkupsROINode,
    vtkMRMLModelNode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLSegmentationNode,
)
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


class LatticeGenerator(ScriptedLoadableModule):
    """What Slicer shows of the module."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Lattice Generator")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Planning")]
        self.parent.dependencies = []
        self.parent.contributors = ["The SpinalStrutDesigner contributors"]
        self.parent.helpText = _(
            "Fills any implant with a printable lattice. Choose a closed surface model or a segment, the unit cell, "
            "porosity and pore size (or cell size and strut thickness), and where: in all of it, in a shell under its "
            "surface, in a layer next to another surface, or within a region of interest. Advanced choices let it "
            "change along a line, with depth or with a volume's values, end in a solid skin or frame, or lie turned. "
            "Apply makes the lattice and measures it: what was measured stands beside what was ordered. The result, "
            "a model in world coordinates, is the porous part alone, or joined to the rest of the body, which stays "
            "solid. "
            "Research software, not a certified medical device."
        )
        self.parent.acknowledgementText = _(
            "The first choice, pores of 500–600 µm at 70 % porosity, is that of K. Willemsen et al., Lancet Digital "
            "Health 2019;1:e163–71. The gyroid is A. H. Schoen's (NASA TN D-5541, 1970). Pores and struts are measured "
            "as local thickness (T. Hildebrand and P. Rüegsegger, J Microsc 1997;185:67–75). Booleans are by the "
            "manifold library."
        )


@parameterNodeWrapper
class LatticeGeneratorParameterNode:
    """The choices of the panel, and what came of them.

    source: whether a model is filled (domain) or a segment (segmentation, segmentID). cell: the unit cell, a name of
    LatticeGeneratorLib.cells. wish: which two numbers count: porosity (per cent of void) and poreSize (mean local
    thickness of the void, µm), or cellSize and thickness (mean local thickness of struts or walls), mm. printer: a
    name of the catalogue of printers, whose limits count; empty: its first. compensate: whether that is ordered from
    which the printer is expected to make what was wished for. where: in all of it, in a shell of shellDepth mm, in a
    layer so deep next to patch, or within roi. joined: whether the result is the body with that part porous, not the
    part alone. grading: along what the lattice changes to the numbers that begin with end: from the first to the last
    point of gradingLine, between two depths under the border, mm, or between two values of gradingVolume; the size of
    its cells, and so two of these numbers, only where endCells. lying: how
    the cells lie: along the patient's axes, turned by lyingTransform, along the body's own axes, or in layers along
    lyingFace. finish: how the lattice ends: cut, in a solid skin that leaves one side open, in a solid frame with
    windows on a side, or growing denser towards a solid beyond a side; the side by a direction of the patient, the
    normal of sidePlane or as near sideModel; mm: solidThickness of skin and frame, windowSize, bridge between windows,
    and transitionDepth, over which it grows denser, towards what is solid where denser. thinning: how far its surface
    may depart from the one made to have fewer faces, µm. lattice: the model that shows
    the lattice. keepWhole: whether the whole mesh of one that is shown thinned out is kept beside it. measured,
    madeOrder, madeFrom: what was measured on it, as JSON, what was ordered, and a digest of the body it fills.
    """

    source: Annotated[str, Choice(["model", "segment"]), Default("model")]
    domain: vtkMRMLModelNode
    segmentation: vtkMRMLSegmentationNode
    segmentID: str = ""
    cell: str = "gyroid_skeletal"
    wish: Annotated[str, Choice(["pores", "cell"]), Default("pores")]
    porosity: Annotated[float, WithinRange(30.0, 95.0)] = 70.0
    poreSize: Annotated[float, WithinRange(100.0, 3000.0)] = 550.0
    cellSize: Annotated[float, WithinRange(0.4, 10.0)] = 1.0
    thickness: Annotated[float, WithinRange(0.05, 4.0)] = 0.3
    printer: str = ""
    compensate: bool = False
    where: Annotated[str, Choice(["whole", "shell", "beside", "roi"]), Default("whole")]
    shellDepth: Annotated[float, WithinRange(0.2, 30.0)] = 2.0
    patch: vtkMRMLModelNode
    roi: vtkMRMLMarkupsROINode
    joined: bool = False
    grading: Annotated[str, Choice(["none", "axis", "depth", "volume"]), Default("none")]
    gradingLine: vtkMRMLMarkupsLineNode
    fromDepth: Annotated[float, WithinRange(0.0, 50.0)] = 0.0
    toDepth: Annotated[float, WithinRange(0.0, 50.0)] = 3.0
    gradingVolume: vtkMRMLScalarVolumeNode
    fromValue: Annotated[float, WithinRange(-1e6, 1e6)] = 200.0
    toValue: Annotated[float, WithinRange(-1e6, 1e6)] = 800.0
    endCells: bool = False
    endPorosity: Annotated[float, WithinRange(30.0, 95.0)] = 60.0
    endPoreSize: Annotated[float, WithinRange(100.0, 3000.0)] = 550.0
    endCellSize: Annotated[float, WithinRange(0.4, 10.0)] = 1.0
    endThickness: Annotated[float, WithinRange(0.05, 4.0)] = 0.4
    lying: Annotated[str, Choice(["scene", "transform", "body", "face"]), Default("scene")]
    lyingTransform: vtkMRMLLinearTransformNode
    lyingFace: vtkMRMLModelNode
    finish: Annotated[str, Choice(["none", "skin", "frame", "transition"]), Default("none")]
    side: Annotated[
        str,
        Choice(["superior", "inferior", "anterior", "posterior", "right", "left", "plane", "model"]),
        Default("superior"),
    ]
    sidePlane: vtkMRMLMarkupsPlaneNode
    sideModel: vtkMRMLModelNode
    solidThickness: Annotated[float, WithinRange(0.2, 5.0)] = 0.6
    windowSize: Annotated[float, WithinRange(2.0, 10.0)] = 2.5
    bridge: Annotated[float, WithinRange(0.4, 5.0)] = 1.0
    denser: bool = False
    transitionDepth: Annotated[float, WithinRange(0.2, 10.0)] = 1.0
    thinning: Annotated[float, WithinRange(0.0, 20.0)] = 0.0
    lattice: vtkMRMLModelNode
    keepWhole: bool = True
    measured: str = ""
    madeOrder: str = ""
    madeFrom: str = ""


class LatticeGeneratorWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Hands the panel over to the package, and tells it what happens to the scene."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = self.panel = None
        self._parameterNode = self._parameterNodeGuiTag = None

    def setup(self):
        """Build the panel."""
        ScriptedLoadableModuleWidget.setup(self)
        from LatticeGeneratorLib.panel.panel import Panel

        uiWidget = slicer.util.loadUI(self.resourcePath("UI/LatticeGenerator.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = LatticeGeneratorLogic()
        self.panel = Panel(self.ui, self.ensurePackages)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.StartImportEvent, self.onSceneStartImport)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndImport)
        self.initializeParameterNode()

    def cleanup(self):
        """The application closes: a job under way ends."""
        self.setParameterNode(None)
        if self.panel:  # there is none where setup() failed
            self.panel.work.end()
            self.panel.forget()
        self.removeObservers()

    def enter(self):
        """The module is opened."""
        self.initializeParameterNode()

    def exit(self):
        """Another module is opened: a job under way goes on."""
        self.setParameterNode(None)

    def onReload(self):
        """Forget the package too, so that its classes are those of the new code."""
        for name in [n for n in sys.modules if n.split(".")[0] == "LatticeGeneratorLib"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def ensurePackages(self):
        """Ask for what Slicer does not hold, at the point of use."""
        from LatticeGeneratorLib.panel.packages import ensure_packages

        ensure_packages(self.resourcePath("requirements.txt"), _("Lattice Generator"))

    def onSceneStartClose(self, caller, event):
        """The work belongs to the scene that goes."""
        self.setParameterNode(None)
        self.panel.forget()

    def onSceneEndClose(self, caller, event):
        """A new scene has come."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneStartImport(self, caller, event):
        """A scene is loaded: selectors that do not know its nodes yet must not write into its choices."""
        self.setParameterNode(None)

    def onSceneEndImport(self, caller, event):
        """A scene was loaded: its choices may have come with it."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Show the scene's choices."""
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameterNode):
        """Bind the panel to a parameter node, or to none."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateFromParameterNode)
            self.panel.close()
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.panel.open(self._parameterNode)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateFromParameterNode)

    def updateFromParameterNode(self, caller=None, event=None):
        """A choice was made."""
        self.panel.refresh()


class LatticeGeneratorLogic(ScriptedLoadableModuleLogic):
    """The module's work without the panel, for scripts: everything is done when a call returns."""

    def getParameterNode(self):
        """The scene's choices."""
        return LatticeGeneratorParameterNode(super().getParameterNode())

    def fillDomain(self, parameters):
        """Make the chosen lattice and show it; returns what was measured. Raises ValueError with the remedy."""
        from LatticeGeneratorLib.scene.fill import fill_as_chosen

        return fill_as_chosen(parameters)


class LatticeGeneratorTest(ScriptedLoadableModuleTest):
    """Runs in the application and in a headless host alike."""

    def setUp(self):
        """Start from an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """Every test of the module."""
        from LatticeGeneratorLib.panel.packages import install_packages

        install_packages(Path(slicer.util.modulePath("LatticeGenerator")).parent / "Resources" / "requirements.txt")
        for test in (self.test_nothingChosenIsSaid, self.test_blockIsFilled, self.test_blockIsFilledWithinABox):
            self.setUp()
            test()

    def test_nothingChosenIsSaid(self):
        """The logic refuses to fill nothing."""
        logic = LatticeGeneratorLogic()
        with self.assertRaisesRegex(ValueError, "model"):
            logic.fillDomain(logic.getParameterNode())

    def test_blockIsFilled(self):
        """The metal's share of a block is what the porosity leaves, by VTK's own volume."""
        parameters = self.filled(edge=5.0)
        self.assertAlmostEqual(self.volume(parameters.lattice) / 5.0**3, 1.0 - 0.70, delta=0.01)

    def test_blockIsFilledWithinABox(self):
        """Only the part of the block inside the box is filled, and has the porosity there."""
        roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
        roi.SetCenter(0.0, 0.0, 2.0)
        roi.SetSize(4.0, 4.0, 4.0)  # of which the block's upper 3 mm are inside
        parameters = self.filled(edge=6.0, where="roi", roi=roi)
        self.assertAlmostEqual(self.volume(parameters.lattice) / (4.0 * 4.0 * 3.0), 1.0 - 0.70, delta=0.01)

    def filled(self, edge, **choices):
        """Choices by which a cube, with its middle in the origin, was filled."""
        cube = vtk.vtkCubeSource()
        cube.SetXLength(edge)
        cube.SetYLength(edge)
        cube.SetZLength(edge)
        cube.Update()
        logic = LatticeGeneratorLogic()
        parameters = logic.getParameterNode()
        parameters.domain = slicer.modules.models.logic().AddModel(cube.GetOutput())
        parameters.poreSize = 1000.0
        for field, value in choices.items():
            setattr(parameters, field, value)
        logic.fillDomain(parameters)
        return parameters

    def volume(self, model):
        """Of a closed model, mm³."""
        properties = vtk.vtkMassProperties()
        properties.SetInputData(model.GetPolyData())
        return properties.GetVolume()
