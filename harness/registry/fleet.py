"""Fleet files: a whole registry in YAML.

Seven lists, one per namespace, each optional; the keys of an entry are the fields of its spec. pydantic checks names
and types, the draft checks ids, validation checks references. The first fault of shape is reported, of references
all.

Example::

    providers:
      - {id: mail, kind: anthropic, config: {region: eu}}
    models:
      - {id: fast, provider_id: mail, upstream_model: claude-haiku-4-5}
    agents:
      - {id: triage, model_id: fast}
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import ClassVar, Final, final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from harness.registry.draft import Draft, ExecutorFactory
from harness.registry.errors import (
    AlreadyRegisteredError,
    FileContentError,
    FileReferenceError,
    InvalidSpecError,
    RegistryValidationError,
)
from harness.registry.keys import Key
from harness.registry.near import near_matches
from harness.registry.secrets import is_secret_name, masked
from harness.registry.snapshot import Snapshot
from harness.registry.specs import (
    AgentSpec,
    BackendSpec,
    ModelPoolSpec,
    ModelSpec,
    PluginSpec,
    ProviderSpec,
    Spec,
    ToolSpec,
)
from harness.registry.yaml_document import Place, YamlDocument, describe_place, parse_yaml

__all__ = ["Fleet", "load_fleet"]


@final
@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet file's content, in the order of the file. Immutable."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "strict": True}
    providers: tuple[ProviderSpec, ...] = ()
    models: tuple[ModelSpec, ...] = ()
    model_pools: tuple[ModelPoolSpec, ...] = ()
    agents: tuple[AgentSpec, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    plugins: tuple[PluginSpec, ...] = ()
    backends: tuple[BackendSpec, ...] = ()


_SPECS: Final[dict[str, type[Spec]]] = {
    "providers": ProviderSpec,
    "models": ModelSpec,
    "model_pools": ModelPoolSpec,
    "agents": AgentSpec,
    "tools": ToolSpec,
    "plugins": PluginSpec,
    "backends": BackendSpec,
}
_WANTED: Final = {  # pydantic's words for a fault, in ours
    "string_type": "text",
    "int_type": "a whole number",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "dataclass_type": "a mapping",
    "date_type": "a date like 2026-12-31",
    "date_parsing": "a date like 2026-12-31",
    "date_from_datetime_parsing": "a date like 2026-12-31",
}
_ADAPTER: Final = TypeAdapter(Fleet)


def load_fleet(path: Path, text: str, executors: ExecutorFactory | None = None) -> Snapshot:
    """The snapshot a fleet file describes.

    Args:
        path: Where the text comes from, for messages.
        text: YAML.
        executors: Makes the executor of a provider when it is first asked for.

    Raises:
        RegistryFileError: The text describes no valid registry.
    """
    document = parse_yaml(path, text)
    if document.value is None:
        raise FileContentError(path, None, "", "wants a fleet, is empty", "give it providers, models and agents")
    draft = _draft(path, document, _parse(path, document), executors)
    try:
        return draft.freeze()
    except RegistryValidationError as error:
        raise _reference_error(path, document, error) from None


def _parse(path: Path, document: YamlDocument) -> Fleet:
    try:
        return _ADAPTER.validate_json(json.dumps(document.value, default=_jsonable))
    except ValidationError as error:
        raise _content_error(path, document, error.errors(include_url=False)[0]) from None


def _jsonable(value: object) -> str:
    assert isinstance(value, date)  # the only scalar of YAML's that JSON lacks
    return value.isoformat()


def _draft(path: Path, document: YamlDocument, fleet: Fleet, executors: ExecutorFactory | None) -> Draft:
    draft = Draft()
    for namespace in _SPECS:
        for position, spec in enumerate(getattr(fleet, namespace)):
            place: Place = (namespace, position)
            try:
                _register(draft, spec, executors)
            except AlreadyRegisteredError:
                raise _error_at(
                    path, document, (*place, "id"), f"wants each id once, has {spec.id!r} again", "keep one of the two"
                ) from None
            except InvalidSpecError as error:
                raise _error_at(path, document, place, error.problem, error.remedy) from None
    return draft


def _register(draft: Draft, spec: Spec, executors: ExecutorFactory | None) -> None:
    match spec:
        case ProviderSpec():
            draft.register_provider_spec(spec, executors)
        case ModelSpec():
            draft.register_model(spec)
        case ModelPoolSpec():
            draft.register_model_pool(spec)
        case AgentSpec():
            draft.register_agent(spec)
        case ToolSpec():
            draft.register_tool(spec)
        case PluginSpec():
            draft.register_plugin(spec)
        case BackendSpec():
            draft.register_backend(spec)


def _content_error(path: Path, document: YamlDocument, fault: ErrorDetails) -> FileContentError:
    place: Place = fault["loc"]
    problem, remedy = _describe_fault(place, fault)
    if fault["type"] != "missing":
        place = _known_part(document, place)  # pydantic appends the member of a union
    return _error_at(path, document, place, problem, remedy)


def _error_at(path: Path, document: YamlDocument, place: Place, problem: str, remedy: str) -> FileContentError:
    line = document.lines.get(_known_part(document, place))  # a missing key has no line, its entry has
    return FileContentError(path, line, describe_place(place), problem, remedy)


def _known_part(document: YamlDocument, place: Place) -> Place:
    while place and place not in document.lines:
        place = place[:-1]
    return place


def _describe_fault(place: Place, fault: ErrorDetails) -> tuple[str, str]:
    kind = fault["type"]
    if kind == "unexpected_keyword_argument":
        return _describe_unknown_key(place)
    if kind == "missing":
        return "wants this key, it is missing", "add it"
    if kind == "value_error":  # raised by the spec itself, in three parts
        problem, _, remedy = str(fault["ctx"]["error"]).partition("; ")
        return problem, remedy
    wanted = _WANTED.get(kind, fault["msg"])
    actual = "empty" if fault["input"] is None else f"{_shown(place, fault['input'])!r:.80}"
    return f"wants {wanted}, is {actual}", "correct it"


def _shown(place: Place, value: object) -> object:
    """What a message may show of a value."""
    return masked(value, is_secret="config" in place or any(is_secret_name(str(step)) for step in place))


def _describe_unknown_key(place: Place) -> tuple[str, str]:
    known = [item.name for item in fields(_SPECS[str(place[0])] if len(place) > 1 else Fleet)]
    near = near_matches(str(place[-1]), known)
    hint = f"near: {', '.join(map(repr, near))}" if near else f"known are {', '.join(known)}"
    return f"wants a known key, is {place[-1]!r}", hint


def _reference_error(path: Path, document: YamlDocument, error: RegistryValidationError) -> FileReferenceError:
    places = _places(document)
    first = places.get((error.diagnostics[0].resource.namespace, error.diagnostics[0].resource.id), ())
    return FileReferenceError(
        path,
        document.lines.get(first),
        describe_place(first),
        str(error),
        "correct these names, or register what is missing",
        error.diagnostics,
    )


def _places(document: YamlDocument) -> dict[Key, Place]:
    assert isinstance(document.value, dict)
    return {
        (namespace, entry["id"]): (namespace, position)
        for namespace, entries in document.value.items()
        for position, entry in enumerate(entries or ())
    }
