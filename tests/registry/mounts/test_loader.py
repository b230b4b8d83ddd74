from __future__ import annotations

from functools import partial
from threading import Event

import pytest

from harness.registry import InvalidIdError, NestedBuildError
from harness.registry.mounts import ModuleLoader

pytestmark = pytest.mark.portable


class Resolver:
    """Finds a mount function that gives back what it was called with; counts the calls."""

    def __init__(self, failures=0):
        self.calls = []
        self.failures = failures

    def __call__(self, module):
        self.calls.append(module)
        if len(self.calls) <= self.failures:
            raise LookupError(module)
        return lambda target, config: (module, target, config)


def test_one_module_with_two_configs_gives_two_closures():
    # amplifier R1, C1
    loader = ModuleLoader(Resolver())
    one = loader.load("provider-anthropic", {"model": "sonnet"})
    two = loader.load("provider-anthropic", {"model": "opus"})

    assert one is not two
    assert one("here")[2] == {"model": "sonnet"}
    assert two("here")[2] == {"model": "opus"}


def test_three_loads_resolve_once():
    # amplifier R2, C2
    resolver = Resolver()
    loader = ModuleLoader(resolver)
    for _ in range(3):
        loader.load("provider-anthropic")

    assert resolver.calls == ["provider-anthropic"]


def test_a_load_passes_exactly_its_config():
    # amplifier C3
    mount = ModuleLoader(Resolver()).load("provider-anthropic", {"priority": 1})

    assert mount("here") == ("provider-anthropic", "here", {"priority": 1})


def test_no_config_binds_an_empty_one():
    # amplifier R1, C20
    assert ModuleLoader(Resolver()).load("provider-anthropic", None)("here")[2] == {}


def test_later_changes_to_the_plan_do_not_show_through():
    # amplifier R9, C25, P5
    config = {"headers": {"x": "1"}}
    mount = ModuleLoader(Resolver()).load("provider-anthropic", config)
    config["headers"]["x"] = "2"
    config["more"] = True

    assert mount("here")[2] == {"headers": {"x": "1"}}


def test_the_bound_config_cannot_be_changed():
    # amplifier R9
    config = ModuleLoader(Resolver()).load("provider-anthropic", {"models": ["a"]})("here")[2]

    with pytest.raises(TypeError):
        config["models"] = []
    assert config["models"] == ("a",)


def test_concurrent_loads_of_one_module_share_one_resolution(together):
    # amplifier R7, C22, P3
    resolver = Resolver()
    loader = ModuleLoader(resolver)

    mounts = together([partial(loader.load, "provider-anthropic", {"n": number}) for number in range(16)])

    assert resolver.calls == ["provider-anthropic"]
    assert [mount("here")[2]["n"] for mount in mounts] == list(range(16))


def test_another_module_is_not_held_up_by_a_resolution(together):
    # amplifier R7
    inside, release = Event(), Event()

    def resolve(module):
        if module == "slow":
            inside.set()
            release.wait()
        return lambda target, config: module

    loader = ModuleLoader(resolve)

    def load_quick():
        inside.wait()
        mounted = loader.load("quick")("here")
        release.set()
        return mounted

    slow, quick = together([lambda: loader.load("slow")("here"), load_quick])

    assert (slow, quick) == ("slow", "quick")


def test_the_next_load_after_a_failure_tries_again():
    # amplifier R7, P3
    resolver = Resolver(failures=1)
    loader = ModuleLoader(resolver)

    with pytest.raises(LookupError):
        loader.load("provider-anthropic")
    assert loader.load("provider-anthropic")("here")[1] == "here"
    assert len(resolver.calls) == 2


def test_a_module_that_loads_itself_is_refused():
    loader = ModuleLoader(lambda module: loader.load(module))

    with pytest.raises(NestedBuildError, match="already building the module 'provider-anthropic'"):
        loader.load("provider-anthropic")


def test_a_blank_module_is_refused():
    with pytest.raises(InvalidIdError, match="module wants text that is not blank"):
        ModuleLoader(Resolver()).load(" ")
