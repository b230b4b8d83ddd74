"""Saving: a snapshot as a fleet file that loads as an equal snapshot.

Written whole or not at all. What a file cannot say is refused by name: executors that were handed over as objects, and
settings that are neither text, number, truth value, list nor mapping. Secrets that are written out are refused as well,
unless asked for; references to the environment are saved as they are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import date
from pathlib import Path
from typing import Final

import yaml

from harness.registry.entries import entries_of
from harness.registry.errors import FileAccessError, NotSavableError
from harness.registry.keys import NAMESPACES
from harness.registry.secrets import secret_places
from harness.registry.snapshot import Snapshot
from harness.registry.specs import OBJECT_KIND, ProviderSpec, Spec

__all__ = ["save_fleet"]

_ORDER: Final = ("providers", "models", "model_pools", "plugins", "tools", "backends", "agents")  # needed before needy
_Dumper: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the C emitter is an option of PyYAML's build


def save_fleet(snapshot: Snapshot, path: Path, *, overwrite: bool, include_secrets: bool) -> None:
    """Write a fleet file.

    Args:
        snapshot: What to save.
        path: Where to, ending in ``.yaml`` or ``.yml``.
        overwrite: Replace a file that is there.
        include_secrets: Save secrets that are written out, to a file that only its owner may read.

    Raises:
        NotSavableError: A file cannot say it, or it is a secret.
        FileAccessError: The file cannot be written.
    """
    assert set(_ORDER) == set(NAMESPACES)
    if path.suffix.lower() not in (".yaml", ".yml"):
        problem = f"wants a fleet file, has the extension {path.suffix!r}"
        raise FileAccessError(path, None, "", problem, "let it end in .yaml")
    if path.exists() and not overwrite:
        raise FileAccessError(path, None, "", "is to be written, it exists", "pass overwrite=True to replace it")
    document = {
        namespace: [_entry(spec, include_secrets=include_secrets) for spec in specs.values()]
        for namespace in _ORDER
        if (specs := entries_of(snapshot, namespace))
    }
    text = yaml.dump(document or {"providers": []}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    _write_whole(path, text)


def _entry(spec: Spec, *, include_secrets: bool) -> dict[str, object]:
    place = f"{spec.namespace}/{spec.id}"
    if isinstance(spec, ProviderSpec):
        if spec.kind == OBJECT_KIND:
            problem = "its executor was handed over as an object, for which there is no recipe"
            raise NotSavableError(place, problem, "register it by register_provider_spec")
        secrets = [] if include_secrets else sorted(secret_places(spec.config))
        if secrets:
            problem = f"{', '.join(secrets)} is a secret that is written out"
            raise NotSavableError(place, problem, "refer to it as os.environ/NAME, or pass include_secrets=True")
    return {
        item.name: _plain(value, f"{place}.{item.name}")
        for item in fields(spec)
        if (value := getattr(spec, item.name)) != item.default or item.default is MISSING
    }


def _plain(value: object, place: str) -> object:
    if isinstance(value, Mapping):
        return {name: _plain(item, f"{place}.{name}") for name, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item, f"{place}[{position}]") for position, item in enumerate(value)]
    if value is None or isinstance(value, str | int | float) or (type(value) is date and ".config" not in place):
        return value
    problem = f"it is a {type(value).__name__}, which a file cannot say"
    raise NotSavableError(place, problem, "use text, numbers, lists and mappings")


def _write_whole(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        problem = f"is to be written, got {error.strerror or error}"
        raise FileAccessError(path, None, "", problem, "check the directory and its permissions") from error
