// The dependency graph: asks by mouse and keyboard. With Python behind it each question gives a new picture; without, in
// an exported page, what was not asked for is dimmed.

const MOST_ROWS = 60;
const amount = (number) => number.toLocaleString("en");

function readGraph(data) {
  const needs = data.nodes.map(() => []), neededBy = data.nodes.map(() => []);
  for (const [source, target] of data.edges) {
    needs[source].push(target);
    neededBy[target].push(source);
  }
  const single = data.namespaces.map((name) => name.replace("_", " ").replace(/s$/, ""));
  const name = (node) => `${single[data.nodes[node][0]]} ${data.nodes[node][1]}`;
  return { needs, neededBy, single, name };
}

function reach(neighbours, start, depth = -1) {
  const found = new Set(start);
  for (let frontier = start; frontier.length && depth-- !== 0; ) {
    frontier = [...new Set(frontier.flatMap((node) => neighbours[node]))].filter((node) => !found.has(node));
    frontier.forEach((node) => found.add(node));
  }
  return found;
}

function shortest(needs, source, target) {
  const from = new Map([[source, -1]]);
  for (const node of from.keys()) {
    if (node === target) {
      const path = [];
      for (let at = target; at >= 0; at = from.get(at)) path.unshift(at);
      return path;
    }
    for (const next of needs[node]) if (!from.has(next)) from.set(next, node);
  }
  return [];
}

// The same texts as harness/registry/graph_export.py and harness/views/exchange.py.
function toMermaid(data, nodes) {
  const number = new Map([...nodes].sort((a, b) => a - b).map((node, i) => [node, i]));
  const escapes = { "#": "#35;", '"': "#quot;", "&": "#amp;", "<": "#lt;", ">": "#gt;" };
  const quoted = (text) => text.split(/\s+/).filter(Boolean).join(" ").replace(/[#"&<>]/g, (character) => escapes[character]);
  const remote = 1 << data.statuses.indexOf("remote");
  const lines = ["flowchart LR"];
  for (const [node, i] of number) {
    const [namespace, , label, statuses] = data.nodes[node];
    const [opening, closing] = statuses & remote ? ["([", "])"] : ["[", "]"];
    lines.push(`  n${i}${opening}"${quoted(`${data.namespaces[namespace]}: ${label}`)}"${closing}`);
  }
  for (const [source, target, relation] of data.edges)
    if (number.has(source) && number.has(target))
      lines.push(`  n${number.get(source)} -->|${data.relations[relation]}| n${number.get(target)}`);
  return lines.join("\n") + "\n";
}

function toCsv(data, nodes) {
  const cell = (text) => {
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const key = (node) => [data.namespaces[data.nodes[node][0]], data.nodes[node][1]];
  const rows = [["source_namespace", "source", "relation", "target_namespace", "target"]];
  for (const [source, target, relation] of data.edges)
    if (nodes.has(source) && nodes.has(target)) rows.push([...key(source), data.relations[relation], ...key(target)]);
  return rows.map((row) => row.map(cell).join(",") + "\n").join("");
}

function render({ model, el }) {
  const data = model.get("data");
  const { needs, neededBy, single, name } = readGraph(data);
  const asked = { ...model.get("query") };
  let wanted = new Set();

  const root = makeRoot("Dependency graph");
  const status = make("p", { class: "hv-status", role: "status" });
  const stage = makeStage("Picture of the graph", { chosen: (box, event) => choose(model.get("picture").boxes[box], event.shiftKey), pressed });
  const search = make("input", { type: "search", placeholder: "id, then Enter", oninput: list, onkeydown: searchKey });
  const body = make("tbody");
  const more = make("p", { class: "hv-more" });
  const heading = make("caption");
  const depths = [[0, "not at all"], [1, "1 level"], [2, "2 levels"], [3, "3 levels"], [4, "4 levels"], [-1, "all levels"]];
  const [upLabel, up] = choice("Needed by", depths, (value) => ask({ up: Number(value) }));
  const [downLabel, down] = choice("Needs", depths, (value) => ask({ down: Number(value) }));
  const any = (words) => [["", "any"], ...words.map((word) => [word, word])];
  const [statusLabel, byStatus] = choice("Status", any(data.statuses), (value) => ask({ status: value }));
  const [tagLabel, byTag] = choice("Tag", any(data.tags), (value) => ask({ tag: value }));
  const present = new Set(data.nodes.map((node) => node[0]));
  const boxes = [...present].sort().map((number) => {
    const box = make("input", { type: "checkbox", onchange: hide, value: String(number) });
    return [box, make("label", {}, box, ` ${single[number]}s`)];
  });
  const button = (text, act, title = null) => make("button", { type: "button", onclick: act, title }, text);
  const all = button("Show all", () => ask({ focus: [], path: -1, status: "", tag: "", hidden: [] }), "Escape");
  const bar = make(
    "div", { class: "hv-bar", role: "group", "aria-label": "Ask" },
    make("label", {}, "Search ", search), upLabel, downLabel, statusLabel, ...(data.tags.length ? [tagLabel] : []), all,
  );
  const second = make(
    "div", { class: "hv-bar", role: "group", "aria-label": "Show" },
    make("fieldset", {}, make("legend", {}, "Show"), ...boxes.map(([, label]) => label)),
    make("span", { class: "hv-end" }, ...stage.buttons,
      button("SVG", () => download("graph.svg", inTheme(model.get("picture").svg, root.dataset.theme, data.dark), "image/svg+xml"), "Save the picture"),
      button("Mermaid", () => download("graph.mmd", toMermaid(data, wanted), "text/plain"), "Save as mermaid text"),
      button("CSV", () => download("graph.csv", toCsv(data, wanted), "text/csv"), "Save the references as a table")),
  );
  const columns = ["Entry", "Needed by", "Needs", "Path"];
  const table = make("table", {}, heading, make("thead", {}, make("tr", {}, ...columns.map((text) => make("th", { scope: "col" }, text)))), body);
  const side = make("div", { class: "hv-side", role: "region", "aria-label": "Entries", tabindex: "0" }, table, more);
  const help = make("p", { class: "hv-more" },
    "Click or Enter: focus. Shift: path from the focus. Arrows: walk. / search, + − 0 zoom, Escape all. Counts: direct / in all.");
  root.append(bar, second, status, make("div", { class: "hv-body" }, stage.view, side), help);
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.target === search) return;
    all.click();
    event.stopPropagation();
  });

  function ask(change) {
    Object.assign(asked, change);
    controls();
    if (model.get("live")) {
      root.dataset.busy = "true";
      model.set("query", { ...asked });
      model.save_changes();
    } else dim();
    list();
    tell();
  }

  function controls() {
    [up.value, down.value, byStatus.value, byTag.value] = [asked.up, asked.down, asked.status, asked.tag];
    for (const [box] of boxes) box.checked = !asked.hidden.includes(Number(box.value));
  }

  function hide() {
    ask({ hidden: boxes.filter(([box]) => !box.checked).map(([box]) => Number(box.value)) });
  }

  function choose(members, isPath) {
    if (isPath && asked.focus.length && members[0] !== asked.focus[0]) ask({ path: members[0] });
    else ask({ focus: members, path: -1 });
  }

  function pressed(event, box) {
    if (event.key === "/") search.focus();
    else if (event.key === "p" && box >= 0) choose(model.get("picture").boxes[box], true);
    else return false;
    return true;
  }

  function searchKey(event) {
    const first = body.querySelector("button");
    if (event.key === "Enter" && search.value && first) first.click();
    else if (event.key === "ArrowDown" && first) first.focus();
    else if (event.key === "Escape") (search.value = ""), list();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // What is asked for, counted here as Python counts it.
  function select() {
    const hidden = (node) => asked.hidden.includes(data.nodes[node][0]);
    let found = new Set(data.nodes.keys());
    const path = pathNow();
    if (path) {
      found = path.length
        ? new Set([...reach(needs, [path[0]])].filter((node) => reach(neededBy, [path.at(-1)]).has(node)))
        : new Set([asked.focus[0], asked.path]);
    } else if (asked.focus.length || asked.status || asked.tag) {
      const bit = 1 << data.statuses.indexOf(asked.status), tag = data.tags.indexOf(asked.tag);
      const among = asked.focus.length ? asked.focus : [...data.nodes.keys()];
      const start = among.filter((node) => (!asked.status || data.nodes[node][3] & bit) && (!asked.tag || data.nodes[node][4] === tag));
      found = new Set([...reach(neededBy, start, asked.up), ...reach(needs, start, asked.down)]);
    }
    return new Set([...found].filter((node) => !hidden(node)));
  }

  function pathNow() {
    if (asked.path < 0 || !asked.focus.length) return null;
    const there = shortest(needs, asked.focus[0], asked.path);
    return there.length ? there : shortest(needs, asked.path, asked.focus[0]);
  }

  function dim() {
    const path = pathNow() ?? [], whole = wanted.size === data.nodes.length;
    const members = model.get("picture").boxes;
    const shown = members.map((box) => box.some((node) => wanted.has(node)));
    const onPath = members.map((box) => path.findIndex((node) => box.includes(node)));
    stage.nodes().forEach((node) => {
      const box = Number(node.dataset.node);
      node.classList.toggle("hv-dim", !shown[box]);
      node.classList.toggle("hv-focus", members[box].some((member) => asked.focus.includes(member) || member === asked.path));
    });
    for (const line of stage.svg().querySelectorAll("[data-edge]")) {
      const [source, target] = line.dataset.edge.split(" ").map(Number);
      const isStep = onPath[source] >= 0 && onPath[target] === onPath[source] + 1;
      line.classList.toggle("hv-dim", !(shown[source] && shown[target]) || (path.length > 0 && !isStep));
      line.classList.toggle("hv-path", isStep);
    }
    stage.svg().querySelector("[data-heads]")?.classList.toggle("hv-dim", !whole);
    const box = members.findIndex((box) => box.includes(asked.focus[0]));
    if (box >= 0 && stage.svg().contains(document.activeElement)) stage.focusBox(box);
  }

  function tell() {
    wanted = select();
    const path = pathNow(), [node] = asked.focus;
    const all = (way) => reach(way, asked.focus).size - asked.focus.length;
    if (path) status.textContent = path.length ? `Path: ${path.map(name).join(" → ")}` : `No path between ${name(node)} and ${name(asked.path)}`;
    else if (asked.focus.length === 1)
      status.textContent = `${name(node)}: needed by ${neededBy[node].length} directly, ${all(neededBy)} in all; needs ${needs[node].length} directly, ${all(needs)} in all`;
    else status.textContent = `${amount(wanted.size)} of ${amount(data.nodes.length)} entries${asked.focus.length ? ` around ${asked.focus.length}` : ""}`;
    if (!model.get("live")) dim();
  }

  function list() {
    wanted = select();
    const words = search.value.trim().toLowerCase();
    const found = words
      ? [...data.nodes.keys()].filter((node) => data.nodes[node][1].toLowerCase().includes(words))
      : [...wanted].sort((a, b) => a - b);
    if (words) found.sort((a, b) => data.nodes[a][1].length - data.nodes[b][1].length || a - b);
    else if (asked.focus.length) found.sort((a, b) => asked.focus.includes(b) - asked.focus.includes(a) || a - b);
    heading.textContent = words ? `${amount(found.length)} found` : `${amount(found.length)} entries asked for`;
    body.replaceChildren(...found.slice(0, MOST_ROWS).map(row));
    more.textContent = found.length > MOST_ROWS ? `… and ${amount(found.length - MOST_ROWS)} more; search narrows them down` : "";
  }

  function row(node) {
    const total = (way) => `${new Set(way[node]).size} / ${reach(way, [node]).size - 1}`;
    const pressed = asked.focus.length === 1 && asked.focus[0] === node;
    const focus = make("button", { type: "button", class: "hv-entry", title: name(node), "aria-pressed": String(pressed), onclick: () => choose([node], false) }, make("bdi", {}, data.nodes[node][1]));
    const path = make("button", { type: "button", "aria-label": `Path from the focus to ${name(node)}`, disabled: !asked.focus.length || pressed, onclick: () => choose([node], true) }, "path");
    return make("tr", {}, make("td", {}, focus, make("small", {}, single[data.nodes[node][0]])), make("td", {}, total(neededBy)), make("td", {}, total(needs)), make("td", {}, path));
  }

  function draw() {
    const picture = model.get("picture");
    const box = asked.focus.length ? picture.boxes.findIndex((members) => members.includes(asked.focus[0])) : -1;
    stage.show(inTheme(picture.svg, root.dataset.theme, data.dark), box >= 0 ? box : undefined);
    root.dataset.busy = "false";
    if (!model.get("live")) dim();
  }

  stage.view.classList.toggle("hv-live", model.get("live"));
  controls();
  list();
  const stop = followTheme(root, () => draw());
  tell();
  el.append(root);
  model.on("change:picture", draw);
  return () => (stop(), model.off("change:picture", draw));
}

export default { render };
