from __future__ import annotations

import pickle
import random
import subprocess
import sys

import pytest

from harness.registry import Draft, ModelSpec, NotFoundError, ProviderSpec, Registry
from harness.registry.secrets import is_secret_name, masked, secret_places

pytestmark = pytest.mark.portable

PROBE = (
    "import sys; from harness.registry import Registry; print(Registry.from_file(sys.argv[1]).snapshot().fingerprint)"
)


def provider(config):
    draft = Draft()
    draft.register_provider_spec(ProviderSpec("p", "anthropic", config))
    return draft.freeze()


def test_order_of_changes_does_not_matter(fixtures):
    # awaken R42
    whole = Registry.from_file(fixtures / "fleet.yaml").snapshot()
    specs = list(whole.models.values())
    random.Random(3).shuffle(specs)
    draft = Draft(whole)
    for spec in specs:
        draft.replace_model(ModelSpec(spec.id, spec.provider_id, "something else"))
    for spec in reversed(specs):
        draft.replace_model(spec)

    assert draft.freeze().fingerprint == whole.fingerprint


@pytest.mark.parametrize("seed", ["0", "1"])
def test_it_is_the_same_in_every_process(fixtures, seed):
    here = Registry.from_file(fixtures / "fleet.yaml").snapshot().fingerprint

    command = [sys.executable, "-c", PROBE, str(fixtures / "fleet.yaml")]
    there = subprocess.run(
        command,
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert there.stdout.strip() == here


def test_values_of_secrets_are_not_in_it_and_their_names_are():
    one = provider({"api_key": "sk-1", "region": "eu", "headers": {"Authorization": "Bearer 1"}})
    two = provider({"api_key": "sk-2", "region": "eu", "headers": {"Authorization": "Bearer 2"}})
    other = provider({"region": "eu", "headers": {"Authorization": "Bearer 2"}})

    assert one.fingerprint == two.fingerprint != other.fingerprint
    assert one != two


def test_references_to_the_environment_are_in_it():
    assert provider({"api_key": "os.environ/A"}).fingerprint != provider({"api_key": "os.environ/B"}).fingerprint


def test_executors_and_versions_are_not_in_it(registry):
    before = registry.snapshot()
    registry.replace_provider("p", "another")

    assert registry.snapshot().fingerprint == before.fingerprint


def test_each_entry_has_one(registry):
    snapshot = registry.snapshot()

    assert snapshot.fingerprint_of(("models", "m")) != snapshot.fingerprint_of(("providers", "p"))
    with pytest.raises(NotFoundError):
        snapshot.fingerprint_of(("models", "n"))


def test_a_pickled_snapshot_has_the_same(registry):
    copy = pickle.loads(pickle.dumps(registry.snapshot()))

    assert copy.fingerprint == registry.snapshot().fingerprint


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "apiKey",
        "x-api-key",
        "Authorization",
        "client_secret",
        "token",
        "aws_secret_access_key",
        "password",
        "azure_ad_token",
        "key",
        "OPENAI_API_KEY",
        "privateKey",
        "Cookie",
    ],
)
def test_names_of_secrets(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["max_tokens", "region", "keyboard", "timeout_s", "key_name", "tokenizer", "author", "public_key"]
)
def test_names_of_other_settings(name):
    assert not is_secret_name(name)


def test_masking_reaches_lists_mappings_and_urls():
    config = ProviderSpec(
        "p",
        "k",
        {"keys": {"token": ["a", {"x": "b"}]}, "url": "https://user:word@host/v1", "n": 1, "secret": "os.environ/S"},
    ).config

    assert masked(config) == {
        "keys": {"token": ["***", {"x": "***"}]},
        "n": 1,
        "secret": "os.environ/S",
        "url": "https://***@host/v1",
    }
    assert sorted(secret_places(config)) == ["keys.token[0]", "keys.token[1].x", "url"]
