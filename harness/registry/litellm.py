"""Import of a LiteLLM proxy's ``config.yaml``, with a list of what could not be carried over.

- Each deployment in ``model_list`` becomes a model. Deployments that reach a provider with the same settings share one
  provider entry; its kind is what stands before the first slash of ``litellm_params.model``.
- Several deployments of one name become a pool of that name. Fallbacks are appended to the pool, because members of a
  pool stand in order of preference; that load is spread over the first of them is not carried over.
- An alias in ``model_group_alias`` becomes a pool with the members of what it stands for.
- References to the environment stay references.

Everything else, from rate limits to callbacks, is listed by its place in the document and never by its value.

Reference: the public documentation of the proxy's configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from harness.registry.draft import Draft, ExecutorFactory
from harness.registry.errors import FileContentError, RegistryError
from harness.registry.files import MAX_FILE_BYTES, read_text
from harness.registry.ids import ModelId, ModelPoolId, ProviderId
from harness.registry.snapshot import Snapshot
from harness.registry.sorted_map import SortedMap
from harness.registry.specs import ModelPoolSpec, ModelSpec, ProviderSpec
from harness.registry.yaml_document import Place, YamlDocument, describe_place, parse_yaml

__all__ = ["LitellmImport", "import_litellm"]

_CONNECTION: Final = frozenset(
    {"api_base", "api_key", "api_version", "base_url", "custom_llm_provider", "extra_headers", "headers"}
    | {"organization", "region_name", "timeout", "stream_timeout", "max_retries"}
)
_CONNECTION_PREFIXES: Final = ("aws_", "azure_", "vertex_", "watsonx_")
_MODEL_INFO: Final = frozenset({"id", "max_input_tokens", "max_output_tokens", "mode"})


@final
@dataclass(frozen=True, slots=True)
class LitellmImport:
    """What an import gave. Immutable.

    Attributes:
        snapshot: Providers, models and pools.
        not_carried: Places in the document that have no counterpart here, in the order of the document.
    """

    snapshot: Snapshot
    not_carried: tuple[str, ...]


def import_litellm(
    path: str | Path, *, executors: ExecutorFactory | None = None, max_bytes: int = MAX_FILE_BYTES
) -> LitellmImport:
    """Read a LiteLLM proxy's ``config.yaml``.

    Args:
        path: The file, UTF-8.
        executors: Makes the executor of a provider when it is first asked for.
        max_bytes: Largest file to read.

    Raises:
        RegistryFileError: The file is no such configuration. Says file, line, place, fault and remedy.
    """
    file = Path(path)
    document = parse_yaml(file, read_text(file, max_bytes))
    return _Importer(file, document, executors).run()


class _Importer:
    """One import. Confined."""

    def __init__(self, path: Path, document: YamlDocument, executors: ExecutorFactory | None) -> None:
        self._path, self._document, self._executors = path, document, executors
        self._draft = Draft()
        self._left: list[Place] = []
        self._groups: dict[str, list[str]] = {}  # model name -> ids of its models, fallbacks included
        self._providers: dict[tuple[str, SortedMap[object]], str] = {}

    def run(self) -> LitellmImport:
        root = self._mapping((), self._document.value)
        entries = self._list(("model_list",), root.get("model_list"))
        deployments = [self._deployment(("model_list", n), entry) for n, entry in enumerate(entries)]
        router = self._mapping(("router_settings",), root.get("router_settings") or {})
        settings = self._mapping(("litellm_settings",), root.get("litellm_settings") or {})
        fallbacks = [
            *self._fallbacks(("router_settings", "fallbacks"), router.get("fallbacks")),
            *self._fallbacks(("litellm_settings", "fallbacks"), settings.get("fallbacks")),
        ]
        counts: dict[str, int] = {}
        for name, _, _, _ in deployments:
            counts[name] = counts.get(name, 0) + 1
        pooled = {name for name, n in counts.items() if n > 1} | {name for _, name, _ in fallbacks}
        for name, place, params, info in deployments:
            self._register(name, place, params, info, is_pooled=name in pooled)
        own = {name: tuple(ids) for name, ids in self._groups.items()}
        for place, name, others in fallbacks:
            self._add_fallbacks(place, name, others, own)
        for name in sorted(pooled & set(self._groups)):
            self._pool(("model_list",), name, self._groups[name])
        self._aliases(router.get("model_group_alias"))
        self._leave_rest(root)
        try:
            snapshot = self._draft.freeze()
        except RegistryError as error:
            raise self._error((), str(error), "correct the names") from None
        order = {place: n for n, place in enumerate(self._document.lines)}
        places = sorted(set(self._left), key=lambda place: (order.get(place, len(order)), str(place)))
        return LitellmImport(snapshot, tuple(describe_place(place) for place in places))

    def _deployment(self, place: Place, entry: object) -> tuple[str, Place, dict[str, Any], dict[str, Any]]:
        item = self._mapping(place, entry)
        name = self._text((*place, "model_name"), item.get("model_name"))
        params = self._mapping((*place, "litellm_params"), item.get("litellm_params"))
        self._text((*place, "litellm_params", "model"), params.get("model"))
        info = self._mapping((*place, "model_info"), item.get("model_info") or {})
        self._left += [(*place, key) for key in item if key not in ("model_name", "litellm_params", "model_info")]
        for key in params:
            if key != "model" and not _is_connection(key):
                self._left.append((*place, "litellm_params", key))
        self._left += [(*place, "model_info", key) for key in info if key not in _MODEL_INFO]
        return name, place, params, info

    def _register(
        self, name: str, place: Place, params: dict[str, Any], info: dict[str, Any], *, is_pooled: bool
    ) -> None:
        kind, slash, upstream = params["model"].partition("/")
        if not slash:
            kind, upstream = str(params.get("custom_llm_provider") or "openai"), params["model"]
        config = {key: value for key, value in params.items() if _is_connection(key)}
        group = self._groups.setdefault(name, [])
        model_id = str(info.get("id") or f"{name}#{len(group) + 1}") if is_pooled else name
        if not is_pooled and "id" in info:
            self._left.append((*place, "model_info", "id"))
        try:
            provider_id = self._provider(kind, config)
            spec = ModelSpec(
                ModelId(model_id),
                ProviderId(provider_id),
                upstream,
                mode=self._optional((*place, "model_info", "mode"), info.get("mode"), str, "text"),
                max_input_tokens=self._count((*place, "model_info"), info, "max_input_tokens"),
                max_output_tokens=self._count((*place, "model_info"), info, "max_output_tokens"),
            )
            self._draft.register_model(spec)
        except FileContentError:
            raise
        except RegistryError as error:
            problem, _, remedy = str(error).partition("; ")
            raise self._error(place, problem, remedy) from None
        group.append(model_id)

    def _provider(self, kind: str, config: dict[str, Any]) -> str:
        spec = ProviderSpec(ProviderId(kind), kind, SortedMap(config))
        known = self._providers.get((kind, spec.config))
        if known is not None:
            return known
        others = sum(other == kind for other, _ in self._providers)
        provider_id = kind if not others else f"{kind}-{others + 1}"
        self._draft.register_provider_spec(ProviderSpec(ProviderId(provider_id), kind, spec.config), self._executors)
        self._providers[kind, spec.config] = provider_id
        return provider_id

    def _fallbacks(self, place: Place, value: object) -> Iterator[tuple[Place, str, list[str]]]:
        for position, item in enumerate(self._list(place, value) if value is not None else ()):
            for name, others in self._mapping((*place, position), item).items():
                inner = (*place, position, name)
                yield inner, name, [self._text(inner, other) for other in self._list(inner, others)]

    def _add_fallbacks(self, place: Place, name: str, others: list[str], own: dict[str, tuple[str, ...]]) -> None:
        for group in (name, *others):
            if group not in own:
                raise self._error(place, f"wants models of the list, names {group!r}", "correct the name")
        for other in others:
            self._groups[name] += [model_id for model_id in own[other] if model_id not in self._groups[name]]

    def _aliases(self, value: object) -> None:
        place: Place = ("router_settings", "model_group_alias")
        for alias, target in self._mapping(place, value or {}).items():
            inner = (*place, alias)
            if isinstance(target, Mapping):
                self._left += [(*inner, key) for key in target if key != "model"]
                target = target.get("model")
            name = self._text(inner, target)
            if name not in self._groups:
                raise self._error(inner, f"wants a model of the list, names {name!r}", "correct the name")
            self._pool(inner, alias, self._groups[name])

    def _pool(self, place: Place, pool_id: str, model_ids: list[str]) -> None:
        try:
            members = tuple(ModelId(model_id) for model_id in model_ids)
            self._draft.register_model_pool(ModelPoolSpec(ModelPoolId(pool_id), members))
        except RegistryError as error:
            problem, _, remedy = str(error).partition("; ")
            raise self._error(place, problem, remedy) from None

    def _leave_rest(self, root: dict[str, Any]) -> None:
        carried = {"router_settings": ("fallbacks", "model_group_alias"), "litellm_settings": ("fallbacks",)}
        for section, value in root.items():
            if section == "model_list":
                continue
            if isinstance(value, Mapping):
                self._left += [(section, key) for key in value if key not in carried.get(section, ())]
            else:
                self._left.append((section,))

    def _mapping(self, place: Place, value: object) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        raise self._wrong(place, "a mapping", value)

    def _list(self, place: Place, value: object) -> list[Any]:
        if isinstance(value, list):
            return value
        raise self._wrong(place, "a list", value)

    def _text(self, place: Place, value: object) -> str:
        if isinstance(value, str):
            return value
        raise self._wrong(place, "text", value)

    def _optional(self, place: Place, value: object, kind: type[str], wanted: str) -> str | None:
        if value is None or isinstance(value, kind):
            return value
        raise self._wrong(place, wanted, value)

    def _count(self, place: Place, info: dict[str, Any], key: str) -> int | None:
        value = info.get(key)
        if value is None or type(value) is int:
            return value
        raise self._wrong((*place, key), "a whole number", value)

    def _wrong(self, place: Place, wanted: str, value: object) -> FileContentError:
        actual = (
            "missing or empty" if value is None else f"a {type(value).__name__}"
        )  # never the value: it may be secret
        return self._error(place, f"wants {wanted}, is {actual}", "correct it")

    def _error(self, place: Place, problem: str, remedy: str) -> FileContentError:
        known = place
        while known and known not in self._document.lines:
            known = known[:-1]
        return FileContentError(self._path, self._document.lines.get(known), describe_place(place), problem, remedy)


def _is_connection(key: str) -> bool:
    return key in _CONNECTION or key.startswith(_CONNECTION_PREFIXES)
