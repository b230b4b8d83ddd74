"""Specs: the entries of a registry, as data.

Each is a frozen value that can be compared, hashed, pickled and read from a file. What the specs say about one
another is in ``references.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Final, TypeAlias, final

from harness.registry.errors import InvalidSpecError
from harness.registry.ids import (
    AgentId,
    BackendId,
    ModelId,
    ModelPoolId,
    PluginId,
    ProviderId,
    ToolId,
    check_id,
    check_ids,
)
from harness.registry.keys import Namespace
from harness.registry.sorted_map import EMPTY_MAP, SortedMap, freeze

__all__ = [
    "OBJECT_KIND",
    "AgentSpec",
    "BackendSpec",
    "ModelPoolSpec",
    "ModelSpec",
    "PluginSpec",
    "ProviderSpec",
    "Spec",
    "ToolSpec",
]

OBJECT_KIND: Final = "object"  # kind of a provider whose executor was handed over as an object

_MAX_URL_LENGTH: Final = 2_048
_FILE_RULES: Final = {"extra": "forbid", "strict": True}  # read by pydantic when a file is loaded


@final
@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """A source of models, as data. Immutable.

    Attributes:
        id: Its name in the registry.
        kind: What makes its executor, such as a module id. Several providers may share a kind. ``object`` says that the
            executor was handed over and that there is no recipe for it.
        config: Frozen settings for that kind; left out of ``repr`` because it may hold secrets.
    """

    namespace: ClassVar[Namespace] = "providers"
    __pydantic_config__: ClassVar = _FILE_RULES
    id: ProviderId
    kind: str
    config: SortedMap[object] = field(default=EMPTY_MAP, repr=False)

    def __post_init__(self) -> None:
        check_id("provider id", self.id)
        check_id("provider kind", self.kind)
        object.__setattr__(self, "config", freeze(self.config))


@final
@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model that a provider offers. Immutable.

    Attributes:
        id: Its name in the registry.
        provider_id: The provider that runs it.
        upstream_model: Its name at the provider; ``None`` means the id.
        mode: What it does, such as ``chat`` or ``embedding``; ``None`` if not known.
        max_input_tokens: Longest input, in tokens.
        max_output_tokens: Longest output, in tokens.
        deprecation_date: Day from which the provider no longer promises it.
    """

    namespace: ClassVar[Namespace] = "models"
    __pydantic_config__: ClassVar = _FILE_RULES
    id: ModelId
    provider_id: ProviderId
    upstream_model: str | None = None
    mode: str | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    deprecation_date: date | None = None

    def __post_init__(self) -> None:
        check_id("model id", self.id)
        check_id("provider_id", self.provider_id)
        _check_tokens("max_input_tokens", self.max_input_tokens)
        _check_tokens("max_output_tokens", self.max_output_tokens)


@final
@dataclass(frozen=True, slots=True)
class ModelPoolSpec:
    """Several models behind one name, which agents use like a model id. Immutable.

    Attributes:
        id: Its name; models and pools share one set of names.
        model_ids: The members, in order of preference.
    """

    namespace: ClassVar[Namespace] = "model_pools"
    __pydantic_config__: ClassVar = _FILE_RULES
    id: ModelPoolId
    model_ids: tuple[ModelId, ...]

    def __post_init__(self) -> None:
        check_id("model pool id", self.id)
        object.__setattr__(self, "model_ids", check_ids("model_ids", self.model_ids))


@final
@dataclass(frozen=True, slots=True)
class AgentSpec:
    """An agent. Immutable.

    Attributes:
        id: Its name in the registry.
        model_id: The model or model pool it thinks with. A remote agent may have none.
        system_prompt: What it is told first.
        plugin_ids: Plugins it loads, in order.
        active_hook_filter: The plugins among these whose hooks run; empty means all. Kept sorted.
        delegates: Agents it may hand work to. Itself and cycles are allowed: delegation is decided anew at each
            hand-over.
        tool_ids: Tools it may call. Not validated: tools may come with a run.
        endpoint: Where it runs, if not here. An agent with an endpoint is remote and does not count as a user of its
            model.
    """

    namespace: ClassVar[Namespace] = "agents"
    __pydantic_config__: ClassVar = _FILE_RULES
    id: AgentId
    model_id: ModelId | ModelPoolId | None = None
    system_prompt: str = ""
    plugin_ids: tuple[PluginId, ...] = ()
    active_hook_filter: tuple[PluginId, ...] = ()
    delegates: tuple[AgentId, ...] = ()
    tool_ids: tuple[ToolId, ...] = ()
    endpoint: str | None = None

    def __post_init__(self) -> None:
        check_id("agent id", self.id)
        if self.model_id is not None:
            check_id("model_id", self.model_id)
        if self.endpoint is not None:
            check_id("endpoint", self.endpoint, max_length=_MAX_URL_LENGTH)
        elif self.model_id is None:
            raise InvalidSpecError(f"agent {self.id!r} wants a model, has none and no endpoint", "give it a model_id")
        object.__setattr__(self, "plugin_ids", check_ids("plugin_ids", self.plugin_ids))
        object.__setattr__(self, "delegates", check_ids("delegates", self.delegates))
        object.__setattr__(self, "tool_ids", check_ids("tool_ids", self.tool_ids))
        hooks = check_ids("active_hook_filter", self.active_hook_filter)
        object.__setattr__(self, "active_hook_filter", tuple(sorted(set(hooks))))

    @property
    def is_remote(self) -> bool:
        """Whether it runs elsewhere."""
        return self.endpoint is not None


@final
@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that agents may call. Immutable."""

    namespace: ClassVar[Namespace] = "tools"
    __pydantic_config__: ClassVar = _FILE_RULES
    id: ToolId
    description: str = ""

    def __post_init__(self) -> None:
        check_id("tool id", self.id)


@final
@dataclass(frozen=True, slots=True)
class PluginSpec:
    """A plugin that agents may load. Immutable."""

    namespace: ClassVar[Namespace] = "plugins"
    __pydantic_config__: ClassVar = _FILE_RULES
    id: PluginId
    description: str = ""

    def __post_init__(self) -> None:
        check_id("plugin id", self.id)


@final
@dataclass(frozen=True, slots=True)
class BackendSpec:
    """A place where agents can be run. Immutable."""

    namespace: ClassVar[Namespace] = "backends"
    __pydantic_config__: ClassVar = _FILE_RULES
    id: BackendId
    description: str = ""

    def __post_init__(self) -> None:
        check_id("backend id", self.id)


Spec: TypeAlias = ProviderSpec | ModelSpec | ModelPoolSpec | AgentSpec | ToolSpec | PluginSpec | BackendSpec


def _check_tokens(name: str, value: int | None) -> None:
    if value is not None and value < 0:
        raise InvalidSpecError(f"{name} wants a count of tokens, is {value}", "leave it out if it is not known")
