// The events in view as a table: the diagram as text, and a list to go through.

const ROWS = 20;

function eventsPanel() {
  const body = el("tbody");
  const said = el("span.note", { role: "status", id: "events-said" });
  const back = el("button.quiet", { type: "button", onclick: () => { turn(-1); } }, "‹ Back");
  const on = el("button.quiet", { type: "button", onclick: () => { turn(1); } }, "More ›");
  let [page, key, list] = [0, "", []];
  const header = ["#event", "#at", "node", "event", "what it says"];
  const grid = el("table.events-table", el("caption.away", "Events in view"),
    el("thead", el("tr", header.map((name) => el("th", { scope: "col", class: name.startsWith("#") ? "num" : null }, name.replace("#", ""))))), body);

  function turn(by) { page += by; render(); }
  function refresh() {
    const now = `${scene.from} ${scene.to} ${shown} ${filter.text} ${filter.node} ${filter.kind} ${[...filter.groups]}`;
    if (now === key) return;
    key = now;
    list = [];
    for (let i = firstAt(scene.from), end = firstAt(scene.to + 1); i < end; i++) if (mask[i]) list.push(i);
    page = 0;
  }
  function render() {
    const pages = Math.max(1, Math.ceil(list.length / ROWS));
    page = Math.max(0, Math.min(page, pages - 1));
    const part = list.slice(page * ROWS, (page + 1) * ROWS);
    replace(body, part.map((i) => el("tr", { class: i === scene.selected ? "here" : isBad[i] ? "trouble" : null },
      el("td.num", eventLink(i)), el("td.num", instant(events.at[i])), el("td", nameEl(events.nodes[events.node[i]], 22)),
      el("td", isBad[i] ? "✕ " : "", words(events.kindName(i))), el("td.note", detail(i)))));
    said.textContent = list.length ? `${count(page * ROWS + 1)} to ${count(page * ROWS + part.length)} of ${counted(list.length, "event")} in view` : "No event in view: zoom out, or clear the filter.";
    back.disabled = page === 0;
    on.disabled = page >= pages - 1;
  }
  let waiting = 0;
  const later = () => { clearTimeout(waiting); waiting = setTimeout(() => { refresh(); render(); }, 80); };
  scene.on("view", later);
  scene.on("filter", later);
  scene.on("select", () => {
    clearTimeout(waiting);
    refresh();
    const at = list.indexOf(scene.selected);
    if (at >= 0) page = Math.floor(at / ROWS);
    render();
  });
  refresh();
  render();
  return panel("events", "Events in view", "the diagram as text", el("div.filters", back, on, said), el("div.scroll-x", { tabindex: "0", role: "region", "aria-label": "Events in view" }, grid));
}
