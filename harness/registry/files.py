"""Files: a registry's content from a fleet file or a model catalogue, whole or not at all.

The extension says which of the two it is. Access is checked here; what is inside is checked by ``fleet`` and
``catalogue``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from harness.registry.catalogue import draft_catalogue
from harness.registry.draft import ExecutorFactory
from harness.registry.errors import FileAccessError
from harness.registry.fleet import load_fleet
from harness.registry.snapshot import Snapshot

__all__ = ["MAX_FILE_BYTES", "load_snapshot", "read_text"]

MAX_FILE_BYTES: Final = 16 * 1024 * 1024


def load_snapshot(path: Path, executors: ExecutorFactory | None = None, *, max_bytes: int = MAX_FILE_BYTES) -> Snapshot:
    """The content of a fleet file (``.yaml``, ``.yml``) or a model catalogue (``.csv``).

    Args:
        path: The file, UTF-8.
        executors: Makes the executor of a provider when it is first asked for.
        max_bytes: Largest file to read; a larger one is refused before it is opened.

    Raises:
        RegistryFileError: The file does not describe a registry.
    """
    extension = path.suffix.lower()
    if extension in (".yaml", ".yml"):
        return load_fleet(path, read_text(path, max_bytes), executors)
    if extension == ".csv":
        return draft_catalogue(path, read_text(path, max_bytes), executors).freeze()
    read_text(path, max_bytes)  # a missing file is the greater fault
    problem = f"wants a fleet in YAML or a catalogue in CSV, has the extension {path.suffix!r}"
    raise FileAccessError(path, None, "", problem, "rename it to .yaml or .csv if that is what it holds")


def read_text(path: Path, max_bytes: int = MAX_FILE_BYTES) -> str:
    """The text of a file.

    Raises:
        FileAccessError: It cannot be read as text, or is larger.
    """
    if path.exists() and not path.is_file():
        actual = "is a directory" if path.is_dir() else "is a device or pipe"
        raise FileAccessError(path, None, "", f"wants a file, {actual}", "name a regular file")
    try:
        size = path.stat().st_size
        if size > max_bytes:
            problem = f"wants at most {max_bytes:,} bytes, has {size:,}"
            raise FileAccessError(path, None, "", problem, "load parts of it and register them one by one")
        return _decode(path, path.read_bytes())
    except FileNotFoundError:
        raise FileAccessError(path, None, "", "wants a file, there is none", "check the path") from None
    except OSError as error:
        problem = f"wants a file that can be read, got {error.strerror or error}"
        raise FileAccessError(path, None, "", problem, "check the path and its permissions") from error


def _decode(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")  # spreadsheet programs put a mark in front
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"wants UTF-8, has the byte 0x{data[error.start]:02x}"
        raise FileAccessError(path, line, "", problem, "save it as UTF-8") from None
