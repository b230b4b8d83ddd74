from __future__ import annotations

import pickle
import stat
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.registry import (
    AgentSpec,
    Draft,
    FileAccessError,
    FileContentError,
    MissingVariableError,
    ModelPoolSpec,
    ModelSpec,
    NotSavableError,
    ProviderSpec,
    Registry,
    RegistryFileError,
    resolve_environment,
)
from harness.registry.saving import _plain

SECRET = "sk-very-secret"


def described(config, **rest):
    draft = Draft()
    draft.register_provider_spec(ProviderSpec("p", "anthropic", config))
    return draft.freeze()


@pytest.mark.parametrize("name", ["fleet.yaml", "model_catalogue.csv"])
def test_what_is_saved_loads_as_an_equal_snapshot(fixtures, tmp_path, name):
    snapshot = Registry.from_file(fixtures / name).snapshot()
    snapshot.save(tmp_path / "one.yaml")
    copy = Registry.from_file(tmp_path / "one.yaml").snapshot()
    copy.save(tmp_path / "two.yaml")

    assert copy == snapshot
    assert copy.fingerprint == snapshot.fingerprint
    assert (tmp_path / "one.yaml").read_bytes() == (tmp_path / "two.yaml").read_bytes()


TEXTS = st.text(st.characters(blacklist_categories=["C", "Z"], blacklist_characters="<>"), min_size=1, max_size=8)
SETTINGS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(derandomize=True, deadline=None, database=None)
@given(config=st.dictionaries(st.text(min_size=1, max_size=8), SETTINGS, max_size=4), prompt=st.text(max_size=60))
def test_any_text_and_settings_survive(tmp_path_factory, config, prompt):
    path = tmp_path_factory.mktemp("saved") / "fleet.yaml"
    draft = Draft()
    draft.register_provider_spec(ProviderSpec("p", "anthropic", config))
    draft.register_model(ModelSpec("yes", "p", "2026-01-01", "null", deprecation_date=date(2026, 1, 2)))
    draft.register_model_pool(ModelPoolSpec("1", ("yes",)))
    draft.register_agent(AgentSpec("~", "yes", prompt))
    snapshot = draft.freeze(1)
    snapshot.save(path, include_secrets=True)

    assert Registry.from_file(path).snapshot() == snapshot


def test_an_empty_snapshot_survives(tmp_path):
    Registry().snapshot().save(tmp_path / "fleet.yaml")

    assert Registry.from_file(tmp_path / "fleet.yaml").snapshot() == Registry().snapshot()


def test_an_executor_that_was_handed_over_is_refused_by_name(registry, tmp_path):
    with pytest.raises(NotSavableError, match="providers/p cannot be saved: its executor was handed over as an object"):
        registry.snapshot().save(tmp_path / "fleet.yaml")

    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_refused_by_place_unless_asked_for(tmp_path):
    snapshot, path = described({"headers": {"authorization": SECRET}}), tmp_path / "fleet.yaml"

    with pytest.raises(
        NotSavableError, match=r"providers/p cannot be saved: headers.authorization is a secret"
    ) as caught:
        snapshot.save(path)
    assert SECRET not in str(caught.value)
    assert not path.exists()
    snapshot.save(path, include_secrets=True)
    assert SECRET in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_references_to_the_environment_are_saved_and_resolved_when_asked(tmp_path):
    snapshot = described({"api_key": "os.environ/KEY", "headers": {"x": ["os.environ/OTHER", 1]}})
    snapshot.save(tmp_path / "fleet.yaml")
    config = Registry.from_file(tmp_path / "fleet.yaml").snapshot().providers["p"].config

    assert config["api_key"] == "os.environ/KEY"
    assert resolve_environment(config, {"KEY": SECRET, "OTHER": "y"}) == {"api_key": SECRET, "headers": {"x": ("y", 1)}}
    with pytest.raises(MissingVariableError, match=r"setting 'headers.x\[0\]' refers to the variable 'OTHER'"):
        resolve_environment(config, {"KEY": SECRET})


@pytest.mark.parametrize("value", [{1, 2}, date(2026, 1, 1), b"bytes", object()])
def test_what_a_file_cannot_say_is_refused(tmp_path, value):
    with pytest.raises(NotSavableError, match=r"providers/p.config.odd cannot be saved: it is a \w+"):
        described({"odd": value}).save(tmp_path / "fleet.yaml")


def test_a_file_that_is_there_is_kept_unless_told_otherwise(tmp_path):
    path = tmp_path / "fleet.yaml"
    path.write_text("keep me")

    with pytest.raises(FileAccessError, match="it exists; pass overwrite=True"):
        described({}).save(path)
    assert path.read_text() == "keep me"
    described({}).save(path, overwrite=True)
    assert Registry.from_file(path).snapshot().providers["p"].kind == "anthropic"


def test_only_fleet_files_are_written_and_only_where_one_can(tmp_path):
    with pytest.raises(FileAccessError, match=r"has the extension '.json'; let it end in .yaml"):
        described({}).save(tmp_path / "fleet.json")
    with pytest.raises(FileAccessError, match="check the directory"):
        described({}).save(tmp_path / "nowhere" / "fleet.yaml")


@pytest.mark.parametrize(
    "text",
    [
        f"providers:\n  - {{id: p, kind: k, config: {SECRET}}}\n",
        f"providers:\n  - {{id: p, kind: k, api_key: {SECRET}}}\n",
        f"providers: {{api_key: {SECRET}}}\n",
    ],
)
def test_a_secret_is_in_no_error(tmp_path, text):
    path = tmp_path / "fleet.yaml"
    path.write_text(text)

    with pytest.raises(FileContentError) as caught:
        Registry.from_file(path)

    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


def test_a_secret_is_in_no_picture_export_or_repr():
    snapshot = described({"api_key": SECRET, "url": f"https://user:{SECRET}@host"})
    graph = snapshot.graph()
    shown = [repr(snapshot), repr(snapshot.providers), repr(snapshot.providers["p"]), repr(graph), graph.to_mermaid()]
    shown += [str(graph.to_frame()), snapshot.fingerprint, str(Registry().snapshot().diff(snapshot))]

    assert not [text for text in shown if SECRET in text]


def test_a_smaller_limit_is_kept_before_parsing(fixtures):
    with pytest.raises(FileAccessError, match="wants at most 100 bytes, has "):
        Registry.from_file(fixtures / "fleet.yaml", max_bytes=100)


def test_a_pickle_is_never_loaded(tmp_path, registry):
    for name in ("fleet.pickle", "fleet.yaml", "fleet.csv"):
        (tmp_path / name).write_bytes(pickle.dumps(Bomb()))
        with pytest.raises(RegistryFileError):
            Registry.from_file(tmp_path / name)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def test_plain_form_of_settings_has_no_tuples():
    assert _plain(ProviderSpec("p", "k", {"a": [1, {"b": (2,)}]}).config, "p.config") == {"a": [1, {"b": [2]}]}
