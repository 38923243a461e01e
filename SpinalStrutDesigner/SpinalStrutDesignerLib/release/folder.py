"""A folder that is written whole or not at all, with a manifest of what is in it."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ReleaseError

MANIFEST = "manifest.json"
PRODUCER = "SpinalStrutDesigner"
RELEASE, INSPECTION = "release", "inspection"
# What file managers leave behind; never anybody's work.
_LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}


@contextmanager
def whole_folder(directory: str | Path, kind: str = RELEASE) -> Iterator[Path]:
    """A new folder to write into; it becomes `directory` when the block ends well, and vanishes when it does not.

    An earlier folder of the same kind at that place is replaced, and stands untouched until then. Raises ReleaseError
    when the place holds anything else or cannot be written.
    """
    target = checked_target(directory, kind)
    scratch = _scratch(target)
    try:
        yield scratch
        _put_in_place(scratch, target)
    except OSError as error:
        raise ReleaseError(
            f"the {kind} could not be written to '{target}': {error.strerror or error}; check free space and "
            "permissions, or choose another folder"
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def copy_release(source: str | Path, directory: str | Path) -> Path:
    """A release written elsewhere, copied to `directory` whole or not at all; returns where it stands.

    Raises ReleaseError where a file of it is not what its manifest says, and as `whole_folder` does.
    """
    folder = Path(source)
    try:
        sealed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, KeyError) as error:
        raise ReleaseError(f"'{folder}' is no release: it has no readable {MANIFEST}; check the plan again") from error
    found = {name: digest for name, digest in file_hashes(folder).items() if name != MANIFEST}
    if found != sealed:
        changed = sorted(name for name in {*found, *sealed} if found.get(name) != sealed.get(name))
        raise ReleaseError(f"'{folder}' was changed after it was written ('{changed[0]}'); check the plan again")
    with whole_folder(directory) as scratch:
        shutil.copytree(folder, scratch, dirs_exist_ok=True)
    return Path(directory).absolute()


def checked_target(directory: str | Path, kind: str = RELEASE) -> Path:
    """The absolute path, if a folder of this kind may be written there: nothing yet, an empty one, or an earlier one.

    Raises ReleaseError otherwise, and where an earlier one holds files that were not written with it.
    """
    target = Path(directory).absolute()
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ReleaseError(f"'{target}' is not a folder; choose another place for the {kind}")
    if not target.exists():
        return target
    try:
        found = [p.relative_to(target).as_posix() for p in target.rglob("*") if not p.is_dir() or p.is_symlink()]
    except OSError as error:
        raise ReleaseError(f"'{target}' cannot be looked into: {error.strerror}; choose another folder") from error
    strange = sorted(name for name in found if Path(name).name not in _LITTER)
    if not strange:
        return target
    own = _own_files(target, kind)
    if own is None:
        raise ReleaseError(
            f"'{target}' holds files and is not an earlier {kind} ('{strange[0]}'); choose another folder or empty it"
        )
    strange = [name for name in strange if name not in own and name != MANIFEST]
    if strange:
        raise ReleaseError(
            f"'{target}' is an earlier {kind} with a file that was put there afterwards ('{strange[0]}'); move it out "
            "before it is replaced, or choose another folder"
        )
    return target


def write_json(path: Path, record: Any) -> None:
    """Writes a record as readable JSON. NaN and infinity, which JSON does not have, are refused."""
    path.write_text(json_text(record), encoding="utf-8", newline="\n")


def json_text(record: Any) -> str:
    """A record as `write_json` writes it."""
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_manifest(folder: Path, input_digest: str, reasons: Sequence[str], kind: str = RELEASE) -> None:
    """Writes manifest.json: the SHA-256 of every other file in folder, by its path."""
    write_json(
        folder / MANIFEST,
        {
            "producer": PRODUCER,
            "kind": kind,
            "schema": 1,
            "input_digest": input_digest,
            "not_for_manufacture": list(reasons),
            "sha256": file_hashes(folder),
        },
    )


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 in hexadecimal of every file in folder, by its path in it, sorted."""
    files = sorted((p.relative_to(folder).as_posix(), p) for p in folder.rglob("*") if p.is_file())
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files}


def _own_files(target: Path, kind: str) -> frozenset[str] | None:
    """The files of an earlier folder of this kind by its manifest; None where there is none of ours."""
    try:
        manifest = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        files = frozenset(manifest["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    ours = (manifest.get("producer"), manifest.get("kind")) == (PRODUCER, kind)
    return files if ours else None


def _scratch(target: Path) -> Path:
    """A new folder beside the target, on the same disk, so that it can be moved in one step."""
    scratch = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.partial"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch.mkdir()
    except OSError as error:
        raise ReleaseError(
            f"cannot write beside '{target}': {error.strerror or error}; choose a folder you may write to"
        ) from error
    return scratch


def _put_in_place(scratch: Path, target: Path) -> None:
    """Moves the finished folder in; what stood there is deleted only once the new one stands."""
    if not target.exists():
        scratch.rename(target)
        return
    old = scratch.with_suffix(".old")
    try:
        target.rename(old)
        scratch.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
