// Puts the page together.

/** What is not in the page, if anything: said at the top, never left to be found out. */
function cutNotice() {
  const { events: more, texts_cut: texts, texts_left_out: lost, fields } = events.cut;
  const parts = [more ? `the last ${counted(more, "event")} of ${count(run.events)} (the checks saw them)` : null, texts ? `the ${texts === 1 ? "end of one long text" : `ends of ${count(texts)} long texts`}` : null,
    lost ? `${counted(lost, "text")} for which there was no room` : null, fields ? `some fields of ${counted(fields, "event")}` : null].filter(Boolean);
  if (parts.length === 0) return null;
  return el(more || lost ? "p.notice" : "p.note.cut", { role: "note" }, `Not in this page: ${parts.join("; ")}.`);
}

function timeline() {
  const picture = diagram();
  const scrub = scrubber();
  redrawn.push(picture.draw, scrub.draw);
  const button = (id, text, title, onclick) => el("button", { type: "button", id, title, "aria-label": title, onclick }, text);
  const grouped = el("input", { type: "checkbox", checked: scene.grouped, id: "grouped", onchange: () => scene.group(grouped.checked) });
  const legend = el("details.legend", el("summary", "Legend and keys"), el("ul.marks", LEGEND.map(([kind, text]) => legendMark(kind, text))),
    el("p.note", "Lines are messages: dashed with ✕ if lost, dashed if too late, double if they arrive twice. Strips: plain is well, dotted is in between, hatched is open or failing, crossed is down."),
    el("p.note", { id: "diagram-keys" }, "In the diagram: ← → event by event, ↑ ↓ to another lane, + − zoom, 0 all, Shift with ← → or the wheel pans, Ctrl with the wheel zooms (alone, once the diagram was clicked), Enter to what the event says, Esc selects none. Drag pans; a double click zooms in."));
  return panel("timeline", "Timeline", null,
    el("div.toolbar", button("zoom-in", "+", "Zoom in", () => scene.zoom(0.5, scene.now)), button("zoom-out", "−", "Zoom out", () => scene.zoom(2, scene.now)), button("fit", "All", "Show the whole run", scene.fit),
      button("pan-left", "←", "Earlier", () => scene.pan(-0.4)), button("pan-right", "→", "Later", () => scene.pan(0.4)), el("label.chip", grouped, el("span", "one lane per group"))),
    filterBar(scene.refilter), scrub.element, picture.element, picture.said, legend);
}

/** A mark as the diagram draws it. */
function legendMark(kind, text) {
  const at = events.kinds.indexOf(kind);
  if (at < 0) return null;
  const first = events.kind.indexOf(at);
  const canvas = el("canvas", { "aria-hidden": "true" });
  canvas.style.width = canvas.style.height = "18px";
  const draw = () => mark(sized(canvas, 18, 18), palette(), first, 9, 9);
  draw();
  redrawn.push(draw);
  return el("li", canvas, text);
}

function main() {
  const page = document.getElementById("page");
  const names = [["timeline", "Timeline"], ["now", "Widgets"], ["checks", "Checks"], ["requests", "Requests"], ["latency", "Latency"], ["meters", "Tokens"], ["events", "Events"], ["source", "Sim"]];
  fill(page.querySelector("header"), [cutNotice()]);
  page.querySelector(".loading")?.remove();
  fill(page, [
    el("nav.jump", { "aria-label": "Parts of this page" }, names.map(([id, text]) => el("a", { href: `#${id}` }, text))),
    el("main", el("div.stage", el("div.stage-main", timeline(), nowPanel()), detailPanel()),
      el("div.pair", checksPanel(), el("div.stack", faultsPanel(), latencyPanel())),
      requestsPanel(), el("div.pair", metersPanel(), metricsPanel()), eventsPanel(), sourcePanel()),
    announcer]);
  // What failed is where one looks first.
  const broken = run.checks.find((it) => it.broken !== null && it.broken <= events.count);
  if (broken) scene.select(broken.broken - 1);
  document.documentElement.dataset.ready = "true";
}

main();
