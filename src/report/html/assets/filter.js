// Which events are shown: by node, by kind, by text. The mask says it of each event.

const filter = { text: "", node: -1, groups: new Set(GROUP_NAMES.map((_, index) => index)), kind: -1 };
const mask = new Uint8Array(events.count).fill(1);
let shown = events.count;

/** Looks at each event again. */
function applyFilter() {
  const wanted = filter.text.trim().toLowerCase();
  const number = /^#(\d+)$/.exec(wanted);
  const hits = wanted && !number ? Uint8Array.from(events.texts, (text) => (text.toLowerCase().includes(wanted) ? 1 : 0)) : null;
  shown = 0;
  for (let i = 0; i < events.count; i++) {
    let pass = filter.groups.has(groupOfKind[events.kind[i]])
      && (filter.node < 0 || events.node[i] === filter.node)
      && (filter.kind < 0 || events.kind[i] === filter.kind);
    if (pass && number) pass = i + 1 === Number(number[1]);
    if (pass && hits) {
      pass = hits[events.kindTexts[events.kind[i]]] === 1 || hits[events.nodeTexts[events.node[i]]] === 1;
      if (!pass) events.textsOf(i, (id) => { if (hits[id]) pass = true; });
    }
    mask[i] = pass ? 1 : 0;
    shown += mask[i];
  }
}

const isFiltered = () => shown !== events.count;

/** The next event that is shown, from one on, forwards or backwards; -1 if there is none. */
function nextShown(from, step, accept = () => true) {
  for (let i = from; i >= 0 && i < events.count; i += step) if (mask[i] && accept(i)) return i;
  return -1;
}

/** The controls; `changed` is called after each change. */
function filterBar(changed) {
  const apply = () => { applyFilter(); said.textContent = isFiltered() ? `${count(shown)} of ${counted(events.count, "event")}` : counted(events.count, "event"); changed(); };
  let waiting = 0;
  const search = el("input", { type: "search", id: "filter-text", placeholder: "Text, or #number", "aria-label": "Show events with this text",
    oninput: () => { clearTimeout(waiting); waiting = setTimeout(() => { filter.text = search.value; apply(); }, 120); } });
  const nodes = el("select", { id: "filter-node", "aria-label": "Show events on this node", onchange: () => { filter.node = Number(nodes.value); apply(); } },
    el("option", { value: "-1" }, "All nodes"), events.nodes.map((name, index) => el("option", { value: String(index) }, short(name, 40))));
  const counts = events.kinds.map(() => 0);
  for (let i = 0; i < events.count; i++) counts[events.kind[i]]++;
  const kinds = el("select", { id: "filter-kind", "aria-label": "Show events of this kind", onchange: () => { filter.kind = Number(kinds.value); apply(); } },
    el("option", { value: "-1" }, "All kinds"),
    GROUP_NAMES.map((group, at) => {
      const members = events.kinds.map((kind, index) => [kind, index]).filter(([, index]) => groupOfKind[index] === at);
      return members.length ? el("optgroup", { label: group }, members.map(([kind, index]) =>
        el("option", { value: String(index) }, `${short(kind, 40)} (${count(counts[index])})`))) : null;
    }));
  const present = new Set(groupOfKind);
  const chips = GROUP_NAMES.map((group, at) => {
    if (!present.has(at)) return null;
    const box = el("input", { type: "checkbox", checked: true, onchange: () => { box.checked ? filter.groups.add(at) : filter.groups.delete(at); apply(); } });
    return el("label.chip", box, el("span", group));
  });
  const clear = el("button.quiet", { type: "button", id: "filter-clear", onclick: () => {
    search.value = ""; nodes.value = kinds.value = "-1";
    Object.assign(filter, { text: "", node: -1, kind: -1 });
    for (const chip of chips) if (chip) chip.firstChild.checked = true;
    GROUP_NAMES.forEach((_, at) => filter.groups.add(at));
    apply();
  } }, "Clear");
  const said = el("span.note", { role: "status", id: "filter-count" }, counted(events.count, "event"));
  return el("div.filters", { role: "search" }, search, nodes, kinds, clear, said, el("div.chips", { role: "group", "aria-label": "Groups of kinds" }, chips));
}
