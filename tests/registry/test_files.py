from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from harness.registry import (
    FileAccessError,
    FileContentError,
    FileReferenceError,
    FileSyntaxError,
    Registry,
    RegistryFileError,
)
from harness.registry.files import MAX_FILE_BYTES

from .conftest import FIXTURES

pytestmark = pytest.mark.portable

INVALID = {
    "alias.yaml": (FileSyntaxError, ", line 3, providers[1]: wants a value, is the alias *mail; write the value out"),
    "bad_date.csv": (
        FileContentError,
        ", line 2, deprecation_date: wants a date like 2026-12-31, is '2026-02-30'; correct it or leave it empty",
    ),
    "bad_date.yaml": (
        FileSyntaxError,
        ", line 6, models[0].deprecation_date: wants a value, '2026-02-30' gives: ",
    ),
    "bad_number.csv": (
        FileContentError,
        ", line 3, max_input_tokens: wants a whole number, is '200k'; correct it or leave it empty",
    ),
    "blank_id.csv": (FileContentError, ", line 3: model id wants text that is not blank, is ''; name the entry"),
    "blank_id.yaml": (
        FileContentError,
        ", line 2, providers[0]: provider id wants text that is not blank, is '  '; name the entry",
    ),
    "csv_quoting.csv": (FileSyntaxError, ", line 2: wants CSV, the reader says: "),
    "dangling_reference.yaml": (
        FileReferenceError,
        ", line 6, agents[0]: registry validation failed: agents/triage names models/fats, which is not registered; "
        "agents/triage names plugins/audit, which is not registered; "
        "models/fast names providers/mial, which is not registered; correct these names, or register what is missing",
    ),
    "deep_nesting.yaml": (FileSyntaxError, ", line 1: wants at most 50 levels, is nested deeper; flatten it"),
    "duplicate_column.csv": (
        FileContentError,
        ", line 1, header: wants each column once, has 'model_id' again; keep one of the two",
    ),
    "duplicate_id.csv": (
        FileContentError,
        ", line 4, model_id: wants each id once, has 'fast' again; keep one of the two",
    ),
    "duplicate_id.yaml": (
        FileContentError,
        ", line 5, models[1].id: wants each id once, has 'fast' again; keep one of the two",
    ),
    "duplicate_key.yaml": (
        FileContentError,
        ", line 6, models[0]: wants each key once, has 'provider_id' again after line 5; keep one of the two",
    ),
    "empty.csv": (
        FileContentError,
        ", line 1, header: wants the names of the columns, is empty; begin with model_id,provider_id",
    ),
    "empty.yaml": (FileContentError, ": wants a fleet, is empty; give it providers, models and agents"),
    "missing_column.csv": (FileContentError, ", line 1, header: wants the column 'provider_id', it is missing; add it"),
    "missing_key.yaml": (FileContentError, ", line 4, models[0].provider_id: wants this key, it is missing; add it"),
    "missing_model.yaml": (
        FileContentError,
        ", line 2, agents[0]: agent 'triage' wants a model, has none and no endpoint; give it a model_id",
    ),
    "negative_number.yaml": (
        FileContentError,
        ", line 4, models[0]: max_input_tokens wants a count of tokens, is -1; leave it out if it is not known",
    ),
    "not_utf8.csv": (FileAccessError, ", line 3: wants UTF-8, has the byte 0xe9; save it as UTF-8"),
    "not_utf8.yaml": (FileAccessError, ", line 3: wants UTF-8, has the byte 0xe9; save it as UTF-8"),
    "object_kind.yaml": (
        FileContentError,
        ", line 2, providers[0]: provider 'mail' wants a kind that can be made, is of kind 'object'; name the kind, ",
    ),
    "pool_hides_model.yaml": (
        FileReferenceError,
        ", line 7, model_pools[0]: registry validation failed: model_pools/fast has the id of a model, ",
    ),
    "ragged_row.csv": (FileContentError, ", line 3: wants 3 cells like the header, has 2; add or drop cells, "),
    "tag.yaml": (
        FileSyntaxError,
        ", line 3, providers[0].kind: wants a plain value, has the tag tag:yaml.org,2002:python/name:os.system; ",
    ),
    "two_documents.yaml": (
        FileSyntaxError,
        ", line 2: wants one document, a second one starts; put it into a file of its own",
    ),
    "unknown_column.csv": (
        FileContentError,
        ", line 1, header: wants a known column, is 'max_input_token'; near: 'max_input_tokens'",
    ),
    "unknown_key.yaml": (
        FileContentError,
        ", line 5, models[0].provider: wants a known key, is 'provider'; near: 'provider_id'",
    ),
    "unknown_section.yaml": (FileContentError, ", line 3, model: wants a known key, is 'model'; near: 'models'"),
    "wrong_extension.toml": (
        FileAccessError,
        ": wants a fleet in YAML or a catalogue in CSV, has the extension '.toml'; rename it to .yaml or .csv ",
    ),
    "wrong_type.yaml": (
        FileContentError,
        ", line 6, models[0].max_input_tokens: wants a whole number, is '200000'; correct it",
    ),
    "wrong_type_of_document.yaml": (
        FileContentError,
        ", line 1: wants a mapping, is ['providers', 'models']; correct it",
    ),
    "wrong_type_of_section.yaml": (
        FileContentError,
        ", line 1, providers: wants a list, is 'anthropic'; correct it",
    ),
    "yaml_syntax.yaml": (FileSyntaxError, ", line 3: wants YAML, the parser says: "),
}


@pytest.mark.parametrize("name", sorted(INVALID))
def test_each_fault_gives_one_clear_error(name):
    kind, message = INVALID[name]
    path = FIXTURES / "invalid" / name

    with pytest.raises(kind) as caught:
        Registry.from_file(path)

    assert str(caught.value).startswith(f"{path}{message}")
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_every_invalid_file_is_covered():
    assert sorted(path.name for path in (FIXTURES / "invalid").iterdir()) == sorted(INVALID)


def test_data_of_the_error_are_attributes():
    path = FIXTURES / "invalid" / "bad_number.csv"

    with pytest.raises(RegistryFileError) as caught:
        Registry.from_file(path)

    error = caught.value
    assert (error.path, error.line, error.place, error.remedy) == (
        path,
        3,
        "max_input_tokens",
        "correct it or leave it empty",
    )


def test_a_dangling_reference_lists_every_fault():
    with pytest.raises(FileReferenceError) as caught:
        Registry.from_file(FIXTURES / "invalid" / "dangling_reference.yaml")

    assert [found.code for found in caught.value.diagnostics] == [
        "agent_missing_model",
        "agent_missing_plugin",
        "model_missing_provider",
    ]


@pytest.mark.parametrize("name", ["none.yaml", "none.csv", "none.toml"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(FileAccessError, match=f"{name}: wants a file, there is none; check the path"):
        Registry.from_file(tmp_path / name)


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(FileAccessError, match="wants a file, is a directory; name a regular file"):
        Registry.from_file(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "fleet.yaml")

    with pytest.raises(FileAccessError, match="wants a file, is a device or pipe"):
        Registry.from_file(tmp_path / "fleet.yaml")


def test_a_file_above_the_limit_is_refused_before_parsing(tmp_path):
    path = tmp_path / "fleet.yaml"
    with path.open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)

    with pytest.raises(FileAccessError, match="wants at most 16,777,216 bytes, has 16,777,217"):
        Registry.from_file(path)


def test_a_control_character_is_refused(tmp_path):
    path = tmp_path / "fleet.yaml"
    path.write_text("providers: []\nmodels: [\x07]\n")

    with pytest.raises(FileSyntaxError):
        Registry.from_file(path)


def test_the_path_may_be_text():
    assert Registry.from_file(str(FIXTURES / "fleet.yaml")).version == 1


class Marking:
    """Makes a file when it is loaded from a pickle."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("protocol", [0, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize("extension", ["yaml", "csv", "pkl"])
def test_pickle_is_never_loaded_from_a_file(tmp_path: Path, extension: str, protocol: int) -> None:
    mark, file = tmp_path / "mark", tmp_path / f"fleet.{extension}"
    file.write_bytes(pickle.dumps(Marking(mark), protocol=protocol))

    with pytest.raises(RegistryFileError):
        Registry.from_file(file)

    assert not mark.exists()
    pickle.loads(file.read_bytes()).close()
    assert mark.exists()
