// What all views share: elements, theme, and a stage on which a picture is shown, zoomed, panned and walked by keys.
// No imports. Every text that is not ours goes in as textContent; pictures are escaped where they are drawn.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

function choice(name, options, changed) {
  const select = make("select", { onchange: () => changed(select.value) });
  for (const [value, text] of options) select.append(make("option", { value }, text));
  return [make("label", {}, `${name} `, select), select];
}

// The element of a view. A key pressed in it is for it: JupyterLab would take plain ones for shortcuts of its own, and
// insert a cell when somebody types into a choice. Those with Ctrl, Meta or Alt stay the host's.
function makeRoot(label) {
  const root = make("section", { class: "harness-view", "aria-label": label });
  root.addEventListener("keydown", (event) => event.ctrlKey || event.metaKey || event.altKey || event.stopPropagation());
  return root;
}

// Follow the theme of the host: JupyterLab, VS Code, else what the reader's system prefers.
function followTheme(root, changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const read = () => {
    const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
    const dark = jpThemeLight ? jpThemeLight === "false" : (vscodeThemeKind ?? String(system.matches)).match(/dark|true/);
    const theme = dark ? "dark" : "light";
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    changed(theme);
  };
  const watch = new MutationObserver(read);
  watch.observe(document.body, { attributes: true });
  system.addEventListener("change", read);
  read();
  return () => (watch.disconnect(), system.removeEventListener("change", read));
}

function inTheme(svg, theme, dark) {
  return theme === "dark" ? svg.replace(/="(#[0-9a-f]{6})"/g, (all, colour) => `="${dark[colour] ?? colour}"`) : svg;
}

function download(name, text, type) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// A scrollable picture. `chosen(box, event)` is called on click, Enter and Space; `pressed(event)` on all other keys.
function makeStage(label, { chosen = () => {}, pressed = () => {} } = {}) {
  const view = make("div", { class: "hv-stage", role: "region", "aria-label": label, tabindex: "0" });
  let svg, size, scale = 1, nodes = [], current = 0, drag = null;

  function show(markup, keep) {
    const held = svg && svg.contains(document.activeElement);
    view.innerHTML = markup;
    svg = view.firstElementChild;
    size = [Number(svg.getAttribute("width")), Number(svg.getAttribute("height"))];
    const name = svg.querySelector("title");
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", name.textContent);
    name.remove(); // else it is the tooltip of everything
    nodes = [...svg.querySelectorAll("[data-node]")];
    for (const node of nodes) {
      node.setAttribute("role", "button"); // its name is its title
      node.setAttribute("tabindex", "-1");
    }
    current = Math.max(0, Math.min(keep ?? 0, nodes.length - 1));
    nodes[current]?.setAttribute("tabindex", "0");
    zoom(1);
    if (held) nodes[current]?.focus({ preventScroll: true });
    // The host may put the view into the page only after it was drawn.
    if (keep !== undefined && nodes[current]) requestAnimationFrame(() => nodes[current] && reveal(nodes[current]));
  }

  function zoom(factor) {
    const [x, y] = [view.scrollLeft + view.clientWidth / 2, view.scrollTop + view.clientHeight / 2];
    const before = scale;
    scale = Math.min(4, Math.max(0.2, scale * factor));
    svg.setAttribute("width", size[0] * scale);
    svg.setAttribute("height", size[1] * scale);
    if (scale === before) return;
    view.scrollLeft = (x * scale) / before - view.clientWidth / 2;
    view.scrollTop = (y * scale) / before - view.clientHeight / 2;
  }

  function fit() {
    zoom(Math.min(1, (view.clientWidth - 2) / size[0]) / scale);
  }

  function reveal(node) {
    const [box, frame] = [node.getBoundingClientRect(), view.getBoundingClientRect()];
    if (box.top < frame.top || box.bottom > frame.bottom) view.scrollTop += box.top - frame.top - frame.height / 2;
    if (box.left < frame.left || box.right > frame.right) view.scrollLeft += box.left - frame.left - frame.width / 2;
  }

  function move(x, y) {
    const middle = (node) => {
      const box = node.getBBox();
      return [box.x + box.width / 2, box.y + box.height / 2];
    };
    const [fromX, fromY] = middle(nodes[current]);
    let best = -1, least = Infinity;
    nodes.forEach((node, i) => {
      const [dx, dy] = [middle(node)[0] - fromX, middle(node)[1] - fromY];
      const [along, aside] = x ? [dx * x, Math.abs(dy)] : [dy * y, Math.abs(dx)];
      if (i !== current && along > 4 && along + 3 * aside < least) [best, least] = [i, along + 3 * aside];
    });
    if (best >= 0) focusBox(best);
  }

  function focusBox(box) {
    nodes[current]?.setAttribute("tabindex", "-1");
    current = box;
    nodes[current].setAttribute("tabindex", "0");
    nodes[current].focus({ preventScroll: true });
    reveal(nodes[current]);
  }

  const boxOf = (event) => {
    const node = event.target.closest?.("[data-node]");
    return node ? nodes.indexOf(node) : -1;
  };
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  view.addEventListener("keydown", (event) => {
    const box = boxOf(event);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves && box >= 0) move(...moves[event.key]);
    else if ((event.key === "Enter" || event.key === " ") && box >= 0) chosen(box, event);
    else if (event.key === "+") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else if (event.key === "0") fit();
    else if (!pressed(event, box)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  view.addEventListener("click", (event) => {
    const box = boxOf(event);
    if (box < 0 || drag?.moved) return;
    focusBox(box);
    chosen(box, event);
  });
  view.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, y: event.clientY, left: view.scrollLeft, top: view.scrollTop, moved: false, down: true };
  });
  view.addEventListener("pointermove", (event) => {
    if (!drag?.down || !(event.buttons & 1)) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    drag.moved ||= Math.hypot(dx, dy) > 5;
    if (drag.moved) [view.scrollLeft, view.scrollTop] = [drag.left - dx, drag.top - dy];
  });
  view.addEventListener("pointerup", () => drag && (drag.down = false));
  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
  }, { passive: false });

  const buttons = [["−", "Zoom out", () => zoom(0.8)], ["+", "Zoom in", () => zoom(1.25)], ["Fit", "Fit to width", fit]].map(
    ([text, name, act]) => make("button", { type: "button", title: name, "aria-label": name, onclick: act }, text),
  );
  return { view, show, focusBox, buttons, svg: () => svg, nodes: () => nodes };
}
