"""What the rewriter does to a piece of source."""

from __future__ import annotations

import ast
import textwrap

from harness.instrument import SiteTable
from harness.instrument.hooks import _OPERATIONS, HOOKS_NAME
from harness.instrument.nodes import nodes_of
from harness.instrument.rewrite import rewrite
from harness.instrument.stores import stored_names


def hooks_in(source: str, function: str | None = None) -> list[str]:
    """Return the hooks of the rewritten source, or of one function in it, as "hook name", in source order."""
    tree = ast.parse(textwrap.dedent(source))
    sites = SiteTable()
    rewrite(tree, file="sample.py", digest="digest", stored=stored_names(nodes_of(tree)), sites=sites)
    root = next((node for node in ast.walk(tree) if getattr(node, "name", None) == function), tree)
    calls = [node for node in ast.walk(root) if isinstance(node, ast.Call) and is_hook(node.func)]
    named = [(site_of(call), call.func.attr) for call in calls]  # type: ignore[attr-defined]
    ordered = sorted((number, hook) for number, hook in named if number is not None)
    return [f"{hook} {sites[number].name}" if sites[number].name else hook for number, hook in ordered]


def is_hook(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == HOOKS_NAME


def site_of(call: ast.Call) -> int | None:
    hook = call.func.attr  # type: ignore[attr-defined]
    if hook in _OPERATIONS or hook == "contents":
        return None
    site = call.args[1] if hook in {"called", "called_with", "args", "ready"} else call.args[-1]
    assert isinstance(site, ast.Constant)
    return site.value
