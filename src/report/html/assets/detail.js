// The selected event: what it says, what led to it, what it led to, and the request it belongs to.

const CHAIN_SHOWN = 8;
const LIST_SHOWN = 25;
const FIRST_SHOWN = 8;

function detailPanel() {
  const body = el("div.detail-body");
  const element = el("aside.panel", { id: "detail", tabindex: "-1", "aria-label": "Selected event" },
    el("div.panel-head", el("h2", "Event")), body);
  let all = new Set();

  function line(i, isHere = false) {
    return el("li", { class: isHere ? "here" : isBad[i] ? "trouble" : null },
      el("span.num", instant(events.at[i])), " ",
      isHere ? el("b", words(events.kindName(i))) : eventLink(i, words(events.kindName(i))),
      " ", nameEl(events.nodes[events.node[i]], 20), el("div.note", detail(i)));
  }
  /** A list that begins short, with its beginning or its end, and becomes whole when asked. */
  function list(name, items, most, { here = -1, end = false } = {}) {
    const isWhole = all.has(name) || items.length <= most;
    const more = isWhole ? null : el("li", el("button.link", { type: "button", onclick: () => { all.add(name); render(); } }, `… ${count(items.length - most)} ${end ? "before" : "more"}`));
    const part = isWhole ? items : end ? items.slice(-most) : items.slice(0, most);
    return el("ol.events", end ? more : null, part.map((i) => line(i, i === here)), end ? null : more);
  }
  function chain(i) {
    const path = [i];
    for (let at = events.cause[i]; at >= 0 && path.length < 10000; at = events.cause[at]) path.push(at);
    return path.reverse();
  }

  function render() {
    const i = scene.selected;
    if (i < 0) {
      const trouble = [];
      for (let at = 0; at < events.count && trouble.length < FIRST_SHOWN; at++) if (isBad[at]) trouble.push(at);
      return replace(body, el("p.note", "Click a mark in the diagram, or press an arrow key in it, to see what an event says, what led to it and what it led to."),
        trouble.length ? [el("h3", "Where trouble begins"), list("trouble", trouble, FIRST_SHOWN)] : el("p.note", "Nothing went wrong in this run."));
    }
    const at = events.at[i];
    const path = chain(i);
    const effects = [...events.effects(i)];
    const request = model.requestById.get(events.field(i, "request"));
    const fields = events.fields(i);
    replace(body,
      el("div.detail-title", isBad[i] ? el("span.trouble-mark", { title: "trouble" }, "✕ ") : null, el("strong", words(events.kindName(i))), el("span.note", ` #${i + 1}`)),
      el("div.buttons",
        el("button.quiet", { type: "button", onclick: () => scene.show(at - 5e7, at + 5e7) }, "Zoom here"),
        el("button.quiet", { type: "button", onclick: () => { const found = nextShown(i - 1, -1, (it) => events.node[it] === events.node[i]); if (found >= 0) scene.select(found, { reveal: true }); } }, "‹ on node"),
        el("button.quiet", { type: "button", onclick: () => { const found = nextShown(i + 1, 1, (it) => events.node[it] === events.node[i]); if (found >= 0) scene.select(found, { reveal: true }); } }, "on node ›")),
      el("dl",
        el("dt", "at"), el("dd", instant(at)),
        el("dt", "node"), el("dd", nameEl(events.nodes[events.node[i]])),
        fields.map(([name, value]) => [el("dt", words(name)), el("dd", { class: value === null ? "note" : null }, el("bdi", valueText(name, value)))])),
      el("h3", `What led to it`), list("chain", path, CHAIN_SHOWN, { here: i, end: true }),
      el("h3", `What it led to`), effects.length ? list("effects", effects, LIST_SHOWN) : el("p.note", "Nothing."),
      request ? [el("h3", "Request ", nameEl(request.id)), list("request", request.events, LIST_SHOWN, { here: i })] : null);
  }
  let last = -2;
  scene.on("select", () => {
    if (scene.selected !== last) all = new Set();
    last = scene.selected;
    render();
  });
  render();
  return element;
}
