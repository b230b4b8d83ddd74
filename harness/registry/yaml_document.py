"""YAML to plain values, with the line of each.

Built from the parser's events rather than its composer, for four reasons: every value keeps its line, a repeated key
is an error and not a silent overwrite, aliases are refused (a few nested ones unfold to gigabytes), and nesting is
bounded (the composer in C overflows the stack at some thousands of brackets).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn, Protocol, TypeAlias, final

import yaml

from harness.registry.errors import FileContentError, FileSyntaxError
from harness.registry.secrets import is_secret_name

__all__ = ["Place", "YamlDocument", "describe_place", "parse_yaml"]

Place: TypeAlias = tuple[str | int, ...]  # keys and list positions from the root

_MOST_NESTED: Final = 50
_PLAIN_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "null", "str", "timestamp")
)
_Loader: Callable[[str], _Parser] = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # the C parser is an option of PyYAML's build


@final
@dataclass(frozen=True, slots=True)
class YamlDocument:
    """The value of a document and the line of each part. Immutable by agreement.

    Attributes:
        value: Dicts with text keys, lists and scalars; ``None`` for an empty document.
        lines: Line from 1 of each place; of a mapping's value, the line of its key.
    """

    value: object
    lines: dict[Place, int] = field(default_factory=dict)


def describe_place(place: Place) -> str:
    """A place as people write it: ``models[3].provider_id``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")


def parse_yaml(path: Path, text: str) -> YamlDocument:
    """The single document in a text.

    Raises:
        FileSyntaxError: It is not YAML, or uses what is refused here: tags, aliases, several documents, deep nesting.
        FileContentError: A mapping has a key twice.
    """
    try:
        loader = _Loader(text)
        try:
            return _Builder(path, loader).build()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        problem = f"wants YAML, the parser says: {error.problem or error.context}"
        raise FileSyntaxError(path, line, "", problem, "correct the syntax there or just above") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = "wants printable text, has a control character"
        raise FileSyntaxError(path, line, "", problem, "take the character out") from None


class _Parser(Protocol):
    """What we use of PyYAML's loaders, of which the types say nothing."""

    def get_event(self) -> yaml.Event: ...
    def check_event(self, *choices: type[yaml.Event]) -> bool: ...
    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str: ...
    def construct_object(self, node: yaml.Node) -> object: ...
    def dispose(self) -> None: ...


class _Builder:
    """Turns the events of one document into values."""

    def __init__(self, path: Path, loader: _Parser) -> None:
        self._path, self._loader = path, loader
        self._lines: dict[Place, int] = {}

    def build(self) -> YamlDocument:
        self._loader.get_event()  # start of the stream
        if self._loader.check_event(yaml.StreamEndEvent):
            return YamlDocument(None)
        self._loader.get_event()  # start of the document
        value = self._value((), None)
        self._loader.get_event()  # end of the document
        if not self._loader.check_event(yaml.StreamEndEvent):
            line = _line_of(self._loader.get_event())
            self._refuse(line, (), "wants one document, a second one starts", "put it into a file of its own")
        return YamlDocument(value, self._lines)

    def _value(self, place: Place, line: int | None) -> object:
        event = self._loader.get_event()
        line = line or _line_of(event)
        self._lines[place] = line
        if len(place) > _MOST_NESTED:
            self._refuse(line, (), f"wants at most {_MOST_NESTED} levels, is nested deeper", "flatten it")
        if isinstance(event, yaml.AliasEvent):
            self._refuse(line, place, f"wants a value, is the alias *{event.anchor}", "write the value out")
        if isinstance(event, yaml.CollectionStartEvent) and event.tag is not None:
            self._refuse(line, place, f"wants a plain value, has the tag {event.tag}", "take the tag out")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(place)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place)
        assert isinstance(event, yaml.ScalarEvent)
        return self._scalar(event, place, line)

    def _mapping(self, place: Place) -> dict[str, object]:
        entries: dict[str, object] = {}
        while not self._loader.check_event(yaml.MappingEndEvent):
            event = self._loader.get_event()
            line = _line_of(event)
            if not isinstance(event, yaml.ScalarEvent):
                self._refuse(line, place, "wants keys that are text, has another kind of key", "write a plain key")
            if event.value == "<<":
                self._refuse(line, place, "wants keys of its own, has the merge key <<", "write the entries out")
            if event.value in entries:
                raise FileContentError(
                    self._path,
                    line,
                    describe_place(place),
                    f"wants each key once, has {event.value!r} again after line {self._lines[*place, event.value]}",
                    "keep one of the two",
                )
            entries[event.value] = self._value((*place, event.value), line)
        self._loader.get_event()
        return entries

    def _sequence(self, place: Place) -> list[object]:
        items: list[object] = []
        while not self._loader.check_event(yaml.SequenceEndEvent):
            items.append(self._value((*place, len(items)), None))
        self._loader.get_event()
        return items

    def _scalar(self, event: yaml.ScalarEvent, place: Place, line: int) -> object:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag not in _PLAIN_TAGS:
            self._refuse(line, place, f"wants a plain value, has the tag {tag}", "take the tag out, or quote the value")
        try:
            return self._loader.construct_object(yaml.ScalarNode(tag, event.value))
        except ValueError as error:  # such as 2026-02-30, which looks like a date
            if any(is_secret_name(str(step)) for step in place):
                self._refuse(line, place, "wants a value, looks like a date and is none", "quote it")
            self._refuse(line, place, f"wants a value, {event.value!r:.80} gives: {error}", "correct or quote it")

    def _refuse(self, line: int, place: Place, problem: str, remedy: str) -> NoReturn:
        raise FileSyntaxError(self._path, line, describe_place(place), problem, remedy) from None


def _line_of(event: yaml.Event) -> int:
    assert event.start_mark is not None
    return event.start_mark.line + 1
