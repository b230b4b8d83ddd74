"""What breaks if this is removed: the question before every removal, as a picture, a table and a button.

``consequences`` answers, ``impact_drawing`` draws, ``removing`` carries out, ``following`` keeps the answer up to date.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from harness.registry import NAMESPACES, DependencyGraph, Key, Registry, RegistryError, RemovalPolicy, Snapshot
from harness.views.consequences import Consequences, name_of, removal_consequences
from harness.views.entry import Entry, find_entry
from harness.views.errors import InvalidChoiceError, ReadOnlyViewError
from harness.views.exchange import write_csv
from harness.views.grouping import Picture, collapse
from harness.views.impact_drawing import draw_impact
from harness.views.live import live_bundle
from harness.views.removing import bring_back, remove
from harness.views.text import clean
from harness.views.theme import DARK, Theme, in_theme

if TYPE_CHECKING:
    import pandas as pd

    from harness.views.widget import PictureWidget

__all__ = ["ImpactView", "impact"]

_MAX_BOXES = 60


@final
@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen at one version under one policy. Immutable."""

    snapshot: Snapshot
    found: Consequences
    picture: Picture
    svg: str


def _look_at(snapshot: Snapshot, wanted: tuple[Key, ...], policy: RemovalPolicy | None) -> _Look:
    whole = snapshot.graph()
    found = removal_consequences(snapshot, wanted, policy, graph=whole)
    kinds = {c.key: f"{c.state} {c.cause}" for c in found.touched}
    part = DependencyGraph(
        tuple(node for node in whole.nodes if node.key in kinds),
        tuple(edge for edge in whole.edges if edge.source in kinds and edge.target in kinds),
    )
    picture = collapse(part, _MAX_BOXES, keep=frozenset(found.targets), kinds=kinds)
    return _Look(snapshot, found, picture, draw_impact(picture, found, f"Removal of {found.subject}", _counts(found)))


@final
class ImpactView:
    """What a removal would do to a registry as it is now. Confined to the thread that made it.

    Every look is at the current version; in a live notebook the display follows it, whoever publishes.

    Args:
        registry: The registry.
        wanted: Keys of what is to be removed.
        policy: What may be taken along, ``None`` to look only.
        writable: Whether ``apply`` and ``undo`` may change the registry.
    """

    def __init__(
        self, registry: Registry, wanted: tuple[Key, ...], policy: RemovalPolicy | None, *, writable: bool
    ) -> None:
        self._registry, self._wanted, self.policy, self.writable = registry, wanted, policy, writable
        self._applied: int | None = None  # the version published by ``apply``, until it is undone
        self._seen: _Look | None = None  # the last look, kept while neither version nor policy changed
        self._said = ("", 0)  # what came of the last press of a button, and the version it is shown with
        self._widget: PictureWidget | None = None

    def __repr__(self) -> str:
        return self.text

    @property
    def consequences(self) -> Consequences:
        """What the removal would do to each entry, at the current version."""
        return self._look().found

    @property
    def text(self) -> str:
        """The answer in one line."""
        return _text(self.consequences)

    @property
    def svg(self) -> str:
        """The picture, complete and deterministic."""
        return self._look().svg

    @property
    def can_undo(self) -> bool:
        """Whether ``undo`` would bring back what ``apply`` removed: nobody has published since."""
        return self._applied is not None and self._applied == self._registry.version

    def apply(self) -> int:
        """Remove under the policy; return the version published.

        Raises:
            ReadOnlyViewError: The view is not writable, or has no policy.
            EntryInUseError: The policy forbids it.
            VersionConflictError: Somebody published in between.
        """
        return self._apply(self._registry.version)

    def undo(self) -> int:
        """Bring back what ``apply`` removed, by a rollback; return the version published.

        Raises:
            ReadOnlyViewError: There is nothing to undo.
            VersionConflictError: Somebody published since; undoing would undo that too.
            VersionNotKeptError: The registry keeps no history.
        """
        if self._applied is None:
            raise ReadOnlyViewError("undo", "nothing was applied by it; call apply first")
        version = bring_back(self._registry, self._applied)
        self._applied = None
        self.refresh()
        return version

    def refresh(self) -> None:
        """Draw the current version in the open display; a live kernel does so by itself."""
        if self._widget is not None:
            self._widget.picture = self.for_page()

    def to_svg(self, theme: Theme = "light") -> str:
        """Return the picture as an SVG file's text."""
        return in_theme(self.svg, theme)

    def to_html(self) -> str:
        """Return a page that works from disk: picture and table, without the buttons."""
        from harness.views.page import page

        state = {"data": self.page_data(), "picture": self.for_page(), "query": {}, "live": False}
        return page(f"Removal of {self.consequences.subject}", "impact", self.svg, state)

    def to_csv(self) -> str:
        """Return the table of ``to_frame`` as CSV; a cell that a spreadsheet would run gets an apostrophe."""
        rows = [(c.state, *c.key, c.cause, str(len(c.path) - 1), c.describe_path()) for c in self.consequences.touched]
        return write_csv(("state", "namespace", "id", "cause", "distance", "path"), rows)

    def to_frame(self) -> pd.DataFrame:
        """Return the entries touched as a table.

        Returns:
            One row per entry, by state, namespace and id: ``state`` category of removed, cascaded, broken, kept;
            ``namespace`` str; ``id`` str; ``cause`` str; ``distance`` int64, references between it and what is
            removed; ``path`` str.
        """
        return self.consequences.to_frame()

    def widget(self) -> PictureWidget:
        """Return the interactive view, the same one each time. Needs a running kernel to be of use."""
        from harness.views.widget import impact_widget

        if self._widget is None:
            self._widget = impact_widget(self, self._registry)
        return self._widget

    def page_data(self) -> dict[str, object]:
        """Return what the page is told once."""
        return {"policies": [policy.value for policy in RemovalPolicy], "writable": self.writable, "dark": DARK}

    def for_page(self) -> dict[str, object]:
        """Return what the page shows now."""
        look = self._look()
        found = look.found
        rows = [
            [c.state, c.key[0].replace("_", " ").removesuffix("s"), c.key[1], c.cause, c.describe_path()]
            for c in found.touched
        ]
        number = {consequence.key: position for position, consequence in enumerate(found.touched)}
        return {
            "svg": look.svg,
            "text": _text(found),
            "verdict": found.verdict,
            "message": self._said[0] if self._said[1] == found.version else "",
            "version": found.version,
            "policy": "" if self.policy is None else self.policy.value,
            "allowed": found.is_allowed is True and bool(found.targets),
            "undo": self.writable and self.can_undo,
            "rows": rows,
            "boxes": [[number[node.key] for node in box.members] for box in look.picture.boxes],
        }

    def answer(self, asked: dict[str, object]) -> dict[str, object]:
        """Return what the page shows after a choice or a press; a refusal is told, not raised."""
        message = ""
        values = {policy.value: policy for policy in RemovalPolicy}
        try:
            if asked.get("action") == "apply":
                seen = asked.get("version")
                message = f"removed in version {self._apply(seen if isinstance(seen, int) else -1)}"
            elif asked.get("action") == "undo" and self.writable:
                message = f"brought back in version {self.undo()}"
            elif asked.get("action") != "undo":
                self.policy = values.get(str(asked.get("policy")))
        except (RegistryError, ReadOnlyViewError) as error:
            message = f"not done: {error}"
        self._said = (message, self._registry.version)
        return self.for_page()

    def _apply(self, seen: int) -> int:
        if not self.writable:
            raise ReadOnlyViewError("apply", "it only shows; make it with writable=True")
        if self.policy is None:
            raise ReadOnlyViewError("apply", "it has no policy; choose what may be taken along")
        self._applied = remove(self._registry, self._wanted, self.policy, seen)
        self.refresh()
        return self._applied

    def _look(self) -> _Look:
        snapshot = self._registry.snapshot()
        if self._seen is None or (self._seen.snapshot, self._seen.found.policy) != (snapshot, self.policy):
            self._seen = _look_at(snapshot, self._wanted, self.policy)
        return self._seen

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:  # noqa: ARG002
        look = self._look()
        return live_bundle(_text(look.found), look.svg, self.widget)


def impact(
    registry: Registry, *entries: Entry, policy: RemovalPolicy | None = None, writable: bool = False
) -> ImpactView:
    """Return what removing entries would do: what goes, what breaks, what is taken along, what is kept, and why.

    The numbers are those of ``registry.preview_remove``. Deterministic at a given version.

    Args:
        registry: The registry; nothing in it changes unless ``writable`` and somebody says so.
        entries: What is to be removed, each an id or (namespace, id).
        policy: What may be taken along; ``None`` to see what would break.
        writable: Whether the view may carry the removal out, and undo it.

    Returns:
        The view; a notebook shows it and keeps it up to date, elsewhere its text is shown.

    Raises:
        InvalidChoiceError: No entry is named.
        UnknownEntryError: An entry is not registered.
        AmbiguousEntryError: An id alone does not say which entry is meant.
    """
    if not entries:
        raise InvalidChoiceError("entries", "", ("an id", "(namespace, id)"))
    snapshot = registry.snapshot()
    known = {(namespace, entry) for namespace in NAMESPACES for entry in getattr(snapshot, namespace)}
    wanted = tuple(find_entry(known, entry, snapshot.version) for entry in entries)
    return ImpactView(registry, wanted, policy, writable=writable)


def _text(found: Consequences) -> str:
    names = " and ".join(map(name_of, (*found.targets, *found.missing)))
    line = f"removal of {names} from registry version {found.version}: {_counts(found)}; {found.verdict}"
    return clean(line)


def _counts(found: Consequences) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in found.counts.items())
