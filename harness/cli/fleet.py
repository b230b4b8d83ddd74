"""A fleet file: its dependency graph, and what the removal of a provider would do."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from harness.cli.errors import WrongUseError
from harness.cli.exit_code import ExitCode
from harness.cli.output import echo_json, echo_table
from harness.registry import DependencyGraph, Key, ProviderRemovalPolicy, Registry, RemovalReport, report_removal
from harness.views import graph, impact
from harness.views.errors import ViewError
from harness.views.theme import Theme

__all__ = ["show_graph", "show_impact", "write_whole"]


def show_graph(fleet: str, asked: Mapping[str, Any], *, output: str | None, dark: bool, force: bool) -> ExitCode:
    """Print who needs whom, or write it to a file.

    Args:
        fleet: Fleet file or model catalogue.
        asked: What ``views.graph`` is asked.
        output: File to write, by its ending a picture, a page, mermaid or a table; ``None`` prints text.
        dark: Draw a picture for a dark ground.
        force: Overwrite the file if it exists.

    Raises:
        RegistryFileError: the fleet file is not in order.
        WrongUseError: the question cannot be asked, or the file not be written; nothing was.
    """
    target = None if output is None else _check_target(Path(output), (".svg", ".html", ".mmd", ".csv"), force=force)
    snapshot = Registry.from_file(fleet).snapshot()
    try:
        view = graph(snapshot, **asked)
    except ViewError as error:
        problem, _, remedy = str(error).rpartition("; ")
        raise WrongUseError(problem, remedy) from error
    if target is None:
        typer.echo("\n".join([view.text, *_listing(view.drawn)]))
    else:
        theme: Theme = "dark" if dark else "light"
        makers = {".html": view.to_html, ".mmd": view.to_mermaid, ".csv": view.to_csv}
        write_whole(target, makers.get(target.suffix.lower(), lambda: view.to_svg(theme))())
        typer.echo(f"{target}: {view.text}", err=True)
    return ExitCode.HOLDS


def show_impact(
    fleet: str, provider: str, *, policy: str | None, output: str | None, dark: bool, force: bool, as_json: bool
) -> ExitCode:
    """Print what each removal policy would do to a provider, and everyone who needs it, or write it to a file.

    Raises:
        RegistryError: the fleet file is not in order, or has no such provider.
        WrongUseError: there is no such policy, or the file cannot be written; nothing was.
    """
    target = None if output is None else _check_target(Path(output), (".svg", ".html", ".csv"), force=force)
    chosen = None if policy is None else _policy(policy)
    registry = Registry.from_file(fleet)
    report = report_removal(registry.snapshot(), provider)
    if target is not None:
        view = impact(registry, ("providers", provider), policy=chosen)
        theme: Theme = "dark" if dark else "light"
        makers: dict[str, Callable[[], str]] = {".html": view.to_html, ".csv": view.to_csv}
        write_whole(target, makers.get(target.suffix.lower(), lambda: view.to_svg(theme))())
        typer.echo(f"{target}: {view.text}", err=True)
    elif as_json:
        echo_json(_report_json(report))
    else:
        _echo_report(report)
    return ExitCode.HOLDS


def write_whole(target: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all.

    Raises:
        WrongUseError: it cannot be written.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise WrongUseError(
            f"{str(target)!r} is to be written, got {error.strerror or error}", "check the directory"
        ) from error


def _policy(name: str) -> ProviderRemovalPolicy:
    known = {policy.value: policy for policy in ProviderRemovalPolicy}
    if name.replace("-", "_") not in known:
        raise WrongUseError(f"a policy is wanted, got {name!r}", f"pass one of {', '.join(known)}")
    return known[name.replace("-", "_")]


def _check_target(target: Path, endings: tuple[str, ...], *, force: bool) -> Path:
    if target.suffix.lower() not in endings:
        wanted = " or ".join([", ".join(endings[:-1]), endings[-1]])
        raise WrongUseError(f"a file is wanted, {str(target)!r} does not end in {wanted}", "name one that does")
    if target.is_dir():
        raise WrongUseError(f"a file is wanted, {str(target)!r} is a directory", f"name {target}/FILE{target.suffix}")
    if target.exists() and not force:
        raise WrongUseError(f"{str(target)!r} is to be written, it exists", "pass --force to overwrite it")
    return target


def _listing(dependencies: DependencyGraph) -> Iterator[str]:
    """Yield one line per entry: what it needs."""
    needs: defaultdict[Key, list[str]] = defaultdict(list)
    for edge in dependencies.edges:
        needs[edge.source].append(f"{edge.relation} {edge.target[1]}")
    for node in dependencies.nodes:
        needed = f" → {', '.join(needs[node.key])}" if node.key in needs else ""
        yield f"{_name(node.key)}{' (remote)' if node.remote else ''}{needed}"


def _echo_report(report: RemovalReport) -> None:
    preview = report.preview
    typer.echo(f"removal of provider {preview.provider_id} from registry version {preview.version}")
    outcomes = [
        (
            outcome.policy.value,
            "yes" if outcome.is_allowed else "no",
            _names(outcome.removed),
            _names(outcome.blocked_by),
        )
        for outcome in report.outcomes
    ]
    typer.echo()
    echo_table(("policy", "allowed", "would remove", "blocked by"), outcomes)
    typer.echo()
    if not report.affected:
        typer.echo("nothing needs it")
        return
    affected = [
        (_name(entry.key), "yes" if entry.is_counted else "no, remote", entry.describe_path())
        for entry in report.affected
    ]
    echo_table(("needs it", "counts as user", "path"), affected)


def _report_json(report: RemovalReport) -> dict[str, object]:
    return {
        "provider": report.preview.provider_id,
        "version": report.preview.version,
        "policies": [
            {
                "policy": outcome.policy.value,
                "allowed": outcome.is_allowed,
                "removed": [_key_json(key) for key in outcome.removed],
                "blocked_by": [_key_json(key) for key in outcome.blocked_by],
            }
            for outcome in report.outcomes
        ],
        "affected": [
            {
                **_key_json(entry.key),
                "counted": entry.is_counted,
                "path": [_key_json(key) for key in entry.path],
            }
            for entry in report.affected
        ],
    }


def _key_json(key: Key) -> dict[str, str]:
    return {"namespace": key[0], "id": key[1]}


def _names(keys: tuple[Key, ...]) -> str:
    return ", ".join(_name(key) for key in keys) or "nothing"


def _name(key: Key) -> str:
    return "/".join(key)
