"""The registry against a naive model of it: dicts, and rules that look at everything."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from harness.registry import (
    NAMESPACES,
    AgentSpec,
    AlreadyRegisteredError,
    BackendSpec,
    EntryInUseError,
    ModelPoolSpec,
    ModelSpec,
    NotFoundError,
    PluginSpec,
    Registry,
    RegistryValidationError,
    RemovalPolicy,
    ToolSpec,
    VersionNotKeptError,
)

LIMIT = 4
IDS = st.sampled_from("abc")
SPECS = st.one_of(
    st.builds(ModelSpec, IDS, IDS),
    st.builds(ModelPoolSpec, IDS.map("pool {}".format), st.lists(IDS, max_size=2)),
    st.builds(PluginSpec, IDS),
    st.builds(ToolSpec, IDS),
    st.builds(BackendSpec, IDS),
    st.builds(
        AgentSpec,
        IDS,
        IDS | IDS.map("pool {}".format),
        plugin_ids=st.lists(IDS, max_size=1),
        delegates=st.lists(IDS, max_size=2),
        tool_ids=st.lists(IDS, max_size=1),
        endpoint=st.none() | st.just("https://elsewhere.example"),
    ),
)
KINDS = {namespace: namespace.removesuffix("s") for namespace in NAMESPACES if namespace != "providers"}


def needs(content, key):
    """What an entry cannot do without, by its own words."""
    namespace, spec = key[0], content[key]
    if namespace == "models":
        return {("providers", spec.provider_id)}
    if namespace == "model_pools":
        return {("models", model_id) for model_id in spec.model_ids}
    if namespace != "agents":
        return set()
    model = "model_pools" if spec.model_id.startswith("pool") else "models"
    found = {("plugins", one) for one in spec.plugin_ids} | {("agents", one) for one in spec.delegates if one != key[1]}
    return found if spec.is_remote else found | {(model, spec.model_id)}


def is_valid(content):
    return all(needs(content, key) <= content.keys() for key in content)


def needy(content, target):
    """All that would have to go with the target."""
    gone = {target}
    while True:
        tools = {
            ("agents", key[1])
            for key in content
            if key[0] == "agents"
            for one in content[key].tool_ids
            if ("tools", one) in gone
        }
        more = {key for key in content if needs(content, key) & gone} | tools
        if more <= gone:
            return gone - {target}
        gone |= more


class RegistryMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.registry = Registry(history_limit=LIMIT)
        self.contents = {1: {}}  # by version, as dicts by key
        self.told = []
        self.registry.subscribe(lambda publication: self.told.append(publication.version))

    @property
    def content(self):
        return self.contents[max(self.contents)]

    def publish(self, content):
        self.contents[max(self.contents) + 1] = content

    @rule(provider_id=IDS)
    def register_provider(self, provider_id):
        if ("providers", provider_id) in self.content:
            with pytest.raises(AlreadyRegisteredError):
                self.registry.register_provider(provider_id, object())
        else:
            self.registry.register_provider(provider_id, object())
            spec = self.registry.snapshot().providers[provider_id]
            self.publish({**self.content, ("providers", provider_id): spec})

    @rule(spec=SPECS, verb=st.sampled_from(["register", "replace"]))
    def write(self, spec, verb):
        key, write = (spec.namespace, spec.id), getattr(self.registry, f"{verb}_{KINDS[spec.namespace]}")
        proposed = {**self.content, key: spec}
        if (key in self.content) == (verb == "register"):
            with pytest.raises(AlreadyRegisteredError if verb == "register" else NotFoundError):
                write(spec)
        elif is_valid(proposed):
            write(spec)
            self.publish(proposed)
        else:
            with pytest.raises(RegistryValidationError):
                write(spec)

    @rule(specs=st.lists(SPECS, max_size=3))
    def write_several(self, specs):
        def put(draft):
            for spec in specs:
                kind = KINDS[spec.namespace]
                known = spec.id in getattr(draft, spec.namespace)
                getattr(draft, f"{'replace' if known else 'register'}_{kind}")(spec)

        proposed = {**self.content, **{(spec.namespace, spec.id): spec for spec in specs}}
        if self.registry.dry_run(put).is_valid:
            self.registry.update(put)
            self.publish(proposed)
        assert is_valid(proposed) == (self.content == proposed)

    @rule(namespace=st.sampled_from(["providers", *KINDS]), entry_id=IDS, policy=st.sampled_from(list(RemovalPolicy)))
    def remove(self, namespace, entry_id, policy):
        key = (namespace, f"pool {entry_id}" if namespace == "model_pools" else entry_id)
        version = self.registry.version
        if key not in self.content:
            with pytest.raises(NotFoundError):
                self.registry.remove(key, policy, expected_version=version)
            return
        users = needy(self.content, key)
        assert {found.key for found in self.registry.preview_remove(*key).dependents} == users
        is_refused = {
            RemovalPolicy.BLOCK_IF_REFERENCED: bool(users),
            RemovalPolicy.CASCADE_UNUSED: any(user[0] == "agents" for user in users),
            RemovalPolicy.CASCADE_ALL: False,
        }[policy]
        if is_refused:
            with pytest.raises(EntryInUseError):
                self.registry.remove(key, policy, expected_version=version)
        else:
            impact = self.registry.remove(key, policy, expected_version=version)
            assert (impact.version, set(impact.removed)) == (version + 1, {key, *users})
            self.publish({other: spec for other, spec in self.content.items() if other not in impact.removed})

    @rule(back=st.integers(0, LIMIT + 1))
    def rollback(self, back):
        version = self.registry.version - back
        if back >= LIMIT or version < 1:
            with pytest.raises(VersionNotKeptError):
                self.registry.rollback(version)
        else:
            self.registry.rollback(version)
            self.publish(self.contents[version])

    @rule()
    def fail(self):
        with pytest.raises(ZeroDivisionError):
            self.registry.update(lambda draft: (draft.clear(*NAMESPACES), 1 // 0))

    @invariant()
    def content_is_that_of_the_model(self):
        snapshot = self.registry.snapshot()
        found = {(name, one): spec for name in NAMESPACES for one, spec in getattr(snapshot, name).items()}

        assert found == self.content
        assert is_valid(found)
        assert not [fault for fault in snapshot.diagnose() if fault.severity == "error"]

    @invariant()
    def versions_history_and_news_are_those_of_the_model(self):
        version = max(self.contents)

        assert self.registry.version == version
        assert [entry.version for entry in self.registry.history()] == list(range(1, version + 1))[-LIMIT:]
        assert self.told == list(range(2, version + 1))


TestRegistry = RegistryMachine.TestCase
TestRegistry.settings = settings(
    max_examples=60, stateful_step_count=25, derandomize=True, deadline=None, database=None
)


@pytest.mark.long
class TestRegistryAtLength(RegistryMachine.TestCase):
    settings = settings(max_examples=600, stateful_step_count=60, derandomize=True, deadline=None, database=None)
