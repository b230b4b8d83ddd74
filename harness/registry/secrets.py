"""Secrets: which settings are, and how they are shown.

A setting is a secret by its name (``api_key``, ``authorization``, ``clientSecret``), and so is what stands between the
scheme and the host of a URL. References such as ``os.environ/OPENAI_API_KEY`` name a secret and are none: they may be
shown, saved and compared.

Source: the form of the references is that of LiteLLM's proxy configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, cast

from harness.registry.errors import MissingVariableError
from harness.registry.sorted_map import SortedMap, freeze

__all__ = [
    "ENV_PREFIX",
    "MASK",
    "is_reference",
    "is_secret_name",
    "mask_text",
    "masked",
    "resolve_environment",
    "secret_places",
]

MASK: Final = "***"
ENV_PREFIX: Final = "os.environ/"

_WORDS: Final = frozenset(
    {
        "apikey",
        "authorization",
        "auth",
        "bearer",
        "cookie",
        "credential",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "pwd",
        "secret",
        "token",
    }
)
_KEYED: Final = frozenset(
    {
        "access",
        "account",
        "api",
        "auth",
        "encryption",
        "license",
        "master",
        "private",
        "service",
        "shared",
        "signing",
        "ssh",
    }
)
_PART: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_USER_INFO: Final = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name holds a secret. ``max_tokens`` does not, ``token`` and ``x-api-key`` do."""
    parts = [part.lower() for part in _PART.findall(name)]
    if any(part in _WORDS for part in parts):
        return True
    return parts == ["key"] or any(key == "key" and before in _KEYED for before, key in pairwise(parts))


def is_reference(value: object) -> bool:
    """Whether a value refers to the environment, by name."""
    return isinstance(value, str) and value.startswith(ENV_PREFIX) and len(value) > len(ENV_PREFIX)


def mask_text(text: str) -> str:
    """The text with user and password of URLs masked."""
    return _USER_INFO.sub(MASK, text) if "://" in text else text


def masked(value: object, *, is_secret: bool = False) -> object:
    """A copy of settings as plain values, with every secret masked. Sets become sorted lists."""
    if isinstance(value, Mapping):
        return {name: masked(item, is_secret=is_secret or is_secret_name(name)) for name, item in sorted(value.items())}
    if isinstance(value, tuple | list):
        return [masked(item, is_secret=is_secret) for item in value]
    if isinstance(value, frozenset | set):
        return sorted((masked(item, is_secret=is_secret) for item in value), key=repr)
    if is_reference(value) or value is None or isinstance(value, bool):
        return value
    if is_secret:
        return MASK
    return mask_text(value) if isinstance(value, str) else value


def secret_places(value: object, place: str = "", *, is_secret: bool = False) -> Iterator[str]:
    """The places in settings where a secret is written out, such as ``headers.authorization``."""
    if isinstance(value, Mapping):
        for name in value:
            inner = f"{place}.{name}" if place else name
            yield from secret_places(value[name], inner, is_secret=is_secret or is_secret_name(name))
    elif isinstance(value, Sequence | frozenset) and not isinstance(value, str):
        for position, item in enumerate(value):
            yield from secret_places(item, f"{place}[{position}]", is_secret=is_secret)
    elif masked(value, is_secret=is_secret) != value:
        yield place


def resolve_environment(config: SortedMap[object], environ: Mapping[str, str]) -> SortedMap[object]:
    """The settings with every reference replaced by what it refers to: for whoever makes the executor, and not to keep.

    Raises:
        MissingVariableError: The environment lacks one.
    """
    return cast("SortedMap[object]", freeze(_resolved(config, environ, "")))


def _resolved(value: object, environ: Mapping[str, str], place: str) -> object:
    if isinstance(value, Mapping):
        return {name: _resolved(value[name], environ, f"{place}.{name}".removeprefix(".")) for name in value}
    if isinstance(value, tuple):
        return tuple(_resolved(item, environ, f"{place}[{position}]") for position, item in enumerate(value))
    if not is_reference(value):
        return value
    name = str(value).removeprefix(ENV_PREFIX)
    if name not in environ:
        raise MissingVariableError(name, place)
    return environ[name]
