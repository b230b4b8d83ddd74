// What a removal would do: policy, apply and undo, the picture, and a table by cause. Python decides; the page asks.

function render({ model, el }) {
  const data = model.get("data");
  const root = makeRoot("Removal impact");
  const verdict = make("p", { class: "hv-status", role: "status" });
  const why = make("p", { class: "hv-status", "aria-live": "polite" });
  const stage = makeStage("Picture of the removal", { chosen: (box) => tell(model.get("picture").boxes[box]) });
  const policies = [["", "look only"], ...data.policies.map((policy) => [policy, policy.replaceAll("_", " ")])];
  const [policyLabel, policy] = choice("Policy", policies, (value) => ask({ policy: value, action: "" }));
  const button = (text, act) => make("button", { type: "button", onclick: act }, text);
  const apply = button("Apply", () => ask({ action: "apply", version: model.get("picture").version }));
  const undo = button("Undo", () => ask({ action: "undo" }));
  const body = make("tbody");
  const heading = make("caption");
  const columns = ["State", "Entry", "Why: the way to what goes"];
  const head = make("thead", {}, make("tr", {}, ...columns.map((text) => make("th", { scope: "col" }, text))));
  const side = make("div", { class: "hv-side hv-wide", role: "region", "aria-label": "Entries by cause", tabindex: "0" }, make("table", {}, heading, head, body));
  const save = button("SVG", () => download("impact.svg", inTheme(model.get("picture").svg, root.dataset.theme, data.dark), "image/svg+xml"));
  const live = model.get("live");
  root.append(
    make("div", { class: "hv-bar", role: "group", "aria-label": "Removal" },
      ...(live && data.policies.length ? [policyLabel] : []), ...(live && data.writable ? [apply, undo] : []),
      make("span", { class: "hv-end" }, ...stage.buttons, save)),
    verdict, make("div", { class: "hv-body" }, stage.view, side), why,
  );
  let presses = 0;

  function ask(change) {
    root.dataset.busy = "true";
    // The counter makes each press a new value: equal ones would not be sent.
    model.set("query", { policy: policy.value, action: "", press: ++presses, ...change });
    model.save_changes();
  }

  function tell(members) {
    const rows = model.get("picture").rows;
    why.textContent = members.slice(0, 3).map((row) => `${rows[row][0]}: ${rows[row][4]}`).join("; ") + (members.length > 3 ? "; …" : "");
    body.querySelectorAll("tr").forEach((row) => row.classList.toggle("hv-chosen", members.includes(Number(row.dataset.row ?? -1))));
    body.querySelector(".hv-chosen")?.scrollIntoView({ block: "nearest" });
  }

  function draw() {
    const picture = model.get("picture");
    const goes = picture.boxes.findIndex((rows) => rows.includes(0)); // what goes is the first row; keep it in sight
    stage.show(inTheme(picture.svg, root.dataset.theme, data.dark), goes >= 0 ? goes : undefined);
    verdict.textContent = [`Version ${picture.version}: ${picture.verdict}`, picture.message].filter(Boolean).join(" — ");
    why.textContent = "";
    policy.value = picture.policy;
    apply.disabled = !picture.allowed;
    undo.disabled = !picture.undo;
    const groups = new Map();
    picture.rows.forEach((row, i) => {
      const cause = `${row[0]}: ${row[3]}`;
      groups.set(cause, [...(groups.get(cause) ?? []), i]);
    });
    heading.textContent = `${picture.rows.length.toLocaleString("en")} entries touched, by cause`;
    body.replaceChildren(...[...groups].flatMap(([cause, rows]) => [
      make("tr", {}, make("th", { scope: "rowgroup", colspan: "3" }, `${cause} (${rows.length.toLocaleString("en")})`)),
      ...rows.slice(0, 40).map((i) => line(picture.rows[i], i)),
      ...(rows.length > 40 ? [make("tr", {}, make("td", { colspan: "3" }, `… and ${(rows.length - 40).toLocaleString("en")} more`))] : []),
    ]));
    root.dataset.busy = "false";
    root.dataset.version = picture.version;
  }

  function line([state, kind, id, , path], i) {
    const name = make("td", {}, make("bdi", { class: "hv-name", title: id }, id), make("small", {}, kind));
    return make("tr", { "data-row": i }, make("td", {}, state), name, make("td", { class: "hv-way" }, path));
  }

  el.append(root);
  const stop = followTheme(root, draw);
  model.on("change:picture", draw);
  return () => (stop(), model.off("change:picture", draw));
}

export default { render };
