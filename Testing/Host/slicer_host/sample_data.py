"""A stand-in for the SampleData module: records what modules register, and runs their own downloaders."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import slicer


class SampleDataSource:
    """A data set as registered. The lists of files, nodes, ... are as long as that of addresses."""

    def __init__(self, sampleName: str | None = None, sampleDescription: str | None = None, uris: Any = None,
                 fileNames: Any = None, nodeNames: Any = None, checksums: Any = None, loadFiles: Any = None,
                 customDownloader: Callable | None = None, thumbnailFileName: str | None = None,
                 loadFileTypes: Any = None, loadFileProperties: dict | None = None,
                 loadFileType: Any = None) -> None:  # fmt: skip
        if loadFileType is not None and loadFileTypes is not None:
            raise ValueError("loadFileType and loadFileTypes cannot be specified at the same time")
        if uris is None:
            raise TypeError(f"{sampleName}: uris is None, and the application takes its length; give an address.")
        count = 1 if isinstance(uris, str) else len(uris)
        self.sampleName, self.sampleDescription = sampleName, sampleDescription or sampleName
        self.customDownloader, self.thumbnailFileName = customDownloader, thumbnailFileName
        self.loadFileProperties = loadFileProperties or {}
        self.uris = _as_list(uris, count)
        self.fileNames, self.nodeNames = _as_list(fileNames, count), _as_list(nodeNames, count)
        self.checksums, self.loadFiles = _as_list(checksums, count), _as_list(loadFiles, count)
        self.loadFileTypes = _as_list(loadFileTypes or loadFileType, count)
        lengths = {name: len(value) for name, value in vars(self).items() if isinstance(value, list)}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"All fields of sample data source must have the same length, not {lengths}")


def _as_list(value: Any, count: int) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value] * count


class SampleDataLogic:
    """The module's logic."""

    @staticmethod
    def registerCustomSampleDataCategory(category: str, title: str) -> None:
        """The title under which a category is shown."""
        _registry("sampleDataSourceCategories").setdefault(category, {})["title"] = title

    @staticmethod
    def registerCustomSampleDataSource(category: str = "Custom", sampleName: str | None = None, uris: Any = None,
                                       fileNames: Any = None, nodeNames: Any = None,
                                       customDownloader: Callable | None = None, thumbnailFileName: str | None = None,
                                       loadFileTypes: Any = None, loadFiles: Any = None,
                                       loadFileProperties: dict | None = None, checksums: Any = None,
                                       loadFileType: Any = None) -> None:  # fmt: skip
        """Record a data set; the same one again changes nothing."""
        source = SampleDataSource(
            sampleName=sampleName, uris=uris, fileNames=fileNames, nodeNames=nodeNames, checksums=checksums,
            loadFiles=loadFiles, customDownloader=customDownloader, thumbnailFileName=thumbnailFileName,
            loadFileTypes=loadFileTypes, loadFileProperties=loadFileProperties, loadFileType=loadFileType,
        )  # fmt: skip
        known = _registry("sampleDataSources").setdefault(category, [])
        if all(vars(source) != vars(other) for other in known):
            known.append(source)

    @staticmethod
    def categoryTitle(category: str) -> str:
        """The title of a category."""
        return _registry("sampleDataSourceCategories").get(category, {}).get("title", category)

    @staticmethod
    def sampleDataSourcesByCategory(category: str | None = None) -> Any:
        """The data sets of one category, or of all, by category."""
        sources = _registry("sampleDataSources")
        return sources if category is None else sources.get(category, [])

    def sourceForSampleName(self, sampleName: str) -> SampleDataSource | None:
        """The data set of that name, or None."""
        every = (source for sources in self.sampleDataSourcesByCategory().values() for source in sources)
        return next((source for source in every if source.sampleName == sampleName), None)

    def downloadFromSource(self, source: SampleDataSource, maximumAttemptsCount: int = 3,
                           forceDownload: bool = False) -> Any:  # fmt: skip
        """Run the data set's own downloader. Raises NotImplementedError where it has none."""
        if source.customDownloader is None:
            raise NotImplementedError(f"{source.sampleName}: the test host downloads nothing from {source.uris}.")
        return source.customDownloader(source)

    def downloadSamples(self, sampleName: str) -> Any:
        """Download a data set by its name. Raises KeyError for an unknown name."""
        source = self.sourceForSampleName(sampleName)
        if source is None:
            names = [s.sampleName for sources in self.sampleDataSourcesByCategory().values() for s in sources]
            raise KeyError(f"No sample data is registered as {sampleName!r}; there are {names}.")
        return self.downloadFromSource(source)

    def downloadSample(self, sampleName: str) -> Any:
        """The first node of a data set."""
        loaded = self.downloadSamples(sampleName)
        return loaded[0] if isinstance(loaded, (list, tuple)) else loaded


def downloadSample(sampleName: str) -> Any:
    """The first node of a data set."""
    return SampleDataLogic().downloadSample(sampleName)


def download(sample_name: str) -> Any:
    """Run the downloader of a data set; returns what it returns."""
    return SampleDataLogic().downloadSamples(sample_name)


def _registry(name: str) -> dict[str, Any]:
    if name not in vars(slicer.modules):
        setattr(slicer.modules, name, {})
    return getattr(slicer.modules, name)


def install_sample_data() -> None:
    """Make `import SampleData` work, and slicer.modules.sampledata exist."""
    module = types.ModuleType("SampleData", __doc__)
    module.__dict__.update(
        SampleDataLogic=SampleDataLogic, SampleDataSource=SampleDataSource, downloadSample=downloadSample
    )
    sys.modules["SampleData"] = module
    from .modules import CoreModule

    slicer.modules.sampledata = CoreModule("SampleData", None)
