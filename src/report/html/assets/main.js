// Puts the page together.

function header() {
  const verdict = VERDICTS[run.verdict] ?? { mark: "?", word: visible(run.verdict), good: false };
  const copied = el("span.note", { role: "status" });
  const copy = el("button", { type: "button", id: "copy", onclick: async () => {
    try {
      await navigator.clipboard.writeText(run.replay);
      copied.textContent = "copied";
    } catch {
      // A page from the disk may not be let at the clipboard: then it is selected, for the keyboard.
      getSelection().selectAllChildren(command);
      copied.textContent = "press Ctrl+C";
    }
  } }, "Copy");
  const command = el("code", { id: "replay" }, visible(run.replay));
  const theme = el("button.quiet", { type: "button", id: "theme", onclick: () => {
    const order = ["auto", "light", "dark"];
    const next = order[(order.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % 3];
    setTheme(next);
  } });
  const setTheme = (name) => {
    document.documentElement.dataset.theme = name;
    theme.textContent = `Theme: ${name}`;
    redraw();
  };
  theme.textContent = "Theme: auto";
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  const fact = (name, value) => el("div.fact", el("dt", name), el("dd", value));
  return el("header.top", { class: `top ${verdict.good ? "is-good" : "is-bad"}` },
    el("div.top-row", el("span.verdict", el("span", { "aria-hidden": "true" }, `${verdict.mark} `), verdict.word), el("h1", nameEl(run.sim, 80)), theme),
    el("dl.facts", fact("seed", visible(run.seed)), fact("fingerprint", el("code", visible(run.fingerprint))), fact("events", count(run.events)), fact("virtual time", duration(run.ended_ns)),
      fact("ended", { idle: "nothing left to do", stopped: "stopped", time_limit: "at the time limit", failed: "failed" }[run.ending] ?? visible(run.ending)),
      run.requests.total ? fact("requests", `${count(run.requests.ok)} of ${count(run.requests.total)} ok`) : null, fact("starts", visible(run.start))),
    run.reasons.length ? el("ul.reasons", run.reasons.slice(0, 12).map((reason) => el("li", visible(reason))), run.reasons.length > 12 ? el("li.note", `and ${run.reasons.length - 12} more under Checks`) : null) : null,
    el("div.replay", el("span.note", "Replay"), command, copy, copied), cutNotice());
}

/** What is not in the page, if anything: said at the top, never left to be found out. */
function cutNotice() {
  const { events: more, texts_cut: texts, texts_left_out: lost, fields } = events.cut;
  const parts = [more ? `the last ${counted(more, "event")} of ${count(run.events)} (the checks saw them)` : null, texts ? `the ${texts === 1 ? "end of one long text" : `ends of ${count(texts)} long texts`}` : null,
    lost ? `${counted(lost, "text")} for which there was no room` : null, fields ? `some fields of ${counted(fields, "event")}` : null].filter(Boolean);
  if (parts.length === 0) return null;
  return el(more || lost ? "p.notice" : "p.note.cut", { role: "note" }, `Not in this page: ${parts.join("; ")}.`);
}

const redrawn = [];
const redraw = () => redrawn.forEach((it) => it());

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
  const showStates = () => location.hash === "#states";
  addEventListener("hashchange", () => { if (showStates() !== Boolean(document.querySelector(".gallery"))) location.reload(); });
  if (showStates()) {
    replace(page, gallery());
    return;
  }
  const names = [["timeline", "Timeline"], ["now", "Widgets"], ["checks", "Checks"], ["requests", "Requests"], ["latency", "Latency"], ["meters", "Tokens"], ["events", "Events"], ["source", "Sim"]];
  replace(page, header(),
    el("nav.jump", { "aria-label": "Parts of this page" }, names.map(([id, text]) => el("a", { href: `#${id}` }, text))),
    el("main", el("div.stage", el("div.stage-main", timeline(), nowPanel()), detailPanel()),
      el("div.pair", checksPanel(), el("div.stack", faultsPanel(), latencyPanel())),
      requestsPanel(), el("div.pair", metersPanel(), metricsPanel()), eventsPanel(), sourcePanel()),
    announcer);
  scene.on("select", () => document.getElementById("detail").classList.toggle("has-event", scene.selected >= 0));
  // What failed is where one looks first.
  const broken = run.checks.find((it) => it.broken !== null && it.broken <= events.count);
  if (broken) scene.select(broken.broken - 1);
  document.documentElement.dataset.ready = "true";
}

main();
