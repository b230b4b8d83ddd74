"""Model catalogues: models in CSV, their providers inferred.

The header names ``model_id`` and ``provider_id`` and may name any other field of a model; an empty cell means not
known. Each provider becomes an entry of its own name and kind, described and without executor.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, NoReturn, TypeVar, final

from harness.registry.draft import Draft, ExecutorFactory
from harness.registry.errors import (
    AlreadyRegisteredError,
    FileContentError,
    FileSyntaxError,
    InvalidIdError,
    InvalidSpecError,
)
from harness.registry.ids import ModelId, ProviderId
from harness.registry.near import near_matches
from harness.registry.specs import ModelSpec, ProviderSpec

__all__ = ["draft_catalogue"]

T = TypeVar("T")

_REQUIRED: Final = ("model_id", "provider_id")
_COLUMNS: Final = (*_REQUIRED, "upstream_model", "mode", "max_input_tokens", "max_output_tokens", "deprecation_date")


@final
@dataclass(frozen=True, slots=True)
class _Row:
    """The cells of one line by column, and where they stand."""

    path: Path
    line: int
    cells: dict[str, str]

    def text(self, column: str) -> str | None:
        return self.cells.get(column) or None

    def count(self, column: str) -> int | None:
        return self._convert(column, int, "a whole number")

    def day(self, column: str) -> date | None:
        return self._convert(column, date.fromisoformat, "a date like 2026-12-31")

    def error(self, column: str, problem: str, remedy: str) -> FileContentError:
        return FileContentError(self.path, self.line, column, problem, remedy)

    def _convert(self, column: str, convert: Callable[[str], T], wanted: str) -> T | None:
        cell = self.cells.get(column)
        if not cell:
            return None
        try:
            return convert(cell)
        except ValueError:
            raise self.error(column, f"wants {wanted}, is {cell!r}", "correct it or leave it empty") from None


def draft_catalogue(path: Path, text: str, executors: ExecutorFactory | None = None) -> Draft:
    """A draft with the models of a catalogue and the providers they name.

    Args:
        path: Where the text comes from, for messages.
        text: CSV with a header.
        executors: Makes the executor of a provider when it is first asked for.

    Raises:
        RegistryFileError: The text is no catalogue.
    """
    draft = Draft()
    for row in _rows(path, text):
        try:
            model = _model(row)
            if model.provider_id not in draft.providers:
                draft.register_provider_spec(ProviderSpec(model.provider_id, model.provider_id), executors)
            draft.register_model(model)
        except AlreadyRegisteredError as error:
            raise row.error("model_id", f"wants each id once, has {error.id!r} again", "keep one of the two") from None
        except (InvalidIdError, InvalidSpecError) as error:
            problem, _, remedy = str(error).partition("; ")
            raise row.error("", problem, remedy) from None
    return draft


def _model(row: _Row) -> ModelSpec:
    return ModelSpec(
        id=ModelId(row.cells["model_id"]),
        provider_id=ProviderId(row.cells["provider_id"]),
        upstream_model=row.text("upstream_model"),
        mode=row.text("mode"),
        max_input_tokens=row.count("max_input_tokens"),
        max_output_tokens=row.count("max_output_tokens"),
        deprecation_date=row.day("deprecation_date"),
    )


def _rows(path: Path, text: str) -> Iterator[_Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        _check_header(path, header)
        for cells in reader:
            if len(cells) == len(header):
                yield _Row(path, reader.line_num, dict(zip(header, cells, strict=True)))
            elif cells:  # an empty line is none
                problem = f"wants {len(header)} cells like the header, has {len(cells)}"
                remedy = "add or drop cells, and quote those that hold a comma"
                raise FileContentError(path, reader.line_num, "", problem, remedy)
    except csv.Error as error:
        problem = f"wants CSV, the reader says: {error}"
        raise FileSyntaxError(path, reader.line_num, "", problem, "correct the quoting there") from None


def _check_header(path: Path, header: Sequence[str]) -> None:
    def refuse(problem: str, remedy: str) -> NoReturn:
        raise FileContentError(path, 1, "header", problem, remedy)

    if not header:
        refuse("wants the names of the columns, is empty", f"begin with {','.join(_REQUIRED)}")
    for column in _REQUIRED:
        if column not in header:
            refuse(f"wants the column {column!r}, it is missing", "add it")
    for position, column in enumerate(header):
        if column not in _COLUMNS:
            near = near_matches(column, _COLUMNS)
            hint = f"near: {', '.join(map(repr, near))}" if near else f"known are {', '.join(_COLUMNS)}"
            refuse(f"wants a known column, is {column!r}", hint)
        if column in header[:position]:
            refuse(f"wants each column once, has {column!r} again", "keep one of the two")
