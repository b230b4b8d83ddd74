"""A module loader whose cache hands one instance's configuration to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.pitfalls.fleet import run_together
from harness.pitfalls.pitfall import Pitfall
from harness.registry.mounts import ModuleLoader

__all__ = ["LOADER_CLOSURE_CACHE"]

Mount = Callable[[str], str]
Load = Callable[[str, Mapping[str, object]], Mount]


def resolve(module: str) -> Callable[[str, Mapping[str, object]], str]:
    """Find a module's mount function."""
    return lambda target, config: f"{target} {module} {config['model']}"


def loader_sharing_closures() -> Load:
    """Loads of one module that overlap share a closure, and with it the configuration of whoever came first."""
    loading: dict[str, Mount] = {}

    def load(module: str, config: Mapping[str, object]) -> Mount:
        closure = loading.get(module)
        if closure is None:
            mount = resolve(module)
            closure = loading[module] = lambda target: mount(target, config)
        loading.pop(module, None)
        return closure

    return load


def loader() -> Load:
    """Loads share what they resolve; each binds its own configuration."""
    return ModuleLoader(resolve).load


def two_instances(make_loader: Callable[[], Load]) -> None:
    """Two threads load one module with a configuration each; each instance must have its own."""
    load = make_loader()
    mounted: dict[str, str] = {}

    def sonnet() -> None:
        mounted["sonnet"] = load("provider-anthropic", {"model": "sonnet"})("mount")

    def opus() -> None:
        mounted["opus"] = load("provider-anthropic", {"model": "opus"})("mount")

    run_together(sonnet, opus)
    for model, result in sorted(mounted.items()):
        assert result == f"mount provider-anthropic {model}", f"instance {model} has {result!r}"


def broken() -> None:
    """Mix configurations up under some schedules."""
    two_instances(loader_sharing_closures)


def mended() -> None:
    """Keep them apart under all."""
    two_instances(loader)


LOADER_CLOSURE_CACHE = Pitfall(
    id="loader-closure-cache",
    title="a second instance of a module gets the first one's configuration",
    origin="amplifier R1, P3, P5",
    family="shared closure",
    broken=broken,
    mended=mended,
    program=two_instances,
    replaced=(loader_sharing_closures, loader),
    instrument=("harness.registry", "harness.pitfalls.fleet"),
    lesson="Cache what is the same for all, the raw function; bind what differs in a new closure for each.",
)
