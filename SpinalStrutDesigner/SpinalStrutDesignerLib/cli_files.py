"""The files that a command writes: all of them whole, or none."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import ReleaseError


def check_places(*files: str | None) -> None:
    """Refuses, before any long work, files that cannot be written where they are wanted."""
    for file in (Path(file) for file in files if file is not None):
        if file.is_dir():
            raise ReleaseError(f"'{file}' is a folder; give the name of a file to write")
        folder = file.absolute().parent
        if not folder.is_dir():
            raise ReleaseError(f"'{file}' cannot be written: there is no folder '{folder}'; make it first")


def write_file(file: str, text: str, what: str) -> None:
    """Writes a text whole or not at all; an earlier file stays until then. Raises ReleaseError where it cannot be."""
    write_files((file, text, what))


def write_files(*wanted: tuple[str, str, str]) -> None:
    """Writes several (file, text, what it is): all of them, or none. Raises ReleaseError where one cannot be."""
    ready: list[tuple[Path, Path, str, str]] = []
    try:
        for file, text, what in wanted:
            with _told(file, what):
                target = Path(file).resolve()
                new = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
                # A pipe or a terminal is written to; it cannot be replaced.
                apart = target.is_file() or not target.exists()
                if apart:
                    ready.append((new, target, file, what))
                (new if apart else target).write_text(text, encoding="utf-8", newline="\n")
        for new, target, file, what in ready:
            with _told(file, what):
                os.replace(new, target)
    finally:
        for new, *_ in ready:
            new.unlink(missing_ok=True)


@contextmanager
def _told(file: str, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ReleaseError(f"the {what} cannot be written to '{file}': {error.strerror}") from error
