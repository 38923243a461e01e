"""Meshes as model nodes, and back. RAS millimetres on both sides."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import GeometryError
from ..mesh.mesh import Mesh
from .place import to_world

# Faces that meet at a larger angle are drawn with an edge: VTK's own default.
_SHARP_DEG = 30.0


def mesh_of(node: Any) -> Mesh:
    """A model node's surface in world coordinates. Raises GeometryError where it is empty or not a surface."""
    surface = node.GetPolyData()
    if surface is None or surface.GetNumberOfPolys() == 0:
        raise GeometryError(f"the model '{node.GetName()}' holds no surface; choose a closed surface model")
    return mesh_from(surface).transformed(to_world(node))


def mesh_from(surface: Any) -> Mesh:
    """The triangles of a vtkPolyData, with corners at one place made one."""
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    triangles = vtk.vtkTriangleFilter()
    triangles.SetInputData(surface)
    triangles.PassVertsOff()
    triangles.PassLinesOff()
    clean = vtk.vtkCleanPolyData()
    clean.SetInputConnection(triangles.GetOutputPort())
    clean.PointMergingOn()
    clean.SetTolerance(0.0)
    clean.Update()
    output = clean.GetOutput()
    faces = vtk_to_numpy(output.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    vertices = vtk_to_numpy(output.GetPoints().GetData())
    return Mesh(vertices.astype(float), faces.astype(np.int64))


def polydata(mesh: Mesh) -> Any:
    """A mesh as vtkPolyData that owns its memory; corners in double precision."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray

    points = vtk.vtkPoints()
    points.SetDataTypeToDouble()
    points.SetData(numpy_to_vtk(mesh.vertices, deep=True))
    cells = vtk.vtkCellArray()
    cells.SetData(
        numpy_to_vtkIdTypeArray(np.arange(0, 3 * len(mesh.faces) + 1, 3, dtype=np.int64), deep=True),
        numpy_to_vtkIdTypeArray(mesh.faces.ravel(), deep=True),
    )
    surface = vtk.vtkPolyData()
    surface.SetPoints(points)
    surface.SetPolys(cells)
    return surface


def shade(node: Any) -> None:
    """Gives a model node's surface normals, so that it is drawn smooth with its sharp edges; its shape stays."""
    import vtk

    normals = vtk.vtkPolyDataNormals()
    normals.SetInputData(node.GetPolyData())
    normals.SetFeatureAngle(_SHARP_DEG)
    normals.ConsistencyOff()  # a closed mesh of ours is consistent
    normals.Update()
    node.SetAndObservePolyData(normals.GetOutput())


def show_mesh(scene: Any, mesh: Mesh, name: str, color: tuple[float, float, float], node: Any = None) -> Any:
    """The model node that shows a mesh: the one given, with colour and visibility kept, or else a new one."""
    if node is None:
        node = scene.AddNewNodeByClass("vtkMRMLModelNode", name)
    node.SetAndObservePolyData(polydata(mesh))
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetColor(*color)
    return node
