"""A view's ES module alone in a page, with a stand-in for the widget's model and the real Python behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from harness.views.page import STYLE, module_text

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["open_module"]

Answering = Callable[[dict[str, Any]], Mapping[str, object]]

_MOUNT = """async ([source, style, state]) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
  const heard = {};
  const change = (name, value) => { state[name] = value; (heard[`change:${name}`] ?? []).forEach((hear) => hear()); };
  const model = {
    get: (name) => state[name], set: (name, value) => (state[name] = value),
    on: (name, hear) => (heard[name] ??= []).push(hear), off() {},
    save_changes: async () => {
      for (const [name, value] of Object.entries(await answer(state.query))) change(name, value);
    },
  };
  window.change = change;
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const main = document.createElement("main");
  document.body.replaceChildren(main);
  module.default.render({ model, el: main });
}"""


def open_module(page: Page, name: str, state: Mapping[str, object], answer: Answering, *, theme: str = "light") -> None:
    """Show a view; ``answer`` gives the traits that change for a question."""
    page.expose_function("answer", lambda query: json.loads(json.dumps(answer(query))))
    page.goto("about:blank")
    page.set_content('<!DOCTYPE html><html lang="en"><head><title>view</title></head><body></body></html>')
    page.evaluate("(isLight) => (document.body.dataset.jpThemeLight = isLight)", json.dumps(theme == "light"))
    page.evaluate(_MOUNT, [module_text(name), STYLE, dict(state)])
